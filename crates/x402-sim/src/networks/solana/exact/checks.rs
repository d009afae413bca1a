//! The checks of `exact` on Solana, and their two orders.
//!
//! Source: TS 2.27 svm `exact/facilitator/scheme.ts`, `signatureVerification.ts` (version 2),
//! `exact/v1/facilitator/scheme.ts` (version 1). Smart wallets are verified by neither unless it is configured.

use x402_wire::shape::shorten;

use super::case::Case;
use super::layout;
use super::reason::{Code, Place};
use crate::accounts;
use crate::networks::eip155::chain::Signatures;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::Instruction;
use crate::networks::solana::program;
use crate::networks::solana::transaction::Fault;
use crate::order::{Check, Order, When};
use crate::reason::Reason;
use crate::registry::Version;

/// A test of a case.
pub type Test = for<'a, 'b> fn(&'a Case<'b>) -> Result<(), Reason>;

const fn check(name: &'static str, test: Test) -> Check<Test> {
    Check { name, when: When::Always, test }
}

static V2: [Check<Test>; 20] = [
    check("scheme", scheme),
    check("network", network),
    check("feePayer", fee_payer),
    check("our fee payer", our_fee_payer),
    check("transaction", decodes),
    check("first account", first_account),
    check("signatures", signatures),
    check("lookup tables", lookup_tables),
    check("accounts", accounts),
    check("length", length_of_seven),
    check("compute limit", compute_limit),
    check("compute price", compute_price),
    check("transfer", transfer),
    check("authority", authority),
    check("mint", mint),
    check("recipient", recipient),
    check("amount", amount),
    check("rest", rest),
    check("memo", memo),
    check("simulation", simulation),
];

