//! The JSON-RPC methods of a Solana cluster: what its libraries ask of a node.
//!
//! | room | what it holds |
//! |---|---|
//! | [`params`] | parameters, read |
//! | [`account`] | accounts as a node shows them |
//! | [`balance`] | lamports and tokens |
//! | [`cluster`] | slots, blockhashes, fees, what the cluster is |
//! | [`send`] | `simulateTransaction`, `sendTransaction`, `requestAirdrop` |
//! | [`history`], [`shown`], [`past`] | statuses and transactions, rebuilt from the ledger's records |
//! | [`feed`] | `signatureSubscribe`, `slotSubscribe` |

use serde_json::{Value, json};

use super::blockhash;
use super::key::Key;
use super::runtime::Site;
use crate::World;
use crate::chain::Chain;
use crate::rpc::{Asked, METHOD_NOT_FOUND, RpcError};

use params::Params;

mod account;
mod balance;
mod cluster;
mod feed;
mod history;
mod params;
mod past;
mod send;
mod shown;

/// What a method may look at.
#[derive(Debug)]
struct Context<'a> {
    world: &'a World,
    chain: Chain,
    network: &'a str,
    /// Milliseconds of the world's clock.
    now: u64,
}

/// A method that changes nothing.
type View = fn(&Context<'_>, Params<'_>) -> Result<Value, RpcError>;

/// The methods that ask for accounts.
const ACCOUNTS: &[(&str, View)] = &[
    ("getAccountInfo", account::info),
    ("getMultipleAccounts", account::several),
    ("getBalance", balance::lamports),
    ("getTokenAccountBalance", balance::tokens),
    ("getTokenAccountsByOwner", balance::by_owner),
    ("getSignaturesForAddress", history::signatures),
];

/// Every other method that changes nothing.
const VIEWS: &[(&str, View)] = &[
    ("getTokenSupply", balance::supply),
    ("isBlockhashValid", cluster::is_blockhash_valid),
    ("getSlot", cluster::slot),
    ("getBlockHeight", cluster::slot),
    ("getBlockTime", cluster::block_time),
    ("getEpochInfo", cluster::epoch),
    ("getGenesisHash", cluster::genesis),
    ("getVersion", cluster::version),
    ("getHealth", |_, _| Ok(json!("ok"))),
    ("getTransactionCount", |context, _| Ok(json!(context.world.ledger().len()))),
    ("getMinimumBalanceForRentExemption", cluster::rent),
    ("getFeeForMessage", cluster::fee),
    ("getSignatureStatuses", history::statuses),
    ("getTransaction", history::transaction),
];

/// Answers a call, at a time in milliseconds of the world's clock.
///
/// # Errors
///
/// What the method says.
pub fn call(world: &mut World, network: &str, method: &str, params: &Value, now: u64) -> Result<Value, RpcError> {
    let view = |world: &World, view: View, params| view(&Context { world, chain: world.chain(), network, now }, params);
    if let Some((_, own)) = VIEWS.iter().find(|(name, _)| *name == method) {
        return view(world, *own, Params::of(params)?);
    }
    if let Some((_, own)) = ACCOUNTS.iter().find(|(name, _)| *name == method) {
        let params = Params::of(params)?;
        let answer = view(world, *own, params)?;
        // Owners whom a good question names are remembered, so that their token accounts can be asked for by address, in
        // the same question too.
        let met = match method {
            "getTokenAccountsByOwner" => world.meet_owner(network, params.key(0)?),
            _ => world.meet_owners(network, params.owners()),
        };
        return if met { view(world, *own, params) } else { Ok(answer) };
    }
    match method {
        "getLatestBlockhash" => cluster::latest_blockhash(world, network, now),
        "simulateTransaction" => send::simulate(world, network, Params::of(params)?, now),
        "sendTransaction" => send::send(world, network, Params::of(params)?, now),
        "requestAirdrop" => send::airdrop(world, network, Params::of(params)?, now),
        _ if method.ends_with("Subscribe") || method.ends_with("Unsubscribe") => Err(RpcError::new(
            METHOD_NOT_FOUND,
            format!("the method {} needs a WebSocket: connect to this same path with ws://", shorten(method)),
        )),
        _ => Err(RpcError::method_not_found(method)),
    }
}

/// What a message on a socket asks for.
///
/// # Errors
///
/// A subscription that does not exist.
pub fn subscription(world: &World, network: &str, method: &str, params: &Value, now: u64) -> Result<Asked, RpcError> {
    match method {
        "signatureSubscribe" => feed::signature(network, Params::of(params)?).map(Asked::Subscribe),
        "slotSubscribe" => Ok(Asked::Subscribe(feed::slots(world, now))),
        "signatureUnsubscribe" | "slotUnsubscribe" => Params::of(params)?.number(0).map(Asked::Unsubscribe),
        _ if method.ends_with("Subscribe") || method.ends_with("Unsubscribe") => Err(RpcError::new(
            METHOD_NOT_FOUND,
            format!("of subscriptions signatureSubscribe and slotSubscribe are played, and {} is not", shorten(method)),
        )),
        _ => Ok(Asked::Call),
    }
}

impl Context<'_> {
    /// The chain as a transaction would meet it.
    fn site(&self) -> Site<'_> {
        Site {
            catalog: &self.chain.catalog,
            view: &self.chain.view,
            network: self.network,
            now: self.now,
            directory: self.world.directory(),
        }
    }

    /// A value with the slot in which it was so.
    fn at(&self, value: &Value) -> Value {
        in_context(self.now, value)
    }
}

/// A value with the slot in which it was so.
fn in_context(now: u64, value: &Value) -> Value {
    json!({ "context": { "apiVersion": cluster::VERSION, "slot": blockhash::slot(now) }, "value": value })
}

/// A key as text, in JSON.
fn text(key: Key) -> Value {
    json!(key.to_string())
}

fn shorten(text: &str) -> String {
    x402_wire::shape::shorten(text)
}
