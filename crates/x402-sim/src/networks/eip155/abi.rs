//! Calldata: how Solidity's ABI writes arguments and results.
//!
//! What cannot be read is `None`; a deployed contract reverts there without a word.

use alloy_primitives::{Address, B256, U256};

/// The size of a word in bytes.
pub const WORD: usize = 32;

/// Encoded arguments: heads of one word each, and the tails that they point to.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a>(&'a [u8]);

/// Splits calldata into the function's selector and its arguments.
pub fn split(input: &[u8]) -> Option<([u8; 4], Args<'_>)> {
    let (selector, rest) = input.split_first_chunk()?;
    Some((*selector, Args(rest)))
}

impl<'a> Args<'a> {
    /// The word at a place.
    pub fn word(self, index: usize) -> Option<B256> {
        let start = index.checked_mul(WORD)?;
        self.0.get(start..start.checked_add(WORD)?).map(B256::from_slice)
    }

    /// A number of 256 bits.
    pub fn number(self, index: usize) -> Option<U256> {
        self.word(index).map(|word| U256::from_be_bytes(word.0))
    }

    /// An address; its upper twelve bytes must be zero.
    pub fn address(self, index: usize) -> Option<Address> {
        let word = self.word(index)?;
        word[..12].iter().all(|byte| *byte == 0).then(|| Address::from_word(word))
    }

    /// A byte: a number below 256.
    pub fn byte(self, index: usize) -> Option<u8> {
        u8::try_from(self.number(index)?).ok()
    }

    /// `true` or `false`.
    pub fn flag(self, index: usize) -> Option<bool> {
        match self.byte(index)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// What a head points to: a dynamic tuple, or an array with its length first.
    pub fn tail(self, index: usize) -> Option<Self> {
        let offset = usize::try_from(self.number(index)?).ok()?;
        self.0.get(offset..).map(Self)
    }

    /// The bytes that a head points to.
    pub fn bytes(self, index: usize) -> Option<&'a [u8]> {
        let tail = self.tail(index)?;
        let length = usize::try_from(tail.number(0)?).ok()?;
        tail.0.get(WORD..WORD.checked_add(length)?)
    }

    /// The array that a head points to: its length, and its elements' heads.
    pub fn array(self, index: usize) -> Option<(usize, Self)> {
        let tail = self.tail(index)?;
        let length = usize::try_from(tail.number(0)?).ok()?;
        let elements = Self(tail.0.get(WORD..)?);
        // Every element has a head of at least one word.
        (length <= elements.0.len() / WORD).then_some((length, elements))
    }
}

/// One word.
pub fn word(value: U256) -> Vec<u8> {
    value.to_be_bytes::<WORD>().to_vec()
}

/// One word that is true or false.
pub fn flag(value: bool) -> Vec<u8> {
    word(U256::from(value))
}

/// One text or byte string, as the only result.
pub fn text(value: &[u8]) -> Vec<u8> {
    let mut out = word(U256::from(WORD));
    push_bytes(&mut out, value);
    out
}

/// The results of several calls, as the only result: `(bool success, bytes returnData)[]`.
pub fn results(results: &[(bool, Vec<u8>)]) -> Vec<u8> {
    let mut out = word(U256::from(WORD));
    out.extend(word(U256::from(results.len())));
    let mut tails = Vec::new();
    for (success, data) in results {
        out.extend(word(U256::from(results.len() * WORD + tails.len())));
        tails.extend(flag(*success));
        tails.extend(word(U256::from(2 * WORD)));
        push_bytes(&mut tails, data);
    }
    out.extend(tails);
    out
}

/// A number and a list of byte strings, as the results: `(uint256, bytes[])`.
pub fn numbered(number: U256, list: &[Vec<u8>]) -> Vec<u8> {
    let mut out = word(number);
    out.extend(word(U256::from(2 * WORD)));
    out.extend(word(U256::from(list.len())));
    let mut tails = Vec::new();
    for data in list {
        out.extend(word(U256::from(list.len() * WORD + tails.len())));
        push_bytes(&mut tails, data);
    }
    out.extend(tails);
    out
}

/// A length, the bytes, and zeros to the end of the word.
fn push_bytes(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(word(U256::from(value.len())));
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(WORD), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut data = vec![1, 2, 3, 4];
        data.extend(word(U256::from(7)));
        data.extend(flag(true));
        data.extend(word(U256::from(96)));
        push_bytes(&mut data, b"abc");
        let (selector, args) = split(&data).unwrap();
        assert_eq!(selector, [1, 2, 3, 4]);
        assert_eq!(args.number(0), Some(U256::from(7)));
        assert_eq!((args.byte(0), args.flag(1), args.bytes(2)), (Some(7), Some(true), Some(&b"abc"[..])));
        assert_eq!((args.flag(0), args.word(5)), (None, None));
    }

    #[test]
    fn lengths_and_offsets_that_lie_are_nothing() {
        for lie in [U256::MAX, U256::from(u64::MAX), U256::from(64), U256::from(33)] {
            let data = [word(U256::from(32)), word(lie)].concat();
            let args = Args(&data);
            assert_eq!(args.bytes(0), None, "{lie}");
            assert!(args.array(0).is_none(), "{lie}");
            let data = word(lie);
            assert_eq!(Args(&data).bytes(0), None, "{lie}");
        }
        assert_eq!(Args(&word(U256::MAX)).address(0), None);
        assert!(split(&[1, 2, 3]).is_none());
    }

    /// Written by viem's `encodeAbiParameters` for `[{success: true, returnData: "0x11"}, {success: false, returnData: "0x"}]`.
    #[test]
    fn results_of_calls_are_written_as_an_ethereum_library_writes_them() {
        let words = [32, 2, 64, 192, 1, 64, 1, 0, 0, 64, 0];
        let mut expected: Vec<u8> = words.iter().flat_map(|number: &u64| word(U256::from(*number))).collect();
        expected[7 * WORD] = 0x11;
        assert_eq!(results(&[(true, vec![0x11]), (false, Vec::new())]), expected);
    }
}
