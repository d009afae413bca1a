//! Signing and verifying. As a node does it, keys and signatures of small order are refused.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::key::Key;

/// A signature.
pub type Bytes = [u8; 64];

/// A private key and its address, which is as costly to find as a signature.
#[derive(Debug)]
pub struct Keypair(SigningKey);

impl Keypair {
    /// The pair of a private key of 32 bytes.
    pub fn of(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The address.
    pub fn key(&self) -> Key {
        Key(self.0.verifying_key().to_bytes())
    }

    /// The signature of a message. The same message has the same signature.
    pub fn sign(&self, message: &[u8]) -> Bytes {
        self.0.sign(message).to_bytes()
    }
}

/// The signature of a message by a private key of 32 bytes.
pub fn sign(seed: &[u8; 32], message: &[u8]) -> Bytes {
    Keypair::of(seed).sign(message)
}

/// The address of a private key.
pub fn key_of(seed: &[u8; 32]) -> Key {
    Keypair::of(seed).key()
}

/// Whether 64 bytes are no signature but a key pair, as wallets keep one: a private key, and behind it its public one.
pub fn is_pair(bytes: &Bytes) -> bool {
    let (seed, public) = bytes.split_at(32);
    <&[u8; 32]>::try_from(seed).is_ok_and(|seed| key_of(seed).0 == public)
}

/// Whether a signature of a message is a key's.
pub fn verify(key: Key, message: &[u8], signature: &Bytes) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else { return false };
    key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_key_and_one_message() {
        let (seed, other) = ([1; 32], [2; 32]);
        let signature = sign(&seed, b"a");
        assert!(verify(key_of(&seed), b"a", &signature));
        assert!(!verify(key_of(&seed), b"b", &signature));
        assert!(!verify(key_of(&other), b"a", &signature));
        assert!(!verify(Key([0xff; 32]), b"a", &signature), "no point of the curve");
        assert!(!verify(Key([0; 32]), b"a", &[0; 64]), "a key of small order signs everything");
    }

    #[test]
    fn a_key_pair_is_no_signature() {
        let pair: Bytes = [[1; 32], key_of(&[1; 32]).0].concat().try_into().unwrap();
        assert!(is_pair(&pair));
        for other in [[0; 64], [1; 64], sign(&[1; 32], b"a")] {
            assert!(!is_pair(&other));
        }
    }
}
