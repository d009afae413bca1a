//! A purchase as it is told to people and programs.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};
use x402_wire::amount::Decimal;

use super::register::Register;
use super::tally::Purchase;
use super::{Delivery, Grouping, Seen, Verdict};
use crate::catalog::Catalog;
use crate::event::PaymentId;
use crate::ledger::AssetId;

/// How many payments are listed.
const LISTED_PAYMENTS: usize = 100;

/// A purchase as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// What it is called: `pur_1`.
    pub id: String,
    /// How its attempts were told from others.
    pub grouping: Grouping,
    /// What the buyer calls it.
    pub name: Option<String>,
    /// At which doors it was seen.
    pub seen: Seen,
    /// Who pays.
    pub payer: Option<String>,
    /// The method of the request for the resource, where that was seen.
    pub method: Option<String>,
    /// The path and query of the resource, or its address as the facilitator is told.
    pub resource: Option<String>,
    /// Requests with a payment; at the facilitator, verifications and the settlements that none preceded.
    pub attempts: u64,
    /// Different authorizations that were seen.
    pub authorizations: u64,
    /// Verifications, good or bad.
    pub verifies: u64,
    /// Transfers in the ledger, less those that were undone.
    pub settlements: u64,
    /// Transfers that were undone.
    pub undone: u64,
    /// Settlements whose transaction is not confirmed yet.
    pub pending: u64,
    /// Refusals, failed settlements and timeouts.
    pub refused: u64,
    /// Faults that were played.
    pub faults: u64,
    /// Deliveries of the content to its last byte.
    pub deliveries: u64,
    /// What moved, by asset; what was undone is taken off.
    pub moved: Vec<Moved>,
    /// Whether the buyer got the content.
    pub delivery: Delivery,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// Whether a further authorization belongs to another purchase.
    pub closed: bool,
    /// The payments that were tried; the newest 100.
    pub payments: Vec<String>,
    /// When its first event was, in milliseconds of the world's clock.
    pub opened_at: u64,
    /// When its last event was, in milliseconds of the world's clock.
    pub changed_at: u64,
    /// The sequence number of its first event.
    pub first_event: u64,
    /// The sequence number of its last event.
    pub last_event: u64,
}

/// An amount that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The network's CAIP-2 id.
    pub network: String,
    /// The asset's address.
    pub asset: String,
    /// Its ticker.
    pub symbol: String,
    /// Its decimals.
    pub decimals: u8,
    /// How much, in atomic units.
    pub atomic: String,
    /// How much, for people: `0.01 USDC`.
    pub amount: String,
}

impl Listed {
    /// Tells a purchase of a register.
    pub(crate) fn of(purchase: &Purchase, register: &Register, catalog: &Catalog) -> Self {
        let Purchase { counts, payments, .. } = purchase;
        let newest = payments.len().saturating_sub(LISTED_PAYMENTS);
        Self {
            id: purchase.id.to_string(),
            grouping: purchase.grouping,
            name: purchase.name.clone(),
            seen: purchase.seen,
            payer: purchase.payer.clone(),
            method: purchase.method.clone(),
            resource: purchase.resource.clone(),
            attempts: counts.attempts,
            authorizations: counts.authorizations,
            verifies: counts.verifies,
            settlements: counts.settlements,
            undone: counts.undone,
            pending: purchase.pending.len() as u64,
            refused: counts.refused,
            faults: counts.faults,
            deliveries: counts.deliveries,
            moved: purchase.moved.iter().filter_map(|(asset, value)| Moved::of(*asset, *value, catalog)).collect(),
            delivery: purchase.delivery(),
            verdict: purchase.verdict(),
            closed: register.is_closed(purchase),
            payments: payments.range(newest..).map(PaymentId::to_string).collect(),
            opened_at: purchase.opened_at,
            changed_at: purchase.changed_at,
            first_event: purchase.first_event,
            last_event: purchase.last_event,
        }
    }

    /// What moved, for people.
    pub fn moved_text(&self) -> String {
        let amounts: Vec<&str> = self.moved.iter().map(|moved| moved.amount.as_str()).collect();
        if amounts.is_empty() { "0".to_owned() } else { amounts.join(" + ") }
    }
}

impl Moved {
    /// `None` for an asset that the catalog does not know; it knows every one that ever was in the ledger.
    fn of(asset: AssetId, value: U256, catalog: &Catalog) -> Option<Self> {
        let (network, own) = catalog.asset(asset)?;
        let (network, own) = (network.to_owned(), own.clone());
        let amount = format!("{} {}", Decimal::from_atomic(value, own.decimals), own.symbol);
        let (decimals, atomic) = (own.decimals, value.to_string());
        Some(Self { network, asset: own.address, symbol: own.symbol, decimals, atomic, amount })
    }
}
