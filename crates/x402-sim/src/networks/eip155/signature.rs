//! The forms that a signature comes in, as the official facilitator tells them apart.
//!
//! Source: TS 2.27 `verifySignature.ts`, viem `parseErc6492Signature` and `recoverPublicKey`.

use alloy_primitives::{Address, B256, U256, hex};

use super::bytes_of;
use super::eip712::Authorization;
use super::secp::{self, Signers};

/// The 32 bytes that end an ERC-6492 wrapper.
const WRAPPER_MAGIC: [u8; 32] = hex!("6492649264926492649264926492649264926492649264926492649264926492");

/// Half of the curve's order: tokens refuse a larger `s`.
const HALF_ORDER: U256 = U256::from_be_bytes(hex!("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"));

/// A signature as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// 65 bytes: `r`, `s`, `v`.
    Ecdsa(Ecdsa),
    /// An ERC-6492 wrapper around the signature of a contract that is not deployed yet.
    Wrapped {
        /// The factory that would deploy it.
        factory: Address,
    },
    /// An ERC-6492 wrapper whose inside cannot be read.
    BrokenWrapper,
    /// Something else.
    Other {
        /// Its length in bytes; `None` where it is not hexadecimal after `0x`.
        bytes: Option<usize>,
    },
}

/// A signature of an account without code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ecdsa {
    /// `r` and `s`, 32 bytes each.
    pub compact: [u8; 64],
    /// The last byte.
    pub v: u8,
}

/// Whose signature it is: what was recovered from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The domain that was assumed.
    pub separator: B256,
    /// What was signed.
    pub authorization: Authorization,
    /// Who signed it.
    pub signer: Option<Address>,
}

impl Signature {
    /// Reads the text of a signature.
    pub fn parse(text: &str) -> Self {
        let Some(bytes) = bytes_of(text) else {
            return Self::Other { bytes: None };
        };
        if bytes.ends_with(&WRAPPER_MAGIC) {
            return unwrap(&bytes).unwrap_or(Self::BrokenWrapper);
        }
        let Ok(bytes): Result<[u8; 65], _> = bytes.as_slice().try_into() else {
            return Self::Other { bytes: Some(bytes.len()) };
        };
        Self::Ecdsa(Ecdsa::from_bytes(&bytes))
    }
}

impl Ecdsa {
    /// The signature in its 65 bytes.
    pub fn from_bytes(bytes: &[u8; 65]) -> Self {
        let mut compact = [0; 64];
        compact.copy_from_slice(&bytes[..64]);
        Self { compact, v: bytes[64] }
    }

    /// Its 65 bytes.
    pub fn bytes(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&self.compact);
        bytes[64] = self.v;
        bytes
    }

    /// The signer, as the official facilitator recovers it: `v` 0, 1, 27 or 28, any `s`.
    pub fn recover(&self, digest: B256) -> Option<Address> {
        secp::recover(digest, &self.compact, self.parity()?)
    }

    /// Who would be the signer of other digests than this one.
    pub fn signers(&self, digest: B256) -> Option<Signers> {
        Signers::new(digest, &self.compact, self.parity()?)
    }

    const fn parity(&self) -> Option<u8> {
        match self.v {
            0 | 27 => Some(0),
            1 | 28 => Some(1),
            _ => None,
        }
    }

    /// Whether `s` is in the upper half of the curve's order.
    pub fn has_high_s(&self) -> bool {
        U256::from_be_slice(&self.compact[32..]) > HALF_ORDER
    }
}

/// The factory in a wrapper: `abi.encode(address factory, bytes calldata, bytes signature)` and the magic.
///
/// `None` where it cannot be read.
fn unwrap(bytes: &[u8]) -> Option<Signature> {
    let data = &bytes[..bytes.len() - WRAPPER_MAGIC.len()];
    let word = |index: usize| data.get(index * 32..index * 32 + 32);
    let factory = Address::from_slice(&word(0)?[12..]);
    tail(data, word(1)?)?;
    tail(data, word(2)?)?;
    if factory.is_zero() {
        return Some(Signature::Other { bytes: Some(bytes.len()) });
    }
    Some(Signature::Wrapped { factory })
}

/// The `bytes` argument at an offset, which must lie within the data.
fn tail<'a>(data: &'a [u8], offset: &[u8]) -> Option<&'a [u8]> {
    let number = |word: &[u8]| usize::try_from(U256::from_be_slice(word)).ok();
    let start = number(offset)?;
    let body = start.checked_add(32)?;
    let length = number(data.get(start..body)?)?;
    data.get(body..body.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let text = |bytes: usize| format!("0x{}", "11".repeat(bytes));
        assert!(matches!(Signature::parse(&text(65)), Signature::Ecdsa(_)));
        assert_eq!(Signature::parse(&text(64)), Signature::Other { bytes: Some(64) });
        assert_eq!(Signature::parse(&text(66)), Signature::Other { bytes: Some(66) });
        assert_eq!(Signature::parse("0x"), Signature::Other { bytes: Some(0) });
        assert_eq!(Signature::parse("11"), Signature::Other { bytes: None });
        assert_eq!(Signature::parse("0xzz"), Signature::Other { bytes: None });
    }

    #[test]
    fn a_wrapper_gives_its_factory_or_is_broken() {
        let magic = hex::encode(WRAPPER_MAGIC);
        let word = |value: u64| format!("{value:064x}");
        let factory = format!("{:0>64}", "11".repeat(20));
        let body = [word(96), word(128), word(0), word(0)].concat();
        let whole = Signature::parse(&format!("0x{factory}{body}{magic}"));
        assert_eq!(whole, Signature::Wrapped { factory: Address::repeat_byte(0x11) });
        let far = [word(96), word(u64::MAX), word(0)].concat();
        for inside in [String::new(), factory.clone(), format!("{factory}{far}")] {
            assert_eq!(Signature::parse(&format!("0x{inside}{magic}")), Signature::BrokenWrapper, "{inside}");
        }
    }
}
