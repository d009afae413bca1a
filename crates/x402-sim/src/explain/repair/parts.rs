//! The parts of a signature in another sequence than r, s, v, and the other of both parities.

use crate::networks::eip155::signature::Ecdsa;

/// A signature that may be meant: by which finding, and what is wrong with the one that was sent.
pub(super) struct Meant {
    pub(super) ecdsa: Ecdsa,
    pub(super) id: &'static str,
    pub(super) seen: String,
}

/// What 65 bytes may be besides r, s and v: at most nine signatures, so that as many recoveries are made.
pub(super) fn meant(sent: &Ecdsa) -> Vec<Meant> {
    let bytes = sent.bytes();
    let (r, s) = (part(&bytes, 0), part(&bytes, 32));
    let (behind_r, behind_s) = (part(&bytes, 1), part(&bytes, 33));
    let mut all = Vec::new();
    let mut add = |r: &[u8; 32], s: &[u8; 32], v: u8, what: &str| {
        // A parity that cannot be one leaves both.
        let known = [27, 28].into_iter().filter(|own| !matches!(v, 0 | 1 | 27 | 28) || v % 27 == own % 27);
        for v in known {
            let ecdsa = Ecdsa { compact: joined(r, s), v };
            all.push(Meant { ecdsa, id: "signature_order", seen: format!("its parts stand as {what}") });
        }
    };
    add(&behind_r, &behind_s, bytes[0], "v, r, s");
    for v in [27, 28] {
        add(&s, &r, v, "s, r, v");
    }
    add(&behind_s, &behind_r, bytes[0], "v, s, r");
    let reversed = |part: &[u8; 32]| {
        let mut part = *part;
        part.reverse();
        part
    };
    for v in [27, 28] {
        add(&reversed(&r), &reversed(&s), v, "r, s, v, with the bytes of r and s from the last to the first");
    }
    if matches!(sent.v, 0 | 1 | 27 | 28) {
        let v = 27 + (1 - sent.v % 27);
        let seen = format!("its last byte, v, is {}, and with {v} it is the payer's", sent.v);
        all.push(Meant { ecdsa: Ecdsa { v, ..*sent }, id: "signature_parity", seen });
    }
    all
}

/// The 32 bytes from a place on.
fn part(bytes: &[u8; 65], from: usize) -> [u8; 32] {
    let mut part = [0; 32];
    part.copy_from_slice(&bytes[from..from + 32]);
    part
}

fn joined(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(r);
    compact[32..].copy_from_slice(s);
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_tried_than_are_said_to_be() {
        for v in [0, 1, 26, 27, 28, 29, 255] {
            let mut bytes = [7; 65];
            bytes[64] = v;
            for first in [7, 27, 28] {
                bytes[0] = first;
                assert!(meant(&Ecdsa::from_bytes(&bytes)).len() <= 9, "{v}");
            }
        }
    }
}
