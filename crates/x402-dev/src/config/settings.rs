//! The merged tree read into the typed configuration.

use std::time::Duration;

use x402_sim::ledger::{Permit2Allowance, TokenAccounts};
use x402_wire::amount::{AmountError, Decimal};

use super::accepts::{self, Terms};
use super::cursor::{Cursor, Fields, Noted, Problems};
use super::faults;
use super::keys;
use super::model::{
    Accounts, Config, Dialect, ForwardedHeaders, Log, LogFormat, LogLevel, Server, TestHeaders, UnknownAccounts,
    Verification,
};
use super::networks::{self, Enabled};
use super::prices::Asked;
use super::resources;
use super::tree::Node;
use crate::route::FacilitatorPaths;

/// The largest `events.capacity`.
const MAX_EVENTS: u64 = 10_000_000;

/// The longest `timeout_delay`.
const MAX_DELAY: Duration = Duration::from_mins(10);

/// Reads everything. `None` exactly when a problem was noted.
pub(super) fn read(root: &Node, problems: &Problems) -> Option<(Config, Vec<String>)> {
    let root = Cursor::root(root, problems).fields(keys::ROOT)?;
    let server = section(&root, "server").and_then(|fields| server(&fields));
    let networks = networks::read(root.get("networks").as_ref());
    let accounts = section(&root, "accounts").and_then(|fields| accounts(&fields, networks.as_deref()));
    let event_capacity = section(&root, "events").and_then(|fields| capacity(&fields));
    let log = section(&root, "log").and_then(|fields| log(&fields));
    let seed = root.get("seed").map(|seed| seed.number(0..=u64::MAX));
    let dialects = root.get("dialects").and_then(|list| dialects(&list));
    let verification = root.get("verification").and_then(|mode| mode.choice(&VERIFICATION));
    let timeout_delay = root.get("timeout_delay").and_then(|delay| duration(&delay));
    let price = section(&root, "pricing").and_then(|fields| Asked::read(&fields.get("default")?));
    let terms = networks.as_ref().and_then(|enabled| offered(root.get("accepts").as_ref(), enabled));
    let facilitator = server.as_ref().map_or_else(FacilitatorPaths::default, |server| server.facilitator);
    let faults = networks.as_ref().and_then(|enabled| faults::read(root.get("faults").as_ref(), enabled));
    let market = resources::Market { networks: networks?, terms: terms?, price: price?, facilitator };
    let default_resource = market.default_resource();
    if let (Some(resource), Some(accepts)) = (&default_resource, root.get("accepts")) {
        resources::fits(resource, &accepts)?;
    }
    let resources = resources::read(root.get("resources").as_ref(), &market);
    let warnings = networks::warnings(&market.networks);
    let config = Config {
        server: server?,
        seed: seed.map_or(Some(None), |seed| seed.map(Some))?,
        networks: market.networks.into_iter().map(|enabled| enabled.network).collect(),
        resources: resources?,
        default_resource: default_resource?,
        dialects: dialects?,
        verification: verification?,
        timeout_delay: timeout_delay?,
        accounts: accounts?,
        event_capacity: event_capacity?,
        faults: faults?,
        log: log?,
    };
    Some((config, warnings))
}

/// What offers list where a resource says nothing of its own.
fn offered(list: Option<&Cursor<'_>>, enabled: &[Enabled]) -> Option<Vec<Terms>> {
    match list {
        Some(list) => accepts::read(list, enabled),
        None => accepts::usual(enabled),
    }
}

const VERIFICATION: [(&str, Verification); 4] = [
    ("strict", Verification::Strict),
    ("accept", Verification::Accept),
    ("reject", Verification::Reject),
    ("timeout", Verification::Timeout),
];

/// A section; the defaults have every one. Its unknown keys are noted layer by layer.
fn section<'a>(root: &Fields<'a>, name: &str) -> Option<Fields<'a>> {
    let (_, known) = keys::SECTIONS.iter().find(|(own, _)| *own == name)?;
    root.get(name)?.fields(known)
}

fn server(fields: &Fields<'_>) -> Option<Server> {
    let host = fields.get("host").and_then(|host| {
        let text = host.text()?;
        let hint = "write 127.0.0.1 for this machine only, 0.0.0.0 for every IPv4 interface, or ::1";
        let refused = || host.problem(format!("`{text}` is not an IP address")).hinted(hint);
        text.parse().ok().or_else(|| host.refuse(refused()))
    });
    let port = fields.get("port").and_then(|port| u16::try_from(port.number(0..=u64::from(u16::MAX))?).ok());
    let facilitator = fields
        .get("facilitator")
        .and_then(|paths| paths.choice(&[("bare", FacilitatorPaths::Bare), ("prefixed", FacilitatorPaths::Prefixed)]));
    let forwarded_headers = fields.get("forwarded_headers").and_then(|headers| {
        headers.choice(&[("ignore", ForwardedHeaders::Ignore), ("trust", ForwardedHeaders::Trust)])
    });
    let test_headers = fields.get("test_headers").and_then(|headers| {
        let choices =
            [("loopback", TestHeaders::Loopback), ("always", TestHeaders::Always), ("never", TestHeaders::Never)];
        headers.choice(&choices)
    });
    Some(Server {
        host: host?,
        port: port?,
        facilitator: facilitator?,
        forwarded_headers: forwarded_headers?,
        test_headers: test_headers?,
    })
}

