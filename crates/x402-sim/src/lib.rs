//! What is true: a simulated world of payments, with the rules of the real one.
//!
//! Synchronous, pure and deterministic: no files, no environment, no clock, no sockets. [`World::new`] takes a seed,
//! every command takes the time in milliseconds, and the same inputs give the same world.
//!
//! | room | what it holds |
//! |---|---|
//! | [`world`] | the state, and the commands that change it |
//! | [`registry`] | the only lists: networks, and pairs of (version, scheme, instrument) |
//! | [`networks`] | one folder a family: ids, assets, signatures, checks, the chain's own rules |
//! | [`rpc`] | the chains' own doors: JSON-RPC |
//! | [`catalog`] | the networks that a world has enabled |
//! | [`ledger`] | balances, used authorizations, transactions |
//! | [`chain`] | a read-only state of both |
//! | [`charge`] | what will move: made only from a passed order |
//! | [`order`], [`reason`] | checks as data; why a payment is refused |
//! | [`facilitator`] | a request from end to end |
//! | [`merchant`] | offers, and which requirements a payment means |
//! | [`payer`] | the other side: which requirements a client chooses |
//! | [`memo`] | invoices |
//! | [`fault`] | what is made to go wrong on purpose |
//! | [`event`] | what happened |
//! | [`purchase`] | the attempts of one buyer to buy one resource once, counted |
//! | [`assert`] | assertions about a purchase, for tests in a shell |
//! | [`explain`] | why, in words |
//! | [`accounts`] | the public test accounts |
//! | [`clock`] | the world's time as a function of real time |

pub mod accounts;
pub mod assert;
pub mod catalog;
pub mod chain;
pub mod charge;
pub mod clock;
pub mod event;
pub mod explain;
pub mod facilitator;
pub mod fault;
pub mod ledger;
pub mod memo;
pub mod merchant;
pub mod networks;
pub mod order;
pub mod payer;
pub mod purchase;
pub mod reason;
pub mod registry;
pub mod rpc;
pub mod world;

pub use alloy_primitives::{Address, B256, U256, hex, keccak256};
pub use world::{Rules, Setup, World};
