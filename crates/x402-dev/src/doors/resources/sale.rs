//! A sale: the steps that both protocol versions share, verify, content, settle.
//!
//! The facilitator is in the same process. What goes wrong with it on purpose is heard as a remote one would be heard.

use std::borrow::Cow;

use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;
use x402_sim::accounts;
use x402_sim::event::{Door, Facts, Kind, PaymentId};
use x402_sim::facilitator::{
    Approved, Refusal, address_only, facts_of, judge, said_account, said_network, said_payer, said_scheme,
};
use x402_sim::fault::effect::{Content, Wire};
use x402_sim::fault::{Effect, Mode, Sight, Stage, Timing};
use x402_sim::merchant::hearing::{Call, Heard, Outcome as Spoken, hear};
use x402_sim::order::Depth;
use x402_sim::purchase::{Buyer as Customer, Name, Wanted};
use x402_sim::registry::Version;
use x402_wire::facilitator::{FacilitatorRequest, SettleResponse, VerifyResponse};
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

use super::Visit;
use super::content::{self, Receipt};
use super::delivery::Settled;
use super::metering;
use crate::catalogue::Item;
use crate::doors::fault::call::{REDIRECTS, outcome};
use crate::doors::fault::receipt;
use crate::doors::fault::script::{Cues, Script};
use crate::doors::fault::till::{self, Said, Till};
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
    /// The faults of the request.
    pub script: &'a Script<'a>,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
}

/// How a sale ended.
#[derive(Debug)]
pub enum Outcome {
    /// Refused by verification, with this text; and who would have paid.
    Refused(String, Option<String>),
    /// The facilitator cannot be understood: 502 with this text.
    BadGateway(String),
    /// The content failed: it is sent as it is, and nothing was settled.
    NotSettled(Response),
    /// Verified, but the settlement failed.
    SettleFailed(SettleResponse),
    /// Settled: the content and the receipt.
    Delivered(Response, SettleResponse),
}

/// A payment at the till of a resource.
struct Buyer<'a> {
    sale: &'a Sale<'a>,
    request: &'a FacilitatorRequest<'a>,
    payment: PaymentId,
    version: Version,
    /// The network of the requirements.
    network: &'a str,
    sight: Sight<'a>,
    facts: Facts,
}

/// Verifies a payment against requirements, makes the content, settles.
pub async fn conclude(sale: &Sale<'_>, payload: PaymentPayload<'_>, requirements: &Value) -> Outcome {
    let payment = PaymentId::of(&payload);
    let request = FacilitatorRequest { payload, requirements: Json::from(requirements) };
    let buyer = Buyer::of(sale, &request, payment, requirements);
    let approved = match buyer.verify().await {
        Ok(approved) => approved,
        Err(outcome) => return *outcome,
    };
    let facts = facts_of(&Ok(approved.clone()));
    let cues = buyer.play((Stage::Content, Timing::Before));
    cues.delay(sale.state).await;
    let made = match cues.wire() {
        Some(Wire::Status(code, body)) => Some(content::failed(code, body.as_deref())),
        _ => content::configured(sale.item),
    };
    if !content::is_paid_for(made.as_ref()) {
        sale.record(Kind::NotSettled, Some(payment), facts);
        return Outcome::NotSettled(made.unwrap_or_default());
    }
    let metered = metering::amount(sale, requirements, made.as_ref());
    let metered = metered.map(|amount| metering::charged(requirements, amount));
    let charged = metered.as_ref().map(|requirements| FacilitatorRequest {
        payload: request.payload.clone(),
        requirements: Json::from(requirements),
    });
    match buyer.settle(&approved, charged.as_ref()).await {
        Heard::Receipt(answer) if answer.success => buyer.deliver(made, &cues, &approved, answer, &facts),
        Heard::Receipt(answer) => {
            let reason = answer.error_reason.as_deref().unwrap_or_default();
            sale.keep(&request, reason, answer.error_message.as_deref());
            Outcome::SettleFailed(answer)
        }
        Heard::Refused(text) | Heard::BadGateway(text) => Outcome::BadGateway(text),
        // A settlement is heard as a receipt.
        Heard::Verdict(_) => Outcome::BadGateway("the facilitator answered something else".to_owned()),
    }
}

impl<'a> Buyer<'a> {
    fn of(
        sale: &'a Sale<'a>,
        request: &'a FacilitatorRequest<'a>,
        payment: PaymentId,
        requirements: &'a Value,
    ) -> Self {
        let version = request.payload.version().and_then(Version::from_number).unwrap_or(Version::V2);
        let text = |key: &str| requirements.get(key).and_then(Value::as_str);
        let sight = Sight {
            payer: said_account(&request.payload),
            network: text("network"),
            scheme: text("scheme"),
            version: Some(version.number()),
            ..sale.sight()
        };
        let network = text("network").unwrap_or_default();
        Self { sale, request, payment, version, network, sight, facts: sale.facts() }
    }

