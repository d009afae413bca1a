//! `/_x402/api/clock`: the world's time.

use axum::Json;
use axum::extract::State as Extract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use x402_sim::clock::{Clock, ClockError, Rate};

use crate::clock::{self, timestamp};
use crate::doors::admin::input::{Input, whole};
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// What the clock shows. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClockFace {
    /// The world's time, for people.
    pub time: String,
    /// The world's time.
    pub time_ms: u64,
    /// This computer's time.
    pub real_ms: u64,
    /// By how much the world's time is ahead of this computer's; negative where it is behind.
    pub offset_ms: i64,
    /// How fast it runs when it is not frozen: 1 is real time.
    pub rate: f64,
    /// Whether it stands still.
    pub frozen: bool,
}

/// A step forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// By how many milliseconds.
    #[serde(deserialize_with = "whole")]
    pub by_ms: u64,
}

/// A time to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTo {
    /// In milliseconds since 1970.
    #[serde(deserialize_with = "whole")]
    pub time_ms: u64,
}

/// A speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// How many times as fast as real time; rounded to thousandths.
    #[schema(minimum = 0.001, maximum = 1000)]
    pub rate: f64,
}

serves!(show, advance, set, freeze, resume, pace);

/// What the clock shows.
#[utoipa::path(get, path = "/clock", tag = "clock", responses((status = 200, body = ClockFace)))]
async fn show(Extract(office): Extract<Office>) -> Json<ClockFace> {
    Json(office.state().act(|world, _| face(world.clock(), clock::now())))
}

/// Moves the clock forward. What comes due on the way happens before the answer.
#[utoipa::path(post, path = "/clock/advance", tag = "clock", request_body = Advance, responses((status = 200, body = ClockFace)))]
async fn advance(Extract(office): Extract<Office>, Input(step): Input<Advance>) -> Result<Json<ClockFace>, Problem> {
    let sentence = |_: &Clock, _| format!("the clock was advanced by {}", clock::span(step.by_ms));
    wind(&office, |clock, real| clock.advanced(step.by_ms, real), sentence)
}

/// Sets the clock, from where it goes on as before.
#[utoipa::path(post, path = "/clock/set", tag = "clock", request_body = SetTo, responses((status = 200, body = ClockFace)))]
async fn set(Extract(office): Extract<Office>, Input(to): Input<SetTo>) -> Result<Json<ClockFace>, Problem> {
    let sentence = |_: &Clock, _| format!("the clock was set to {}", timestamp(to.time_ms));
    wind(&office, |clock, real| clock.set_to(to.time_ms, real), sentence)
}

/// Stops the clock. Whatever waits for a time waits until it is advanced.
#[utoipa::path(post, path = "/clock/freeze", tag = "clock", responses((status = 200, body = ClockFace)))]
async fn freeze(Extract(office): Extract<Office>) -> Result<Json<ClockFace>, Problem> {
    wind(&office, |clock, real| Ok(clock.frozen(real)), |_, _| "the clock was frozen".to_owned())
}

/// Lets the clock run on from where it stands.
#[utoipa::path(post, path = "/clock/resume", tag = "clock", responses((status = 200, body = ClockFace)))]
async fn resume(Extract(office): Extract<Office>) -> Result<Json<ClockFace>, Problem> {
    wind(&office, |clock, real| Ok(clock.resumed(real)), |_, _| "the clock runs on".to_owned())
}

/// Lets the clock run at another speed, from where it stands.
#[utoipa::path(post, path = "/clock/rate", tag = "clock", request_body = Pace, responses((status = 200, body = ClockFace)))]
async fn pace(Extract(office): Extract<Office>, Input(pace): Input<Pace>) -> Result<Json<ClockFace>, Problem> {
    let rate = thousandths(pace.rate).and_then(|rate| Rate::from_thousandths(rate).ok()).ok_or_else(|| {
        Code::InvalidValue
            .because(ClockError::Rate.to_string())
            .at("$.rate")
            .hint("1 is real time, 10 ten times as fast")
    })?;
    let sentence = |_: &Clock, _| format!("the clock runs at {} times real time", pace.rate);
    wind(&office, |clock, real| Ok(clock.paced(rate, real)), sentence)
}

fn wind(
    office: &Office,
    turn: impl FnOnce(&Clock, u64) -> Result<Clock, ClockError>,
    sentence: impl FnOnce(&Clock, u64) -> String,
) -> Result<Json<ClockFace>, Problem> {
    office.change(|world, _| {
        let real = clock::now();
        let clock = turn(world.clock(), real).map_err(|error| {
            Code::ClockOutOfRange.because(error.to_string()).hint("it shows times from 1970 to the end of 9999")
        })?;
        world.set_clock(clock);
        Ok((Json(face(&clock, real)), sentence(&clock, real)))
    })
}

fn face(clock: &Clock, real: u64) -> ClockFace {
    let time = clock.at(real);
    ClockFace {
        time: timestamp(time),
        time_ms: time,
        real_ms: real,
        offset_ms: clock.offset(real),
        rate: f64::from(clock.rate().thousandths()) / 1000.0,
        frozen: clock.is_frozen(),
    }
}

/// A rate in thousandths; `None` for what is no number or far out of bounds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked before")]
fn thousandths(rate: f64) -> Option<u32> {
    let scaled = (rate * 1000.0).round();
    (rate >= 0.001 && scaled <= 1_000_000.0).then_some(scaled as u32)
}
