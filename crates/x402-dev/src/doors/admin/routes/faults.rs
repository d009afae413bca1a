//! `/_x402/api/faults`: what is made to go wrong on purpose.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use x402_sim::fault::model::FaultError;
use x402_sim::fault::preset::PRESETS;
use x402_sim::fault::read;
use x402_sim::fault::table::{FaultId, Origin, Slot};

use crate::doors::admin::input::{Asked, Input};
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// A fault, or a preset of faults. What is not said does not matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    /// A preset in place of stage, timing and effect: `GET /_x402/api/faults/presets` lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// A name to remove it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,64}$")]
    pub name: Option<String>,
    /// Where: `offer`, `verify`, `settle`, `content`, `response` or `supported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// `before` (the default) or `after` the ledger commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<String>,
    /// What it concerns.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matcher: Option<FaultMatch>,
    /// Only at this match, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub nth: Option<u32>,
    /// At every so-manieth match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub every: Option<u32>,
    /// At the first so many matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub first: Option<u32>,
    /// With this chance, from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0.0, maximum = 1.0)]
    pub probability: Option<f64>,
    /// Whether matches are counted `all` together (the default) or for each `purchase`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// How often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub times: Option<u32>,
    /// What goes wrong: `timeout`, `status:503`, `delay:10s`; docs/faults.md lists all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// What a fault concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultMatch {
    /// `resources`, `facilitator` or `rpc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// The resource: `/weather/*`, `GET /users/[id]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The method of the request for the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Who pays: an account's name, index or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// The network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The purchase: its id, or the name that the buyer gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<String>,
    /// The protocol version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u8>,
}

/// A fault in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Its id: `f1`.
    pub id: String,
    /// Where it comes from: `config`, `live` or `built-in`.
    pub origin: String,
    /// How often something matched.
    pub met: u32,
    /// How often it was played.
    pub played: u32,
    /// Whether it moves money that nobody signed for.
    pub breaks_ledger: bool,
    /// The fault as it can be added again.
    pub fault: NewFault,
}

/// Every fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Faults {
    /// In the order in which they were added.
    pub faults: Vec<Fault>,
}

/// What was added or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultIds {
    /// The ids.
    pub ids: Vec<String>,
}

/// A preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// What goes wrong.
    pub what: String,
    /// How many settlements there are after one attempt to pay.
    pub settlements: u32,
    /// How many when the client pays again, with a new authorization.
    pub settlements_when_paid_again: u32,
    /// What a correct client or server does.
    pub correct: String,
}

/// Every preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presets {
    /// In their order.
    pub presets: Vec<Preset>,
}

/// Which faults are listed.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The built-in ones, too: the behaviour of personas.
    #[serde(default)]
    all: bool,
}

serves!(list, add, clear, presets, remove);

/// Every fault.
#[utoipa::path(get, path = "/faults", tag = "faults", params(Which), responses((status = 200, body = Faults)))]
async fn list(Extract(office): Extract<Office>, Asked(which): Asked<Which>) -> Json<Faults> {
    let faults = office.state().act(|world, _| {
        let own = world.faults().iter().map(row).collect::<Vec<_>>();
        let built_in = world.faults().built_in().filter(|_| which.all).map(row);
        own.into_iter().chain(built_in).collect()
    });
    Json(Faults { faults })
}

/// Adds a fault, or those of a preset. It holds from the next request on.
#[utoipa::path(post, path = "/faults", tag = "faults", request_body = NewFault, responses((status = 200, body = FaultIds)))]
async fn add(Extract(office): Extract<Office>, Input(new): Input<NewFault>) -> Result<Json<FaultIds>, Problem> {
    let value = serde_json::to_value(&new).expect("a fault has string keys");
    let faults = read::read(&value).map_err(|error| refuse(&error))?;
    let sentence = faults.iter().map(x402_sim::fault::Fault::summary).collect::<Vec<_>>().join("; ");
    office.change(|world, _| {
        let ids = world.add_faults(faults, Origin::Live).map_err(|error| refuse(&error))?;
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let sentence = format!("fault {} was added: {sentence}", ids.join(", "));
        Ok((Json(FaultIds { ids }), sentence))
    })
}

/// Removes every fault that was added or configured.
#[utoipa::path(delete, path = "/faults", tag = "faults", responses((status = 200, body = FaultIds)))]
async fn clear(Extract(office): Extract<Office>) -> Result<Json<FaultIds>, Problem> {
    office.change(|world, _| {
        let gone = ids(&world.clear_faults());
        Ok((Json(FaultIds { ids: gone }), "all faults were removed".to_owned()))
    })
}

/// Removes the faults of an id or a name.
#[utoipa::path(delete, path = "/faults/{fault}", tag = "faults", params(("fault" = String, Path, description = "An id or a name.")), responses((status = 200, body = FaultIds)))]
async fn remove(Extract(office): Extract<Office>, Path(fault): Path<String>) -> Result<Json<FaultIds>, Problem> {
    office.change(|world, _| {
        let gone = ids(&world.remove_faults(&fault));
        if gone.is_empty() {
            let fault = x402_wire::shape::shorten(&fault);
            return Err(Code::UnknownFault
                .because(format!("there is no fault `{fault}`"))
                .hint("`x402-dev fault list` lists them; built-in ones stay"));
        }
        let sentence = format!("fault {} was removed", gone.join(", "));
        Ok((Json(FaultIds { ids: gone }), sentence))
    })
}

/// The presets, with what is then expected.
#[utoipa::path(get, path = "/faults/presets", tag = "faults", responses((status = 200, body = Presets)))]
async fn presets() -> Json<Presets> {
    let preset = |preset: &x402_sim::fault::preset::Preset| Preset {
        name: preset.name.to_owned(),
        what: preset.what.to_owned(),
        settlements: preset.once,
        settlements_when_paid_again: preset.again,
        correct: preset.correct.to_owned(),
    };
    Json(Presets { presets: PRESETS.iter().map(preset).collect() })
}

fn ids(ids: &[FaultId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn row((id, slot): (FaultId, &Slot)) -> Fault {
    let origin = match slot.origin {
        Origin::Config => "config",
        Origin::Live => "live",
        Origin::BuiltIn => "built-in",
    };
    let id = if slot.origin == Origin::BuiltIn { slot.fault.name.clone().unwrap_or_default() } else { id.to_string() };
    Fault {
        id,
        origin: origin.to_owned(),
        met: slot.count.met,
        played: slot.count.played,
        breaks_ledger: slot.fault.effect.breaks_ledger(),
        fault: written(&slot.fault),
    }
}

fn written(fault: &x402_sim::fault::Fault) -> NewFault {
    let value: Value = read::written(fault);
    serde_json::from_value(value).expect("a fault is written as it is read")
}

fn refuse(error: &FaultError) -> Problem {
    let code = if error.message.starts_with("there are ") { Code::TooManyFaults } else { Code::InvalidValue };
    let problem = code.because(error.to_string());
    let problem = if error.path.is_empty() { problem } else { problem.at(format!("$.{}", error.path)) };
    match &error.hint {
        Some(hint) => problem.hint(hint.clone()),
        None if problem.hint.is_some() => problem,
        None => problem.hint("docs/faults.md says which effect works where"),
    }
}
