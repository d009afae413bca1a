//! Accounts as a node shows them: lamports, owner, data.

use serde_json::{Value, json};

use super::params::{Config, Params, key, unsupported, wrong};
use super::{Context, text};
use crate::networks::solana::key::Key;
use crate::networks::solana::program;
use crate::networks::solana::runtime::{Bank, Mint, Site, TokenAccount};
use crate::networks::solana::transaction::to_base64;
use crate::networks::solana::{mint_authority, tables};
use crate::rpc::RpcError;
use x402_wire::amount::Decimal;

/// The most accounts that are told at once.
const SEVERAL: usize = 100;

/// An account.
pub(super) struct Account {
    /// What it holds, in lamports.
    pub(super) lamports: u64,
    /// The program that owns it.
    owner: Key,
    executable: bool,
    /// Its data.
    data: Vec<u8>,
    /// The same as a node that knows the program tells it: the program's name, and what it is.
    parsed: Option<(&'static str, Value)>,
}

/// `getAccountInfo`.
pub(super) fn info(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let shown = shown(&context.site(), params.key(0)?, params.config(1)?)?;
    Ok(context.at(&shown))
}

/// `getMultipleAccounts`.
pub(super) fn several(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let (keys, config) = (params.list(0, "a list of addresses")?, params.config(1)?);
    if keys.len() > SEVERAL {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {SEVERAL}")));
    }
    let one = |value: &Value| {
        let parsed = value.as_str().and_then(key);
        let key = parsed.ok_or_else(|| wrong(0, "a list of addresses", value))?;
        shown(&context.site(), key, config)
    };
    let all = keys.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(context.at(&json!(all)))
}

fn shown(site: &Site<'_>, key: Key, config: Config<'_>) -> Result<Value, RpcError> {
    let encoding = config.text("encoding", "binary")?;
    match Account::at(site, key) {
        Some(account) => account.show(encoding, config),
        None => Ok(Value::Null),
    }
}

impl Account {
    /// The account at an address, if there is one.
    pub(super) fn at(site: &Site<'_>, key: Key) -> Option<Self> {
        if program::find(key).is_some() || key == program::LOOKUP_TABLE || key == program::LOADER {
            return Some(Self::kept(program::LOADER, vec![0; 36], None).executable());
        }
        if let Some(mint) = site.mint(key) {
            return Some(Self::of_mint(site, &mint));
        }
        if let Some(entries) = site.lookup_table(key) {
            let addresses: Vec<Value> = entries.iter().copied().map(text).collect();
            let info = json!({
                "addresses": addresses, "deactivationSlot": u64::MAX.to_string(), "lastExtendedSlot": "0",
                "lastExtendedSlotStartIndex": 0,
            });
            let parsed = Some(("address-lookup-table", json!({ "type": "lookupTable", "info": info })));
            return Some(Self::kept(program::LOOKUP_TABLE, tables::data(site.network), parsed));
        }
        if let Some(account) = token_account(site, key) {
            return Self::of_tokens(site, &account);
        }
        let lamports = site.lamports(key);
        let real = site.native().is_some_and(|native| site.view.ledger().balance(native, key.into()).is_some());
        let wallet = lamports > 0 && (real || key.is_on_curve());
        wallet.then(|| Self { lamports, ..Self::kept(program::SYSTEM, Vec::new(), None) })
    }

