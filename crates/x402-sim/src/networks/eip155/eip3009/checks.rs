//! The checks of `exact` by EIP-3009, and their two orders.
//!
//! Source: TS 2.27 evm `exact/facilitator/eip3009.ts` (version 2), `exact/v1/facilitator/scheme.ts` (version 1),
//! `eip3009-utils.ts` (diagnosis).

use alloy_primitives::U256;
use x402_wire::json::Json;
use x402_wire::shape::shorten;

use super::case::Case;
use super::claim::Unsignable;
use crate::clock;
use crate::event::PaymentId;
use crate::explain;
use crate::ledger::{Once, Record};
use crate::networks::eip155::chain::{self, Revert, Signatures};
use crate::networks::eip155::checksum;
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Signature;
use crate::networks::{Transfer, eip155};
use crate::order::{Check, Order, When};
use crate::reason::{Code, Reason};
use crate::registry::Version;

/// A test of a case.
pub type Test = for<'a, 'b> fn(&'a Case<'b>) -> Result<(), Reason>;

/// How many seconds an authorization must still live.
const BLOCK_TIME_BUFFER: u64 = 6;

static V2: [Check<Test>; 11] = [
    Check { name: "scheme", when: When::Always, test: scheme },
    Check { name: "domain", when: When::Always, test: domain },
    Check { name: "network", when: When::Always, test: network },
    Check { name: "factory", when: When::Always, test: factory },
    Check { name: "signature", when: When::Always, test: signature },
    Check { name: "recipient", when: When::Always, test: recipient },
    Check { name: "validBefore", when: When::Always, test: valid_before },
    Check { name: "validAfter", when: When::Always, test: valid_after },
    Check { name: "value", when: When::Always, test: value },
    Check { name: "asset contract", when: When::Always, test: asset_contract },
    Check { name: "simulation", when: When::Verify, test: simulation },
];

static V1: [Check<Test>; 11] = [
    Check { name: "scheme", when: When::Always, test: scheme },
    Check { name: "network name", when: When::Always, test: network_name },
    Check { name: "domain", when: When::Always, test: domain },
    Check { name: "network", when: When::Always, test: network },
    Check { name: "factory", when: When::Always, test: factory },
    Check { name: "signature", when: When::Always, test: signature },
    Check { name: "recipient", when: When::Always, test: recipient },
    Check { name: "validBefore", when: When::Always, test: valid_before },
    Check { name: "validAfter", when: When::Always, test: valid_after },
    Check { name: "value", when: When::Always, test: value },
    Check { name: "simulation", when: When::Verify, test: simulation },
];

/// The official order of a protocol version.
pub fn order(version: Version) -> Order<Test> {
    match version {
        Version::V1 => Order::new(&V1),
        Version::V2 => Order::new(&V2),
    }
}

fn scheme(case: &Case<'_>) -> Result<(), Reason> {
    let (accepted, asked) = (case.claim.accepted_scheme, case.claim.asked.scheme);
    if accepted == "exact" && asked == "exact" {
        return Ok(());
    }
    let (accepted, asked) = (shorten(accepted), shorten(asked));
    Err(Code::Scheme.because(format!("the payload says scheme \"{accepted}\", the requirements say \"{asked}\"")))
}

fn network_name(case: &Case<'_>) -> Result<(), Reason> {
    if case.chain_id().is_some() {
        return Ok(());
    }
    let name = shorten(case.claim.accepted_network);
    Err(Code::NetworkMismatch.because(format!("\"{name}\" is no network name of protocol version 1")))
}

fn domain(case: &Case<'_>) -> Result<(), Reason> {
    let asked = &case.claim.asked;
    let missing = match (asked.name, asked.domain_version) {
        (Some(_), Some(_)) => return Ok(()),
        (None, Some(_)) => "extra.name is",
        (Some(_), None) => "extra.version is",
        (None, None) => "extra.name and extra.version are",
    };
    let named = case.token().filter(|token| !token.asset.name.is_empty());
    let fix = named.map(|token| format!("; this asset's are \"{}\" and \"{}\"", token.asset.name, token.asset.version));
    Err(Code::MissingDomain.because(format!("{missing} missing in the requirements{}", fix.unwrap_or_default())))
}

