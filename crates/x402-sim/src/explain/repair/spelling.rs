//! The form of signatures, and of what was signed: lengths, encodings, spellings.

use alloy_primitives::{B256, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x402_wire::shape::shorten;

use super::{Candidate, notation, parts, rewritten};
use crate::explain::confided::Form;
use crate::explain::finding::Finding;
use crate::explain::judge::Attempt;
use crate::networks::eip155::signature::{Ecdsa, Signature};
use crate::networks::eip155::{checksum, is_strict_spelling, parse_address};

const PLACE: &str = "/payload/signature";
const AT: &str = "paymentPayload.payload.signature";

/// How many bytes a private key has. A hash has as many; what was kept in place of either is the form alone.
const LIKE_A_KEY: usize = 32;
const PART: &str = "/payload/authorization";
const SIGNED: &str = "paymentPayload.payload.authorization";

pub(super) fn wrapped(attempt: &Attempt) -> Vec<Candidate> {
    let finding = Finding::new("signature_wrapped").at(AT);
    vec![Candidate::new(finding, attempt.clone().again(), "with the signature of an account without code")]
}

/// Addresses that no client signs as they are spelt, and a nonce that is none.
pub(super) fn misspelt(attempt: &Attempt) -> Vec<Candidate> {
    let mut all = Vec::new();
    for key in ["from", "to"] {
        let pointer = format!("{PART}/{key}");
        let Some((text, address)) = attempt.paid(&pointer).and_then(|text| Some((text, parse_address(text)?))) else {
            continue;
        };
        if !is_strict_spelling(text, address) {
            let right = checksum(address);
            let finding = Finding::new("address_checksum")
                .at(format!("{SIGNED}.{key}"))
                .seen(format!("{text} is spelled {right}"));
            let next = attempt.pay(&pointer, right);
            all.push(Candidate::new(finding.clone(), next.clone(), "spelled with its checksum"));
            all.push(Candidate::new(finding, next.again(), "spelled with its checksum"));
        }
    }
    let nonce = format!("{PART}/nonce");
    let bytes = attempt.paid(&nonce).and_then(|text| hex::decode(text).ok()).map(|bytes| bytes.len());
    if let Some(bytes) = bytes.filter(|bytes| *bytes != 32) {
        let finding = Finding::new("nonce_format")
            .at(format!("{SIGNED}.nonce"))
            .seen(format!("it has {bytes} bytes, and a nonce has 32"));
        let next = attempt.pay(&nonce, B256::repeat_byte(1).to_string()).again();
        all.push(Candidate::new(finding, next, "with a nonce of 32 bytes"));
    }
    all
}

/// The signature in its 65 bytes, or what is wrong with its form.
pub(super) fn well_formed(attempt: &Attempt, fits: impl Fn(&Attempt, &Ecdsa) -> bool) -> Result<Ecdsa, Vec<Candidate>> {
    let text = attempt.paid(PLACE).unwrap_or_default();
    let again = || attempt.clone().again();
    let broken = |id: &str, seen: String| {
        let finding = Finding::new(id).at(AT).seen(seen);
        vec![Candidate::new(finding, again(), "with a whole signature")]
    };
    if let Signature::Ecdsa(ecdsa) = Signature::parse(text) {
        if ecdsa.compact.iter().all(|byte| *byte == 0) {
            return Err(broken("signature_empty", "its 65 bytes are zero".to_owned()));
        }
        let is_plain = matches!(ecdsa.v, 0 | 1 | 27 | 28);
        if is_plain && fits(attempt, &ecdsa) {
            return Ok(ecdsa);
        }
        if let Some(meant) = parts::meant(&ecdsa).into_iter().find(|meant| fits(attempt, &meant.ecdsa)) {
            return Err(mends(meant.id, &meant.seen, attempt, &[meant.ecdsa], fits));
        }
        if is_plain {
            return Ok(ecdsa);
        }
        return Err(rewritten::no_recovery_id(attempt, &ecdsa, fits));
    }
    let (tidy, white) = notation::without_white(text);
    if let (Some(white), Signature::Ecdsa(_)) = (white, Signature::parse(&tidy)) {
        let fix = "Take it out where the signature is read: `.strip()` in Python, `.trim()` in TypeScript.".to_owned();
        let finding = Finding { fix, ..Finding::new("signature_encoding").at(AT).seen(white) };
        let next = attempt.pay(PLACE, tidy);
        let all = [next.clone(), next.again()];
        return Err(all.map(|next| Candidate::new(finding.clone(), next, "without white space")).into());
    }
    let text = tidy.as_str();
    let bytes = match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits).ok(),
        None => hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok()),
    };
    if matches!(Signature::parse(text), Signature::Wrapped { .. } | Signature::BrokenWrapper) {
        return Err(wrapped(attempt));
    }
    if let Some(digits) = text.strip_prefix("0x0x").map(|rest| rest.trim_start_matches("0x")) {
        let whole = <[u8; 65]>::try_from(hex::decode(digits).unwrap_or_default()).ok();
        let whole = whole.map(|bytes| Ecdsa::from_bytes(&bytes));
        return Err(mends("hex_prefix", "0x stands in front more than once", attempt, whole.as_slice(), fits));
    }
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let padded = padded(digits);
    if let Some((_, what)) = padded.iter().find(|(ecdsa, _)| fits(attempt, ecdsa)) {
        let seen = format!(
            "it has {} hexadecimal digits, and a signature has 130: a leading zero of {what} is lost",
            digits.len()
        );
        let whole: Vec<Ecdsa> = padded.iter().map(|(ecdsa, _)| *ecdsa).collect();
        let mut all = mends("signature_length", &seen, attempt, &whole, fits);
        let fix = "Write r and s with 64 digits each: `hex(r)` writes no leading zeros, `f\"{r:064x}\"` does.";
        for candidate in &mut all {
            candidate.finding = candidate.finding.take().map(|finding| finding.fixed_by(fix));
        }
        return Err(all);
    }
    let is_like_a_key = attempt.paid(PLACE).and_then(Form::of) == Some(Form::Digits);
    let bytes = if is_like_a_key { Some(vec![0; LIKE_A_KEY]) } else { bytes };
    let Some(bytes) = bytes else {
        return Err(broken("signature_encoding", format!("\"{}\" is no hexadecimal behind 0x", shorten(text))));
    };
    let whole = |bytes: &[u8]| <[u8; 65]>::try_from(bytes).ok().map(|bytes| Ecdsa::from_bytes(&bytes));
    match bytes.len() {
        0 => Err(broken("signature_empty", "it has no bytes".to_owned())),
        65 => {
            let seen = "it has 65 bytes, but not in hexadecimal behind 0x";
            Err(mends("signature_encoding", seen, attempt, whole(&bytes).as_slice(), fits))
        }
        64 => {
            let mut compact = Ecdsa { compact: [0; 64], v: 27 + (bytes[32] >> 7) };
            compact.compact.copy_from_slice(&bytes);
            compact.compact[32] &= 0x7f;
            // With parity 0 both forms have the same bytes: then v is taken to be missing.
            if compact.v == 28 && fits(attempt, &compact) {
                let seen = "it has 64 bytes: r, and s with the parity in its highest bit (EIP-2098)";
                return Err(mends("signature_compact", seen, attempt, &[compact], fits));
            }
            let mut plain = Ecdsa { compact: [0; 64], v: 27 };
            plain.compact.copy_from_slice(&bytes);
            let seen = "it has 64 bytes: r and s, without v";
            Err(mends("signature_length", seen, attempt, &[plain, Ecdsa { v: 28, ..plain }], fits))
        }
        length => {
            let first = bytes.get(..65).and_then(whole);
            let seen = format!("it has {length} bytes, and a signature has 65");
            if length == LIKE_A_KEY {
                let seen = "it has 32 bytes, as a hash or a private key; it is not repeated here";
                let fix = "If it is a private key, replace it: take what it holds elsewhere, and never use it again.";
                let finding = Finding::new("signature_length").at(AT).seen(seen).fixed_by(fix);
                return Err(vec![Candidate::new(finding, again(), "with a whole signature")]);
            }
            Err(mends("signature_length", &seen, attempt, first.as_slice(), fits))
        }
    }
}

