//! Payments that stand where no server looks for one: they are kept for whoever asks why nothing was paid.
//!
//! The answer stays the 402 of an unpaid request, as official servers give it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, header};
use serde_json::{Value, json};
use x402_sim::event::Door;
use x402_sim::explain::kind::Kind;
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, decode};

use super::Visit;
use super::payment::CARRIERS;
use super::proof::{self, Misplaced};
use super::visit::Reader;
use crate::catalogue::Item;
use crate::config::Dialect;
use crate::state::{Refused, State};

/// The shortest value that may be a payment, in characters.
const SHORTEST: usize = 40;

/// The longest body that a payment is looked for in, in bytes.
const LONGEST_BODY: usize = 32 * 1024;

/// The paths of a facilitator that are asked with a body.
const FACILITATOR: [&str; 2] = ["verify", "settle"];

/// Its path that official servers ask first, and without which they ask none of the others.
const SUPPORTED: &str = "supported";

/// The characters of base64 that stand escaped in a query.
const ESCAPED: [(&str, &str); 3] = [("%2B", "+"), ("%2F", "/"), ("%3D", "=")];

/// What was found, and where.
struct Stray {
    /// The finding that it is.
    id: &'static str,
    /// Where it stood, in words.
    seen: String,
    /// What it was: the header with its name, or the JSON.
    value: String,
    kind: Kind,
}

/// Whether an unpaid request has room for any of this: most have none, and are to cost nothing here.
fn has_room(state: &State, visit: &Visit, headers: &HeaderMap, body: &[u8]) -> bool {
    !body.is_empty()
        || headers.values().any(|value| value.len() >= SHORTEST)
        || visit.target().contains('?')
        || visit.path.trim_end_matches('/').ends_with(SUPPORTED)
        || CARRIERS.iter().any(|(dialect, _)| !state.speaks(*dialect))
}

/// Keeps what an unpaid request holds of a payment, if it does.
pub fn keep(state: &State, item: &Item, visit: &Visit, headers: &HeaderMap, body: &[u8]) {
    if !has_room(state, visit, headers, body) {
        return;
    }
    let elsewhere = || in_headers(headers).or_else(|| in_query(visit.target())).or_else(|| in_body(visit, body));
    let proof = || of_invoice(state, visit, headers, body);
    let found = proof()
        .or_else(|| in_other_dialect(state, headers))
        .or_else(elsewhere)
        .or_else(|| of_supported(state, visit, headers));
    let Some(Stray { id, seen, value, kind }) = found else { return };
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let refused = Refused::at_door(Door::Resources, &visit.path, "Payment required").because(Some(&seen));
    let accepts = match kind {
        Kind::PaymentV1 => serde_json::to_value(item.accepts_v1(visit.url_without_query())).unwrap_or_default(),
        _ => Value::from(item.requirements.clone()),
    };
    let refused = refused.holding(&value).sent_by(agent).found(id);
    let of_facilitator = matches!(kind, Kind::FacilitatorRequest | Kind::Supported | Kind::Invoice);
    state.keep_refused(if of_facilitator { refused } else { refused.asked(json!({ "accepts": accepts })) });
}

/// The proof of an invoice in another place than its own.
fn of_invoice(state: &State, visit: &Visit, headers: &HeaderMap, body: &[u8]) -> Option<Stray> {
    let Misplaced { signature, seen } = proof::misplaced(state, visit, headers, body)?;
    let value = format!("X-Payment-Proof: {signature}");
    Some(Stray { id: "invoice_proof_misplaced", seen, value, kind: Kind::Invoice })
}

/// A payment in the header of a dialect that is not spoken here, whatever it holds.
fn in_other_dialect(state: &State, headers: &HeaderMap) -> Option<Stray> {
    let mut silent = CARRIERS.iter().filter(|(dialect, name)| !state.speaks(*dialect) && headers.contains_key(name));
    let (dialect, name) = silent.next()?;
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = payment(value).map_or(Kind::Other, |(kind, _)| kind);
    let id = match (dialect, kind) {
        (Dialect::X402V1, Kind::PaymentV2) if state.speaks(Dialect::X402V2) => "v1_header_name",
        (Dialect::X402V2, Kind::PaymentV1) if state.speaks(Dialect::X402V1) => "v1_payload_in_v2_header",
        _ => "version_not_taken",
    };
    let taken = CARRIERS.iter().filter(|(dialect, _)| state.speaks(*dialect));
    let taken: Vec<String> = taken.map(|(dialect, name)| format!("`{name}` ({})", words(*dialect))).collect();
    let seen = format!(
        "the payment came in `{name}`, the header of {}; this server takes payments in {} alone",
        words(*dialect),
        taken.join(" and ")
    );
    Some(Stray { id, seen, value: format!("{name}: {value}"), kind })
}

