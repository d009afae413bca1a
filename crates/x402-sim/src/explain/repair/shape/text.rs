//! Members whose text or whose parts are not written as the protocol writes them.

use alloy_primitives::{B256, U256};
use serde_json::{Value, json};
use x402_wire::shape::shorten;

use super::super::{Candidate, address, notation, token as tokens};
use super::{Root, Spot, in_units};
use crate::accounts;
use crate::explain::finding::Finding;
use crate::explain::judge::Bench;
use crate::explain::read::written;

/// Members that are numbers, written as texts.
const NUMBERS: [&str; 7] = ["amount", "maxAmountRequired", "value", "validAfter", "validBefore", "deadline", "nonce"];

/// Of them those that are times.
const TIMES: [&str; 3] = ["validAfter", "validBefore", "deadline"];

/// The first whole number that 64 bits do not hold, and the first that 256 do not.
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
const TWO_TO_256: f64 = TWO_TO_64 * TWO_TO_64 * TWO_TO_64 * TWO_TO_64;

/// Members that are addresses.
const ADDRESSES: [&str; 7] = ["from", "to", "payTo", "asset", "spender", "token", "facilitator"];

impl Spot<'_> {
    fn key(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// What should be a text, in parts or in bytes.
    pub(super) fn parts(&self, value: &Value) -> Vec<Candidate> {
        let key = self.key();
        let (id, (whole, what)) = match key {
            "signature" => match notation::signature(value) {
                Some(found) => ("signature_encoding", found),
                None => return Vec::new(),
            },
            "nonce" | "from" | "to" | "payTo" | "asset" => {
                let (id, count) = if key == "nonce" { ("nonce_format", 32) } else { ("address_malformed", 20) };
                match notation::bytes(value, count) {
                    Some(found) => (id, found),
                    None => return Vec::new(),
                }
            }
            _ => return Vec::new(),
        };
        let finding = self.finding(id, format!("it is {what}"));
        let finding = if id == "signature_encoding" {
            finding
        } else {
            Finding { fix: "Write the same bytes as a text: 0x and hexadecimal digits.".to_owned(), ..finding }
        };
        self.both(finding, json!(whole), "as `0x` and its bytes in hexadecimal")
    }

    pub(super) fn text(&self, bench: &Bench, text: &str) -> Vec<Candidate> {
        let key = self.key();
        if let Some((inner, finding)) = written(text, key) {
            return self.both(finding.at(self.at), inner, "as an object");
        }
        let tidy = text.trim();
        let seen = format!("it is \"{}\"", shorten(text));
        if let Some(all) = self.prefixed(tidy, key) {
            return all;
        }
        if ADDRESSES.contains(&key) {
            return self.address(bench, text, key);
        }
        if key == "signature" {
            let whole = json!(format!("0x{}1b", "01".repeat(64)));
            let finding = self.finding("signature_length", "it ends like an ERC-6492 wrapper, and is none");
            return vec![Candidate::new(finding, self.with(whole).again(), "with a signature of 65 bytes")];
        }
        if key == "nonce"
            && let (whole, Some(white)) = notation::without_white(text)
        {
            let fix = "Take it out where the nonce is made: `.strip()` in Python, `.trim()` in TypeScript.".to_owned();
            let id = if self.pointer.contains("permit2") { "number_notation" } else { "nonce_format" };
            let finding = Finding { fix, ..self.finding(id, white) };
            return self.both(finding, json!(whole), "without white space");
        }
        if key == "nonce" && !self.pointer.contains("permit2") {
            let other = json!(format!("0x{}", "01".repeat(32)));
            let next = self.with(other).again();
            let random = Candidate::new(self.finding("nonce_format", seen), next, "with 32 bytes in hexadecimal");
            return self.nonce_in_digits(tidy).into_iter().chain([random]).collect();
        }
        if !NUMBERS.contains(&key) {
            return Vec::new();
        }
        if let Some(number) = tidy.strip_prefix("0x").and_then(|digits| U256::from_str_radix(digits, 16).ok()) {
            let finding = self.finding("hex_number", seen);
            return self.both(finding, json!(number.to_string()), "as a decimal number");
        }
        let below =
            tidy.strip_prefix('-').filter(|digits| !TIMES.contains(&key) && U256::from_str_radix(digits, 10).is_ok());
        if let Some(digits) = below {
            return self.both(self.finding("amount_negative", seen), json!(digits), "without its sign");
        }
        if TIMES.contains(&key)
            && let Some((seconds, what)) = notation::seconds(tidy)
        {
            let finding = self.finding("time_notation", format!("{seen}: {what}"));
            let finding = finding.fixed_by(format!(
                "Write whole seconds since 1970, as a text of digits: \"{seconds}\" for this moment."
            ));
            let all = [seconds, seconds.saturating_add(1)].map(|own| {
                let how = format!("with {key} {own}");
                Candidate::new(finding.clone(), self.with(json!(own.to_string())), how)
            });
            let again = self.with(json!(seconds.to_string())).again();
            let signed_again = Candidate::new(finding, again, format!("with {key} {seconds}"));
            return all.into_iter().filter(|own| bench.judge(&own.next).is_ok()).chain([signed_again]).collect();
        }
        let in_digits = notation::whole(tidy).map(|number| number.to_string());
        let in_digits = in_digits
            .map(|number| self.both(self.finding("number_notation", seen.clone()), json!(number), "in digits"));
        // `2.0` is a price, or two atomic units that Python has divided: whichever settles.
        let settles = |own: &&Candidate| !tidy.contains('.') || bench.judge(&own.next).is_ok();
        if let Some(all) = in_digits.filter(|all| all.first().is_some_and(|own| settles(&own))) {
            return all;
        }
        if TIMES.contains(&key) {
            let good = if key == "validAfter" { 0 } else { self.attempt.now.saturating_add(60) };
            let finding = self.finding("time_notation", format!("{seen}: that is no number of seconds"));
            let next = self.with(json!(good.to_string())).again();
            return vec![Candidate::new(finding, next, format!("with {key} {good}"))];
        }
        let decimals = tokens::token(bench, self.attempt).map_or(6, |token| token.asset.decimals);
        if let Some(atomic) = in_units(tidy, decimals) {
            let plain = tidy.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let id = if plain { "decimal_amount" } else { "price_notation" };
            let finding = self.finding(id, format!("{seen}: in atomic units of {decimals} decimals that is {atomic}"));
            return self.both(finding, json!(atomic.to_string()), "in atomic units");
        }
        Vec::new()
    }

    /// A whole number beyond those of 64 bits: what it was is lost, as JSON's readers keep 53 bits of it.
    pub(super) fn large(&self, number: f64) -> Option<Vec<Candidate>> {
        let key = self.key();
        let is_whole = (TWO_TO_64..TWO_TO_256).contains(&number);
        if !is_whole || !NUMBERS.contains(&key) {
            return None;
        }
        let digits = format!("{number:.0}");
        let count = digits.len();
        let is_bytes = key == "nonce" && !self.pointer.contains("permit2");
        let (whole, fix) = if is_bytes {
            let fix =
                "Write its 32 bytes in hexadecimal: `\"0x\" + nonce.to_bytes(32, \"big\").hex()` in Python.".to_owned();
            (format!("0x{}", "01".repeat(32)), fix)
        } else {
            (digits, format!("Write it in quotes: `str({key})` in Python, `{key}.toString()` in TypeScript."))
        };
        let seen = format!("it is a number of {count} digits, of which readers of JSON keep the first 16 or so");
        let finding = Finding { fix, ..self.finding("number_not_text", seen) };
        Some(vec![Candidate::new(finding, self.with(json!(whole)).again(), "as a text")])
    }

    /// A nonce that was signed as 32 bytes, and is written as the number that they are.
    fn nonce_in_digits(&self, text: &str) -> Option<Candidate> {
        let number = U256::from_str_radix(text, 10).ok()?;
        let finding = self.finding("nonce_format", format!("it is the decimal number {text}"));
        let fix = "Write its 32 bytes: `\"0x\" + nonce.to_bytes(32, \"big\").hex()` in Python.".to_owned();
        let next = self.with(json!(B256::from(number).to_string()));
        Some(Candidate::new(Finding { fix, ..finding }, next, "with its 32 bytes in hexadecimal"))
    }

    /// All digits of an address or a nonce, without 0x in front or with more than one.
    fn prefixed(&self, text: &str, key: &str) -> Option<Vec<Candidate>> {
        let want = match key {
            "nonce" if !self.pointer.contains("permit2") => 64,
            _ if ADDRESSES.contains(&key) => 40,
            _ => return None,
        };
        let (mut digits, mut count) = (text, 0);
        while let Some(rest) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            (digits, count) = (rest, count + 1);
        }
        let is_whole = digits.len() == want && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let what = match count {
            0 => "nothing stands in front of the digits".to_owned(),
            1 if text.starts_with("0X") => "0X stands in front, and not 0x".to_owned(),
            1 => return None,
            _ => format!("0x stands in front {count} times"),
        };
        let finding = self.finding("hex_prefix", format!("it is \"{}\": {what}", shorten(text)));
        let how = if count == 0 { "with 0x in front" } else { "with 0x in front once" };
        is_whole.then(|| self.both(finding, json!(format!("0x{digits}")), how))
    }

    /// What is no address.
    fn address(&self, bench: &Bench, text: &str, key: &str) -> Vec<Candidate> {
        let (tidy, seen) = (text.trim(), format!("it is \"{}\"", shorten(text)));
        let mut all = Vec::new();
        if tidy != text {
            let finding = self.finding("address_malformed", seen.clone());
            all.extend(self.both(finding, json!(tidy), "without the stray characters"));
        }
        if self.root == Root::Requirements {
            all.extend(address::unreadable(bench, self.attempt, key));
            return all;
        }
        let whole = match key {
            "from" => accounts::test_accounts().next().map(|account| json!(account.address)),
            "to" => self.attempt.requirements.get("payTo").cloned(),
            _ => None,
        };
        let is_short = tidy.contains("...") || tidy.contains('…');
        let finding = if is_short {
            let seen = format!("{seen}: it was shortened where it was shown");
            self.finding("address_malformed", seen).fixed_by("Take the address from where it is whole.")
        } else {
            let other = address::signed_of_other_family(bench, self.attempt, key, tidy);
            other.map_or_else(|| self.finding("address_malformed", seen), |own| own.at(self.at))
        };
        let next = whole.map(|whole| self.with(whole).again());
        all.extend(next.map(|next| Candidate::new(finding, next, "with a whole address")));
        all
    }
}
