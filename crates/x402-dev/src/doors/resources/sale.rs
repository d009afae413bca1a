//! The steps that both protocol versions share: verify, content, settle.

use axum::response::Response;
use serde_json::Value;
use x402_sim::event::{Facts, Kind, PaymentId};
use x402_sim::facilitator::{Approved, Refusal, judge};
use x402_sim::order::Depth;
use x402_wire::facilitator::{FacilitatorRequest, SettleResponse};
use x402_wire::payload::PaymentPayload;

use super::content::{self, Receipt};
use super::routes::Sale;
use crate::clock;
use crate::doors::facilitator::routes::facts_of;

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
pub fn conclude(sale: &Sale<'_>, payload: PaymentPayload, requirements: Value) -> Outcome {
    let payment = PaymentId::of(&payload);
    let request = FacilitatorRequest { payload, requirements };
    let chain = sale.state.world().chain();
    let judged = judge(&request, &chain, clock::now() / 1000, Depth::Verify, sale.mode);
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
    let settled = sale.state.world().settle(&approved.charge, clock::now());
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