fn network(case: &Case<'_>) -> Result<(), Reason> {
    let (accepted, asked) = (case.claim.accepted_network, case.claim.asked.network);
    if accepted == asked {
        return Ok(());
    }
    let (accepted, asked) = (shorten(accepted), shorten(asked));
    let detail = format!("the payload was made for network \"{accepted}\", the requirements say \"{asked}\"");
    Err(Code::NetworkMismatch.because(detail))
}

fn factory(case: &Case<'_>) -> Result<(), Reason> {
    match &case.claim.signature {
        _ if case.signatures == Signatures::Trusted => Ok(()),
        Signature::BrokenWrapper => Err(Code::InvalidPayload.because(
            "paymentPayload.payload.signature: it ends like an ERC-6492 wrapper, but no wrapper can be read before it",
        )),
        Signature::Wrapped { factory } if matches!(case.payer_code(), chain::Code::Nothing) => {
            let detail = format!("the signature is an ERC-6492 wrapper of factory {factory}; no factory is allowed");
            Err(Code::FactoryNotAllowed.because(detail))
        }
        _ => Ok(()),
    }
}

fn signature(case: &Case<'_>) -> Result<(), Reason> {
    let unsignable = case.claim.unsignable.as_ref();
    if case.signatures == Signatures::Trusted && !matches!(unsignable, Some(Unsignable::Value(_))) {
        return Ok(());
    }
    let signer = case.recovered().and_then(|recovered| recovered.signer);
    if unsignable.is_none() && signer == Some(case.claim.authorization.from) {
        return Ok(());
    }
    Err(Code::Signature.because(explain::signature::why(case)))
}

fn recipient(case: &Case<'_>) -> Result<(), Reason> {
    let (to, pay_to) = (case.claim.authorization.to, case.claim.asked.pay_to);
    if to == pay_to {
        return Ok(());
    }
    let detail = format!("authorization.to is {}, the requirements' payTo is {}", checksum(to), checksum(pay_to));
    Err(Code::Recipient.because(detail))
}

fn valid_before(case: &Case<'_>) -> Result<(), Reason> {
    let (until, now) = (case.claim.authorization.valid_before, case.now);
    if until >= U256::from(now + BLOCK_TIME_BUFFER) {
        return Ok(());
    }
    let detail = if until <= U256::from(now) {
        format!("the authorization expired {} s ago (validBefore {until}, now {now})", U256::from(now) - until)
    } else {
        format!(
            "the authorization expires in {} s (validBefore {until}, now {now}); at least {BLOCK_TIME_BUFFER} s must \
             be left",
            until - U256::from(now)
        )
    };
    Err(Code::ValidBefore.because(detail).with_aside(clock::skew(case.chain.skew)))
}

fn valid_after(case: &Case<'_>) -> Result<(), Reason> {
    let (from, now) = (case.claim.authorization.valid_after, case.now);
    if from <= U256::from(now) {
        return Ok(());
    }
    let wait = from - U256::from(now);
    let detail = format!("the authorization is valid in {wait} s only (validAfter {from}, now {now})");
    Err(Code::ValidAfter.because(detail).with_aside(clock::skew(case.chain.skew)))
}

fn value(case: &Case<'_>) -> Result<(), Reason> {
    let (value, asked) = (case.claim.authorization.value, case.claim.asked.amount);
    if asked == Some(value) {
        return Ok(());
    }
    let asked = asked.map_or("more than 2^256 - 1".to_owned(), |asked| explain::money(asked, case.token()));
    let detail =
        format!("authorization.value is {}, the requirements ask {asked}", explain::money(value, case.token()));
    Err(Code::Value.because(detail))
}

