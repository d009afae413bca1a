//! Whether what a payer accepted is what the resource asks: the resource server's own check, before any facilitator's.
//!
//! Source: TS 2.27 core `findMatchingRequirements`.

use alloy_primitives::U256;
use serde_json::Value;
use x402_wire::amount::parse_atomic;
use x402_wire::shape::shorten;

use super::draw;
use super::finding::Finding;
use super::repair::{compared, lifetime_of, same_chain};

/// Members that every server's requirements have, in the order in which they are compared here.
const MEMBERS: [&str; 6] = ["scheme", "network", "asset", "amount", "payTo", "maxTimeoutSeconds"];

/// So many differences of a kind are told one by one.
const SHOWN: usize = 8;

/// The longest way to a member that is shown whole, in bytes.
const LONGEST_WAY: usize = 200;

/// What a server adds for each answer anew.
pub(super) const DYNAMIC: [&str; 3] = ["recentBlockhash", "lastValidBlockHeight", "recentSlot"];

/// Every difference that keeps a payment of version 2 from being matched.
///
/// `moved` is the amount that was signed.
pub(super) fn differences(accepted: &Value, requirements: &Value, moved: Option<U256>) -> Vec<Finding> {
    let mut all: Vec<Finding> = MEMBERS.iter().filter_map(|key| member(key, accepted, requirements, moved)).collect();
    let strange = accepted.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let strange = strange.filter(|key| !MEMBERS.contains(key) && *key != "extra");
    let strange: Vec<&str> = strange.filter(|key| requirements.get(*key) != accepted.get(*key)).collect();
    if let Some(first) = strange.first() {
        let seen = strange.iter().map(|key| match requirements.get(*key) {
            None => format!("`{}` is not in the requirements", shorten(key)),
            Some(asked) => side_by_side(&shorten(key), accepted.get(*key), Some(asked)),
        });
        all.push(altered(seen_of(Finding::new("accepted_unknown_member"), seen), &shorten(first)));
    }
    let (said, asked) = (accepted.get("extra"), requirements.get("extra"));
    let mut lost = Lost::default();
    missing(said, asked.unwrap_or(&Value::Null), &mut "extra".to_owned(), &mut lost);
    if lost.number > 0 {
        let rest = lost.number.saturating_sub(SHOWN);
        let finding = lost.first.into_iter().fold(Finding::new("extra_altered"), Finding::seen);
        all.push(altered(if rest > 0 { finding.seen(format!("and {rest} more")) } else { finding }, "extra"));
    }
    all
}

/// What was accepted is not to blame for a difference where the requirements' own member is wrong. Says whether all
/// differences were such.
pub(super) fn excuse(findings: &mut Vec<Finding>) -> bool {
    let of = |finding: &Finding, part: &str| finding.path.as_deref()?.strip_prefix(part).map(str::to_owned);
    let wrong = findings.iter().filter(|finding| finding.is_proven());
    let wrong: Vec<String> = wrong.filter_map(|finding| of(finding, "paymentRequirements.")).collect();
    findings.retain(|finding| of(finding, "paymentPayload.accepted.").is_none_or(|member| !wrong.contains(&member)));
    !wrong.is_empty() && findings.iter().all(|finding| of(finding, "paymentPayload.accepted.").is_none())
}

/// A finding with the first few of what it rests on, and how many more there are.
fn seen_of(finding: Finding, seen: impl ExactSizeIterator<Item = String>) -> Finding {
    let more = seen.len().saturating_sub(SHOWN);
    let finding = seen.take(SHOWN).fold(finding, Finding::seen);
    if more > 0 { finding.seen(format!("and {more} more")) } else { finding }
}

fn altered(finding: Finding, key: &str) -> Finding {
    finding
        .at(format!("paymentPayload.accepted.{key}"))
        .proven("servers compare `accepted` with their requirements member by member; this one differs")
}

