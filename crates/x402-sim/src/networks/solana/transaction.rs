//! A transaction on the wire: signatures, then the message.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};

use super::ed25519;
use super::key::Key;
use super::message::{Message, NoMessage};
use super::reader::{Reader, write_length};

/// The most bytes that a node takes: one packet.
pub const PACKET: usize = 1232;

/// How long a packet is in base64.
const LONGEST: usize = PACKET.div_ceil(3) * 4;

/// As JavaScript's `Buffer` reads it, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

thread_local! {
    /// The text and the transaction that were decoded last: one request asks for the payment's id, for its payer and for
    /// a judgement, and each asks for the same transaction.
    static LAST: RefCell<Option<(String, Arc<Transaction>)>> = const { RefCell::new(None) };
}

/// A transaction that was decoded. Its signatures are not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// One signature for each signer, in their order; zeros where one is missing.
    pub signatures: Vec<ed25519::Bytes>,
    /// The bytes that were signed.
    pub signed: Vec<u8>,
    /// The same, decoded.
    pub message: Message,
    /// Why a node would refuse it, if so: the official decoder lets it pass.
    pub irregular: Option<&'static str>,
    identity: Identity,
}

/// The hash of a message, once somebody has asked for it. Transactions are equal with and without.
#[derive(Clone, Debug, Default)]
struct Identity(OnceLock<[u8; 32]>);

impl PartialEq for Identity {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Identity {}

/// Why a text or bytes are no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTransaction {
    /// 64 bytes in base58, which base64 reads as others.
    #[error("it is a signature, 64 bytes in base58, and no transaction")]
    Signature,
    /// Not base64.
    #[error("it is not base64: {0}")]
    NotBase64(base64::DecodeError),
    /// Signatures that are not there.
    #[error("it ends within its signatures")]
    Truncated,
    /// A transaction of the form that follows version 0.
    #[error(
        "it is a transaction of version {0}; version 0 and legacy transactions are played, and version 1 is not yet"
    )]
    Version(u8),
    /// A message that is none.
    #[error("its message: {0}")]
    Message(#[from] NoMessage),
    /// Signatures that do not belong to the signers.
    #[error("it has {signatures} signatures, and its message asks for {signers}")]
    Signatures {
        /// How many there are.
        signatures: usize,
        /// How many there should be.
        signers: usize,
    },
}

impl Transaction {
    /// Decodes base64.
    pub fn from_base64(text: &str) -> Result<Self, NoTransaction> {
        let decoded = base64_bytes(text).map_err(NoTransaction::NotBase64).and_then(|bytes| Self::decode(&bytes));
        // Whatever is shorter than the shortest transaction in base64 may be one's name.
        decoded.map_err(|error| if super::parse_signature(text).is_some() { NoTransaction::Signature } else { error })
    }

    /// Decodes base64; the same text as the last one is not decoded again.
    pub fn shared(text: &str) -> Result<Arc<Self>, NoTransaction> {
        let last = LAST.with_borrow(|last| match last {
            Some((said, transaction)) if said == text => Some(Arc::clone(transaction)),
            _ => None,
        });
        if let Some(transaction) = last {
            return Ok(transaction);
        }
        let transaction = Arc::new(Self::from_base64(text)?);
        // What is larger than a packet is not worth its room.
        if transaction.irregular.is_none() && text.len() <= LONGEST {
            LAST.with_borrow_mut(|last| {
                let mut said = last.take().map_or_else(|| String::with_capacity(LONGEST), |(said, _)| said);
                said.clear();
                said.push_str(text);
                *last = Some((said, Arc::clone(&transaction)));
            });
        }
        Ok(transaction)
    }

    /// Decodes bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoTransaction> {
        if let Some(version) = bytes.first().filter(|first| **first > 0x80) {
            // Version 1 puts its signatures behind the message, so that the version stands first.
            return Err(NoTransaction::Version(version & 0x7f));
        }
        let mut reader = Reader::new(bytes);
        let signatures = reader.list(Reader::array).map_err(|_| NoTransaction::Truncated)?;
        let signed = reader.rest().to_vec();
        let message = Message::decode(&signed)?;
        let signers = message.signers().len();
        if signatures.len() != signers {
            return Err(NoTransaction::Signatures { signatures: signatures.len(), signers });
        }
        let too_large = (bytes.len() > PACKET).then_some("it is larger than 1232 bytes, the size of a packet");
        let irregular = too_large.or(reader.irregular).or(message.irregular);
        Ok(Self { signatures, signed, message, irregular, identity: Identity::default() })
    }

    /// A transaction of a message that nobody has signed.
    pub fn unsigned(message: Message) -> Self {
        let signatures = vec![[0; 64]; message.signers().len()];
        let irregular = message.irregular;
        Self { signatures, signed: message.encode(), message, irregular, identity: Identity::default() }
    }

    /// The bytes that a node takes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PACKET);
        write_length(&mut out, self.signatures.len());
        self.signatures.iter().for_each(|signature| out.extend(signature));
        out.extend(&self.signed);
        out
    }

    /// The same in base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.encode())
    }

    /// Writes the message anew after it was changed. Its signatures stay.
    pub(super) fn write(&mut self) {
        (self.signed, self.identity) = (self.message.encode(), Identity::default());
    }

    /// Puts the signature of a private key in its place. `false` where the message does not ask for it.
    pub fn sign(&mut self, seed: &[u8; 32]) -> bool {
        let pair = ed25519::Keypair::of(seed);
        let key = pair.key();
        let Some(place) = self.message.signers().iter().position(|signer| *signer == key) else { return false };
        self.signatures[place] = pair.sign(&self.signed);
        true
    }

    /// The first signer, from a place on, whose signature is missing or not his.
    pub fn wrongly_signed(&self, from: usize) -> Option<(usize, Key, Fault)> {
        let signers = self.message.signers().iter().zip(&self.signatures).enumerate().skip(from);
        signers.into_iter().find_map(|(place, (key, signature))| {
            let fault = match signature {
                [0, ..] if signature.iter().all(|byte| *byte == 0) => Fault::Missing,
                _ if ed25519::verify(*key, &self.signed, signature) => return None,
                _ => Fault::Wrong,
            };
            Some((place, *key, fault))
        })
    }

    /// The name of the transaction: the fee payer's signature.
    pub fn id(&self) -> ed25519::Bytes {
        self.signatures.first().copied().unwrap_or([0; 64])
    }

    /// What the payment is known by, whoever signed it: the hash of its message.
    pub fn identity(&self) -> [u8; 32] {
        let hash = || Sha256::digest(&self.signed).into();
        let identity = *self.identity.0.get_or_init(hash);
        debug_assert_eq!(identity, hash(), "the message has changed since somebody asked");
        identity
    }
}

