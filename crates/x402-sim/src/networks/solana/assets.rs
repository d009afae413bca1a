//! The clusters, and the mints that are known on them.
//!
//! Source: TS 2.27 svm `constants.ts`, `defaultAssets.ts`.

use super::key::Key;
use super::program;
use crate::networks::{Asset, Family, Network, Stage, Transfer};

/// The CAIP-2 id of devnet.
pub const DEVNET: &str = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
/// The CAIP-2 id of testnet.
pub const TESTNET: &str = "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z";
/// The CAIP-2 id of the main network.
pub const MAINNET: &str = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";

/// Symbol and address of the mints of devnet and testnet; the first is what a dollar means.
const TEST_MINTS: [(&str, &str); 3] = [
    ("USDC", "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"),
    ("USDG", "4F6PM96JJxngmHnZLBh9n58RH4aTVNWvDs2nuwrT5BP7"),
    ("PYUSD", "CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM"),
];

/// Those of the main network.
const MAIN_MINTS: [(&str, &str); 5] = [
    ("USDC", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
    ("USDT", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"),
    ("USDG", "2u1tszSeqZ3qBWF3uNGPFc8TzMk2tdiwknnRMWGWjGWH"),
    ("PYUSD", "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo"),
    ("CASH", "CASHx9KJUStyftLFWGvEVf59SGeG9sh5FfcnZMVPCASH"),
];

/// The mints that Token-2022 keeps.
const TOKEN_2022: [&str; 5] = [TEST_MINTS[1].1, TEST_MINTS[2].1, MAIN_MINTS[2].1, MAIN_MINTS[3].1, MAIN_MINTS[4].1];

/// All of them have the same decimals.
const DECIMALS: u8 = 6;

/// Every network of this family that is known without configuration.
pub fn known() -> Vec<Network> {
    let network = |id: &str, name: &str, v1_name: &str, stage, mints: &[(&str, &str)]| Network {
        id: id.to_owned(),
        name: name.to_owned(),
        v1_name: Some(v1_name.to_owned()),
        stage,
        family: Family::Solana,
        assets: mints.iter().map(|(symbol, address)| asset(symbol, address, DECIMALS)).collect(),
    };
    vec![
        network(DEVNET, "Solana Devnet", "solana-devnet", Stage::Test, &TEST_MINTS),
        network(TESTNET, "Solana Testnet", "solana-testnet", Stage::Test, &TEST_MINTS),
        network(MAINNET, "Solana", "solana", Stage::Main, &MAIN_MINTS),
    ]
}

/// Lamports, as the ledger counts them beside the mints.
pub fn native() -> Asset {
    asset("SOL", &super::NATIVE.to_string(), 9)
}

fn asset(symbol: &str, address: &str, decimals: u8) -> Asset {
    Asset {
        address: address.to_owned(),
        symbol: symbol.to_owned(),
        name: symbol.to_owned(),
        version: String::new(),
        decimals,
        transfer: Transfer::Spl,
        eip2612: false,
    }
}

/// The token program that keeps a mint. A mint of the configuration is kept by SPL Token.
pub fn token_program(mint: &str) -> Key {
    if TOKEN_2022.contains(&mint) { program::TOKEN_2022 } else { program::TOKEN }
}
