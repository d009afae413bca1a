//! A private key that stands where a payment belongs: in which form it is written, and what is kept in its place.

use alloy_primitives::hex;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::{DIGITS, NUMBERS};
use crate::networks::solana::{ed25519, parse_signature};

/// The alphabets of base64, with padding or without.
const BASE64: [GeneralPurpose; 2] = [indifferent(&alphabet::STANDARD), indifferent(&alphabet::URL_SAFE)];

/// How long 64 bytes are in base64, in characters, without their padding.
const PAIR_IN_BASE64: usize = 86;

/// The longest text that is looked at, in bytes: 64 numbers, a line each, in an object with their places.
const LONGEST: usize = 2048;

/// In which form a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 64 bytes, of which the last are the public key of the first: nothing else is.
    Pair,
    /// 64 hexadecimal digits. So are hashes.
    Digits,
    /// A list of 32 to 64 bytes.
    Numbers,
}

impl Form {
    /// The form of a text that is nothing but a key, perhaps in quotes, in brackets, behind a word, or in base64; or of what
    /// was kept in place of one.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let marked = [Self::Pair, Self::Digits, Self::Numbers].into_iter().find(|form| text == form.mark());
        let plain = || {
            let bytes = BASE64.iter().find_map(|engine| engine.decode(text).ok());
            let inner = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            Self::of_plain(text).or_else(|| Self::of_plain(&inner?))
        };
        marked.or_else(|| if text.len() <= LONGEST { plain() } else { None })
    }

    /// What is kept in place of a key that is written so.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Pair => "<cut out>: a key pair of 64 bytes",
            Self::Digits => "<cut out>: 64 hexadecimal digits",
            Self::Numbers => "<cut out>: a list of 32 to 64 bytes",
        }
    }

    fn of_plain(text: &str) -> Option<Self> {
        if let Some(bytes) = numbers(text) {
            return Some(if is_pair_of_bytes(&bytes) { Self::Pair } else { Self::Numbers });
        }
        // Members have names; what is written within them is no bare word.
        if text.contains('{') {
            return None;
        }
        if is_pair(last_word(text)?) {
            return Some(Self::Pair);
        }
        digits(text).map(|_| Self::Digits)
    }
}

/// The 64 hexadecimal digits that a text is, without the word before them: a hash, or a key.
pub fn digits(text: &str) -> Option<&str> {
    let word = last_word(text)?;
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    is_digits(digits, DIGITS).then_some(digits)
}

/// The last word of a text, without the quotes and marks of languages.
fn last_word(text: &str) -> Option<&str> {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | ':' | '<' | '>');
    text.split(is_mark).rfind(|word| !word.is_empty())
}

/// Whether a word is a key pair of Solana, and no signature: in base58, hexadecimal or base64.
pub fn is_pair(word: &str) -> bool {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    let bytes = if is_digits(digits, 2 * DIGITS) {
        hex::decode(digits).ok()
    } else if word.trim_end_matches('=').len() == PAIR_IN_BASE64 {
        let in_base64 = BASE64.iter().find_map(|engine| engine.decode(word).ok());
        in_base64.filter(|bytes| is_pair_of_bytes(bytes)).or_else(|| Some(parse_signature(word)?.to_vec()))
    } else {
        parse_signature(word).map(|bytes| bytes.to_vec())
    };
    bytes.is_some_and(|bytes| is_pair_of_bytes(&bytes))
}

/// Whether JSON is a key pair as a list of bytes, or as the object that `JSON.stringify` makes of them.
pub fn is_pair_in_json(value: &Value) -> bool {
    let byte = |value: &Value| u8::try_from(value.as_u64()?).ok();
    let bytes: Option<Vec<u8>> = match value {
        Value::Array(items) if items.len() == 64 => items.iter().map(byte).collect(),
        Value::Object(members) if members.len() == 64 => {
            (0..64).map(|place| byte(members.get(&place.to_string())?)).collect()
        }
        _ => None,
    };
    bytes.is_some_and(|bytes| is_pair_of_bytes(&bytes))
}

fn is_pair_of_bytes(bytes: &[u8]) -> bool {
    <&[u8; 64]>::try_from(bytes).is_ok_and(ed25519::is_pair)
}

