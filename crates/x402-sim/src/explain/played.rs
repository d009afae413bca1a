//! What was played for a request: faults that somebody added, and what personas do by themselves.

use super::finding::Finding;
use crate::accounts::personas::PERSONAS;

/// How the sentence of a persona's fault names it: `fault f2 (persona:pending): settle: ...`.
const MARK: &str = "(persona:";

/// How the effects of faults begin that leave a settlement on its way, and of personas those besides that make it late.
const PENDING: &str = "settle: pending";
const LATE: &str = "settle: delay";

/// What alone is to be done while a settlement is on its way: whoever signs anew pays twice.
const WAIT: &str = "Present the same payment again, and sign no other, until it is settled or has expired: its settlement is on \
                    its way.";

/// What is said of the faults that were played, a sentence each: personas are no faults that anybody can take away.
pub fn findings(faults: &[String]) -> Vec<Finding> {
    of(faults, "played for this request")
}

/// The same of faults that the payment met when it was presented before: they have left their mark on the instance.
pub(super) fn before(faults: &[String]) -> Vec<Finding> {
    of(faults, "played when this payment was presented before")
}

fn of(faults: &[String], when: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for fault in faults {
        let seen = format!("{when}: {fault}");
        let finding = match persona(fault) {
            Some(name) => {
                let what = PERSONAS.iter().find(|own| own.name == name).map_or("", |own| own.what);
                Finding::new("persona_played").seen(format!("the payer is the persona `{name}`: {what}"))
            }
            None => Finding::new("fault_played").seen(seen),
        };
        let is_pending = fault.contains(PENDING);
        let finding = match finding.id {
            "persona_played" if is_pending || fault.contains(LATE) => Finding { fix: WAIT.to_owned(), ..finding },
            "fault_played" if is_pending => finding.fixed_by(WAIT),
            _ => finding,
        };
        match found.iter_mut().find(|known| known.id == finding.id) {
            Some(known) => {
                if finding.fix.starts_with(WAIT) {
                    known.fix = finding.fix;
                }
                *known = finding.evidence.into_iter().fold(known.clone(), Finding::seen);
            }
            None => found.push(finding),
        }
    }
    found
}

fn persona(fault: &str) -> Option<&str> {
    Some(fault.split_once(MARK)?.1.split_once(')')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persona_is_no_fault_that_can_be_cleared() {
        let faults = ["fault f2 (persona:pending): settle: pending:10s", "fault f9 (mine): verify: refuse:no"];
        let found = findings(&faults.map(str::to_owned));
        assert_eq!(found.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["persona_played", "fault_played"]);
        assert!(found[0].evidence[0].contains("`pending`: settlements are pending for 10 s"), "{found:?}");
        assert!(!found[0].fix.contains("fault list"));
    }

    #[test]
    fn while_a_settlement_is_on_its_way_nobody_is_told_to_pay_otherwise() {
        let pending = findings(&["fault f2 (persona:pending): settle: pending:10s".to_owned()]);
        assert_eq!(pending[0].fix, WAIT);
        let added = findings(&["fault f9 (mine): settle: pending:10s".to_owned()]);
        assert!(added[0].fix.starts_with(WAIT) && added[0].fix.contains("fault clear"), "{added:?}");
        let drained = findings(&["fault f3 (persona:drained): settle: drain".to_owned()]);
        assert!(drained[0].fix.starts_with("Pay from an account without a behaviour"), "{drained:?}");
    }
}
