//! The JSON-RPC methods of an `eip155` chain: what Ethereum's libraries ask of a node.
//!
//! | room | what it holds |
//! |---|---|
//! | [`params`] | parameters, read; numbers and bytes, written |
//! | [`block`] | blocks and their headers |
//! | [`fee`] | what gas costs |
//! | [`execute`] | `eth_call`, `eth_estimateGas` |
//! | [`send`] | `eth_sendRawTransaction` |
//! | [`transaction`] | transactions and receipts, rebuilt from the ledger's records |
//! | [`logs`] | `eth_getLogs` |
//! | [`feed`] | `eth_subscribe` |

use alloy_primitives::{Address, U256, keccak256};
use serde_json::{Value, json};

use crate::World;
use crate::ledger::{Call, Record};
use crate::networks::eip155::chain::{Code, code_at};
use crate::networks::eip155::chain_id;
use crate::networks::eip155::contracts;
use crate::rpc::{Asked, METHOD_NOT_FOUND, RpcError};

use block::Wanted;
use params::{Params, data, quantity, wrong};

mod block;
mod execute;
mod fee;
mod feed;
mod logs;
mod params;
mod send;
mod transaction;

/// What the chain calls itself.
const CLIENT: &str = concat!("x402-dev/v", env!("CARGO_PKG_VERSION"));

/// The bytes that stand for the code of a contract: nothing here runs them.
const CODE: &str = "0xfe";

/// What a method may look at.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    world: &'a World,
    network: &'a str,
    chain_id: u64,
    /// Milliseconds of the world's clock.
    now: u64,
}

/// A method that changes nothing.
type View = fn(&Context<'_>, Params<'_>) -> Result<Value, RpcError>;

/// Every method that changes nothing.
const VIEWS: &[(&str, View)] = &[
    ("eth_call", execute::call),
    ("eth_estimateGas", execute::estimate),
    ("eth_chainId", |context, _| Ok(quantity(context.chain_id))),
    ("eth_blockNumber", |context, _| Ok(quantity(context.height()))),
    ("eth_getCode", code),
    ("eth_getBalance", balance),
    ("eth_getTransactionCount", count),
    ("eth_getTransactionReceipt", transaction::receipt),
    ("eth_getTransactionByHash", transaction::by_hash),
    ("eth_getBlockByNumber", block_by),
    ("eth_getBlockByHash", block_by),
    ("eth_gasPrice", |_, _| Ok(quantity(fee::BASE_FEE + fee::TIP))),
    ("eth_maxPriorityFeePerGas", |_, _| Ok(quantity(fee::TIP))),
    ("eth_feeHistory", fee::history),
    ("eth_getLogs", logs::get),
    ("eth_getBlockReceipts", transaction::of_block),
    ("eth_getBlockTransactionCountByNumber", transactions_in),
    ("eth_getBlockTransactionCountByHash", transactions_in),
    ("eth_getTransactionByBlockNumberAndIndex", transaction::by_place),
    ("eth_getTransactionByBlockHashAndIndex", transaction::by_place),
    ("eth_accounts", |_, _| Ok(json!([]))),
    ("eth_syncing", |_, _| Ok(json!(false))),
    ("net_version", |context, _| Ok(json!(context.chain_id.to_string()))),
    ("net_listening", |_, _| Ok(json!(true))),
    ("web3_clientVersion", |_, _| Ok(json!(CLIENT))),
    ("web3_sha3", |_, params| Ok(data(keccak256(params.bytes(0)?)))),
];

/// Answers a call, at a time in milliseconds of the world's clock.
///
/// # Errors
///
/// What the method says.
pub fn call(world: &mut World, network: &str, method: &str, params: &Value, now: u64) -> Result<Value, RpcError> {
    let chain_id = chain_id(network).ok_or_else(|| RpcError::refused(format!("{network} has no chain id")))?;
    if let Some((_, view)) = VIEWS.iter().find(|(name, _)| *name == method) {
        return view(&Context { world, network, chain_id, now }, Params::of(params)?);
    }
    match method {
        "eth_sendRawTransaction" => send::raw(world, (network, chain_id), Params::of(params)?, now),
        "eth_subscribe" | "eth_unsubscribe" => Err(RpcError::new(
            METHOD_NOT_FOUND,
            format!("the method {method} needs a WebSocket: connect to this same path with ws://"),
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
    let chain_id = chain_id(network).ok_or_else(|| RpcError::refused(format!("{network} has no chain id")))?;
    match method {
        "eth_subscribe" => {
            let context = Context { world, network, chain_id, now };
            feed::subscribe(&context, Params::of(params)?).map(Asked::Subscribe)
        }
        "eth_unsubscribe" => Params::of(params)?.quantity(0).map(Asked::Unsubscribe),
        _ => Ok(Asked::Call),
    }
}

impl Context<'_> {
    /// The chain of a record; `None` where it is of another family.
    fn chain_of(&self, record: &Record) -> Option<u64> {
        if let Record::Other(entry) = record
            && let Call::Raw { chain, .. } = entry.call
        {
            return Some(chain);
        }
        self.world.catalog().token_by_id(record.asset()).map(|token| token.chain_id)
    }

    /// What the native coins of an account show, in wei.
    fn coins(&self, address: Address) -> U256 {
        contracts::coins(
            (self.world.catalog(), self.network),
            self.world.book(),
            self.world.unknown_accounts(),
            address,
        )
    }
}

/// `eth_getCode`.
fn code(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    context.require_newest(params, 1)?;
    Ok(match code_at(context.world.catalog(), context.network, address) {
        Code::Nothing => json!("0x"),
        Code::Token(_) | Code::Other => json!(CODE),
    })
}

/// `eth_getBalance`.
fn balance(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    context.require_newest(params, 1)?;
    Ok(quantity(context.coins(address)))
}

/// `eth_getTransactionCount`.
fn count(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let address = params.address(0)?;
    context.require_newest(params, 1)?;
    Ok(quantity(u64::from(context.world.ledger().sequence(context.chain_id, address.into()))))
}

/// `eth_getBlockByNumber`, `eth_getBlockByHash`.
fn block_by(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let wanted = Wanted::of(params.required(0)?).map_err(|what| wrong(0, &what))?;
    context.block(wanted, params.flag(1)?)
}

/// `eth_getBlockTransactionCountByNumber`, `eth_getBlockTransactionCountByHash`.
fn transactions_in(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let wanted = Wanted::of(params.required(0)?).map_err(|what| wrong(0, &what))?;
    let number = context.number(wanted);
    Ok(number.map_or(Value::Null, |number| quantity(u64::from(context.in_block(number).is_some()))))
}

#[cfg(test)]
mod tests;
