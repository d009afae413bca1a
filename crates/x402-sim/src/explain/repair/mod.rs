//! Likely mistakes behind each refusal, and the payment without them.
//!
//! | room | what it mends |
//! |---|---|
//! | [`shape`] | version, missing and misnamed members, numbers, JSON in texts |
//! | [`notation`] | numbers and signatures as languages write them |
//! | [`kinds`] | payments of another version, kind of network or instrument than is asked for |
//! | [`payee`] | payees that nobody means to pay |
//! | [`address`] | addresses of other networks, asset and payee swapped |
//! | [`terms`] | scheme, network, payee, amount, asset |
//! | [`times`] | expiry, clocks |
//! | [`signature`], [`fit`] | signatures of EIP-3009: what they fit, and whose they are |
//! | [`spelling`], [`parts`] | the form of signatures: lengths, encodings, the sequence of r, s and v |
//! | [`rewritten`] | badly written signatures, beside other mistakes |
//! | [`token`] | what the token itself finds: domain, `s` and `v` |
//! | [`permit`] | signatures and contracts of Permit2 |
//! | [`solana`] | transactions |

use serde_json::Value;

use super::finding::Finding;
use super::judge::{Attempt, Bench, Failure, place};
use super::onchain;
use crate::networks::Family;
use crate::networks::eip155::permit2::contract::TRANSFER_FAILED;
use crate::networks::solana::exact::reason as svm;
use crate::reason::Code;

mod address;
mod fit;
mod kinds;
mod notation;
mod parts;
mod payee;
mod permit;
mod rewritten;
mod shape;
mod signature;
mod solana;
mod spelling;
mod terms;
mod times;
mod token;

pub(super) use address::stand_in;
pub(super) use kinds::{is_of_version_1_but_for_its_number, is_signed_for_other_family, is_version_1, of_other_family};
pub(super) use payee::remarks as of_payee;
pub(super) use permit::told as of_permit;
pub(super) use rewritten::beside as form_beside;
pub(super) use shape::in_units;
pub(super) use solana::{OF_PAYEE, named_by_simulation, simulated, stale, told as of_simulation};
pub(super) use terms::{alias, compared, same_chain};
pub(super) use times::{lifetime_of, remarks, unreadable_lifetime};

/// A likely mistake, and the payment without it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// What is found; nothing where only something was assumed.
    pub finding: Option<Finding>,
    /// The payment without it.
    pub next: Attempt,
    /// What was changed, as the beginning of a sentence.
    pub how: String,
    /// The proof, where there is one that needs no verification: the payer was recovered.
    pub sure: Option<String>,
    /// What another facilitator would say of it, where this world stumbles over something else first.
    pub instead: Option<Failure>,
    /// A second mistake, which was made together with the first, so that the same proof shows both.
    pub also: Option<Finding>,
}

impl Candidate {
    fn new(finding: Finding, next: Attempt, how: impl Into<String>) -> Self {
        Self { finding: Some(finding), next, how: how.into(), sure: None, instead: None, also: None }
    }

    fn sure(finding: Finding, next: Attempt, proof: impl Into<String>) -> Self {
        Self { finding: Some(finding), next, how: String::new(), sure: Some(proof.into()), instead: None, also: None }
    }

    fn assumed(next: Attempt, proof: impl Into<String>) -> Self {
        Self { finding: None, next, how: String::new(), sure: Some(proof.into()), instead: None, also: None }
    }
}

/// The likely mistakes behind a refusal, the likeliest first.
pub(super) fn candidates(bench: &Bench, attempt: &Attempt, failed: &Failure) -> Vec<Candidate> {
    // Whoever has paid already is told so before anything is mended.
    let of_evm = || address::network(bench, attempt).is_none_or(|network| network.family == Family::Eip155);
    if let Some(finding) = onchain::finding(&attempt.payload).filter(|_| of_evm()) {
        let proof = "nothing but a signed authorization or permit pays there by x402, and there is none in it";
        return vec![Candidate::sure(finding.at("paymentPayload.payload"), attempt.clone(), proof)];
    }
    let mut all = Vec::from_iter(kinds::version(attempt));
    all.extend(kinds::family(bench, attempt));
    all.extend(kinds::permit_by_another_name(attempt));
    all.extend(of_code(bench, attempt, failed));
    all
}

