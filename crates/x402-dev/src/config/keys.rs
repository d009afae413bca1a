//! The keys that exist, mapping by mapping: what the loader accepts, and what the environment can say.

/// The keys at the root of a file.
pub(super) const ROOT: &[&str] = &[
    "server",
    "seed",
    "networks",
    "accepts",
    "pricing",
    "resources",
    "dialects",
    "verification",
    "timeout_delay",
    "accounts",
    "events",
    "faults",
    "log",
];

/// The mappings at the root, whose keys are merged one by one.
pub(super) const SECTIONS: &[(&str, &[&str])] =
    &[("server", SERVER), ("pricing", PRICING), ("accounts", ACCOUNTS), ("events", EVENTS), ("log", LOG)];

const SERVER: &[&str] = &["host", "port", "facilitator", "forwarded_headers", "test_headers"];
const PRICING: &[&str] = &["default"];
const ACCOUNTS: &[&str] = &["unknown", "balance", "permit2", "ata"];
const EVENTS: &[&str] = &["capacity"];
const LOG: &[&str] = &["format", "level"];

/// The keys of a network that the configuration defines.
pub(super) const NETWORK: &[&str] = &["id", "name", "v1_name", "stage", "assets"];
/// The keys of an asset that the configuration defines.
pub(super) const ASSET: &[&str] = &["address", "symbol", "name", "version", "decimals", "transfer", "eip2612"];
/// The keys of one way to pay.
pub(super) const ACCEPT: &[&str] =
    &["network", "asset", "pay_to", "max_timeout_seconds", "asset_transfer_method", "recent_blockhash", "extra"];
/// The keys of a price in atomic units.
pub(super) const PRICE: &[&str] = &["asset", "amount"];
/// The keys of a metered price.
pub(super) const METERED: &[&str] = &["upto", "charge"];
/// The keys of what is charged by a measure.
pub(super) const CHARGE: &[&str] = &["per_byte", "header", "each"];
/// The keys of a resource.
pub(super) const RESOURCE: &[&str] = &["match", "price", "accepts", "description", "mime_type", "response"];
/// The keys of a fault.
#[cfg(test)]
pub(super) const FAULT: &[&str] = x402_sim::fault::read::KEYS;
/// The keys of what a fault concerns.
#[cfg(test)]
pub(super) const FAULT_MATCH: &[&str] = x402_sim::fault::read::MATCH_KEYS;
/// The keys of a configured answer.
pub(super) const RESPONSE: &[&str] = &["status", "headers", "json", "text", "file"];

/// The path of every effective value, in the order of the documentation.
pub(super) fn paths() -> Vec<String> {
    let section = |key: &str| SECTIONS.iter().find(|(name, _)| *name == key).map(|(_, keys)| *keys);
    let paths = ROOT.iter().flat_map(|key| match section(key) {
        Some(keys) => keys.iter().map(|leaf| format!("{key}.{leaf}")).collect(),
        None => vec![(*key).to_owned()],
    });
    paths.collect()
}
