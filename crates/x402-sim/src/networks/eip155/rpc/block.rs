//! Blocks: one for each transaction of the ledger, whatever its network; what is of another network is an empty block.
//!
//! No block is made by time alone. The newest state is the only one that is kept.

use alloy_primitives::{B256, keccak256};
use serde_json::{Value, json};

use super::fee::BASE_FEE;
use super::params::{self, data, kind, quantity, wrong};
use super::transaction;
use super::{Context, Params};
use crate::ledger::Record;
use crate::networks::eip155::contracts::{Block, GAS_LIMIT, Log};
use crate::rpc::RpcError;

/// The root of an empty trie, and the hash of an empty list of uncles.
const EMPTY_ROOT: &str = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
const NO_UNCLES: &str = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";

/// Which block somebody means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The newest, by whatever name.
    Latest,
    /// The one that comes next.
    Pending,
    /// By its number.
    Number(u64),
    /// By its hash.
    Hash(B256),
}

impl Wanted {
    /// Reads a parameter that names a block; nothing is the newest.
    pub(super) fn read(params: Params<'_>, index: usize) -> Result<Self, RpcError> {
        params.get(index).map_or(Ok(Self::Latest), |value| Self::of(value).map_err(|what| wrong(index, &what)))
    }

    /// Reads a value that names a block.
    pub(super) fn of(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => match text.as_str() {
                // Whatever is written here is final, as far as anybody can tell.
                "latest" | "safe" | "finalized" => Ok(Self::Latest),
                "pending" => Ok(Self::Pending),
                "earliest" => Ok(Self::Number(0)),
                _ if text.len() == 66 => params::word(value).map(Self::Hash),
                _ => params::number(value).map(Self::Number),
            },
            Value::Object(members) => match (members.get("blockHash"), members.get("blockNumber")) {
                (Some(hash), None) => params::word(hash).map(Self::Hash),
                (None, Some(number)) => Self::of(number),
                _ => Err("expected either blockHash or blockNumber".to_owned()),
            },
            Value::Number(_) => params::number(value).map(Self::Number),
            other => Err(format!("expected a block's number or name, got {}", kind(other))),
        }
    }
}

