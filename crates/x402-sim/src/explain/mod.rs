//! Explanation: sentences that name both sides, and causes found by trying.
//!
//! | room | what it holds |
//! |---|---|
//! | [`read`] | what a text is |
//! | [`kind`] | what JSON is |
//! | [`draw`] | what it says, with meanings |
//! | [`compare`] | payment and requirements, field by field |
//! | [`judge`], [`step`], [`repair`] | why it is refused: likely mistakes, mended and verified again |
//! | [`attempt`], [`accepted`], [`version`] | a payment to be tried; what it has accepted; which version it is of |
//! | [`settlement`], [`unoffered`] | what is charged of `upto`; what is verified beside what was offered |
//! | [`matching`], [`offer`], [`host`] | what a resource server says; an offer alone, and its address |
//! | [`past`] | what an instance saw of a payment before |
//! | [`carried`] | offers in the header of version 2 |
//! | [`parts`] | the parts of what a facilitator is sent |
//! | [`case`], [`said`] | all of it for one thing; what others have said of it |
//! | [`thrown`], [`zod`], [`pydantic`] | what clients throw that holds the case at hand |
//! | [`waited`] | answers that did not come |
//! | [`played`] | faults that an instance played |
//! | [`checksums`] | the checksum of addresses |
//! | [`prices`] | prices that nobody means |
//! | [`onchain`] | what a payer shows who has sent a transaction himself |
//! | [`invoice`], [`proof`] | an invoice, and what pays it |
//! | [`finding`], [`explanation`] | what is said |
//! | [`confided`] | keys in what is quoted |
//! | [`code`], [`errand`] | lines of code and commands, written for the case |
//! | [`manual`] | every reason string: what it means, who says it, what to do |
//! | [`signature`], [`permit`] | one sentence for `invalidMessage` |
//! | [`names`], [`nearest`] | addresses and words that are known |

use alloy_primitives::U256;
use x402_wire::amount::Decimal;

use crate::catalog::Token;
use crate::networks::Asset;

mod accepted;
mod attempt;
mod bench_networks;
mod carried;
pub mod case;
mod checksums;
pub mod code;
mod compare;
pub mod confided;
pub mod draw;
mod errand;
pub mod explanation;
pub mod finding;
mod host;
mod invoice;
pub mod judge;
pub mod kind;
pub mod manual;
mod matching;
pub mod names;
pub mod nearest;
mod offer;
pub mod onchain;
mod parts;
pub mod past;
pub mod permit;
pub mod played;
mod prices;
mod proof;
mod pydantic;
pub mod read;
mod repair;
mod said;
mod settlement;
pub mod signature;
mod step;
mod thrown;
mod unoffered;
pub mod unsent;
mod version;
mod waited;
mod zod;

pub use explanation::Explanation;
pub use finding::Finding;
pub use nearest::nearest;

/// An amount for people: atomic units, and whole units where the asset is known.
pub fn money(units: U256, token: Option<&Token>) -> String {
    match token {
        Some(token) => {
            format!("{units} ({} {})", Decimal::from_atomic(units, token.asset.decimals), token.asset.symbol)
        }
        None => units.to_string(),
    }
}

/// The same for an asset that is known by its table.
pub(crate) fn money_of(units: U256, asset: &Asset) -> String {
    format!("{units} ({} {})", Decimal::from_atomic(units, asset.decimals), asset.symbol)
}