fn is_digits(word: &str, count: usize) -> bool {
    word.len() == count && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The bytes of a list of 32 to 64 of them, whatever stands around it: `172,9`, `Uint8Array(64) [ 172, 9 ]`,
/// `{"0":172,"1":9}`, `<Buffer ac 09>`.
fn numbers(text: &str) -> Option<Vec<u8>> {
    let is_count = |bytes: &Vec<u8>| (NUMBERS..=64).contains(&bytes.len());
    if let Some(inner) = text.strip_prefix("<Buffer ").and_then(|rest| rest.split('>').next()) {
        let bytes = inner.split(' ').map_while(|word| hex::decode(word).ok().filter(|own| own.len() == 1));
        return Some(bytes.flatten().collect()).filter(is_count);
    }
    let inner = text.trim_end_matches([']', ')', '}', ';', '"', '\'', ' ']);
    let inner = inner.rsplit(['[', '(', '{', '"', '\'']).next().filter(|_| !inner.contains(':')).unwrap_or(inner);
    let bytes = inner.split(',').enumerate().map(|(place, own)| {
        // `"12":34`, behind what opens the object at the first.
        let number = own.rsplit_once(':').map_or(Some(own), |(name, number)| {
            let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '"' | '\''));
            (name.parse() == Ok(place)).then_some(number)
        });
        number?.trim().parse().ok()
    });
    bytes.collect::<Option<Vec<u8>>>().filter(is_count)
}

const fn indifferent(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config.with_decode_allow_trailing_bits(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::solana::signature_text;

    #[test]
    fn every_form_of_a_key_is_told_and_no_signature() {
        let own: [u8; 64] = [[1; 32], ed25519::key_of(&[1; 32]).0].concat().try_into().unwrap();
        let list = |bytes: &[u8]| bytes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let words = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let members = own.iter().enumerate().map(|(place, byte)| format!("\"{place}\":{byte}"));
        let members = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        for text in [
            signature_text(&own),
            format!("x402-solana {}", signature_text(&own)),
            hex::encode(own),
            format!("\"0x{}\"", hex::encode_upper(own)),
            BASE64[0].encode(own),
            BASE64[1].encode(own).trim_end_matches('=').to_owned(),
            list(&own),
            format!("[{}]", list(&own)),
            format!("new Uint8Array([{}])", list(&own).replace(',', ", ")),
            format!("Uint8Array(64) [\n  {}\n]", list(&own).replace(',', ",\n ")),
            members.clone(),
            BASE64[0].encode(format!("[{}]", list(&own))),
            format!("<Buffer {}>", words(&own)),
            Form::Pair.mark().to_owned(),
        ] {
            assert_eq!(Form::of(&text), Some(Form::Pair), "{text}");
        }
        let key = hex::encode(&own[32..]);
        for text in [key.clone(), format!("0x{key}"), format!("Bearer '0X{key}'"), Form::Digits.mark().to_owned()] {
            assert_eq!(Form::of(&text), Some(Form::Digits), "{text}");
        }
        for text in [
            format!("[{}]", list(&own[..32])),
            list(&[7; 64]),
            format!("<Buffer {} ... 14 more bytes>", words(&own[..50])),
        ] {
            assert_eq!(Form::of(&text), Some(Form::Numbers), "{text}");
        }
        let signature = [7; 64];
        for text in [
            signature_text(&signature),
            hex::encode(signature),
            BASE64[0].encode(signature),
            "1,2,3".to_owned(),
            "[]".to_owned(),
            String::new(),
            format!("{{\"nonce\": \"0x{key}\"}}"),
            BASE64[0].encode(format!("{{\"nonce\":\"0x{key}\"}}")),
            format!("0x{key}ab"),
        ] {
            assert_eq!(Form::of(&text), None, "{text}");
        }
        assert!(is_pair_in_json(&own.to_vec().into()) && is_pair_in_json(&serde_json::from_str(&members).unwrap()));
        assert!(!is_pair_in_json(&signature.to_vec().into()) && !is_pair_in_json(&own[..63].to_vec().into()));
    }
}
