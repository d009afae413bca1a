//! Signing and verifying. As a node does it, keys and signatures of small order are refused.

use std::cell::RefCell;

use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};

use super::key::Key;

/// A signature.
pub type Bytes = [u8; 64];

/// The eight points of small order, each written in the one form that a signature which verifies can have.
const SMALL_ORDER: [[u8; 32]; 8] = {
    let (mut one, mut four, mut eight, mut other) = ([0; 32], [0; 32], EIGHTH, MINUS_EIGHTH);
    one[0] = 1;
    (four[31], eight[31], other[31]) = (0x80, EIGHTH[31] | 0x80, MINUS_EIGHTH[31] | 0x80);
    let mut two = [0xff; 32];
    (two[0], two[31]) = (0xec, 0x7f);
    [one, two, [0; 32], four, EIGHTH, eight, MINUS_EIGHTH, other]
};

/// The heights of the points of order eight.
const EIGHTH: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac,
    0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];
const MINUS_EIGHTH: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53,
    0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];

/// How many keys are remembered, one in each place.
const REMEMBERED: usize = 128;

thread_local! {
    /// Keys that can sign, as points: a payer pays again, and to find his point and its order costs a fifth of a
    /// verification.
    static POINTS: RefCell<Vec<Option<VerifyingKey>>> = const { RefCell::new(Vec::new()) };
}

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

/// Whether a signature of a message is a key's: what `verify_strict` of `ed25519-dalek` says, which a node asks.
pub fn verify(key: Key, message: &[u8], signature: &Bytes) -> bool {
    let Some(key) = point(key) else { return false };
    // A signature begins with a point. `verify_strict` takes it out of its bytes to know its order; `verify` compares
    // the bytes with those of the point that there must be, so that of each order only this spelling can pass.
    let small = SMALL_ORDER.iter().any(|point| signature.starts_with(point));
    !small && key.verify(message, &Signature::from_bytes(signature)).is_ok()
}

/// The point of a key; `None` where it is none, or one of small order.
fn point(key: Key) -> Option<VerifyingKey> {
    let place = place(key);
    POINTS.with_borrow_mut(|points| {
        // Room is taken by whoever needs it.
        if points.is_empty() {
            points.resize(REMEMBERED, None);
        }
        if let Some(known) = points[place].filter(|known| *known.as_bytes() == key.0) {
            return Some(known);
        }
        let found = VerifyingKey::from_bytes(&key.0).ok().filter(|found| !found.is_weak())?;
        points[place] = Some(found);
        Some(found)
    })
}

/// Where a key is remembered. Keys are as good as random.
fn place(key: Key) -> usize {
    usize::from(key.0[0]) % REMEMBERED
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

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

    /// A key that is the sum of an ordinary one and a point of order eight, so that its owner can make signatures of every
    /// small order. Each of these is of a message of one byte, and passes where orders are not looked at.
    const MIXED: &str = "4f5c0ee0a42cb0f328eb802f5bc93f7709db39eff3e2095ac3f5d61fa29f315f";
    const OF_SMALL_ORDER: [(u8, &str, &str); 8] = [
        (
            26,
            "0100000000000000000000000000000000000000000000000000000000000000",
            "75276023ef02d5b46333abc85bb964120bfe5be65d87f5d363366ce10776fb0d",
        ),
        (
            1,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "4cad16e7c61f1d0c53c54a63e08eb62e226f8a05d7a4dbec1e05bb0ed38aca01",
        ),
        (
            37,
            "0000000000000000000000000000000000000000000000000000000000000080",
            "7bea6592a8e3cd62c4bd5e5a54ede341b2262dcb09e4a1829f309a9270c92d05",
        ),
        (
            25,
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "fa2655e108d12f61d7053b54a77cf45e12308d6055f46f07646435e29ed27304",
        ),
        (
            0,
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "c73b10974304f63f0f43883182d712fb0024b27eb4643071a68cbfe8d9c31508",
        ),
        (
            40,
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "5ceb85a1992ebe2752eea92cb794462bdaeea8948ce735ef3f8d6c6ebab7450c",
        ),
        (
            3,
            "0000000000000000000000000000000000000000000000000000000000000000",
            "7f7ba00d3df8c574a0f55a9ed33d8b97f2b16e23f3bb47b00aa193c480271107",
        ),
        (
            0,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c5564eb5dd20c22ef1ce85ab505a7e5e0d8bec1bbfa0ee152c91b0dec5fa920e",
        ),
    ];

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode_to_array(text).unwrap()
    }

    #[test]
    fn a_signature_of_small_order_is_nobodys() {
        let mixed = VerifyingKey::from_bytes(&bytes(MIXED)).unwrap();
        let mut left = SMALL_ORDER.to_vec();
        for (message, point, scalar) in OF_SMALL_ORDER {
            let signature: Bytes = [bytes::<32>(point), bytes::<32>(scalar)].concat().try_into().unwrap();
            let signed = Signature::from_bytes(&signature);
            assert!(mixed.verify(&[message], &signed).is_ok() && mixed.verify_strict(&[message], &signed).is_err());
            assert!(!verify(Key(bytes(MIXED)), &[message], &signature), "{point}");
            left.retain(|small| *small != bytes(point));
        }
        assert!(left.is_empty(), "every small order is tried: {left:?}");
    }

    #[test]
    fn a_key_of_small_order_is_nobodys() {
        for small in SMALL_ORDER {
            assert!(VerifyingKey::from_bytes(&small).unwrap().is_weak());
            // What the identity signs is the base point, times the scalar.
            let base = [&[0x58], &[0x66; 31][..], &[1], &[0; 31]].concat().try_into().unwrap();
            assert!(!verify(Key(small), b"a", &base));
        }
        let identity = VerifyingKey::from_bytes(&SMALL_ORDER[0]).unwrap();
        let base: Bytes = [&[0x58], &[0x66; 31][..], &[1], &[0; 31]].concat().try_into().unwrap();
        assert!(identity.verify(b"a", &Signature::from_bytes(&base)).is_ok(), "it would sign everything");
    }

    /// Keys share places, and what is remembered of one says nothing of another.
    #[test]
    fn keys_are_told_apart_whatever_was_verified_before() {
        let seeds: Vec<[u8; 32]> = (0..=255).map(|number| [number; 32]).collect();
        let keys: Vec<Key> = seeds.iter().map(key_of).collect();
        let mut shared = 0;
        for (seed, key) in seeds.iter().zip(&keys) {
            let signature = sign(seed, b"a");
            for other in keys.iter().filter(|other| place(**other) == place(*key)) {
                shared += usize::from(other != key);
                assert_eq!(verify(*other, b"a", &signature), other == key);
                assert!(verify(*key, b"a", &signature));
            }
        }
        assert!(shared > 0);
        let signature = sign(&seeds[1], b"a");
        for at in 0..96 {
            let (mut key, mut changed) = (keys[1], signature);
            if at < 64 {
                changed[at] ^= 1;
            } else {
                key.0[at - 64] ^= 1;
            }
            assert!(!verify(key, b"a", &changed), "{at}");
        }
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
