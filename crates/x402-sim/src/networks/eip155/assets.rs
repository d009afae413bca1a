//! The networks of the `eip155` family that are known without configuration, their version 1 names and assets.
//!
//! Source: TS 2.27 evm `src/defaultAssets.ts` and `src/constants.ts`.

use crate::networks::Stage::{self, Main, Test};
use crate::networks::Transfer::{self, Eip3009, Permit2};
use crate::networks::{Asset, Family, Network};

/// Chain id, name, stage, and assets as (address, symbol, EIP-712 name, EIP-712 version, decimals, transfer).
type Row = (u64, &'static str, Stage, &'static [AssetRow]);
type AssetRow = (&'static str, &'static str, &'static str, &'static str, u8, Transfer);

const NETWORKS: &[Row] = &[
    (84532, "Base Sepolia", Test, &[("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "USDC", "2", 6, Eip3009)]),
    (
        2201,
        "Stable Testnet",
        Test,
        &[("0x78Cf24370174180738C5B8E352B6D14c83a6c9A9", "USDT0", "USDT0", "1", 6, Eip3009)],
    ),
    (
        421_614,
        "Arbitrum Sepolia",
        Test,
        &[("0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", "USDC", "USD Coin", "2", 6, Eip3009)],
    ),
    (
        181_228,
        "HPP Sepolia",
        Test,
        &[("0x401eCb1D350407f13ba348573E5630B83638E30D", "USDC.e", "Bridged USDC", "2", 6, Eip3009)],
    ),
    (51, "XDC Apothem", Test, &[("0xb5AB69F7bBada22B28e79C8FFAECe55eF1c771D4", "USDC", "USDC", "2", 6, Eip3009)]),
    (
        11_142_220,
        "Celo Sepolia",
        Test,
        &[("0x01C5C0122039549AD1493B8220cABEdD739BC44E", "USDC", "USDC", "2", 6, Eip3009)],
    ),
    (1328, "Sei Testnet", Test, &[("0x4fCF1784B31630811181f670Aea7A7bEF803eaED", "USDC", "USDC", "2", 6, Eip3009)]),
    (
        31611,
        "Mezo Testnet",
        Test,
        &[("0x118917a40FAF1CD7a13dB0Ef56C86De7973Ac503", "mUSD", "Mezo USD", "1", 18, Permit2)],
    ),
    (
        72344,
        "Radius Testnet",
        Test,
        &[("0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", "SBC", "Stable Coin", "1", 6, Permit2)],
    ),
    (8453, "Base", Main, &[("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USDC", "USD Coin", "2", 6, Eip3009)]),
    (1, "Ethereum", Main, &[("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", "USD Coin", "2", 6, Eip3009)]),
    (43114, "Avalanche", Main, &[("0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USDC", "USD Coin", "2", 6, Eip3009)]),
    (4326, "MegaETH", Main, &[("0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", "MegaUSD", "MegaUSD", "1", 18, Permit2)]),
    (143, "Monad", Main, &[("0x754704Bc059F8C67012fEd69BC8A327a5aafb603", "USDC", "USDC", "2", 6, Eip3009)]),
    (988, "Stable", Main, &[("0x779Ded0c9e1022225f8E0630b35a9b54bE713736", "USDT0", "USDT0", "1", 6, Eip3009)]),
    (137, "Polygon", Main, &[("0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USDC", "USD Coin", "2", 6, Eip3009)]),
    (
        42161,
        "Arbitrum One",
        Main,
        &[("0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USDC", "USD Coin", "2", 6, Eip3009)],
    ),
    (31612, "Mezo", Main, &[("0xdD468A1DDc392dcdbEf6db6e34E89AA338F9F186", "mUSD", "Mezo USD", "1", 18, Permit2)]),
    (723_487, "Radius", Main, &[("0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", "SBC", "Stable Coin", "1", 6, Permit2)]),
    (36900, "ADI Chain", Main, &[("0x9cb8142aEBBcdc60AF7c97Af897A67A8f3CA71C2", "USDC.e", "USDC.e", "2", 6, Eip3009)]),
    (
        190_415,
        "HPP",
        Main,
        &[("0x401eCb1D350407f13ba348573E5630B83638E30D", "USDC.e", "Bridged USDC", "2", 6, Eip3009)],
    ),
    (50, "XDC", Main, &[("0xfA2958CB79b0491CC627c1557F441eF849Ca8eb1", "USDC", "USDC", "2", 6, Eip3009)]),
    (38833, "Igra", Main, &[("0xA5b8BF902b2844dA17d4506cc827F7F1681735E7", "USDC", "USDC", "1", 6, Permit2)]),
    (14, "Flare", Main, &[("0xe7cd86e13AC4309349F30B3435a9d337750fC82D", "USDT0", "USD\u{20AE}0", "1", 6, Eip3009)]),
    (
        42220,
        "Celo",
        Main,
        &[
            ("0xcebA9300f2b948710d2653dD7B07f33A8B32118C", "USDC", "USDC", "2", 6, Eip3009),
            ("0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", "USDT", "Tether USD", "1", 6, Eip3009),
            ("0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771", "USAT", "Tether America USD", "1", 6, Eip3009),
        ],
    ),
    (1329, "Sei", Main, &[("0xe15fC38F6D8c56aF07bbCBe3BAf5708A2Bf42392", "USDC", "USDC", "2", 6, Eip3009)]),
];

/// The names that protocol version 1 gives to chain ids. Where the SDKs differ, TypeScript's.
pub const V1_NAMES: &[(&str, u64)] = &[
    ("ethereum", 1),
    ("sepolia", 11_155_111),
    ("abstract", 2741),
    ("abstract-testnet", 11124),
    ("base-sepolia", 84532),
    ("base", 8453),
    ("avalanche-fuji", 43113),
    ("avalanche", 43114),
    ("iotex", 4689),
    ("sei", 1329),
    ("sei-testnet", 1328),
    ("polygon", 137),
    ("polygon-amoy", 80002),
    ("peaq", 3338),
    ("story", 1514),
    ("educhain", 41923),
    ("skale-base-sepolia", 324_705_682),
    ("megaeth", 4326),
    ("monad", 143),
    ("stable", 988),
    ("stable-testnet", 2201),
    ("celo", 42220),
    ("flare", 14),
];

/// The version 1 name of a chain, if it has one.
pub fn v1_name(chain_id: u64) -> Option<&'static str> {
    V1_NAMES.iter().find(|(_, id)| *id == chain_id).map(|(name, _)| *name)
}

/// The chain that a version 1 name means.
pub fn v1_chain_id(name: &str) -> Option<u64> {
    V1_NAMES.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Every network of this family that is known without configuration: test networks first.
pub fn known() -> Vec<Network> {
    NETWORKS.iter().map(network).collect()
}

fn network((chain_id, name, stage, assets): &Row) -> Network {
    Network {
        id: format!("eip155:{chain_id}"),
        name: (*name).to_owned(),
        v1_name: v1_name(*chain_id).map(str::to_owned),
        stage: *stage,
        family: Family::Eip155,
        assets: assets.iter().map(asset).collect(),
    }
}

fn asset((address, symbol, name, version, decimals, transfer): &AssetRow) -> Asset {
    Asset {
        address: (*address).to_owned(),
        symbol: (*symbol).to_owned(),
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        decimals: *decimals,
        transfer: *transfer,
        // Source: `supportsEip2612`; Igra's is the one that lacks it.
        eip2612: *address != "0xA5b8BF902b2844dA17d4506cc827F7F1681735E7",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::eip155;

    #[test]
    fn every_address_in_the_table_has_its_checksum() {
        for network in known() {
            for asset in &network.assets {
                let address = eip155::parse_address(&asset.address).unwrap();
                assert_eq!(eip155::checksum(address), asset.address, "{network}");
            }
        }
    }
}
