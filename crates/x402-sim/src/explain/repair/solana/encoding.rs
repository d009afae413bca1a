//! How a transaction is written, and under which name it stands.

use alloy_primitives::hex;
use serde_json::Value;
use x402_wire::shape::shorten;

use super::super::Candidate;
use super::super::notation::without_white;
use super::{AT, PLACE, for_us, ours, replaced_fee_payer};
use crate::explain::finding::Finding;
use crate::explain::judge::Attempt;
use crate::explain::proof;
use crate::networks::solana::exact::layout::TransferChecked;
use crate::networks::solana::message::Message;
use crate::networks::solana::transaction::{Transaction, base64_bytes, to_base64};
use crate::networks::solana::{ed25519, parse_signature, signature_text};

/// A signature where the transaction belongs: it is the name of one, or what the payer has added to it.
pub(super) fn signature(attempt: &Attempt) -> Option<Candidate> {
    let body = attempt.payload.get("payload")?.as_object()?;
    // Where there is a transaction, the signature beside it is what the payer has added.
    let absent = body.get("transaction").is_none_or(|own| own.is_null() || own == "");
    let is_there = |name: &str| absent || name == "transaction";
    let found = body.iter().filter(|(name, _)| is_there(name));
    let mut found = found.filter_map(|(name, value)| Some((name, signature_in(value.as_str()?)?)));
    let (name, (form, bytes)) = found.next()?;
    let place = shorten(name);
    if ed25519::is_pair(&bytes) {
        let finding = proof::pair().at(format!("paymentPayload.payload.{place}"));
        let proof = "the last 32 of its bytes are the public key of the first 32";
        return Some(Candidate::sure(finding, attempt.clone().again(), proof));
    }
    let own = signature_text(&bytes);
    let called = if form == "base58" { String::new() } else { format!(" ({own} in base58)") };
    let finding = Finding::new("signature_for_transaction")
        .at(format!("paymentPayload.payload.{place}"))
        .seen(format!("`{place}` holds 64 bytes in {form}{called}: that is a signature, and there is no transaction"));
    let proof = "a transaction is its signatures, of 64 bytes each, and its message; here there is no message";
    Some(Candidate::sure(finding, attempt.clone().again(), proof))
}

/// The signature that a text is, and how it is written.
fn signature_in(text: &str) -> Option<(&'static str, [u8; 64])> {
    let text = text.trim();
    if let Some(own) = parse_signature(text) {
        return Some(("base58", own));
    }
    let in_hexadecimal = || <[u8; 64]>::try_from(hex::decode(text).ok()?).ok().map(|own| ("hexadecimal", own));
    // 88 characters, of which the last two are padding.
    let in_base64 = || {
        let bytes = if text.len() <= 88 { base64_bytes(text).ok()? } else { return None };
        <[u8; 64]>::try_from(bytes).ok().map(|own| ("base64", own))
    };
    in_hexadecimal().or_else(in_base64)
}

/// A transaction under another name than `transaction`, or one that is no text.
pub(super) fn astray(attempt: &Attempt) -> Option<Candidate> {
    let body = attempt.payload.get("payload")?.as_object()?;
    let is_one = |value: &Value| value.as_str().is_some_and(|text| Transaction::from_base64(text).is_ok());
    let (finding, text, how) = if let Some((key, value)) = body.iter().find(|(_, value)| is_one(value)) {
        let name = shorten(key);
        let seen = format!("there is no `transaction`, but a `{name}` that is one");
        let how = format!("with `{name}` called `transaction`");
        (
            Finding::new("misnamed_field").at(AT).seen(seen).fixed_by("Call it `transaction`."),
            value.as_str()?.to_owned(),
            how,
        )
    } else {
        let bytes = bytes_of(body.get("transaction")?)?;
        let seen = format!("it is a list of {} numbers, which are the bytes of one", bytes.len());
        (Finding::new("transaction_not_decoded").at(AT).seen(seen), to_base64(&bytes), "in base64".to_owned())
    };
    let transaction = Transaction::from_base64(&text).ok()?;
    Some(Candidate::new(finding, written(attempt, &transaction, text), how))
}

fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    let byte = |own: &Value| own.as_u64().and_then(|own| u8::try_from(own).ok());
    value.as_array()?.iter().map(byte).collect()
}

/// The payment with a transaction in base64. Where the fee payer that is asked for was taken to be our facilitator, so is the
/// one in the transaction, if it is the same.
fn written(attempt: &Attempt, transaction: &Transaction, text: String) -> Attempt {
    let next = attempt.pay(PLACE, text);
    let first = transaction.message.fee_payer();
    let is_asked =
        first.is_some_and(|first| first != ours() && replaced_fee_payer(attempt) == Some(&first.to_string()));
    if is_asked { for_us(&next, transaction) } else { next }
}

/// The longest text that may be a transaction in base58, in characters.
const LONGEST: usize = 2048;

/// A transaction in another encoding than base64, or a message without its signatures.
pub(super) fn mended(attempt: &Attempt, text: &str) -> Vec<Candidate> {
    let (tidy, white) = without_white(text);
    if let (Some(white), Ok(transaction)) = (white, Transaction::from_base64(&tidy)) {
        let fix = "Take it out of the transaction's base64: `.strip()` in Python, `.trim()` in TypeScript.";
        let finding = Finding::new("base64_whitespace").at(AT).seen(white).fixed_by(fix);
        return vec![Candidate::new(finding, written(attempt, &transaction, tidy), "without white space")];
    }
    let text = tidy.as_str();
    let standard = text.replace('-', "+").replace('_', "/");
    if let Some(transaction) = Transaction::from_base64(&standard).ok().filter(|_| standard != text) {
        let finding = Finding::new("base64_url_safe").at(AT).seen("the transaction is base64 of the url-safe alphabet");
        let next = written(attempt, &transaction, standard);
        return vec![Candidate::new(finding, next, "in standard base64")];
    }
    // Base58 takes time by the square of its length; a transaction has at most 1,232 bytes.
    let short = Some(text).filter(|text| text.len() <= LONGEST);
    let in_base58 =
        short.and_then(|text| bs58::decode(text).into_vec().ok()).map(|bytes| (bytes, "transaction_base58", "base58"));
    let in_hexadecimal = hex::decode(text).ok().map(|bytes| (bytes, "transaction_hex", "hexadecimal"));
    for (bytes, id, name) in in_hexadecimal.into_iter().chain(in_base58) {
        let Ok(transaction) = Transaction::decode(&bytes) else { continue };
        let finding = Finding::new(id).at(AT).seen(format!("the transaction is written in {name}"));
        let next = written(attempt, &transaction, to_base64(&bytes));
        return vec![Candidate::new(finding, next, "in base64")];
    }
    // The bytes of anything may be read as some message; one that pays is no accident.
    let message = base64_bytes(text).ok().and_then(|bytes| Message::decode(&bytes).ok()).filter(pays);
    Vec::from_iter(message.map(|message| {
        let signers = message.signers().len();
        let seen = format!("it begins with the message, and before it {signers} signatures must stand");
        let finding = Finding::new("message_without_signatures").at(AT).seen(seen);
        let transaction = Transaction::unsigned(message);
        let text = transaction.to_base64();
        Candidate::new(finding, written(attempt, &transaction, text).again(), "with signatures before it")
    }))
}

/// Whether a message calls a transfer.
fn pays(message: &Message) -> bool {
    let called = message.metas(|_| Vec::new()).ok().and_then(|metas| message.instructions(&metas).ok());
    called.is_some_and(|called| called.iter().any(|own| TransferChecked::read(own).is_some()))
}