    fn play(&self, place: (Stage, Timing)) -> Cues {
        self.sale.script.play(place, &self.sight, Some(self.payment), &self.facts)
    }

    /// Verifies the payment by the facilitator in this process.
    async fn verify(&self) -> Result<Approved, Box<Outcome>> {
        let state = self.sale.state;
        let mut cues = self.play((Stage::Verify, Timing::Before));
        for _ in 0..REDIRECTS {
            if !matches!(cues.wire(), Some(Wire::Redirect(None))) {
                break;
            }
            cues = self.play((Stage::Verify, Timing::Before));
        }
        if !cues.is_empty() {
            cues.delay(state).await;
            self.hear_verdict(&cues).await?;
        }
        let (chain, now) = state.chain();
        let judged = judge(self.request, &chain, now / 1000, Depth::Verify, self.sale.mode);
        drop(chain);
        let facts = Facts { scheme: said_scheme(self.request), ..facts_of(&judged) };
        let approved = match judged {
            Ok(approved) => approved,
            Err(refusal) => return self.settled_twice(&refusal, facts),
        };
        self.sale.record(Kind::Verified, Some(self.payment), facts);
        till::interfere(state, &cues, &approved);
        till::jump(state, &cues);
        Ok(approved)
    }

    /// Whether a fault lets the verdict through; the payment itself is judged afterwards.
    async fn hear_verdict(&self, cues: &Cues) -> Result<(), Box<Outcome>> {
        let (state, payer) = (self.sale.state, said_payer(&self.request.payload).map(Cow::into_owned));
        if let Some((reason, message)) = cues.refusal() {
            return self.refused(reason, message.as_deref(), payer);
        }
        let verdict = VerifyResponse { is_valid: true, payer: payer.clone(), ..VerifyResponse::default() };
        let verdict = serde_json::to_value(verdict).unwrap_or_default();
        let spoken = outcome(state, verdict, cues.wire().as_ref(), cues.over_at()).await;
        match hear(Call::Verify, self.version, &spoken, self.network) {
            Heard::Verdict(verdict) if verdict.is_valid => Ok(()),
            Heard::Verdict(verdict) => {
                self.refused(verdict.invalid_reason.unwrap_or_default(), verdict.invalid_message.as_deref(), payer)
            }
            Heard::Refused(text) => self.refused(text, None, None),
            Heard::BadGateway(text) => {
                self.record_refusal(&text, None, None);
                Err(Box::new(Outcome::BadGateway(text)))
            }
            // A verdict is never heard as a receipt.
            Heard::Receipt(_) => Ok(()),
        }
    }

    fn refused(&self, reason: String, message: Option<&str>, payer: Option<String>) -> Result<(), Box<Outcome>> {
        self.record_refusal(&reason, message, payer.as_deref());
        Err(Box::new(Outcome::Refused(reason, payer)))
    }

    fn record_refusal(&self, reason: &str, message: Option<&str>, payer: Option<&str>) {
        let payer = payer.and_then(address_only);
        let scheme = said_scheme(self.request);
        let facts = Facts {
            reason: Some(reason.to_owned()),
            message: message.map(str::to_owned),
            payer,
            scheme,
            ..Facts::default()
        };
        self.sale.record(Kind::Refused, Some(self.payment), facts);
        self.sale.keep(self.request, reason, message);
    }

    /// A used authorization is refused, unless a fault lets it succeed again at settlement.
    fn settled_twice(&self, refusal: &Refusal, facts: Facts) -> Result<Approved, Box<Outcome>> {
        if refusal.reason.code.is_replay() && self.sale.script.knows(&Effect::SuccessTwice) {
            let (chain, now) = self.sale.state.chain();
            if let Ok(approved) = judge(self.request, &chain, now / 1000, Depth::Settle, self.sale.mode) {
                return Ok(approved);
            }
        }
        self.sale.record(Kind::Refused, Some(self.payment), facts);
        self.sale.keep(self.request, refusal.spelled(), Some(&refusal.reason.detail));
        Err(Box::new(Outcome::Refused(refusal.spelled().to_owned(), refusal.payer.clone())))
    }

    /// Settles by the facilitator in this process; once more where the settlement is pending, as the official server.
    ///
    /// `charged` is the request where another amount is charged than was verified.
    async fn settle(&self, approved: &Approved, charged: Option<&FacilitatorRequest<'_>>) -> Heard {
        let mut heard = self.settle_once(approved, charged).await;
        for _ in 0..REDIRECTS {
            let Some(again) = heard.1 else { return heard.0 };
            heard = self.settle_once(approved, charged).await;
            if again == Again::Pending {
                return heard.0;
            }
        }
        heard.0
    }