    /// An account that keeps data, and as many lamports as that costs.
    fn kept(owner: Key, data: Vec<u8>, parsed: Option<(&'static str, Value)>) -> Self {
        Self { lamports: super::cluster::rent_of(data.len()), owner, executable: false, data, parsed }
    }

    fn executable(self) -> Self {
        Self { executable: true, ..self }
    }

    /// Source: SPL Token `state.rs` `Mint`: 82 bytes.
    fn of_mint(site: &Site<'_>, mint: &Mint) -> Self {
        let (authority, supply) = (mint_authority(), supply(site, mint));
        let mut data = Vec::with_capacity(82);
        data.extend(1_u32.to_le_bytes());
        data.extend(authority.0);
        data.extend(supply.to_le_bytes());
        data.extend([mint.decimals, 1]);
        data.resize(82, 0);
        let info = json!({
            "decimals": mint.decimals, "freezeAuthority": null, "isInitialized": true, "mintAuthority": text(authority),
            "supply": supply.to_string(),
        });
        Self::kept(mint.program, data, Some((name(mint), json!({ "type": "mint", "info": info }))))
    }

    /// Source: SPL Token `state.rs` `Account`: 165 bytes; Token-2022 marks its associated accounts by an extension.
    pub(super) fn of_tokens(site: &Site<'_>, account: &TokenAccount) -> Option<Self> {
        let mint = site.mint_of(account.asset).and_then(|mint| site.mint(mint))?;
        let mut data = Vec::with_capacity(170);
        data.extend(mint.key.0);
        data.extend(account.owner.0);
        data.extend(account.amount.to_le_bytes());
        data.resize(108, 0);
        data.push(if account.frozen { 2 } else { 1 });
        data.resize(165, 0);
        let mut info = json!({
            "isNative": false, "mint": text(mint.key), "owner": text(account.owner),
            "state": if account.frozen { "frozen" } else { "initialized" },
            "tokenAmount": amount(account.amount, mint.decimals),
        });
        if mint.program == program::TOKEN_2022 {
            // An account, with one extension of no bytes: its owner cannot change.
            data.extend([2, 7, 0, 0, 0]);
            info["extensions"] = json!([{ "extension": "immutableOwner" }]);
        }
        Some(Self::kept(mint.program, data, Some((name(&mint), json!({ "type": "account", "info": info })))))
    }

    /// As a node tells it.
    pub(super) fn show(&self, encoding: &str, config: Config<'_>) -> Result<Value, RpcError> {
        let sliced = self.sliced(config)?;
        let data = match (encoding, &self.parsed) {
            ("jsonParsed", Some((program, parsed))) => {
                json!({ "program": program, "parsed": parsed, "space": self.data.len() })
            }
            ("jsonParsed" | "base64", _) => json!([to_base64(sliced), "base64"]),
            ("base58" | "binary", _) if sliced.len() > 128 => {
                return Err(RpcError::invalid_params(
                    "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
                ));
            }
            ("base58", _) => json!([bs58::encode(sliced).into_string(), "base58"]),
            ("binary", _) => json!(bs58::encode(sliced).into_string()),
            (other, _) => return Err(unsupported(other, "base58, base64 and jsonParsed")),
        };
        Ok(json!({
            "data": data, "executable": self.executable, "lamports": self.lamports, "owner": text(self.owner),
            "rentEpoch": u64::MAX, "space": self.data.len(),
        }))
    }

    fn sliced(&self, config: Config<'_>) -> Result<&[u8], RpcError> {
        let Some(slice) = config.get("dataSlice") else { return Ok(&self.data) };
        let at = |name: &str| slice.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        let (Some(offset), Some(length)) = (at("offset"), at("length")) else {
            return Err(RpcError::invalid_params("dataSlice: expected an object with `offset` and `length`"));
        };
        let start = offset.min(self.data.len());
        Ok(&self.data[start..start.saturating_add(length).min(self.data.len())])
    }
}

/// The token account at an address, of whichever mint.
pub(super) fn token_account(site: &Site<'_>, key: Key) -> Option<TokenAccount> {
    let bank = Bank::new(*site);
    [program::TOKEN, program::TOKEN_2022].into_iter().find_map(|program| bank.token_account(key, None, program))
}

/// What there is of a mint, in atomic units: what the ledger has counted.
pub(super) fn supply(site: &Site<'_>, mint: &Mint) -> u64 {
    let minted = site.view.ledger().minted().find(|(asset, _)| *asset == mint.asset);
    minted.map_or(0, |(_, amount)| u64::try_from(amount).unwrap_or(u64::MAX))
}

fn name(mint: &Mint) -> &'static str {
    if mint.program == program::TOKEN { "spl-token" } else { "spl-token-2022" }
}

/// An amount as a node tells it.
pub(super) fn amount(atomic: u64, decimals: u8) -> Value {
    let whole = Decimal::from_atomic(alloy_primitives::U256::from(atomic), decimals).to_string();
    let number: f64 = whole.parse().unwrap_or_default();
    json!({ "amount": atomic.to_string(), "decimals": decimals, "uiAmount": number, "uiAmountString": whole })
}
