//! What speaks against requirements, and which flag would lift it.

use std::fmt;

use x402_sim::U256;
use x402_sim::networks::Asset;

use super::limit::Limit;

/// What speaks against requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// Another network, asset or scheme was asked for.
    NotAskedFor,
    /// Another payee was asked for.
    OtherPayee,
    /// A network that nobody here knows.
    UnknownNetwork,
    /// Real money.
    MainNetwork,
    /// The payer's key is of another family of networks.
    OtherKey,
    /// An asset that the official clients do not pay with.
    UnknownAsset,
    /// The amount is no number.
    NoAmount,
    /// More than may be paid.
    OverLimit(Limit),
    /// The limit is in another asset, so that it says nothing of this one.
    OtherLimit(Limit),
    /// It cannot be signed for.
    NotSignable(String),
}

impl Objection {
    /// What a limit has against an amount of an asset.
    pub fn of_limit(limit: &Limit, amount: U256, asset: Option<&Asset>) -> Option<Self> {
        if !limit.measures(asset) {
            return Some(Self::OtherLimit(limit.clone()));
        }
        (!limit.allows(amount, asset)).then(|| Self::OverLimit(limit.clone()))
    }

    /// Whether the offer itself may be wrong, so that no flag helps its payers.
    pub const fn blames_the_offer(&self) -> bool {
        match self {
            Self::UnknownNetwork | Self::UnknownAsset | Self::NoAmount | Self::NotSignable(_) => true,
            Self::NotAskedFor
            | Self::OtherPayee
            | Self::MainNetwork
            | Self::OtherKey
            | Self::OverLimit(_)
            | Self::OtherLimit(_) => false,
        }
    }

    /// Which flag would lift it.
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::MainNetwork => Some("--real-money"),
            Self::OverLimit(_) => Some("--max-amount"),
            // What nobody knows the price of has no limit in dollars.
            Self::OtherLimit(Limit::Dollars(_)) => Some("--max-amount 'N units'"),
            Self::OtherLimit(_) => Some("--max-amount in this asset, or in dollars"),
            Self::UnknownAsset => Some("--asset ADDRESS with --max-amount 'N units'"),
            Self::UnknownNetwork => Some("--network"),
            Self::NotAskedFor | Self::OtherPayee | Self::OtherKey | Self::NoAmount | Self::NotSignable(_) => None,
        }
    }

    /// What speaks against it, and which flag would lift it.
    pub fn with_remedy(&self) -> String {
        self.remedy().map_or_else(|| self.to_string(), |remedy| format!("{self} ({remedy})"))
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAskedFor => out.write_str("not asked for"),
            Self::OtherPayee => out.write_str("another payee than asked for"),
            Self::UnknownNetwork => out.write_str("a network that nobody here knows"),
            Self::MainNetwork => out.write_str("real money: a main network, or one that nobody here knows"),
            Self::OtherKey => out.write_str("the payer's key signs for another family of networks"),
            Self::UnknownAsset => out.write_str("no known asset of this network"),
            Self::NoAmount => out.write_str("its amount is no number of atomic units"),
            Self::OverLimit(limit) => write!(out, "over the limit of {limit}"),
            Self::OtherLimit(limit) => write!(out, "the limit of {limit} says nothing of this asset"),
            Self::NotSignable(why) => out.write_str(why),
        }
    }
}
