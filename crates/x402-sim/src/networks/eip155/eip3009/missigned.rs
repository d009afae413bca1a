//! Defects of signing: what is signed in place of the typed data, and signatures whose parts stand in another sequence.

use alloy_primitives::{B256, U256, keccak256};

use super::draft::Draft;

/// What wallets put in front of 32 bytes that they sign as a message (EIP-191).
const MESSAGE: &[u8] = b"\x19Ethereum Signed Message:\n32";

/// The digest signed as a message, as `personal_sign` does it.
pub(super) fn as_message(draft: &Draft) -> B256 {
    keccak256([MESSAGE, draft.digest().as_slice()].concat())
}

/// The digest hashed once more, as by a library that hashes what it is given.
pub(super) fn hashed_twice(draft: &Draft) -> B256 {
    keccak256(draft.digest())
}

/// Payer and payee exchanged. A permit does not say who pays, so that only its payee is another.
pub(super) fn parties_swapped(draft: &mut Draft) {
    let own = &mut draft.authorization;
    std::mem::swap(&mut own.from, &mut own.to);
}

pub(super) fn times_swapped(draft: &mut Draft) {
    let own = &mut draft.authorization;
    std::mem::swap(&mut own.valid_after, &mut own.valid_before);
}

/// An end of 0, which is taken to mean that there is none.
pub(super) fn without_end(draft: &mut Draft) {
    draft.authorization.valid_before = U256::ZERO;
}

/// `s` before `r`.
pub(super) fn s_before_r(signature: &[u8]) -> Vec<u8> {
    let (r_and_s, v) = signature.split_at(64);
    [&r_and_s[32..], &r_and_s[..32], v].concat()
}

/// `v` before `r` and `s`.
pub(super) fn v_first(signature: &[u8]) -> Vec<u8> {
    let (r_and_s, v) = signature.split_at(64);
    [v, r_and_s].concat()
}

/// The other of both parities.
pub(super) fn other_parity(signature: &[u8]) -> Vec<u8> {
    let (r_and_s, v) = signature.split_at(64);
    [r_and_s, &[27 + (28 - v[0])]].concat()
}
