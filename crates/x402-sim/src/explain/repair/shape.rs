//! The shape: version, members that are missing or called otherwise, numbers, JSON within texts.

use alloy_primitives::U256;
use serde_json::{Value, json};
use x402_wire::amount::Price;
use x402_wire::shape::shorten;

use super::{Candidate, anew, notation};
use crate::accounts;
use crate::explain::attempt::set;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, place};

pub(super) fn version(attempt: &Attempt) -> Vec<Candidate> {
    let said = attempt.payload.get("x402Version");
    let asked = if is_old(&attempt.requirements) { 1 } else { 2 };
    if said.is_none_or(Value::is_null) {
        let all = bare(attempt, asked);
        if !all.is_empty() {
            return all;
        }
    }
    let is_told = ["accepted", "scheme", "network"].iter().any(|key| attempt.payload.get(key).is_some());
    let right = match attempt.payload.get("accepted") {
        Some(_) => 2,
        None => {
            if is_told {
                1
            } else {
                asked
            }
        }
    };
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

/// Whether requirements are those of version 1.
fn is_old(requirements: &Value) -> bool {
    requirements.get("maxAmountRequired").is_some() && requirements.get("amount").is_none()
}

/// What was signed, alone: nothing says which version it is of, so that it is read in the one that was asked in.
fn bare(attempt: &Attempt, asked: u64) -> Vec<Candidate> {
    let own = &attempt.payload;
    let is_signed = ["authorization", "permit2Authorization"].iter().any(|key| own.get(key).is_some());
    if !is_signed || ["payload", "accepted", "scheme"].iter().any(|key| own.get(key).is_some()) {
        return Vec::new();
    }
    let terms = &attempt.requirements;
    let (payload, missing) = if asked == 1 {
        let (scheme, network) = (terms.get("scheme"), terms.get("network"));
        (json!({"x402Version": 1, "scheme": scheme, "network": network, "payload": own}), "`scheme`, `network`")
    } else {
        (json!({"x402Version": 2, "accepted": terms, "payload": own}), "`accepted`")
    };
    let seen = format!("what was signed stands at the top, without {missing} and `x402Version` around it");
    let finding = Finding::new("payload_not_nested").at("paymentPayload.payload").seen(seen);
    let next = Attempt { payload, ..attempt.clone() };
    let how = format!("inside `payload`, in a payment of version {asked}");
    [next.clone(), next.again()].map(|next| Candidate::new(finding.clone(), next, how.clone())).into()
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

/// A sentence such as `paymentPayload.payload.authorization.value: expected a string, found the number 1000`.
pub(super) fn malformed(bench: &Bench, attempt: &Attempt, detail: &str) -> Vec<Candidate> {
    let at = place(detail);
    let Some((root, pointer)) = pointer_of(at) else { return Vec::new() };
    let spot = Spot { attempt, at, root, pointer: &pointer, signed: pointer.starts_with("/payload/") };
    let tree = if root == Root::Payload { &attempt.payload } else { &attempt.requirements };
    match tree.pointer(&pointer) {
        None | Some(Value::Null) => spot.missing(tree),
        // A price is no whole number, and neither is what Python makes of one by a division.
        Some(Value::Number(number)) if !number.is_u64() && !number.is_i64() => {
            let large = number.as_f64().and_then(|number| spot.large(number));
            large.unwrap_or_else(|| spot.text(bench, &number.to_string()))
        }
        Some(Value::Number(number)) => {
            let finding = spot.finding("number_not_text", format!("it is the number {number}"));
            spot.both(finding, Value::String(number.to_string()), "as a text")
        }
        Some(Value::String(text)) => spot.text(bench, text),
        Some(value @ (Value::Object(_) | Value::Array(_))) => spot.parts(value),
        Some(Value::Bool(_)) => Vec::new(),
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
        let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let members = holder.and_then(Value::as_object).into_iter().flatten();
        if let Some((other, value)) = members.into_iter().find(|(other, _)| letters(other) == letters(key)) {
            let finding = self.finding("misnamed_field", format!("there is no `{key}`, but a `{other}`"));
            return self.both(finding, value.clone(), &format!("with `{other}` called `{key}`"));
        }
        let mut all = self.elsewhere(tree, key);
        let value = match key {
            "from" => accounts::test_accounts().next().map(|account| json!(account.address)),
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
        if key == "facilitator" && parent.ends_with("/witness") {
            return Vec::from_iter(self.witness_facilitator());
        }
        let id = if key == "accepted" { "accepted_missing" } else { "missing_field" };
        let finding = self.finding(id, format!("there is no `{key}`"));
        // What only the payer knows cannot be put back as it was signed.
        let only_payer = ["from", "validBefore", "deadline", "nonce", "signature"].contains(&key);
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

    /// The facilitator of the requirements in the witness. Who leaves it out mostly signs the witness of `exact`.
    fn witness_facilitator(&self) -> Option<Candidate> {
        let right = self.attempt.requirements.pointer("/extra/facilitatorAddress").cloned()?;
        let seen = format!("there is no `facilitator`; extra.facilitatorAddress is {}", shorten(right.as_str()?));
        let next = self.with(right).again();
        Some(Candidate::new(self.finding("witness_facilitator_missing", seen), next, "with `facilitator`"))
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
        if key == "signature"
            && let Some(joined) = tree.get("payload").and_then(notation::signature).map(|(text, _)| json!(text))
        {
            let seen = "there is no `signature`, but `r`, `s` and `v` beside it";
            let finding =
                self.finding("signature_encoding", seen).fixed_by("Join them: r, s and v, one behind the other.");
            return vec![Candidate::new(finding, self.with(joined), "with the three joined")];
        }
        // What an enumeration of Rust's puts around a variant, or anybody around a part.
        let only = |members: &serde_json::Map<String, Value>| {
            members.iter().next().filter(|_| members.len() == 1).map(|(name, inner)| (name.clone(), inner.clone()))
        };
        let only = tree.get("payload").and_then(Value::as_object).and_then(only);
        if self.pointer.starts_with("/payload/")
            && let Some((name, inner)) = only.filter(|(_, inner)| inner.get(key).is_some())
        {
            let finding = Finding::new("payload_wrapped")
                .at(format!("paymentPayload.payload.{name}"))
                .seen(format!("`payload` has one member, `{name}`, and `{key}` stands within it"));
            let fix = format!("Write what stands in `{name}` as `payload` itself, without a name around it.");
            let finding = Finding { fix, ..finding };
            return vec![Candidate::new(
                finding,
                self.attempt.pay("/payload", inner),
                format!("without `{name}` around it"),
            )];
        }
        if let Some(candidate) = self.flattened(tree) {
            return vec![candidate];
        }
        if key == "authorization" && tree.pointer("/payload/from").is_some() {
            let finding = self.finding("misplaced_field", "the authorization's members stand directly in `payload`");
            let body = tree.pointer("/payload").cloned().unwrap_or_default();
            return vec![Candidate::new(finding, self.with(body), "with `authorization` around them")];
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

mod flat;
mod text;
