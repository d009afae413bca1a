//! `/_x402/api/accounts`: who there is. New accounts, and blacklists.

use axum::Json;
use axum::extract::{Path, State as Extract};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use x402_sim::World;
use x402_sim::accounts::book::{AccountError, Party};
use x402_sim::accounts::{self, TestAccount};
use x402_sim::networks::Family;

use super::money::{Balance, balances};
use crate::doors::admin::input::Input;
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its number among the accounts that this world knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `payer`, `facilitator`, `merchant`, `persona`, `made` or `unknown`.
    pub role: String,
    /// Its address on eip155 networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its address on Solana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solana_address: Option<String>,
    /// Its private key. Public: never send real funds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Its key on Solana, in base58, as wallets take it. Public: never send real funds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solana_key: Option<String>,
    /// Whether the assets have blacklisted it.
    pub blocked: bool,
    /// What it holds.
    pub balances: Vec<Balance>,
}

/// Accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accounts {
    /// In the order of their numbers.
    pub accounts: Vec<Account>,
}

/// A wish for an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its name: a small letter, then small letters, digits, `-` and `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z][a-z0-9_-]*$", max_length = 32)]
    pub name: Option<String>,
}

serves!(list, make, show, block, unblock);

/// Every account with a number: test accounts, personas, and those that were made.
#[utoipa::path(get, path = "/accounts", tag = "accounts", responses((status = 200, body = Accounts)))]
async fn list(Extract(office): Extract<Office>) -> Json<Accounts> {
    let accounts = office.state().act(|world, _| world.book().all().iter().map(|party| of(world, party)).collect());
    Json(Accounts { accounts })
}

/// Makes an account with a key of its own.
#[utoipa::path(post, path = "/accounts", tag = "accounts", request_body = NewAccount, responses(
    (status = 201, description = "It was made.", body = Account),
))]
async fn make(
    Extract(office): Extract<Office>,
    Input(wish): Input<NewAccount>,
) -> Result<(StatusCode, Json<Account>), Problem> {
    let account = office.change(|world, _| {
        let party = world.make_account(wish.name).map_err(|error| refuse(&error).at("$.name"))?;
        Ok((of(world, &party), format!("{} was made", party.label())))
    })?;
    Ok((StatusCode::CREATED, Json(account)))
}

/// An account: by its number, its name or any address.
#[utoipa::path(get, path = "/accounts/{account}", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address.")), responses((status = 200, body = Account)))]
async fn show(Extract(office): Extract<Office>, Path(account): Path<String>) -> Result<Json<Account>, Problem> {
    office.state().act(|world, _| find(world, &account).map(|party| Json(of(world, &party))))
}

/// Blacklists an account with every asset: its transfers revert.
#[utoipa::path(post, path = "/accounts/{account}/block", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address.")), responses((status = 200, body = Account)))]
async fn block(Extract(office): Extract<Office>, Path(account): Path<String>) -> Result<Json<Account>, Problem> {
    list_black(&office, &account, true)
}

/// Takes an account off the blacklist of every asset.
#[utoipa::path(post, path = "/accounts/{account}/unblock", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address.")), responses((status = 200, body = Account)))]
async fn unblock(Extract(office): Extract<Office>, Path(account): Path<String>) -> Result<Json<Account>, Problem> {
    list_black(&office, &account, false)
}

fn list_black(office: &Office, account: &str, blocked: bool) -> Result<Json<Account>, Problem> {
    office.change(|world, _| {
        let party = find(world, account)?;
        world.block(&party, blocked);
        let what = if blocked { "blacklisted" } else { "no longer blacklisted" };
        Ok((Json(of(world, &party)), format!("{} is {what}", party.label())))
    })
}

/// The account that a text names.
pub(super) fn find(world: &World, text: &str) -> Result<Party, Problem> {
    world.book().find(text).map_err(|error| refuse(&error))
}

/// An account, with all that it holds.
pub(super) fn of(world: &World, party: &Party) -> Account {
    let Party { index, name, role, key, .. } = party.clone();
    let [address, solana_address] =
        [Family::Eip155, Family::Solana].map(|family| party.address_on(family).map(str::to_owned));
    let (blocked, balances) = (world.is_blocked(party), balances(world, party));
    let is_it = |account: &TestAccount| Some(account.solana_address) == solana_address.as_deref();
    let solana_key = accounts::all().find(is_it).map(|account| account.solana_keypair_in_base58());
    Account { index, name, role, address, solana_address, key, solana_key, blocked, balances }
}

pub(super) fn refuse(error: &AccountError) -> Problem {
    let code = match error {
        AccountError::Unknown { .. } => Code::UnknownAccount,
        AccountError::Taken { .. } => Code::NameTaken,
        AccountError::BadName { .. } => Code::InvalidValue,
        AccountError::WrongFamily { .. } => Code::WrongFamily,
    };
    code.because(error.to_string()).hint(error.hint())
}
