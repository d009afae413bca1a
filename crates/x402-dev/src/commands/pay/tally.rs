//! What a load came to: counts, receipts, percentiles.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use x402_sim::U256;
use x402_wire::amount::{Decimal, parse_atomic};

use super::limit::price;
use super::story::safe;
use super::verdict::{Heard, Verdict};
use crate::commands::door::columns;
use crate::exit::Exit;
use crate::journal::Authorized;

/// How many different failures are told.
const TOLD: usize = 5;

/// What a load came to.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    purchases: u32,
    /// Paid and delivered.
    delivered: u32,
    /// Answered without a payment.
    free: u32,
    refused: u32,
    /// Nobody knows whether it was paid.
    unknown: u32,
    /// Nothing was signed.
    unsigned: u32,
    /// Of these, because nothing acceptable was offered.
    not_acceptable: u32,
    /// Deliveries in a dialect without receipts.
    without_receipts: u32,
    /// Receipts that say success and name a transaction.
    receipts: u32,
    /// Transactions of delivered invoices, which have no receipts: the payer sends them itself.
    sent: u32,
    /// Different transactions among both.
    transactions: u32,
    /// Receipts with something wrong in them.
    bad_receipts: u32,
    /// What was paid, as far as receipts and transactions say.
    spent: String,
    milliseconds: u64,
    per_second: f64,
    requests_per_second: f64,
    latency: Vec<Latency>,
    failures: Vec<String>,
    exit: u8,
}

/// How long something takes, in milliseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    what: &'static str,
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

/// What workers write down.
#[derive(Debug, Default)]
pub struct Book {
    tally: Tally,
    offers: Vec<f64>,
    payments: Vec<f64>,
    purchases: Vec<f64>,
    transactions: BTreeSet<String>,
    failures: BTreeSet<String>,
    spent: Option<(U256, Authorized)>,
}

/// How a purchase went.
#[derive(Debug)]
pub enum Went {
    /// Nothing was asked for.
    Free,
    /// Nothing was signed, and why.
    Unsigned(String),
    /// Nothing acceptable was offered, and why.
    NotAcceptable(String),
    /// It was paid, or tried to be.
    Paid(Box<(Authorized, Heard)>),
}

impl Book {
    /// Writes a purchase down, with the time until the offer came and until the end.
    pub fn note(&mut self, went: Went, offered: Duration, whole: Duration) {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        self.offers.push(millis(offered));
        if matches!(went, Went::Paid(..)) {
            self.payments.push(millis(whole.saturating_sub(offered)));
            self.purchases.push(millis(whole));
        }
        self.count(went);
    }

    fn count(&mut self, went: Went) {
        let tally = &mut self.tally;
        match went {
            Went::Free => tally.free += 1,
            Went::Unsigned(why) => {
                tally.unsigned += 1;
                self.failures.insert(why);
            }
            Went::NotAcceptable(why) => {
                tally.unsigned += 1;
                tally.not_acceptable += 1;
                self.failures.insert(why);
            }
            Went::Paid(went) => {
                let (paid, heard) = *went;
                match &heard.verdict {
                    Verdict::Delivered => tally.delivered += 1,
                    Verdict::Refused(_) => tally.refused += 1,
                    Verdict::Unsent(_) => tally.unsigned += 1,
                    Verdict::Declined(_) | Verdict::Used(_) | Verdict::Unclear(_) => tally.unknown += 1,
                }
                if heard.verdict != Verdict::Delivered {
                    self.failures.insert(heard.verdict.words());
                }
                tally.without_receipts +=
                    u32::from(heard.verdict == Verdict::Delivered && paid.instrument == "invoice");
                if !heard.findings.is_empty() {
                    tally.bad_receipts += 1;
                    self.failures.extend(heard.findings.into_iter().map(|finding| finding.text));
                }
                let sent = paid.transfer.as_ref().filter(|_| heard.verdict == Verdict::Delivered);
                let sent = sent.map(|transfer| (transfer.signature.clone(), atomic(&paid.amount)));
                let receipt = heard.receipt.filter(|receipt| receipt.success && !receipt.transaction.is_empty());
                tally.receipts += u32::from(receipt.is_some());
                tally.sent += u32::from(receipt.is_none() && sent.is_some());
                let named = receipt.map(|receipt| (receipt.transaction, receipt.amount)).or(sent);
                if let Some((transaction, amount)) = named {
                    self.transactions.insert(transaction);
                    let amount = amount.as_deref().unwrap_or(&paid.amount);
                    let amount = parse_atomic(amount).unwrap_or_default();
                    let (sum, _) = self.spent.get_or_insert((U256::ZERO, paid));
                    *sum = sum.saturating_add(amount);
                }
            }
        }
    }

