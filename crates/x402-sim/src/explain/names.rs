//! Addresses that have a name: test accounts, assets, contracts, programs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alloy_primitives::Address;

use crate::accounts;
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, UPTO_PROXY};
use crate::networks::eip155::{self, PERMIT2, checksum};
use crate::networks::solana::{self, key::Key, program};
use crate::networks::{Asset, Family};
use crate::registry;

/// Contracts at the same address on every chain.
const CONTRACTS: [(Address, &str); 7] = [
    (PERMIT2, "the Permit2 contract"),
    (EXACT_PROXY, "the x402 proxy of exact for Permit2"),
    (UPTO_PROXY, "the x402 proxy of upto for Permit2"),
    (alloy_primitives::address!("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003"), "the x402 batch settlement contract"),
    (alloy_primitives::address!("cA11bde05977b3631167028862bE2a173976CA11"), "Multicall3"),
    (alloy_primitives::address!("0BA5ED0c6AA8c49038F819E587E2633c4A9F428a"), "the factory of Coinbase smart wallets"),
    (Address::ZERO, "the zero address"),
];

/// The name of an account of the `eip155` family.
pub fn account(address: Address) -> Option<String> {
    let own = accounts::all().find(|account| account.evm() == address).map(|account| test_account(&account));
    own.or_else(|| CONTRACTS.iter().find(|(own, _)| *own == address).map(|(_, name)| (*name).to_owned()))
}

/// The name of whatever an address of either family names; on one network, where it is known which.
pub fn of(text: &str, network: Option<&str>) -> Option<String> {
    if let Some(address) = eip155::parse_address(text) {
        return account(address).or_else(|| asset(&checksum(address), network));
    }
    let key = Key(solana::parse_address(text)?);
    let own = accounts::all().find(|account| account.solana_address == text).map(|account| test_account(&account));
    own.or_else(|| program::find(key).map(|program| format!("the {} program", program.name)))
        .or_else(|| asset(text, network))
        .or_else(|| token_account(key))
}

fn test_account(account: &accounts::TestAccount) -> String {
    match (account.persona(), account.role()) {
        (Some(persona), _) => format!("persona {}, test account {}", persona.name, account.index),
        (None, "payer") => format!("test account {}", account.index),
        (None, role) => format!("test account {}, the mock's {role}", account.index),
    }
}

/// An asset at an address: on the network first that is asked for.
fn asset(address: &str, network: Option<&str>) -> Option<String> {
    let networks = registry::networks();
    let known = networks.iter().filter_map(|own| Some((own, own.asset_by_address(address)?)));
    let mut known: Vec<_> = known.collect();
    known.sort_by_key(|(own, _)| !network.is_some_and(|name| own.is_called(name)));
    let (own, asset) = known.first()?;
    Some(format!("{} on {}", asset.symbol, own.name))
}

/// The token accounts of the test accounts, of every mint that is known. Deriving one costs some hashes, so that it is
/// done once.
static TOKEN_ACCOUNTS: LazyLock<BTreeMap<Key, String>> = LazyLock::new(|| {
    let networks = registry::networks();
    let solana = networks.iter().filter(|network| network.family == Family::Solana);
    let mints =
        solana.flat_map(|network| &network.assets).filter_map(|asset| Some((asset, Key::parse(&asset.address)?)));
    let of_mint = |(asset, mint): (&Asset, Key)| {
        let token_program = solana::assets::token_program(&asset.address);
        let symbol = asset.symbol.clone();
        accounts::test_accounts().map(move |account| {
            let key = Key::token_account(solana::key_of(&account), mint, token_program);
            (key, format!("the {symbol} token account of {}", test_account(&account)))
        })
    };
    // Where mints stand in the table more than once, the first names them.
    let mut all = BTreeMap::new();
    for (key, name) in mints.flat_map(of_mint) {
        all.entry(key).or_insert(name);
    }
    all
});

/// A token account of a test account, of a mint that is known.
fn token_account(key: Key) -> Option<String> {
    TOKEN_ACCOUNTS.get(&key).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_addresses_have_names() {
        for (text, name) in [
            ("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "test account 0"),
            ("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC on Base Sepolia"),
            ("0x036cbd53842c5426634e7929541ec2318f3dcf7e", "USDC on Base Sepolia"),
            ("0x000000000022D473030F116dDEE9F6B43aC78BA3", "the Permit2 contract"),
            ("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "the Token program"),
        ] {
            assert_eq!(of(text, None).as_deref(), Some(name), "{text}");
        }
        assert_eq!(of("0x1111111111111111111111111111111111111111", None), None);
        let payer = solana::key_of(&accounts::test_accounts().next().unwrap());
        let mint = Key::parse("4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU").unwrap();
        let account = Key::token_account(payer, mint, program::TOKEN);
        assert_eq!(of(&account.to_string(), None).as_deref(), Some("the USDC token account of test account 0"));
    }
}