/// The likely mistakes behind one code.
fn of_code(bench: &Bench, attempt: &Attempt, failed: &Failure) -> Vec<Candidate> {
    match failed.code {
        Code::UnknownVersion => shape::version(attempt),
        Code::UnknownScheme => terms::unknown_scheme(attempt),
        Code::UnknownNetwork => terms::unknown_network(bench, attempt),
        Code::InvalidPayload => shape::malformed(bench, attempt, &failed.detail),
        Code::Scheme | Code::PayloadType | Code::UptoScheme | Code::Svm(svm::Code::Scheme) => {
            let mut all = kinds::upto(attempt);
            all.extend(shape::malformed(bench, attempt, &failed.detail));
            all.extend(terms::scheme(attempt));
            all
        }
        Code::NetworkMismatch | Code::UptoNetwork | Code::Svm(svm::Code::Network) => terms::network(attempt),
        Code::MissingDomain => token::missing_domain(bench, attempt),
        Code::FactoryNotAllowed => spelling::wrapped(attempt),
        Code::Signature => signature::token(bench, attempt),
        Code::Recipient | Code::Permit2Recipient => terms::recipient(attempt),
        Code::ValidBefore | Code::Permit2Deadline => times::expired(attempt),
        Code::ValidAfter | Code::Permit2NotYetValid | Code::Permit2TooEarly => times::early(attempt),
        Code::Value | Code::Permit2Amount | Code::UptoExceeds => terms::amount(bench, attempt),
        Code::InsufficientBalance | Code::Permit2Balance => terms::other_payer(attempt, "insufficient_balance"),
        Code::AssetNotContract | Code::NotEip3009 => terms::asset(bench, attempt),
        Code::TokenName | Code::TokenVersion => token::other_domain(bench, attempt),
        Code::SimulationFailed | Code::Permit2Simulation => {
            let mut all = Vec::from_iter(payee::unpayable(bench, attempt));
            if failed.detail.contains("blacklisted") {
                all.extend(terms::other_payer(attempt, "blocked_account"));
            } else {
                all.extend(token::form(attempt));
            }
            if failed.detail.contains("authorization is not yet valid") {
                all.extend(times::early(attempt));
            }
            // Permit2 keeps the token's own words to itself.
            if failed.detail.contains(TRANSFER_FAILED) {
                all.extend(terms::other_payer(attempt, "blocked_account"));
            }
            all
        }
        Code::Permit2Spender => permit::spender(attempt),
        Code::UptoFacilitator => permit::facilitator(attempt),
        Code::Permit2Token => permit::token(attempt),
        Code::Permit2Signature => permit::signature(bench, attempt),
        Code::Svm(code) => solana::candidates(bench, attempt, code, &failed.detail),
        _ => Vec::new(),
    }
}

/// What a refusal means where no mistake could be proven.
pub(super) fn unproven(failed: &Failure) -> Finding {
    let finding = likely(failed);
    let is_of_shape = ["malformed", "missing_field"].contains(&finding.id);
    if is_of_shape { finding.at(place(&failed.detail)) } else { finding }
}

fn likely(failed: &Failure) -> Finding {
    Finding::new(match failed.code {
        // A payload without a part is said to be of another scheme.
        Code::PayloadType | Code::UptoScheme if failed.detail.contains(": expected") => "malformed",
        Code::UnknownVersion => "version_unknown",
        Code::UnknownScheme => "scheme_unknown",
        Code::UnknownNetwork => "network_unknown",
        Code::Scheme | Code::PayloadType | Code::UptoScheme | Code::Svm(svm::Code::Scheme) => "scheme_mismatch",
        Code::NetworkMismatch | Code::UptoNetwork | Code::Svm(svm::Code::Network) => "network_mismatch",
        Code::MissingDomain => "domain_missing",
        Code::FactoryNotAllowed => "signature_wrapped",
        Code::Signature | Code::Permit2Signature => "signature_unexplained",
        Code::Recipient | Code::Permit2Recipient => "wrong_payee",
        Code::ValidBefore | Code::Permit2Deadline => "expired",
        Code::ValidAfter | Code::Permit2NotYetValid | Code::Permit2TooEarly => "not_yet_valid",
        Code::Value | Code::Permit2Amount | Code::UptoExceeds | Code::Svm(svm::Code::Amount) => "amount_mismatch",
        Code::AssetNotContract => "asset_unknown",
        Code::NotEip3009 => "asset_not_eip3009",
        Code::NonceUsed | Code::Permit2Used | Code::Permit2InvalidNonce => "nonce_used",
        Code::TokenName => "wrong_domain_name",
        Code::TokenVersion => "wrong_domain_version",
        Code::InsufficientBalance | Code::Permit2Balance => "insufficient_balance",
        Code::Permit2Allowance => "permit2_allowance",
        Code::Permit2Spender => "permit2_spender",
        Code::Permit2Token => "wrong_asset",
        Code::UptoFacilitator => "upto_facilitator",
        Code::SettlementPending => "settlement_pending",
        Code::Simulated => "simulation_mode",
        Code::Svm(code) => solana::unproven(code, &failed.detail),
        _ if failed.detail.ends_with(", found nothing") => "missing_field",
        _ if failed.detail.contains(": expected") => "malformed",
        _ => "transaction_would_fail",
    })
}

