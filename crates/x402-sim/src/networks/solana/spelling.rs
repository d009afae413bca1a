//! How keys are spelled: base58, which is a division of the whole number for each digit.

use std::cell::RefCell;

/// How many spellings are remembered in each direction, one in each place.
const REMEMBERED: usize = 256;

/// The longest spelling of 32 bytes.
const LONGEST: usize = 44;

/// A key and its only spelling.
#[derive(Clone, Copy, Debug)]
struct Spelled {
    key: [u8; 32],
    text: [u8; LONGEST],
    length: usize,
}

/// Nothing is spelled so: texts of no length are never looked up.
const NOTHING: Spelled = Spelled { key: [0; 32], text: [0; LONGEST], length: 0 };

thread_local! {
    /// Spellings that were worked out: a payment names the same few mints, payees and facilitators at many places, and
    /// each costs as much as parsing the payment.
    static BY_TEXT: RefCell<Vec<Spelled>> = const { RefCell::new(Vec::new()) };
    static BY_KEY: RefCell<Vec<Spelled>> = const { RefCell::new(Vec::new()) };
}

impl Spelled {
    fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

/// The 32 bytes of an address, if the text is base58 of exactly that many.
pub fn parse_address(text: &str) -> Option<[u8; 32]> {
    // The last digits depend on all of a key.
    let [.., before, last] = text.as_bytes() else { return None };
    let place = usize::from(*before) * 58 + usize::from(*last);
    BY_TEXT.with_borrow_mut(|known| {
        let known = at(known, place);
        if known.text() == text.as_bytes() {
            return Some(known.key);
        }
        let mut key = [0; 32];
        let length = bs58::decode(text).onto(&mut key).ok()?;
        if length != 32 {
            return None;
        }
        *known = spelled(key, text)?;
        Some(key)
    })
}

/// The spelling of 32 bytes, given to whoever wants to use it.
pub fn with_spelling<T>(key: &[u8; 32], then: impl FnOnce(&str) -> T) -> T {
    let place = usize::from(key[30]) * 256 + usize::from(key[31]);
    let found = BY_KEY.with_borrow_mut(|known| {
        let known = at(known, place);
        if known.key != *key || known.length == 0 {
            let mut text = [0; LONGEST];
            let length = bs58::encode(key).onto(&mut text[..]).unwrap_or_default();
            *known = Spelled { key: *key, text, length };
        }
        *known
    });
    then(std::str::from_utf8(found.text()).unwrap_or_default())
}

fn at(known: &mut Vec<Spelled>, place: usize) -> &mut Spelled {
    // Room is taken by whoever needs it.
    if known.is_empty() {
        known.resize(REMEMBERED, NOTHING);
    }
    &mut known[place % REMEMBERED]
}

fn spelled(key: [u8; 32], text: &str) -> Option<Spelled> {
    let mut room = [0; LONGEST];
    room.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(Spelled { key, text: room, length: text.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_texts_are_told_apart_whatever_was_asked_before() {
        // The first two pairs of keys are remembered in one place.
        let mut keys = [[7; 32]; 4];
        (keys[1][0], keys[2][5], keys[3][31]) = (8, 9, 0);
        for _ in 0..2 {
            for key in keys.iter().chain(&[[0; 32], [0xff; 32]]) {
                let text = bs58::encode(key).into_string();
                assert_eq!(with_spelling(key, str::to_owned), text);
                assert_eq!(parse_address(&text), Some(*key));
                // Another text with the same end, and one that is too long.
                let swapped = format!("{}{}", if text.starts_with('1') { "2" } else { "1" }, &text[1..]);
                assert_eq!(parse_address(&swapped), bs58::decode(&swapped).into_vec().unwrap().try_into().ok());
                assert_eq!(parse_address(&format!("1{text}")), None);
            }
        }
        for text in ["", "1", "11", "0O", "é1", "1é"] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }
}
