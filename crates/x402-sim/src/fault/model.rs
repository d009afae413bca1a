//! A fault: when, where and how often something goes wrong, as data.

use std::fmt;

use super::cells::{Cell, cell};
use super::effect::Effect;
use crate::event::Door;
use crate::explain::nearest;

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name; the faults of a preset have the preset's.
    pub name: Option<String>,
    /// Where on a payment's way.
    pub stage: Stage,
    /// Before or after the ledger commits.
    pub timing: Timing,
    /// What it concerns.
    pub matcher: Matcher,
    /// Which of the matches.
    pub occurrence: Occurrence,
    /// How often it is played at most; of each purchase where occurrences are counted so.
    pub times: Option<u32>,
    /// What goes wrong.
    pub effect: Effect,
}

/// A place on a payment's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The answer to an unpaid request, and what it asks.
    Offer,
    /// Verification.
    Verify,
    /// Settlement.
    Settle,
    /// The making of the content.
    Content,
    /// The answer to a payment that was settled.
    Response,
    /// `GET /supported`.
    Supported,
    /// A call of a chain's JSON-RPC that sends no transaction.
    Call,
}

/// Before or after the ledger commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// Before: a settlement that goes wrong moves nothing.
    #[default]
    Before,
    /// After: the money has moved.
    After,
}

/// What a fault concerns; what is not said does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// The door.
    pub door: Option<Door>,
    /// The resource's path: `/weather/*`, `/users/[id]`.
    pub route: Option<String>,
    /// The method of the request for the resource.
    pub method: Option<String>,
    /// Who pays: an account's name, index or address.
    pub payer: Option<String>,
    /// The network: its CAIP-2 id or its name in version 1.
    pub network: Option<String>,
    /// The scheme.
    pub scheme: Option<String>,
    /// The purchase: its id, or the name that the buyer gives.
    pub purchase: Option<String>,
    /// The protocol version: 1 or 2.
    pub version: Option<u8>,
}

/// Which of the matches a fault is played at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occurrence {
    /// Only at this one, counted from 1.
    pub nth: Option<u32>,
    /// At every so-manieth.
    pub every: Option<u32>,
    /// At the first so many.
    pub first: Option<u32>,
    /// With this chance, in millionths, from the world's random stream.
    pub probability: Option<u32>,
    /// How matches are counted.
    pub per: Per,
}

/// How matches are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// All together.
    #[default]
    All,
    /// Those of each purchase for itself.
    Purchase,
}

/// A fault cannot be so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}{}{message}", if path.is_empty() { "" } else { ": " })]
pub struct FaultError {
    /// Which part: `match.payer`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl FaultError {
    /// Something is wrong with a part.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), hint: None }
    }

    /// A name that is not among the known ones.
    pub fn unknown(path: &str, name: &str, known: impl IntoIterator<Item = &'static str>) -> Self {
        let known: Vec<_> = known.into_iter().collect();
        let noun = path.rsplit('.').next().unwrap_or(path);
        let mut message = format!("there is no {noun} `{}`", x402_wire::shape::shorten(name));
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => {
                let meant = format!("did you mean `{near}`?");
                message = format!("{message}; {meant}");
                Some(meant)
            }
            None => Some(format!("known are {}", known.join(", "))),
        };
        Self { path: path.to_owned(), message, hint }
    }

    /// The same with the path of what the part belongs to: `faults[0]`.
    pub fn under(mut self, parent: &str) -> Self {
        self.path = if self.path.is_empty() { parent.to_owned() } else { format!("{parent}.{}", self.path) };
        self
    }
}

impl Stage {
    /// Every stage with its name and what it is.
    pub const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Offer, "offer", "the answer to an unpaid request, and what it asks"),
        (Self::Verify, "verify", "verification: `/verify`, or the resource server's own call of it"),
        (Self::Settle, "settle", "settlement: `/settle`, or the resource server's own call of it"),
        (Self::Content, "content", "the making of the content, between verify and settle"),
        (Self::Response, "response", "the answer to a payment that was settled"),
        (Self::Supported, "supported", "`GET /supported`"),
        (Self::Call, "call", "a call of a chain's JSON-RPC that sends no transaction; one that does is `settle`"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The stage of a name.
    ///
    /// # Errors
    ///
    /// An unknown name.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let found = Self::ALL.iter().find(|row| row.1 == text).map(|row| row.0);
        found.ok_or_else(|| FaultError::unknown("stage", text, Self::ALL.iter().map(|row| row.1)))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Timing {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// The timing of a name.
    ///
    /// # Errors
    ///
    /// An unknown name.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        match text {
            "before" => Ok(Self::Before),
            "after" => Ok(Self::After),
            _ => Err(FaultError::unknown("timing", text, ["before", "after"])),
        }
    }
}

/// The doors at which a fault can be played, with their names.
pub const DOORS: [(Door, &str); 3] =
    [(Door::Resources, "resources"), (Door::Facilitator, "facilitator"), (Door::Rpc, "rpc")];

impl Fault {
    /// A fault that concerns everything, always.
    pub fn new(stage: Stage, timing: Timing, effect: Effect) -> Self {
        let (matcher, occurrence) = (Matcher::default(), Occurrence::default());
        Self { name: None, stage, timing, matcher, occurrence, times: None, effect }
    }

    /// Whether it can do anything where it is to be played.
    ///
    /// # Errors
    ///
    /// Why it cannot, by the table of effect, stage and door.
    pub fn check(&self) -> Result<(), FaultError> {
        let mut refusal = None;
        for (door, _) in DOORS.iter().filter(|(door, _)| self.matcher.door.is_none_or(|own| own == *door)) {
            match cell(&self.effect, self.stage, *door) {
                Cell::Works => return self.check_timing(),
                // The reason of the resources' door says more where neither works.
                Cell::Refused(why) => drop(refusal.get_or_insert(why)),
            }
        }
        let why = refusal.unwrap_or("no door has this stage");
        Err(FaultError::new(
            "effect",
            format!("`{}` does nothing at stage `{}`: {why}", self.effect.name(), self.stage),
        ))
    }

    /// Only where something commits is there an after.
    fn check_timing(&self) -> Result<(), FaultError> {
        if self.timing == Timing::Before {
            return Ok(());
        }
        let possible = match (self.stage, &self.effect) {
            (Stage::Settle, Effect::Wire(_) | Effect::Refuse(..) | Effect::Delay(_))
            | (Stage::Content, Effect::Wire(_)) => true,
            (Stage::Settle, _) => {
                let text = format!("`{}` has no `after`: it is about the settlement itself", self.effect.name());
                return Err(FaultError::new("timing", text));
            }
            _ => false,
        };
        let text = format!("nothing commits at stage `{}`; `after` is for settle and content", self.stage);
        possible.then_some(()).ok_or_else(|| FaultError::new("timing", text))
    }

    /// Whether it can be played at a door.
    pub(super) fn works_at(&self, door: Door) -> bool {
        cell(&self.effect, self.stage, door) == Cell::Works
    }

    /// What it does, in a line: `settle, after commit: timeout`.
    pub fn summary(&self) -> String {
        let after = if self.timing == Timing::After { ", after commit" } else { "" };
        format!("{}{after}: {}", self.stage, self.effect)
    }
}
