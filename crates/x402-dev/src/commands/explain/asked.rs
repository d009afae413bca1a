//! What a payment should pay for, where it was given besides.

use serde_json::Value;
use x402_sim::explain::finding::{Finding, Side};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{Reading, Subject, read};

use super::ExplainError;
use super::source::{Found, Source};
use crate::check;
use crate::commands::door::Door;
use crate::context::Context;
use crate::error::Error;

/// Requirements that were given.
#[derive(Debug)]
pub struct Asked {
    /// Requirements, or offers with them.
    pub offers: Vec<Value>,
    /// What is wrong with the way they are written: a mistake of whoever offers.
    pub findings: Vec<Finding>,
}

impl Asked {
    /// JSON of requirements, of an offer, or of a request to a facilitator; or the offers that a record, a URL or a refusal
    /// of an instance holds.
    pub fn read(context: &Context, door: &Door, text: &str) -> Result<Self, Error> {
        let source = Source::of(context, text);
        let mut findings = Vec::new();
        let offers = match source.read(context, door)? {
            Found::Text(text) => {
                let reading = read(&text);
                findings = reading.findings;
                match reading.subject {
                    Subject::Json(Kind::Requirements | Kind::OfferV1 | Kind::OfferV2, value) => vec![value],
                    Subject::Json(Kind::FacilitatorRequest, value) => {
                        value.get("paymentRequirements").cloned().into_iter().collect()
                    }
                    Subject::Transcript(text) => check::offers(&text),
                    _ => Vec::new(),
                }
            }
            Found::Answer(answer) => answer.exchange().offers().to_vec(),
            Found::Refused(refused) => refused.requirements.into_iter().collect(),
            Found::Story(_) | Found::Unpaid(..) => Vec::new(),
        };
        if offers.is_empty() {
            return Err(ExplainError::NoRequirements { what: source.name() }.into());
        }
        for finding in &mut findings {
            finding.side = Side::Server;
        }
        Ok(Self { offers, findings })
    }
}

/// What is asked in the version of a payment that came under the other version's header: that is its mistake, and that
/// it says other things than the other version asks follows from it.
pub fn of_its_version(mut asked: Value, reading: &Reading) -> Option<Value> {
    let is_astray = |id: &str| ["v1_payload_in_v2_header", "v1_header_name"].contains(&id);
    if !reading.findings.iter().any(|finding| is_astray(finding.id)) {
        return Some(asked);
    }
    // The number may be all that is wrong: the shape tells the version better.
    let is_old = reading.json().is_some_and(|(kind, payload)| {
        let has_old_name = payload.get("network").and_then(Value::as_str).is_some_and(|name| !name.contains(':'));
        payload.get("accepted").is_none() && (kind == Kind::PaymentV1 || has_old_name)
    });
    let fits = |terms: &Value| terms.get("maxAmountRequired").is_some() == is_old;
    match asked.get_mut("accepts") {
        Some(Value::Array(entries)) => {
            entries.retain(fits);
            (!entries.is_empty()).then_some(asked)
        }
        _ => fits(&asked).then_some(asked),
    }
}
