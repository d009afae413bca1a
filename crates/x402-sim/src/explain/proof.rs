//! What pays an invoice: `X-Payment-Proof`.

use alloy_primitives::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x402_wire::invoice::memo_bytes;

use super::confided::Form;
use super::explanation::{Explanation, Section};
use super::finding::Finding;
use super::kind::Kind;
use super::read::carries_payments;
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{self, ed25519};

/// The bytes of a signature.
type Signature = [u8; 64];

/// What a proof is. Whether it pays for anything, only the server knows that issued the invoice.
pub(super) fn explained(text: &str) -> Explanation {
    let mut explanation = Explanation::new(Kind::Invoice, "the proof of an invoice's payment (X-Payment-Proof)");
    let misspelt = misspelt(text);
    let within = misspelt.and_then(|(_, own)| own);
    if Form::of(text) == Some(Form::Pair) || within.is_some_and(|bytes| ed25519::is_pair(&bytes)) {
        explanation.find(pair().at("X-Payment-Proof"));
        return explanation;
    }
    let form = if memo_bytes(text).is_some() {
        "a memo: `memo` of the invoice, given back"
    } else if solana::parse_signature(text).is_some() {
        "the signature of a Solana transaction"
    } else {
        misspelt.map_or("neither a memo `req-<uuid>` nor the signature of a Solana transaction", |(form, _)| form)
    };
    let mut section = Section::new("proof");
    section.add("form", form, "");
    explanation.sections.push(section);
    if memo_bytes(text).is_none() && solana::parse_signature(text).is_none() {
        let finding = Finding::new("invoice_proof").at("X-Payment-Proof").seen(format!("it is {form}"));
        let meant = misspelt.and_then(|(_, meant)| meant).map(|own| bs58::encode(own).into_string());
        let finding = match meant {
            Some(own) => {
                finding.fixed_by(format!("Send `X-Payment-Proof: {own}`: that is the signature in it, in base58."))
            }
            None => finding,
        };
        explanation.find(finding.proven("servers answer `invoice_memo_malformed` to everything else"));
    }
    explanation
        .notes
        .push("only the server that issued the invoice can say whether it is paid: `x402-dev explain last`".to_owned());
    explanation
}

/// The finding for a signature of a transaction in the place of a payload, under the name of the header that it stands in.
pub(super) fn in_payment(header: Option<&str>, value: &str) -> Option<Finding> {
    if !header.is_some_and(carries_payments) {
        return None;
    }
    if let Some(form) = Form::of(value) {
        return Some(key(form));
    }
    solana::parse_signature(value)?;
    let seen = "it is the signature of a Solana transaction, in base58, and no payload in base64";
    let fix = format!(
        "Where that transaction has paid an invoice, send `X-Payment-Proof: {value}`; a payment by `exact` holds its \
         transaction unsent, in the payload."
    );
    Some(Finding::new("invoice_proof_misplaced").seen(seen).fixed_by(fix))
}

/// The finding for what is written as keys are, in the place of a payment.
fn key(form: Form) -> Finding {
    match form {
        Form::Pair => pair(),
        Form::Digits => Finding::new("hash_or_key").seen(
            "it is 64 hexadecimal digits, as hashes of transactions and private keys of EVM networks are written",
        ),
        Form::Numbers => {
            let seen = "it is a list of 32 to 64 bytes, as private keys of Solana are kept";
            let fix = "If it is a private key, replace it: whoever got it can spend what the account holds. In its place goes \
                       what the key has signed: the payload that the client makes, as base64 of JSON.";
            Finding { fix: fix.to_owned(), ..Finding::new("secret_key_form").seen(seen) }
        }
    }
}

/// The finding for a key pair in the place of a signature. What it is made of is not repeated.
pub(super) fn pair() -> Finding {
    let finding = Finding::new("secret_key_form")
        .seen("it is no signature: it is the 64 bytes of a key pair, a private key and behind it its public key")
        .proven("the last 32 bytes are the public key of the first 32");
    // The table speaks of a key in its own place, in another form.
    let fix = "Whoever got it can spend what the account holds: move that to a new account, and use this key no more. A key \
               is sent to nobody; what is sent is what it signs.";
    Finding { fix: fix.to_owned(), ..finding }
}

