//! The newest refused payments, whole: what `explain last` looks at. Payload and requirements, and no keys.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use x402_sim::event::{Door, PaymentId};
use x402_sim::explain::confided::Form;
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

use crate::secret::{clean_members, cleaned_json, kept};

/// How many are kept.
const KEPT: usize = 64;

/// The longest text of one that is kept, in bytes: the record never holds more than 4 MiB.
const LONGEST: usize = 32 * 1024;

/// The longest name of a client, in characters.
const LONGEST_AGENT: usize = 200;

/// A payment that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// Its number, counted from 1.
    pub number: u64,
    /// When, in milliseconds since 1970 of the mock's clock.
    pub at: u64,
    /// When, in milliseconds since 1970 of the computer's clock.
    pub real: u64,
    /// The newest event when it was kept: its own, where it has one.
    pub after: u64,
    /// Through which door.
    pub door: Door,
    /// The path that was asked for.
    pub path: String,
    /// The payment.
    pub payment: Option<String>,
    /// The reason, as the client was told.
    pub reason: String,
    /// The sentence with it.
    pub message: Option<String>,
    /// The name of the header that carried the payment, where there was one.
    pub header: Option<&'static str>,
    /// What the header held, where it could not be decoded.
    pub value: Option<String>,
    /// The payload.
    pub payload: Option<Value>,
    /// What it should have paid for: requirements, or a list of them as `accepts`.
    pub requirements: Option<Value>,
    /// The faults that were played for this request and may be the cause, a sentence each.
    pub faults: Vec<String>,
    /// Those that were played when the same payment was refused before, where that is kept.
    pub faults_before: Vec<String>,
    /// What the paying client calls itself: its `User-Agent`, where it paid here.
    pub agent: Option<String>,
    /// The finding that the instance knows it to be, where the payment was not looked at.
    pub finding: Option<&'static str>,
}

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    newest: u64,
    all: VecDeque<Arc<Refused>>,
}

impl Refused {
    /// A refusal at a door, about which the rest is said afterwards.
    pub fn at_door(door: Door, path: &str, reason: &str) -> Self {
        Self {
            number: 0,
            at: 0,
            real: 0,
            after: 0,
            door,
            path: cut(path),
            payment: None,
            reason: reason.to_owned(),
            message: None,
            header: None,
            value: None,
            payload: None,
            requirements: None,
            faults: Vec::new(),
            faults_before: Vec::new(),
            agent: None,
            finding: None,
        }
    }

    /// The same, of a payload. A key in its place is kept by its form.
    pub fn of(self, payload: &PaymentPayload<'_>) -> Self {
        let mut value = value_of(payload.value());
        for (key, part) in [("resource", payload.resource()), ("extensions", payload.extensions())] {
            if let (Some(members), Some(part)) = (value.as_object_mut(), part) {
                members.insert(key.to_owned(), value_of(&part));
            }
        }
        let refused = Self { payment: Some(PaymentId::of(payload).to_string()), ..self };
        match Form::of(&value.to_string()) {
            Some(form) if refused.header.is_some() => Self { value: Some(form.mark().to_owned()), ..refused },
            Some(form) => Self { payload: Some(form.mark().into()), ..refused },
            None => Self { payload: short(value), ..refused },
        }
    }

    /// The same, for requirements.
    pub fn asked(self, requirements: Value) -> Self {
        Self { requirements: short(requirements), ..self }
    }

    /// The same, with a sentence.
    pub fn because(self, message: Option<&str>) -> Self {
        Self { message: message.map(cut), ..self }
    }

    /// The same, with the faults that were played.
    pub fn amid(self, faults: Vec<String>) -> Self {
        Self { faults, ..self }
    }

    /// The same, by a client that calls itself something.
    pub fn sent_by(self, agent: Option<&str>) -> Self {
        Self { agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()), ..self }
    }

    /// The same, which is known to be something without that it was looked at.
    pub fn found(self, finding: &'static str) -> Self {
        Self { finding: Some(finding), ..self }
    }

    /// The same, with what came, where that is no request: a body, or a header with its name. In place of a key its form
    /// is kept.
    pub fn holding(self, value: &str) -> Self {
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let (name, own) = value.split_once(": ").filter(|(name, _)| is_name(name)).unwrap_or(("", value));
        let value = match Form::of(own) {
            Some(form) if name.is_empty() => form.mark().to_owned(),
            Some(form) => format!("{name}: {}", form.mark()),
            None => cut(&cleaned_json(value)),
        };
        Self { value: Some(value), ..self }
    }

    /// The same, carried by a header; with what it held, where nobody could decode that. In place of a key its form is
    /// kept.
    pub fn carried(self, header: &'static str, value: Option<&str>) -> Self {
        Self { header: Some(header), value: value.map(|value| cut(&kept(value))), ..self }
    }
}

impl Record {
    /// Keeps one, and forgets the oldest where there are too many.
    pub(super) fn keep(&self, refused: Refused) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.newest += 1;
        let number = kept.newest;
        let is_same = |own: &&Arc<Refused>| own.payment.is_some() && own.payment == refused.payment;
        let mut faults_before: Vec<String> = Vec::new();
        for fault in kept.all.iter().filter(is_same).flat_map(|own| &own.faults) {
            if !faults_before.contains(fault) {
                faults_before.push(fault.clone());
            }
        }
        kept.all.push_back(Arc::new(Refused { number, faults_before, ..refused }));
        if kept.all.len() > KEPT {
            kept.all.pop_front();
        }
    }

    /// Forgets all of them. What comes is numbered on.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.clear();
    }

    /// Those that are kept, the newest first.
    pub(super) fn newest_first(&self) -> Vec<Arc<Refused>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.all.iter().rev().cloned().collect()
    }
}

