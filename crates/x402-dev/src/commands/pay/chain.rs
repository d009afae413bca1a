//! Asking a chain what became of an authorization, by JSON-RPC. [`cluster`](super::cluster) has what Solana is asked.

use std::cell::RefCell;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Uri};
use serde::Serialize;
use serde_json::{Value, json};
use x402_sim::networks::eip155;
use x402_sim::networks::eip155::assets::v1_chain_id;
use x402_sim::{U256, hex};
use x402_wire::amount::parse_atomic;

use super::address;
use super::dial::Machines;
use super::exchange::{Call, Caller, Exchange, Silence};
use crate::journal::Authorized;

/// `authorizationState(address,bytes32)` of EIP-3009.
const AUTHORIZATION_STATE: &str = "e94a0102";

/// `nonceBitmap(address,uint256)` of Permit2.
const NONCE_BITMAP: &str = "4fe02b44";

/// The Permit2 contract, at the same address on every chain.
const PERMIT2: &str = "0x000000000022D473030F116dDEE9F6B43aC78BA3";

/// How long after its end an authorization is taken for dead, in seconds: clocks differ, and a chain may lose its last blocks.
pub const GRACE: u64 = 60;

/// How often a chain is asked anew because it has moved on between two questions.
const ATTEMPTS: u32 = 3;

/// What a chain says of an authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// What became of it.
    pub fate: Fate,
    /// The block that says so; on Solana, the last slot that is final.
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
    /// Its transaction is in a block for good, and has failed: nothing has moved, and nothing can any more.
    Failed,
    /// It is in no block, and its blockhash is too old for every block that can still come.
    Expired,
}

impl State {
    /// Whether an authorization can never be used any more, and was not.
    ///
    /// Source: `FiatTokenV2_2` (`now < validBefore`) and Permit2's `SignatureTransfer` (`block.timestamp > deadline` is too
    /// late): the deadline itself still counts.
    pub fn is_void(&self, paid: &Authorized) -> bool {
        match self.fate {
            Fate::Used => false,
            Fate::Cancelled | Fate::Failed | Fate::Expired => true,
            Fate::Unused => paid.valid_before.is_some_and(|until| {
                let last = if paid.instrument == "permit2" { until } else { until.saturating_sub(1) };
                self.time > last.saturating_add(GRACE)
            }),
        }
    }
}

/// A chain that can be asked.
#[derive(Debug)]
pub struct Chain<'a> {
    caller: &'a Caller,
    url: &'a Uri,
    asked: RefCell<Vec<Exchange>>,
}

/// Why a chain has given no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// Nothing has left this machine.
    #[error("{0}")]
    Unsent(String),
    /// It was asked, and there is no answer, or one that is none.
    #[error("{0}")]
    Silent(String),
    /// It says that it does not do it.
    #[error("{text}")]
    Said {
        /// What it says, behind the method.
        text: String,
        /// What it adds for programs.
        data: Value,
    },
}

impl<'a> Chain<'a> {
    /// The chain behind an endpoint.
    pub const fn new(caller: &'a Caller, url: &'a Uri) -> Self {
        Self { caller, url, asked: RefCell::new(Vec::new()) }
    }

    /// What was asked, and what was answered.
    pub fn into_exchanges(self) -> Vec<Exchange> {
        self.asked.into_inner()
    }
}

