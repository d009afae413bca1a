//! Payment and requirements, field by field.

use alloy_primitives::U256;
use serde_json::Value;
use x402_wire::amount::parse_atomic;
use x402_wire::shape::shorten;

use super::explanation::Row;
use super::judge::Attempt;
use super::matching::same;
use super::repair::{is_version_1, same_chain};
use crate::networks::eip155::parse_address;
use crate::networks::solana::exact::layout::TransferChecked;
use crate::networks::solana::key::Key;
use crate::networks::solana::transaction::Transaction;

/// The rows of a payment.
pub(super) fn rows(attempt: &Attempt) -> Vec<Row> {
    let mut rows = Vec::new();
    let v1 = is_version_1(attempt);
    let of = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), text);
    let top = |key: &str| if v1 { format!("/{key}") } else { format!("/accepted/{key}") };
    let mut add = |field: &str, payment: Option<String>, asked: Option<String>, equal: Equal| {
        let (Some(payment), Some(requirements)) = (payment, asked) else { return };
        let equal = equal.holds(&payment, &requirements);
        rows.push(Row { field: field.to_owned(), payment, requirements, equal });
    };
    let paid = |pointer: &str| attempt.payload.pointer(pointer).map(text);
    let asked = |pointer: &str| attempt.requirements.pointer(pointer).map(text);
    add("scheme", Some(of(attempt.payload.pointer(&top("scheme")))), asked("/scheme"), Equal::Text);
    add("network", Some(of(attempt.payload.pointer(&top("network")))), asked("/network"), Equal::Chain);
    let amount = attempt.amount_key();
    if let Some(signed) = attempt.payload.pointer("/payload/permit2Authorization") {
        let signed = |pointer: &str| signed.pointer(pointer).map(text);
        add("asset", signed("/permitted/token"), asked("/asset"), Equal::Address);
        add("amount", signed("/permitted/amount"), asked(amount), Equal::Number);
        add("payTo", signed("/witness/to"), asked("/payTo"), Equal::Address);
        add("facilitator", signed("/witness/facilitator"), asked("/extra/facilitatorAddress"), Equal::Address);
    } else if let Some(transfer) = paid("/payload/transaction").as_deref().and_then(transfer) {
        add("asset", Some(transfer.mint.to_string()), asked("/asset"), Equal::Text);
        add("amount", Some(transfer.amount.to_string()), asked(amount), Equal::Number);
        let account = asked("/payTo").and_then(|owner| Key::parse(&owner));
        let account = account.map(|owner| Key::token_account(owner, transfer.mint, transfer.program).to_string());
        add("payTo's token account", Some(transfer.destination.to_string()), account, Equal::Text);
    } else {
        add("amount", paid("/payload/authorization/value"), asked(amount), Equal::Number);
        add("payTo", paid("/payload/authorization/to"), asked("/payTo"), Equal::Address);
    }
    if !v1 {
        let mut members = vec!["asset", "amount", "payTo", "maxTimeoutSeconds"];
        members.extend(["extra/name", "extra/version", "extra/feePayer", "extra/memo", "extra/assetTransferMethod"]);
        rows.extend(members.into_iter().filter_map(|member| accepted(attempt, member)));
    }
    rows
}

/// A member of what was accepted, beside the same one of the requirements: resource servers want them equal as they are.
fn accepted(attempt: &Attempt, member: &str) -> Option<Row> {
    let said = attempt.payload.pointer(&format!("/accepted/{member}"));
    let asked = attempt.requirements.pointer(&format!("/{member}"))?;
    Some(Row {
        field: format!("accepted.{}", member.replace('/', ".")),
        payment: said.map_or_else(|| "-".to_owned(), text),
        requirements: text(asked),
        equal: same(said, Some(asked)),
    })
}

/// The amount that a payment moves: what was signed, of whichever instrument.
pub(super) fn moved(payload: &Value) -> Option<U256> {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str);
    let signed = ["/payload/authorization/value", "/payload/permit2Authorization/permitted/amount"];
    let signed = signed.iter().find_map(|pointer| text(pointer)).and_then(parse_atomic);
    signed.or_else(|| Some(U256::from(transfer(text("/payload/transaction")?)?.amount)))
}

fn transfer(text: &str) -> Option<TransferChecked> {
    let message = Transaction::from_base64(text).ok()?.message;
    let metas = message.metas(|_| Vec::new()).ok()?;
    message.instructions(&metas).ok()?.iter().find_map(TransferChecked::read)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(_) => super::draw::shown_address(value),
        other => shorten(&other.to_string()),
    }
}

/// What makes two sides equal.
#[derive(Clone, Copy, Debug)]
enum Equal {
    Text,
    Chain,
    Number,
    Address,
}

impl Equal {
    fn holds(self, left: &str, right: &str) -> bool {
        match self {
            Self::Text => left == right,
            Self::Chain => left == right || (same_chain(left, right) && left.contains(':') == right.contains(':')),
            Self::Number => {
                let number = |text: &str| parse_atomic(text).unwrap_or(U256::MAX);
                left == right || (number(left) == number(right) && number(left) != U256::MAX)
            }
            Self::Address => {
                left == right || (parse_address(left).is_some() && parse_address(left) == parse_address(right))
            }
        }
    }
}
