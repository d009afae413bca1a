//! The rule's table: what happened, a line each, and what is explained of it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::*;

/// When the first thing happens.
const BEGIN: u64 = 1_800_000_000_000;

/// Something that happened, so many seconds after the beginning.
fn event(annals: &mut Annals, seconds: u64, kind: &str, (door, path): (&str, &str), payment: Option<&str>) -> u64 {
    let sequence = annals.events.len() as u64 + 1;
    // A payment's letter is its purchase: `a1` and `a2` are two payments for one.
    let purchase = payment.map(|payment| payment[..1].to_owned());
    let event = json!({
        "sequence": sequence, "at": BEGIN + seconds * 1000, "kind": kind, "door": door, "payment": payment,
        "purchase": purchase, "summary": format!("{kind}."), "data": { "method": "GET", "path": path },
    });
    annals.events.push(serde_json::from_value(event).unwrap());
    sequence
}

fn refusal(annals: &mut Annals, seconds: u64, path: &str, more: &Value) {
    let mut refused = json!({
        "number": annals.refusals.len() + 1, "at": BEGIN + seconds * 1000, "real": BEGIN, "path": path,
        "after": annals.events.len(), "door": "resources", "reason": "x",
    });
    refused.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    annals.refusals.insert(0, serde_json::from_value(refused).unwrap());
}

/// Reads a story, a word each: `TIME:WHAT`, where WHAT is of these.
///
/// | word | what happened |
/// |---|---|
/// | `refuse-AGENT-PATH` | a payment `r` was refused |
/// | `pending-PATH` | the settlement of `p` is pending, and was refused with that |
/// | `stray-PATH` | a payment where nobody looks |
/// | `twice-VERDICT-PURCHASE` | the verdict on a purchase |
/// | `facilitator` | a facilitator that was asked by another method |
/// | `ask-AGENT-PATH` | a request without a payment |
/// | `verify-PAYMENT`, `settle-PAYMENT`, ... | an event of the facilitator |
/// | `sell-PAYMENT`, `lose-PAYMENT`, `deliver-PAYMENT`, `fail-PAYMENT` | of the resource `/a` |
fn annals(story: &str, now: u64) -> Annals {
    let (now, twice) = (BEGIN + now * 1000, HashMap::new());
    let mut annals = Annals { events: vec![], refusals: vec![], callers: vec![], twice, now };
    for word in story.split_whitespace() {
        let (time, what) = word.split_once(':').unwrap();
        let time: u64 = time.parse().unwrap();
        let parts: Vec<&str> = what.split('-').collect();
        let own = &mut annals;
        match parts[..] {
            ["refuse", agent, path] => {
                event(own, time, "refused", ("resources", path), Some("r"));
                refusal(own, time, path, &json!({ "payment": "r", "agent": agent }));
            }
            ["pending", path] => {
                event(own, time, "pending", ("resources", path), Some("p"));
                refusal(own, time, path, &json!({ "payment": "p", "agent": "pay", "reason": "settlement_pending" }));
            }
            ["stray", path] => {
                event(own, time, "offered", ("resources", path), None);
                refusal(own, time, path, &json!({ "finding": "payment_not_in_header", "agent": "curl/8" }));
            }
            ["twice", verdict, purchase] => {
                let verdict = serde_json::from_value(verdict.replace('_', " ").into()).unwrap();
                annals.twice.insert(purchase.to_owned(), verdict);
            }
            ["facilitator"] => refusal(own, time, "/verify", &json!({ "finding": "facilitator_method" })),
            ["ask", agent, path] => {
                let event = event(own, time, "offered", ("resources", path), None);
                // A dash parts words.
                let agent = agent.replace('_', "-");
                annals.callers.push(serde_json::from_value(json!({ "event": event, "agent": agent })).unwrap());
            }
            [verb, payment] => {
                let (kind, door, path) = match verb {
                    "verify" => ("verified", "facilitator", "/verify"),
                    "settle" => ("settled", "facilitator", "/settle"),
                    "look" => ("verified", "resources", "/a"),
                    "sell" => ("settled", "resources", "/a"),
                    "undo" => ("undone", "chain", "/a"),
                    "lose" => ("not_delivered", "resources", "/a"),
                    "deliver" => ("delivered", "resources", "/a"),
                    "fail" => ("not_settled", "resources", "/a"),
                    "wait" => ("pending", "resources", "/a"),
                    other => panic!("{other}"),
                };
                event(own, time, kind, (door, path), Some(payment));
            }
            _ => panic!("{what}"),
        }
    }
    annals
}