impl Chain<'_> {
    /// Asks what became of an authorization.
    pub async fn look(&self, paid: &Authorized) -> Result<State, String> {
        if let Some(transfer) = &paid.transfer {
            return self.look_for_transfer(transfer).await;
        }
        if paid.instrument == "solana" {
            return self.look_for_payment(paid).await;
        }
        let chain = eip155::chain_id(&paid.network).or_else(|| v1_chain_id(&paid.network));
        let chain = chain.ok_or_else(|| format!("{} has no JSON-RPC that is asked here", paid.network))?;
        let own = number(&self.ask("eth_chainId", json!([])).await?).ok_or("eth_chainId is no number")?;
        if own != chain {
            return Err(format!("it is the chain {own}, and the payment is on {chain}"));
        }
        let (contract, data) = question(paid)?;
        let mut attempt = 1;
        let (block, time, answer) = loop {
            let head = self.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
            let of = |key: &str| number(&head[key]).ok_or_else(|| format!("the latest block has no {key}"));
            let (block, time) = (of("number")?, of("timestamp")?);
            // In that very block: the answer of another one says nothing about its time.
            let call = json!([{ "to": contract, "data": data }, format!("{block:#x}")]);
            match self.ask("eth_call", call).await {
                Ok(answer) => break (block, time, answer),
                // Chains that keep the newest state alone have moved on.
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(why) => return Err(why),
            }
        };
        let word =
            answer.as_str().and_then(word).ok_or_else(|| format!("{contract} does not say what became of it"))?;
        let is_used = match paid.instrument.as_str() {
            "permit2" => word.bit(usize::from(nonce(paid)?.to_be_bytes::<32>()[31])),
            _ => !word.is_zero(),
        };
        let mut state = State { fate: Fate::Unused, block, time, transactions: Vec::new() };
        if is_used {
            state.fate = Fate::Used;
            self.find_transactions(paid, &mut state).await?;
        }
        Ok(state)
    }

    /// Asks a question. Why it is not answered, in words.
    pub(super) async fn ask(&self, method: &str, params: Value) -> Result<Value, String> {
        self.call(method, params).await.map_err(|why| why.to_string())
    }

    /// Asks a question.
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, NotAsked> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json.clone()), (header::ACCEPT, json)]);
        let call = Call { method: Method::POST, url: self.url.clone(), headers, body: Some(Bytes::from(body)) };
        let shown = address::shown_endpoint(self.url);
        let nobody = |cause: &std::io::Error| format!("{shown}: {cause}");
        let machines = Machines::of(self.url).await.map_err(|cause| NotAsked::Unsent(nobody(&cause)))?;
        let exchange = self.caller.send(&call, &machines).await;
        let said = match &exchange.outcome {
            Err(Silence::Unsent(cause)) => Err(NotAsked::Unsent(nobody(cause))),
            Err(Silence::Sent(cause)) => Err(NotAsked::Silent(nobody(cause))),
            Ok(answer) => serde_json::from_slice::<Value>(answer.body.head())
                .map_err(|_| NotAsked::Silent(format!("{shown} answers {} to {method}, and no JSON", answer.status))),
        };
        self.asked.borrow_mut().push(exchange);
        let mut said = said?;
        match said.get_mut("error").map(Value::take) {
            Some(error) if !error.is_null() => {
                let text = error["message"].as_str().unwrap_or("an error without a text");
                Err(NotAsked::Said { text: format!("{method}: {text}"), data: error["data"].clone() })
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
pub(super) fn nonce(paid: &Authorized) -> Result<U256, String> {
    let nonce = paid.nonce.as_deref().and_then(parse_atomic);
    nonce.ok_or_else(|| "its nonce is no number".to_owned())
}

/// An address as a word of a call.
pub(super) fn padded(address: &str) -> Result<String, String> {
    let address = eip155::parse_address(address).ok_or_else(|| format!("{address} is no address"))?;
    Ok(format!("{:0>64}", hex::encode(address)))
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn word(text: &str) -> Option<U256> {
    U256::from_str_radix(text.strip_prefix("0x").filter(|digits| digits.len() == 64)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(instrument: &str, until: u64) -> Authorized {
        serde_json::from_value(json!({
            "at": 1, "instrument": instrument, "network": "eip155:84532", "asset": "0xa", "from": "0xb", "to": "0xc",
            "amount": "1", "price": "1", "nonce": "1", "validBefore": until, "headers": [], "presented": 1, "answers": [],
            "transactions": [], "dead": null,
        }))
        .unwrap()
    }

    #[test]
    fn an_authorization_is_dead_a_minute_after_its_last_second() {
        let is_void = |instrument: &str, until: u64, time: u64| {
            State { fate: Fate::Unused, block: 1, time, transactions: Vec::new() }.is_void(&paid(instrument, until))
        };
        // EIP-3009 ends before its last second, Permit2 behind it.
        assert_eq!([1059, 1060, 1061].map(|time| is_void("eip3009", 1000, time)), [false, true, true]);
        assert_eq!([1059, 1060, 1061].map(|time| is_void("permit2", 1000, time)), [false, false, true]);
        // An authorization without an end that could come.
        assert!(!is_void("permit2", u64::MAX, u64::MAX));
    }
}
