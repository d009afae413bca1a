//! The chains' own doors: a JSON-RPC call of a network, answered from the world.
//!
//! A family answers with a pure function over the world ([`call`]), and with feeds for those who subscribe: a feed keeps
//! its own place, and is asked for what is new. Frames, batches and sockets are not its business.

use std::fmt;

use serde_json::Value;

use crate::World;
use crate::fault::effect::ChainTrouble;
use crate::fault::{Effect, Played, Stage};
use crate::registry::{FAMILIES, Family, Version};
use crate::world::Commitment;

/// A method that nobody has.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters that cannot be read.
pub const INVALID_PARAMS: i64 = -32602;
/// Something that a node refuses.
pub const REFUSED: i64 = -32000;

/// The error of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// Its number.
    pub code: i64,
    /// What is wrong.
    pub message: String,
    /// What belongs to it.
    pub data: Option<Value>,
}

impl RpcError {
    /// An error with a code.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Something that a node refuses.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(REFUSED, message)
    }

    /// Parameters that cannot be read.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message)
    }

    /// A method that nobody has.
    pub fn method_not_found(method: &str) -> Self {
        let method = x402_wire::shape::shorten(method);
        Self::new(METHOD_NOT_FOUND, format!("the method {method} does not exist/is not available"))
    }

    /// The same, with what belongs to it.
    pub fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }
}

/// What a message on a socket asks for.
#[derive(Debug)]
pub enum Asked {
    /// To be told of what happens.
    Subscribe(Box<dyn Feed>),
    /// To be told no longer: the number of a subscription.
    Unsubscribe(u64),
    /// Neither: an ordinary call.
    Call,
}

/// What somebody has subscribed to. It keeps its own place in the world's history.
pub trait Feed: fmt::Debug + Send + Sync {
    /// The method of its messages: `eth_subscription`.
    fn notification(&self) -> &'static str;

    /// What is new since it was last asked, at a time in milliseconds of the world's clock.
    fn pull(&mut self, world: &World, now: u64) -> Pulled;

    /// When to ask again though no event came, in milliseconds of the world's clock.
    fn wake_at(&self, _world: &World, _now: u64) -> Option<u64> {
        None
    }
}

/// What is new in a feed.
#[derive(Debug, Default)]
pub struct Pulled {
    /// The results to be told, in their order.
    pub results: Vec<Value>,
    /// Whether there is nothing more to come.
    pub ended: bool,
}

/// The stage of the table of faults at which a method is played.
pub fn stage_of(method: &str) -> Stage {
    if FAMILIES.iter().any(|row| row.rpc.sending.contains(&method)) { Stage::Settle } else { Stage::Call }
}

/// Whether a method says where a chain stands.
fn says_progress(method: &str) -> bool {
    FAMILIES.iter().any(|row| row.rpc.progress.contains(&method))
}

/// Answers a call at which faults are played: a refusal, or trouble of the chain itself. Delays, and what becomes of the
/// answer on its way, are for the door.
///
/// # Errors
///
/// As [`call`], and what a fault says.
pub fn call_played(
    world: &mut World,
    network: &str,
    (method, params): (&str, &Value),
    played: &[Played],
    now: u64,
) -> Result<Value, RpcError> {
    let effects = || played.iter().map(|played| (played.id.map_or(0, |id| id.0), played.effect()));
    for (_, effect) in effects() {
        match effect {
            Effect::Refuse(reason, message) => {
                let text = message.as_ref().map_or_else(|| reason.clone(), |message| format!("{reason}: {message}"));
                return Err(RpcError::refused(text));
            }
            Effect::Chain(ChainTrouble::NonceTooLow) if stage_of(method) == Stage::Settle => {
                return Err(RpcError::refused("nonce too low: a transaction with this nonce was made meanwhile"));
            }
            Effect::Chain(ChainTrouble::StaleBlockhash) if stage_of(method) == Stage::Settle => {
                return Err(RpcError::new(-32002, "Transaction simulation failed: Blockhash not found"));
            }
            Effect::Chain(ChainTrouble::Dropped) => return dropped(world, network, (method, params), now),
            _ => {}
        }
    }
    let before = world.ledger().len();
    let mut answer = call(world, network, method, params, now)?;
    for (fault, effect) in effects() {
        match effect {
            Effect::Chain(ChainTrouble::NoReceipt) => hide(world, &answer),
            Effect::Ledger(Commitment::Undone(wait)) if world.ledger().len() > before => {
                world.undo_later(before, *wait, now);
            }
            Effect::Chain(ChainTrouble::Stalled) if says_progress(method) => {
                answer = world.stalled((fault, network), now, |world, at| call(world, network, method, params, at))?;
            }
            Effect::Chain(ChainTrouble::StaleBlockhash) => age(&mut answer),
            _ => {}
        }
    }
    Ok(answer)
}

/// A transaction that is taken and never seen again: on a copy of the state it is what it would have been.
fn dropped(world: &mut World, network: &str, (method, params): (&str, &Value), now: u64) -> Result<Value, RpcError> {
    world.pretend(|world| call(world, network, method, params, now))
}

/// Hides the receipt of the transaction that an answer names.
fn hide(world: &mut World, answer: &Value) {
    let Some(name) = answer.as_str() else { return };
    if let Ok(hash) = name.parse() {
        world.hide_receipt(hash);
    } else if let Ok(signature) = bs58::decode(name).into_vec()
        && let Some(first) = signature.first_chunk::<32>()
    {
        world.hide_receipt(first.into());
    }
}

/// Puts an old blockhash into the answer of `getLatestBlockhash`: one that no transaction may name.
fn age(answer: &mut Value) {
    if let Some(hash) = answer.pointer_mut("/value/blockhash") {
        let old = alloy_primitives::keccak256(hash.to_string());
        *hash = Value::String(bs58::encode(old).into_string());
    }
}

/// Answers a call of an enabled network, at a time in milliseconds of the world's clock.
///
/// # Errors
///
/// What the method says, or that there is no such network.
pub fn call(world: &mut World, network: &str, method: &str, params: &Value, now: u64) -> Result<Value, RpcError> {
    (family(world, network)?.row().rpc.call)(world, network, method, params, now)
}

/// What a message on a socket asks for.
///
/// # Errors
///
/// A subscription that does not exist.
pub fn subscription(world: &World, network: &str, method: &str, params: &Value, now: u64) -> Result<Asked, RpcError> {
    (family(world, network)?.row().rpc.subscription)(world, network, method, params, now)
}

/// How a family writes the number of a subscription.
pub fn subscription_id(network: &str, number: u64) -> Value {
    Family::of(network).map_or_else(|| Value::from(number), |family| (family.row().rpc.number)(number))
}

/// The family of an enabled network.
///
/// # Errors
///
/// That there is no such network, and which there are.
pub fn family(world: &World, network: &str) -> Result<Family, RpcError> {
    let catalog = world.catalog();
    catalog.network(Version::V2, network).map(|network| network.family).ok_or_else(|| {
        let enabled: Vec<_> = catalog.networks().iter().map(|network| network.id.as_str()).collect();
        let (network, enabled) = (x402_wire::shape::shorten(network), enabled.join(", "));
        RpcError::refused(format!("network \"{network}\" is not enabled here; enabled are {enabled}"))
    })
}