/// JSON that was borrowed, owned.
pub fn value_of(json: &Json<'_>) -> Value {
    serde_json::from_str(&json.to_string()).unwrap_or_default()
}

fn short(mut value: Value) -> Option<Value> {
    clean_members(&mut value);
    (value.to_string().len() <= LONGEST).then_some(value)
}

fn cut(text: &str) -> String {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or_default()].to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use x402_sim::networks::solana;

    use super::*;
    use crate::secret::CUT;

    #[test]
    fn only_the_newest_are_kept_and_nothing_that_is_too_long() {
        let record = Record::default();
        for number in 0..KEPT + 3 {
            record.keep(Refused::at_door(Door::Resources, "/a", &number.to_string()));
        }
        let all = record.newest_first();
        assert_eq!((all.len(), all[0].number), (KEPT, KEPT as u64 + 3));
        assert_eq!(all[KEPT - 1].reason, "3");
        let long = "é".repeat(LONGEST);
        let refused = Refused::at_door(Door::Resources, &long, "x").asked(Value::from(long.clone()));
        assert!(refused.path.len() <= LONGEST && refused.requirements.is_none());
    }

    #[test]
    fn a_key_in_place_of_a_payment_is_kept_by_its_form_alone() {
        let refused = || Refused::at_door(Door::Resources, "/a", "x");
        let bytes = [[1; 32], solana::ed25519::key_of(&[1; 32]).0].concat();
        let pair = solana::signature_text(&bytes.clone().try_into().unwrap());
        let (digits, list) = ("ab".repeat(32), format!("{bytes:?}"));
        for (own, form) in [
            (&pair, Form::Pair),
            (&list, Form::Pair),
            (&format!("Uint8Array(64) {list}"), Form::Pair),
            (&STANDARD.encode(&list), Form::Pair),
            (&STANDARD.encode(&bytes), Form::Pair),
            (&format!("Bearer 0x{digits}"), Form::Digits),
            (&format!("{:?}", &bytes[..32]), Form::Numbers),
        ] {
            let value = refused().carried("x-payment", Some(own)).value;
            assert_eq!(value.as_deref(), Some(form.mark()), "{own}");
            assert_eq!(refused().holding(own).value.as_deref(), Some(form.mark()), "{own}");
            let named = refused().holding(&format!("x-payment: {own}")).value;
            assert_eq!(named, Some(format!("x-payment: {}", form.mark())), "{own}");
        }
        // Within JSON and within its base64 the rest stays.
        let payload = |key: Value| serde_json::json!({"x402Version": 2, "payload": {"key": key, "privateKey": digits}});
        let clean = serde_json::json!({"x402Version": 2, "payload": {"key": CUT, "privateKey": CUT}}).to_string();
        for key in [pair.clone().into(), bytes.clone().into()] {
            let own = payload(key).to_string();
            assert_eq!(refused().carried("x-payment", Some(&own)).value.as_ref(), Some(&clean));
            let encoded = refused().carried("x-payment", Some(&STANDARD.encode(&own))).value;
            assert_eq!(encoded, Some(STANDARD.encode(&clean)));
        }
        // Base64 of a list is JSON, and passes for a payload until it is matched.
        for (own, form) in [(list, Form::Pair), (format!("{:?}", &bytes[..32]), Form::Numbers)] {
            let payload = PaymentPayload::parse(&own).unwrap();
            assert_eq!(refused().of(&payload).payload, Some(form.mark().into()));
            let carried = refused().carried("x-payment", None).of(&payload);
            assert_eq!((carried.value.as_deref(), carried.payload), (Some(form.mark()), None));
        }
        // What is no key stays: a signature, a broken payment.
        for own in [solana::signature_text(&[7; 64]), STANDARD.encode([7; 64]), "Bearer eyJ4NDAyVmVy".to_owned()] {
            assert_eq!(refused().carried("x-payment", Some(&own)).value.as_ref(), Some(&own));
        }
    }

    #[test]
    fn what_a_payment_met_before_is_kept_with_it() {
        let record = Record::default();
        let refused = |payment: Option<&str>, faults: &[&str]| Refused {
            payment: payment.map(str::to_owned),
            ..Refused::at_door(Door::Resources, "/a", "x").amid(faults.iter().map(ToString::to_string).collect())
        };
        for (payment, faults) in
            [(Some("a"), &["f1", "f2"][..]), (Some("b"), &["f3"]), (Some("a"), &["f1"]), (None, &["f4"])]
        {
            record.keep(refused(payment, faults));
        }
        for (payment, before) in [(Some("a"), &["f1", "f2"][..]), (Some("c"), &[]), (None, &[])] {
            record.keep(refused(payment, &[]));
            assert_eq!(record.newest_first()[0].faults_before, before, "{payment:?}");
        }
    }

    #[test]
    fn a_payload_is_kept_whole() {
        let text = r#"{"x402Version":2,"resource":{"url":"u"},"payload":{"signature":"0xab"}}"#;
        let payload = PaymentPayload::parse(text).unwrap();
        let refused = Refused::at_door(Door::Facilitator, "/verify", "x").of(&payload);
        assert_eq!(refused.payload, serde_json::from_str(text).ok());
        assert!(refused.payment.is_some_and(|payment| payment.starts_with("pay_")));
    }
}
