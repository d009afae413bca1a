//! Which transactions used an authorization on an EVM chain, as far as its logs say.

use serde_json::{Value, json};
use x402_sim::hex;

use super::chain::{Chain, Fate, State, nonce, padded};
use crate::journal::Authorized;

/// The topic of `AuthorizationUsed(address,bytes32)`.
const USED: &str = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";

/// The topic of `AuthorizationCanceled(address,bytes32)`.
const CANCELED: &str = "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81";

/// The topic of `Transfer(address,address,uint256)`.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// How many blocks back the logs are searched: public endpoints refuse more.
const DEPTH: u64 = 2_000;

/// How many transactions are looked into.
const LOOKED: usize = 200;

impl Chain<'_> {
    /// Looks for the transactions that used an authorization. An endpoint that keeps no logs has told the state
    /// nevertheless.
    pub(super) async fn find_transactions(&self, paid: &Authorized, state: &mut State) -> Result<(), String> {
        if paid.instrument == "eip3009" { self.by_nonce(paid, state).await } else { self.by_permit(paid, state).await }
    }

    /// By the token's own event, which names the nonce.
    async fn by_nonce(&self, paid: &Authorized, state: &mut State) -> Result<(), String> {
        let nonce = paid.nonce.clone().unwrap_or_default();
        let topics = json!([[USED, CANCELED], format!("0x{}", padded(&paid.from)?), nonce]);
        let Some(logs) = self.logs(paid, state, &topics).await else { return Ok(()) };
        if logs.iter().any(|log| log["topics"][0] == CANCELED) {
            state.fate = Fate::Cancelled;
        }
        state.transactions = transactions(logs.iter().filter(|log| log["topics"][0] == USED));
        Ok(())
    }

    /// By the token's transfers from payer to payee. No event of Permit2 names the nonce; the call that used it does.
    async fn by_permit(&self, paid: &Authorized, state: &mut State) -> Result<(), String> {
        let topics = json!([TRANSFER, format!("0x{}", padded(&paid.from)?), format!("0x{}", padded(&paid.to)?)]);
        let Some(logs) = self.logs(paid, state, &topics).await else { return Ok(()) };
        let nonce = hex::encode(nonce(paid)?.to_be_bytes::<32>());
        for hash in transactions(logs.iter().rev()).into_iter().take(LOOKED) {
            let Ok(call) = self.ask("eth_getTransactionByHash", json!([hash])).await else { continue };
            if call["input"].as_str().is_some_and(|input| input.to_ascii_lowercase().contains(&nonce)) {
                state.transactions.insert(0, hash);
            }
        }
        Ok(())
    }

    async fn logs(&self, paid: &Authorized, state: &State, topics: &Value) -> Option<Vec<Value>> {
        let since = format!("{:#x}", state.block.saturating_sub(DEPTH));
        let filter = json!([{ "address": paid.asset, "fromBlock": since, "toBlock": format!("{:#x}", state.block),
            "topics": topics }]);
        self.ask("eth_getLogs", filter).await.ok()?.as_array().cloned()
    }
}

/// The transactions of logs, each once.
fn transactions<'a>(logs: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for hash in logs.filter_map(|log| log["transactionHash"].as_str()) {
        if !found.iter().any(|own| own == hash) {
            found.push(hash.to_owned());
        }
    }
    found
}
