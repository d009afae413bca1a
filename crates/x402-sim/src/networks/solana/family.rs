//! The row of this family.

use std::borrow::Cow;

use alloy_primitives::U256;
use x402_wire::json::Json;

use super::key::Key;
use super::{assets, exact, parse_address, rpc};
use crate::accounts::TestAccount;
use crate::ledger::Account;
use crate::networks::family::{FamilyRow, Kept, Rpc};
use crate::networks::{Family, Transfer};

/// What Solana's clusters differ in from other networks.
pub const ROW: FamilyRow = FamilyRow {
    family: Family::Solana,
    prefix: "solana:",
    signers: "solana:*",
    known: assets::known,
    natives: || vec![assets::native()],
    kept: Kept::Mint,
    transfers: &[Transfer::Spl],
    // Token accounts count in 64 bits.
    largest: U256::from_limbs([u64::MAX, 0, 0, 0]),
    account,
    written: |account| Key::from(account).to_string(),
    form: "base58 of 32 bytes, such as `2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab`",
    is_same: |left, right| left == right,
    address_of,
    signed,
    payer,
    rpc: Rpc {
        call: rpc::call,
        subscription: rpc::subscription,
        number: serde_json::Value::from,
        sending: &["sendTransaction"],
        progress: &[
            "getSlot",
            "getBlockHeight",
            "getEpochInfo",
            "getLatestBlockhash",
            "getTransactionCount",
            "getSlotLeader",
        ],
    },
};

fn account(text: &str) -> Option<Account> {
    parse_address(text).map(Account)
}

fn address_of(account: &TestAccount) -> Cow<'static, str> {
    Cow::Borrowed(account.solana_address)
}

fn signed<'p, 'j>(body: &'p Json<'j>) -> Option<&'p Json<'j>> {
    body.get("transaction")
}

fn payer<'p>(signed: &'p Json<'_>) -> Option<Cow<'p, str>> {
    exact::payer_of(signed.as_str()?).map(|payer| Cow::Owned(payer.to_string()))
}
