//! Signed transactions as `eth_sendRawTransaction` takes them: legacy, EIP-2930 and EIP-1559.
//!
//! What else there is (blobs, authorization lists) is refused by its name.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::{Decodable, Encodable, Header};

use super::secp;

/// The largest transaction that is taken, in bytes: what nodes take.
pub const LIMIT: usize = 128 * 1024;

/// Half of the curve's order: since EIP-2 a transaction's `s` is not larger.
const HALF_ORDER: U256 =
    U256::from_be_bytes(alloy_primitives::hex!("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"));

/// A form of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Without a type: a gas price, and the chain in `v` (EIP-155).
    Legacy,
    /// Type 1, EIP-2930: a gas price and an access list.
    AccessList,
    /// Type 2, EIP-1559: a base fee and a tip.
    DynamicFee,
}

/// A signed transaction, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTransaction {
    /// Its form.
    pub form: Form,
    /// The chain that it is for.
    pub chain_id: u64,
    /// How many transactions its sender has made before.
    pub nonce: u64,
    /// The most that is paid for a unit of gas, in wei.
    pub max_fee: U256,
    /// How much of it is a tip, in wei; the whole price of a form without tips.
    pub tip: U256,
    /// The most gas that it may use.
    pub gas: u64,
    /// Whom it calls; `None` creates a contract.
    pub to: Option<Address>,
    /// The native coins that it sends, in wei.
    pub value: U256,
    /// The calldata.
    pub input: Vec<u8>,
    /// Addresses and storage keys that it says it will touch.
    pub access_list: Vec<(Address, Vec<B256>)>,
    /// Who signed it.
    pub sender: Address,
    /// The hash of its bytes.
    pub hash: B256,
    /// The signature's `r` and `s`.
    pub compact: [u8; 64],
    /// The signature's last part as the transaction writes it: `v`, or the parity.
    pub v: u64,
}

/// Bytes that are no transaction that this chain takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RawError {
    /// There are none.
    #[error("the transaction is empty")]
    Empty,
    /// There are too many.
    #[error("oversized data: the transaction has {0} bytes, the limit is {LIMIT}")]
    TooLarge(usize),
    /// A form that is not taken.
    #[error("transaction type {number} ({name}) is not supported here; send type 0, 1 or 2")]
    Unsupported {
        /// The number of the type.
        number: u8,
        /// What it is.
        name: &'static str,
    },
    /// A field cannot be read.
    #[error("rlp: {field}: {source}")]
    Field {
        /// Which.
        field: &'static str,
        /// Why.
        source: alloy_rlp::Error,
    },
    /// There are bytes after its end.
    #[error("rlp: {0} bytes after the transaction's end")]
    Trailing(usize),
    /// A legacy transaction that would be valid on every chain.
    #[error("only replay-protected (EIP-155) transactions are taken: v is {0}, which names no chain")]
    Unprotected(u64),
    /// The signature is none.
    #[error("invalid transaction v, r, s values")]
    Signature,
}

/// Reads the fields of a list one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of(bytes: &mut &'a [u8], field: &'static str) -> Result<Self, RawError> {
        Header::decode_bytes(bytes, true).map(Self).map_err(|source| RawError::Field { field, source })
    }

    fn next<T: Decodable>(&mut self, field: &'static str) -> Result<T, RawError> {
        T::decode(&mut self.0).map_err(|source| RawError::Field { field, source })
    }

    fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], RawError> {
        Header::decode_bytes(&mut self.0, false).map_err(|source| RawError::Field { field, source })
    }

    /// Nothing, or an address.
    fn target(&mut self) -> Result<Option<Address>, RawError> {
        match self.bytes("to")? {
            [] => Ok(None),
            bytes => Address::try_from(bytes)
                .map(Some)
                .map_err(|_| RawError::Field { field: "to", source: alloy_rlp::Error::UnexpectedLength }),
        }
    }

    fn access_list(&mut self) -> Result<Vec<(Address, Vec<B256>)>, RawError> {
        const FIELD: &str = "accessList";
        let mut entries = Self::of(&mut self.0, FIELD)?;
        let mut list = Vec::new();
        while !entries.0.is_empty() {
            let mut entry = Self::of(&mut entries.0, FIELD)?;
            let address = entry.next(FIELD)?;
            let mut keys = Self::of(&mut entry.0, FIELD)?;
            let mut slots = Vec::new();
            while !keys.0.is_empty() {
                slots.push(keys.next(FIELD)?);
            }
            entry.end()?;
            list.push((address, slots));
        }
        Ok(list)
    }

    fn signature(&mut self) -> Result<(u64, [u8; 64]), RawError> {
        let (v, r, s): (u64, U256, U256) = (self.next("v")?, self.next("r")?, self.next("s")?);
        let mut compact = [0; 64];
        compact[..32].copy_from_slice(&r.to_be_bytes::<32>());
        compact[32..].copy_from_slice(&s.to_be_bytes::<32>());
        if s > HALF_ORDER {
            return Err(RawError::Signature);
        }
        Ok((v, compact))
    }

    const fn end(&self) -> Result<(), RawError> {
        if self.0.is_empty() { Ok(()) } else { Err(RawError::Trailing(self.0.len())) }
    }
}

