//! The offer in force for a request: that of the resource, or what faults make of it.

use axum::response::Response;
use http::header::HeaderName;
use x402_sim::event::Facts;
use x402_sim::fault::effect::Twist;
use x402_sim::fault::twist::twist;
use x402_sim::fault::{Effect, Sight, Stage, Timing};
use x402_wire::header::PAYMENT_REQUIRED;

use super::Visit;
use crate::catalogue::Item;
use crate::doors::cors::Missing;
use crate::doors::fault::script::{Cues, Script};
use crate::doors::fault::wire;
use crate::state::State;

/// The offer in force for a request.
#[derive(Debug)]
pub struct Offered<'a> {
    own: &'a Item,
    twisted: Option<Box<Item>>,
    cues: Cues,
}

impl<'a> Offered<'a> {
    /// What a request is offered; who brings a payment is compared with the same.
    pub fn of(script: &Script<'_>, own: &'a Item, visit: &Visit, paid: bool) -> Self {
        if script.is_idle() {
            return Self { own, twisted: None, cues: Cues::default() };
        }
        let (method, path) = (Some(visit.method_text()), Some(visit.path.clone().into()));
        let facts = Facts { method, path, ..Facts::default() };
        let sight = Sight { paid, ..visit.sight() };
        let cues = script.play((Stage::Offer, Timing::Before), &sight, None, &facts);
        let twists: Vec<Twist> = cues
            .effects()
            .filter_map(|effect| match effect {
                Effect::Twist(twist) => Some(*twist),
                _ => None,
            })
            .collect();
        let twisted = (!twists.is_empty()).then(|| {
            let (mut offer, mut description) = (own.offer.clone(), own.description.clone());
            for how in twists {
                twist(&mut offer, &mut description, how);
            }
            Box::new(own.offering(offer, description))
        });
        Self { own, twisted, cues }
    }

    /// The resource with its offer.
    pub fn item(&self) -> &Item {
        self.twisted.as_deref().unwrap_or(self.own)
    }

    /// Whether nothing goes wrong with the answer to a request without a payment.
    pub fn is_plain(&self) -> bool {
        self.cues.is_empty()
    }

    /// The answer to a request without a payment, after what goes wrong with it.
    pub async fn present(&self, state: &State, mut answer: Response, visit: &Visit) -> Response {
        self.cues.delay(state).await;
        if self.cues.has(&Effect::Twist(Twist::HeaderAbsent)) {
            answer.headers_mut().remove(HeaderName::from_static(PAYMENT_REQUIRED));
        }
        if let Some(how) = self.cues.wire() {
            answer = wire::spoil(state, answer, &how, &visit.path, self.cues.over_at()).await;
        }
        if self.cues.has(&Effect::CorsMissing) {
            answer.extensions_mut().insert(Missing);
        }
        answer
    }
}