/// In which other form a signature was written, and which it is.
fn misspelt(text: &str) -> Option<(&'static str, Option<Signature>)> {
    match Form::of(text) {
        Some(Form::Digits) => {
            return Some(("64 hexadecimal digits: a hash, as transactions on EVM chains have, or a private key", None));
        }
        Some(Form::Numbers) => {
            return Some(("a list of bytes: a signature is sent in base58, a private key never", None));
        }
        Some(Form::Pair) | None => {}
    }
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() == 128 {
        return Some(("64 bytes in hexadecimal", Some(hex::decode_to_array(digits).ok()?)));
    }
    if let Ok(bytes) = STANDARD.decode(text) {
        if let Ok(own) = Signature::try_from(bytes.as_slice()) {
            return Some(("64 bytes in base64", Some(own)));
        }
        let first = Transaction::decode(&bytes).ok()?.signatures.first().copied();
        // What is not signed yet has zeros there.
        let first = first.filter(|own| own.iter().any(|byte| *byte != 0));
        return first.map(|own| ("a whole Solana transaction in base64", Some(own)));
    }
    // `Bearer 5wHu...`, and JSON around it.
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let within = words.filter(|word| (80..=90).contains(&word.len())).find_map(solana::parse_signature);
    within.map(|own| ("a signature in base58 with other text around it", Some(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_a_memo_or_a_signature() {
        let ids = |text: &str| explained(text).findings.iter().map(|finding| finding.id).collect::<Vec<_>>();
        assert!(ids("req-00000000-0000-4000-8000-000000000000").is_empty());
        assert!(ids(&"1".repeat(64)).is_empty());
        assert_eq!(ids("abc"), ["invoice_proof"]);
    }

    #[test]
    fn a_key_pair_is_called_a_key_and_never_repeated() {
        let own: Signature = [[1; 32], ed25519::key_of(&[1; 32]).0].concat().try_into().unwrap();
        let name = bs58::encode(own).into_string();
        let header = in_payment(Some("PAYMENT-SIGNATURE"), &name).unwrap();
        assert!(header.id == "secret_key_form" && !format!("{header:?}").contains(&name[..8]), "{header:?}");
        for text in [name.clone(), hex::encode(own), STANDARD.encode(own), format!("x402-solana {name}")] {
            let told = explained(&text);
            let ids: Vec<_> = told.findings.iter().map(|own| own.id).collect();
            assert_eq!(ids, ["secret_key_form"], "{text}");
            assert!(!format!("{told:?}").contains(&text[..8]), "{told:?}");
        }
    }

    #[test]
    fn a_key_in_any_form_is_told_as_by_what_is_kept_in_its_place() {
        let own: Signature = [[1; 32], ed25519::key_of(&[1; 32]).0].concat().try_into().unwrap();
        for (key, form, part) in [
            (format!("{own:?}"), Form::Pair, "64 bytes of a key pair"),
            (STANDARD.encode(own), Form::Pair, "64 bytes of a key pair"),
            (format!("Bearer 0x{}", "5d".repeat(32)), Form::Digits, "64 hexadecimal digits"),
            (format!("Uint8Array(32) {:?}", &own[..32]), Form::Numbers, "a list of 32 to 64 bytes"),
        ] {
            let told = in_payment(Some("X-PAYMENT"), &key).unwrap();
            let id = if form == Form::Digits { "hash_or_key" } else { "secret_key_form" };
            assert!(told.id == id && told.evidence[0].contains(part), "{told:?}");
            assert_eq!(in_payment(Some("X-PAYMENT"), form.mark()), Some(told));
            assert_eq!(in_payment(Some("PAYMENT-REQUIRED"), &key), None);
            assert_eq!(explained(&key), explained(form.mark()));
            assert!(!format!("{:?}", explained(&key)).contains("5d5d"));
        }
    }

    #[test]
    fn a_signature_in_another_form_is_written_in_base58() {
        let own: Signature = std::array::from_fn(|place| u8::try_from(place).unwrap() + 100);
        let name = bs58::encode(own).into_string();
        for (text, form) in [
            (hex::encode(own), "in hexadecimal"),
            (format!("0x{}", hex::encode(own)), "in hexadecimal"),
            (STANDARD.encode(own), "in base64"),
            (format!("Bearer {name}"), "other text around it"),
            (format!("{{\"signature\":\"{name}\"}}"), "other text around it"),
        ] {
            let told = explained(&text);
            let finding = &told.findings[0];
            assert!(finding.evidence[0].contains(form) && finding.fix.contains(&name), "{text}: {finding:?}");
        }
        let hash = explained(&format!("0x{}", "ab".repeat(32)));
        assert!(hash.findings[0].evidence[0].contains("EVM chains"));
    }
}
