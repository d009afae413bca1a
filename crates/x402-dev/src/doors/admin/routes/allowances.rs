//! `/_x402/api/accounts/{account}/allowance`: how much the Permit2 contract may move of what an account holds.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use x402_sim::accounts::book::{AccountError, Party};
use x402_sim::ledger::Account;
use x402_sim::networks::Family;
use x402_sim::networks::eip155::{PERMIT2, checksum};
use x402_sim::world::money::Currency;
use x402_sim::{U256, World};
use x402_wire::amount::Decimal;

use super::accounts::{find, refuse};
use super::money::{Sign, Wallet, does_not_fit, money, read};
use crate::doors::admin::input::{Asked, Input};
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// How much the Permit2 contract may move of one asset of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Allowance {
    /// What people call the account.
    pub account: String,
    /// The network's CAIP-2 id.
    pub network: String,
    /// The asset's ticker.
    pub symbol: String,
    /// The asset's address.
    pub asset: String,
    /// The contract that may move it.
    pub spender: String,
    /// The amount in whole units, or `unlimited`.
    pub amount: String,
    /// The amount in atomic units; 2^256 - 1 has no end.
    pub atomic: String,
}

/// What an account approves, as with the token's own `approve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// How much: `$5`, `5`, `5 USDC`; without it, everything. `0` revokes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^\$?[0-9]{1,78}(\.[0-9]{1,18})?( [A-Za-z][A-Za-z0-9.]{0,15})?$", example = "$5")]
    pub amount: Option<String>,
    /// The network, a CAIP-2 id or a name of version 1; without it, the first that is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The asset, a ticker or an address; without it, the first of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
}

serves!(allowance, approve);

/// How much the Permit2 contract may move of what an account holds.
#[utoipa::path(get, path = "/accounts/{account}/allowance", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address."), Wallet), responses((status = 200, body = Allowance)))]
async fn allowance(
    Extract(office): Extract<Office>,
    Path(account): Path<String>,
    Asked(wallet): Asked<Wallet>,
) -> Result<Json<Allowance>, Problem> {
    office.state().act(|world, _| {
        let party = find(world, &account)?;
        let currency = currency(world, wallet.network.as_deref(), wallet.asset.as_deref())?;
        Ok(Json(told(world, &party, &currency)?))
    })
}

/// Lets the Permit2 contract move what an account holds, or stops it.
#[utoipa::path(post, path = "/accounts/{account}/approve", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address.")), request_body = Approval, responses((status = 200, description = "What may be moved now.", body = Allowance)))]
async fn approve(
    Extract(office): Extract<Office>,
    Path(account): Path<String>,
    Input(wish): Input<Approval>,
) -> Result<Json<Allowance>, Problem> {
    let amount = wish.amount.as_deref().map(read).transpose()?;
    office.change(|world, _| {
        let party = find(world, &account)?;
        let ticker = amount.as_ref().and_then(|(.., ticker)| ticker.as_deref());
        let currency = currency(world, wish.network.as_deref(), wish.asset.as_deref().or(ticker))?;
        if let Some(ticker) = ticker.filter(|ticker| !ticker.eq_ignore_ascii_case(&currency.symbol)) {
            let text = format!("the amount is in {ticker}, and the asset is {}", currency.symbol);
            return Err(Code::UnknownAsset.because(text).at("$.amount"));
        }
        let units = match &amount {
            None => U256::MAX,
            Some((Sign::Minus, ..)) => {
                return Err(Code::InvalidValue.because("an allowance is zero or more").at("$.amount"));
            }
            Some((Sign::Plus, amount, _)) => {
                amount.to_atomic(currency.decimals).map_err(|error| does_not_fit(&error).at("$.amount"))?
            }
        };
        world.approve(currency.id, owner(&party, &currency)?, PERMIT2.into(), units);
        let told = told(world, &party, &currency)?;
        let sentence =
            format!("{} lets Permit2 move {} {} on {}", told.account, told.amount, told.symbol, told.network);
        Ok((Json(told), sentence))
    })
}

/// An asset that Permit2 can move.
fn currency(world: &World, network: Option<&str>, asset: Option<&str>) -> Result<Currency, Problem> {
    let currency = world.currency(network, asset).map_err(|error| money(&error))?;
    if currency.family == Family::Eip155 {
        return Ok(currency);
    }
    let text = format!("{} has no Permit2: it is no EVM network", currency.network);
    Err(Code::UnknownNetwork.because(text).at("$.network"))
}

fn owner(party: &Party, currency: &Currency) -> Result<Account, Problem> {
    let wrong = || AccountError::WrongFamily { who: party.label(), network: currency.network.clone() };
    party.on(currency.family).ok_or_else(|| refuse(&wrong()))
}

fn told(world: &World, party: &Party, currency: &Currency) -> Result<Allowance, Problem> {
    let atomic = world.allowance(currency.id, owner(party, currency)?, PERMIT2.into());
    let amount = if atomic == U256::MAX {
        "unlimited".to_owned()
    } else {
        Decimal::from_atomic(atomic, currency.decimals).to_string()
    };
    Ok(Allowance {
        account: party.label(),
        network: currency.network.clone(),
        symbol: currency.symbol.clone(),
        asset: currency.address.clone(),
        spender: checksum(PERMIT2),
        amount,
        atomic: atomic.to_string(),
    })
}
