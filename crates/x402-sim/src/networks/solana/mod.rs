//! The `solana` family: ids, the assets of devnet, and the test accounts that invoices name.

use crate::networks::{Asset, Family, Network, Stage, Transfer};

/// The CAIP-2 id of devnet.
pub const DEVNET: &str = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";

/// The addresses of the test accounts 0-19: the test mnemonic by SLIP-0010 at `m/44'/501'/i'/0'`.
pub const TEST_ADDRESSES: [&str; 20] = [
    "oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96",
    "AqynRZwvVqUPRwRJXvm6odUb3t93fDjnWe3p6BeuUFxD",
    "CqMbRgMuEhQi9BUS8xP44Wk5nENm48FqJnfjEi4eNb1k",
    "9Tj3srBSxH7RFRCm8uharreY7ZBS49XSfpwCeYa7Xaqp",
    "6gYw7q94fJdEwL8WkT1a6LHBdTMbix1aciALwEWPx3Wp",
    "7EeV8eiRuGoR8bFHCjdCRGQd1RM5sR2dAkdiTEtC9ko7",
    "F9fVg2LeE2RhM6CfNn888hbjqovZDEWY3vm2hEkvX3Nh",
    "26roUwgM5T6bccX41hakjiW4fDiKFSao1RyoFsAxr6e6",
    "5mCGtMUD21HEvWJxKGKS6HEAH7ezzy12MWGs4bPgcJwV",
    "2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab",
    "6FvbTFsvAeiN6agSCxqsh2WM5xGw3GNAQ2A4M1xWPYfc",
    "Co9iaX5MKFXUds9wbdhtJw4eVCqiUJHJEqEyzrJAh7Dt",
    "85FUbwziFK8H2LzwG3sQ78iT9axkrct91cLCpet6hZPC",
    "BLTqd86WFbBVzwscvVVSnQZEeJZnYP8xRbaHBqGmPrEh",
    "5Jnn8wes5Adzc7RKmEZZLmbd2Yr37HW6nGU8x8V37v2w",
    "F2HeEd4ENcce9tmnFsxJtjkDDEs3JtfLEZgCmngyG2Fz",
    "4fNNXcemx1jQ1crbXfADJ8tdkB5sTccjRp6bH6HJFnV5",
    "9hPmaarJSc15DQz2zUkKmr67bUUsrbwMp1Zrzw7mhxt2",
    "98jmNurpJPD6G1i9PEbSTzBEcKBQfeN88P1YLzfSV9wA",
    "5AWnYCGhpNR6pXax2xpvUujjtZogmJb9RrWHApWQqe4W",
];

/// Every network of this family that is known without configuration.
pub fn known() -> Vec<Network> {
    vec![Network {
        id: DEVNET.to_owned(),
        name: "Solana Devnet".to_owned(),
        v1_name: Some("solana-devnet".to_owned()),
        stage: Stage::Test,
        family: Family::Solana,
        assets: vec![Asset {
            address: "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU".to_owned(),
            symbol: "USDC".to_owned(),
            name: "USDC".to_owned(),
            version: String::new(),
            decimals: 6,
            transfer: Transfer::Spl,
        }],
    }]
}

/// The 32 bytes of an address, if the text is base58 of exactly that many.
pub fn parse_address(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let length = bs58::decode(text).onto(&mut bytes).ok()?;
    (length == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_addresses_and_mints_are_32_bytes() {
        let mints = known().into_iter().flat_map(|network| network.assets).map(|asset| asset.address);
        for address in TEST_ADDRESSES.iter().map(ToString::to_string).chain(mints) {
            assert!(parse_address(&address).is_some(), "{address}");
        }
    }
}