fn accounts(fields: &Fields<'_>, networks: Option<&[Enabled]>) -> Option<Accounts> {
    let unknown = fields
        .get("unknown")
        .and_then(|unknown| unknown.choice(&[("funded", UnknownAccounts::Funded), ("empty", UnknownAccounts::Empty)]));
    let permit2 = fields.get("permit2").and_then(|permit2| {
        permit2.choice(&[("approved", Permit2Allowance::Approved), ("required", Permit2Allowance::Required)])
    });
    let token_accounts = fields
        .get("ata")
        .and_then(|ata| ata.choice(&[("lazy", TokenAccounts::Lazy), ("strict", TokenAccounts::Strict)]));
    let balance = fields.get("balance").and_then(|cursor| balance(&cursor, networks.unwrap_or_default()));
    Some(Accounts { unknown: unknown?, balance: balance?, permit2: permit2?, token_accounts: token_accounts? })
}

/// An amount in whole units that fits every asset of the networks.
fn balance(cursor: &Cursor<'_>, networks: &[Enabled]) -> Option<Decimal> {
    let amount = Decimal::parse(cursor.text()?).or_else(|error| {
        let message = match error {
            AmountError::Malformed { text } => format!("`{text}` is not a number"),
            AmountError::Negative { text } => format!("`{text}` is negative"),
            other => other.to_string(),
        };
        let problem = cursor.problem(message).hinted("write whole units, such as `1000000` or `2.5`");
        cursor.refuse(problem).ok_or(Noted)
    });
    let amount = amount.ok()?;
    for Enabled { network, .. } in networks {
        for asset in &network.assets {
            if let Err(error) = amount.to_atomic(asset.decimals) {
                return cursor.refuse(cursor.problem(format!("{error}: {} on {network}", asset.symbol)));
            }
        }
    }
    Some(amount)
}

fn capacity(fields: &Fields<'_>) -> Option<usize> {
    let capacity = fields.get("capacity").and_then(|capacity| capacity.number(1..=MAX_EVENTS))?;
    usize::try_from(capacity).ok()
}

fn log(fields: &Fields<'_>) -> Option<Log> {
    let format =
        fields.get("format").and_then(|format| format.choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]));
    let level = fields.get("level").and_then(|level| {
        level.choice(&[("quiet", LogLevel::Quiet), ("normal", LogLevel::Normal), ("verbose", LogLevel::Verbose)])
    });
    Some(Log { format: format?, level: level? })
}

fn dialects(list: &Cursor<'_>) -> Option<Vec<Dialect>> {
    let names = [("x402v2", Dialect::X402V2), ("x402v1", Dialect::X402V1), ("invoice", Dialect::Invoice)];
    let mut dialects = Vec::new();
    for item in list.list_of_some("name at least one of `x402v2`, `x402v1` and `invoice`")? {
        let dialect = item.choice(&names)?;
        if dialects.contains(&dialect) {
            return item.refuse(item.problem(format!("`{}` is here twice", item.text()?)));
        }
        dialects.push(dialect);
    }
    Some(dialects)
}

fn duration(cursor: &Cursor<'_>) -> Option<Duration> {
    let text = cursor.text()?;
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    let Some((number, unit)) = number.zip(milliseconds) else {
        let problem = cursor.problem(format!("`{text}` is not a duration"));
        return cursor.refuse(problem.hinted("write a whole number with its unit: `500ms`, `5s` or `1m`"));
    };
    match number.checked_mul(unit).map(Duration::from_millis).filter(|delay| *delay <= MAX_DELAY) {
        Some(delay) => Some(delay),
        None => cursor.refuse(cursor.problem(format!("`{text}` is longer than the limit of 10 minutes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Project, loaded};
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_design() {
        let config = Config::defaults();
        assert_eq!(config.server, Server::default());
        assert_eq!(config.log, Log::default());
        assert_eq!(config.verification, Verification::default());
        assert_eq!(config.accounts.unknown, UnknownAccounts::default());
        assert_eq!(config.accounts.balance.to_string(), "1000000");
        assert_eq!(config.event_capacity, x402_sim::event::log::CAPACITY);
        assert_eq!((config.seed, config.timeout_delay), (None, Duration::from_secs(5)));
        assert_eq!(config.dialects, [Dialect::X402V2, Dialect::X402V1, Dialect::Invoice]);
        assert!(config.resources.is_empty());
        assert_eq!(config.default_resource.price, "$0.01");
        let loaded = Project::new().loaded().config;
        assert_eq!(format!("{loaded:?}"), format!("{config:?}"));
    }

    #[test]
    fn every_setting_is_read() {
        let yaml = "
server: {host: '::', port: 0, facilitator: prefixed, forwarded_headers: trust, test_headers: never}
seed: 7
dialects: [invoice, x402v2]
verification: timeout
timeout_delay: 1m
accounts: {unknown: empty, balance: 2.5}
events: {capacity: 5}
log: {format: json, level: verbose}
";
        let config = loaded(yaml).config;
        insta::assert_snapshot!(format!("{:?} {:?} {:?}", config.server, config.seed, config.dialects), @"Server { host: ::, port: 0, facilitator: Prefixed, forwarded_headers: Trust, test_headers: Never } Some(7) [Invoice, X402V2]");
        assert_eq!((config.verification, config.timeout_delay), (Verification::Timeout, Duration::from_mins(1)));
        assert_eq!(
            (config.accounts.unknown, config.accounts.balance.to_string()),
            (UnknownAccounts::Empty, "2.5".into())
        );
        assert_eq!(config.event_capacity, 5);
        assert_eq!(config.log, Log { format: LogFormat::Json, level: LogLevel::Verbose });
    }
}
