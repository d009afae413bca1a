//! The checks of `exact` by Permit2 and of `upto`, and their official orders.
//!
//! Source: TS 2.27 evm `exact/facilitator/permit2.ts`, `upto/facilitator/permit2.ts`, `shared/permit2.ts` (diagnosis).

use alloy_primitives::U256;
use x402_wire::shape::shorten;

use super::Scheme;
use super::case::Case;
use super::permit::{EXACT_PROXY, UPTO_PROXY};
use crate::clock;
use crate::explain;
use crate::ledger::Account;
use crate::networks::eip155::chain::{Code as Stands, Revert, Signatures};
use crate::networks::eip155::{PERMIT2, checksum};
use crate::order::{Check, Order, When};
use crate::reason::{Code, Reason};

/// A test of a case.
pub type Test = for<'a, 'b> fn(&'a Case<'b>) -> Result<(), Reason>;

/// How many seconds a permit must still live.
const BLOCK_TIME_BUFFER: u64 = 6;

static EXACT: [Check<Test>; 11] = [
    Check { name: "scheme", when: When::Always, test: scheme },
    Check { name: "network", when: When::Always, test: network },
    Check { name: "spender", when: When::Always, test: spender },
    Check { name: "recipient", when: When::Always, test: recipient },
    Check { name: "deadline", when: When::Always, test: deadline },
    Check { name: "validAfter", when: When::Always, test: valid_after },
    Check { name: "amount", when: When::Always, test: amount },
    Check { name: "token", when: When::Always, test: token },
    Check { name: "asset contract", when: When::Always, test: asset_contract },
    Check { name: "signature", when: When::Always, test: signature },
    Check { name: "simulation", when: When::Verify, test: simulation },
];

static UPTO: [Check<Test>; 12] = [
    Check { name: "scheme", when: When::Always, test: scheme },
    Check { name: "network", when: When::Always, test: network },
    Check { name: "spender", when: When::Always, test: spender },
    Check { name: "recipient", when: When::Always, test: recipient },
    Check { name: "facilitator", when: When::Always, test: facilitator },
    Check { name: "deadline", when: When::Always, test: deadline },
    Check { name: "validAfter", when: When::Always, test: valid_after },
    Check { name: "amount", when: When::Always, test: amount },
    Check { name: "token", when: When::Always, test: token },
    Check { name: "asset contract", when: When::Always, test: asset_contract },
    Check { name: "signature", when: When::Always, test: signature },
    // Unlike `exact`, a settlement is simulated again.
    Check { name: "simulation", when: When::Always, test: simulation },
];

/// The official order of a scheme.
pub const fn order(scheme: Scheme) -> Order<Test> {
    match scheme {
        Scheme::Exact => Order::new(&EXACT),
        Scheme::Upto => Order::new(&UPTO),
    }
}

fn scheme(case: &Case<'_>) -> Result<(), Reason> {
    let (accepted, asked, wanted) = (case.claim.accepted_scheme, case.claim.asked.scheme, case.claim.scheme.name());
    if accepted == wanted && asked == wanted {
        return Ok(());
    }
    let code = match case.claim.scheme {
        Scheme::Exact => Code::PayloadType,
        Scheme::Upto => Code::UptoScheme,
    };
    let (accepted, asked) = (shorten(accepted), shorten(asked));
    Err(code.because(format!("the payload says scheme \"{accepted}\", the requirements say \"{asked}\"")))
}

fn network(case: &Case<'_>) -> Result<(), Reason> {
    let (accepted, asked) = (case.claim.accepted_network, case.claim.asked.network);
    if accepted == asked {
        return Ok(());
    }
    let code = match case.claim.scheme {
        Scheme::Exact => Code::NetworkMismatch,
        Scheme::Upto => Code::UptoNetwork,
    };
    let (accepted, asked) = (shorten(accepted), shorten(asked));
    Err(code.because(format!("the payload was made for network \"{accepted}\", the requirements say \"{asked}\"")))
}

fn spender(case: &Case<'_>) -> Result<(), Reason> {
    let (said, proxy) = (case.claim.permit.spender, case.claim.scheme.proxy());
    if said == proxy {
        return Ok(());
    }
    let whose = match said {
        EXACT_PROXY => " (the proxy of exact)",
        UPTO_PROXY => " (the proxy of upto)",
        _ => "",
    };
    let (said, proxy, name) = (checksum(said), checksum(proxy), case.claim.scheme.name());
    Err(Code::Permit2Spender
        .because(format!("permit2Authorization.spender is {said}{whose}; the proxy of {name} is {proxy}")))
}

fn recipient(case: &Case<'_>) -> Result<(), Reason> {
    let (to, pay_to) = (case.claim.permit.witness.to, case.claim.asked.pay_to);
    if to == pay_to {
        return Ok(());
    }
    let (to, pay_to) = (checksum(to), checksum(pay_to));
    Err(Code::Permit2Recipient
        .because(format!("permit2Authorization.witness.to is {to}, the requirements' payTo is {pay_to}")))
}

