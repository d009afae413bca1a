//! Lookup tables. Nobody can make one here; each cluster has one from the start, so that clients can be tried with it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::key::Key;
use super::{known, program};
use crate::accounts;
use crate::networks::Network;

/// The lookup table of every cluster: programs, the cluster's mints, and the addresses of the test accounts.
pub fn address() -> Key {
    static ADDRESS: OnceLock<Key> = OnceLock::new();
    let derive = || Key::derived(&[b"x402-dev lookup table"], program::LOOKUP_TABLE);
    *ADDRESS.get_or_init(|| derive().map_or(Key::default(), |(key, _)| key))
}

/// What a lookup table of a cluster holds, if there is one at an address.
pub fn find(network: &str, key: Key) -> Option<&'static [Key]> {
    (key == address()).then(|| entries(network))
}

/// Deriving them takes a thousand times longer than looking: a transaction may name the table as often as it likes.
fn entries(network: &str) -> &'static [Key] {
    static ALL: OnceLock<BTreeMap<String, Vec<Key>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mints =
            |own: &Network| -> Vec<Key> { own.assets.iter().filter_map(|asset| Key::parse(&asset.address)).collect() };
        let known = known().into_iter().map(|own| (held(&mints(&own)), own.id));
        known.chain([(held(&[]), OTHER.to_owned())]).map(|(held, network)| (network, held)).collect()
    });
    all.get(network).or_else(|| all.get(OTHER)).map_or(&[], Vec::as_slice)
}

/// A cluster that is known by configuration only.
const OTHER: &str = "";

fn held(mints: &[Key]) -> Vec<Key> {
    let programs = program::PROGRAMS.iter().map(|program| program.id);
    let owners: Vec<Key> = accounts::all().filter_map(|account| Key::parse(account.solana_address)).collect();
    let accounts = owners
        .iter()
        .flat_map(|owner| mints.iter().take(1).map(|mint| Key::token_account(*owner, *mint, program::TOKEN)));
    programs.chain(mints.iter().copied()).chain(owners.iter().copied()).chain(accounts).collect()
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
pub(crate) fn name(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
