//! `clock`: the world's time, shown and moved.

use std::time::Duration;

use super::door::{Door, columns};
use crate::clock::skew;
use crate::context::Context;
use crate::doors::admin::routes::clock::{Advance, ClockFace, Pace, SetTo};
use crate::error::Error;
use crate::exit::Exit;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    /// Show it.
    Show,
    /// Move it forward.
    Advance(Duration),
    /// Set it to a time in milliseconds since 1970.
    Set(u64),
    /// Stop it.
    Freeze,
    /// Let it run on.
    Resume,
    /// Let it run at another speed.
    Rate(f64),
}

/// Does it.
pub fn run(context: &Context, door: &Door, job: Job) -> Result<Exit, Error> {
    door.ask(
        context,
        |remote| match job {
            Job::Show => remote.get::<ClockFace>("/clock"),
            Job::Advance(by) => {
                let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
                remote.post("/clock/advance", &Advance { by_ms })
            }
            Job::Set(time_ms) => remote.post("/clock/set", &SetTo { time_ms }),
            Job::Freeze => remote.tell("/clock/freeze"),
            Job::Resume => remote.tell("/clock/resume"),
            Job::Rate(rate) => remote.post("/clock/rate", &Pace { rate }),
        },
        text,
    )
}

fn text(face: &ClockFace) -> String {
    let offset = skew(face.offset_ms).unwrap_or_else(|| "the mock's clock shows this computer's time".to_owned());
    let runs = if face.frozen { "frozen" } else { "running" };
    let rows = [["time", &face.time], ["offset", &offset], ["rate", &format!("{}x", face.rate)], ["state", runs]];
    columns(&rows.map(|row| row.map(str::to_owned).to_vec()))
}