static V1: [Check<Test>; 19] = [
    check("scheme", scheme),
    check("network", network),
    check("feePayer", fee_payer),
    check("our fee payer", our_fee_payer),
    check("transaction", decodes),
    check("first account", first_account),
    check("signatures", signatures),
    check("no lookup tables", no_lookup_tables),
    check("length", length_of_six),
    check("compute limit", compute_limit),
    check("compute price", compute_price),
    check("transfer", transfer),
    check("authority", authority),
    check("mint", mint),
    check("recipient", recipient),
    check("amount", amount),
    check("rest", rest),
    check("memo", memo),
    check("simulation", simulation),
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

fn network(case: &Case<'_>) -> Result<(), Reason> {
    let (accepted, asked) = (case.claim.accepted_network, case.claim.asked.network);
    if accepted == asked {
        return Ok(());
    }
    let (accepted, asked) = (shorten(accepted), shorten(asked));
    let detail = format!("the payload was made for network \"{accepted}\", the requirements say \"{asked}\"");
    Err(Code::Network.because(detail))
}

fn fee_payer(case: &Case<'_>) -> Result<(), Reason> {
    if case.claim.asked.fee_payer.is_some() {
        return Ok(());
    }
    let detail = format!("extra.feePayer is missing in the requirements; here it is {}", Case::facilitator());
    Err(Code::NoFeePayer.because(detail))
}

fn our_fee_payer(case: &Case<'_>) -> Result<(), Reason> {
    let (said, own) = (case.claim.asked.fee_payer.unwrap_or_default(), accounts::facilitator().solana_address);
    if said == own {
        return Ok(());
    }
    let detail = format!("the requirements' extra.feePayer is {}, this facilitator is {own}", shorten(said));
    Err(Code::FeePayerNotManaged.because(detail))
}

fn decodes(case: &Case<'_>) -> Result<(), Reason> {
    case.transaction().map(drop).map_err(|why| Code::NotDecoded.because(why))
}

fn first_account(case: &Case<'_>) -> Result<(), Reason> {
    let (own, first) = (Case::facilitator(), case.transaction().ok().and_then(|own| own.message.fee_payer()));
    if first == Some(own) {
        return Ok(());
    }
    let first = first.map_or_else(|| "nobody".to_owned(), |key| key.to_string());
    Err(Code::FeePayerMismatch.because(format!("the transaction's fee is paid by {first}, and should be by {own}")))
}

fn signatures(case: &Case<'_>) -> Result<(), Reason> {
    if case.signatures == Signatures::Trusted {
        return Ok(());
    }
    let Some((place, key, fault)) = case.transaction().ok().and_then(|transaction| transaction.wrongly_signed(1))
    else {
        return Ok(());
    };
    let what = match fault {
        Fault::Missing => "is missing",
        Fault::Wrong => "is not of this key and this message",
    };
    Err(Code::Signature.because(format!("the signature of {key} (signer {place}) {what}")))
}

fn lookup_tables(case: &Case<'_>) -> Result<(), Reason> {
    let Ok(transaction) = case.transaction() else { return Ok(()) };
    let site = case.site();
    let known = |table: Key| site.is_some_and(|site| site.lookup_table(table).is_some());
    let Some(missing) = transaction.message.lookups.iter().find(|lookup| !known(lookup.table)) else { return Ok(()) };
    Err(Code::LookupTable.because(format!("there is no lookup table at {}", missing.table)))
}

fn no_lookup_tables(case: &Case<'_>) -> Result<(), Reason> {
    let Ok(transaction) = case.transaction() else { return Ok(()) };
    if !transaction.message.lookups.is_empty() {
        return Err(Code::NotDecoded.because("it uses lookup tables, which protocol version 1 does not know"));
    }
    accounts(case)
}

fn accounts(case: &Case<'_>) -> Result<(), Reason> {
    case.instructions().map(drop).map_err(|why| Code::NotDecoded.because(why))
}

fn length_of_seven(case: &Case<'_>) -> Result<(), Reason> {
    length(case, 7)
}

fn length_of_six(case: &Case<'_>) -> Result<(), Reason> {
    length(case, 6)
}

fn length(case: &Case<'_>, most: usize) -> Result<(), Reason> {
    let count = instructions(case).len();
    if (3..=most).contains(&count) {
        return Ok(());
    }
    Err(Code::Length.because(format!("it has {count} instructions; 3 to {most} are allowed")))
}

fn compute_limit(case: &Case<'_>) -> Result<(), Reason> {
    if instructions(case).first().is_some_and(layout::is_limit) {
        return Ok(());
    }
    Err(Code::ComputeLimit.because("the first instruction is not SetComputeUnitLimit"))
}

fn compute_price(case: &Case<'_>) -> Result<(), Reason> {
    match instructions(case).get(1).and_then(layout::price) {
        Some(price) if price <= layout::MAX_PRICE => Ok(()),
        Some(price) => {
            let most = layout::MAX_PRICE;
            Err(Code::ComputePriceTooHigh.because(format!(
                "a compute unit is priced at {price} millionths of a lamport; at most {most} are paid"
            )))
        }
        None => Err(Code::ComputePrice.because("the second instruction is not SetComputeUnitPrice")),
    }
}

fn transfer(case: &Case<'_>) -> Result<(), Reason> {
    if case.payer().is_some() && case.transfer().is_some() {
        return Ok(());
    }
    Err(Code::NoTransfer.because("the third instruction is not TransferChecked of a token program"))
}

fn authority(case: &Case<'_>) -> Result<(), Reason> {
    let own = Case::facilitator();
    if case.transfer().is_some_and(|transfer| transfer.authority != own) {
        return Ok(());
    }
    Err(Code::FeePayerTransferring.because(format!("the tokens are those of the facilitator itself, {own}")))
}

fn mint(case: &Case<'_>) -> Result<(), Reason> {
    let said = case.transfer().map(|transfer| transfer.mint);
    // A key has one spelling.
    if said.is_some() && said == Key::parse(case.claim.asked.asset) {
        return Ok(());
    }
    let said = said.map(|mint| mint.to_string()).unwrap_or_default();
    let asked = shorten(case.claim.asked.asset);
    Err(Code::Mint.because(format!("the transfer is of mint {said}, the requirements ask for {asked}")))
}

fn recipient(case: &Case<'_>) -> Result<(), Reason> {
    let said = case.transfer().map(|transfer| transfer.destination);
    let asked = case.destination();
    if asked.is_some() && said == asked {
        return Ok(());
    }
    let pay_to = shorten(case.claim.asked.pay_to);
    let said = said.map(|key| key.to_string()).unwrap_or_default();
    let detail = match asked {
        Some(asked) => format!("the tokens go to {said}; the token account of {pay_to} is {asked}"),
        None => format!("the requirements' payTo \"{pay_to}\" is no address, so that no token account is its own"),
    };
    Err(Code::Recipient.because(detail))
}

fn amount(case: &Case<'_>) -> Result<(), Reason> {
    let (said, asked) = (case.transfer().map_or(0, |transfer| transfer.amount), case.claim.asked.amount);
    // The claim holds digits; what does not fit into 64 bits nobody can have transferred.
    if asked.parse() == Ok(said) {
        return Ok(());
    }
    let asked = shorten(asked);
    Err(Code::Amount.because(format!("the transfer is of {said} atomic units, the requirements ask for {asked}")))
}

fn rest(case: &Case<'_>) -> Result<(), Reason> {
    for (instruction, place) in instructions(case).iter().skip(3).zip(Place::ALL) {
        if !program::OPTIONAL.contains(&instruction.program) {
            let detail = format!(
                "behind the transfer only Lighthouse and Memo may be called, and there {} is",
                instruction.program
            );
            return Err(Code::Unknown(place).because(detail));
        }
    }
    Ok(())
}

fn memo(case: &Case<'_>) -> Result<(), Reason> {
    let Some(asked) = case.claim.asked.memo else { return Ok(()) };
    let memos: Vec<&Instruction> =
        instructions(case).iter().skip(3).filter(|instruction| instruction.program == program::MEMO).collect();
    let [memo] = memos.as_slice() else {
        let detail = format!("the requirements give a memo, and the transaction has {} of them", memos.len());
        return Err(Code::MemoCount.because(detail));
    };
    let said = layout::memo_text(&memo.data);
    if asked.as_str() == Some(said.as_str()) {
        return Ok(());
    }
    let asked = asked.as_str().map_or_else(|| "no text".to_owned(), |asked| format!("\"{}\"", shorten(asked)));
    Err(Code::Memo.because(format!("the memo is \"{}\", the requirements' extra.memo is {asked}", shorten(&said))))
}

fn simulation(case: &Case<'_>) -> Result<(), Reason> {
    let failed = match case.simulate() {
        Some(Ok(outcome)) => outcome.result.err(),
        Some(Err(failure)) => Some(failure),
        None => return Err(Code::Simulation.because("the network is not simulated here")),
    };
    let Some(failure) = failed else { return Ok(()) };
    let detail = format!("Simulation failed: {} ({})", failure.to_json(), failure.why);
    Err(Code::Simulation.because(detail))
}

fn instructions<'c>(case: &'c Case<'_>) -> &'c [Instruction] {
    case.instructions().unwrap_or_default()
}
