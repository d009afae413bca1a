//! Lookup tables. Nobody can make one here; each cluster has one from the start, so that clients can be tried with it.

use sha2::{Digest, Sha256};

use super::key::Key;
use super::{known, program};
use crate::accounts;

/// The lookup table of every cluster: programs, the cluster's mints, and the addresses of the test accounts.
pub fn address() -> Key {
    Key::derived(&[b"x402-dev lookup table"], program::LOOKUP_TABLE).map_or(Key::default(), |(key, _)| key)
}

/// What a lookup table of a cluster holds, if there is one at an address.
pub fn find(network: &str, key: Key) -> Option<Vec<Key>> {
    (key == address()).then(|| entries(network))
}

fn entries(network: &str) -> Vec<Key> {
    let programs = program::PROGRAMS.iter().map(|program| program.id);
    let networks = known();
    let mints = networks.iter().filter(|own| own.id == network).flat_map(|own| &own.assets);
    let mints: Vec<Key> = mints.filter_map(|asset| Key::parse(&asset.address)).collect();
    let owners: Vec<Key> = accounts::all().filter_map(|account| Key::parse(account.solana_address)).collect();
    let held = owners
        .iter()
        .flat_map(|owner| mints.iter().take(1).map(|mint| Key::token_account(*owner, *mint, program::TOKEN)));
    programs.chain(mints.iter().copied()).chain(owners.iter().copied()).chain(held).collect()
}

/// The account's data as the chain keeps it: 56 bytes about the table, then the addresses.
///
/// Source: `AddressLookupTable::deserialize`.
pub fn data(network: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(56);
    data.extend(1_u32.to_le_bytes());
    data.extend(u64::MAX.to_le_bytes()); // never deactivated
    data.extend(0_u64.to_le_bytes()); // last extended in slot 0
    data.extend([0, 0]); // from index 0; nobody has authority over it
    data.resize(56, 0);
    for key in entries(network) {
        data.extend(key.0);
    }
    data
}

/// A hash that names a thing once: that a token account was made.
pub(super) fn name(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
