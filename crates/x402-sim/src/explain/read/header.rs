//! A header's name, and the base64 of its value in every dialect that people write.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Reading, Subject};
use crate::explain::finding::Finding;
use crate::explain::kind::Kind;
use crate::explain::nearest;

/// The headers that carry x402.
pub const NAMES: [&str; 7] = [
    "PAYMENT-REQUIRED",
    "PAYMENT-SIGNATURE",
    "PAYMENT-RESPONSE",
    "X-PAYMENT",
    "X-PAYMENT-RESPONSE",
    PROOF,
    "WWW-Authenticate",
];

/// The header with which an invoice is paid. What it carries is no base64.
pub(super) const PROOF: &str = "X-Payment-Proof";

/// Sizes at which servers and proxies cut or refuse headers, in bytes.
const LIMITS: [usize; 4] = [4096, 8192, 16_384, 32_768];

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Takes `Name: ` off, also behind the mark of `curl -v`.
pub(super) fn split(text: &str) -> (Option<&str>, &str) {
    let text = text.strip_prefix("> ").or_else(|| text.strip_prefix("< ")).unwrap_or(text);
    let Some((name, value)) = text.split_once(':') else { return (None, text) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
        return (None, text);
    }
    let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name));
    (Some(known.copied().unwrap_or(name)), value)
}

/// Whether a header is one that carries payments.
pub(in crate::explain) fn carries_payments(name: &str) -> bool {
    ["PAYMENT-SIGNATURE", "X-PAYMENT"].contains(&name)
}

/// Whether the name fits what the header carries.
pub(super) fn check_name(reading: &mut Reading) {
    let Some(name) = reading.header.clone() else { return };
    let kind = reading.json().map(|(kind, _)| kind);
    let wanted = match kind {
        Some(Kind::PaymentV2) => "PAYMENT-SIGNATURE",
        Some(Kind::PaymentV1) => "X-PAYMENT",
        Some(Kind::OfferV2) => "PAYMENT-REQUIRED",
        Some(Kind::Receipt) if name.starts_with("X-") => "X-PAYMENT-RESPONSE",
        Some(Kind::Receipt) => "PAYMENT-RESPONSE",
        _ => name.as_str(),
    };
    let is_known = NAMES.contains(&name.as_str());
    if carries_payments(&name) && matches!(kind, Some(Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements)) {
        let finding =
            Finding::new("offer_sent_back").seen(format!("`{name}` carries an offer: nothing in it is signed"));
        reading.findings.push(finding.proven("it has `accepts` or `payTo`, and neither `payload` nor a signature"));
        return;
    }
    if name == wanted && is_known {
        return;
    }
    let finding = match (name.as_str(), kind) {
        ("X-PAYMENT", Some(Kind::PaymentV2)) => Finding::new("v1_header_name"),
        ("PAYMENT-SIGNATURE", Some(Kind::PaymentV1)) => Finding::new("v1_payload_in_v2_header"),
        _ if is_known && kind.is_none() => return,
        _ => Finding::new("header_name_unknown"),
    };
    let near = nearest(&name, NAMES).filter(|_| kind.is_none()).unwrap_or(wanted);
    let shown = x402_wire::shape::shorten(&name);
    let finding = finding.seen(format!("it is sent as `{shown}`, and what it carries belongs into `{near}`"));
    let finding = match &reading.subject {
        Subject::Json(..) => finding.proven(format!("the value is whole; servers look for it in `{near}` only")),
        _ => finding,
    };
    reading.findings.push(finding);
}

