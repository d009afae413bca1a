//! Errors of transactions, spelled as a node spells them in JSON.
//!
//! Source: `solana-transaction-error` `TransactionError`, `solana-instruction-error` `InstructionError`, SPL Token
//! `TokenError`.

use std::fmt;

use serde_json::{Value, json};

/// Why a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    wrong: Wrong,
    /// The instruction, where one failed.
    place: Option<usize>,
    /// The same for people.
    pub why: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A form that no node takes.
    Sanitize,
    /// A signature.
    Signature,
    /// An account that is named twice.
    LoadedTwice,
    /// A blockhash that is none of this chain, or an old one.
    Blockhash,
    /// The same transaction again.
    Processed,
    /// A lookup table that is none, or an entry that it has not.
    LookupTable,
    /// A fee payer that is not there.
    NoFeePayer,
    /// A fee payer that cannot pay.
    Fee,
    /// A program that is not played here.
    Program,
    /// More computed than allowed.
    Budget,
    /// The second instruction of the compute budget for the same thing.
    Duplicate,
    /// Data that the program does not read.
    Data,
    /// Too few accounts.
    NotEnoughAccounts,
    /// A signature that an instruction needs.
    MissingSignature,
    /// An account that is not what it should be.
    AccountData,
    /// An account that another program owns.
    Owner,
    /// An address that does not follow from its seeds.
    Seeds,
    /// An account that is changed and may not be.
    Readonly,
    /// Lamports that are not there.
    Lamports,
    /// An error of a program's own numbering.
    Custom(u32),
}

impl Wrong {
    /// What is wrong, with a sentence.
    pub fn because(self, why: impl Into<String>) -> Failure {
        Failure { wrong: self, place: None, why: why.into() }
    }

    /// The name of a transaction's error, where no instruction is to blame.
    const fn whole(self) -> Option<&'static str> {
        Some(match self {
            Self::Sanitize => "SanitizeFailure",
            Self::Signature => "SignatureFailure",
            Self::LoadedTwice => "AccountLoadedTwice",
            Self::Blockhash => "BlockhashNotFound",
            Self::Processed => "AlreadyProcessed",
            Self::LookupTable => "AddressLookupTableNotFound",
            Self::NoFeePayer => "AccountNotFound",
            Self::Fee => "InsufficientFundsForFee",
            _ => return None,
        })
    }

    const fn instruction(self) -> &'static str {
        match self {
            Self::Program => "UnsupportedProgramId",
            Self::Budget => "ComputationalBudgetExceeded",
            Self::NotEnoughAccounts => "NotEnoughAccountKeys",
            Self::MissingSignature => "MissingRequiredSignature",
            Self::AccountData => "InvalidAccountData",
            Self::Owner => "IllegalOwner",
            Self::Seeds => "InvalidSeeds",
            Self::Readonly => "ReadonlyDataModified",
            _ => "InvalidInstructionData",
        }
    }
}

impl Failure {
    /// A failure of a whole transaction.
    pub fn of(wrong: Wrong, why: impl Into<String>) -> Self {
        wrong.because(why)
    }

    /// The same, of an instruction.
    pub fn at(self, place: usize) -> Self {
        Self { place: Some(place), ..self }
    }

    /// What is wrong.
    pub const fn wrong(&self) -> Wrong {
        self.wrong
    }

    /// As a node says it.
    pub fn to_json(&self) -> Value {
        if let Some(name) = self.wrong.whole() {
            return json!(name);
        }
        let place = self.place.unwrap_or_default();
        match self.wrong {
            Wrong::Custom(number) => json!({ "InstructionError": [place, { "Custom": number }] }),
            // The system program's own number for too few lamports.
            Wrong::Lamports => json!({ "InstructionError": [place, { "Custom": 1 }] }),
            Wrong::Duplicate => json!({ "DuplicateInstruction": place }),
            other => json!({ "InstructionError": [place, other.instruction()] }),
        }
    }

    /// As a node says it in a sentence.
    pub fn sentence(&self) -> String {
        if let Some(name) = self.wrong.whole() {
            let text = match self.wrong {
                Wrong::Blockhash => "Blockhash not found",
                Wrong::Processed => "This transaction has already been processed",
                Wrong::LoadedTwice => "Account loaded twice",
                Wrong::NoFeePayer => "Attempt to debit an account but found no record of a prior credit.",
                Wrong::Fee => "Insufficient funds for fee",
                Wrong::Signature => "Transaction signature verification failure",
                Wrong::Sanitize => "Transaction failed to sanitize accounts offsets correctly",
                Wrong::LookupTable => "Transaction loads an address table account that doesn't exist",
                _ => name,
            };
            return text.to_owned();
        }
        let place = self.place.unwrap_or_default();
        let what = match self.wrong {
            Wrong::Custom(number) => format!("custom program error: {number:#x}"),
            Wrong::Lamports => "custom program error: 0x1".to_owned(),
            Wrong::Duplicate => {
                return format!("Transaction contains a duplicate instruction ({place}) that is not allowed");
            }
            other => other.instruction().to_owned(),
        };
        format!("Error processing Instruction {place}: {what}")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wrong {
            Wrong::Custom(number) => write!(out, "custom program error: {number:#x} ({})", self.why),
            Wrong::Lamports => write!(out, "custom program error: 0x1 ({})", self.why),
            other => write!(out, "{} ({})", other.whole().unwrap_or_else(|| other.instruction()), self.why),
        }
    }
}
