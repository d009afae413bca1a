//! From instructions to a message: accounts are collected, sorted by what they may do, and numbered.
//!
//! Source: kit 5.5.1 `compile/accounts.ts`: the fee payer, then signers before others and writable before read-only, and
//! equals by their base58 text in the order of a dictionary.

use std::cmp::Ordering;

use super::key::Key;
use super::message::{Compiled, Instruction, Message, Meta};

/// A message of version 0 or a legacy one without lookup tables.
///
/// # Panics
///
/// With more than 255 accounts.
pub fn compile(fee_payer: Key, instructions: &[Instruction], blockhash: [u8; 32], versioned: bool) -> Message {
    let mut metas: Vec<Meta> = vec![Meta { key: fee_payer, signer: true, writable: true }];
    for instruction in instructions {
        let program = Meta { key: instruction.program, signer: false, writable: false };
        for meta in instruction.accounts.iter().flatten().copied().chain([program]) {
            match metas.iter_mut().find(|known| known.key == meta.key) {
                Some(known) => {
                    known.signer |= meta.signer;
                    known.writable |= meta.writable;
                }
                None => metas.push(meta),
            }
        }
    }
    metas[1..].sort_by(|left, right| {
        let role = |meta: &Meta| (!meta.signer, !meta.writable);
        role(left).cmp(&role(right)).then_with(|| in_dictionary(&left.key.to_string(), &right.key.to_string()))
    });
    let count = |keep: fn(&Meta) -> bool| number(metas.iter().filter(|meta| keep(meta)).count());
    let place = |key: Key| number(metas.iter().position(|meta| meta.key == key).unwrap_or_default());
    let compiled = |instruction: &Instruction| Compiled {
        program: place(instruction.program),
        accounts: instruction.accounts.iter().flatten().map(|meta| place(meta.key)).collect(),
        data: instruction.data.clone(),
    };
    Message {
        versioned,
        signers: count(|meta| meta.signer),
        readonly_signers: count(|meta| meta.signer && !meta.writable),
        readonly_others: count(|meta| !meta.signer && !meta.writable),
        blockhash,
        instructions: instructions.iter().map(compiled).collect(),
        lookups: Vec::new(),
        irregular: None,
        accounts: metas.iter().map(|meta| meta.key).collect(),
    }
}

/// The order of `Intl.Collator("en", { caseFirst: "lower", .. })` on base58: letters whatever their case, then lower
/// before upper; digits come first.
fn in_dictionary(left: &str, right: &str) -> Ordering {
    let letters = |text: &str| text.to_ascii_lowercase();
    let lower_first = |text: &str| text.bytes().map(|byte| byte.is_ascii_uppercase()).collect::<Vec<_>>();
    letters(left).cmp(&letters(right)).then_with(|| lower_first(left).cmp(&lower_first(right)))
}

fn number(count: usize) -> u8 {
    u8::try_from(count).expect("a message that fits into a packet has fewer than 256 accounts")
}