/// Decodes base64 however it is written. What official decoders would not take is a finding, on the outermost layer.
pub(super) fn decode(text: &str, outermost: bool, findings: &mut Vec<Finding>) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    let mut value = text.to_owned();
    if let Some((first, rest)) = value.split_once(',').filter(|(_, rest)| looks_encoded(rest.trim())) {
        let what = if first.trim() == rest.trim() { "twice the same value" } else { "several values" };
        found.push(("header_repeated", format!("it holds {what}, joined by commas")));
        value = first.trim().to_owned();
    }
    if let Some((word, rest)) = scheme(&value) {
        found.push(("header_scheme", format!("it begins with `{word} `")));
        value = rest.to_owned();
    }
    if value.contains('%') {
        found.push(("header_percent_encoded", "it holds `%` and hexadecimal digits".to_owned()));
        value = percent_decoded(&value);
    }
    if let Some(mended) = with_its_plus(&value) {
        found.push(("base64_plus_lost", "with `+` in place of its spaces, it is base64 of JSON".to_owned()));
        value = mended;
    }
    if value.bytes().any(|byte| byte.is_ascii_whitespace()) {
        found.push(("base64_whitespace", "it holds line breaks or spaces".to_owned()));
        value.retain(|c| !c.is_ascii_whitespace());
    }
    if value.contains(['-', '_']) {
        found.push(("base64_url_safe", "it holds `-` or `_`".to_owned()));
        value = value.replace('-', "+").replace('_', "/");
    }
    let digits = value.trim_end_matches('=').len();
    if !value.len().is_multiple_of(4) && digits % 4 != 1 {
        found.push(("base64_unpadded", format!("its length is {}, and no multiple of 4", value.len())));
    }
    let mut behind = None;
    let decoded = LENIENT.decode(&value).or_else(|error| {
        if digits % 4 != 1 {
            return Err(error);
        }
        // A cut text may end within a group of four; one that is whole has something behind it.
        behind = Some(char::from(value.as_bytes()[digits - 1]));
        LENIENT.decode(&value.as_bytes()[..digits - 1])
    });
    let decoded = match decoded {
        Ok(decoded) if !decoded.is_empty() => decoded,
        Ok(_) => return None,
        Err(error) => {
            if outermost && looks_encoded_json(&value) {
                findings.push(Finding::new("header_not_base64").seen(error.to_string()));
            }
            return None;
        }
    };
    if outermost {
        // A text that was cut says so itself; that its padding is gone follows from it.
        let whole = std::str::from_utf8(&decoded).is_ok_and(is_whole);
        let found = found.into_iter().filter(|(id, _)| whole || *id != "base64_unpadded");
        findings.extend(found.map(|(id, seen)| {
            let finding = Finding::new(id).seen(seen);
            if whole { finding.proven("mended, it decodes") } else { finding }
        }));
        let json = whole && decoded.trim_ascii_start().starts_with(b"{");
        findings.extend(behind.filter(|_| json).map(|behind| {
            let seen = format!("`{}` stands behind the value: the character is no part of it", behind.escape_debug());
            Finding::new("header_not_base64").seen(seen).proven("without it, it decodes")
        }));
    }
    Some(decoded)
}

/// The word of an authentication scheme in front of what is encoded, and what follows it.
pub(super) fn scheme(value: &str) -> Option<(&str, &str)> {
    let (word, rest) = value.trim_start().split_once(' ')?;
    let is_word = (1..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let rest = rest.trim();
    let known = ["bearer", "basic", "token"].contains(&word.to_ascii_lowercase().as_str());
    (is_word && (looks_encoded_json(rest) || (known && looks_encoded(rest)))).then_some((word, rest))
}

/// Base64 whose `+` became spaces, as those of forms and queries do, with its `+` again.
fn with_its_plus(value: &str) -> Option<String> {
    let value = value.trim();
    if !value.contains(' ') || value.contains(['\r', '\n', '\t']) {
        return None;
    }
    let mended = value.replace(' ', "+");
    let is_json =
        |bytes: Vec<u8>| bytes.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
    let taken_out = value.replace(' ', "");
    let is_meant = LENIENT.decode(&mended).is_ok_and(is_json) && !LENIENT.decode(&taken_out).is_ok_and(is_json);
    is_meant.then_some(mended)
}

/// Whether JSON or another layer of base64 ends where it should.
fn is_whole(text: &str) -> bool {
    let text = text.trim();
    if text.starts_with('{') || text.starts_with('[') {
        return serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    }
    true
}

/// Whether a text is long and plain enough to be meant as base64.
pub(super) fn looks_encoded(text: &str) -> bool {
    text.len() >= 16 && looks_plain(text) && text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Whether a text has only characters of base64, of any of its alphabets, in lines or percent-encoded.
pub(super) fn looks_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_%\r\n".contains(&byte))
}

/// Lines of base64 are longer, in characters.
const SHORTEST_LINE: usize = 16;

/// Whether a text begins as base64 of JSON does: words such as `Instance` begin so, and are shorter.
pub(super) fn looks_encoded_json(text: &str) -> bool {
    let first = text.split(char::is_whitespace).next().unwrap_or_default();
    let is_word = text.len() > first.len() && first.len() < SHORTEST_LINE;
    let is_agent = first.bytes().take(SHORTEST_LINE).any(|byte| byte == b'.') && !first.contains("...");
    !is_word && !is_agent && ["ey", "ew", "e3", "W3", "Ins", "ImV5"].iter().any(|begin| text.starts_with(begin))
}

/// The finding for JSON that ends too early.
pub(super) fn truncated(bytes: usize, why: &str) -> Finding {
    let encoded = bytes.div_ceil(3) * 4;
    let finding = Finding::new("header_truncated").seen(format!("the JSON ends after {bytes} bytes: {why}"));
    match LIMITS.iter().find(|limit| encoded.abs_diff(**limit) <= 256) {
        Some(limit) => finding.seen(format!("in base64 that is about {encoded} bytes: near the limit of {limit}")),
        None => finding,
    }
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        let digit = |place: usize| behind.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        let decoded = digit(0).zip(digit(1)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        if let (b'%', Some(decoded)) = (byte, decoded) {
            out.push(decoded);
            rest = &behind[2..];
        } else {
            out.push(*byte);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
