//! What goes wrong, and how it is written: a name, and behind a colon what it needs.

use std::fmt;

use super::model::FaultError;
use crate::world::{Commitment, Ending, Wait};
use span::{duration, wait_of, wait_written, written};

pub mod chain;
pub mod offer;
pub mod rows;
pub mod span;
pub mod wire;

pub use chain::ChainTrouble;
pub use offer::Twist;
pub use rows::{EFFECTS, Row};
pub use wire::Wire;

/// An argument that an effect does not take.
struct Wrong;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The payment is refused with this reason of the protocol, or any free text, and a message.
    Refuse(String, Option<String>),
    /// Everything is right, only so many milliseconds of the world's clock later.
    Delay(u64),
    /// The answer is another one than it should be, or comes to nothing.
    Wire(Wire),
    /// Something else than usual becomes of the settlement.
    Ledger(Commitment),
    /// A payment that was settled before is said to be settled again.
    SuccessTwice,
    /// The answer names something wrong.
    Forge(Forge),
    /// The answer comes without its receipt header.
    LostReceipt,
    /// Something happens between verification and settlement.
    Meanwhile(Meanwhile),
    /// The offer is another one.
    Twist(Twist),
    /// The content is another one.
    Content(Content),
    /// The answer comes without the headers that let scripts of other origins read it.
    CorsMissing,
    /// A chain's JSON-RPC goes wrong.
    Chain(ChainTrouble),
}

impl Effect {
    /// Whether a good payment may be refused because of it. A delay is not meant: what is late is told by the clock.
    pub const fn may_refuse(&self) -> bool {
        matches!(self, Self::Refuse(..) | Self::Wire(_) | Self::Ledger(_) | Self::Meanwhile(_) | Self::Twist(_))
    }
}

/// What an answer says wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forge {
    /// Another payer.
    Payer,
    /// Another amount.
    Amount,
    /// Another network.
    Network,
    /// Another transaction.
    Transaction,
    /// No transaction.
    NoTransaction,
}

/// What happens between verification and settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// The payer's balance goes.
    Drain,
    /// The payer cancels the authorization.
    CancelNonce,
    /// The payer takes its allowance to the Permit2 contract back.
    RevokeAllowance,
    /// The clock jumps ahead by so many milliseconds.
    JumpClock(u64),
}

/// How content goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// There is none.
    Empty,
    /// It is another one.
    Wrong,
    /// Shared caches may keep it.
    Cacheable,
}

/// How long a free text may be, in bytes.
const TEXT: usize = 4096;

impl Effect {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refuse(..) => "refuse",
            Self::Delay(_) => "delay",
            Self::Wire(wire) => wire.name(),
            Self::Ledger(Commitment::Pending(..)) => "pending",
            Self::Ledger(Commitment::Nothing | Commitment::Kept) => "noop",
            Self::Ledger(Commitment::Undone(_)) => "reverted",
            Self::Ledger(Commitment::Twice) => "double_settlement",
            Self::SuccessTwice => "success_twice",
            Self::Forge(Forge::Payer) => "wrong_payer",
            Self::Forge(Forge::Amount) => "wrong_amount",
            Self::Forge(Forge::Network) => "wrong_network",
            Self::Forge(Forge::Transaction) => "wrong_transaction",
            Self::Forge(Forge::NoTransaction) => "missing_transaction",
            Self::LostReceipt => "lost_receipt",
            Self::Meanwhile(Meanwhile::Drain) => "drain",
            Self::Meanwhile(Meanwhile::CancelNonce) => "cancel_nonce",
            Self::Meanwhile(Meanwhile::RevokeAllowance) => "revoke_allowance",
            Self::Meanwhile(Meanwhile::JumpClock(_)) => "jump_clock",
            Self::Twist(twist) => twist.name(),
            Self::Content(Content::Empty) => "empty",
            Self::Content(Content::Wrong) => "wrong_content",
            Self::Content(Content::Cacheable) => "cacheable",
            Self::CorsMissing => "cors_missing",
            Self::Chain(trouble) => trouble.name(),
        }
    }

    /// Whether a ledger that it was played on can have moved money that nobody signed for.
    pub const fn breaks_ledger(&self) -> bool {
        matches!(self, Self::Ledger(Commitment::Twice))
    }

    /// Reads an effect: `delay:10s`.
    ///
    /// # Errors
    ///
    /// An unknown name, with the nearest known one, or an argument that the effect does not take.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        let name = name.trim();
        let row = EFFECTS.iter().find(|row| row.name == name);
        let Some(row) = row else {
            return Err(FaultError::unknown("effect", name, EFFECTS.iter().map(|row| row.name)));
        };
        let wrong = || FaultError::new("effect", format!("`{}` is written `{name}{}`", short(text), row.argument));
        let argument = argument.map(str::trim).filter(|argument| !argument.is_empty());
        if argument.is_some_and(|argument| argument.len() > TEXT) {
            return Err(FaultError::new("effect", format!("the text is longer than {TEXT} bytes")));
        }
        if argument.is_some() && row.argument.is_empty() {
            return Err(FaultError::new("effect", format!("`{name}` takes no argument")));
        }
        parsed(name, argument).ok_or_else(wrong)
    }
}

