//! A sale: the steps that both protocol versions share, verify, content, settle.

use axum::response::Response;
use serde_json::Value;
use x402_sim::event::{Door, Facts, Kind, PaymentId};
use x402_sim::facilitator::{Approved, Refusal, facts_of, judge};
use x402_sim::fault::Mode;
use x402_sim::order::Depth;
use x402_wire::facilitator::{FacilitatorRequest, SettleResponse};
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

use super::Visit;
use super::content::{self, Receipt};
use crate::catalogue::Item;
use crate::state::State;

/// Everything that an answer to a payment needs.
#[derive(Debug)]
pub struct Sale<'a> {
    /// The state of the server.
    pub state: &'a State,
    /// What is bought.
    pub item: &'a Item,
    /// What the request says about itself.
    pub visit: &'a Visit,
    /// How the payment is judged.
    pub mode: Mode,
    /// The dialect's name in events and receipts.
    pub dialect: &'static str,
}

/// How a sale ended.
pub enum Outcome {
    /// Refused by verification.
    Refused(Box<Refusal>),
    /// The content failed: it is sent as it is, and nothing was settled.
    NotSettled(Response),
    /// Verified, but the settlement failed.
    SettleFailed(SettleResponse),
    /// Settled: the content and the receipt.
    Delivered(Response, SettleResponse),
}

/// Verifies a payment against requirements, makes the content, settles.
pub fn conclude(sale: &Sale<'_>, payload: PaymentPayload<'_>, requirements: &Value) -> Outcome {
    let payment = PaymentId::of(&payload);
    let request = FacilitatorRequest { payload, requirements: Json::from(requirements) };
    let (chain, now) = sale.state.chain();
    let judged = judge(&request, &chain, now / 1000, Depth::Verify, sale.mode);
    drop(chain);
    let facts = facts_of(&judged);
    let approved = match judged {
        Ok(approved) => approved,
        Err(refusal) => {
            sale.record(Kind::Refused, Some(payment), facts);
            return Outcome::Refused(refusal);
        }
    };
    sale.record(Kind::Verified, Some(payment), facts.clone());
    let made = content::configured(sale.item);
    if !content::is_paid_for(made.as_ref()) {
        sale.record(Kind::NotSettled, Some(payment), facts);
        return Outcome::NotSettled(made.unwrap_or_default());
    }
    settle(sale, payment, &approved, made, facts)
}

fn settle(sale: &Sale<'_>, payment: PaymentId, approved: &Approved, made: Option<Response>, facts: Facts) -> Outcome {
    let settled = sale.state.act(|world, now| world.settle(&approved.charge, now));
    let settled = match settled {
        Ok(settled) => settled,
        Err(reason) => {
            let refusal = Box::new(Refusal::of_approved(approved, reason));
            let answer = refusal.to_settle_response();
            sale.record(Kind::SettleFailed, Some(payment), facts_of(&Err(refusal)));
            return Outcome::SettleFailed(answer);
        }
    };
    let answer = approved.to_settle_response(settled.hash().to_string());
    let amount = facts.amount.clone().unwrap_or_default();
    let receipt = Receipt {
        resource: &sale.visit.url,
        amount: &amount,
        payer: Some(&approved.payer),
        network: Some(&approved.network),
        transaction: Some(&answer.transaction),
        dialect: Some(sale.dialect),
        note: None,
        simulated: sale.mode.simulation(),
    };
    let response = content::delivered(made, &receipt, sale.mode);
    let transaction = Some(answer.transaction.clone());
    sale.record(Kind::Settled, Some(payment), Facts { transaction, ..facts });
    Outcome::Delivered(response, answer)
}

impl Sale<'_> {
    /// Records an event of this sale.
    pub fn record(&self, kind: Kind, payment: Option<PaymentId>, facts: Facts) {
        let facts = Facts {
            method: Some(self.visit.method_text()),
            path: Some(self.visit.path.clone().into()),
            dialect: Some(self.dialect),
            simulated: self.mode.simulation(),
            ..facts
        };
        self.state.record(kind, Door::Resources, payment, facts);
    }

    /// Records that the payment header cannot be decoded.
    pub fn undecodable(&self, why: &str) {
        self.record(Kind::Undecodable, None, Facts { message: Some(why.to_owned()), ..Facts::default() });
    }
}
