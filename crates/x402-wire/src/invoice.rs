//! The invoice dialect: `WWW-Authenticate: x402-solana`, answered by `X-Payment-Proof`.
//!
//! Header and body say the same invoice; both are made from one [`Invoice`].

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::json::quote_onto;

/// The name of the challenge.
pub const SCHEME: &str = "x402-solana";

/// How long an invoice may be paid, in seconds.
pub const LIFETIME_SECONDS: u64 = 300;

/// An invoice: pay this amount to this address with this memo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// The payee's address, base58.
    pub recipient: Cow<'static, str>,
    /// The amount in whole units of the currency, an exact decimal.
    pub amount: String,
    /// The currency's symbol.
    pub currency: Cow<'static, str>,
    /// What the payment must carry and the proof must name: `req-` and a UUID, unique to this answer.
    pub memo: String,
    /// The Solana cluster.
    pub network: Cow<'static, str>,
    /// When it was issued, in Unix seconds.
    pub timestamp: u64,
    /// Until when it may be paid, in Unix seconds.
    pub expires_at: u64,
    /// The path that it pays for.
    pub resource_path: String,
}

impl Invoice {
    /// Writes this invoice as its serialization writes it. Every unpaid request is answered with one.
    pub fn write_json(&self, out: &mut String) {
        let Self { recipient, amount, currency, memo, network, timestamp, expires_at, resource_path } = self;
        for (name, text) in [
            ("{\"recipient\":", &**recipient),
            (",\"amount\":", amount),
            (",\"currency\":", currency),
            (",\"memo\":", memo),
            (",\"network\":", network),
        ] {
            out.push_str(name);
            quote_onto(text, out);
        }
        write!(out, ",\"timestamp\":{timestamp},\"expires_at\":{expires_at},\"resource_path\":")
            .expect("a string takes all texts");
        quote_onto(resource_path, out);
        out.push('}');
    }

    /// The value of the `WWW-Authenticate` header.
    pub fn challenge(&self) -> String {
        let Self { recipient, amount, currency, memo, network, .. } = self;
        let words = [" recipient=", recipient, " amount=", amount, " currency=", currency, " memo=", memo, " network="];
        let length = words.iter().map(|word| word.len()).sum::<usize>() + SCHEME.len() + network.len();
        let mut text = String::with_capacity(length);
        text.push_str(SCHEME);
        for word in words {
            text.push_str(word);
        }
        text.push_str(network);
        text
    }
}

/// The 16 bytes of a memo written as `req-<uuid>`.
pub fn memo_text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(40);
    text.push_str("req-");
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
    text
}

/// The 16 bytes of a memo, if the text has exactly the form that [`memo_text`] writes.
pub fn memo_bytes(text: &str) -> Option<[u8; 16]> {
    let uuid = text.strip_prefix("req-")?;
    let groups: Vec<&str> = uuid.split('-').collect();
    if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits: Vec<u8> = groups
        .concat()
        .chars()
        .map(|c| c.to_digit(16).filter(|_| !c.is_ascii_uppercase()).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_memo_survives_being_written(bytes: [u8; 16]) {
            prop_assert_eq!(memo_bytes(&memo_text(bytes)), Some(bytes));
        }

        #[test]
        fn an_invoice_is_written_as_its_serialization_writes_it(
            texts: [String; 3], path in "/[ -~]{0,20}|.{0,9}", timestamp: u64, expires_at: u64
        ) {
            let [amount, memo, network] = texts;
            let [recipient, network] = ["a\"b".into(), network.into()];
            let currency = "USDC".into();
            let own = Invoice { recipient, amount, currency, memo, network, timestamp, expires_at, resource_path: path };
            let mut written = String::new();
            own.write_json(&mut written);
            prop_assert_eq!(written, serde_json::to_string(&own).unwrap());
        }

        #[test]
        fn no_text_panics(text in "(req-)?[0-9a-fA-F-]{0,40}|.{0,50}") {
            if let Some(bytes) = memo_bytes(&text) {
                prop_assert_eq!(memo_text(bytes), text);
            }
        }
    }
}
