//! The networks that a world has enabled, and their tokens as the chain knows them.

use alloy_primitives::{Address, B256};

use crate::ledger::{Account, AssetId};
use crate::networks::eip155::eip712::Domain;
use crate::networks::{Asset, Family, Network, eip155, solana};
use crate::registry::{self, PAIRS, Version};
use x402_wire::facilitator::{SupportedKind, SupportedResponse};

/// The enabled networks. A world replaces it whole when it is reconfigured.
#[derive(Clone, Debug)]
pub struct Catalog {
    networks: Vec<Network>,
    tokens: Vec<Token>,
}

/// A token of the `eip155` family as deployed: what its contract answers to `name()`, `version()` and the rest.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its number in the ledger.
    pub id: AssetId,
    /// The id of its network.
    pub network: String,
    /// The chain.
    pub chain_id: u64,
    /// Its address.
    pub contract: Address,
    /// Its name, version, symbol and decimals.
    pub asset: Asset,
    /// Its domain separator.
    pub separator: B256,
}

/// The ledger's number for the currency of invoices (USDC on Solana devnet).
pub const INVOICE_ASSET: AssetId = AssetId(0);

impl Catalog {
    /// A catalog of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self { networks: Vec::new(), tokens: Vec::new() }.renewed(networks)
    }

    /// A catalog of other networks in which every token that was known keeps its number: the ledger counts by it.
    ///
    /// # Panics
    ///
    /// With more than 65,534 tokens.
    pub fn renewed(&self, networks: Vec<Network>) -> Self {
        let mut tokens = self.tokens.clone();
        for network in networks.iter().filter(|network| network.family == Family::Eip155) {
            for asset in &network.assets {
                let number = u16::try_from(tokens.len() + 1).expect("fewer than 65,535 assets are configured");
                let Some(token) = Token::new(AssetId(number), network, asset) else { continue };
                let known =
                    tokens.iter_mut().find(|known| known.contract == token.contract && known.network == token.network);
                match known {
                    Some(known) => *known = Token { id: known.id, ..token },
                    None => tokens.push(token),
                }
            }
        }
        Self { networks, tokens }
    }

    /// The enabled networks, in the order in which they were named.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// The enabled network with this CAIP-2 id (version 2) or name (version 1).
    pub fn network(&self, version: Version, text: &str) -> Option<&Network> {
        self.networks.iter().find(|network| match version {
            Version::V2 => network.id == text,
            Version::V1 => network.v1_name.as_deref() == Some(text),
        })
    }

    /// The token at an address of a network.
    pub fn token(&self, network: &str, contract: Address) -> Option<&Token> {
        self.tokens.iter().find(|token| token.contract == contract && token.network == network)
    }

    /// The token with a number.
    pub fn token_by_id(&self, id: AssetId) -> Option<&Token> {
        self.tokens.get(usize::from(id.0).checked_sub(1)?)
    }

    /// Every token.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// What a facilitator in this world can truly verify and settle.
    pub fn supported(&self, facilitator: &str) -> SupportedResponse {
        let mut answer = SupportedResponse::default();
        for pair in PAIRS {
            for network in self.networks.iter().filter(|network| pair.plays_on(network)) {
                let name = match pair.version {
                    Version::V2 => Some(&network.id),
                    Version::V1 => network.v1_name.as_ref(),
                };
                answer.kinds.extend(name.map(|name| SupportedKind {
                    x402_version: pair.version.number(),
                    scheme: pair.scheme.to_owned(),
                    network: name.clone(),
                    extra: None,
                }));
            }
        }
        if !answer.kinds.is_empty() {
            answer.signers.insert("eip155:*".to_owned(), vec![facilitator.to_owned()]);
        }
        answer
    }
}

impl Token {
    /// `None` where the address or the chain id is not of this family.
    fn new(id: AssetId, network: &Network, asset: &Asset) -> Option<Self> {
        let contract = eip155::parse_address(&asset.address)?;
        let chain_id = network.chain_id()?;
        let domain = Domain { name: &asset.name, version: &asset.version, chain_id, contract };
        let separator = domain.separator();
        Some(Self { id, network: network.id.clone(), chain_id, contract, asset: asset.clone(), separator })
    }
}

impl registry::Pair {
    /// Whether an asset of this network can be paid this way.
    pub fn plays_on(&self, network: &Network) -> bool {
        self.family == network.family && network.assets.iter().any(|asset| asset.transfer == self.instrument)
    }
}

impl From<Address> for Account {
    fn from(address: Address) -> Self {
        Self(address.into_word().0)
    }
}

/// The account at a Solana address.
pub fn solana_account(address: &str) -> Option<Account> {
    solana::parse_address(address).map(Account)
}
