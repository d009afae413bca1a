//! Asking a Solana cluster: for a blockhash, what a transaction would do, and what became of it.
//!
//! A transaction is dead when no block that can still come takes it: the chain is final beyond the last height of its
//! blockhash, and was asked for the transaction after that.

use serde_json::{Value, json};
use x402_sim::networks::solana;
use x402_sim::networks::solana::assets::token_program;
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::transaction::Transaction;
use x402_sim::registry;

use super::chain::{Chain, Fate, GRACE, NotAsked, State};
use crate::journal::{Authorized, Transfer};

/// How long a blockhash lives at most, in seconds: 150 slots, which take 400 ms where nothing is slow.
const BLOCKHASH: u64 = 120;

/// How much older than the signature a transaction on the chain may be, in seconds: clocks differ.
const SKEW: u64 = 300;

/// How many of the payer's transactions are listed, and how many are looked into.
const LISTED: usize = 1_000;
const LOOKED: usize = 200;

/// What a cluster says of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Why it failed.
    pub error: Option<Value>,
    /// How sure its block is: `processed`, `confirmed`, `finalized`.
    pub commitment: String,
}

/// What became of a transaction that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Now,
    /// The chain has it.
    Before,
}

/// The end of what is final.
struct Head {
    slot: u64,
    height: u64,
    time: u64,
}

