//! `accounts`: who there is and what they hold; new ones, and blacklists.

use std::collections::BTreeMap;

use x402_sim::accounts::TestAccount;

use super::door::{Door, columns, segment};
use crate::context::Context;
use crate::doors::admin::routes::accounts::{Account, Accounts, NewAccount};
use crate::doors::admin::routes::money::Balance;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Job {
    /// Every account.
    List,
    /// A new one.
    New(Option<String>),
    /// A test account's key on Solana.
    Keypair(TestAccount, Spelling),
    /// Blacklist one.
    Block(String),
    /// Take one off the blacklist.
    Unblock(String),
}

/// How a key is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// A JSON array of 64 numbers: what Solana's tools read from a file.
    Json,
    /// Base58: what wallets take.
    Base58,
}

/// Does it.
pub fn run(context: &Context, door: &Door, job: Job) -> Result<Exit, Error> {
    match job {
        Job::List => door.ask(context, |remote| remote.get::<Accounts>("/accounts"), |all| list(&all.accounts)),
        Job::New(name) => {
            let wish = NewAccount { name };
            door.ask(context, |remote| remote.post::<Account>("/accounts", &wish), one)
        }
        Job::Keypair(account, spelling) => {
            terminal::result(&keypair(account, spelling));
            Ok(Exit::Success)
        }
        Job::Block(account) => list_black(context, door, &account, "block"),
        Job::Unblock(account) => list_black(context, door, &account, "unblock"),
    }
}

fn keypair(account: TestAccount, spelling: Spelling) -> String {
    match spelling {
        Spelling::Json => serde_json::Value::from(account.solana_keypair().to_vec()).to_string(),
        Spelling::Base58 => account.solana_keypair_in_base58(),
    }
}

fn list_black(context: &Context, door: &Door, account: &str, what: &str) -> Result<Exit, Error> {
    let path = format!("/accounts/{}/{what}", segment(account));
    let text = |account: &Account| {
        let state = if account.blocked { "blacklisted: its transfers revert" } else { "not blacklisted" };
        format!("{} is {state}", label(account))
    };
    door.ask(context, |remote| remote.tell::<Account>(&path), text)
}

fn list(accounts: &[Account]) -> String {
    let header = ["", "NAME", "ROLE", "ADDRESS", "PRIVATE KEY (PUBLIC: NEVER SEND REAL FUNDS)", "BALANCE"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(accounts.iter().map(|account| {
        let blocked = if account.blocked { "  BLACKLISTED" } else { "" };
        vec![
            account.index.map(|index| index.to_string()).unwrap_or_default(),
            account.name.clone().unwrap_or_default(),
            account.role.clone(),
            account.address.clone().unwrap_or_default(),
            account.key.clone().unwrap_or_default(),
            format!("{}{blocked}", holdings(&account.balances)),
        ]
    }));
    let mut text = columns(&rows);
    let is_on_solana = |balance: &Balance| balance.network.starts_with("solana:");
    if accounts.iter().flat_map(|account| &account.balances).any(is_on_solana) {
        text.push_str("\n\nOn Solana\n");
        text.push_str(&columns(&on_solana(accounts)));
    }
    text
}

/// The addresses and keys on Solana.
fn on_solana(accounts: &[Account]) -> Vec<Vec<String>> {
    let header = ["", "NAME", "ADDRESS", "PRIVATE KEY IN BASE58 (PUBLIC: NEVER SEND REAL FUNDS)"];
    let row = |account: &Account| {
        let (address, key) = (account.solana_address.clone()?, account.solana_key.clone()?);
        let index = account.index.map(|index| index.to_string()).unwrap_or_default();
        Some(vec![index, account.name.clone().unwrap_or_default(), address, key])
    };
    std::iter::once(header.map(str::to_owned).to_vec()).chain(accounts.iter().filter_map(row)).collect()
}

fn one(account: &Account) -> String {
    let mut rows = vec![];
    let mut row = |label: &str, value: Option<&str>| {
        if let Some(value) = value {
            rows.push(vec![label.to_owned(), value.to_owned()]);
        }
    };
    row("account", Some(&label(account)));
    row("index", account.index.map(|index| index.to_string()).as_deref());
    row("address", account.address.as_deref());
    row("key", account.key.as_deref());
    row("on Solana", account.solana_address.as_deref());
    row("key on Solana", account.solana_key.as_deref());
    row("balance", Some(&holdings(&account.balances)));
    columns(&rows)
}

fn label(account: &Account) -> String {
    let address = || account.address.clone().or_else(|| account.solana_address.clone()).unwrap_or_default();
    match (&account.name, account.index) {
        (Some(name), _) => name.clone(),
        (None, Some(index)) => format!("account {index}"),
        (None, None) => address(),
    }
}

/// `1000000 USDC on every network`, or the most frequent amount and the others by their networks.
fn holdings(balances: &[Balance]) -> String {
    let mut amounts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for balance in balances {
        *amounts.entry((&balance.amount, &balance.symbol)).or_default() += 1;
    }
    let Some((usual, count)) = amounts.into_iter().max_by_key(|(_, count)| *count) else { return "nothing".to_owned() };
    if balances.len() == 1 {
        return format!("{} {}", usual.0, usual.1);
    }
    if count == 1 {
        return balances.iter().map(written).collect::<Vec<_>>().join(", ");
    }
    let others = balances.iter().filter(|balance| (balance.amount.as_str(), balance.symbol.as_str()) != usual);
    let usual = format!("{} {} each", usual.0, usual.1);
    std::iter::once(usual).chain(others.map(written)).collect::<Vec<_>>().join(", ")
}

/// `5 USDC on eip155:84532`.
pub fn written(balance: &Balance) -> String {
    format!("{} {} on {}", balance.amount, balance.symbol, balance.network)
}
