//! What goes wrong on purpose at the door of a chain.

use serde_json::Value;
use x402_sim::event::{Door, Facts};
use x402_sim::fault::effect::Wire;
use x402_sim::fault::{Effect, Fault, Sight, Stage, Timing};
use x402_sim::rpc::{self, RpcError};

use super::frame::Call;
use crate::doors::fault::Script;
use crate::doors::fault::script::Cues;
use crate::doors::fault::wire::needs_answer;
use crate::state::State;

/// What came of a call, and what becomes of the answer that carries it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What the chain says.
    pub(super) said: Result<Value, RpcError>,
    /// What becomes of the answer, and when that begins in milliseconds of the world's clock.
    pub(super) spoilt: Option<(Wire, u64)>,
    /// Whether scripts of other origins cannot read it.
    pub(super) cors_missing: bool,
}

/// Calls a chain, with the faults that are played meanwhile.
pub(super) async fn call(state: &State, network: &str, call: &Call, wanted: &[Fault]) -> Outcome {
    let Call { method, params } = call;
    let script = Script::new(state, Door::Rpc, wanted);
    if script.is_idle() {
        let said = state.call_chain(network, method, params);
        return Outcome { said, spoilt: None, cors_missing: false };
    }
    let step = rpc::stage_of(method);
    let view = Sight { method: Some(method), network: Some(network), paid: true, ..Sight::default() };
    // The method may be the client's own text: it is not told.
    let facts = Facts { network: Some(x402_wire::shape::shorten(network)), ..Facts::default() };
    let play = |timing| script.play((step, timing), &view, None, &facts);
    let before = play(Timing::Before);
    before.delay(state).await;
    if let Some(wire) = before.wire() {
        // Before anything is sent: nothing is. What is only asked can be answered, and mangled.
        let said = if step == Stage::Call && needs_answer(&wire) {
            state.call_chain(network, method, params)
        } else {
            Err(RpcError::refused("a fault was played: nothing was sent"))
        };
        return Outcome {
            said,
            spoilt: Some((wire, before.over_at())),
            cors_missing: before.has(&Effect::CorsMissing),
        };
    }
    let said = state.act(|world, now| rpc::call_played(world, network, (method, params), before.played(), now));
    let after = if said.is_ok() && step == Stage::Settle { play(Timing::After) } else { Cues::default() };
    after.delay(state).await;
    let said = match after.refusal() {
        Some((reason, _)) => Err(RpcError::refused(reason)),
        None => said,
    };
    let spoilt = after.wire().map(|wire| (wire, after.over_at()));
    Outcome { said, spoilt, cors_missing: before.has(&Effect::CorsMissing) }
}
