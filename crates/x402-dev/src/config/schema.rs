//! What `schema.json` is made from.
//!
//! These structs are never filled: they only describe the configuration file to `schemars`. A test compares them with the
//! loader's own lists of keys, and what is made from them with the file that stands beside this one.

#![expect(dead_code, reason = "the structs describe the file, the loader reads it with its own functions")]

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// The JSON Schema of a configuration file, as indented JSON.
fn made() -> String {
    serde_json::to_string_pretty(&schemars::schema_for!(File)).unwrap() + "\n"
}

/// Configuration of x402-dev: `.x402dev.yaml` in the working directory, or `~/.x402dev/config.yaml`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "x402-dev configuration")]
struct File {
    /// Where and how the server listens.
    server: Option<Server>,
    /// The seed of the world's random stream. From the system where none is given.
    seed: Option<u64>,
    /// The enabled networks. Default: every known test network that can be paid on.
    #[schemars(length(min = 1))]
    networks: Option<Vec<Network>>,
    /// What an offer lists. Default: the first of `networks`, then Solana devnet.
    #[schemars(length(min = 1))]
    accepts: Option<Vec<Accept>>,
    /// What requests cost.
    pricing: Option<Pricing>,
    /// The resources with a price or an answer of their own. The most specific route wins.
    resources: Option<Vec<Resource>>,
    /// The dialects in which offers are made and payments are taken. Default: all three.
    #[schemars(length(min = 1))]
    dialects: Option<Vec<Dialect>>,
    /// How payments are judged. Default: `strict`.
    verification: Option<Verification>,
    /// How long `verification: timeout` waits: a whole number with `ms`, `s` or `m`, at most `10m`. Default: `5s`.
    #[schemars(regex(pattern = r"^[0-9]+(ms|s|m)$"))]
    timeout_delay: Option<String>,
    /// What accounts own at first.
    accounts: Option<Accounts>,
    /// What is kept of what happened.
    events: Option<Events>,
    /// What goes wrong on purpose from the start: the names of presets, or faults.
    faults: Option<Vec<FaultOrPreset>>,
    /// What is printed to stderr.
    log: Option<Log>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Server {
    /// The IP address to listen on. Default: `127.0.0.1`.
    host: Option<std::net::IpAddr>,
    /// The port to listen on; 0 lets the system choose. Default: 3402.
    port: Option<u16>,
    /// Where the facilitator is served besides `/facilitator`: also at the root (`bare`, the default), or not.
    facilitator: Option<Facilitator>,
    /// Whether `X-Forwarded-*` and `Forwarded` say where the server is. Default: `ignore`.
    forwarded_headers: Option<ForwardedHeaders>,
    /// Whose per-request test headers, such as `X-Simulation-Mode`, are obeyed. Default: `loopback`.
    test_headers: Option<TestHeaders>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Facilitator {
    Bare,
    Prefixed,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum ForwardedHeaders {
    Ignore,
    Trust,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum TestHeaders {
    Loopback,
    Always,
    Never,
}

/// A known network by its CAIP-2 id or version 1 name, or a network of your own.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Network {
    Known(String),
    Own(OwnNetwork),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OwnNetwork {
    /// The CAIP-2 id: `eip155:` and the chain id. The id of a known network replaces that one.
    #[schemars(regex(pattern = r"^eip155:[1-9][0-9]*$"))]
    id: String,
    /// The name for people. Default: the known network's, or `chain` and the chain id.
    name: Option<String>,
    /// The name in protocol version 1; without one, version 1 offers leave the network out.
    v1_name: Option<String>,
    /// Whether money on it is real. Default: `test`, unless the id is a known main network's.
    stage: Option<Stage>,
    /// Its assets; the first that can be paid with is the one that a price in dollars means.
    #[schemars(length(min = 1))]
    assets: Vec<Asset>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Stage {
    Test,
    Main,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Asset {
    /// The token's address.
    #[schemars(regex(pattern = r"^0x[0-9a-fA-F]{40}$"))]
    address: String,
    /// The ticker: `USDC`.
    symbol: String,
    /// The name in its EIP-712 domain.
    name: String,
    /// The version in its EIP-712 domain.
    version: StringOrNumber,
    /// How many decimals one unit has.
    #[schemars(range(max = 77))]
    decimals: u8,
    /// How it moves. Default: `eip3009`.
    transfer: Option<Transfer>,
    /// Whether it takes permits by EIP-2612. Default: `true`.
    eip2612: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Transfer {
    Eip3009,
    Permit2,
}

/// One way to pay: the name of an enabled network, or more.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Accept {
    Network(String),
    Terms(Terms),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Terms {
    /// An enabled network by its CAIP-2 id or version 1 name.
    network: String,
    /// An asset of that network by its symbol or address. Default: the first that can be paid with.
    asset: Option<String>,
    /// Who is paid. Default: test account 9, `0xa0Ee7A142d267C1f36714E4a8F75612F20a79720`, and on Solana
    /// `2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab`.
    #[schemars(regex(pattern = r"^(0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{32,44})$"))]
    pay_to: Option<String>,
    /// How long the payer's authorization shall live, in seconds. Default: 300 in version 2, 60 in version 1.
    #[schemars(range(min = 1, max = 31_536_000))]
    max_timeout_seconds: Option<u64>,
    /// How the asset is moved: by its own EIP-3009, or by the Permit2 contract. Default: as the asset can.
    asset_transfer_method: Option<Transfer>,
    /// Solana: whether offers of version 2 say a recent blockhash, so that payers need not ask the chain for one.
    /// Default: false.
    recent_blockhash: Option<bool>,
    /// What is added to the requirements' `extra`.
    extra: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Pricing {
    /// The price of every resource without one of its own. Default: `$0.01`.
    default: Option<Price>,
}

/// A price: `$0.01`, `0.01`, `"0.05 USDC"`, `free`, atomic units of an asset, or at most a price.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Price {
    Written(StringOrNumber),
    Atomic(AtomicPrice),
    Metered(MeteredPrice),
}

/// The most that a payer signs for (scheme `upto`), and what is charged.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct MeteredPrice {
    /// The most that may be charged.
    upto: MostPrice,
    /// What is charged. Default: all of it.
    charge: Option<Charge>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum MostPrice {
    Written(StringOrNumber),
    Atomic(AtomicPrice),
}

/// Always the same price, `random`, or by a measure.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Charge {
    Written(StringOrNumber),
    PerByte(PerByte),
    Header(PerHeader),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PerByte {
    /// The price of a byte of the response's body; it may be finer than the asset.
    per_byte: StringOrNumber,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PerHeader {
    /// A header of the response that holds a number.
    header: String,
    /// The price of one of what it counts; it may be finer than the asset.
    each: StringOrNumber,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AtomicPrice {
    /// The asset by its symbol or address, on every network that the resource takes.
    asset: String,
    /// How many atomic units: decimal digits.
    amount: StringOrNumber,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum StringOrNumber {
    String(String),
    Number(f64),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Resource {
    /// Method and path: `GET /weather`, `/api/*`, `/users/[id]`, `/users/:id`. Without a method, all methods.
    r#match: String,
    /// What it costs. Default: `pricing.default`.
    price: Option<Price>,
    /// What its offer lists. Default: the `accepts` of the file.
    #[schemars(length(min = 1))]
    accepts: Option<Vec<Accept>>,
    /// What it is, in words.
    description: Option<String>,
    /// The media type of what is delivered. Default: the response's, or `application/json`.
    mime_type: Option<String>,
    /// What is answered to who has paid. Default: a body that describes the payment.
    response: Option<Response>,
}

/// An answer, with at most one of `json`, `text` and `file`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Response {
    /// The status; with 400 or more, nothing is settled. Default: 200.
    #[schemars(range(min = 200, max = 599))]
    status: Option<u16>,
    /// The headers.
    headers: Option<BTreeMap<String, StringOrNumber>>,
    /// The body as JSON.
    json: Option<serde_json::Value>,
    /// The body as a text.
    text: Option<StringOrNumber>,
    /// A file with the body, relative to the configuration file, read at the start.
    file: Option<String>,
}

#[derive(JsonSchema)]
enum Dialect {
    #[schemars(rename = "x402v2")]
    X402V2,
    #[schemars(rename = "x402v1")]
    X402V1,
    #[schemars(rename = "invoice")]
    Invoice,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Verification {
    /// As in production.
    Strict,
    /// Without the signature check; the ledger's rules still hold.
    Accept,
    /// Every payment is refused.
    Reject,
    /// Every payment waits for `timeout_delay` and is then answered 408.
    Timeout,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Accounts {
    /// What an unknown payer owns at first sight: the balance (`funded`, the default), or nothing.
    unknown: Option<UnknownAccounts>,
    /// What test accounts own in whole units of each enabled asset. Default: 1000000.
    balance: Option<StringOrNumber>,
    /// How much the Permit2 contract may move of accounts that never said it: everything (`approved`, the default), or
    /// nothing, so that a payer approves it first.
    permit2: Option<Permit2>,
    /// Which token accounts are there on Solana before anybody makes them: those of every owner (`lazy`, the default),
    /// or those of test accounts and payees.
    ata: Option<Ata>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Ata {
    Lazy,
    Strict,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Permit2 {
    Approved,
    Required,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum UnknownAccounts {
    Funded,
    Empty,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Events {
    /// How many events are kept; the oldest go. Default: 100000.
    #[schemars(range(min = 1, max = 10_000_000))]
    capacity: Option<u64>,
}

/// The name of a preset, or a fault.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum FaultOrPreset {
    Preset(String),
    Fault(Box<Fault>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Fault {
    /// A preset in place of stage, timing and effect; `x402-dev fault presets` lists them.
    preset: Option<String>,
    /// A name to remove it by.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.:-]{1,64}$"))]
    name: Option<String>,
    /// Where on a payment's way.
    stage: Option<FaultStage>,
    /// Before or after the ledger commits. Default: `before`.
    timing: Option<FaultTiming>,
    /// What it concerns. Default: everything.
    r#match: Option<FaultMatch>,
    /// Only at this match, counted from 1.
    #[schemars(range(min = 1))]
    nth: Option<u32>,
    /// At every so-manieth match.
    #[schemars(range(min = 1))]
    every: Option<u32>,
    /// At the first so many matches.
    #[schemars(range(min = 1))]
    first: Option<u32>,
    /// With this chance, from the seed.
    #[schemars(range(min = 0.0, max = 1.0))]
    probability: Option<f64>,
    /// Whether matches are counted together or for each purchase. Default: `all`.
    per: Option<FaultPer>,
    /// How often it is played at most.
    #[schemars(range(min = 1))]
    times: Option<u32>,
    /// What goes wrong: `timeout`, `status:503`, `delay:10s`. docs/faults.md lists every effect.
    effect: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FaultMatch {
    /// The door.
    door: Option<FaultDoor>,
    /// The resource: `/weather/*`, `GET /users/[id]`.
    route: Option<String>,
    /// The method of the request for the resource.
    method: Option<String>,
    /// Who pays: an account's name, index or address.
    payer: Option<String>,
    /// The network by its CAIP-2 id or version 1 name.
    network: Option<String>,
    /// The scheme.
    scheme: Option<String>,
    /// The purchase.
    purchase: Option<String>,
    /// The protocol version: 1 or 2.
    #[schemars(range(min = 1, max = 2))]
    version: Option<u8>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum FaultStage {
    Offer,
    Verify,
    Settle,
    Content,
    Response,
    Supported,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum FaultTiming {
    Before,
    After,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum FaultPer {
    All,
    Purchase,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum FaultDoor {
    Resources,
    Facilitator,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Log {
    /// One readable line an event (`text`, the default), or one JSON object.
    format: Option<LogFormat>,
    /// How much is printed. Default: `normal`.
    level: Option<LogLevel>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum LogFormat {
    Text,
    Json,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum LogLevel {
    Quiet,
    Normal,
    Verbose,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::keys;
    use super::super::tests::Project;
    use super::made;
    use crate::config::SCHEMA;

    const EXAMPLE: &str = include_str!("../../../../docs/config.example.yaml");

    fn names(object: &Value) -> BTreeSet<String> {
        object["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_beside_this_is_the_one_that_is_made() {
        crate::generated::compare("config/schema.json", SCHEMA, &made());
    }

    #[test]
    fn the_schema_lists_exactly_the_keys_that_the_loader_accepts() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let set = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(names(&schema), set(keys::ROOT));
        let definitions = &schema["$defs"];
        let mappings = [
            ("OwnNetwork", keys::NETWORK),
            ("Asset", keys::ASSET),
            ("Terms", keys::ACCEPT),
            ("AtomicPrice", keys::PRICE),
            ("MeteredPrice", keys::METERED),
            ("PerByte", &keys::CHARGE[..1]),
            ("PerHeader", &keys::CHARGE[1..]),
            ("Resource", keys::RESOURCE),
            ("Response", keys::RESPONSE),
            ("Fault", keys::FAULT),
            ("FaultMatch", keys::FAULT_MATCH),
        ];
        let sections = keys::SECTIONS.iter().map(|(name, known)| (name[..1].to_uppercase() + &name[1..], *known));
        let mappings: Vec<_> =
            mappings.map(|(name, known)| (name.to_owned(), known)).into_iter().chain(sections).collect();
        for (name, known) in &mappings {
            assert_eq!(names(&definitions[name]), set(known), "{name}");
            assert_eq!(definitions[name]["additionalProperties"], false, "{name}");
            for (key, property) in definitions[name]["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{name}.{key} has no description");
            }
        }
        let closed = definitions.as_object().unwrap().iter().filter(|(_, value)| value["properties"].is_object());
        assert_eq!(closed.count(), mappings.len());
    }

    #[test]
    fn the_example_shows_every_key_and_is_valid() {
        let project = Project::new().yaml(EXAMPLE);
        let loaded = project.loaded();
        assert!(loaded.effective.entries.iter().all(|entry| entry.origin.to_string() != "default"));
        let keys = [
            keys::ROOT,
            keys::NETWORK,
            keys::ASSET,
            keys::ACCEPT,
            keys::PRICE,
            keys::METERED,
            keys::CHARGE,
            keys::RESOURCE,
            keys::RESPONSE,
            keys::FAULT,
            keys::FAULT_MATCH,
        ];
        let sections = keys::SECTIONS.iter().flat_map(|(_, known)| *known);
        for key in keys.into_iter().flatten().chain(sections) {
            let shown = EXAMPLE.lines().any(|line| {
                // A file that nobody who pastes the example has can be shown as a comment only.
                let line = if *key == "file" { line } else { line.split('#').next().unwrap() };
                line.split([' ', '{', ',']).any(|word| word == format!("{key}:"))
            });
            assert!(shown, "the example does not show `{key}`");
        }
    }
}
