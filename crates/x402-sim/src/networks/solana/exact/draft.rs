//! What a payer makes of requirements: a transaction, signed but for the fee payer, in a payload.
//!
//! The other direction of [`claim`](super::claim). Source: TS 2.27 svm `exact/client/scheme.ts`; the same requirements,
//! blockhash and memo give the same bytes.

use x402_wire::document::Document;

use crate::accounts::TestAccount;
use crate::networks::solana::compile::compile;
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Meta};
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{self, assets, program};
use crate::registry::Version;

/// What official clients limit compute units to.
pub const UNITS: u32 = 20_000;

/// What they pay for one, in millionths of a lamport.
pub const PRICE: u64 = 1;

/// The longest memo of requirements that they write, in bytes.
///
/// Source: TS 2.27 svm `constants.ts` `MAX_MEMO_BYTES`.
pub const MEMO: usize = 256;

/// Requirements that can be signed for, as a client reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Their protocol version.
    pub version: Version,
    /// The requirements as they were written.
    pub requirements: Document,
    /// The mint.
    pub mint: Key,
    /// Who is paid.
    pub pay_to: Key,
    /// How much, in atomic units.
    pub amount: u64,
    /// Who pays the fee.
    pub fee_payer: Key,
    /// What the memo must be.
    pub memo: Option<String>,
    /// A blockhash that the server sends along.
    pub blockhash: Option<[u8; 32]>,
}

/// Why a client cannot sign for requirements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: expected {expected}, found {found}")]
pub struct NotSignable {
    /// The member.
    pub key: &'static str,
    /// What should stand there.
    pub expected: &'static str,
    /// What stands there.
    pub found: String,
}

/// What a client knows besides the requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// A recent blockhash of the chain.
    pub blockhash: [u8; 32],
    /// The memo, where the requirements give none: what makes the transaction unlike all others.
    pub memo: String,
    /// The mint's decimals.
    pub decimals: u8,
    /// The program that keeps the mint.
    pub token_program: Key,
}

/// A transaction before it is signed. Its parts can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Who pays the fee.
    pub fee_payer: Key,
    /// What it does.
    pub instructions: Vec<Instruction>,
    /// The blockhash that it is good with.
    pub blockhash: [u8; 32],
    /// Whether its message says a version.
    pub versioned: bool,
}

impl Terms {
    /// Reads requirements as a client does.
    pub fn read(version: Version, requirements: &Document) -> Result<Self, NotSignable> {
        let found = |value: Option<&Document>| value.map_or_else(|| "nothing".to_owned(), Document::describe);
        let member = |key: &'static str| requirements.get(key);
        let address = |key: &'static str, value: Option<&Document>| {
            let parsed = value.and_then(Document::text).and_then(Key::parse);
            parsed.ok_or_else(|| NotSignable { key, expected: "an address: base58 of 32 bytes", found: found(value) })
        };
        let scheme = member("scheme");
        if scheme.and_then(Document::text) != Some("exact") {
            return Err(NotSignable { key: "scheme", expected: "\"exact\"", found: found(scheme) });
        }
        let key = match version {
            Version::V1 => "maxAmountRequired",
            Version::V2 => "amount",
        };
        let amount = member(key).and_then(Document::text).and_then(|text| text.parse().ok());
        let too_much = || NotSignable { key, expected: "a decimal integer below 2^64", found: found(member(key)) };
        let extra = |key: &str| member("extra").and_then(|extra| extra.get(key));
        let memo = extra("memo").and_then(Document::text).filter(|memo| !memo.is_empty());
        if let Some(memo) = memo.filter(|memo| memo.len() > MEMO) {
            let found = format!("{} bytes", memo.len());
            return Err(NotSignable { key: "extra.memo", expected: "a text of 256 bytes at most", found });
        }
        Ok(Self {
            version,
            requirements: requirements.clone(),
            mint: address("asset", member("asset"))?,
            pay_to: address("payTo", member("payTo"))?,
            amount: amount.ok_or_else(too_much)?,
            fee_payer: address("extra.feePayer", extra("feePayer"))?,
            memo: memo.map(str::to_owned),
            blockhash: extra("recentBlockhash").and_then(Document::text).and_then(solana::parse_address),
        })
    }

    /// What an official client would sign. A blockhash of the requirements goes before one of the chain.
    pub fn draft(&self, payer: Key, occasion: &Occasion) -> Draft {
        let Occasion { blockhash, memo, decimals, token_program } = occasion;
        let account = |owner| Key::token_account(owner, self.mint, *token_program);
        let memo = self.memo.as_ref().unwrap_or(memo);
        let transfer = Transfer {
            program: *token_program,
            source: account(payer),
            mint: self.mint,
            destination: account(self.pay_to),
            authority: payer,
            amount: self.amount,
            decimals: *decimals,
        };
        Draft {
            fee_payer: self.fee_payer,
            instructions: vec![limit(UNITS), price(PRICE), transfer.instruction(), note(memo.as_bytes())],
            blockhash: self.blockhash.unwrap_or(*blockhash),
            versioned: true,
        }
    }
}

impl Occasion {
    /// An occasion for a mint that is known without configuration, or has as many decimals as those.
    pub fn of(mint: Key, blockhash: [u8; 32], memo: String) -> Self {
        Self { blockhash, memo, decimals: 6, token_program: assets::token_program(&mint.to_string()) }
    }
}

