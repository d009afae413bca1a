//! What a payer says it has accepted, beside what is asked.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::attempt::{Attempt, set};
use super::finding::Finding;
use super::judge::{Bench, Failure};
use super::matching::DYNAMIC;
use super::repair;

/// The payment with what is asked as what was accepted, where a place in the list or a word stands for the entry.
pub(super) fn whole(payload: &Value, asked: Option<&Value>) -> Option<(Value, Finding)> {
    let said = payload.get("accepted").filter(|said| !said.is_object() && !said.is_null())?;
    let seen = format!(
        "`accepted` is {}, and has to be the whole entry of `accepts` that is paid",
        shorten(&said.to_string())
    );
    let finding = Finding::new("accepted_missing").at("paymentPayload.accepted").seen(seen);
    let mut whole = payload.clone();
    match asked {
        Some(asked) => set(&mut whole, "/accepted", asked.clone()),
        None => drop(whole.as_object_mut()?.remove("accepted")),
    }
    Some((whole, finding.proven("servers compare the members of `accepted` with their requirements', and it has none")))
}

/// Whether the payer has accepted something on another kind of network than is asked for.
pub(super) fn strays(accepted: &Value, asked: &Value) -> bool {
    let name = |terms: &Value| terms.get("network").and_then(Value::as_str).unwrap_or_default().to_owned();
    repair::of_other_family(&name(accepted), &name(asked))
}

/// What stands in `extra` without what a server adds for each answer anew.
fn lasting(extra: Option<&Value>) -> Option<Value> {
    let mut extra = extra?.clone();
    if let Some(members) = extra.as_object_mut() {
        members.retain(|key, _| !DYNAMIC.contains(&key.as_str()));
    }
    Some(extra)
}

/// Whether what was accepted is what is asked, but for what a server adds for each answer anew: nothing that is signed for
/// hangs on it, so that nothing has to be signed again.
fn is_same_but_fleeting(accepted: &Value, asked: &Value) -> bool {
    let (Some(said), Some(other)) = (accepted.as_object(), asked.as_object()) else { return false };
    said.len() == other.len()
        && said.iter().all(|(key, value)| match key.as_str() {
            "extra" => lasting(Some(value)) == lasting(other.get("extra")),
            key => other.get(key) == Some(value),
        })
}

/// The same payment as if the requirements had been accepted as they are: what differs was found already. And what is
/// wrong with its signature even for what was accepted.
pub(super) fn reconciled(bench: &Bench, attempt: Attempt, accepted: &Value) -> (Attempt, Option<Finding>) {
    if *accepted == attempt.requirements || is_same_but_fleeting(accepted, &attempt.requirements) {
        return (attempt, None);
    }
    let own = Attempt { requirements: accepted.clone(), ..attempt.clone() };
    if strays(accepted, &attempt.requirements) {
        return (own, None);
    }
    let own_failure = bench.judge(&own).err();
    // What a transaction moves cannot be put right from outside; one that is good for what was accepted has no other fault.
    if own_failure.is_none() && own.paid("/payload/transaction").is_some() {
        return (own, None);
    }
    let of_signature =
        |failure: &Failure| ["signature", "signature_invalid"].iter().any(|end| failure.reason.ends_with(end));
    let own_failure = own_failure.filter(of_signature);
    let was_signed = own_failure.is_none();
    let mut next = attempt.clone();
    set(&mut next.payload, "/accepted", attempt.requirements.clone());
    let mut changed = ["network", "asset"].iter().any(|key| accepted.get(key) != attempt.requirements.get(key))
        || lasting(accepted.get("extra")) != lasting(attempt.requirements.get("extra"));
    for (key, pointer) in repair::SIGNED {
        let (said, asked) = (accepted.get(key), attempt.requirements.get(key));
        let signed = next.payload.pointer(pointer);
        // What is not asked at all was not meant otherwise.
        let asked = asked.filter(|asked| !asked.is_null());
        let same = signed.and_then(Value::as_str).zip(said.and_then(Value::as_str));
        if asked.is_some() && said != asked && same.is_some_and(|(signed, said)| signed.eq_ignore_ascii_case(said)) {
            next = next.pay(pointer, asked.cloned().unwrap_or_default());
            changed = true;
        }
    }
    // What was signed may be wrong even for what was accepted; unless it was signed for what is asked.
    if let Some(failure) = own_failure.filter(|_| bench.judge(&next).is_err_and(|failure| of_signature(&failure))) {
        let sure = repair::candidates(bench, &own, &failure).into_iter().next().filter(|found| found.sure.is_some());
        if let Some((finding, proof)) = sure.and_then(|found| found.finding.zip(found.sure)) {
            return (next.again(), Some(finding.proven(proof)));
        }
    }
    (if changed && was_signed { next.again() } else { next }, None)
}
