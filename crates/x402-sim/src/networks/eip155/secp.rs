//! Signing and recovering on secp256k1: the only file with C code beneath it.

use alloy_primitives::{Address, B256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SecretKey};

/// The address whose key made a signature over `digest`, for any `s`.
///
/// `None` where `r` or `s` is zero or beyond the curve's order, or no point fits.
pub fn recover(digest: B256, compact: &[u8; 64], parity: u8) -> Option<Address> {
    let id = RecoveryId::from_u8_masked(parity);
    let signature = RecoverableSignature::from_compact(compact, id).ok()?;
    let key = signature.recover_ecdsa(Message::from_digest(digest.0)).ok()?;
    Some(address(&key.serialize_uncompressed()))
}

/// Signs a digest, deterministically (RFC 6979). Gives `r || s` with a low `s`, and the parity.
///
/// # Panics
///
/// When `key` is zero or beyond the curve's order; keys here are the fixed public test keys.
pub fn sign(digest: B256, key: &[u8; 32]) -> ([u8; 64], u8) {
    let key = SecretKey::from_secret_bytes(*key).expect("test keys are valid scalars");
    let signature = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), &key);
    let (id, compact) = signature.serialize_compact();
    (compact, id.to_u8())
}

fn address(uncompressed: &[u8; 65]) -> Address {
    Address::from_slice(&keccak256(&uncompressed[1..])[12..])
}
