//! What a permit's signature fits where it is not the owner's over what is written: other chains and domains, another
//! witness, other values, other types.

use alloy_primitives::{Address, B256, U256};

use super::super::fit::{Found, Tries, digest};
use super::super::terms;
use super::{PART, WHERE, pairs, types};
use crate::accounts;
use crate::explain::judge::{Attempt, Bench};
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY, Witness, separator, typed};
use crate::networks::eip155::{PERMIT2, checksum, parse_address};

const CHANGED: &str = "changed_after_signing";

/// The chains that are signed for by mistake together with something else: Base and its test net, Ethereum, a local one.
const LIKELY_CHAINS: [u64; 4] = [8453, 84532, 1, 31337];

/// At most so many permits are paired with one another.
const MOST_PAIRED: usize = 64;

/// What was signed, if it is one of the likely mistakes, or two of the likeliest.
pub(super) fn signed(
    bench: &Bench,
    attempt: &Attempt,
    permit: &Permit,
    owner: Address,
    tries: &Tries,
) -> Option<(Found, Option<Found>)> {
    let others = chains(bench, permit).into_iter().chain(times(permit)).chain(spenders(attempt, permit));
    let others = others.chain(witnesses(attempt, permit)).chain(payees(attempt, permit, owner));
    let others = others.chain(values(attempt, permit)).chain(tokens(bench, permit));
    let others: Vec<Other> = others.filter(|(own, _)| own != permit).collect();
    if let Some((_, found)) = others.iter().find(|(own, _)| tries.fit(own.digest())) {
        return Some((found.clone(), None));
    }
    let under = Under::new(bench, permit);
    let message = types::hash_as(&under.scheme, permit)?;
    if let Some((_, found)) = under.domains.iter().find(|(own, _)| tries.fit(typed(*own, message))) {
        return Some((found.clone(), None));
    }
    let here = separator(permit.chain_id);
    let fits = |of: &&String| types::hash_as(of, permit).is_some_and(|hash| tries.fit(typed(here, hash)));
    if let Some(of) = under.types.iter().find(fits) {
        return Some((under.of_type(of), None));
    }
    if let Some(found) = digest::others(here, message, &[], tries) {
        return Some((found, None));
    }
    let is_likely = |own: &Permit| own.chain_id == permit.chain_id || LIKELY_CHAINS.contains(&own.chain_id);
    let mut likely: Vec<Other> = others.into_iter().filter(|(own, _)| is_likely(own)).collect();
    likely.truncate(MOST_PAIRED);
    pairs::signed(permit, &likely, &under, tries).map(|(first, second)| (first, Some(second)))
}

pub(super) type Other = (Permit, Found);

/// What a permit may have been signed under: other domains, and other types than the scheme's.
pub(super) struct Under {
    pub(super) scheme: String,
    pub(super) domains: Vec<(B256, Found)>,
    pub(super) types: Vec<String>,
}

impl Under {
    fn new(bench: &Bench, permit: &Permit) -> Self {
        let is_upto = permit.witness.facilitator.is_some();
        let (scheme, domains) = (types::scheme_types(is_upto), types::domains(bench, permit));
        Self { scheme, domains, types: types::other_types(is_upto) }
    }

    /// What is found where another type fits.
    pub(super) fn of_type(&self, of: &str) -> Found {
        Found::new("permit2_types", "types", format!("the type {of}, and the scheme's is {}", self.scheme))
    }
}

fn at(key: &str) -> String {
    format!("{WHERE}.{key}")
}

/// Another value of a member, which can be put back.
fn changed(key: &str, value: String, what: String) -> Found {
    let mut found = Found::new(CHANGED, at(key), what);
    found.restore.push((format!("{PART}/{}", key.replace('.', "/")), value));
    found
}

fn chains(bench: &Bench, permit: &Permit) -> Vec<Other> {
    let known = bench.catalog().networks().iter().filter_map(|own| Some((own.chain_id()?, own.name.as_str())));
    let others = [(31337, "a local chain"), (1337, "a local chain"), (1, "Ethereum"), (0, "none")];
    let of = |(chain_id, name): (u64, &str)| {
        let what = format!("chain id {chain_id} ({name}), and this network's is {}", permit.chain_id);
        (Permit { chain_id, ..*permit }, Found::new("wrong_chain_id", "paymentRequirements.network", what))
    };
    known.chain(others).map(of).collect()
}

/// The witness of the other scheme, or another facilitator in it: the one that is asked for, payee, payer, the mock's
/// accounts.
fn witnesses(attempt: &Attempt, permit: &Permit) -> Vec<Other> {
    let ours = parse_address(accounts::facilitator().address);
    let from = attempt.paid(&format!("{PART}/from"));
    let said = [attempt.asked("/extra/facilitatorAddress"), attempt.asked("/payTo"), from];
    let said = said.into_iter().flatten().filter_map(parse_address).chain(ours);
    let own = accounts::test_accounts().map(|account| account.evm());
    let facilitators = std::iter::once(None).chain(said.chain(own).map(Some));
    let mut all = Vec::new();
    for facilitator in facilitators.filter(|own| *own != permit.witness.facilitator) {
        let what = match facilitator {
            None => "the witness of exact, without a facilitator".to_owned(),
            Some(facilitator) => format!("the witness of upto, with facilitator {}", checksum(facilitator)),
        };
        let witness = Witness { facilitator, ..permit.witness };
        for spender in [permit.spender, EXACT_PROXY, UPTO_PROXY] {
            let found = Found::new("permit2_witness", at("witness"), what.clone());
            all.push((Permit { spender, witness, ..*permit }, found));
        }
    }
    all
}