    /// Adds it all up.
    pub fn close(mut self, purchases: u32, seconds: f64) -> Tally {
        let requests = self.offers.len() + self.payments.len();
        let spent = self.spent.take().map(|(sum, paid)| {
            let id = paid.transfer.as_ref().map_or(&paid.network, |transfer| &transfer.cluster);
            let network = x402_sim::registry::networks().into_iter().find(|network| network.is_called(id));
            // An invoice names its asset by the symbol.
            let asset = network.as_ref().and_then(|network| {
                let by_symbol = || network.assets.iter().find(|asset| asset.symbol == paid.asset);
                network.asset_by_address(&paid.asset).or_else(by_symbol)
            });
            price(sum, asset, &paid.asset)
        });
        let latency = [("offer", self.offers), ("payment", self.payments), ("purchase", self.purchases)];
        let mut tally = Tally {
            purchases,
            transactions: u32::try_from(self.transactions.len()).unwrap_or(u32::MAX),
            spent: spent.unwrap_or_else(|| "nothing".to_owned()),
            milliseconds: Duration::from_secs_f64(seconds).as_millis().try_into().unwrap_or(u64::MAX),
            per_second: round(f64::from(self.tally.delivered + self.tally.free) / seconds),
            requests_per_second: round(f64::from(u32::try_from(requests).unwrap_or(u32::MAX)) / seconds),
            latency: latency.into_iter().filter_map(|(what, times)| Latency::of(what, times)).collect(),
            failures: self.failures.into_iter().take(TOLD).collect(),
            ..self.tally
        };
        tally.exit = tally.outcome().number();
        tally
    }
}

/// The amount of an invoice, which is in whole units, in atomic ones.
fn atomic(amount: &str) -> Option<String> {
    let units = Decimal::parse(amount).ok()?.to_atomic(x402_sim::memo::DECIMALS).ok()?;
    Some(units.to_string())
}

impl Tally {
    /// Everything delivered, each with a receipt of its own; or something unknown; or, as for one purchase, nothing
    /// acceptable where nothing else failed; or not.
    pub const fn outcome(&self) -> Exit {
        let whole = self.delivered + self.free + self.not_acceptable == self.purchases;
        let receipts = self.receipts + self.without_receipts == self.delivered;
        match self.unknown {
            0 if whole && receipts && self.transactions == self.receipts + self.sent && self.bad_receipts == 0 => {
                if self.not_acceptable == 0 {
                    Exit::Success
                } else {
                    Exit::NotAcceptable
                }
            }
            0 => Exit::Failure,
            _ => Exit::Unknown,
        }
    }

    /// The same for people.
    pub fn to_text(&self, concurrency: u32) -> String {
        let counts = [
            ("paid and delivered", self.delivered),
            ("free", self.free),
            ("refused", self.refused),
            ("outcome unknown", self.unknown),
            ("not signed", self.unsigned),
            ("receipts", self.receipts),
            ("different transactions", self.transactions),
            ("with something wrong", self.bad_receipts),
        ];
        let mut rows: Vec<Vec<String>> =
            counts.iter().map(|(name, count)| vec![(*name).to_owned(), count.to_string()]).collect();
        rows.push(vec!["spent".to_owned(), self.spent.clone()]);
        let mut times = vec![["milliseconds", "p50", "p90", "p99", "max"].map(str::to_owned).to_vec()];
        times.extend(self.latency.iter().map(|own| {
            let cell = |time: f64| format!("{time:.1}");
            vec![own.what.to_owned(), cell(own.p50), cell(own.p90), cell(own.p99), cell(own.max)]
        }));
        let failures: String = self.failures.iter().flat_map(|text| ["\n- ".to_owned(), safe(text)]).collect();
        format!(
            "{} purchases, {concurrency} at a time, in {} ms: {} purchases/s, {} requests/s\n\n{}\n\n{}{failures}",
            self.purchases,
            self.milliseconds,
            self.per_second,
            self.requests_per_second,
            columns(&rows),
            columns(&times)
        )
    }
}

impl Latency {
    /// Percentiles by the nearest rank.
    fn of(what: &'static str, mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let at =
            |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied().map(milli);
        Some(Self { what, p50: at(50)?, p90: at(90)?, p99: at(99)?, max: at(100)? })
    }
}

/// One digit behind the point.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Three digits behind the point: microseconds.
fn milli(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let times = (1..=100).rev().map(f64::from).collect();
        let Latency { p50, p90, p99, max, .. } = Latency::of("x", times).unwrap();
        assert_eq!([p50, p90, p99, max].map(|time| time.to_string()), ["50", "90", "99", "100"]);
        let Latency { p50, max, .. } = Latency::of("x", vec![7.0]).unwrap();
        assert_eq!([p50, max].map(|time| time.to_string()), ["7", "7"]);
        assert!(Latency::of("x", Vec::new()).is_none());
    }

    #[test]
    fn only_a_receipt_for_each_delivery_is_a_success() {
        let good = || Tally { purchases: 3, delivered: 2, free: 1, receipts: 2, transactions: 2, ..Tally::default() };
        assert_eq!(good().outcome(), Exit::Success);
        for (tally, exit) in [
            (Tally { transactions: 1, ..good() }, Exit::Failure),
            (Tally { receipts: 1, transactions: 1, ..good() }, Exit::Failure),
            (Tally { bad_receipts: 1, ..good() }, Exit::Failure),
            (Tally { purchases: 4, refused: 1, ..good() }, Exit::Failure),
            (Tally { purchases: 4, unknown: 1, ..good() }, Exit::Unknown),
            (Tally { purchases: 4, unsigned: 1, not_acceptable: 1, ..good() }, Exit::NotAcceptable),
            (Tally { purchases: 5, refused: 1, unsigned: 1, not_acceptable: 1, ..good() }, Exit::Failure),
            (Tally { purchases: 5, unknown: 1, unsigned: 1, not_acceptable: 1, ..good() }, Exit::Unknown),
        ] {
            assert_eq!(tally.outcome(), exit);
        }
    }
}