/// Who is named in the bytes of a transaction. To look at it costs a hundredth of decoding them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// The accounts that the message names itself.
    pub accounts: &'a [[u8; 32]],
    /// Whether it takes others from lookup tables.
    pub looks_up: bool,
}

impl<'a> Outline<'a> {
    /// The outline of a transaction that can be decoded.
    pub fn of(wire: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(wire);
        let signatures = reader.length();
        reader.take(signatures.checked_mul(64)?).ok()?;
        let versioned = reader.rest().first()? & 0x80 != 0;
        reader.take(if versioned { 4 } else { 3 }).ok()?;
        let accounts = reader.length();
        let (accounts, _) = reader.take(accounts.checked_mul(32)?).ok()?.as_chunks();
        reader.take(32).ok()?;
        for _ in 0..reader.length() {
            reader.byte().ok()?;
            for _ in 0..2 {
                let length = reader.length();
                reader.take(length).ok()?;
            }
        }
        Some(Self { accounts, looks_up: versioned && reader.length() > 0 })
    }
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is missing.
    Missing,
    /// It is not this key's, or not of this message.
    Wrong,
}

/// The bytes of base64, as the official decoder reads it.
///
/// Source: kit `codecs-strings/base64.ts`: the alphabet is checked without padding, then `Buffer` reads to the padding.
pub fn base64_bytes(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    let head = text.split('=').next().unwrap_or_default();
    // A single character behind whole groups holds no byte.
    let whole = if head.len() % 4 == 1 { head.get(..head.len() - 1).unwrap_or(head) } else { head };
    let bytes = LENIENT.decode(whole)?;
    // The decoder has looked at the alphabet as far as it has read.
    let unread = text.bytes().enumerate().skip(whole.len());
    match unread.into_iter().find(|(_, byte)| !byte.is_ascii_alphanumeric() && !b"+/=".contains(byte)) {
        Some((place, wrong)) => Err(base64::DecodeError::InvalidByte(place, wrong)),
        None => Ok(bytes),
    }
}

/// The bytes as base64.
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(number: u8) -> Transaction {
        let message = Message::decode(&[[1, 0, 0, 1].as_slice(), &[number; 64], &[0]].concat()).unwrap();
        Transaction::unsigned(message)
    }

    #[test]
    fn a_transaction_is_known_by_its_message_whoever_signed_it_and_whoever_asked_before() {
        let (asked, mut signed) = (transaction(1), transaction(1));
        let identity: [u8; 32] = Sha256::digest(&asked.signed).into();
        for _ in 0..2 {
            assert_eq!(asked.identity(), identity);
        }
        assert_eq!(asked, signed);
        signed.signatures[0] = [1; 64];
        assert_eq!((signed.identity(), asked.clone().identity()), (identity, identity));
        assert_ne!(asked, signed);
        signed.message.blockhash = [9; 32];
        signed.write();
        let changed: [u8; 32] = Sha256::digest(&signed.signed).into();
        assert_eq!(signed.identity(), changed);
        assert_ne!(changed, identity);
    }

    #[test]
    fn a_text_gives_its_own_transaction_whatever_was_decoded_before() {
        let texts = [1, 2].map(|number| transaction(number).to_base64());
        let filled = format!("{}={}", texts[0].trim_end_matches('='), "A".repeat(LONGEST));
        for _ in 0..2 {
            for (text, number) in [(&texts[0], 1), (&texts[1], 2), (&filled, 1), (&texts[1], 2)] {
                let shared = Transaction::shared(text).unwrap();
                assert_eq!(*shared, transaction(number));
            }
        }
        let [one, again] = [0, 0].map(|at| Transaction::shared(&texts[at]).unwrap());
        assert!(Arc::ptr_eq(&one, &again), "decoded once");
        let [long, again] = [&filled; 2].map(|text| Transaction::shared(text).unwrap());
        assert!(!Arc::ptr_eq(&long, &again), "not kept");
    }
}
