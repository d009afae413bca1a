//! The shape: version, members that are missing or called otherwise, numbers, JSON within texts.

use alloy_primitives::U256;
use serde_json::{Value, json};
use x402_wire::amount::Price;
use x402_wire::shape::shorten;

use super::{Candidate, address, anew, notation, token as tokens};
use crate::explain::attempt::set;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, place};

pub(super) fn version(attempt: &Attempt) -> Vec<Candidate> {
    let said = attempt.payload.get("x402Version");
    let right = if attempt.payload.get("accepted").is_some() { 2 } else { 1 };
    let (id, seen) = match said {
        None | Some(Value::Null) => ("version_missing", "x402Version is missing".to_owned()),
        Some(Value::String(text)) => ("version_is_text", format!("x402Version is the text \"{}\"", shorten(text))),
        Some(other) => ("version_unknown", format!("x402Version is {}", shorten(&other.to_string()))),
    };
    let finding = Finding::new(id).at("paymentPayload.x402Version").seen(seen);
    let how = |version: u64| format!("with x402Version {version}");
    [right, 3 - right]
        .into_iter()
        .map(|version| Candidate::new(finding.clone(), attempt.pay("/x402Version", version), how(version)))
        .collect()
}

/// Names that other languages and the other protocol version give to members.
const MISNAMED: [(&str, &[&str]); 19] = [
    ("x402Version", &["x402_version", "version", "X402Version"]),
    ("validAfter", &["valid_after", "validafter"]),
    ("validBefore", &["valid_before", "validbefore", "expiry", "expiration"]),
    ("payTo", &["pay_to", "payto", "recipient", "to"]),
    ("maxTimeoutSeconds", &["max_timeout_seconds", "timeout"]),
    ("amount", &["maxAmountRequired", "max_amount_required", "value", "price"]),
    ("maxAmountRequired", &["amount", "max_amount_required", "value"]),
    ("asset", &["token", "assetAddress", "asset_address"]),
    ("network", &["chain", "chainId", "networkId"]),
    ("signature", &["sig", "Signature"]),
    ("authorization", &["auth", "transferWithAuthorization", "message", "Authorization"]),
    ("accepted", &["requirements", "paymentRequirements", "accept", "accepts"]),
    ("payload", &["paymentPayload", "data"]),
    ("from", &["payer", "sender"]),
    ("to", &["recipient", "payTo", "pay_to"]),
    ("value", &["amount"]),
    ("nonce", &["salt"]),
    ("transaction", &["tx", "serializedTransaction", "serialized_transaction"]),
    ("permit2Authorization", &["permit2_authorization", "permit", "permit2"]),
];

/// Members that are numbers, written as texts.
const NUMBERS: [&str; 7] = ["amount", "maxAmountRequired", "value", "validAfter", "validBefore", "deadline", "nonce"];