impl RawTransaction {
    /// Takes a signed transaction apart, and recovers who signed it.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes.
    pub fn decode(raw: &[u8]) -> Result<Self, RawError> {
        if raw.len() > LIMIT {
            return Err(RawError::TooLarge(raw.len()));
        }
        match raw {
            [] => Err(RawError::Empty),
            [1, rest @ ..] => Self::typed(raw, rest, Form::AccessList),
            [2, rest @ ..] => Self::typed(raw, rest, Form::DynamicFee),
            [3, ..] => Err(RawError::Unsupported { number: 3, name: "EIP-4844, blobs" }),
            [4, ..] => Err(RawError::Unsupported { number: 4, name: "EIP-7702, authorization list" }),
            [first, ..] if *first >= alloy_rlp::EMPTY_LIST_CODE => Self::legacy(raw),
            [number, ..] => Err(RawError::Unsupported { number: *number, name: "unknown" }),
        }
    }

    fn legacy(raw: &[u8]) -> Result<Self, RawError> {
        let mut rest = raw;
        let mut fields = Fields::of(&mut rest, "the list")?;
        no_more(rest)?;
        let content = fields.0;
        let (nonce, price, gas) = (fields.next("nonce")?, fields.next("gasPrice")?, fields.next("gas")?);
        let (to, value, input) = (fields.target()?, fields.next("value")?, fields.bytes("data")?.to_vec());
        let signed = &content[..content.len() - fields.0.len()];
        let (v, compact) = fields.signature()?;
        fields.end()?;
        let protected = v.checked_sub(35).ok_or(RawError::Unprotected(v))?;
        let (chain_id, parity) = (protected / 2, protected % 2);
        let mut content = signed.to_vec();
        chain_id.encode(&mut content);
        content.extend_from_slice(&[alloy_rlp::EMPTY_STRING_CODE; 2]);
        let sender = recover(&[], &content, &compact, parity)?;
        Ok(Self {
            form: Form::Legacy,
            chain_id,
            nonce,
            max_fee: price,
            tip: price,
            gas,
            to,
            value,
            input,
            access_list: Vec::new(),
            sender,
            hash: keccak256(raw),
            compact,
            v,
        })
    }

    fn typed(raw: &[u8], mut rest: &[u8], form: Form) -> Result<Self, RawError> {
        let mut fields = Fields::of(&mut rest, "the list")?;
        no_more(rest)?;
        let content = fields.0;
        let (chain_id, nonce) = (fields.next("chainId")?, fields.next("nonce")?);
        let (tip, max_fee) = if form == Form::DynamicFee {
            (fields.next("maxPriorityFeePerGas")?, fields.next("maxFeePerGas")?)
        } else {
            let price: U256 = fields.next("gasPrice")?;
            (price, price)
        };
        let gas = fields.next("gas")?;
        let (to, value, input) = (fields.target()?, fields.next("value")?, fields.bytes("data")?.to_vec());
        let access_list = fields.access_list()?;
        let signed = &content[..content.len() - fields.0.len()];
        let (v, compact) = fields.signature()?;
        fields.end()?;
        let sender = recover(&raw[..1], signed, &compact, v)?;
        let hash = keccak256(raw);
        Ok(Self { form, chain_id, nonce, max_fee, tip, gas, to, value, input, access_list, sender, hash, compact, v })
    }
}

const fn no_more(rest: &[u8]) -> Result<(), RawError> {
    if rest.is_empty() { Ok(()) } else { Err(RawError::Trailing(rest.len())) }
}

