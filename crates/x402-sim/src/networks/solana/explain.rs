//! What a transaction of this family says.

use super::exact::layout::{self, TransferChecked};
use super::key::Key;
use super::message::Instruction;
use super::program;
use super::transaction::Transaction;
use crate::explain::draw::units;
use crate::explain::explanation::Section;
use crate::explain::names;
use crate::registry;

/// A transaction in base64.
pub(crate) fn transaction(text: &str, now: u64) -> Vec<Section> {
    let mut section = Section::new("transaction (Solana)");
    let transaction = match Transaction::from_base64(text) {
        Ok(transaction) => transaction,
        Err(error) => {
            section.add("transaction", format!("{} characters", text.len()), error.to_string());
            return vec![section];
        }
    };
    let message = &transaction.message;
    section.add("form", if message.versioned { "version 0" } else { "legacy" }, "");
    for (place, (key, signature)) in message.signers().iter().zip(&transaction.signatures).enumerate() {
        let label = if place == 0 { "fee payer" } else { "signer" };
        let signed = match signature.iter().all(|byte| *byte == 0) {
            true if place == 0 => "not signed yet: the facilitator does",
            true => "not signed",
            false if super::ed25519::verify(*key, &transaction.signed, signature) => "signed",
            false => "its signature is wrong",
        };
        let name = name(*key).map(|name| format!("{name}; ")).unwrap_or_default();
        section.add(label, key.to_string(), format!("{name}{signed}"));
    }
    section.add("blockhash", bs58::encode(message.blockhash).into_string(), age(message.blockhash, now));
    let instructions = message.metas(|_| Vec::new()).ok().and_then(|metas| message.instructions(&metas).ok());
    let mut all = vec![section];
    let Some(instructions) = instructions else {
        return all;
    };
    all.extend(instructions.iter().take(64).enumerate().map(|(place, own)| instruction(place, own)));
    all
}

fn instruction(place: usize, own: &Instruction) -> Section {
    let program = name(own.program).unwrap_or_else(|| own.program.to_string());
    let mut section = Section::new(format!("instruction {}: {program}", place + 1));
    if let Some(transfer) = TransferChecked::read(own) {
        let asset = registry::networks()
            .into_iter()
            .find_map(|network| network.asset_by_address(&transfer.mint.to_string()).cloned());
        let amount = transfer.amount.to_string();
        section.add("TransferChecked", amount.clone(), units::amount(&amount, asset.as_ref()));
        for (label, key) in [
            ("mint", transfer.mint),
            ("from token account", transfer.source),
            ("to token account", transfer.destination),
            ("owner", transfer.authority),
        ] {
            section.add(label, key.to_string(), name(key).unwrap_or_default());
        }
    } else if layout::is_limit(own) {
        let units = own.data.get(1..5).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_le_bytes);
        section.add("SetComputeUnitLimit", units.unwrap_or_default().to_string(), "compute units at most");
    } else if let Some(price) = layout::price(own) {
        section.add("SetComputeUnitPrice", price.to_string(), "millionths of a lamport for a compute unit");
    } else if own.program == program::MEMO {
        section.add("memo", x402_wire::shape::shorten(&String::from_utf8_lossy(&own.data)), "");
    } else {
        section.add("data", format!("{} bytes, {} accounts", own.data.len(), own.accounts.len()), "");
    }
    section
}

fn name(key: Key) -> Option<String> {
    names::of(&key.to_string(), None)
}

/// How old a blockhash of a simulated chain is.
fn age(blockhash: [u8; 32], now: u64) -> String {
    let networks = super::known();
    let made = networks.iter().find_map(|network| super::blockhash::slot_of(&network.id, blockhash));
    match made {
        Some(slot) => {
            format!("of the mock's chain, {}", units::time(&(super::blockhash::time_of(slot) / 1000).to_string(), now))
        }
        None => "of a real chain, or none: good for about a minute after it was asked for".to_owned(),
    }
}
