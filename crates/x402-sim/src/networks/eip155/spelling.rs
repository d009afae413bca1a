//! How addresses are spelled: EIP-55, whose capital letters are a checksum.

use std::cell::RefCell;

use alloy_primitives::Address;

/// How many spellings are remembered, one in each place.
const REMEMBERED: usize = 1024;

/// An address in text.
type Text = [u8; 42];

thread_local! {
    /// Spellings that were found right: few addresses pay and are paid, and a checksum costs a Keccak hash, which is
    /// among the most that a verification does besides finding the signer.
    static RIGHT: RefCell<Vec<Text>> = const { RefCell::new(Vec::new()) };
}

/// The address with its EIP-55 checksum.
pub fn checksum(address: Address) -> String {
    address.to_checksum(None)
}

/// Whether official clients take this spelling as typed data: all lower case, or the right checksum.
///
/// Source: viem `isAddress` (strict).
pub fn is_strict_spelling(text: &str, address: Address) -> bool {
    if text.bytes().all(|byte| !byte.is_ascii_uppercase()) {
        return true;
    }
    let place = usize::from(u16::from_be_bytes([address[18], address[19]])) % REMEMBERED;
    RIGHT.with_borrow_mut(|right| {
        // Room is taken by whoever needs it.
        if right.is_empty() {
            right.resize(REMEMBERED, [0; 42]);
        }
        if right[place] == text.as_bytes() {
            return true;
        }
        let mut buffer = [0; 42];
        let spelled = address.to_checksum_raw(&mut buffer, None);
        let is_right = spelled == text;
        if is_right {
            right[place] = buffer;
        }
        is_right
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_right_or_wrong_whatever_was_asked_before() {
        let right = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
        let address: Address = right.parse().unwrap();
        let wrong = right.replace("cF7e", "cf7e").replace("CF7e", "Cf7e");
        // Two addresses that are remembered in one place.
        let [mut other, mut third] = [address, address];
        (other[0], third[1]) = (0xfe, 0xfd);
        for _ in 0..2 {
            for same in [address, other, third] {
                assert!(is_strict_spelling(&checksum(same), same));
                assert!(is_strict_spelling(&checksum(same).to_lowercase(), same));
            }
            assert!(!is_strict_spelling(&wrong, address));
            assert!(!is_strict_spelling(right, other), "the right text of another address");
            assert!(!is_strict_spelling(&right[..41], address));
        }
    }
}