fn facilitator(case: &Case<'_>) -> Result<(), Reason> {
    let said = case.claim.permit.witness.facilitator.unwrap_or_default();
    if said == case.facilitator {
        return Ok(());
    }
    let (said, own) = (checksum(said), checksum(case.facilitator));
    Err(Code::UptoFacilitator
        .because(format!("permit2Authorization.witness.facilitator is {said}, this facilitator is {own}")))
}

fn deadline(case: &Case<'_>) -> Result<(), Reason> {
    let (until, now) = (case.claim.permit.deadline, case.now);
    if until >= U256::from(now + BLOCK_TIME_BUFFER) {
        return Ok(());
    }
    let detail = if until <= U256::from(now) {
        format!("the permit expired {} s ago (deadline {until}, now {now})", U256::from(now) - until)
    } else {
        format!(
            "the permit expires in {} s (deadline {until}, now {now}); at least {BLOCK_TIME_BUFFER} s must be left",
            until - U256::from(now)
        )
    };
    Err(Code::Permit2Deadline.because(detail).with_aside(clock::skew(case.chain.skew)))
}

fn valid_after(case: &Case<'_>) -> Result<(), Reason> {
    let (from, now) = (case.claim.permit.witness.valid_after, case.now);
    if from <= U256::from(now) {
        return Ok(());
    }
    let wait = from - U256::from(now);
    let detail = format!("the permit is valid in {wait} s only (witness.validAfter {from}, now {now})");
    Err(Code::Permit2NotYetValid.because(detail).with_aside(clock::skew(case.chain.skew)))
}

fn amount(case: &Case<'_>) -> Result<(), Reason> {
    let permitted = case.claim.permit.amount;
    if case.amount == Some(permitted) {
        return Ok(());
    }
    let asked = case.amount.map_or("more than 2^256 - 1".to_owned(), |asked| explain::money(asked, case.token()));
    let permitted = explain::money(permitted, case.token());
    Err(Code::Permit2Amount
        .because(format!("permit2Authorization.permitted.amount is {permitted}, the requirements ask {asked}")))
}

fn token(case: &Case<'_>) -> Result<(), Reason> {
    let (said, asset) = (case.claim.permit.token, case.claim.asked.asset);
    if said == asset {
        return Ok(());
    }
    let (said, asset) = (checksum(said), checksum(asset));
    Err(Code::Permit2Token
        .because(format!("permit2Authorization.permitted.token is {said}, the requirements' asset is {asset}")))
}

fn asset_contract(case: &Case<'_>) -> Result<(), Reason> {
    if !matches!(case.code, Stands::Nothing) {
        return Ok(());
    }
    let (asset, network) = (checksum(case.claim.asked.asset), shorten(case.claim.asked.network));
    Err(Code::AssetNotContract.because(format!("there is no contract at {asset} on {network}")))
}

fn signature(case: &Case<'_>) -> Result<(), Reason> {
    let fits = || !case.is_contract() && case.recovered().and_then(|found| found.signer) == Some(case.claim.owner);
    if case.claim.too_large.is_none() && (case.signatures == Signatures::Trusted || fits()) {
        return Ok(());
    }
    Err(Code::Permit2Signature.because(explain::permit::why(case)))
}

fn simulation(case: &Case<'_>) -> Result<(), Reason> {
    // The order has compared it with the permitted amount before.
    let amount = case.amount.unwrap_or(case.claim.permit.amount);
    match case.simulate(amount) {
        Ok(_) => Ok(()),
        Err(revert) => Err(diagnose(case, amount, revert)),
    }
}

/// Why a simulated settlement reverted, by the questions that the official facilitator asks, in its sequence.
fn diagnose(case: &Case<'_>, amount: U256, revert: Revert) -> Reason {
    let Some(token) = case.token() else {
        return Code::Permit2Simulation.because(format!("the settlement would revert: {}", revert.0));
    };
    let owner = Account::from(case.claim.owner);
    let (who, wanted) = (checksum(case.claim.owner), explain::money(amount, Some(token)));
    let balance = case.chain.view.balance(token.id, owner);
    if balance < amount {
        let held = explain::money(balance, Some(token));
        return Code::Permit2Balance.because(format!("{who} holds {held} and would pay {wanted} ({})", revert.0));
    }
    let allowance = case.chain.view.allowance(token.id, owner, PERMIT2.into());
    if allowance < amount {
        let allowed = explain::money(allowance, Some(token));
        return Code::Permit2Allowance.because(format!(
            "{who} allows the Permit2 contract {allowed}, and {wanted} are asked; approve {} of the token for {} first",
            wanted,
            checksum(PERMIT2)
        ));
    }
    if case.chain.view.is_used(&case.claim.permit.once(case.claim.owner)) {
        let nonce = case.claim.permit.nonce;
        return Code::Permit2Used
            .because(format!("the settlement would revert: {} (nonce {nonce} was used before)", revert.0));
    }
    Code::Permit2Simulation.because(format!("the settlement would revert: {}", revert.0))
}
