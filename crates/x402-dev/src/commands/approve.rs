//! `approve` and `revoke`: how much the Permit2 contract may move of what an account holds.

use super::door::{Door, segment};
use crate::context::Context;
use crate::doors::admin::routes::allowances::{Allowance, Approval};
use crate::error::Error;
use crate::exit::Exit;

/// Sets an allowance.
pub fn approve(context: &Context, door: &Door, account: &str, wish: &Approval) -> Result<Exit, Error> {
    let path = format!("/accounts/{}/approve", segment(account));
    door.ask(context, |remote| remote.post::<Allowance>(&path, wish), text)
}

fn text(told: &Allowance) -> String {
    let Allowance { account, amount, symbol, network, .. } = told;
    if told.atomic == "0" {
        return format!("{account} lets Permit2 move no {symbol} on {network}");
    }
    format!("{account} lets Permit2 move {amount} {symbol} on {network}")
}
