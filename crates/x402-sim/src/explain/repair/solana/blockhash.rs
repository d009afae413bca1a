//! Whether a transaction's blockhash is still good, and whose it is.

use super::super::Candidate;
use super::{AT, PLACE};
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, Whose};
use crate::networks::solana::blockhash;
use crate::networks::solana::transaction::Transaction;

/// Whether the blockhash of a simulated chain is too old, where the rest had to be taken as signed again.
pub(in crate::explain) fn stale(attempt: &Attempt) -> Option<Finding> {
    let transaction = attempt.paid(PLACE).and_then(|text| Transaction::from_base64(text).ok())?;
    let id = network_id(attempt);
    let hash = transaction.message.blockhash;
    let made = blockhash::slot_of(&id, hash)?;
    let why = blockhash::why_not(&id, hash, attempt.now.saturating_mul(1000))?;
    let time = blockhash::time_of(made) / 1000;
    let good = blockhash::why_not(&id, hash, (time + 1).saturating_mul(1000)).is_none();
    let finding = Finding::new("stale_blockhash").at(AT).seen(why);
    Some(if good { finding.proven(format!("at {time} the same blockhash is good")) } else { finding })
}

/// The CAIP-2 id of the network that is asked for.
fn network_id(attempt: &Attempt) -> String {
    let network = attempt.asked("/network").unwrap_or_default();
    let known = crate::networks::solana::known().into_iter().find(|own| own.is_called(network));
    known.map_or_else(|| network.to_owned(), |own| own.id)
}

/// A blockhash that the chain does not take.
pub(super) fn unknown(bench: &Bench, attempt: &Attempt, transaction: &Transaction) -> Vec<Candidate> {
    let id = network_id(attempt);
    let hash = transaction.message.blockhash;
    let text = bs58::encode(hash).into_string();
    let Some(made) = blockhash::slot_of(&id, hash) else {
        // Only the chain that made it knows: of a real one nothing can be said here.
        let next = attempt.clone().again();
        if bench.whose == Whose::Mock {
            let finding = Finding::new("foreign_blockhash").at(AT).seen(format!("its blockhash is {text}"));
            let proof =
                format!("the mock's {id} never had this blockhash: each of its own says in which slot it was made");
            return vec![Candidate::sure(finding, next, proof)];
        }
        return vec![Candidate::assumed(next, format!("the blockhash {text} is taken to be a recent one"))];
    };
    let time = blockhash::time_of(made) / 1000;
    let finding = Finding::new("stale_blockhash").at(AT).seen(format!(
        "its blockhash {text} is {} slots old, and is good for {}",
        blockhash::slot(attempt.now.saturating_mul(1000)).saturating_sub(made),
        blockhash::LIFETIME
    ));
    let how = format!("judged at {time}, when the blockhash was new");
    vec![Candidate::new(finding, attempt.clone().at(time + 1), how)]
}
