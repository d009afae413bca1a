//! The networks that a world has enabled, and their tokens as the chain knows them.

use alloy_primitives::{Address, B256};

use crate::accounts::TestAccount;
use crate::ledger::{Account, AssetId};
use crate::networks::eip155::eip712::Domain;
use crate::networks::family::Kept;
use crate::networks::{self, Asset, Family, Network, Transfer, eip155, solana};
use crate::registry::{PAIRS, Pair, Version};
use x402_wire::facilitator::{SupportedKind, SupportedResponse};

/// The enabled networks. A world replaces it whole when it is reconfigured.
#[derive(Clone, Debug)]
pub struct Catalog {
    networks: Vec<Network>,
    tokens: Vec<Token>,
    mints: Vec<Mint>,
    /// What each number means, from [`INVOICE_ASSET`] on.
    numbers: Vec<Number>,
}

/// What a number of the ledger means: a token or a mint by its place.
#[derive(Clone, Copy, Debug)]
enum Number {
    Token(usize),
    Mint(usize),
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

/// An asset of a family whose chains know no domain: a mint on Solana.
#[derive(Clone, Debug)]
pub struct Mint {
    /// Its number in the ledger.
    pub id: AssetId,
    /// The id of its network.
    pub network: String,
    /// Its address.
    pub address: [u8; 32],
    /// Its symbol and decimals.
    pub asset: Asset,
}

/// The ledger's number for the currency of invoices (USDC on Solana devnet).
pub const INVOICE_ASSET: AssetId = AssetId(0);

impl Catalog {
    /// A catalog of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        let mut catalog = Self { networks: Vec::new(), tokens: Vec::new(), mints: Vec::new(), numbers: Vec::new() };
        // Invoices are paid in it, whether or not its network is enabled.
        let devnet = solana::known().into_iter().find(|network| network.id == solana::DEVNET);
        if let Some(devnet) = devnet {
            devnet.assets.iter().take(1).for_each(|asset| catalog.add_mint(&devnet, asset));
        }
        catalog.renewed(networks)
    }

    /// A catalog of other networks in which every asset that was known keeps its number: the ledger counts by it.
    ///
    /// # Panics
    ///
    /// With more than 65,535 assets.
    pub fn renewed(&self, networks: Vec<Network>) -> Self {
        let mut catalog = self.clone();
        for network in &networks {
            let row = network.family.row();
            for asset in (row.natives)().iter().chain(&network.assets) {
                match row.kept {
                    Kept::Token => catalog.add_token(network, asset),
                    Kept::Mint => catalog.add_mint(network, asset),
                }
            }
        }
        Self { networks, ..catalog }
    }

    fn next_id(&self) -> AssetId {
        AssetId(u16::try_from(self.numbers.len()).expect("fewer than 65,536 assets are configured"))
    }

    fn add_token(&mut self, network: &Network, asset: &Asset) {
        let Some(token) = Token::new(self.next_id(), network, asset) else { return };
        let is_known = |known: &&mut Token| known.contract == token.contract && known.network == token.network;
        if let Some(known) = self.tokens.iter_mut().find(is_known) {
            *known = Token { id: known.id, ..token };
        } else {
            self.numbers.push(Number::Token(self.tokens.len()));
            self.tokens.push(token);
        }
    }

    fn add_mint(&mut self, network: &Network, asset: &Asset) {
        let Some(Account(address)) = networks::account(network, &asset.address) else { return };
        let (id, asset) = (self.next_id(), asset.clone());
        let mint = Mint { id, network: network.id.clone(), address, asset };
        if let Some(known) =
            self.mints.iter_mut().find(|known| known.address == address && known.network == mint.network)
        {
            *known = Mint { id: known.id, ..mint };
        } else {
            self.numbers.push(Number::Mint(self.mints.len()));
            self.mints.push(mint);
        }
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
        match self.numbers.get(usize::from(id.0))? {
            Number::Token(place) => self.tokens.get(*place),
            Number::Mint(_) => None,
        }
    }

    /// The mint with a number.
    pub fn mint_by_id(&self, id: AssetId) -> Option<&Mint> {
        match self.numbers.get(usize::from(id.0))? {
            Number::Mint(place) => self.mints.get(*place),
            Number::Token(_) => None,
        }
    }

    /// The mint at an address of a network.
    pub fn mint(&self, network: &str, address: &[u8; 32]) -> Option<&Mint> {
        self.mints.iter().find(|mint| mint.address == *address && mint.network == network)
    }

    /// The network's id and the asset that a number means.
    pub fn asset(&self, id: AssetId) -> Option<(&str, &Asset)> {
        match self.numbers.get(usize::from(id.0))? {
            Number::Token(place) => self.tokens.get(*place).map(|token| (token.network.as_str(), &token.asset)),
            Number::Mint(place) => self.mints.get(*place).map(|mint| (mint.network.as_str(), &mint.asset)),
        }
    }

    /// The number of an asset that is written as in offers; Ethereum addresses in any case.
    pub fn number(&self, network: &str, address: &str) -> Option<AssetId> {
        let row = Family::of(network)?.row();
        let account = (row.account)(address)?;
        match row.kept {
            Kept::Token => self.token(network, Address::from_slice(&account.0[12..])).map(|token| token.id),
            Kept::Mint => self.mint(network, &account.0).map(|mint| mint.id),
        }
    }

    /// Every asset that ever was enabled, in the order of their numbers: number, id of its network, asset.
    pub fn assets(&self) -> impl Iterator<Item = (AssetId, &str, &Asset)> {
        let numbers = (0..self.numbers.len()).filter_map(|number| u16::try_from(number).ok()).map(AssetId);
        numbers.filter_map(|id| self.asset(id).map(|(network, asset)| (id, network, asset)))
    }

    /// Every token.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Every mint.
    pub fn mints(&self) -> &[Mint] {
        &self.mints
    }

    /// What a facilitator in this world can truly verify and settle.
    pub fn supported(&self, facilitator: &TestAccount) -> SupportedResponse {
        let mut answer = SupportedResponse::default();
        for pair in PAIRS {
            for network in self.networks.iter().filter(|network| pair.plays_on(network)) {
                let name = match pair.version {
                    Version::V2 => Some(&network.id),
                    Version::V1 => network.v1_name.as_ref(),
                };
                let kind = name.map(|name| SupportedKind {
                    x402_version: pair.version.number(),
                    scheme: pair.scheme.to_owned(),
                    network: name.clone(),
                    extra: (pair.extra)(facilitator),
                });
                // Several instruments of one scheme are one kind.
                answer.kinds.extend(kind.filter(|kind| !answer.kinds.contains(kind)));
                let row = pair.family.row();
                answer.signers.insert(row.signers.to_owned(), vec![(row.address_of)(facilitator).into_owned()]);
            }
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

impl Pair {
    /// Whether an asset of this network can be paid this way.
    pub fn plays_on(&self, network: &Network) -> bool {
        self.family == network.family && network.assets.iter().any(|asset| self.moves(asset))
    }

    /// Whether an asset of a network of this family can be moved this way. Permit2 moves every token.
    pub fn moves(&self, asset: &Asset) -> bool {
        self.instrument == Transfer::Permit2 || asset.transfer == self.instrument
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
