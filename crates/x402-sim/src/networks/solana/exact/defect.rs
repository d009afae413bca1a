//! The named defects of a payment on Solana: what each breaks, and what a facilitator and a paid resource say of it.
//!
//! One table. The end-to-end tests sign with every row and send it to a running server, in both protocol versions.

use x402_wire::document::Document;

use super::draft::{Draft, Terms, payload};
use super::reason::{Code, Place};
use super::spoil;
use crate::networks::eip155::eip3009::defect::Verdict;
use crate::networks::eip155::eip3009::draft::Surroundings;
use crate::networks::solana::transaction::{Transaction, to_base64};
use crate::reason;

/// One thing that is wrong with a payment.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// Its name. Where a payment on an EVM network can have the same one, it is called the same.
    pub name: &'static str,
    /// What is wrong, as a fragment.
    pub what: &'static str,
    /// What `/verify` and `/settle` say.
    facilitator: Verdict,
    /// What a paid resource says.
    resource: Verdict,
    spoil: Spoil,
}

/// At which step a payment is spoilt.
#[derive(Clone, Copy, Debug)]
enum Spoil {
    /// Before it is signed: the signature fits.
    Draft(fn(&mut Draft)),
    /// The transaction, after it was signed.
    Signed(fn(&mut Transaction)),
    /// The bytes of the transaction.
    Wire(fn(&[u8]) -> Vec<u8>),
    /// What is written around it.
    Payload(fn(&mut Document)),
}

/// A signed payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The payload.
    pub payload: Document,
    /// The hash of the message that was signed.
    pub digest: [u8; 32],
}

/// A defect that would change nothing in a payment of these terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` changes nothing here: {what} is what these requirements ask for")]
pub struct NoDefect {
    name: &'static str,
    what: &'static str,
}

/// Every defect.
pub static DEFECTS: &[Defect] = &[
    // The signature.
    Defect::of("wrong-signer", "signed by another account's key", Code::Signature, Spoil::Signed(spoil::other_key)),
    Defect::of(
        "tampered",
        "another amount than the one that was signed",
        Code::Signature,
        Spoil::Signed(spoil::other_value),
    ),
    Defect::of("missing-signature", "no signature of the payer", Code::Signature, Spoil::Signed(spoil::unsigned)),
    // The parties and the amount.
    Defect::of("wrong-recipient", "a payment to the payer itself", Code::Recipient, Spoil::Draft(spoil::to_self)),
    Defect::of("underpaid", "one atomic unit too little", Code::Amount, Spoil::Draft(spoil::underpaid)),
    Defect::of("overpaid", "one atomic unit too much", Code::Amount, Spoil::Draft(spoil::overpaid)),
    Defect::of("zero-value", "an amount of zero", Code::Amount, Spoil::Draft(spoil::zero)),
    Defect::of("wrong-mint", "tokens of another mint", Code::Mint, Spoil::Draft(spoil::other_mint)),
    Defect::of("own-fee", "a payer who pays the fee", Code::FeePayerMismatch, Spoil::Draft(spoil::own_fee)),
    Defect::of(
        "facilitator-pays",
        "the facilitator's own tokens",
        Code::FeePayerTransferring,
        Spoil::Draft(spoil::facilitator_pays),
    ),
    // The instructions.
    Defect::of(
        "no-compute-limit",
        "no compute limit in the first place",
        Code::ComputeLimit,
        Spoil::Draft(spoil::no_limit),
    ),
    Defect::of(
        "no-compute-price",
        "no compute price in the second place",
        Code::ComputePrice,
        Spoil::Draft(spoil::no_price),
    ),
    Defect::of(
        "high-compute-price",
        "a compute unit for more than 5 lamports",
        Code::ComputePriceTooHigh,
        Spoil::Draft(spoil::high_price),
    ),
    Defect::of(
        "plain-transfer",
        "`Transfer` in place of `TransferChecked`",
        Code::NoTransfer,
        Spoil::Draft(spoil::unchecked),
    ),
    Defect::of(
        "foreign-program",
        "a transfer of lamports behind the memo",
        Code::Unknown(Place::Fifth),
        Spoil::Draft(spoil::foreign_program),
    ),
    Defect::of("too-many-instructions", "eight instructions", Code::Length, Spoil::Draft(spoil::eight)),
    // What the chain finds.
    Defect::of(
        "wrong-decimals",
        "other decimals than the mint's",
        Code::Simulation,
        Spoil::Draft(spoil::other_decimals),
    ),
    Defect::of(
        "wrong-blockhash",
        "a blockhash that the chain never had",
        Code::Simulation,
        Spoil::Draft(|draft| draft.blockhash = [7; 32]),
    ),
    // What the payload says that it accepts.
    Defect::of("wrong-scheme", "another scheme", Code::Scheme, Spoil::Payload(spoil::other_scheme))
        .at_resource(Verdict::Unmatched),
    Defect::of("wrong-network", "another network", Code::Network, Spoil::Payload(spoil::other_network))
        .at_resource(Verdict::Unmatched),
    // The shape.
    Defect::of("truncated", "half of a transaction", Code::NotDecoded, Spoil::Wire(spoil::half)),
    Defect::of("missing-field", "no `transaction`", Code::NotDecoded, Spoil::Payload(spoil::no_transaction)),
];

impl Defect {
    /// The defect of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        DEFECTS.iter().find(|defect| defect.name == name)
    }

    /// What `/verify` and `/settle` say.
    pub const fn facilitator(&self) -> Verdict {
        self.facilitator
    }

    /// What a paid resource says.
    pub const fn resource(&self) -> Verdict {
        self.resource
    }

    /// Refused everywhere for one reason.
    const fn of(name: &'static str, what: &'static str, code: Code, spoil: Spoil) -> Self {
        let refused = Verdict::Refused(reason::Code::Svm(code));
        Self { name, what, facilitator: refused, resource: refused, spoil }
    }

    /// A resource says something else than its facilitator.
    const fn at_resource(self, resource: Verdict) -> Self {
        Self { resource, ..self }
    }
}

impl Terms {
    /// Signs a draft of these terms with a private key and writes the payment, spoilt by a defect if one is given.
    ///
    /// # Errors
    ///
    /// A defect that changes nothing.
    pub fn sign(
        &self,
        draft: &Draft,
        seed: &[u8; 32],
        around: Surroundings,
        defect: Option<&Defect>,
    ) -> Result<Signed, NoDefect> {
        let good = self.written(draft, seed, around.clone(), None);
        let Some(defect) = defect else { return Ok(good) };
        let spoilt = self.written(draft, seed, around, Some(defect.spoil));
        if spoilt.payload == good.payload {
            return Err(NoDefect { name: defect.name, what: defect.what });
        }
        Ok(spoilt)
    }

    fn written(&self, draft: &Draft, seed: &[u8; 32], around: Surroundings, spoil: Option<Spoil>) -> Signed {
        let mut draft = draft.clone();
        if let Some(Spoil::Draft(spoil)) = spoil {
            spoil(&mut draft);
        }
        let mut transaction = draft.sign(&[*seed]);
        let digest = transaction.identity();
        if let Some(Spoil::Signed(spoil)) = spoil {
            spoil(&mut transaction);
        }
        let mut wire = transaction.encode();
        if let Some(Spoil::Wire(spoil)) = spoil {
            wire = spoil(&wire);
        }
        let text = to_base64(&wire);
        let mut written = payload(self, &text, around.extensions, around.resource);
        if let Some(Spoil::Payload(spoil)) = spoil {
            spoil(&mut written);
        }
        Signed { payload: written, digest }
    }
}
