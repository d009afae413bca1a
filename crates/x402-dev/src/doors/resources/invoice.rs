//! The answer to a paid invoice: the memo is redeemed from a test account. Nothing is signed.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::json;
use x402_sim::event::{Facts, Kind, PaymentId};
use x402_sim::facilitator::REJECTED;
use x402_sim::fault::Mode;
use x402_sim::memo::Terms;
use x402_sim::networks::solana;

use super::content::{self, Receipt};
use super::delivery::Settled;
use super::offer;
use super::payment::Carried;
use super::sale::Sale;
use crate::clock;
use crate::doors::answer::{json_body, set_header};
use crate::doors::simulation;

/// What log and answer say.
const NOTE: &str = "invoice: nothing was signed";

/// The same for an invoice that a transaction has paid.
const SENT: &str = "invoice: paid by a transaction on the simulated Solana devnet";

/// Answers a request that carries `X-Payment-Proof`. `from` names the test account that pays.
pub fn answer(sale: &Sale<'_>, proof: &Carried, from: &str) -> Response {
    let signature = proof.text().ok().and_then(solana::parse_signature);
    let payment = match &signature {
        Some(signature) => sale.state.act(|world, _| world.payment_of_signature(signature)),
        None => proof.text().ok().map(PaymentId::of_memo).inspect(|payment| sale.meet_invoice(*payment, from)),
    };
    let refuse = |reason: &str, message: String| {
        let facts = Facts { reason: Some(reason.to_owned()), message: Some(message.clone()), ..Facts::default() };
        sale.record(Kind::Refused, payment, facts);
        sale.keep_proof(proof, payment, (reason, &message));
        // The answer names the offset of the clock; no event does, so that they are the same in every run.
        let skew = (reason == "invoice_expired").then(|| clock::skew(sale.state.skew_ms())).flatten();
        let message = skew.map_or(message.clone(), |skew| format!("{message}; {skew}"));
        refused(sale, reason, &message)
    };
    if sale.mode == Mode::Reject {
        return refuse("payment_rejected_by_simulation", REJECTED.to_owned());
    }
    let text = match proof.text() {
        Ok(text) => text,
        Err(why) => return refuse("invoice_memo_malformed", why.to_owned()),
    };
    let Some((amount, written)) = &sale.item.invoice else {
        let message = format!("{} cannot be paid by invoice", sale.visit.path);
        return refuse("invoice_not_offered", message);
    };
    let made = content::configured(sale.item);
    if !content::is_paid_for(made.as_ref()) {
        sale.record(Kind::NotSettled, payment, Facts::default());
        let mut response = made.unwrap_or_default();
        simulation::say(response.headers_mut(), sale.mode);
        return response;
    }
    let terms = Terms { method: sale.visit.method.as_str(), path: &sale.visit.path, amount: *amount };
    let redeemed = sale.state.act(|world, now| {
        if let Some(signature) = &signature {
            return world.redeem_by_transaction(signature, terms, now);
        }
        let payer = world.redeem_invoice(text, terms, (from, sale.mode), now);
        payer.map(|payer| (payer.solana_address.to_owned(), PaymentId::of_memo(text)))
    });
    let (payer, redeemed) = match redeemed {
        Ok(redeemed) => redeemed,
        Err(error) => return refuse(error.code(), error.to_string()),
    };
    // A transaction was told of when it was sent: its money is counted once, for whoever asks with it.
    let sent = signature.is_some();
    let payment = Some(redeemed);
    if sent {
        sale.meet_invoice(redeemed, &payer);
    }
    let price = format!("{written} USDC");
    let facts = Facts {
        network: Some("solana-devnet".to_owned()),
        amount: Some(price.clone()),
        payer: Some(payer.clone()),
        message: Some(if sent { SENT } else { NOTE }.to_owned()),
        ..Facts::default()
    };
    sale.record(if sent { Kind::Verified } else { Kind::Settled }, payment, facts);
    let receipt = Receipt {
        resource: &sale.visit.url,
        amount: &price,
        payer: Some(&payer),
        network: Some("solana-devnet"),
        transaction: Some(text).filter(|_| sent),
        dialect: Some(sale.dialect),
        note: (!sent).then_some(NOTE),
        simulated: sale.mode.simulation(),
    };
    let mut response = content::delivered(made, &receipt, sale.mode);
    response.extensions_mut().insert(Settled { payment, ..Settled::default() });
    response
}

/// A 402 with the cause and a fresh invoice.
pub fn refused(sale: &Sale<'_>, reason: &str, message: &str) -> Response {
    let invoice = offer::invoice(sale.state, sale.item, sale.visit);
    let challenge = invoice.as_ref().map(x402_wire::invoice::Invoice::challenge);
    let body = json!({ "error": reason, "message": message, "invoice": invoice });
    let mut response = (StatusCode::PAYMENT_REQUIRED, json_body(&body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_header(headers, header::WWW_AUTHENTICATE, challenge);
    simulation::say(headers, sale.mode);
    response
}
