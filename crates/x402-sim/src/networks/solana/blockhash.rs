//! Slots, and blockhashes that say themselves in which slot they were made: nothing is stored, and each is another.

use sha2::{Digest, Sha256};

/// How long a slot is, in milliseconds.
pub const SLOT: u64 = 400;

/// The world's time at which slots begin: the 1st of January 2020, as milliseconds since 1970.
const GENESIS: u64 = 1_577_836_800_000;

/// How many slots a blockhash is good for.
pub const LIFETIME: u64 = 150;

/// How far ahead a blockhash may be, in slots: whoever judges may know the time to a second only.
const AHEAD: u64 = 3;

/// How many slots an epoch has.
pub const EPOCH: u64 = 432_000;

/// The slot at a time of the clock in milliseconds. It is the block height as well: no slot is left out.
pub const fn slot(now: u64) -> u64 {
    now.saturating_sub(GENESIS) / SLOT
}

/// The time at which a slot began, in milliseconds.
pub const fn time_of(slot: u64) -> u64 {
    GENESIS.saturating_add(slot.saturating_mul(SLOT))
}

/// The blockhash with a number, of a slot of a network.
pub fn make(network: &str, slot: u64, number: u64) -> [u8; 32] {
    let mut inside = [0; 16];
    inside[..8].copy_from_slice(&slot.to_be_bytes());
    inside[8..].copy_from_slice(&number.to_be_bytes());
    let check = hash(&[network.as_bytes(), &inside]);
    let mask = hash(&[&check]);
    let mut made = [0; 32];
    made[..16].copy_from_slice(&check);
    for ((out, byte), mask) in made[16..].iter_mut().zip(inside).zip(mask) {
        *out = byte ^ mask;
    }
    made
}

/// The slot in which a blockhash was made; `None` where this network made no such one.
pub fn slot_of(network: &str, blockhash: [u8; 32]) -> Option<u64> {
    let (check, masked) = blockhash.split_at(16);
    let mask = hash(&[check]);
    let mut inside = [0; 16];
    for ((out, byte), mask) in inside.iter_mut().zip(masked).zip(mask) {
        *out = byte ^ mask;
    }
    if hash(&[network.as_bytes(), &inside]) != check {
        return None;
    }
    inside.first_chunk().map(|slot| u64::from_be_bytes(*slot))
}

/// Why a blockhash is not good at a time, if it is not.
pub fn why_not(network: &str, blockhash: [u8; 32], now: u64) -> Option<String> {
    let Some(made) = slot_of(network, blockhash) else {
        let text = bs58::encode(blockhash).into_string();
        return Some(format!("{network} never had the blockhash {text}; ask the simulated chain for one"));
    };
    let now = slot(now);
    if made > now + AHEAD {
        return Some(format!("the blockhash is of slot {made}, and the chain is at slot {now}"));
    }
    let age = now.saturating_sub(made);
    (age > LIFETIME).then(|| format!("the blockhash is {age} slots old; it is good for {LIFETIME}"))
}

fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn a_blockhash_is_good_for_a_minute_on_its_network() {
        let slot = slot(NOW);
        let made = make("solana:a", slot, 7);
        assert_eq!(slot_of("solana:a", made), Some(slot));
        assert_eq!(why_not("solana:a", made, NOW), None);
        assert_eq!(why_not("solana:a", made, NOW + LIFETIME * SLOT), None);
        for (network, at, part) in [
            ("solana:a", NOW + (LIFETIME + 1) * SLOT, "151 slots old"),
            ("solana:a", NOW - 5 * SLOT, "the chain is at slot"),
            ("solana:b", NOW, "never had"),
        ] {
            let why = why_not(network, made, at).unwrap();
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn no_two_are_equal() {
        let all: std::collections::BTreeSet<_> =
            (0..100).flat_map(|number| [make("a", 5, number), make("a", 6, number)]).collect();
        assert_eq!(all.len(), 200);
    }
}
