//! The one table of effect, stage and door: a cell works, or is refused for a reason.

use super::effect::{ChainTrouble, Effect, Forge, Wire};
use super::model::Stage;
use crate::event::Door;
use crate::world::Commitment;

/// What becomes of an effect at a stage of a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It is played.
    Works,
    /// It is refused, for this reason.
    Refused(&'static str),
}

use Cell::{Refused, Works};

/// The cell of an effect, a stage and a door.
pub fn cell(effect: &Effect, stage: Stage, door: Door) -> Cell {
    let at = match (door, stage) {
        (Door::Facilitator | Door::Resources, Stage::Call) => {
            return Refused("only a chain's JSON-RPC has calls; use the door rpc");
        }
        (Door::Facilitator, Stage::Offer) => return Refused("the facilitator makes no offers"),
        (Door::Facilitator, Stage::Content) => return Refused("the facilitator delivers no content"),
        (Door::Facilitator, Stage::Response) => {
            return Refused("at the facilitator each answer has its own stage: verify, settle or supported");
        }
        (Door::Resources, Stage::Supported) => {
            return Refused("the resource server here knows its facilitator and never asks it");
        }
        (Door::Resources, stage @ (Stage::Verify | Stage::Settle)) => (stage, Line::Call),
        (Door::Facilitator | Door::Resources, stage) => (stage, Line::Socket),
        (Door::Rpc, stage @ (Stage::Settle | Stage::Call)) => return on_chain(effect, stage),
        (Door::Rpc, _) => return Refused("a chain's JSON-RPC has the stages settle and call"),
        (Door::Chain | Door::Admin, _) => return Refused("faults are for payments"),
    };
    match effect {
        Effect::Refuse(..) => refuse(at.0),
        Effect::Delay(_) => Works,
        Effect::Wire(wire) => on_wire(wire, at),
        Effect::Ledger(_) | Effect::SuccessTwice => match at.0 {
            Stage::Settle => Works,
            _ => Refused("nothing is settled at this stage; use settle"),
        },
        Effect::Forge(forge) => forged(*forge, at),
        Effect::LostReceipt => match at {
            (Stage::Response, _) => Works,
            _ => Refused("there is no receipt header at this stage; use response"),
        },
        Effect::Meanwhile(_) => match at.0 {
            Stage::Verify | Stage::Settle => Works,
            _ => Refused("it happens between verify and settle; use one of these stages"),
        },
        Effect::Twist(_) => match at.0 {
            Stage::Offer => Works,
            _ => Refused("it is about the offer; use the stage offer"),
        },
        Effect::Content(_) => match at.0 {
            Stage::Content => Works,
            _ => Refused("it is about the content; use the stage content"),
        },
        Effect::CorsMissing => match at {
            (_, Line::Call) => Refused("no browser asks on this line; use offer or response"),
            (Stage::Content, _) => Refused("content has no headers of its own for this; use response"),
            _ => Works,
        },
        Effect::Chain(_) => Refused("it is about a chain's JSON-RPC; use the door rpc"),
    }
}

/// At the JSON-RPC of a chain: where a transaction is sent, and where anything else is asked.
const fn on_chain(effect: &Effect, stage: Stage) -> Cell {
    match (effect, stage) {
        (
            Effect::Refuse(..)
            | Effect::Delay(_)
            | Effect::Wire(_)
            | Effect::CorsMissing
            | Effect::Chain(ChainTrouble::StaleBlockhash),
            _,
        )
        | (Effect::Chain(ChainTrouble::Stalled), Stage::Call)
        | (
            Effect::Chain(ChainTrouble::NonceTooLow | ChainTrouble::Dropped | ChainTrouble::NoReceipt)
            | Effect::Ledger(Commitment::Undone(_)),
            Stage::Settle,
        ) => Works,
        (Effect::Chain(ChainTrouble::Stalled), _) => {
            Refused("a chain that stands still is seen by asking it; use call")
        }
        (Effect::Chain(_) | Effect::Ledger(Commitment::Undone(_)), _) => {
            Refused("no transaction is sent at this stage; use settle")
        }
        (Effect::Ledger(Commitment::Nothing), _) => Refused("a chain that loses a transaction is `dropped`"),
        (Effect::Ledger(Commitment::Pending(..)), _) => {
            Refused("a chain whose transaction stays unconfirmed is `no_receipt` or `dropped`")
        }
        (Effect::Ledger(_) | Effect::SuccessTwice, _) => Refused("a chain executes a transaction once"),
        (Effect::Forge(_) | Effect::LostReceipt, _) => Refused("a chain answers with no receipt of x402"),
        (Effect::Meanwhile(_), _) => Refused("it happens between verify and settle, which a chain knows nothing of"),
        (Effect::Twist(_) | Effect::Content(_), _) => Refused("a chain makes no offers and delivers no content"),
    }
}

/// What an answer travels on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A connection.
    Socket,
    /// A call within the process, that sees what a remote one would.
    Call,
}

const fn refuse(stage: Stage) -> Cell {
    match stage {
        Stage::Verify | Stage::Settle | Stage::Response => Works,
        Stage::Offer | Stage::Supported => Refused("there is no payment to refuse"),
        Stage::Content => Refused("content is not judged; `status:500` is a handler that fails"),
        Stage::Call => Refused("only a chain's JSON-RPC has calls; use the door rpc"),
    }
}

const fn on_wire(wire: &Wire, at: (Stage, Line)) -> Cell {
    match (at, wire) {
        ((Stage::Content, _), Wire::Status(..)) => Works,
        ((Stage::Content, _), _) => Refused("content does not travel alone; use response"),
        ((_, Line::Call), Wire::WrongType) => {
            Refused("the official resource server does not look at the facilitator's content type")
        }
        ((_, Line::Call), Wire::ResetAfter) => {
            Refused("the official resource server has its answer, whatever becomes of the connection")
        }
        _ => Works,
    }
}

const fn forged(forge: Forge, at: (Stage, Line)) -> Cell {
    match (at, forge) {
        ((Stage::Settle | Stage::Response, _) | (Stage::Verify, Line::Socket), Forge::Payer)
        | ((Stage::Settle | Stage::Response, _), _) => Works,
        ((Stage::Verify, Line::Call), Forge::Payer) => Refused("the official resource server tells nobody the payer"),
        ((Stage::Verify, _), _) => Refused("the answer to verify names a payer only"),
        _ => Refused("there is no receipt at this stage; use settle or response"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::effect::EFFECTS;
    use super::super::model::{DOORS, Fault, Timing};
    use super::*;

    #[test]
    fn every_effect_works_somewhere_and_what_is_refused_says_why() {
        for row in EFFECTS {
            let effect = Effect::parse(row.example).unwrap();
            let mut works = 0;
            for (stage, ..) in Stage::ALL {
                for (door, _) in DOORS {
                    let mut fault = Fault::new(*stage, Timing::Before, effect.clone());
                    fault.matcher.door = Some(door);
                    match cell(&effect, *stage, door) {
                        Works => works += fault.check().map(|()| 1).unwrap(),
                        Refused(why) => assert!(fault.check().unwrap_err().to_string().ends_with(why)),
                    }
                }
            }
            assert!(works > 0, "{}", row.name);
        }
    }
}