/// Who signed a type byte and the content of a list.
fn recover(kind: &[u8], content: &[u8], compact: &[u8; 64], parity: u64) -> Result<Address, RawError> {
    let mut unsigned = kind.to_vec();
    Header { list: true, payload_length: content.len() }.encode(&mut unsigned);
    unsigned.extend_from_slice(content);
    let parity = u8::try_from(parity).ok().filter(|parity| *parity < 2).ok_or(RawError::Signature)?;
    secp::recover(keccak256(unsigned), compact, parity).ok_or(RawError::Signature)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, hex};

    use super::*;

    /// Signed by viem with the key 0x22.
    const LEGACY: &[u8] = &hex!(
        "f86c07843b9aca008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e8085e3ee160e008302948ba01e18ddcbc1aef51b65d5127bf94d82d70cd3a2d4ab66ddd01a9a375208230b1aa04c849d10f3434871185db9432924d765a042037e2c0da91a564b356b4e059bd8"
    );
    const UNPROTECTED: &[u8] = &hex!(
        "f86807843b9aca008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e8085e3ee160e001ca093015697d3aaa683187da95d585abb8a31d937a9db787b09294c4603a781ba409f10c31bc0fa7a802bc5f283fa9148b90a8c093055888ed45e109fe8a1f81701"
    );
    const ACCESS_LIST: &[u8] = &hex!(
        "01f8a783014a3407843b9aca008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e8085e3ee160e00f838f794036cbd53842c5426634e7929541ec2318f3dcf7ee1a0010101010101010101010101010101010101010101010101010101010101010101a09a5f2d81791ecf49c0ebf74c76e4d510d9606ec58e18b287049d3209e50b14cfa0305ef355c216bfd6fb2c79198f7443cdad3a4ad3d602e914d75efdeb2d847511"
    );
    const DYNAMIC_FEE: &[u8] = &hex!(
        "02f87283014a3407830f4240843b9aca008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e8085e3ee160e00c080a0121f741173ca926a91008d96c48718b40981432ff836a2cd417839329512e9b8a029d67f5f4bea6d41ed81495a5356eb8cb4037b0043ab80cda9b7972c4ce9e480"
    );
    const CREATION: &[u8] = &hex!(
        "02f85e83014a3407830f4240843b9aca008301d4c0808085e3ee160e00c001a035ea6886dd38ef2477b924cd34a7e3ee11530566e7e5787c5815cedfd2964518a02352395e3160f3eef4bf542c4a9d3ff79e264873d5e3e9a71b180ab97204f0dc"
    );

    #[test]
    fn every_form_that_an_ethereum_library_signs_is_read() {
        let token = address!("036CbD53842c5426634e7929541eC2318f3dCF7e");
        let gwei = U256::from(1_000_000_000);
        for (raw, form, tip) in [
            (LEGACY, Form::Legacy, gwei),
            (ACCESS_LIST, Form::AccessList, gwei),
            (DYNAMIC_FEE, Form::DynamicFee, U256::from(1_000_000)),
        ] {
            let read = RawTransaction::decode(raw).unwrap();
            assert_eq!((read.form, read.chain_id, read.nonce, read.gas), (form, 84532, 7, 120_000));
            assert_eq!((read.to, read.max_fee, read.tip, read.value), (Some(token), gwei, tip, U256::ZERO));
            assert_eq!(read.sender, address!("1563915e194D8CfBA1943570603F7606A3115508"), "{form:?}");
            assert_eq!(read.input, hex!("e3ee160e00"));
            assert_eq!(read.hash, keccak256(raw));
            assert_eq!(read.access_list.len(), usize::from(form == Form::AccessList));
        }
        assert_eq!(RawTransaction::decode(CREATION).unwrap().to, None);
    }

    #[test]
    fn what_is_not_taken_is_refused_by_name() {
        let told = |raw: &[u8]| RawTransaction::decode(raw).unwrap_err().to_string();
        assert_eq!(told(&[]), "the transaction is empty");
        assert!(told(UNPROTECTED).starts_with("only replay-protected (EIP-155)"));
        assert!(told(&[3, 0xc0]).contains("EIP-4844"));
        assert!(told(&[4, 0xc0]).contains("EIP-7702"));
        assert!(told(&[0x7f, 0xc0]).contains("type 127"));
        assert!(told(&[2]).starts_with("rlp: the list"));
        assert!(told(&vec![2; LIMIT + 1]).starts_with("oversized data"));
        let mut longer = DYNAMIC_FEE.to_vec();
        longer.push(0);
        assert_eq!(told(&longer), "rlp: 1 bytes after the transaction's end");
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_a_panic() {
        for whole in [LEGACY, ACCESS_LIST, DYNAMIC_FEE, CREATION] {
            for end in 0..whole.len() {
                assert!(RawTransaction::decode(&whole[..end]).is_err());
            }
            for place in 0..whole.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut changed = whole.to_vec();
                    changed[place] ^= flip;
                    if let Ok(read) = RawTransaction::decode(&changed) {
                        assert_ne!(read.hash, keccak256(whole));
                    }
                }
            }
        }
    }
}