fn asset_contract(case: &Case<'_>) -> Result<(), Reason> {
    if !matches!(case.code, chain::Code::Nothing) {
        return Ok(());
    }
    Err(Code::AssetNotContract.because(unknown_asset(case)))
}

fn simulation(case: &Case<'_>) -> Result<(), Reason> {
    match case.simulate() {
        Some(Ok(())) => Ok(()),
        Some(Err(revert)) => Err(diagnose(case, revert)),
        None => Err(Code::NotEip3009.because(unknown_asset(case))),
    }
}

/// Which other payment has used up a nonce, where it was another one.
fn other_user(case: &Case<'_>, once: &Once) -> Option<String> {
    let ledger = case.chain.view.ledger();
    let Record::Authorized { authorization, signature, .. } = ledger.record(ledger.user_of(once)?)? else {
        return None;
    };
    let Authorization { to, value, .. } = authorization;
    let id = PaymentId::of_signature(&signature.bytes());
    (*authorization != case.claim.authorization).then(|| format!(", by another payment: {id}, of {value} to {to}"))
}

/// Why a simulated transfer reverted, by the questions that the official facilitator asks, in its sequence.
fn diagnose(case: &Case<'_>, revert: Revert) -> Reason {
    let claim = &case.claim;
    let Some(token) = case.token().filter(|token| token.asset.transfer == Transfer::Eip3009) else {
        return Code::NotEip3009.because(format!("the asset has no transferWithAuthorization ({})", revert.0));
    };
    let payer = claim.authorization.from.into();
    let once = Once::authorization(token.id, claim.authorization.from, claim.authorization.nonce);
    if case.chain.view.is_used(&once) {
        let (nonce, by) = (claim.authorization.nonce, other_user(case, &once).unwrap_or_default());
        return Code::NonceUsed.because(format!("nonce {nonce} was used or canceled before{by} ({})", revert.0));
    }
    let differs = |said: Option<&Json<'_>>, is: &str| said.is_some_and(|said| said.as_str() != Some(is));
    let text = |said: Option<&Json<'_>>| shorten(said.and_then(Json::as_str).unwrap_or_default());
    let domain = |part: &str, said: Option<&Json<'_>>, is: &str| {
        format!("the requirements' extra.{part} is \"{}\", this asset's is \"{is}\" ({})", text(said), revert.0)
    };
    if differs(claim.asked.name, &token.asset.name) {
        return Code::TokenName.because(domain("name", claim.asked.name, &token.asset.name));
    }
    if differs(claim.asked.domain_version, &token.asset.version) {
        return Code::TokenVersion.because(domain("version", claim.asked.domain_version, &token.asset.version));
    }
    let balance = case.chain.view.balance(token.id, payer);
    if claim.asked.amount.is_none_or(|amount| balance < amount) {
        return Code::InsufficientBalance.because(too_little(case, revert));
    }
    Code::SimulationFailed.because(format!("the transfer would revert: {}", revert.0))
}

/// The sentence for a payer who has too little.
pub(super) fn too_little(case: &Case<'_>, revert: Revert) -> String {
    let Some(token) = case.token() else { return revert.0.to_owned() };
    let balance = case.chain.view.balance(token.id, case.claim.authorization.from.into());
    let (payer, value) = (case.claim.payer, case.claim.authorization.value);
    let (value, balance) = (explain::money(value, Some(token)), explain::money(balance, Some(token)));
    format!("{payer} holds {balance} and would pay {value} ({})", revert.0)
}

fn unknown_asset(case: &Case<'_>) -> String {
    let asset = eip155::checksum(case.claim.asked.asset);
    let network = shorten(case.claim.asked.network);
    let known = case.chain.catalog.network(case.claim.version, case.claim.asked.network).map(|network| {
        let names = network.assets.iter().map(|asset| format!("{} {}", asset.symbol, asset.address));
        format!("; known there: {}", names.collect::<Vec<_>>().join(", "))
    });
    format!("there is no contract at {asset} on {network}{}", known.unwrap_or_default())
}
