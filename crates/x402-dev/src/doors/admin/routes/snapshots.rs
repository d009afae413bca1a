//! `/_x402/api/snapshots` and `/_x402/api/reset`: states that are kept and brought back.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use x402_sim::world::snapshot::{Listed, SnapshotError};

use crate::clock::timestamp;
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// A snapshot in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// When it was saved, by the world's clock, for people.
    pub saved: String,
    /// When it was saved, in milliseconds since 1970 of the world's clock.
    pub saved_ms: u64,
    /// How many transactions it holds.
    pub transactions: usize,
}

/// Every snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapshots {
    /// In the order of their names.
    pub snapshots: Vec<Snapshot>,
}

/// A snapshot that was dropped, or a world that was reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// What was done, in one sentence.
    pub message: String,
}

/// What the event of a reset says.
pub const ANEW: &str = "the world is as it was at the start";

serves!(list, save, forget, restore, reset);

/// Every snapshot that is kept.
#[utoipa::path(get, path = "/snapshots", tag = "snapshots", responses((status = 200, body = Snapshots)))]
async fn list(Extract(office): Extract<Office>) -> Json<Snapshots> {
    let listed = office.state().act(|world, _| world.snapshots());
    Json(Snapshots { snapshots: listed.into_iter().map(Snapshot::from).collect() })
}

/// Keeps the state of now, in place of an earlier one of that name.
#[utoipa::path(put, path = "/snapshots/{name}", tag = "snapshots", params(("name" = String, Path, description = "Letters, digits, `-`, `_` and `.`.", pattern = "^[A-Za-z0-9_.-]{1,64}$")), responses((status = 200, body = Snapshot)))]
async fn save(Extract(office): Extract<Office>, Path(name): Path<String>) -> Result<Json<Snapshot>, Problem> {
    office.change(|world, now| {
        let kept = world.save(&name, now).map_err(|error| refuse(&error))?;
        Ok((Json(kept.into()), format!("snapshot {name} was saved")))
    })
}

/// Brings a state back: balances, authorizations, transactions, faults, accounts and the clock. Events stay.
#[utoipa::path(post, path = "/snapshots/{name}/restore", tag = "snapshots", params(("name" = String, Path, description = "Its name.")), responses((status = 200, body = Snapshot)))]
async fn restore(Extract(office): Extract<Office>, Path(name): Path<String>) -> Result<Json<Snapshot>, Problem> {
    office.change(|world, _| {
        let kept = world.restore(&name).map_err(|error| refuse(&error))?;
        Ok((Json(kept.into()), format!("snapshot {name} was restored")))
    })
}

/// Forgets a snapshot.
#[utoipa::path(delete, path = "/snapshots/{name}", tag = "snapshots", params(("name" = String, Path, description = "Its name.")), responses((status = 200, body = Done)))]
async fn forget(Extract(office): Extract<Office>, Path(name): Path<String>) -> Result<Json<Done>, Problem> {
    office.change(|world, _| {
        world.drop_snapshot(&name).map_err(|error| refuse(&error))?;
        let message = format!("snapshot {name} was dropped");
        Ok((Json(Done { message: message.clone() }), message))
    })
}

/// Goes back to the start: the ledger, the clock, the accounts, the random stream and the refusals. Snapshots and events stay.
#[utoipa::path(post, path = "/reset", tag = "snapshots", responses((status = 200, body = Done)))]
async fn reset(Extract(office): Extract<Office>) -> Result<Json<Done>, Problem> {
    let done = office.change(|world, _| {
        world.reset();
        Ok((Json(Done { message: ANEW.to_owned() }), ANEW.to_owned()))
    });
    if done.is_ok() {
        office.state().forget_refusals();
    }
    done
}

impl From<Listed> for Snapshot {
    fn from(kept: Listed) -> Self {
        let (saved_ms, transactions) = (kept.saved_at, kept.transactions);
        Self { name: kept.name, saved: timestamp(saved_ms), saved_ms, transactions }
    }
}

pub(super) fn refuse(error: &SnapshotError) -> Problem {
    let (code, hint) = match error {
        SnapshotError::Unknown { .. } => (Code::UnknownSnapshot, "`x402-dev snapshot list` lists them"),
        SnapshotError::BadName { .. } => (Code::InvalidValue, "choose another name"),
        SnapshotError::Pending => (Code::SnapshotPending, "move the clock until they have ended, and ask how they did"),
        SnapshotError::TooMany => (Code::TooManySnapshots, "drop one with `x402-dev snapshot drop NAME`"),
    };
    code.because(error.to_string()).hint(hint)
}
