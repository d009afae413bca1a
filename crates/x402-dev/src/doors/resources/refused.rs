//! What is kept of a refused payment, for whoever asks why.

use http::header;
use serde_json::Value;
use x402_sim::event::{Door, PaymentId};
use x402_sim::registry::Version;
use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF};
use x402_wire::payload::PaymentPayload;

use super::payment::Carried;
use super::proof;
use super::sale::Sale;
use crate::state::{Refused, value_of};

impl Sale<'_> {
    /// Keeps a payment that verification or settlement refused.
    pub fn keep(&self, request: &FacilitatorRequest<'_>, reason: &str, message: Option<&str>) {
        let refused = self.begin(reason, message).of(&request.payload).asked(value_of(&request.requirements));
        self.state.keep_refused(refused);
    }

    /// Keeps a payment that means none of the requirements.
    pub fn keep_unmatched(&self, payload: &PaymentPayload<'_>, reason: &str) {
        self.state.keep_refused(self.begin(reason, None).of(payload).asked(self.accepts()));
    }

    /// Keeps a header that nobody could decode, or that holds nothing which could be matched. `reason` is what the
    /// client was told, `why` what the log says.
    pub fn keep_header(&self, carried: &Carried, reason: &str, why: &str) {
        let (refused, text) = (self.begin(reason, Some(why)), carried.text().ok());
        let refused = match text.and_then(|text| proof::on_chain(self.state, text)) {
            Some(hash) => Refused { value: Some(hash), ..refused },
            None => refused.carried(self.header(), text),
        };
        self.state.keep_refused(refused.asked(self.accepts()));
    }

    /// Keeps a proof that pays no invoice.
    pub fn keep_proof(&self, proof: &Carried, payment: Option<PaymentId>, (reason, message): (&str, &str)) {
        let refused = self.begin(reason, Some(message)).carried(X_PAYMENT_PROOF, proof.text().ok());
        self.state.keep_refused(Refused { payment: payment.map(|payment| payment.to_string()), ..refused });
    }

    /// What is asked in the version of the header.
    fn accepts(&self) -> Value {
        let accepts = match self.version() {
            Version::V1 => serde_json::to_value(self.item.accepts_v1(self.visit.url_without_query())),
            Version::V2 => Ok(self.item.requirements.clone().into()),
        };
        serde_json::json!({ "accepts": accepts.unwrap_or_default() })
    }

    fn begin(&self, reason: &str, message: Option<&str>) -> Refused {
        let refused = Refused::at_door(Door::Resources, &self.visit.path, reason);
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        refused.because(message).carried(self.header(), None).amid(self.script.refusing()).sent_by(agent)
    }

    fn version(&self) -> Version {
        if self.dialect == "x402v1" { Version::V1 } else { Version::V2 }
    }

    fn header(&self) -> &'static str {
        match self.version() {
            Version::V1 => X_PAYMENT,
            Version::V2 => PAYMENT_SIGNATURE,
        }
    }
}