/// The signatures that digits mean which lack leading zeros, and of what: at most four, so that as many recoveries are made.
fn padded(digits: &str) -> Vec<(Ecdsa, &'static str)> {
    // Up to three zeros are lost; more are lost once in 65,536 signatures.
    let is_short = (127..130).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lost = if is_short { 130 - digits.len() } else { 0 };
    let splits = (0..=lost).filter(|_| lost > 0).map(|of_r| (of_r, lost - of_r));
    let whole = splits.filter_map(|(of_r, of_s)| {
        let (r, rest) = digits.split_at(64 - of_r);
        let (s, v) = rest.split_at(64 - of_s);
        let bytes = hex::decode(format!("{r:0>64}{s:0>64}{v}")).ok()?;
        let what = match (of_r, of_s) {
            (0, _) => "s",
            (_, 0) => "r",
            _ => "r and of s",
        };
        Some((Ecdsa::from_bytes(&<[u8; 65]>::try_from(bytes).ok()?), what))
    });
    whole.collect()
}

/// The payment with a mended signature: the one that fits, else each that may have been meant, and signed again.
pub(super) fn mends(
    id: &str,
    seen: &str,
    attempt: &Attempt,
    mended: &[Ecdsa],
    fits: impl Fn(&Attempt, &Ecdsa) -> bool,
) -> Vec<Candidate> {
    let finding = Finding::new(id).at(AT).seen(seen);
    let with = |ecdsa: &Ecdsa| {
        let next = attempt.pay(PLACE, hex::encode_prefixed(ecdsa.bytes()));
        Candidate::new(finding.clone(), next, "with the same signature as r, s and v in 65 bytes")
    };
    if let Some(ecdsa) = mended.iter().find(|ecdsa| fits(attempt, ecdsa)) {
        return vec![with(ecdsa)];
    }
    let again = Candidate::new(finding.clone(), attempt.clone().again(), "with a whole signature");
    mended.iter().map(with).chain([again]).collect()
}
