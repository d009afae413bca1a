//! Asking a chain what became of an authorization, by JSON-RPC.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use serde_json::{Value, json};
use x402_sim::networks::eip155::assets::v1_chain_id;
use x402_sim::networks::{eip155, solana};
use x402_sim::{U256, hex};
use x402_wire::amount::parse_atomic;

use super::dial::Machines;
use super::exchange::{Call, Caller};
use crate::journal::Authorized;

/// `authorizationState(address,bytes32)` of EIP-3009.
const AUTHORIZATION_STATE: &str = "e94a0102";

/// `nonceBitmap(address,uint256)` of Permit2.
const NONCE_BITMAP: &str = "4fe02b44";

/// The Permit2 contract, at the same address on every chain.
const PERMIT2: &str = "0x000000000022D473030F116dDEE9F6B43aC78BA3";

/// The topic of `AuthorizationUsed(address,bytes32)`.
const USED: &str = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";

/// The topic of `AuthorizationCanceled(address,bytes32)`.
const CANCELED: &str = "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81";

/// How many blocks back the logs are searched: public endpoints refuse more.
const DEPTH: u64 = 2_000;

/// What a chain says of an authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// What became of it.
    pub fate: Fate,
    /// The block that says so.
    pub block: u64,
    /// The time of that block, in seconds since 1970.
    pub time: u64,
    /// The transactions that used it, as far as the logs say.
    pub transactions: Vec<String>,
}

/// What became of an authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It was used: the money has moved.
    Used,
    /// Its payer has cancelled it.
    Cancelled,
    /// It was not used up to this block.
    Unused,
}

impl State {
    /// Whether an authorization can never be used any more, and was not.
    pub fn is_void(&self, paid: &Authorized) -> bool {
        match self.fate {
            Fate::Used => false,
            Fate::Cancelled => true,
            Fate::Unused => paid.valid_before.is_some_and(|until| self.time >= until),
        }
    }
}

/// A chain that can be asked.
#[derive(Debug)]
pub struct Chain<'a> {
    /// Sends requests.
    pub caller: &'a Caller,
    /// Where.
    pub url: &'a Uri,
}

impl Chain<'_> {
    /// Asks what became of an authorization.
    pub async fn look(&self, paid: &Authorized) -> Result<State, String> {
        if paid.instrument == "solana" {
            return Err("transactions of Solana are not looked up".to_owned());
        }
        let chain = eip155::chain_id(&paid.network).or_else(|| v1_chain_id(&paid.network));
        let chain = chain.ok_or_else(|| format!("{} has no JSON-RPC that is asked here", paid.network))?;
        let own = number(&self.ask("eth_chainId", json!([])).await?).ok_or("eth_chainId is no number")?;
        if own != chain {
            return Err(format!("it is the chain {own}, and the payment is on {chain}"));
        }
        let head = self.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
        let of = |key: &str| number(&head[key]).ok_or_else(|| format!("the latest block has no {key}"));
        let (block, time) = (of("number")?, of("timestamp")?);
        let (contract, data) = question(paid)?;
        let answer = self.ask("eth_call", json!([{ "to": contract, "data": data }, "latest"])).await?;
        let word =
            answer.as_str().and_then(word).ok_or_else(|| format!("{contract} does not say what became of it"))?;
        let is_used = match paid.instrument.as_str() {
            "permit2" => word.bit(usize::from(nonce(paid)?.to_be_bytes::<32>()[31])),
            _ => !word.is_zero(),
        };
        let mut state = State { fate: Fate::Unused, block, time, transactions: Vec::new() };
        if is_used {
            state.fate = Fate::Used;
            if paid.instrument == "eip3009" {
                self.find(paid, &mut state).await?;
            }
        }
        Ok(state)
    }

    /// Looks for the transactions that used an authorization.
    async fn find(&self, paid: &Authorized, state: &mut State) -> Result<(), String> {
        let (from, nonce) = (padded(&paid.from)?, paid.nonce.clone().unwrap_or_default());
        let since = format!("0x{:x}", state.block.saturating_sub(DEPTH));
        let filter = json!([{ "address": paid.asset, "fromBlock": since, "toBlock": "latest",
            "topics": [[USED, CANCELED], format!("0x{from}"), nonce] }]);
        // An endpoint that keeps no logs has told the state nevertheless.
        let Ok(Value::Array(logs)) = self.ask("eth_getLogs", filter).await else { return Ok(()) };
        if logs.iter().any(|log| log["topics"][0] == CANCELED) {
            state.fate = Fate::Cancelled;
        }
        let used = logs.iter().filter(|log| log["topics"][0] == USED);
        for transaction in used.filter_map(|log| log["transactionHash"].as_str()) {
            if !state.transactions.iter().any(|own| own == transaction) {
                state.transactions.push(transaction.to_owned());
            }
        }
        Ok(())
    }

    /// A recent blockhash of a Solana cluster.
    pub async fn blockhash(&self) -> Result<[u8; 32], String> {
        let said = self.ask("getLatestBlockhash", json!([])).await?;
        let text = said["value"]["blockhash"].as_str();
        text.and_then(solana::parse_address).ok_or_else(|| "getLatestBlockhash gives no blockhash".to_owned())
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json.clone()), (header::ACCEPT, json)]);
        let call = Call { method: Method::POST, url: self.url.clone(), headers, body: Some(Bytes::from(body)) };
        let machines = Machines::of(self.url).await.map_err(|cause| format!("{}: {cause}", self.url))?;
        let answer = self.caller.send(&call, &machines).await.outcome;
        let answer = answer.map_err(|silence| format!("{}: {}", self.url, silence.cause()))?;
        let status = answer.status;
        let mut said: Value = serde_json::from_slice(answer.body.head())
            .map_err(|_| format!("{} answers {status} to {method}, and no JSON", self.url))?;
        match said.get("error") {
            Some(error) if !error.is_null() => {
                Err(format!("{method}: {}", error["message"].as_str().unwrap_or("an error without a text")))
            }
            _ => Ok(said["result"].take()),
        }
    }
}

/// Which contract is asked, and what.
fn question(paid: &Authorized) -> Result<(String, String), String> {
    let owner = padded(&paid.from)?;
    match paid.instrument.as_str() {
        "eip3009" => {
            let nonce =
                paid.nonce.as_deref().and_then(|nonce| nonce.strip_prefix("0x")).filter(|nonce| nonce.len() == 64);
            let nonce = nonce.ok_or("its nonce is not 32 bytes")?;
            Ok((paid.asset.clone(), format!("0x{AUTHORIZATION_STATE}{owner}{nonce}")))
        }
        "permit2" => {
            let word: U256 = nonce(paid)? >> 8;
            Ok((PERMIT2.to_owned(), format!("0x{NONCE_BITMAP}{owner}{}", hex::encode(word.to_be_bytes::<32>()))))
        }
        other => Err(format!("no chain is asked about a payment by {other}")),
    }
}

/// The nonce of Permit2: a number.
fn nonce(paid: &Authorized) -> Result<U256, String> {
    let nonce = paid.nonce.as_deref().and_then(parse_atomic);
    nonce.ok_or_else(|| "its nonce is no number".to_owned())
}

/// An address as a word of a call.
fn padded(address: &str) -> Result<String, String> {
    let address = eip155::parse_address(address).ok_or_else(|| format!("{address} is no address"))?;
    Ok(format!("{:0>64}", hex::encode(address)))
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn word(text: &str) -> Option<U256> {
    U256::from_str_radix(text.strip_prefix("0x").filter(|digits| digits.len() == 64)?, 16).ok()
}
