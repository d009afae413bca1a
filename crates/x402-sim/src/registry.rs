//! The only lists: which families and networks are known, and which (version, scheme, instrument) pairs are played on
//! them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use x402_wire::json::Json;

use crate::accounts::TestAccount;
use crate::facilitator::{Denial, Judged, Trial};
use crate::networks::eip155::{eip3009, permit2};
use crate::networks::family::FamilyRow;
use crate::networks::solana::exact as svm;
use crate::networks::{Asset, Network, Stage, eip155, solana};

/// A family of networks that share address form, signatures and chain rules. Its number is its place among
/// [`FAMILIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Ethereum and its like: `eip155:<chain id>`.
    Eip155,
    /// Solana clusters: `solana:<genesis hash>`.
    Solana,
}

/// How an asset can be moved by somebody else's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transfer {
    /// `transferWithAuthorization` of EIP-3009.
    Eip3009,
    /// Only by the Permit2 contract.
    Permit2,
    /// An SPL token's `TransferChecked`.
    Spl,
}

/// Every family, in the order of [`Family`].
pub static FAMILIES: [&FamilyRow; 2] = [&eip155::family::ROW, &solana::family::ROW];

/// Every network that is known without configuration, test networks first.
pub fn networks() -> Vec<Network> {
    let mut all: Vec<Network> = FAMILIES.iter().flat_map(|row| (row.known)()).collect();
    all.sort_by_key(|network| network.stage == Stage::Main);
    all
}

/// One way to pay that this simulation plays, with all that it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The protocol version.
    pub version: Version,
    /// The scheme.
    pub scheme: &'static str,
    /// How the asset is moved.
    pub instrument: Transfer,
    /// On which family of networks.
    pub family: Family,
    /// The member of `paymentPayload.payload` that says this instrument, where several share a scheme. The pair without
    /// one takes what no other does.
    pub marker: Option<&'static str>,
    /// What an offer says of the asset.
    pub terms: fn(&Asset) -> Vec<(&'static str, String)>,
    /// What a server must copy from `/supported` into its offers.
    pub extra: fn(&TestAccount) -> Option<Map<String, Value>>,
    /// Judges a request: decodes the claim, runs the order, makes the charge.
    pub judge: for<'a> fn(&Trial<'a>) -> Result<Judged, Denial>,
    /// The folder of recorded answers of the official facilitator in `fixtures/vectors`.
    pub vectors: &'static str,
}

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// Protocol version 1.
    V1,
    /// Protocol version 2.
    V2,
}

/// Every pair: `/supported`, offers and verification know these and no others.
pub const PAIRS: &[Pair] = &[
    Pair {
        version: Version::V2,
        scheme: "exact",
        instrument: Transfer::Eip3009,
        family: Family::Eip155,
        marker: None,
        terms: eip3009::terms,
        extra: nothing,
        judge: eip3009::judge,
        vectors: "exact-eip155",
    },
    Pair {
        version: Version::V1,
        scheme: "exact",
        instrument: Transfer::Eip3009,
        family: Family::Eip155,
        marker: None,
        terms: eip3009::terms,
        extra: nothing,
        judge: eip3009::judge,
        vectors: "exact-eip155",
    },
    Pair {
        version: Version::V2,
        scheme: "exact",
        instrument: Transfer::Permit2,
        family: Family::Eip155,
        marker: Some("permit2Authorization"),
        terms: permit2::exact_terms,
        extra: nothing,
        judge: permit2::judge_exact,
        vectors: "exact-permit2-eip155",
    },
    Pair {
        version: Version::V2,
        scheme: "upto",
        instrument: Transfer::Permit2,
        family: Family::Eip155,
        marker: None,
        terms: permit2::upto_terms,
        extra: permit2::upto_extra,
        judge: permit2::judge_upto,
        vectors: "upto-eip155",
    },
    Pair {
        version: Version::V2,
        scheme: "exact",
        instrument: Transfer::Spl,
        family: Family::Solana,
        marker: None,
        terms: no_terms,
        extra: svm::extra,
        judge: svm::judge,
        vectors: "exact-solana",
    },
    Pair {
        version: Version::V1,
        scheme: "exact",
        instrument: Transfer::Spl,
        family: Family::Solana,
        marker: None,
        terms: no_terms,
        extra: svm::extra,
        judge: svm::judge,
        vectors: "exact-solana",
    },
];

const fn no_terms(_: &Asset) -> Vec<(&'static str, String)> {
    Vec::new()
}

const fn nothing(_: &TestAccount) -> Option<Map<String, Value>> {
    None
}

/// A scheme that is played, by the name that somebody says, unless it is `exact`, as nearly every payment's is.
pub fn rarer_scheme(said: &str) -> Option<&'static str> {
    PAIRS.iter().map(|pair| pair.scheme).find(|scheme| *scheme == said && *scheme != "exact")
}

/// The pair that a payload of a version means on a network of this family, if the scheme is played there.
pub fn pair_for(version: Version, scheme: &str, family: Family, payload: &Json<'_>) -> Option<&'static Pair> {
    let fits = |pair: &&Pair| pair.version == version && pair.scheme == scheme && pair.family == family;
    let said = |marker: &str| payload.get("payload").and_then(|body| body.get(marker)).is_some();
    let marked = PAIRS.iter().filter(fits).find(|pair| pair.marker.is_some_and(said));
    marked.or_else(|| PAIRS.iter().filter(fits).find(|pair| pair.marker.is_none()))
}

/// Whether something on this network can be paid by some pair.
pub fn is_payable(network: &Network) -> bool {
    PAIRS.iter().any(|pair| pair.plays_on(network))
}

impl Version {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version that a number on the wire means.
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }
}
