//! What a refused payment has paid already, and what is said of that before anything else.

use serde_json::Value;
use x402_sim::event::PaymentId;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::onchain;
use x402_wire::header::X_PAYMENT_PROOF;
use x402_wire::payload::PaymentPayload;

use super::{Refused, Seen};

/// The findings that tell of it.
const TELLING: [&str; 4] =
    ["nonce_used", "evm_transaction_sent", "signature_for_transaction", "invoice_proof_misplaced"];

/// A transaction that is on the chain, and that a payment shows in place of a signed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Its hash or its signature.
    name: String,
    /// What is told of it.
    told: String,
    /// What it has paid for, where that is another path than the refused request's.
    elsewhere: Option<String>,
}

impl Refused {
    /// The payment in it, wherever it stood.
    pub(super) fn shown(&self) -> Option<Value> {
        let reading = self.reading();
        let (_, value) = reading.json()?;
        Some(value.get("paymentPayload").unwrap_or(value).clone())
    }

    /// The transaction that it holds or names, where the instance's chain has it.
    pub(super) fn sent(&self, shown: Option<&Value>, events: &[Seen]) -> Option<Sent> {
        let body = shown.map(|own| own.get("payload").unwrap_or(own));
        let parts = body.and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values);
        let parts = body.into_iter().chain(parts).filter_map(Value::as_str);
        let parts = parts.chain(self.value.as_deref().filter(|_| shown.is_none()));
        let names: Vec<String> = parts.filter_map(onchain::name_of).collect();
        let of_it = |event: &&Seen| event.transaction().is_some_and(|own| names.iter().any(|name| name == own));
        let is_end = |event: &&Seen| ["settled", "undone"].contains(&event.kind.as_str());
        let last = events.iter().rev().filter(of_it).find(is_end).filter(|event| event.kind == "settled")?;
        let path = last.path().filter(|path| *path != self.path);
        Some(Sent { name: last.transaction()?.to_owned(), told: last.told(), elsewhere: path.map(str::to_owned) })
    }

    /// Says that a payment which was refused for something else has paid before: mended, it is refused again.
    fn tell_landed(&self, explanation: &mut Explanation) {
        let payload = self.shown().filter(|own| own.get("payload").is_some());
        let Some(payload) = payload.filter(|_| !has(explanation, "nonce_used")) else { return };
        let seen = "its transaction is on the chain already: whatever else is found, this payment pays no second time";
        let is_on_solana = payload.pointer("/payload/transaction").is_some();
        let finding = if is_on_solana { used_on_solana() } else { Finding::new("nonce_used") }.seen(seen);
        // What a fault has said is no proof of anything.
        let proof = "the instance's record holds its settlement";
        explanation.find(if self.faults.is_empty() { finding.proven(proof) } else { finding });
    }

    /// Says when and how it has paid, before all that keeps it from being taken now: whoever mends that alone pays twice.
    pub(super) fn tell_paid(&self, explanation: &mut Explanation) {
        // What a server makes of the proof of an invoice tells itself whether that has paid.
        let Some(told) = self.told.as_ref().filter(|_| self.header.as_deref() != Some(X_PAYMENT_PROOF)) else { return };
        if let Some(sent) = &told.sent {
            sent.tell(explanation);
        }
        if let Some(before) = &told.before {
            self.tell_landed(explanation);
            if has(explanation, "nonce_used") {
                let is_told = told.sent.as_ref().is_some_and(|sent| sent.told == *before);
                let seen = if is_told { String::new() } else { format!("it was settled before: {before}") };
                explanation.find(Finding::new("nonce_used").seen(seen));
                if let Some(seen) = self.asked_again() {
                    explanation.find(Finding::new("nonce_used").seen(seen));
                }
            }
        }
        if told.before.is_none() && told.sent.is_none() {
            return;
        }
        explanation.rank();
        let is_said = |first: &Finding| told.sent.is_some() && TELLING.contains(&first.id);
        if let Some(first) = explanation.findings.first_mut().filter(|first| !is_said(first)) {
            *first = first.clone().fixed_by("This payment has paid already: do not pay again.");
        }
    }
}

impl Sent {
    /// Says of a transaction that the payer has sent himself that it has paid.
    fn tell(&self, explanation: &mut Explanation) {
        let seen = format!("it is on the instance's chain: {}. It has paid already", self.told);
        // A hash that the chain knows is no key.
        explanation.findings.retain(|own| own.id != "hash_or_key");
        let known = TELLING.into_iter().find(|id| has(explanation, id));
        let finding = match known {
            Some(id) => Finding::new(id),
            None if self.name.starts_with("0x") => Finding::new("evm_transaction_sent"),
            None => used_on_solana(),
        };
        let id = finding.id;
        explanation.find(finding.seen(seen).proven("the instance's chain has that transaction"));
        let fix = match &self.elsewhere {
            Some(path) => format!(
                "It has paid for {path}: if it was meant for this, do not pay again, and show {} to whoever is paid.",
                self.name
            ),
            None => format!("It has paid already: do not pay again, and show {} to whoever is paid.", self.name),
        };
        for own in explanation.findings.iter_mut().filter(|own| own.id == id) {
            *own = own.clone().fixed_by(&fix);
        }
    }
}

/// The finding for Solana, which has no nonces: a memo tells two transfers of the same apart.
fn used_on_solana() -> Finding {
    let finding = Finding::new("nonce_used");
    let memo = "a memo of its own, of 16 random bytes in hex";
    let fix = finding.fix.replace("a new nonce of 32 random bytes", memo);
    Finding { fix, ..finding }
}

/// The id of a payment, as an instance calls it.
pub(super) fn id_of(payment: &Value) -> Option<String> {
    let text = payment.to_string();
    Some(PaymentId::of(&PaymentPayload::parse(&text).ok()?).to_string())
}

fn has(explanation: &Explanation, id: &str) -> bool {
    explanation.findings.iter().any(|finding| finding.id == id)
}
