//! How offers are made worse.

use super::Wrong;

/// How an offer is made worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twist {
    /// Who comes back with a payment finds so many times the price.
    PriceRaised(u32),
    /// Somebody else is paid.
    PayeeSwapped,
    /// A token that only looks like the asset.
    OtherAsset,
    /// A main network.
    OtherNetwork,
    /// A way that is a hundred times as dear stands first, the others in reverse.
    AcceptsReordered,
    /// A text that talks to language models.
    HostileText,
    /// Authorizations that have expired when they arrive.
    TimeoutExpired,
    /// Authorizations that live for ten years.
    TimeoutGiant,
    /// No `extra`, so that nobody can sign.
    ExtraMissing,
    /// No `PAYMENT-REQUIRED` header.
    HeaderAbsent,
    /// A `PAYMENT-REQUIRED` header of more than 32 KiB.
    HeaderOversized,
}

impl Twist {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PriceRaised(_) => "price_raised",
            Self::PayeeSwapped => "payee_swapped",
            Self::OtherAsset => "other_asset",
            Self::OtherNetwork => "other_network",
            Self::AcceptsReordered => "accepts_reordered",
            Self::HostileText => "hostile_text",
            Self::TimeoutExpired => "timeout_expired",
            Self::TimeoutGiant => "timeout_giant",
            Self::ExtraMissing => "extra_missing",
            Self::HeaderAbsent => "header_absent",
            Self::HeaderOversized => "header_oversized",
        }
    }

    /// `None` where the name is none of these.
    pub(super) fn parsed(name: &str, argument: Option<&str>) -> Option<Result<Self, Wrong>> {
        let factor = |text: &str| text.parse::<u32>().ok().filter(|factor| (2..=1_000_000).contains(factor));
        let parsed = match name {
            "price_raised" => argument.map_or(Some(10), factor).map(Self::PriceRaised),
            "payee_swapped" => Some(Self::PayeeSwapped),
            "other_asset" => Some(Self::OtherAsset),
            "other_network" => Some(Self::OtherNetwork),
            "accepts_reordered" => Some(Self::AcceptsReordered),
            "hostile_text" => Some(Self::HostileText),
            "timeout_expired" => Some(Self::TimeoutExpired),
            "timeout_giant" => Some(Self::TimeoutGiant),
            "extra_missing" => Some(Self::ExtraMissing),
            "header_absent" => Some(Self::HeaderAbsent),
            "header_oversized" => Some(Self::HeaderOversized),
            _ => return None,
        };
        Some(parsed.ok_or(Wrong))
    }
}