/// What a dialect is called.
const fn words(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::X402V2 => "version 2",
        Dialect::X402V1 => "version 1",
        Dialect::Invoice => "invoices",
    }
}

/// A server that asks a shop what its facilitator supports: it stops there, and never asks it to verify.
fn of_supported(state: &State, visit: &Visit, headers: &HeaderMap) -> Option<Stray> {
    let last = visit.path.trim_end_matches('/').rsplit('/').next()?;
    // A person who looks with a browser is no server.
    let is_server = last == SUPPORTED && visit.reader == Reader::Program;
    let is_ours = || headers.get(header::USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"x402-dev/"));
    // What is configured at this path is meant to be sold.
    let is_sold = || {
        let item = state.catalogue.find(visit.method.as_str(), &visit.path);
        !std::ptr::eq(Arc::as_ptr(&item), state.catalogue.default_item())
    };
    if !is_server || is_ours() || is_sold() {
        return None;
    }
    let seen = format!(
        "{} {} asks what a facilitator supports, and came to a shop, which answered 402; the facilitator's paths here are \
         `/supported` and `/facilitator/supported`. Official servers ask this first, and stop where it fails",
        visit.method, visit.path
    );
    Some(Stray { id: "wrong_facilitator_url", seen, value: String::new(), kind: Kind::Supported })
}

/// A payment under another name. The words before it, as of `Authorization`, are not kept.
fn in_headers(headers: &HeaderMap) -> Option<Stray> {
    // A dialect that is not spoken here has names that others read.
    let is_other = |name: &HeaderName| ![PAYMENT_SIGNATURE, X_PAYMENT].contains(&name.as_str());
    let others = headers.iter().filter(|(name, value)| value.len() >= SHORTEST && is_other(name));
    others.into_iter().find_map(|(name, value)| {
        let value = value.to_str().ok()?;
        let last = value.rsplit(' ').next()?;
        let (kind, _) = payment(last)?;
        let seen = format!("the payment came in the header `{name}`, where no server looks for one");
        Some(Stray { id: "header_name_unknown", seen, value: format!("{name}: {last}"), kind })
    })
}

/// A payment in the query.
fn in_query(target: &str) -> Option<Stray> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let plain =
            |text: String, (code, mark): &(&str, &str)| text.replace(code, mark).replace(&code.to_lowercase(), mark);
        let value = ESCAPED.iter().fold(value.to_owned(), plain);
        let (kind, payload) = payment(&value)?;
        let seen = format!("the payment came in the query, as `{key}`, where no server looks for one");
        Some(Stray { id: "payment_not_in_header", seen, value: payload.to_string(), kind })
    })
}

/// A payment in the body, or what was meant for a facilitator.
fn in_body(visit: &Visit, body: &[u8]) -> Option<Stray> {
    if body.is_empty() || body.len() > LONGEST_BODY {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    let (kind, value) = payment(text).or_else(|| {
        let value: Value = serde_json::from_str(text).ok().filter(Value::is_object)?;
        let inner = ["payment", "paymentPayload"]
            .iter()
            .find_map(|key| value.get(*key))
            .filter(|_| Kind::of(&value) == Kind::Other);
        let value = match inner {
            Some(Value::String(text)) => return payment(text),
            Some(inner) => inner.clone(),
            None => value,
        };
        Some((Kind::of(&value), value))
    })?;
    let last = visit.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let (id, seen) = match kind {
        Kind::FacilitatorRequest if FACILITATOR.contains(&last) => (
            "wrong_facilitator_url",
            format!(
                "{} {} is a request to a facilitator, and came to a shop: the facilitator's paths here are `/{last}` and \
                 `/facilitator/{last}`",
                visit.method, visit.path
            ),
        ),
        Kind::PaymentV1 | Kind::PaymentV2 => (
            "payment_not_in_header",
            "the payment came in the body of the request, where no server looks for one".to_owned(),
        ),
        _ => return None,
    };
    // Whatever else a shop is told in such a body is nobody's.
    let kept =
        ["x402Version", "paymentPayload", "paymentRequirements", "accepted", "payload", "resource", "extensions"];
    let is_kept = |name: &str| kept.contains(&name) || ["scheme", "network"].contains(&name);
    let members = value.as_object().into_iter().flatten().filter(|(name, _)| is_kept(name));
    let value = Value::Object(members.map(|(name, member)| (name.clone(), member.clone())).collect());
    Some(Stray { id, seen, value: value.to_string(), kind })
}

/// The payment that a word encodes.
fn payment(word: &str) -> Option<(Kind, Value)> {
    if word.len() < SHORTEST || !word.starts_with("ey") {
        return None;
    }
    let value = decode::<Value>(word).ok()?;
    let kind = Kind::of(&value);
    matches!(kind, Kind::PaymentV1 | Kind::PaymentV2).then_some((kind, value))
}