fn member(key: &str, accepted: &Value, requirements: &Value, moved: Option<U256>) -> Option<Finding> {
    let (said, asked) = (accepted.get(key), requirements.get(key));
    if same(said, asked) {
        return None;
    }
    // Servers make a number of it where clients write a text: of both sides the requirements alone are wrong.
    if let Some(asked @ Value::Number(_)) = asked
        && said.and_then(Value::as_str) == Some(asked.to_string().as_str())
    {
        let finding = Finding::new("number_not_text").at(format!("paymentRequirements.{key}"));
        let finding = finding.seen(format!("it is the number {asked}"));
        return Some(finding.proven("`accepted` has the same digits as a text, which a number does not equal"));
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (paid, wanted) = (text(said), text(asked));
    let seen = side_by_side(key, said, asked);
    let finding = match key {
        "scheme" => Finding::new("scheme_mismatch"),
        "network" if same_chain(&paid, &wanted) && !paid.contains(':') => Finding::new("v1_network_name_in_v2"),
        "network" => Finding::new("network_mismatch"),
        "asset" | "payTo" if paid.eq_ignore_ascii_case(&wanted) => Finding::new("accepted_respelt"),
        "asset" => Finding::new("wrong_asset"),
        "payTo" => Finding::new("wrong_payee"),
        "amount" => amount(said, &paid, &wanted, moved),
        _ if lifetime_of(said).is_some() && said.is_some_and(Value::is_string) => Finding::new("number_is_text"),
        _ => Finding::new("timeout_altered"),
    };
    Some(altered(finding.seen(seen), key))
}

fn amount(said: Option<&Value>, paid: &str, wanted: &str, moved: Option<U256>) -> Finding {
    if said.is_some_and(Value::is_number) {
        return Finding::new("number_not_text");
    }
    match (parse_atomic(paid), parse_atomic(wanted)) {
        // What was accepted was signed as well: the payer is of one mind, and the server asks something else now.
        (Some(paid), Some(_)) if moved == Some(paid) && paid != U256::ZERO => Finding::new("price_changed"),
        (Some(paid), Some(wanted)) => {
            let finding = compared(paid, wanted);
            if finding.id == "amount_mismatch" && paid != U256::ZERO { Finding::new("price_changed") } else { finding }
        }
        (None, _) if paid.contains('.') => Finding::new("decimal_amount"),
        _ => Finding::new("amount_mismatch"),
    }
}

/// Whether two members are the same to a resource server.
pub(super) fn same(said: Option<&Value>, asked: Option<&Value>) -> bool {
    match (said, asked) {
        (Some(Value::Number(said)), Some(Value::Number(asked))) => said.as_f64() == asked.as_f64(),
        (said, asked) => said == asked,
    }
}

/// Both sides of a member in words. Where they have the same digits, it is told which is a number.
fn side_by_side(at: &str, said: Option<&Value>, asked: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), draw::shown_address);
    let (mine, other) = (shown(said), shown(asked));
    if mine != other {
        return format!("accepted.{at} is {mine}, the requirements' is {other}");
    }
    let kind = |value: Option<&Value>| match value {
        Some(Value::Number(_)) => "the number ",
        Some(Value::String(_)) => "the text ",
        Some(Value::Null) => "JSON's ",
        _ => "",
    };
    format!("accepted.{at} is {}{mine}, the requirements' is {}{other}", kind(said), kind(asked))
}

/// What differs: the first few in words, and how many there are.
#[derive(Debug, Default)]
struct Lost {
    first: Vec<String>,
    number: usize,
}

/// What the server says in `extra`, and the payer does not. `at` is the way there, which may be as long as the text.
fn missing(said: Option<&Value>, asked: &Value, at: &mut String, lost: &mut Lost) {
    let Value::Object(asked) = asked else {
        if said != Some(asked) && !asked.is_null() {
            lost.number += 1;
            if lost.first.len() < SHOWN {
                lost.first.push(side_by_side(&shorten_way(at), said, Some(asked)));
            }
        }
        return;
    };
    let length = at.len();
    for (key, asked) in asked.iter().filter(|(key, _)| !DYNAMIC.contains(&key.as_str())) {
        at.push('.');
        at.push_str(key);
        missing(said.and_then(|said| said.get(key)), asked, at, lost);
        at.truncate(length);
    }
}

/// A way to a member, unless it is too long for people.
fn shorten_way(at: &str) -> String {
    if at.len() <= LONGEST_WAY { at.to_owned() } else { shorten(at) }
}