impl Context<'_> {
    /// The number of the newest block.
    pub(super) fn height(&self) -> u64 {
        self.world.ledger().len() as u64
    }

    /// The number of a block that exists, or comes next.
    pub(super) fn number(&self, wanted: Wanted) -> Option<u64> {
        let height = self.height();
        match wanted {
            Wanted::Latest => Some(height),
            Wanted::Pending => Some(height + 1),
            Wanted::Number(number) => Some(number).filter(|number| *number <= height),
            Wanted::Hash(hash) => {
                // A hash ends with the number of its block.
                let (_, last) = hash.0.split_last_chunk::<8>()?;
                let number = u64::from_be_bytes(*last);
                (number <= height && self.block_hash(number) == hash).then_some(number)
            }
        }
    }

    /// Refuses to look at another state than the newest.
    pub(super) fn require_newest(&self, params: Params<'_>, index: usize) -> Result<(), RpcError> {
        let number = self.number(Wanted::read(params, index)?);
        let number = number.ok_or_else(|| RpcError::refused("header not found"))?;
        if number >= self.height() {
            return Ok(());
        }
        let height = self.height();
        Err(RpcError::refused(format!(
            "the state at block {number} is not kept: this chain answers for the newest one, {height}"
        )))
    }

    /// The transaction in a block of this network, if it still counts.
    pub(super) fn in_block(&self, number: u64) -> Option<(u32, &Record)> {
        let place = u32::try_from(number.checked_sub(1)?).ok()?;
        let record = self.world.ledger().record(place)?;
        let own = self.chain_of(record) == Some(self.chain_id);
        (own && !self.world.ledger().is_undone(place)).then_some((place, record))
    }

    /// The hash of a block. It ends with its number; one whose transaction was undone has another hash.
    pub(super) fn block_hash(&self, number: u64) -> B256 {
        let mut seed = Vec::with_capacity(40);
        seed.extend_from_slice(b"x402-dev block");
        seed.extend_from_slice(&self.chain_id.to_be_bytes());
        seed.extend_from_slice(&number.to_be_bytes());
        if let Some((_, record)) = self.in_block(number) {
            seed.extend_from_slice(&record.at().to_be_bytes());
            seed.extend_from_slice(&record.from().0);
            seed.extend_from_slice(&record.sequence().to_be_bytes());
        }
        let mut hash = keccak256(seed);
        hash.0[24..].copy_from_slice(&number.to_be_bytes());
        hash
    }

    /// The time of a block in seconds. Before the first transaction, and for the block that comes next, it is now.
    pub(super) fn block_time(&self, number: u64) -> u64 {
        let place = number.checked_sub(1).and_then(|place| u32::try_from(place).ok());
        let record = place.and_then(|place| self.world.ledger().record(place));
        let first = || if number == 0 { self.world.ledger().record(0).map(Record::at) } else { None };
        record.map(Record::at).or_else(first).unwrap_or(self.now) / 1000
    }

    /// The block in which a call is executed: the one that comes next.
    pub(super) fn next_block(&self) -> Block {
        let number = self.height() + 1;
        Block { chain_id: self.chain_id, number, time: self.now / 1000, base_fee: BASE_FEE }
    }

    /// A block's header, as subscriptions tell it.
    pub(super) fn header(&self, number: u64) -> Value {
        // Neither a signature nor a recovery: whoever has subscribed is told of each block under the world's lock.
        match self.in_block(number) {
            Some((place, record)) => {
                let gas_used = self.gas_of(place, record).unwrap_or_default();
                self.header_with(number, &self.logs_of(place, record), gas_used)
            }
            None => self.header_with(number, &[], 0),
        }
    }

    fn header_with(&self, number: u64, logs: &[Log], gas_used: u64) -> Value {
        let parent = number.checked_sub(1).map_or(B256::ZERO, |parent| self.block_hash(parent));
        let pending = number > self.height();
        json!({
            "number": quantity(number),
            "hash": if pending { Value::Null } else { data(self.block_hash(number)) },
            "parentHash": data(parent),
            "nonce": "0x0000000000000000",
            "mixHash": data(B256::ZERO),
            "sha3Uncles": NO_UNCLES,
            "logsBloom": data(transaction::bloom(logs)),
            "transactionsRoot": EMPTY_ROOT,
            "stateRoot": EMPTY_ROOT,
            "receiptsRoot": EMPTY_ROOT,
            "miner": "0x0000000000000000000000000000000000000000",
            "difficulty": "0x0",
            "totalDifficulty": "0x0",
            "extraData": "0x",
            "size": "0x220",
            "gasLimit": quantity(GAS_LIMIT),
            "gasUsed": quantity(gas_used),
            "timestamp": quantity(self.block_time(number)),
            "baseFeePerGas": quantity(BASE_FEE),
        })
    }

    /// A block with its transactions, whole or by their hashes.
    pub(super) fn block(&self, wanted: Wanted, whole: bool) -> Result<Value, RpcError> {
        let Some(number) = self.number(wanted) else { return Ok(Value::Null) };
        let found = self.in_block(number);
        if let Some((place, record)) = found
            && self.gas_of(place, record).is_none()
        {
            return Err(transaction::gone(self.world.hash_of(place).unwrap_or_default()));
        }
        let mut block = self.header(number);
        block["transactions"] = match found {
            Some((place, record)) if whole => json!([self.render(&self.included(place, record)?)]),
            Some((place, _)) => self.world.hash_of(place).map(data).into_iter().collect(),
            None => json!([]),
        };
        block["uncles"] = json!([]);
        Ok(block)
    }
}
