//! Faults: what is made to go wrong on purpose.
//!
//! | room | what it holds |
//! |---|---|
//! | [`effect`] | what goes wrong, and how it is written: `delay:10s` |
//! | [`cells`] | the one table of effect, stage and door: what works, and why the rest does not |
//! | [`model`] | a fault: when, where and how often, as data |
//! | [`read`] | faults from JSON and to JSON, with errors that name the path |
//! | [`route`] | which paths a fault concerns |
//! | [`table`] | the faults of a world and how often each was met |
//! | [`ask`] | the header by which one request asks for faults |
//! | [`preset`] | faults by the names of what they are in real life |
//! | [`temper`] | the personas' behaviour as faults |
//! | [`twist`] | offers made worse |
//! | [`document`] | the tables of docs/faults.md |
//! | [`mode`] | the four modes of verification |

pub mod ask;
pub mod cells;
pub mod document;
pub mod effect;
pub mod mode;
pub mod model;
pub mod preset;
pub mod read;
pub mod route;
pub mod table;
pub mod temper;
pub mod twist;

pub use effect::Effect;
pub use mode::{MODES, Mode, ModeRow};
pub use model::{Fault, FaultError, Matcher, Occurrence, Per, Stage, Timing};
pub use table::{FaultId, Played, Sight, Table};
