//! An offer alone: a stock client is let try each of its entries, and what it makes of them is verified.

use alloy_primitives::U256;
use serde_json::{Value, json};
use x402_wire::amount::parse_atomic;
use x402_wire::document::Document;
use x402_wire::header::OFFER_LIMIT;
use x402_wire::shape::shorten;

use super::explanation::{Explanation, OF_OFFER, Verdict};
use super::finding::Finding;
use super::judge::{Attempt, Bench, Signed};
use super::kind::Kind;
use super::prices::{SPEND_LIMIT, other_decimals};
use super::{checksums, host, repair};
use crate::accounts;
use crate::networks::eip155::checksum;
use crate::networks::eip155::eip3009::draft::{Occasion, Surroundings, Terms};
use crate::networks::{Asset, Family, account, solana};
use crate::registry::{self, Version};

/// Looks at an offer of either version.
pub(super) fn examine(kind: Kind, offer: &Value, now: u64, explanation: &mut Explanation) {
    let version = if kind == Kind::OfferV1 { Version::V1 } else { Version::V2 };
    let entries = offer.get("accepts").and_then(Value::as_array);
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
        explanation.find(Finding::new("no_accepts").at("accepts").seen("`accepts` is missing or empty"));
        return;
    };
    if !offer.get("x402Version").is_some_and(Value::is_number) {
        let id = if offer.get("x402Version").is_some() { "version_is_text" } else { "version_missing" };
        explanation.find(Finding::new(id).at("x402Version").seen("clients compare it with the numbers 1 and 2"));
    }
    for (place, entry) in entries.iter().take(16).enumerate() {
        let name = format!("accepts[{place}]");
        requirements(version, entry, now, &name, explanation);
        if version == Version::V1 {
            let resource = entry.get("resource").and_then(Value::as_str);
            host::whole(resource, &format!("{name}.resource"), explanation);
        }
    }
    if version == Version::V2 {
        let url = offer.pointer("/resource/url").and_then(Value::as_str);
        if url.is_none() {
            explanation.find(Finding::new("resource_missing").at("resource.url").seen("there is no `resource.url`"));
        }
        host::resource(url, "resource.url", explanation);
        let size = offer.to_string().len().div_ceil(3) * 4;
        if size > OFFER_LIMIT {
            let seen = format!("as a PAYMENT-REQUIRED header it takes about {size} bytes");
            explanation.find(Finding::new("header_too_large").seen(seen));
        }
    }
}

/// Looks at one entry: what a client would sign for it, and what a facilitator would say.
pub(super) fn requirements(version: Version, entry: &Value, now: u64, name: &str, explanation: &mut Explanation) {
    let mut own = Explanation::new(Kind::Requirements, "");
    let bench = Bench::new(entry);
    own.notes.extend(bench.notes.iter().cloned());
    if !plain_mistakes(version, entry, &mut own) {
        let attempt = attempt(version, entry, now);
        let of_payee = repair::of_payee(&attempt);
        let stands_in = attempt.signed == Signed::Again;
        let verdict = bench.examine(&attempt, &mut own);
        if stands_in {
            // It holds no transaction, and nobody sent it: that is no fault of the offer.
            let of_stand_in = ["transaction_not_decoded", "payload_of_other_family"];
            own.findings.retain(|finding| !of_stand_in.contains(&finding.id));
        }
        if let Some(finding) = of_payee {
            own.find(finding);
        }
        wishes(entry, version, &mut own);
        checksums::remark(entry, &mut own);
        explanation.verdict.get_or_insert(Verdict { by: format!("{OF_OFFER}, in a fresh world"), ..verdict });
    }
    for finding in own.findings {
        let path = finding.path.clone().map(|path| path.replacen("paymentRequirements", name, 1));
        explanation.find(Finding { path, ..finding });
    }
    for note in own.notes {
        if !explanation.notes.contains(&note) {
            explanation.notes.push(note);
        }
    }
}

