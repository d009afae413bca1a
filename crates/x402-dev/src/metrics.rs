//! Metrics: counts over the stream of events and of requests, as Prometheus reads them.
//!
//! They are counted from the events themselves, so that they cannot differ from the log. Labels hold no text of a
//! client: an unknown network or reason is `other`.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use x402_sim::event::{Event, Kind};
use x402_sim::networks::solana::exact::reason as svm;
use x402_sim::reason::Code;
use x402_sim::registry::{self, Version};

/// The media type of the text format.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What stands in a label for whatever is not known.
const OTHER: &str = "other";

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    payments: Family<Payment, Counter>,
    amounts: Family<Amount, Counter<f64, AtomicU64>>,
    durations: Family<Operation, Histogram>,
    events: Counter,
    faults: Counter,
    levels: Levels,
    /// The networks by their ids, and by their names in version 1.
    known_networks: BTreeMap<String, Arc<Known>>,
    usual: Usual,
}

/// A network whose name may stand in a label.
#[derive(Debug)]
struct Known {
    id: Arc<str>,
    /// Payments in `exact` that were verified there: what is counted most.
    verified: OnceLock<Counter>,
}

/// What is counted for nearly every request, so that it need not be looked for by its labels.
#[derive(Debug, Default)]
struct Usual {
    /// Answers of the facilitator with status 200.
    judged: OnceLock<Counter>,
    /// Answers of the resources with status 402.
    unpaid: OnceLock<Counter>,
    verify: OnceLock<Histogram>,
    settle: OnceLock<Histogram>,
}

/// What is looked up when somebody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// Transactions in the ledger.
    pub transactions: usize,
    /// Settlements whose transaction is not confirmed yet.
    pub pending: usize,
    /// Events that are kept.
    pub events: usize,
    /// For how long the server has listened, in seconds.
    pub uptime: f64,
}

