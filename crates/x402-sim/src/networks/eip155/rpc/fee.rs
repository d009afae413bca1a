//! What gas costs. It never changes, and nobody is charged.

use serde_json::{Value, json};

use super::block::Wanted;
use super::params::{quantity, wrong};
use super::{Context, Params};
use crate::rpc::RpcError;

/// The base fee of every block, in wei: 0.01 gwei, as on a quiet layer 2.
pub(super) const BASE_FEE: u64 = 10_000_000;

/// The tip that is recommended, in wei.
pub(super) const TIP: u64 = 1_000_000;

/// How many blocks one answer tells of.
const BLOCKS: u64 = 1_024;

/// How many percentiles one question may name.
const PERCENTILES: usize = 100;

/// What a transaction without data costs; then each byte, and what an access list names.
const TRANSACTION: u64 = 21_000;
const ZERO_BYTE: u64 = 4;
const OTHER_BYTE: u64 = 16;
const LISTED_ADDRESS: u64 = 2_400;
const LISTED_KEY: u64 = 1_900;

/// How much gas a transaction costs before it does anything.
pub(super) fn intrinsic(input: &[u8], addresses: usize, keys: usize) -> u64 {
    let bytes: u64 = input.iter().map(|byte| if *byte == 0 { ZERO_BYTE } else { OTHER_BYTE }).sum();
    TRANSACTION + bytes + LISTED_ADDRESS * addresses as u64 + LISTED_KEY * keys as u64
}

/// Reads a list of percentiles: how many there are. A node's rules and words. Source: geth `eth/gasprice/feehistory.go`.
fn percentiles(asked: &Value) -> Result<usize, RpcError> {
    let Value::Array(list) = asked else { return Err(wrong(2, "expected a list of percentiles")) };
    let refuse = |what: String| Err(RpcError::refused(format!("invalid reward percentile: {what}")));
    if list.len() > PERCENTILES {
        return refuse(format!("over the query limit {PERCENTILES}"));
    }
    let mut before: Option<f64> = None;
    for (place, value) in list.iter().enumerate() {
        let Some(value) = value.as_f64() else { return Err(wrong(2, "expected a list of percentiles")) };
        if !(0.0..=100.0).contains(&value) {
            return refuse(format!("{value:.6}"));
        }
        if let Some(before) = before.filter(|before| value <= *before) {
            return refuse(format!("#{}:{before:.6} >= #{place}:{value:.6}", place - 1));
        }
        before = Some(value);
    }
    Ok(list.len())
}

/// `eth_feeHistory`.
pub(super) fn history(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let count = params.quantity(0)?.min(BLOCKS);
    let newest = context.number(Wanted::read(params, 1)?).ok_or_else(|| RpcError::refused("header not found"))?;
    let percentiles = params.get(2).map(percentiles).transpose()?;
    let count = count.min(newest + 1);
    let places = usize::try_from(count).unwrap_or(0);
    let mut answer = json!({
        "oldestBlock": quantity(newest + 1 - count),
        "baseFeePerGas": vec![quantity(BASE_FEE); places + 1],
        "gasUsedRatio": vec![0.0; places],
        "baseFeePerBlobGas": vec![quantity(0); places + 1],
        "blobGasUsedRatio": vec![0.0; places],
    });
    if let Some(percentiles) = percentiles {
        answer["reward"] = json!(vec![vec![quantity(TIP); percentiles]; places]);
    }
    Ok(answer)
}