/// Mistakes that keep a client from signing at all.
fn plain_mistakes(version: Version, entry: &Value, own: &mut Explanation) -> bool {
    let key = if version == Version::V1 { "maxAmountRequired" } else { "amount" };
    let other = if version == Version::V1 { "amount" } else { "maxAmountRequired" };
    let at = |key: &str| format!("paymentRequirements.{key}");
    if entry.get(key).is_none() && entry.get(other).is_some() {
        let seen = format!("it has `{other}`, the name of the other protocol version, and no `{key}`");
        own.find(
            Finding::new("misnamed_field")
                .at(at(key))
                .seen(seen)
                .proven(format!("clients of this version read `{key}`")),
        );
        return true;
    }
    for key in ["payTo", "asset", "network", "scheme"] {
        if entry.get(key).and_then(Value::as_str).is_none_or(str::is_empty) {
            own.find(not_a_text(key, entry.get(key)).at(at(key)));
            return true;
        }
    }
    if let Some(finding) = repair::unreadable_lifetime(entry.get("maxTimeoutSeconds")) {
        own.find(finding.at(at("maxTimeoutSeconds")));
        return true;
    }
    for key in ["name", "version"] {
        // Typed data has texts there: whatever a client makes of a number is hashed as something else.
        if let Some(said) = entry.pointer(&format!("/extra/{key}")).filter(|said| said.is_number()) {
            let seen = format!("extra.{key} is the number {said}, and a domain is made of texts: \"{said}\"");
            own.find(Finding::new("domain_not_text").at(at(&format!("extra.{key}"))).seen(seen));
            return true;
        }
    }
    false
}

/// How an offer comes to have no payee.
const UNSET_PAYEE: &str = "Set the variable that `payTo` is read from, such as PAY_TO: nothing stands in it. Let the server \
                           refuse to start without it.";

/// A member that has to be a text, and is another thing or nothing.
fn not_a_text(key: &str, said: Option<&Value>) -> Finding {
    match (key, said) {
        ("network", Some(Value::Number(chain))) => {
            let seen = format!("`network` is the number {chain}, and has to be a text: \"eip155:{chain}\"");
            Finding::new("network_misspelt").seen(seen).proven("clients refuse an offer whose `network` is no text")
        }
        (_, Some(Value::Number(said))) => {
            Finding::new("number_not_text").seen(format!("`{key}` is the number {said}, and has to be a text"))
        }
        _ => {
            let finding = Finding::new("missing_field").seen(format!("there is no text `{key}`"));
            if key == "payTo" { finding.fixed_by(UNSET_PAYEE) } else { finding }
        }
    }
}

/// A payment as an official client makes it: signed by a test account, or as if it were.
fn attempt(version: Version, entry: &Value, now: u64) -> Attempt {
    let make =
        |payload: Value, signed: Signed| Attempt { payload, requirements: entry.clone(), now, signed, real: None };
    let readable = readable(version, entry).unwrap_or_else(|| entry.clone());
    let document = Document::parse(readable.to_string().as_bytes()).ok();
    let signer = accounts::test_accounts().next().expect("there are ten test accounts");
    let occasion = Occasion { now, lifetime: None, nonce: alloy_primitives::B256::repeat_byte(7) };
    let terms = document.as_ref().and_then(|document| Terms::read(version, document).ok());
    if let Some(terms) = terms
        && let Ok(signed) = terms.draft(signer.into(), &occasion).sign(Surroundings::default(), None)
    {
        let payload = serde_json::to_value(&signed.payload).unwrap_or_default();
        return make(accepting(payload, entry), Signed::AsSent);
    }
    if let Some(payload) = on_solana(version, readable, now) {
        return make(accepting(payload, entry), Signed::AsSent);
    }
    make(stand_in(version, entry, &checksum(signer.evm()), now), Signed::Again)
}

/// The payload with this entry as what was accepted, whatever was signed.
fn accepting(mut payload: Value, entry: &Value) -> Value {
    if let Some(accepted) = payload.get_mut("accepted") {
        *accepted = entry.clone();
    }
    payload
}

/// The entry as a client could sign it: where an address is none of its network's, or the amount a price, what was meant
/// stands in for it.
fn readable(version: Version, entry: &Value) -> Option<Value> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let (networks, said) = (registry::networks(), text("network")?);
    let meant = networks.iter().find(|own| own.is_called(said)).or_else(|| repair::alias(&networks, said));
    let network = meant?.clone();
    let mut readable = entry.clone();
    if !network.is_called(said) {
        readable["network"] = network.id.clone().into();
    }
    for key in ["asset", "payTo"] {
        if account(&network, text(key).unwrap_or_default()).is_none() {
            readable[key] = repair::stand_in(&network, key)?.into();
        }
    }
    let key = if version == Version::V1 { "maxAmountRequired" } else { "amount" };
    let decimals = network.asset_by_address(text("asset")?).map_or(6, |asset| asset.decimals);
    if let Some(units) =
        text(key).filter(|said| parse_atomic(said).is_none()).and_then(|said| repair::in_units(said, decimals))
    {
        readable[key] = units.to_string().into();
    }
    Some(readable)
}

