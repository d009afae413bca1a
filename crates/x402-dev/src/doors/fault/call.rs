//! What a resource server hears of the facilitator in its own process: what it would hear of one over HTTP.

use serde_json::Value;
use x402_sim::fault::effect::Wire;
use x402_sim::merchant::hearing::{Broken, Outcome, PATIENCE};

use super::wire::{self, GATEWAY_TIMEOUT, RATE_LIMITED};
use crate::state::State;

/// How often an HTTP client follows redirects.
pub const REDIRECTS: usize = 20;

/// What comes of a call whose answer meets a fault, at a time in milliseconds of the world's clock. Waits as long as the
/// caller would.
pub async fn outcome(state: &State, answer: Value, fault: Option<&Wire>, at: u64) -> Outcome {
    let Some(fault) = fault else { return Outcome::Answer(answer) };
    match fault {
        Wire::Hang => {
            state.wait_until(at.saturating_add(PATIENCE)).await;
            Outcome::Timeout
        }
        Wire::Timeout(wait) => {
            state.wait_until(at.saturating_add(wire::gateway_patience(state, *wait))).await;
            Outcome::Status(504, GATEWAY_TIMEOUT.to_owned())
        }
        Wire::Status(code, body) => Outcome::Status(*code, body.clone().unwrap_or_default()),
        Wire::RateLimited(_) => Outcome::Status(429, RATE_LIMITED.to_owned()),
        Wire::Redirect(_) => Outcome::Redirect,
        Wire::Html(code) => Outcome::Status(*code, wire::page().to_owned()),
        Wire::MalformedJson => {
            let mut text = answer.to_string();
            text.pop();
            Outcome::Garbage(text)
        }
        Wire::Truncated | Wire::WrongLength | Wire::ResetWithin => Outcome::Reset(Broken::Within),
        Wire::ResetBefore => Outcome::Reset(Broken::Before),
        Wire::WrongType | Wire::ResetAfter => Outcome::Answer(answer),
    }
}
