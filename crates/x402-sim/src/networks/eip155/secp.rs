//! Signing and recovering on secp256k1: the only file with C code beneath it.

use std::cell::Cell;
use std::sync::LazyLock;

use alloy_primitives::{Address, B256, U256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey};

/// The curve's order.
const ORDER: U256 =
    U256::from_be_bytes(alloy_primitives::hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));

/// The library's tables, without its protection of secret keys from observers: the keys here are public.
static CURVE: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// The address whose key made a signature over `digest`, for any `s`.
///
/// `None` where `r` or `s` is zero or beyond the curve's order, or no point fits.
pub fn recover(digest: B256, compact: &[u8; 64], parity: u8) -> Option<Address> {
    recover_key(digest, compact, parity).map(|key| address(&key))
}

/// Who would have signed other digests with one signature: the first costs a recovery, each other one less than half.
///
/// A signer's key is `(sR - zG) / r`, so that two digests' keys differ by `(z - z') / r` times the generator.
#[derive(Debug)]
pub struct Signers {
    digest: U256,
    key: PublicKey,
    inverse: U256,
}

impl Signers {
    /// Recovers the key for a first digest.
    pub fn new(digest: B256, compact: &[u8; 64], parity: u8) -> Option<Self> {
        let key = recover_key(digest, compact, parity)?;
        let inverse = U256::from_be_slice(&compact[..32]).inv_mod(ORDER)?;
        Some(Self { digest: U256::from_be_bytes(digest.0), key, inverse })
    }

    /// Whose the signature would be over another digest.
    pub fn over(&self, digest: B256) -> Option<Address> {
        let other = U256::from_be_bytes(digest.0);
        let difference = (self.digest % ORDER).add_mod(ORDER - other % ORDER, ORDER);
        if difference.is_zero() {
            return Some(address(&self.key));
        }
        let shift = difference.mul_mod(self.inverse, ORDER).to_be_bytes();
        let shift = PublicKey::from_secret_key(&CURVE, &SecretKey::from_byte_array(shift).ok()?);
        self.key.combine(&shift).ok().map(|key| address(&key))
    }
}

/// Signs a digest, deterministically (RFC 6979). Gives `r || s` with a low `s`, and the parity.
///
/// # Panics
///
/// When `key` is zero or beyond the curve's order; keys here are the fixed public test keys.
pub fn sign(digest: B256, key: &[u8; 32]) -> ([u8; 64], u8) {
    let key = SecretKey::from_byte_array(*key).expect("test keys are valid scalars");
    let signature = CURVE.sign_ecdsa_recoverable(Message::from_digest(digest.0), &key);
    let (id, compact) = signature.serialize_compact();
    (compact, u8::try_from(i32::from(id)).expect("a recovery id is 0 to 3"))
}

/// The address of a key; `None` where it is zero or beyond the curve's order.
pub fn address_of(key: &[u8; 32]) -> Option<Address> {
    let key = SecretKey::from_byte_array(*key).ok()?;
    Some(address(&PublicKey::from_secret_key(&CURVE, &key)))
}

fn recover_key(digest: B256, compact: &[u8; 64], parity: u8) -> Option<PublicKey> {
    /// What a key was recovered from, and the key.
    type Recovery = (B256, [u8; 64], u8, PublicKey);
    thread_local! {
        /// The last one: whoever refuses a signature explains it next, and asks for its key again.
        static LAST: Cell<Option<Recovery>> = const { Cell::new(None) };
    }
    if let Some((_, _, _, key)) = LAST.get().filter(|last| (last.0, &last.1, last.2) == (digest, compact, parity)) {
        return Some(key);
    }
    let id = RecoveryId::try_from(i32::from(parity)).ok()?;
    let signature = RecoverableSignature::from_compact(compact, id).ok()?;
    let key = CURVE.recover_ecdsa(Message::from_digest(digest.0), &signature).ok()?;
    LAST.set(Some((digest, *compact, parity, key)));
    Some(key)
}

fn address(key: &PublicKey) -> Address {
    Address::from_slice(&keccak256(&key.serialize_uncompressed()[1..])[12..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recovered_from_all_that_it_was_recovered_from() {
        let (digest, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let (compact, parity) = sign(digest, &[0x11; 32]);
        let (strange, strange_parity) = sign(digest, &[0x22; 32]);
        let own = address_of(&[0x11; 32]);
        for _ in 0..3 {
            assert_eq!(recover(digest, &compact, parity), own);
            assert_ne!(recover(digest, &compact, 1 - parity), own);
            assert_eq!(recover(digest, &compact, parity), own);
            assert_ne!(recover(other, &compact, parity), own);
            assert_eq!(recover(digest, &compact, parity), own);
            assert_eq!(recover(digest, &strange, strange_parity), address_of(&[0x22; 32]));
            assert_eq!(recover(digest, &compact, parity), own);
            assert_eq!(recover(digest, &[0; 64], parity), None);
            assert_eq!(recover(digest, &compact, 9), None);
        }
    }

    #[test]
    fn other_digests_give_the_signers_that_recovery_gives() {
        for parity in [0, 1] {
            for seed in 1..=20u8 {
                let (compact, _) = sign(B256::repeat_byte(seed), &[seed; 32]);
                let signers = Signers::new(B256::repeat_byte(seed), &compact, parity).unwrap();
                for other in [0x00, 0x01, seed, seed ^ 0xff, 0xff] {
                    let digest = B256::repeat_byte(other);
                    assert_eq!(signers.over(digest), recover(digest, &compact, parity), "{seed} {other}");
                }
            }
        }
    }
}