/// The effect of a known name. `None` where the argument is wrong or missing.
fn parsed(name: &str, argument: Option<&str>) -> Option<Effect> {
    if let Some(wire) = Wire::parsed(name, argument) {
        return wire.map(Effect::Wire).ok();
    }
    if let Some(twist) = Twist::parsed(name, argument) {
        return twist.map(Effect::Twist).ok();
    }
    let parts = || argument.map(|text| text.split_once(',').map_or((text, None), |(one, two)| (one, Some(two.trim()))));
    Some(match name {
        "refuse" => {
            let (reason, message) = parts()?;
            Effect::Refuse(reason.to_owned(), message.map(str::to_owned))
        }
        "delay" => Effect::Delay(duration(argument?)?),
        "pending" => {
            let (ending, wait) = parts()?;
            let ending = ending_of(ending)?;
            let wait = wait.map_or(Some(Wait::Asks(1)), wait_of)?;
            Effect::Ledger(Commitment::Pending(ending, wait))
        }
        "noop" => Effect::Ledger(Commitment::Nothing),
        "success_twice" => Effect::SuccessTwice,
        "reverted" => {
            let wait = wait_of(argument?).filter(|wait| !matches!(wait, Wait::Asks(_)))?;
            Effect::Ledger(Commitment::Undone(wait))
        }
        "double_settlement" => Effect::Ledger(Commitment::Twice),
        "wrong_payer" => Effect::Forge(Forge::Payer),
        "wrong_amount" => Effect::Forge(Forge::Amount),
        "wrong_network" => Effect::Forge(Forge::Network),
        "wrong_transaction" => Effect::Forge(Forge::Transaction),
        "missing_transaction" => Effect::Forge(Forge::NoTransaction),
        "lost_receipt" => Effect::LostReceipt,
        "drain" => Effect::Meanwhile(Meanwhile::Drain),
        "cancel_nonce" => Effect::Meanwhile(Meanwhile::CancelNonce),
        "revoke_allowance" => Effect::Meanwhile(Meanwhile::RevokeAllowance),
        "jump_clock" => Effect::Meanwhile(Meanwhile::JumpClock(duration(argument?)?)),
        "empty" => Effect::Content(Content::Empty),
        "wrong_content" => Effect::Content(Content::Wrong),
        "cacheable" => Effect::Content(Content::Cacheable),
        "cors_missing" => Effect::CorsMissing,
        _ => return ChainTrouble::named(name).map(Effect::Chain),
    })
}

impl fmt::Display for Effect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())?;
        match self {
            Self::Refuse(reason, None) => write!(out, ":{reason}"),
            Self::Refuse(reason, Some(message)) => write!(out, ":{reason},{message}"),
            Self::Delay(wait) | Self::Meanwhile(Meanwhile::JumpClock(wait)) | Self::Wire(Wire::Timeout(Some(wait))) => {
                write!(out, ":{}", written(*wait))
            }
            Self::Wire(Wire::Status(code, None) | Wire::Html(code)) => write!(out, ":{code}"),
            Self::Wire(Wire::Status(code, Some(body))) => write!(out, ":{code},{body}"),
            Self::Wire(Wire::RateLimited(seconds)) => write!(out, ":{seconds}"),
            Self::Wire(Wire::Redirect(Some(address))) => write!(out, ":{address}"),
            Self::Ledger(Commitment::Pending(Ending::Never, _)) => write!(out, ":never"),
            Self::Ledger(Commitment::Pending(ending, wait)) => {
                let ending = if *ending == Ending::Fails { "fails" } else { "succeeds" };
                write!(out, ":{ending},{}", wait_written(*wait))
            }
            Self::Ledger(Commitment::Undone(wait)) => write!(out, ":{}", wait_written(*wait)),
            Self::Twist(Twist::PriceRaised(factor)) => write!(out, ":{factor}"),
            _ => Ok(()),
        }
    }
}

fn ending_of(text: &str) -> Option<Ending> {
    match text.trim() {
        "succeeds" => Some(Ending::Succeeds),
        "fails" => Some(Ending::Fails),
        "never" => Some(Ending::Never),
        _ => None,
    }
}

fn short(text: &str) -> String {
    x402_wire::shape::shorten(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_is_written_as_it_is_read() {
        for row in EFFECTS {
            let effect = Effect::parse(row.example).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            assert_eq!(effect.name(), row.name);
            assert_eq!(Effect::parse(&effect.to_string()), Ok(effect), "{}", row.example);
        }
        for text in ["status:503,down, sorry", "pending:never", "pending:fails,3blocks", "reverted:1block", "html:500"]
        {
            assert_eq!(Effect::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_effect_is_refused_with_what_was_meant() {
        let refused = |text: &str| Effect::parse(text).unwrap_err().to_string();
        assert_eq!(refused("timout"), "effect: there is no effect `timout`; did you mean `timeout`?");
        assert_eq!(refused("delay"), "effect: `delay` is written `delay:DURATION`");
        assert_eq!(refused("delay:5"), "effect: `delay:5` is written `delay:DURATION`");
        assert_eq!(refused("delay:25h"), "effect: `delay:25h` is written `delay:DURATION`");
        assert_eq!(refused("hang:5s"), "effect: `hang` takes no argument");
        assert_eq!(refused("status:99"), "effect: `status:99` is written `status:CODE[,BODY]`");
        assert_eq!(refused("reverted:1ask"), "effect: `reverted:1ask` is written `reverted:WAIT`");
        assert_eq!(refused("pending:maybe"), "effect: `pending:maybe` is written `pending:ENDING[,WAIT]`");
    }
}
