//! What an instance saw of a payment before it refused it: where it was good then, settlement came too late.

use serde_json::Value;

use super::attempt::Attempt;
use super::case::Record;
use super::explanation::Explanation;
use super::finding::Finding;
use super::repair::lifetime_of;
use crate::clock::span;

/// What an instance saw of a payment before it refused it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// When it was found good last, in milliseconds of the instance's clock, where settlement refused it.
    pub verified: Option<u64>,
    /// The faults that were played when the same payment was presented before and was refused, a sentence each.
    pub faults: Vec<String>,
}

/// What looks like a payment that came too late, or like one that nobody can verify in time.
const LATE: [&str; 3] = ["expired", "lifetime_too_short", "stale_blockhash"];

/// So long a blockhash can be used, about, in seconds: 150 slots.
const BLOCKHASH: u64 = 60;

/// Says what the past of a payment tells about its refusal, which was at `now`, in seconds.
pub(super) fn tell(record: &Record, attempt: &Attempt, now: u64, explanation: &mut Explanation) {
    let verified = record.past.verified.filter(|_| record.faults.is_empty()).map(|at| at / 1000);
    if let Some(finding) = verified.and_then(|verified| too_late(attempt, verified, now)) {
        let is_late = |other: &Finding| LATE.contains(&other.id);
        if let Some(place) = explanation.findings.iter().position(is_late) {
            explanation.findings[place] = finding;
            explanation.findings.retain(|finding| !is_late(finding));
        }
    }
}

/// A payment that was good when it was verified, and had ended when it was to be settled: no clock is to blame, as the same
/// one has shown both times. On Solana, where more of its time went by in between than before.
fn too_late(attempt: &Attempt, verified: u64, now: u64) -> Option<Finding> {
    let between = now.checked_sub(verified).filter(|between| *between > 0)?;
    let end = ["/payload/permit2Authorization/deadline", "/payload/authorization/validBefore"];
    let until = end.iter().find_map(|end| lifetime_of(attempt.payload.pointer(end)));
    let lifetime = lifetime_of(attempt.requirements.get("maxTimeoutSeconds"));
    let on_solana = attempt.payload.pointer("/payload/transaction").is_some_and(Value::is_string);
    let before = match (until, lifetime) {
        _ if on_solana => BLOCKHASH.saturating_sub(between),
        (Some(until), Some(lifetime)) => verified.saturating_sub(until.saturating_sub(lifetime)),
        _ => 0,
    };
    let was_late = between <= before;
    if was_late && on_solana {
        return None;
    }
    let took = span(between.saturating_mul(1000));
    let mut finding = Finding::new("settled_too_late").seen(format!(
        "the same payment was found good {took} before it came to be settled: so long the server took in between"
    ));
    if let Some(until) = until.filter(|until| *until > verified) {
        let asked = lifetime.map(|lifetime| format!(", of maxTimeoutSeconds {lifetime}")).unwrap_or_default();
        finding = finding
            .seen(format!("when it was verified, {} were left{asked}", span((until - verified).saturating_mul(1000))));
    }
    let fix = if on_solana {
        "A blockhash ends after about a minute, whatever maxTimeoutSeconds says: do the slow work elsewhere.".to_owned()
    } else if was_late {
        // It was signed long before it came, or for less than it may be: a longer offer alone does not mend it.
        "Settle at once after /verify, or ask for a new payment where little of its time is left then.".to_owned()
    } else {
        // Twice what it took, in whole minutes.
        let enough = between.saturating_mul(2).div_ceil(60).saturating_mul(60);
        finding = finding.at("paymentRequirements.maxTimeoutSeconds");
        format!("With maxTimeoutSeconds {enough} this one would have been settled.")
    };
    let finding = finding.fixed_by(fix);
    Some(finding.proven(format!("the record holds both: it was verified, and {took} later settlement refused it")))
}
