//! The behaviour of personas as faults: built in, matched by who pays.

use super::effect::{Effect, Meanwhile};
use super::model::{Fault, Occurrence, Per, Stage, Timing};
use crate::accounts::personas::Temper;
use crate::accounts::{self, TestAccount};
use crate::ledger::Account;
use crate::reason::Code;
use crate::registry::Version;
use crate::world::{Commitment, Ending, Wait};

/// Whether a payer is a persona with a behaviour at settlement.
pub fn is_tempered(payer: &Account) -> bool {
    static TEMPERED: std::sync::OnceLock<Vec<Account>> = std::sync::OnceLock::new();
    TEMPERED.get_or_init(|| faults().into_iter().flat_map(|(accounts, _)| accounts).collect()).contains(payer)
}

/// Every persona's behaviour at settlement, with its account on each family.
pub(super) fn faults() -> Vec<(Vec<Account>, Fault)> {
    accounts::all().filter_map(|account| Some((account.everywhere().collect(), fault(account)?))).collect()
}

fn fault(account: TestAccount) -> Option<Fault> {
    let persona = account.persona()?;
    let effect = match persona.temper {
        // The assets know who is blacklisted.
        Temper::Plain | Temper::Blocked => return None,
        Temper::Slow(time) => Effect::Delay(time),
        Temper::Flaky => {
            let reason = Code::TransactionFailed.spell(Version::V2).to_owned();
            Effect::Refuse(reason, Some("the persona `flaky`: the first settlement of a purchase fails".to_owned()))
        }
        Temper::Pending(time) => Effect::Ledger(Commitment::Pending(Ending::Succeeds, Wait::Milliseconds(time))),
        Temper::Reorg(time) => Effect::Ledger(Commitment::Undone(Wait::Milliseconds(time))),
        Temper::Drained => Effect::Meanwhile(Meanwhile::Drain),
    };
    let mut fault = Fault::new(Stage::Settle, Timing::Before, effect);
    fault.name = Some(format!("persona:{}", persona.name));
    fault.matcher.payer = Some(persona.name.to_owned());
    if persona.temper == Temper::Flaky {
        fault.occurrence = Occurrence { first: Some(1), per: Per::Purchase, ..Occurrence::default() };
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::solana;

    #[test]
    fn five_personas_have_a_behaviour_that_can_be_played() {
        let faults = faults();
        let names: Vec<_> = faults.iter().filter_map(|(_, fault)| fault.matcher.payer.as_deref()).collect();
        assert_eq!(names, ["slow", "flaky", "pending", "reorg", "drained"]);
        assert!(faults.iter().all(|(_, fault)| fault.check().is_ok()));
        let slow = accounts::find("slow").unwrap();
        assert!(is_tempered(&slow.evm().into()) && is_tempered(&solana::key_of(&slow).into()));
        assert!(!is_tempered(&accounts::find("alice").unwrap().evm().into()));
    }
}
