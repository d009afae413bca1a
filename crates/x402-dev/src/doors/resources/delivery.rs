//! The answer to a payment that was settled, and what may become of it on its way.

use axum::response::Response;
use x402_sim::fault::{Effect, Sight, Stage, Timing};

use super::payment::Payment;
use super::sale::Sale;
use super::{invoice, v1, v2};
use crate::doors::cors::Missing;
use crate::doors::fault::{receipt, wire};
use crate::doors::parcel::Parcel;

/// Says of an answer that its payment was settled.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Who paid, where that is an address.
    pub payer: Option<x402_sim::ledger::Account>,
    /// The payment.
    pub payment: Option<x402_sim::event::PaymentId>,
    /// The network.
    pub network: Option<String>,
    /// The scheme.
    pub scheme: Option<String>,
    /// The protocol version.
    pub version: Option<u8>,
}

/// Hands an answer over: as it is, or with what faults do to it.
pub async fn hand_over(sale: &Sale<'_>, payment: &Payment, mut answer: Response) -> Response {
    let Some(settled) = answer.extensions_mut().remove::<Settled>() else { return answer };
    let parcel = Parcel::of(sale.state, settled.payment, sale.facts(), &answer);
    let mut answer = spoil(sale, payment, settled, answer).await;
    parcel.put_on(&mut answer);
    answer
}

/// What faults do to an answer.
async fn spoil(sale: &Sale<'_>, payment: &Payment, settled: Settled, mut answer: Response) -> Response {
    if sale.script.is_idle() {
        return answer;
    }
    let Settled { payer, payment: paid, network, scheme, version } = &settled;
    let (network, scheme) = (network.as_deref(), scheme.as_deref());
    let sight = Sight { payer: *payer, network, scheme, version: *version, ..sale.sight() };
    let cues = sale.script.play((Stage::Response, Timing::Before), &sight, *paid, &sale.facts());
    if cues.is_empty() {
        return answer;
    }
    cues.delay(sale.state).await;
    if let Some((reason, message)) = cues.refusal() {
        answer = match payment {
            Payment::V2(_) => v2::refused(sale, &reason),
            Payment::V1(_) => v1::refused(sale, &reason, None),
            Payment::Invoice { .. } => invoice::refused(sale, &reason, &message.unwrap_or_default()),
        };
    }
    receipt::forge_header(&mut answer, &cues.forges());
    if cues.has(&Effect::LostReceipt) {
        receipt::lose(&mut answer);
    }
    if let Some(how) = cues.wire() {
        answer = wire::spoil(sale.state, answer, &how, &sale.visit.path, cues.over_at()).await;
    }
    if cues.has(&Effect::CorsMissing) {
        answer.extensions_mut().insert(Missing);
    }
    answer
}