impl Draft {
    /// The transaction, signed by these keys where it asks for them.
    pub fn sign(&self, seeds: &[[u8; 32]]) -> Transaction {
        let message = compile(self.fee_payer, &self.instructions, self.blockhash, self.versioned);
        let mut transaction = Transaction::unsigned(message);
        for seed in seeds {
            transaction.sign(seed);
        }
        transaction
    }

    /// The same, signed by a test account.
    pub fn sign_by(&self, account: &TestAccount) -> Transaction {
        self.sign(&[account.solana_seed()])
    }
}

/// A `TransferChecked` before it is an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The token program.
    pub program: Key,
    /// The token account that pays.
    pub source: Key,
    /// The mint.
    pub mint: Key,
    /// The token account that is paid.
    pub destination: Key,
    /// Who owns the first.
    pub authority: Key,
    /// How much, in atomic units.
    pub amount: u64,
    /// The mint's decimals.
    pub decimals: u8,
}

impl Transfer {
    /// The instruction.
    pub fn instruction(&self) -> Instruction {
        let meta = |key, signer, writable| Some(Meta { key, signer, writable });
        let mut data = vec![12];
        data.extend(self.amount.to_le_bytes());
        data.push(self.decimals);
        Instruction {
            program: self.program,
            accounts: vec![
                meta(self.source, false, true),
                meta(self.mint, false, false),
                meta(self.destination, false, true),
                meta(self.authority, true, false),
            ],
            data,
        }
    }
}

/// `SetComputeUnitLimit`.
pub fn limit(units: u32) -> Instruction {
    let data = [&[2][..], &units.to_le_bytes()].concat();
    Instruction { program: program::COMPUTE_BUDGET, accounts: Vec::new(), data }
}

/// `SetComputeUnitPrice`, in millionths of a lamport.
pub fn price(price: u64) -> Instruction {
    let data = [&[3][..], &price.to_le_bytes()].concat();
    Instruction { program: program::COMPUTE_BUDGET, accounts: Vec::new(), data }
}

/// A memo.
pub fn note(text: &[u8]) -> Instruction {
    Instruction { program: program::MEMO, accounts: Vec::new(), data: text.to_vec() }
}

/// The payload that carries a transaction, its members in the order in which official clients write them.
pub fn payload(terms: &Terms, transaction: &str, extensions: Option<Document>, resource: Option<Document>) -> Document {
    let number = Document::from(terms.version.number());
    let body = Document::object([("transaction", Document::from(transaction.to_owned()))]);
    let said = |key| terms.requirements.get(key).cloned().unwrap_or(Document::Null);
    let mut members = match terms.version {
        Version::V1 => {
            vec![("x402Version", number), ("scheme", said("scheme")), ("network", said("network")), ("payload", body)]
        }
        Version::V2 => vec![("x402Version", number), ("payload", body)],
    };
    if terms.version == Version::V2 {
        members.extend(extensions.map(|extensions| ("extensions", extensions)));
        members.extend(resource.map(|resource| ("resource", resource)));
        members.push(("accepted", terms.requirements.clone()));
    }
    Document::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::solana::ed25519;

    /// Made by `@x402/svm` 2.27 with `@solana/kit` 5.5.1.
    const GOLDEN: &str = include_str!("golden.txt");

    fn requirements(extra: &str) -> Document {
        let key = |seed: u8| ed25519::key_of(&[seed; 32]);
        let text = format!(
            r#"{{"scheme":"exact","network":"solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1","amount":"1000",
            "maxAmountRequired":"1000","asset":"4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU","payTo":"{}",
            "maxTimeoutSeconds":60,"extra":{{"feePayer":"{}"{extra}}}}}"#,
            key(3),
            key(2)
        );
        Document::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_memo_of_256_bytes_is_written_and_a_longer_one_is_refused_by_name() {
        for (memo, written) in [("a".repeat(256), true), ("a".repeat(257), false), ("ä".repeat(129), false)] {
            for version in [Version::V1, Version::V2] {
                let read = Terms::read(version, &requirements(&format!(r#","memo":"{memo}""#)));
                match read {
                    Ok(terms) => assert!(written && terms.memo.as_deref() == Some(memo.as_str())),
                    Err(error) => assert!(!written && error.key == "extra.memo", "{error}"),
                }
            }
        }
    }

    #[test]
    fn the_official_client_makes_the_same_bytes() {
        let key = |seed: u8| ed25519::key_of(&[seed; 32]);
        let blockhash = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi";
        let asked = requirements(&format!(r#","memo":"order-1","recentBlockhash":"{blockhash}""#));
        let terms = Terms::read(Version::V2, &asked).unwrap();
        let occasion = Occasion::of(terms.mint, [9; 32], "unused".to_owned());
        let transaction = terms.draft(key(1), &occasion).sign(&[[1; 32]]);
        assert_eq!(transaction.to_base64(), GOLDEN.trim());
        let decoded = Transaction::from_base64(GOLDEN.trim()).unwrap();
        assert_eq!(decoded, transaction);
        assert_eq!(decoded.message.encode(), decoded.signed);
        assert_eq!(decoded.wrongly_signed(1), None);
    }
}