/// A sentence such as `paymentPayload.payload.authorization.value: expected a string, found the number 1000`.
pub(super) fn malformed(bench: &Bench, attempt: &Attempt, detail: &str) -> Vec<Candidate> {
    let at = place(detail);
    let Some((root, pointer)) = pointer_of(at) else { return Vec::new() };
    let spot = Spot { attempt, at, root, pointer: &pointer, signed: pointer.starts_with("/payload/") };
    let tree = if root == Root::Payload { &attempt.payload } else { &attempt.requirements };
    match tree.pointer(&pointer) {
        None | Some(Value::Null) => spot.missing(tree),
        // A price is no whole number, and neither is what Python makes of one by a division.
        Some(Value::Number(number)) if !number.is_u64() && !number.is_i64() => spot.text(bench, &number.to_string()),
        Some(Value::Number(number)) => {
            let finding = spot.finding("number_not_text", format!("it is the number {number}"));
            spot.both(finding, Value::String(number.to_string()), "as a text")
        }
        Some(Value::String(text)) => spot.text(bench, text),
        Some(value @ (Value::Object(_) | Value::Array(_))) if pointer.ends_with("/signature") => spot.signature(value),
        Some(Value::Object(_) | Value::Array(_) | Value::Bool(_)) => Vec::new(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    Payload,
    Requirements,
}

fn pointer_of(path: &str) -> Option<(Root, String)> {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let root = match root {
        "paymentPayload" => Root::Payload,
        "paymentRequirements" => Root::Requirements,
        _ => return None,
    };
    let pointer = if rest.is_empty() { String::new() } else { format!("/{}", rest.replace('.', "/")) };
    Some((root, pointer))
}

/// Where something has the wrong shape.
struct Spot<'a> {
    attempt: &'a Attempt,
    at: &'a str,
    root: Root,
    pointer: &'a str,
    signed: bool,
}

impl Spot<'_> {
    fn finding(&self, id: &str, seen: impl Into<String>) -> Finding {
        Finding::new(id).at(self.at).seen(seen)
    }

    fn with(&self, value: Value) -> Attempt {
        match self.root {
            Root::Payload => self.attempt.pay(self.pointer, value),
            Root::Requirements => anew(self.attempt, self.pointer, &value),
        }
    }

    /// As it was signed, and, for what is signed, as signed again.
    fn both(&self, finding: Finding, value: Value, how: &str) -> Vec<Candidate> {
        let next = self.with(value);
        let mut all = vec![Candidate::new(finding.clone(), next.clone(), how)];
        if self.signed {
            all.push(Candidate::new(finding, next.again(), how));
        }
        all
    }

    fn missing(&self, tree: &Value) -> Vec<Candidate> {
        let (parent, key) = self.pointer.rsplit_once('/').unwrap_or(("", self.pointer));
        let holder = tree.pointer(parent);
        // Members may stand under another name, or one level too high.
        let misnamed = MISNAMED.iter().find(|(own, _)| *own == key).map_or(&[] as &[&str], |(_, others)| others);
        for other in misnamed {
            if let Some(value) = holder.and_then(|holder| holder.get(other)) {
                let finding = self.finding("misnamed_field", format!("there is no `{key}`, but a `{other}`"));
                return self.both(finding, value.clone(), &format!("with `{other}` called `{key}`"));
            }
        }
        let mut all = self.elsewhere(tree, key);
        let value = match key {
            "accepted" => Some(self.attempt.requirements.clone()),
            "validAfter" => Some(json!("0")),
            "validBefore" | "deadline" => Some(json!(self.attempt.now.saturating_add(60).to_string())),
            "to" => self.attempt.requirements.get("payTo").cloned(),
            "value" => self.attempt.requirements.pointer(self.attempt.amount_key()).cloned(),
            "nonce" => Some(json!(format!("0x{}", "01".repeat(32)))),
            "signature" => Some(json!(format!("0x{}1b", "01".repeat(64)))),
            "scheme" => Some(json!("exact")),
            "network" => self.attempt.requirements.get("network").cloned(),
            _ => None,
        };
        let id = if key == "accepted" { "accepted_missing" } else { "missing_field" };
        let finding = self.finding(id, format!("there is no `{key}`"));
        // What only the payer knows cannot be put back as it was signed.
        let only_payer = ["validBefore", "deadline", "nonce", "signature"].contains(&key);
        if let Some(value) = value {
            let how = format!("with `{key}`");
            if only_payer {
                all.push(Candidate::new(finding, self.with(value).again(), how));
            } else {
                all.extend(self.both(finding, value, &how));
            }
        }
        all
    }

    /// A part that stands at the top of the payload, or the whole payload of the other version.
    fn elsewhere(&self, tree: &Value, key: &str) -> Vec<Candidate> {
        let payload = &self.attempt.payload;
        if self.root == Root::Payload && key == "accepted" && payload.get("scheme").is_some() {
            let finding = self.finding("v1_shape_in_v2", "`scheme` and `network` stand at the top, as in version 1");
            let mut next = self.attempt.clone();
            set(&mut next.payload, "/accepted", self.attempt.requirements.clone());
            return vec![Candidate::new(finding, next, "with `accepted`")];
        }
        if self.root == Root::Payload && self.pointer == "/payload" && tree.get("authorization").is_some() {
            let finding = self.finding("payload_not_nested", "`authorization` and `signature` stand at the top");
            let body = json!({"signature": tree.get("signature"), "authorization": tree.get("authorization")});
            return vec![Candidate::new(finding, self.with(body), "with both inside `payload`")];
        }
        if key == "signature" && tree.pointer("/payload/authorization/signature").is_some() {
            let finding = self.finding("misplaced_field", "`signature` stands inside `authorization`");
            let value = tree.pointer("/payload/authorization/signature").cloned().unwrap_or_default();
            return vec![Candidate::new(finding, self.with(value), "with `signature` beside `authorization`")];
        }
        if key == "authorization" && tree.pointer("/payload/from").is_some() {
            let finding = self.finding("misplaced_field", "the authorization's members stand directly in `payload`");
            let body = tree.pointer("/payload").cloned().unwrap_or_default();
            return vec![Candidate::new(finding, self.with(body), "with `authorization` around them")];
        }
        Vec::new()
    }

    /// A signature in parts, or in bytes.
    fn signature(&self, value: &Value) -> Vec<Candidate> {
        let Some((whole, what)) = notation::signature(value) else { return Vec::new() };
        let finding = self.finding("signature_encoding", format!("it is {what}"));
        vec![Candidate::new(finding, self.with(json!(whole)), "as `0x` and 65 bytes in hexadecimal")]
    }

    fn text(&self, bench: &Bench, text: &str) -> Vec<Candidate> {
        if let Some(inner) = serde_json::from_str::<Value>(text).ok().filter(Value::is_object) {
            let finding = self.finding("nested_json", "it is JSON within a text");
            return self.both(finding, inner, "as an object");
        }
        let tidy = text.trim();
        let key = self.pointer.rsplit('/').next().unwrap_or_default();
        let hexadecimal = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seen = format!("it is \"{}\"", shorten(text));
        if ["from", "to", "payTo", "asset", "spender", "token", "facilitator"].contains(&key) {
            let finding = self.finding("address_malformed", seen);
            let mut all = Vec::new();
            if tidy.len() == 40 && hexadecimal(tidy) {
                all.extend(self.both(finding, json!(format!("0x{tidy}")), "with 0x in front"));
            } else if tidy != text || tidy.starts_with("0X") {
                let mended = tidy.replacen("0X", "0x", 1);
                all.extend(self.both(finding, json!(mended), "without the stray characters"));
            }
            if self.root == Root::Requirements {
                all.extend(address::unreadable(bench, self.attempt, key));
            }
            return all;
        }
        if key == "signature" {
            let whole = json!(format!("0x{}1b", "01".repeat(64)));
            let finding = self.finding("signature_length", "it ends like an ERC-6492 wrapper, and is none");
            return vec![Candidate::new(finding, self.with(whole).again(), "with a signature of 65 bytes")];
        }
        if key == "nonce" && !self.pointer.contains("permit2") {
            let finding = self.finding("nonce_format", seen);
            let mut all = Vec::new();
            if tidy.len() == 64 && hexadecimal(tidy) {
                all.extend(self.both(finding.clone(), json!(format!("0x{tidy}")), "with 0x in front"));
            }
            let other = json!(format!("0x{}", "01".repeat(32)));
            all.push(Candidate::new(finding, self.with(other).again(), "with 32 bytes in hexadecimal"));
            return all;
        }
        if !NUMBERS.contains(&key) {
            return Vec::new();
        }
        if let Some(number) = tidy.strip_prefix("0x").and_then(|digits| U256::from_str_radix(digits, 16).ok()) {
            let finding = self.finding("hex_number", seen);
            return self.both(finding, json!(number.to_string()), "as a decimal number");
        }
        let in_digits = notation::whole(tidy).map(|number| number.to_string());
        let in_digits = in_digits
            .map(|number| self.both(self.finding("number_notation", seen.clone()), json!(number), "in digits"));
        // `2.0` is a price, or two atomic units that Python has divided: whichever settles.
        let settles = |own: &&Candidate| !tidy.contains('.') || bench.judge(&own.next).is_ok();
        if let Some(all) = in_digits.filter(|all| all.first().is_some_and(|own| settles(&own))) {
            return all;
        }
        let decimals = tokens::token(bench, self.attempt).map_or(6, |token| token.asset.decimals);
        if let Some(atomic) = in_units(tidy, decimals) {
            let plain = tidy.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let id = if plain { "decimal_amount" } else { "price_notation" };
            let finding = self.finding(id, format!("{seen}: in atomic units of {decimals} decimals that is {atomic}"));
            return self.both(finding, json!(atomic.to_string()), "in atomic units");
        }
        Vec::new()
    }
}

/// A price, with or without its currency, in atomic units.
pub(in crate::explain) fn in_units(text: &str, decimals: u8) -> Option<U256> {
    match Price::parse(text) {
        Ok(Price::Money { amount, .. }) => amount.to_atomic(decimals).ok(),
        _ => None,
    }
}
