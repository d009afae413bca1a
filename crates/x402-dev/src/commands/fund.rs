//! `fund`: money out of nothing, or into nothing. `balance`: what there is.

use super::accounts::written;
use super::door::{Door, segment};
use crate::context::Context;
use crate::doors::admin::routes::money::{Balances, Fund, Wallet};
use crate::error::Error;
use crate::exit::Exit;

/// Changes a balance.
pub fn fund(context: &Context, door: &Door, account: &str, wish: &Fund) -> Result<Exit, Error> {
    let path = format!("/accounts/{}/fund", segment(account));
    door.ask(context, |remote| remote.post::<Balances>(&path, wish), text)
}

/// Shows balances.
pub fn balance(context: &Context, door: &Door, account: &str, wallet: &Wallet) -> Result<Exit, Error> {
    let query = serde_urlencoded::to_string(wallet).unwrap_or_default();
    let path = format!("/accounts/{}/balance?{query}", segment(account));
    door.ask(context, |remote| remote.get::<Balances>(path.trim_end_matches('?')), text)
}

fn text(held: &Balances) -> String {
    let lines = held.balances.iter().map(|balance| format!("{} holds {}", held.account, written(balance)));
    lines.collect::<Vec<_>>().join("\n")
}
