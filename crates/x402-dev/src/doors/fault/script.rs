//! The faults of one request.

use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use http::{HeaderMap, HeaderName, StatusCode};
use x402_sim::event::{Door, Facts, PaymentId};
use x402_sim::facilitator::said_account;
use x402_sim::fault::effect::{Forge, Meanwhile, Wire};
use x402_sim::fault::{Effect, Fault, Played, Sight, Stage, Timing, ask, temper};
use x402_sim::ledger::Account;
use x402_sim::world::faults::Point;
use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::json::Json;

use crate::doors::answer::refuse;
use crate::state::{Peer, State};

/// The header by which one request asks for faults.
pub static FAULT_HEADER: HeaderName = HeaderName::from_static("x-402-dev-fault");

/// The faults of one request at one door.
#[derive(Debug)]
pub struct Script<'a> {
    /// The state of the server.
    pub state: &'a State,
    /// The door.
    pub door: Door,
    /// What the request asks for itself.
    pub asked: &'a [Fault],
    /// What was played that may refuse a payment, a sentence each.
    refusing: Mutex<Vec<String>>,
}

/// What the faults of a place say, each thing once: the first says it.
#[derive(Clone, Debug, Default)]
pub struct Cues {
    played: Vec<Played>,
    /// When they were played, in milliseconds of the world's clock. Whoever sees the event may move the clock at once.
    at: u64,
}

/// The faults that a request of a peer asks for, or the refusal of unknown ones.
pub fn asked(state: &State, peer: Peer, headers: &HeaderMap) -> Result<Vec<Fault>, Box<Response>> {
    let Some(value) = headers.get(&FAULT_HEADER) else { return Ok(Vec::new()) };
    if !state.obeys_test_headers(peer) {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(value.as_bytes());
    ask::read(&text).map_err(|error| {
        Box::new(refuse(StatusCode::BAD_REQUEST, &format!("X-402-Dev-Fault: {error}{}", hint(error.hint.as_deref()))))
    })
}

fn hint(hint: Option<&str>) -> String {
    hint.filter(|hint| hint.starts_with("known")).map_or_else(String::new, |hint| format!("; {hint}"))
}

impl<'a> Script<'a> {
    /// The script of a request.
    pub const fn new(state: &'a State, door: Door, asked: &'a [Fault]) -> Self {
        Self { state, door, asked, refusing: Mutex::new(Vec::new()) }
    }

    /// Whether nothing can be played, so that nothing needs to be looked at.
    pub fn is_idle(&self) -> bool {
        self.asked.is_empty() && !self.state.is_armed()
    }

    /// The same at a settlement, where personas have a behaviour of their own.
    pub fn is_idle_for(&self, payer: Option<Account>) -> bool {
        self.is_idle() && !payer.is_some_and(|payer| temper::is_tempered(&payer))
    }

    /// Whether an effect may be played at all.
    pub fn knows(&self, effect: &Effect) -> bool {
        if self.is_idle() {
            return false;
        }
        let asked = self.asked.iter().any(|fault| fault.effect == *effect);
        asked || self.state.act(|world, _| world.faults().iter().any(|(_, slot)| slot.fault.effect == *effect))
    }

    /// Plays the faults of a place. Each is an event before it has any effect.
    pub fn play(
        &self,
        (stage, timing): (Stage, Timing),
        sight: &Sight<'_>,
        payment: Option<PaymentId>,
        facts: &Facts,
    ) -> Cues {
        if self.is_idle_for(sight.payer) {
            return Cues::default();
        }
        let point = Point { stage, timing, door: self.door };
        self.state.act(|world, now| {
            let played = world.play(point, sight, self.asked, (payment, facts), now);
            let refusing = played.iter().filter(|played| played.effect().may_refuse()).map(Played::sentence);
            self.refusing.lock().unwrap_or_else(PoisonError::into_inner).extend(refusing);
            Cues { played, at: now }
        })
    }

    /// What was played for this request that may refuse its payment: `fault f3 (broke): verify: refuse:no`.
    pub fn refusing(&self) -> Vec<String> {
        self.refusing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Cues {
    /// Whether nothing is played.
    pub fn is_empty(&self) -> bool {
        self.played.is_empty()
    }

    fn find<'a, T>(&'a self, what: impl Fn(&'a Effect) -> Option<T>) -> Option<T> {
        self.played.iter().find_map(|played| what(played.effect()))
    }

    /// When all delays are over, in milliseconds of the world's clock.
    pub fn over_at(&self) -> u64 {
        self.effects().fold(self.at, |at, effect| match effect {
            Effect::Delay(time) => at.saturating_add(*time),
            _ => at,
        })
    }

    /// Waits for all delays.
    pub async fn delay(&self, state: &State) {
        let over_at = self.over_at();
        if over_at > self.at {
            state.wait_until(over_at).await;
        }
    }

    /// The reason of a refusal, and its message.
    pub fn refusal(&self) -> Option<(String, Option<String>)> {
        self.find(|effect| match effect {
            Effect::Refuse(reason, message) => Some((reason.clone(), message.clone())),
            _ => None,
        })
    }

    /// What becomes of the answer on its way.
    pub fn wire(&self) -> Option<Wire> {
        self.find(|effect| match effect {
            Effect::Wire(wire) => Some(wire.clone()),
            _ => None,
        })
    }

    /// What the answer says wrong.
    pub fn forges(&self) -> Vec<Forge> {
        let forged = |played: &Played| match played.effect() {
            Effect::Forge(forge) => Some(*forge),
            _ => None,
        };
        self.played.iter().filter_map(forged).collect()
    }

    /// What happens between verify and settle.
    pub fn meanwhile(&self) -> impl Iterator<Item = Meanwhile> {
        self.played.iter().filter_map(|played| match played.effect() {
            Effect::Meanwhile(meanwhile) => Some(*meanwhile),
            _ => None,
        })
    }

    /// Whether an effect is among them.
    pub fn has(&self, wanted: &Effect) -> bool {
        self.played.iter().any(|played| played.effect() == wanted)
    }

    /// Everything that is played.
    pub fn played(&self) -> &[Played] {
        &self.played
    }

    /// Every effect.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.played.iter().map(Played::effect)
    }
}

/// What is seen of a request to a facilitator.
pub fn sight_of<'a>(request: &'a FacilitatorRequest<'_>) -> Sight<'a> {
    let payload = request.payload.value();
    let text = |key: &str| request.requirements.get(key).and_then(Json::as_str);
    let url = payload.get("resource").and_then(|resource| resource.get("url")).and_then(Json::as_str);
    Sight {
        path: url.or_else(|| text("resource")).and_then(path_of),
        payer: said_account(&request.payload),
        network: text("network"),
        scheme: text("scheme"),
        version: request.payload.version().and_then(|version| u8::try_from(version).ok()),
        paid: true,
        ..Sight::default()
    }
}

/// The path of an address, without its query.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split(['?', '#']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_address_is_what_routes_are_compared_with() {
        for (url, path) in [
            ("http://a.test/b/c?d=e", Some("/b/c")),
            ("https://a.test", Some("/")),
            ("http://a.test/b#c", Some("/b")),
            ("/b", None),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