impl Chain<'_> {
    /// Whether this is the cluster with a CAIP-2 id: the id is the beginning of its first block's hash.
    pub async fn is_cluster(&self, id: &str) -> Result<(), String> {
        let genesis = self.ask("getGenesisHash", json!([])).await?;
        let genesis = genesis.as_str().ok_or("getGenesisHash gives no hash")?;
        let wanted = id.strip_prefix("solana:").unwrap_or(id);
        if genesis.starts_with(wanted) && !wanted.is_empty() {
            return Ok(());
        }
        let found: String = genesis.chars().take(32).collect();
        Err(format!("it is the cluster solana:{found}, and the payment is on {id}"))
    }

    /// A recent blockhash, and the last block height at which it is good.
    pub async fn blockhash(&self) -> Result<([u8; 32], u64), String> {
        let said = self.ask("getLatestBlockhash", json!([{ "commitment": "confirmed" }])).await?;
        let blockhash = said["value"]["blockhash"].as_str().and_then(solana::parse_address);
        let blockhash = blockhash.ok_or("getLatestBlockhash gives no blockhash")?;
        let last = said["value"]["lastValidBlockHeight"].as_u64();
        Ok((blockhash, last.ok_or("getLatestBlockhash gives no lastValidBlockHeight")?))
    }

    /// Plays a transaction that nobody has signed yet: why it would fail, if it would.
    pub async fn rehearse(&self, unsigned: &Transaction) -> Result<Option<String>, String> {
        let config = json!({ "encoding": "base64", "sigVerify": false, "commitment": "confirmed" });
        let said = self.ask("simulateTransaction", json!([unsigned.to_base64(), config])).await?;
        let error = &said["value"]["err"];
        if error.is_null() {
            return Ok(None);
        }
        let logs = said["value"]["logs"].as_array().into_iter().flatten();
        let last = logs.filter_map(Value::as_str).next_back().unwrap_or_default();
        Ok(Some(format!("{error}: {last}")))
    }

    /// Sends a transaction. That it is there already is no failure.
    pub async fn send(&self, transfer: &Transfer) -> Result<Sent, NotAsked> {
        let config = json!({ "encoding": "base64", "preflightCommitment": "confirmed" });
        match self.call("sendTransaction", json!([transfer.wire, config])).await {
            Err(NotAsked::Said { data, .. }) if data["err"] == "AlreadyProcessed" => Ok(Sent::Before),
            other => other.map(|_| Sent::Now),
        }
    }

    /// What a cluster says of a signature; `None` where it does not know it.
    pub async fn standing(&self, signature: &str) -> Result<Option<Standing>, NotAsked> {
        let config = json!({ "searchTransactionHistory": true });
        let said = self.call("getSignatureStatuses", json!([[signature], config])).await?;
        let strange = || NotAsked::Silent("getSignatureStatuses gives no list of one".to_owned());
        let status = said["value"].get(0).ok_or_else(strange)?;
        if status.is_null() {
            return Ok(None);
        }
        let commitment = status["confirmationStatus"].as_str().unwrap_or("processed").to_owned();
        let error = Some(status["err"].clone()).filter(|error| !error.is_null());
        Ok(Some(Standing { error, commitment }))
    }

    /// Whether the chain is final beyond a block height.
    pub async fn is_beyond(&self, height: u64) -> Result<bool, String> {
        Ok(self.final_head().await?.height > height)
    }

    /// What became of a transaction that its payer sends.
    pub async fn look_for_transfer(&self, transfer: &Transfer) -> Result<State, String> {
        self.is_cluster(&transfer.cluster).await?;
        // First the end of what is final, then the question: what came between the two is in the answer.
        let head = self.final_head().await?;
        let standing = self.standing(&transfer.signature).await.map_err(|why| why.to_string())?;
        let own = || vec![transfer.signature.clone()];
        let (fate, transactions) = match standing {
            Some(Standing { error: None, commitment }) if commitment != "processed" => (Fate::Used, own()),
            Some(Standing { error: Some(_), commitment }) if commitment == "finalized" => (Fate::Failed, Vec::new()),
            None if head.height > transfer.last_height => (Fate::Expired, Vec::new()),
            _ => (Fate::Unused, Vec::new()),
        };
        Ok(State { fate, block: head.slot, time: head.time, transactions })
    }

    /// What became of a payment whose transaction is completed by somebody else. Nobody but him knows its name, which is
    /// the fee payer's signature: it is found among the transactions of the payer's token account, by the bytes that the
    /// payer has signed.
    pub async fn look_for_payment(&self, paid: &Authorized) -> Result<State, String> {
        let network = registry::networks().into_iter().find(|network| network.is_called(&paid.network));
        self.is_cluster(&network.ok_or_else(|| format!("nobody knows the network {}", paid.network))?.id).await?;
        let own = paid.transaction().ok_or("its transaction is not in the journal any more")?;
        let head = self.final_head().await?;
        let blockhash = Key(own.message.blockhash).to_string();
        let config = json!({ "commitment": "finalized" });
        let valid = self.ask("isBlockhashValid", json!([blockhash, config])).await?["value"] == true;
        let (found, failed) = self.completed(paid, &own).await?;
        let old = head.time > paid.at.saturating_add(BLOCKHASH + GRACE);
        let fate = match found.is_empty() {
            false => Fate::Used,
            true if failed => Fate::Failed,
            true if old && !valid => Fate::Expired,
            true => Fate::Unused,
        };
        Ok(State { fate, block: head.slot, time: head.time, transactions: found })
    }

    /// The transactions that hold what was signed and have paid; and whether one has failed for good.
    async fn completed(&self, paid: &Authorized, own: &Transaction) -> Result<(Vec<String>, bool), String> {
        let parts = Key::parse(&paid.from).zip(Key::parse(&paid.asset));
        let (payer, mint) = parts.ok_or("its payer or asset is no address of Solana")?;
        let account = Key::token_account(payer, mint, token_program(&paid.asset)).to_string();
        let config = json!({ "limit": LISTED, "commitment": "confirmed" });
        let listed = self.ask("getSignaturesForAddress", json!([account, config])).await?;
        let listed = listed.as_array().ok_or("getSignaturesForAddress gives no list")?;
        let since = paid.at.saturating_sub(SKEW);
        let is_young = |entry: &&Value| entry["blockTime"].as_u64().is_none_or(|time| time >= since);
        let young: Vec<&Value> = listed.iter().filter(is_young).collect();
        if young.len() == LISTED {
            return Err(format!("{account} has more than {LISTED} transactions since then: too many to look through"));
        }
        let memos = own.message.memos();
        let says_so = |entry: &&Value| {
            // Nodes say `[length] text`, and our mock nothing.
            let memo = entry["memo"].as_str();
            memo.is_none_or(|memo| memos.iter().all(|own| memo.contains(own.as_str())))
        };
        let like: Vec<&Value> = young.into_iter().filter(says_so).collect();
        if like.len() > LOOKED {
            return Err(format!("{} transactions of {account} could be it: too many to look into", like.len()));
        }
        let (mut found, mut failed) = (Vec::new(), false);
        for entry in like {
            let Some(signature) = entry["signature"].as_str() else { continue };
            if self.wire(signature).await?.signed != own.signed {
                continue;
            }
            if entry["err"].is_null() {
                found.push(signature.to_owned());
            } else {
                failed |= entry["confirmationStatus"] == "finalized";
            }
        }
        Ok((found, failed))
    }

    /// A transaction of the chain.
    async fn wire(&self, signature: &str) -> Result<Transaction, String> {
        let config = json!({ "encoding": "base64", "maxSupportedTransactionVersion": 0, "commitment": "confirmed" });
        let said = self.ask("getTransaction", json!([signature, config])).await?;
        let text =
            said["transaction"][0].as_str().ok_or_else(|| format!("it does not show transaction {signature}"))?;
        Transaction::from_base64(text).map_err(|why| format!("transaction {signature}: {why}"))
    }

    async fn final_head(&self) -> Result<Head, String> {
        let said = self.ask("getEpochInfo", json!([{ "commitment": "finalized" }])).await?;
        let of = |key: &str| said[key].as_u64().ok_or_else(|| format!("getEpochInfo gives no {key}"));
        let (slot, height) = (of("absoluteSlot")?, of("blockHeight")?);
        let time = self.ask("getBlockTime", json!([slot])).await?;
        Ok(Head { slot, height, time: time.as_u64().ok_or("getBlockTime gives no time")? })
    }
}