/// The payment as if the check had passed, to see what else is wrong: nothing is claimed about it.
pub(super) fn past(attempt: &Attempt, failed: &Failure) -> Option<Attempt> {
    let asked = |pointer: &str| attempt.requirements.pointer(pointer).cloned();
    match failed.code {
        Code::Signature | Code::Permit2Signature | Code::FactoryNotAllowed | Code::Svm(svm::Code::Signature) => {
            Some(attempt.clone().again())
        }
        Code::Recipient => Some(attempt.pay("/payload/authorization/to", asked("/payTo")?).again()),
        Code::Permit2Recipient => {
            Some(attempt.pay("/payload/permit2Authorization/witness/to", asked("/payTo")?).again())
        }
        Code::Value => Some(attempt.pay("/payload/authorization/value", asked(attempt.amount_key())?).again()),
        _ => None,
    }
}

/// Whether a refusal says something beside what was found before it. With the signature of nobody or of another it is in
/// doubt who the payer is, so that nothing is said of the payer's money.
pub(super) fn is_said_beside(found: &[Finding], failed: &Failure) -> bool {
    const OF_PAYER: [&str; 4] = ["blacklisted", "exceeds balance", "exceeds allowance", "from the zero address"];
    let of_payer = match failed.code {
        Code::InsufficientBalance | Code::Permit2Balance | Code::Permit2Allowance => true,
        _ => OF_PAYER.iter().any(|part| failed.detail.contains(part)),
    };
    !(of_payer && found.iter().any(|finding| ["signature_unexplained", "wrong_key"].contains(&finding.id)))
}

/// What a payer signs of the requirements: a member of theirs, and where it stands in the payload.
pub(super) const SIGNED: [(&str, &str); 6] = [
    ("amount", "/payload/authorization/value"),
    ("maxAmountRequired", "/payload/authorization/value"),
    ("amount", "/payload/permit2Authorization/permitted/amount"),
    ("payTo", "/payload/authorization/to"),
    ("payTo", "/payload/permit2Authorization/witness/to"),
    ("asset", "/payload/permit2Authorization/permitted/token"),
];

/// The payment with another member in the requirements, and wherever the payer has signed what stood there.
fn anew(attempt: &Attempt, pointer: &str, value: &Value) -> Attempt {
    let old = attempt.requirements.pointer(pointer);
    let next = attempt.ask(pointer, value.clone());
    let of_member = SIGNED.iter().filter(|(key, _)| pointer.strip_prefix('/') == Some(key));
    let copies = of_member.filter(|(_, place)| old.is_some() && attempt.payload.pointer(place) == old);
    copies.fold(next, |next, (_, place)| next.pay(place, value.clone()).again())
}

/// Where the signed part of a payment stands.
pub(super) fn signed_part(attempt: &Attempt) -> &'static str {
    if attempt.payload.pointer("/payload/permit2Authorization").is_some() {
        "/payload/permit2Authorization"
    } else {
        "/payload/authorization"
    }
}

/// A whole number in a text, or one that should stand in a text.
pub(super) fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

/// Who pays, as the payment says it.
pub(super) fn payer(attempt: &Attempt) -> Option<String> {
    let from = ["/payload/authorization/from", "/payload/permit2Authorization/from"];
    let said = from.iter().find_map(|place| attempt.paid(place)).map(str::to_owned);
    said.or_else(|| solana::payer(attempt))
}

/// A pointer as the path that messages use.
pub(super) fn path(root: &str, pointer: &str) -> String {
    format!("{root}{}", pointer.replace('/', "."))
}
