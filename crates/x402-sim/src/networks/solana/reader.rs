//! Bytes from the front, as the official decoder reads them, and what a node would not accept of them.
//!
//! Source: `@solana/kit` 5.5.1 `codecs-numbers/short-u16.ts`, `codecs-data-structures/array.ts`.

/// Bytes ended where more were needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

/// For how many items of a list room is taken at once: whoever claims more may not have them.
const LIKELY: usize = 64;

/// What is left of some bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// What was read that a node refuses, in words: the official decoder lets it pass, and its node does not.
    pub irregular: Option<&'static str>,
}

impl<'a> Reader<'a> {
    /// All of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, irregular: None }
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Ended> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Ended)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Ended> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// The next bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Ended> {
        self.take(N)?.try_into().map_err(|_| Ended)
    }

    /// A length of one to three bytes, seven bits each. Where nothing is left it counts as zero, as for the official
    /// decoder.
    pub fn length(&mut self) -> usize {
        let (mut value, mut shift) = (0_usize, 0);
        loop {
            let Ok(byte) = self.byte() else {
                self.irregular.get_or_insert("it ends before a length");
                return value;
            };
            value |= usize::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                let is_long_winded = byte == 0 && shift > 0;
                if is_long_winded || value > usize::from(u16::MAX) {
                    self.irregular.get_or_insert("a length in it is not written in its shortest form");
                }
                return value;
            }
            shift += 7;
            if shift > 28 {
                self.irregular.get_or_insert("a length in it is not written in its shortest form");
                return usize::MAX;
            }
        }
    }

    /// A list of as many items as a length before them says.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Ended>) -> Result<Vec<T>, Ended> {
        let count = self.length();
        let mut items = Vec::with_capacity(count.min(LIKELY));
        // Each item takes a byte at least, so that a great count ends with the bytes.
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// As many bytes as a length before them says.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Ended> {
        let count = self.length();
        self.take(count).map(<[u8]>::to_vec)
    }
}

/// Appends a length, in its shortest form.
pub fn write_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = u8::try_from(length & 0x7f).expect("seven bits fit into a byte");
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_they_are_written() {
        for length in [0, 1, 127, 128, 255, 16_383, 16_384, 65_535] {
            let mut bytes = Vec::new();
            write_length(&mut bytes, length);
            let mut reader = Reader::new(&bytes);
            assert_eq!((reader.length(), reader.irregular, reader.rest().len()), (length, None, 0));
        }
    }

    #[test]
    fn a_list_has_as_many_items_as_its_length_says_or_is_none() {
        let written = [2, 7, 8, 9];
        for read in [|reader: &mut Reader<'_>| reader.list(Reader::byte), |reader: &mut Reader<'_>| reader.bytes()] {
            let mut reader = Reader::new(&written);
            assert_eq!((read(&mut reader), reader.rest()), (Ok(vec![7, 8]), &written[3..]));
            for short in [&[3, 7, 8][..], &[0xff, 0xff, 0xff, 0xff, 0xff]] {
                assert_eq!(read(&mut Reader::new(short)), Err(Ended), "{short:?}");
            }
            assert_eq!(read(&mut Reader::new(&[])), Ok(Vec::new()));
        }
    }

    #[test]
    fn a_length_that_a_node_refuses_is_noticed() {
        for (bytes, length) in [(&[0x80, 0x00][..], 0), (&[], 0), (&[0xff, 0xff, 0x7f], 0x001f_ffff)] {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.length(), length);
            assert!(reader.irregular.is_some(), "{bytes:?}");
        }
        assert_eq!(Reader::new(&[0xff; 20]).length(), usize::MAX);
    }
}