    async fn settle_once(
        &self,
        approved: &Approved,
        charged: Option<&FacilitatorRequest<'_>>,
    ) -> (Heard, Option<Again>) {
        let till = Till {
            script: self.sale.script,
            sight: &self.sight,
            payment: self.payment,
            request: &self.facts,
            version: self.version,
            payer: Some(approved.payer.clone()),
            network: said_network(self.request),
        };
        let again = charged.or_else(|| approved.charge.is_judged_again().then_some(self.request));
        let judged = || match again {
            None => Ok(approved.clone()),
            Some(request) => {
                let (chain, now) = self.sale.state.chain();
                judge(request, &chain, now / 1000, Depth::Settle, self.sale.mode)
            }
        };
        let Said { answer, forges, wire, at, .. } = till.settle(judged).await;
        if forges.is_empty() && wire.is_none() {
            let again = (self.version == Version::V2 && is_pending(&answer)).then_some(Again::Pending);
            return (Heard::Receipt(answer), again);
        }
        let mut answer = serde_json::to_value(answer).unwrap_or_default();
        receipt::forge(&mut answer, &forges);
        let spoken: Spoken = outcome(self.sale.state, answer, wire.as_ref(), at).await;
        let again = matches!(wire, Some(Wire::Redirect(None))).then_some(Again::Redirected);
        (hear(Call::Settle, self.version, &spoken, self.network), again)
    }

    fn deliver(
        &self,
        made: Option<Response>,
        before: &Cues,
        approved: &Approved,
        answer: SettleResponse,
        facts: &Facts,
    ) -> Outcome {
        let sale = self.sale;
        let after = self.play((Stage::Content, Timing::After));
        let settled = Settled {
            payer: self.sight.payer,
            payment: Some(self.payment),
            network: self.sight.network.map(str::to_owned),
            scheme: self.sight.scheme.map(str::to_owned),
            version: self.sight.version,
        };
        if let Some(Wire::Status(code, body)) = after.wire() {
            let mut response = content::failed(code, body.as_deref());
            response.extensions_mut().insert(settled);
            return Outcome::Delivered(response, answer);
        }
        // `upto` says how much was charged; everything else charges what was verified.
        let charged = answer.amount.as_deref().and_then(|amount| amount.parse().ok());
        let amount = match charged {
            Some(charged) => approved.charge.asset_in_words().written(charged),
            None => facts.amount.clone().unwrap_or_default(),
        };
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
        let mut response = content::delivered(made, &receipt, sale.mode);
        for effect in before.effects() {
            if let Effect::Content(content) = effect {
                response = spoil(response, *content);
            }
        }
        response.extensions_mut().insert(settled);
        Outcome::Delivered(response, answer)
    }
}

/// Why the facilitator is asked once more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Pending,
    Redirected,
}

/// A settlement that the official server asks for once more.
fn is_pending(answer: &SettleResponse) -> bool {
    !answer.success && answer.error_reason.as_deref() == Some("settlement_pending") && !answer.transaction.is_empty()
}

/// Makes content worse.
fn spoil(response: Response, how: Content) -> Response {
    match how {
        Content::Empty => content::emptied(response),
        Content::Wrong => content::exchanged(response),
        Content::Cacheable => content::published(response),
    }
}

impl<'a> Sale<'a> {
    /// Says who buys what, before any event tells of the payment.
    pub fn meet(&self, payload: &PaymentPayload<'_>) {
        let name = Name::of(payload, self.visit.called.as_deref());
        self.meet_buyer(PaymentId::of(payload), name, said_payer(payload));
    }

    /// The same for the payment of an invoice, by a test account.
    pub fn meet_invoice(&self, payment: PaymentId, payer: &str) {
        // One account is one buyer, in whatever dialect it pays.
        let payer = accounts::find(payer).map_or(payer, |account| account.address);
        self.meet_buyer(payment, self.visit.called.as_deref().and_then(Name::of_header), Some(payer.into()));
    }

    fn meet_buyer(&self, payment: PaymentId, name: Option<Name<'_>>, payer: Option<Cow<'_, str>>) {
        let (method, target, body) = (self.visit.method.as_str(), self.visit.target(), self.visit.body);
        self.state.meet(payment, &Customer { name, payer, wanted: Wanted::Request { method, target, body } });
    }

    /// Records an event of this sale.
    pub fn record(&self, kind: Kind, payment: Option<PaymentId>, facts: Facts) {
        let Facts { method, path, dialect, simulated, .. } = self.facts();
        let facts = Facts { method, path, dialect, simulated, ..facts };
        self.state.record(kind, Door::Resources, payment, facts);
    }

    /// The facts about the request.
    pub fn facts(&self) -> Facts {
        Facts {
            method: Some(self.visit.method_text()),
            path: Some(self.visit.path.clone().into()),
            dialect: Some(self.dialect),
            simulated: self.mode.simulation(),
            ..Facts::default()
        }
    }

    /// What is seen of the request, without its payment.
    pub fn sight(&self) -> Sight<'a> {
        Sight { paid: true, ..self.visit.sight() }
    }

    /// Records that the payment header cannot be decoded.
    pub fn undecodable(&self, why: &str) {
        self.record(Kind::Undecodable, None, Facts { message: Some(why.to_owned()), ..Facts::default() });
    }
}
