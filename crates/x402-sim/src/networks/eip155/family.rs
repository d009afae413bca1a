//! The row of this family.

use std::borrow::Cow;

use alloy_primitives::{Address, U256};
use serde_json::Value;
use x402_wire::json::Json;

use super::{SIGNED, assets, checksum, parse_address, rpc};
use crate::accounts::TestAccount;
use crate::ledger::Account;
use crate::networks::family::{FamilyRow, Kept, Rpc};
use crate::networks::{Family, Transfer};

/// What `eip155` networks differ in from others.
pub const ROW: FamilyRow = FamilyRow {
    family: Family::Eip155,
    prefix: "eip155:",
    signers: "eip155:*",
    known: assets::known,
    natives: Vec::new,
    kept: Kept::Token,
    transfers: &[Transfer::Eip3009, Transfer::Permit2],
    largest: U256::MAX,
    account,
    written,
    form: "`0x` and 40 hexadecimal digits",
    is_same: str::eq_ignore_ascii_case,
    address_of,
    signed,
    payer,
    rpc: Rpc {
        call: rpc::call,
        subscription: rpc::subscription,
        number,
        sending: &["eth_sendRawTransaction"],
        progress: &["eth_blockNumber", "eth_getBlockByNumber"],
    },
};

fn account(text: &str) -> Option<Account> {
    parse_address(text).map(Account::from)
}

fn written(account: Account) -> String {
    checksum(Address::from_slice(&account.0[12..]))
}

fn address_of(account: &TestAccount) -> Cow<'static, str> {
    Cow::Borrowed(account.address)
}

fn signed<'p, 'j>(body: &'p Json<'j>) -> Option<&'p Json<'j>> {
    SIGNED.iter().find_map(|member| body.get(member))
}

fn payer<'p>(signed: &'p Json<'_>) -> Option<Cow<'p, str>> {
    signed.get("from")?.as_str().map(Cow::Borrowed)
}

fn number(number: u64) -> Value {
    Value::String(format!("{number:#x}"))
}
