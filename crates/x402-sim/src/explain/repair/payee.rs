//! Payees that nobody means to pay: the token itself, the zero address, the payer, the facilitator, a token account.

use alloy_primitives::Address;

use super::{Candidate, address, anew, signed_part, terms};
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::networks::Family;
use crate::networks::eip155::parse_address;
use crate::networks::solana::key::Key;
use crate::networks::solana::{assets, known};

const AT: &str = "paymentRequirements.payTo";

/// A payee that the token refuses to pay.
pub(super) fn unpayable(bench: &Bench, attempt: &Attempt) -> Option<Candidate> {
    let said = attempt.asked("/payTo")?;
    let payee = parse_address(said)?;
    let what = if payee == Address::ZERO {
        "payTo is the zero address, which is nobody's".to_owned()
    } else if attempt.asked("/asset").and_then(parse_address) == Some(payee) {
        format!("payTo is {}, the contract of the token that is asked for", terms::named(said))
    } else {
        return None;
    };
    let network = address::network(bench, attempt)?;
    let right = address::stand_in(network, "payTo")?;
    let finding = Finding::new("payee_unpayable").at(AT).seen(what);
    Some(Candidate::new(
        finding,
        anew(attempt, "/payTo", &right.clone().into()).again(),
        format!("with {right} as payTo"),
    ))
}

/// What settles, and is hardly meant.
pub(in crate::explain) fn remarks(attempt: &Attempt) -> Option<Finding> {
    let payee = attempt.asked("/payTo")?;
    let is = |other: Option<&str>| {
        other.is_some_and(|other| {
            other == payee || parse_address(other).is_some_and(|own| parse_address(payee) == Some(own))
        })
    };
    let from = attempt.paid(&format!("{}/from", signed_part(attempt)));
    if let Some(finding) = token_account(attempt, payee) {
        return Some(finding);
    }
    let what = if is(from) {
        "payTo is the payer itself: the money stays where it is"
    } else if is(attempt.asked("/extra/facilitatorAddress")) || is(attempt.asked("/extra/feePayer")) {
        "payTo is the facilitator itself, which is right only where it sells as well"
    } else if Key::parse(payee).is_some() && is(attempt.asked("/asset")) {
        "payTo is the mint of the token itself"
    } else {
        return None;
    };
    Some(Finding::new("payee_unlikely").at(AT).seen(what))
}

/// A token account as the payee: the tokens would go to the token account of a token account, which no key can move.
fn token_account(attempt: &Attempt, payee: &str) -> Option<Finding> {
    let (network, payee) = (attempt.asked("/network")?, Key::parse(payee)?);
    let network = known().into_iter().find(|own| own.family == Family::Solana && own.is_called(network))?;
    let said = attempt.asked("/asset").into_iter().chain(network.assets.iter().map(|own| own.address.as_str()));
    let mints: Vec<Key> = said.filter_map(Key::parse).collect();
    let fee_payer = attempt.asked("/extra/feePayer").and_then(Key::parse);
    let owners = accounts::all().map(|account| crate::networks::solana::key_of(&account)).chain(fee_payer);
    let owner = owners.into_iter().find(|owner| {
        let of = |mint: &Key| Key::token_account(*owner, *mint, assets::token_program(&mint.to_string()));
        mints.iter().any(|mint| of(mint) == payee)
    })?;
    let seen = format!(
        "payTo is the token account of {}, and must be the owner's own address",
        terms::named(&owner.to_string())
    );
    Some(Finding::new("payee_is_token_account").at(AT).seen(seen).fixed_by(format!("Write \"payTo\": \"{owner}\".")))
}