/// What was chosen, and what is newer, in words.
fn chosen(story: &str, now: u64) -> String {
    let annals = annals(story, now);
    let Chosen { what, newer, .. } = choose(&annals);
    let what = match what {
        Choice::Refused(own) => {
            let own = own.payment.as_deref().or(own.finding.as_deref());
            format!("refused {}", own.unwrap_or_default())
        }
        Choice::Broken(own) => format!("{:?} {}", own.end, own.payment),
        Choice::Unpaid(own) => format!("unpaid {}", own.event.path().unwrap()),
        Choice::Well(own) => format!("well {}", own.payment),
        Choice::Nothing => "nothing".to_owned(),
    };
    let newer = match newer {
        Some(Newer::Settled(_)) => "; settled since",
        Some(Newer::Open(_)) => "; open since",
        Some(Newer::Unpaid(_)) => "; unpaid since",
        None => "",
    };
    format!("{what}{newer}")
}

/// What happened, the seconds from the beginning until now, and what is explained.
const TABLE: [(&str, u64, &str); 37] = [
    ("", 1, "nothing"),
    // The newest thing that broke, of whatever kind.
    ("0:refuse-node-/a 1:stray-/a", 2, "refused payment_not_in_header"),
    ("0:stray-/a 1:refuse-node-/a", 2, "refused r"),
    ("0:refuse-node-/a 1:facilitator", 2, "refused facilitator_method"),
    ("0:refuse-node-/a 1:verify-v", 7, "Verified v"),
    ("0:refuse-node-/a 1:fail-f", 2, "NotSettled f"),
    ("0:refuse-node-/a 1:look-s 1:sell-s 2:lose-s", 3, "NotDelivered s"),
    ("0:refuse-node-/a 1:sell-s1 2:lose-s1 3:sell-s2 4:deliver-s2 4:twice-possibly_paid_twice-s", 5, "PaidAgain s2"),
    ("0:refuse-node-/a 1:sell-s1 2:deliver-s1 3:sell-s2 4:deliver-s2 4:twice-paid_twice-s", 5, "PaidTwice s2"),
    ("0:refuse-node-/a 1:wait-w", 2, "Pending w"),
    ("0:sell-s 1:undo-s", 2, "Undone s"),
    ("0:sell-s 1:lose-s 2:refuse-node-/a", 3, "refused r"),
    ("0:verify-v 9:refuse-node-/a", 10, "refused r"),
    // A verification is wondered about after some seconds, and only where others settle.
    ("0:refuse-node-/a 1:verify-v", 3, "refused r; open since"),
    ("0:refuse-node-/a 1:look-v", 60, "refused r; open since"),
    ("0:verify-v", 3, "well v"),
    ("0:verify-v 9:settle-v", 10, "well v"),
    // What was mended.
    ("0:sell-s 1:lose-s 2:deliver-s", 3, "well s"),
    ("0:pending-/a 5:sell-p", 6, "well p"),
    ("0:refuse-node-/a 5:sell-r", 6, "well r"),
    ("0:refuse-node-/a 5:sell-s", 6, "refused r; settled since"),
    // A request without a payment displaces nothing that broke a short while ago ...
    ("0:refuse-node-/a 1:ask-curl/8-/a", 2, "refused r; unpaid since"),
    ("0:refuse-node-/a 1:ask-node-/b", 2, "refused r; unpaid since"),
    ("0:facilitator 1:ask-curl/8-/a", 2, "refused facilitator_method; unpaid since"),
    ("0:verify-v 6:ask-curl/8-/a", 7, "Verified v; unpaid since"),
    ("0:refuse-node-/a 4:ask-node-/a", 5, "refused r; unpaid since"),
    ("0:stray-/a 1:ask-curl/8-/a", 2, "refused payment_not_in_header; unpaid since"),
    // ... but where the same client asks for the same again, where it is old, or mended.
    ("0:refuse-node-/a 5:ask-node-/a", 6, "unpaid /a"),
    ("0:stray-/a 5:ask-curl/8-/a", 6, "unpaid /a"),
    ("0:pending-/a 1:ask-curl/8-/a", 2, "unpaid /a"),
    ("0:refuse-node-/a 60:ask-curl/8-/b", 61, "unpaid /b"),
    ("0:refuse-node-/a 1:sell-s 2:ask-curl/8-/b", 3, "unpaid /b"),
    // Some never count.
    ("0:refuse-node-/a 70:ask-x402-dev/0.1-/a", 71, "refused r"),
    ("0:refuse-node-/a 70:ask-Mozilla/5.0-/favicon.ico", 71, "refused r"),
    ("0:ask-node-/a 1:sell-s 2:deliver-s", 3, "well s"),
    ("0:ask-x402-dev/0.1-/a", 1, "nothing"),
    ("0:sell-s 1:deliver-s 2:ask-node-/a", 3, "unpaid /a"),
];

#[test]
fn the_newest_thing_that_broke_is_chosen() {
    for (story, now, expected) in TABLE {
        assert_eq!(chosen(&story.replace("x402-dev", "x402_dev"), now), expected, "{story}");
    }
}

#[test]
fn the_newest_of_many_unpaid_requests_is_found_in_one_look() {
    let mut story = String::from("0:refuse-node-/a ");
    (0..500).for_each(|_| story.push_str("1:ask-node-/favicon.ico "));
    assert_eq!(chosen(&story, 2), "refused r");
}
