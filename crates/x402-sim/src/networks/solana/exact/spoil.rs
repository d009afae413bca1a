//! How each defect is made.

use x402_wire::document::Document;

use super::draft::{Draft, note, price};
use super::layout::MAX_PRICE;
use crate::accounts;
use crate::networks::solana::assets::{DEVNET, MAINNET};
use crate::networks::solana::key::Key;
use crate::networks::solana::message::{Instruction, Meta};
use crate::networks::solana::transaction::Transaction;
use crate::networks::solana::{ed25519, known, program};
use crate::registry::Version;

/// Where the transfer stands.
const TRANSFER: usize = 2;

fn transfer(draft: &mut Draft) -> &mut Instruction {
    &mut draft.instructions[TRANSFER]
}

fn authority(draft: &Draft) -> Key {
    draft.instructions[TRANSFER].accounts[3].map_or(Key::default(), |meta| meta.key)
}

/// Another private key than the payer's.
pub(super) fn other_key(transaction: &mut Transaction) {
    let signers = transaction.message.signers();
    let other = accounts::all().find(|account| !signers.contains(&ed25519::key_of(&account.solana_seed())));
    if let (Some(other), Some(signature)) = (other, transaction.signatures.get_mut(1)) {
        *signature = ed25519::sign(&other.solana_seed(), &transaction.signed);
    }
}

pub(super) fn other_value(transaction: &mut Transaction) {
    if let Some(byte) = transaction.message.instructions.get_mut(TRANSFER).and_then(|own| own.data.get_mut(1)) {
        *byte ^= 1;
    }
    transaction.write();
}

pub(super) fn unsigned(transaction: &mut Transaction) {
    transaction.signatures.fill([0; 64]);
}

pub(super) fn to_self(draft: &mut Draft) {
    let own = transfer(draft);
    if let (Some(source), Some(destination)) = (own.accounts[0], &mut own.accounts[2]) {
        destination.key = source.key;
    }
}

fn amount(draft: &mut Draft, change: impl FnOnce(u64) -> u64) {
    let data = &mut transfer(draft).data;
    if let Some(bytes) = data.get_mut(1..).and_then(<[u8]>::first_chunk_mut::<8>) {
        *bytes = change(u64::from_le_bytes(*bytes)).to_le_bytes();
    }
}

pub(super) fn underpaid(draft: &mut Draft) {
    amount(draft, |amount| amount.wrapping_sub(1));
}

pub(super) fn overpaid(draft: &mut Draft) {
    amount(draft, |amount| amount.wrapping_add(1));
}

pub(super) fn zero(draft: &mut Draft) {
    amount(draft, |_| 0);
}

pub(super) fn other_mint(draft: &mut Draft) {
    let mints = known().into_iter().flat_map(|network| network.assets);
    let mints: Vec<Key> = mints.filter_map(|asset| Key::parse(&asset.address)).collect();
    if let Some(mint) = &mut transfer(draft).accounts[1]
        && let Some(other) = mints.iter().find(|other| **other != mint.key)
    {
        mint.key = *other;
    }
}

pub(super) fn own_fee(draft: &mut Draft) {
    draft.fee_payer = authority(draft);
}

pub(super) fn facilitator_pays(draft: &mut Draft) {
    let fee_payer = draft.fee_payer;
    if let Some(authority) = &mut transfer(draft).accounts[3] {
        authority.key = fee_payer;
    }
}

pub(super) fn no_limit(draft: &mut Draft) {
    draft.instructions.swap(0, 1);
}

pub(super) fn no_price(draft: &mut Draft) {
    draft.instructions.remove(1);
}

pub(super) fn high_price(draft: &mut Draft) {
    draft.instructions[1] = price(MAX_PRICE + 1);
}

/// The same without the mint and its decimals.
pub(super) fn unchecked(draft: &mut Draft) {
    let own = transfer(draft);
    own.accounts.remove(1);
    own.data.truncate(9);
    own.data[0] = 3;
}

pub(super) fn foreign_program(draft: &mut Draft) {
    let (from, to) = (authority(draft), draft.fee_payer);
    let meta = |key, signer| Some(Meta { key, signer, writable: true });
    let data = [&[2, 0, 0, 0][..], &1_u64.to_le_bytes()].concat();
    let accounts = vec![meta(from, true), meta(to, false)];
    draft.instructions.push(Instruction { program: program::SYSTEM, accounts, data });
}

pub(super) fn eight(draft: &mut Draft) {
    while draft.instructions.len() < 8 {
        draft.instructions.push(note(b"x402-dev"));
    }
}

pub(super) fn other_decimals(draft: &mut Draft) {
    if let Some(decimals) = transfer(draft).data.get_mut(9) {
        *decimals = decimals.wrapping_add(1);
    }
}

/// Where a payload says what it accepts: version 1 says it itself.
fn accepted<'a>(written: &'a mut Document, key: &str) -> Option<&'a mut Document> {
    let v1 = written.get("x402Version").and_then(Document::whole) == Some(u64::from(Version::V1.number()));
    if v1 { written.at_mut(&[key]) } else { written.at_mut(&["accepted", key]) }
}

pub(super) fn other_scheme(written: &mut Document) {
    if let Some(scheme) = accepted(written, "scheme") {
        *scheme = Document::from("upto".to_owned());
    }
}

pub(super) fn other_network(written: &mut Document) {
    if let Some(network) = accepted(written, "network") {
        let said = network.text().unwrap_or_default().to_owned();
        // Clients of version 1 know these two alone.
        let both = known().into_iter().filter(|own| [MAINNET, DEVNET].contains(&own.id.as_str()));
        let is_id = said.contains(':');
        let mut names = both.filter_map(|own| if is_id { Some(own.id) } else { own.v1_name });
        if let Some(other) = names.find(|name| *name != said) {
            *network = Document::from(other);
        }
    }
}

pub(super) fn half(wire: &[u8]) -> Vec<u8> {
    wire[..wire.len() / 2].to_vec()
}

pub(super) fn no_transaction(written: &mut Document) {
    if let Some(body) = written.at_mut(&["payload"]) {
        body.remove("transaction");
    }
}