/// Who is let move the money, where it is not the proxy that is written.
fn spenders(attempt: &Attempt, permit: &Permit) -> Vec<Other> {
    let facilitator = attempt.asked("/extra/facilitatorAddress").and_then(parse_address);
    let ours = parse_address(accounts::facilitator().address);
    let payee = attempt.asked("/payTo").and_then(parse_address);
    let known = [
        (Some(EXACT_PROXY), "the proxy of exact"),
        (Some(UPTO_PROXY), "the proxy of upto"),
        (facilitator, "the facilitator itself"),
        (ours, "the mock's facilitator"),
        (payee, "the payee"),
        (Some(PERMIT2), "the Permit2 contract"),
        (Some(permit.token), "the token"),
        (Some(Address::ZERO), "the zero address"),
    ];
    let of = |(spender, name): (Option<Address>, &str)| {
        let spender = spender?;
        let what = format!("spender {} ({name}), and {} is written", checksum(spender), checksum(permit.spender));
        Some((Permit { spender, ..*permit }, Found::new("permit2_spender", at("spender"), what)))
    };
    known.into_iter().filter_map(of).collect()
}

fn values(attempt: &Attempt, permit: &Permit) -> Vec<Other> {
    let near = terms::amounts_near(attempt, permit.amount).into_iter();
    near.map(|amount| {
        let what = format!("the amount {amount}, and {} is written", permit.amount);
        (Permit { amount, ..*permit }, changed("permitted.amount", amount.to_string(), what))
    })
    .collect()
}

fn payees(attempt: &Attempt, permit: &Permit, owner: Address) -> Vec<Other> {
    let said = [attempt.asked("/payTo"), attempt.paid("/accepted/payTo"), attempt.asked("/asset")];
    let said = said.into_iter().flatten().filter_map(parse_address).chain([Address::ZERO]);
    let paying = |to: Address| Permit { witness: Witness { to, ..permit.witness }, ..*permit };
    let mut all: Vec<Other> = said
        .map(|to| {
            let what = format!("the payee {}, and {} is written", checksum(to), checksum(permit.witness.to));
            (paying(to), changed("witness.to", checksum(to), what))
        })
        .collect();
    let what = format!("a witness that pays {}, and that is the payer itself", checksum(owner));
    all.push((paying(owner), Found::new("from_and_to_swapped", at("witness.to"), what)));
    all
}

fn tokens(bench: &Bench, permit: &Permit) -> Vec<Other> {
    let mut all = Vec::new();
    for token in bench.catalog().tokens() {
        let (own, symbol) = (token.contract, &token.asset.symbol);
        let what = format!("the token {} ({symbol} on {})", checksum(own), token.network);
        if own != permit.token {
            let found = changed("permitted.token", checksum(own), what.clone());
            all.push((Permit { token: own, ..*permit }, found));
            let found = Found::new("wrong_chain_id", at("permitted.token"), what);
            all.push((Permit { token: own, chain_id: token.chain_id, ..*permit }, found));
        }
    }
    all
}

fn times(permit: &Permit) -> Vec<Other> {
    let (deadline, after, thousand) = (permit.deadline, permit.witness.valid_after, U256::from(1000));
    let beginning = |valid_after: U256| Witness { valid_after, ..permit.witness };
    let late = deadline.saturating_mul(thousand);
    let what = format!("deadline {late}, and {deadline} is written, in seconds");
    let in_milliseconds = Found::new("times_in_milliseconds", at("deadline"), what);
    let what = format!("validAfter {deadline} and deadline {after}, and the earlier one must be validAfter");
    let swapped = Permit { deadline: after, witness: beginning(deadline), ..*permit };
    let mut all = vec![
        (Permit { deadline: late, ..*permit }, in_milliseconds.clone()),
        (Permit { deadline: late, witness: beginning(after.saturating_mul(thousand)), ..*permit }, in_milliseconds),
        (swapped, Found::new("times_swapped", at("deadline"), what)),
    ];
    for end in [deadline / thousand, U256::MAX, U256::ZERO] {
        let what = format!("deadline {end}, and {deadline} is written");
        all.push((Permit { deadline: end, ..*permit }, changed("deadline", end.to_string(), what)));
    }
    let what = format!("validAfter 0, and {after} is written");
    all.push((
        Permit { witness: beginning(U256::ZERO), ..*permit },
        changed("witness.validAfter", "0".to_owned(), what),
    ));
    all
}