#[derive(Debug, Default)]
struct Levels {
    transactions: Gauge,
    pending: Gauge,
    events: Gauge,
    uptime: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    door: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Payment {
    scheme: &'static str,
    network: Arc<str>,
    outcome: Outcome,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Amount {
    network: String,
    asset: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

/// What became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Outcome(Kind);

impl prometheus_client::encoding::EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self.0 {
            Kind::Verified => "verified",
            Kind::Refused => "refused",
            Kind::Settled => "settled",
            Kind::SettleFailed => "settle_failed",
            Kind::Pending => "pending",
            Kind::Undone => "undone",
            _ => OTHER,
        };
        prometheus_client::encoding::EncodeLabelValue::encode(&name, encoder)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(exponential_buckets(0.000_1, 4.0, 10));
        let mut metrics = Self {
            registry: Registry::with_prefix("x402_dev"),
            requests: Family::default(),
            payments: Family::default(),
            amounts: Family::default(),
            durations: Family::new_with_constructor(durations),
            events: Counter::default(),
            faults: Counter::default(),
            levels: Levels::default(),
            known_networks: registry::networks()
                .into_iter()
                .flat_map(|it| {
                    let known = Arc::new(Known { id: it.id.as_str().into(), verified: OnceLock::new() });
                    [Some(it.id), it.v1_name].map(|name| Some((name?, Arc::clone(&known))))
                })
                .flatten()
                .collect(),
            usual: Usual::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests that were answered", self.requests.clone());
        registry.register("payments", "Payments by what became of them", self.payments.clone());
        registry.register(
            "settled_amount",
            "Amounts that were settled, in whole units of the asset",
            self.amounts.clone(),
        );
        let help = "How long the facilitator took to answer";
        registry.register_with_unit("facilitator_duration", help, Unit::Seconds, self.durations.clone());
        registry.register("events", "Events that happened", self.events.clone());
        registry.register("faults", "Faults that were played", self.faults.clone());
        let levels = &self.levels;
        registry.register("ledger_transactions", "Transactions in the ledger", levels.transactions.clone());
        registry.register("ledger_pending", "Settlements that are not confirmed yet", levels.pending.clone());
        registry.register("events_kept", "Events that can still be read", levels.events.clone());
        registry.register_with_unit("uptime", "How long the server has listened", Unit::Seconds, levels.uptime.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the program", build);
    }

    /// Counts a request that was answered.
    pub fn answered(&self, door: &'static str, status: u16) {
        let counter = || self.requests.get_or_create(&Request { door, status }).clone();
        match (door, status) {
            ("facilitator", 200) => self.usual.judged.get_or_init(counter).inc(),
            ("resources", 402) => self.usual.unpaid.get_or_init(counter).inc(),
            _ => counter().inc(),
        };
    }

    /// Counts how long `verify` or `settle` took, in seconds of real time.
    pub fn took(&self, operation: &'static str, seconds: f64) {
        let histogram = || self.durations.get_or_create(&Operation { operation }).clone();
        match operation {
            "verify" => self.usual.verify.get_or_init(histogram).observe(seconds),
            "settle" => self.usual.settle.get_or_init(histogram).observe(seconds),
            _ => histogram().observe(seconds),
        }
    }

    /// Counts an event.
    pub fn happened(&self, event: &Event) {
        self.events.inc();
        match event.kind {
            Kind::Faulted => drop(self.faults.inc()),
            Kind::Verified | Kind::Refused | Kind::Settled | Kind::SettleFailed | Kind::Pending | Kind::Undone => {
                self.pay(event);
            }
            _ => {}
        }
    }

    fn pay(&self, event: &Event) {
        let facts = &event.facts;
        let said = facts.network.as_deref().unwrap_or_default();
        // Only a judgement that went well vouches for a network that the configuration has added.
        let vouched = matches!(event.kind, Kind::Verified | Kind::Settled | Kind::Pending | Kind::Undone);
        let known = self.known_networks.get(said);
        let network = known.map_or_else(|| if vouched { said } else { OTHER }.into(), |known| Arc::clone(&known.id));
        let reason = facts.reason.as_deref().map_or("", reason);
        let scheme = if facts.dialect == Some("invoice") { "invoice" } else { facts.scheme.unwrap_or("exact") };
        if event.kind == Kind::Settled {
            self.settled(&network, facts.amount.as_deref());
        }
        let counter =
            || self.payments.get_or_create(&Payment { scheme, network, outcome: Outcome(event.kind), reason }).clone();
        match known {
            Some(known) if (event.kind, scheme, reason) == (Kind::Verified, "exact", "") => {
                known.verified.get_or_init(counter).inc()
            }
            _ => counter().inc(),
        };
    }

    fn settled(&self, network: &str, amount: Option<&str>) {
        let Some((number, asset)) = amount.and_then(|amount| amount.split_once(' ')) else { return };
        if let Ok(number) = number.parse::<f64>() {
            let label = Amount { network: network.to_owned(), asset: asset.to_owned() };
            self.amounts.get_or_create(&label).inc_by(number);
        }
    }

    /// The text that Prometheus reads.
    pub fn render(&self, level: Level) -> String {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.levels.transactions.set(count(level.transactions));
        self.levels.pending.set(count(level.pending));
        self.levels.events.set(count(level.events));
        self.levels.uptime.set(level.uptime);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A reason of the protocol as a label.
fn reason(text: &str) -> &'static str {
    let on_solana = svm::Code::ALL.iter().map(|code| Code::Svm(*code));
    let spelled = Code::ALL
        .iter()
        .copied()
        .chain(on_solana)
        .flat_map(|code| [Version::V1, Version::V2].map(|version| code.spell(version)));
    spelled.into_iter().find(|known| *known == text).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use x402_sim::event::{Door, Facts};

    use super::*;

    fn event(kind: Kind, network: &str, reason: Option<&str>) -> Event {
        let facts = Facts {
            network: Some(network.to_owned()),
            amount: Some("0.01 USDC".to_owned()),
            reason: reason.map(str::to_owned),
            ..Facts::default()
        };
        Event { sequence: 1, at: 0, kind, purchase: None, payment: None, door: Door::Facilitator, facts }
    }

    #[test]
    fn what_clients_write_never_becomes_a_label() {
        let metrics = Metrics::default();
        for number in 0..1000 {
            let (network, reason) = (format!("eip155:{number}"), format!("reason {number}"));
            metrics.happened(&event(Kind::Refused, &network, Some(&reason)));
        }
        let text = metrics.render(Level::default());
        assert!(text.lines().filter(|line| line.starts_with("x402_dev_payments_total")).count() < 20, "{text}");
        assert!(text.contains(r#"reason="other""#), "{text}");
    }

    #[test]
    fn the_text_has_every_count() {
        let metrics = Metrics::default();
        metrics.answered("facilitator", 200);
        metrics.took("settle", 0.002);
        metrics.happened(&event(Kind::Settled, "eip155:84532", None));
        metrics.happened(&event(Kind::Refused, "eip155:84532", Some("invalid_exact_evm_signature")));
        metrics.happened(&event(Kind::Verified, "base-sepolia", None));
        metrics.happened(&event(Kind::Faulted, "", None));
        let text = metrics.render(Level { transactions: 1, pending: 2, events: 3, uptime: 4.5 });
        for line in [
            r#"x402_dev_requests_total{door="facilitator",status="200"} 1"#,
            r#"x402_dev_payments_total{scheme="exact",network="eip155:84532",outcome="settled",reason=""} 1"#,
            r#"x402_dev_payments_total{scheme="exact",network="eip155:84532",outcome="refused",reason="invalid_exact_evm_signature"} 1"#,
            r#"x402_dev_payments_total{scheme="exact",network="eip155:84532",outcome="verified",reason=""} 1"#,
            r#"x402_dev_settled_amount_total{network="eip155:84532",asset="USDC"} 0.01"#,
            r#"x402_dev_facilitator_duration_seconds_count{operation="settle"} 1"#,
            "x402_dev_events_total 4",
            "x402_dev_faults_total 1",
            "x402_dev_ledger_transactions 1",
            "x402_dev_ledger_pending 2",
            "x402_dev_events_kept 3",
            "x402_dev_uptime_seconds 4.5",
            "x402_dev_build_info{version=",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn what_is_usual_is_counted_where_it_belongs() {
        let metrics = Metrics::default();
        for _ in 0..2 {
            for (door, status) in [("facilitator", 200), ("facilitator", 400), ("resources", 402), ("resources", 200)] {
                metrics.answered(door, status);
            }
            for operation in ["verify", "settle"] {
                metrics.took(operation, 0.002);
            }
            for network in ["eip155:84532", "base-sepolia", "eip155:8453", "eip155:1"] {
                metrics.happened(&event(Kind::Verified, network, None));
            }
            metrics.happened(&event(Kind::Verified, "eip155:84532", Some("invalid_exact_evm_signature")));
            let mut upto = event(Kind::Verified, "eip155:84532", None);
            upto.facts.scheme = Some("upto");
            metrics.happened(&upto);
            let mut invoice = event(Kind::Verified, "eip155:84532", None);
            invoice.facts.dialect = Some("invoice");
            metrics.happened(&invoice);
        }
        let text = metrics.render(Level::default());
        for line in [
            r#"x402_dev_requests_total{door="facilitator",status="200"} 2"#,
            r#"x402_dev_requests_total{door="facilitator",status="400"} 2"#,
            r#"x402_dev_requests_total{door="resources",status="402"} 2"#,
            r#"x402_dev_requests_total{door="resources",status="200"} 2"#,
            r#"x402_dev_facilitator_duration_seconds_count{operation="verify"} 2"#,
            r#"x402_dev_facilitator_duration_seconds_count{operation="settle"} 2"#,
            r#"x402_dev_payments_total{scheme="exact",network="eip155:84532",outcome="verified",reason=""} 4"#,
            r#"x402_dev_payments_total{scheme="exact",network="eip155:84532",outcome="verified",reason="invalid_exact_evm_signature"} 2"#,
            r#"x402_dev_payments_total{scheme="exact",network="eip155:8453",outcome="verified",reason=""} 2"#,
            r#"x402_dev_payments_total{scheme="upto",network="eip155:84532",outcome="verified",reason=""} 2"#,
            r#"x402_dev_payments_total{scheme="invoice",network="eip155:84532",outcome="verified",reason=""} 2"#,
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} is missing in\n{text}");
        }
    }
}
