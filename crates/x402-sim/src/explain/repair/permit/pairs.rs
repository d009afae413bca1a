//! Two mistakes at once in one permit: what was signed differs in two things from what is written.

use super::super::fit::{Found, Tries};
use super::other::{Other, Under};
use super::types;
use crate::networks::eip155::permit2::permit::{Permit, Witness, separator, typed};

/// So many of the likeliest permits are tried with another domain or type. With pairs of [`Other`]s, of which there are at
/// most 64, all of it is less than what may be tried under one signature; a test counts.
const WITH_TYPES: usize = 12;

/// Two that were signed at once, the first found before the second. `all` holds the likeliest first.
pub(super) fn signed(permit: &Permit, all: &[Other], under: &Under, tries: &Tries) -> Option<(Found, Found)> {
    for (place, (first, found)) in all.iter().enumerate() {
        for (second, other) in &all[place + 1..] {
            let Some(own) = both(permit, first, second) else { continue };
            if tries.fit(own.digest()) {
                return Some((found.clone(), other.clone()));
            }
        }
    }
    let few = || all.iter().take(WITH_TYPES);
    for (own, found) in few() {
        let Some(message) = types::hash_as(&under.scheme, own) else { continue };
        // A domain that is tried is of the chain that is written.
        let is_here = own.chain_id == permit.chain_id;
        let fits = under.domains.iter().find(|(domain, _)| is_here && tries.fit(typed(*domain, message)));
        if let Some((_, domain)) = fits {
            return Some((domain.clone(), found.clone()));
        }
        let here = separator(own.chain_id);
        let fits = under.types.iter().find(|of| {
            types::hash_as(of, own).filter(|hash| *hash != message).is_some_and(|hash| tries.fit(typed(here, hash)))
        });
        if let Some(of) = fits {
            return Some((under.of_type(of), found.clone()));
        }
    }
    None
}

/// A permit with what two others have otherwise; nothing where they differ in the same thing.
fn both(written: &Permit, one: &Permit, other: &Permit) -> Option<Permit> {
    let of = |permit: &Permit| permit.witness;
    Some(Permit {
        chain_id: either(written.chain_id, one.chain_id, other.chain_id)?,
        token: either(written.token, one.token, other.token)?,
        amount: either(written.amount, one.amount, other.amount)?,
        spender: either(written.spender, one.spender, other.spender)?,
        nonce: either(written.nonce, one.nonce, other.nonce)?,
        deadline: either(written.deadline, one.deadline, other.deadline)?,
        witness: Witness {
            to: either(of(written).to, of(one).to, of(other).to)?,
            facilitator: either(of(written).facilitator, of(one).facilitator, of(other).facilitator)?,
            valid_after: either(of(written).valid_after, of(one).valid_after, of(other).valid_after)?,
        },
    })
}

fn either<T: Copy + PartialEq>(written: T, one: T, other: T) -> Option<T> {
    if one == written {
        Some(other)
    } else if other == written {
        Some(one)
    } else {
        None
    }
}