/// A payment on Solana by a test account.
fn on_solana(version: Version, mut readable: Value, now: u64) -> Option<Value> {
    use solana::exact::draft;
    let name = readable.get("network").and_then(Value::as_str)?;
    let network = registry::networks().into_iter().find(|own| own.family == Family::Solana && own.is_called(name))?;
    if readable.get("extra").is_none_or(|extra| !extra.is_object()) {
        readable["extra"] = json!({});
    }
    let fee_payer = readable["extra"].get("feePayer").and_then(Value::as_str).and_then(|text| account(&network, text));
    if fee_payer.is_none() {
        readable["extra"]["feePayer"] = accounts::facilitator().solana_address.into();
    }
    let document = Document::parse(readable.to_string().as_bytes()).ok()?;
    let terms = draft::Terms::read(version, &document).ok()?;
    let hash = solana::blockhash::make(&network.id, solana::blockhash::slot(now.saturating_mul(1000)), 0);
    let occasion = draft::Occasion::of(terms.mint, hash, "explain".to_owned());
    let signer = accounts::test_accounts().next()?;
    // A blockhash of a real chain is none of ours.
    let terms = draft::Terms { blockhash: None, ..terms };
    let transaction = terms.draft(solana::key_of(&signer), &occasion).sign_by(&signer);
    serde_json::to_value(draft::payload(&terms, &transaction.to_base64(), None, None)).ok()
}

/// What a client would send if it could sign: so that the facilitator's checks tell what keeps it from that.
fn stand_in(version: Version, entry: &Value, from: &str, now: u64) -> Value {
    let key = if version == Version::V1 { "maxAmountRequired" } else { "amount" };
    let lifetime = entry.get("maxTimeoutSeconds").and_then(Value::as_u64).unwrap_or(60);
    let body = json!({
        "signature": format!("0x{}1b", "11".repeat(64)),
        "authorization": {
            "from": from, "to": entry.get("payTo"), "value": entry.get(key), "validAfter": "0",
            "validBefore": now.saturating_add(lifetime).to_string(), "nonce": format!("0x{}", "07".repeat(32)),
        },
    });
    match version {
        Version::V1 => json!({
            "x402Version": 1, "scheme": entry.get("scheme"), "network": entry.get("network"), "payload": body
        }),
        Version::V2 => json!({"x402Version": 2, "accepted": entry, "payload": body}),
    }
}

/// What a facilitator takes, and stock clients refuse.
fn wishes(entry: &Value, version: Version, own: &mut Explanation) {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let network = registry::networks().into_iter().find(|network| network.is_called(text("network")));
    let asset = network.as_ref().and_then(|network| network.asset_by_address(text("asset")));
    let key = if version == Version::V1 { "maxAmountRequired" } else { "amount" };
    let amount = parse_atomic(text(key)).unwrap_or_default();
    if let Some(asset) = asset.filter(|asset| asset.decimals >= 6) {
        if let Some(finding) = other_decimals(amount, asset) {
            own.find(finding.at(format!("paymentRequirements.{key}")));
        } else if amount > U256::from(SPEND_LIMIT) * U256::from(10).pow(U256::from(asset.decimals)) {
            let price = super::money_of(amount, asset);
            let seen = format!("it asks {price}, and official clients pay $1 at most unless they are told otherwise");
            let finding = Finding::new("over_spend_limit").at(format!("paymentRequirements.{key}")).seen(seen);
            own.find(match taken_for_dollars(amount, asset) {
                Some(seen) => finding.seen(seen).fixed_by("See first whether the price was written in atomic units."),
                None => finding,
            });
        }
    } else if network.as_ref().is_some_and(|network| network.family == Family::Eip155) && own.findings.is_empty() {
        let seen = format!("{} is not in the clients' table of assets", shorten(text("asset")));
        own.find(Finding::new("asset_not_default").at("paymentRequirements.asset").seen(seen));
    }
    let lifetime = entry.get("maxTimeoutSeconds").and_then(Value::as_u64).unwrap_or(60);
    if lifetime < 12 {
        let seen = format!("maxTimeoutSeconds is {lifetime}; 6 s must be left when a payment is verified");
        own.find(Finding::new("lifetime_too_short").at("paymentRequirements.maxTimeoutSeconds").seen(seen));
    }
}

/// What is said of a price of a thousand and more that is a round number of dollars: in atomic units it is that of a call.
fn taken_for_dollars(amount: U256, asset: &Asset) -> Option<String> {
    let whole = amount / U256::from(10).pow(U256::from(asset.decimals));
    let is_round = whole * U256::from(10).pow(U256::from(asset.decimals)) == amount;
    (is_round && whole >= U256::from(1000)).then(|| {
        let meant = super::money_of(whole, asset);
        format!("a price of \"{whole}\" is {whole} dollars to the SDK; as atomic units it would be {meant}")
    })
}
