//! `fault`: what is made to go wrong on purpose.

use http::Method;

use super::door::{Door, columns, segment};
use crate::context::Context;
use crate::doors::admin::client::Question;
use crate::doors::admin::routes::faults::{Fault, FaultIds, FaultMatch, Faults, NewFault, Presets};
use crate::error::Error;
use crate::exit::Exit;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Job {
    /// Add one, or those of a preset.
    Add(Box<NewFault>),
    /// Every fault; the built-in ones, too, or not.
    List(Listed),
    /// Remove those of an id or a name.
    Remove(String),
    /// Remove all.
    Clear,
    /// The presets.
    Presets,
}

/// Which faults are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those that somebody added.
    Added,
    /// The built-in ones, too.
    All,
}

/// Does it.
pub fn run(context: &Context, door: &Door, job: Job) -> Result<Exit, Error> {
    match job {
        Job::Add(fault) => door.ask(
            context,
            |remote| remote.post::<FaultIds>("/faults", &fault),
            |added| format!("added {}", added.ids.join(", ")),
        ),
        Job::List(which) => {
            let path = if which == Listed::All { "/faults?all=true" } else { "/faults" };
            door.ask(context, |remote| remote.get::<Faults>(path), list)
        }
        Job::Remove(fault) => {
            let question = Question::new(Method::DELETE, &format!("/faults/{}", segment(&fault)));
            door.ask(
                context,
                |remote| remote.ask::<FaultIds>(question),
                |gone| format!("removed {}", gone.ids.join(", ")),
            )
        }
        Job::Clear => {
            let question = Question::new(Method::DELETE, "/faults");
            door.ask(context, |remote| remote.ask::<FaultIds>(question), cleared)
        }
        Job::Presets => door.ask(context, |remote| remote.get::<Presets>("/faults/presets"), presets),
    }
}

fn cleared(gone: &FaultIds) -> String {
    match gone.ids.len() {
        0 => "there were no faults".to_owned(),
        1 => "removed 1 fault".to_owned(),
        count => format!("removed {count} faults"),
    }
}

fn list(all: &Faults) -> String {
    if all.faults.is_empty() {
        return "there are no faults: `x402-dev fault add PRESET` adds some".to_owned();
    }
    let mut rows = vec![["ID", "NAME", "STAGE", "EFFECT", "MATCH", "PLAYED"].map(str::to_owned).to_vec()];
    rows.extend(all.faults.iter().map(row));
    columns(&rows)
}

fn row(listed: &Fault) -> Vec<String> {
    let fault = &listed.fault;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let after = if fault.timing.as_deref() == Some("after") { ":after" } else { "" };
    let met = fault.matcher.as_ref().map(matched).unwrap_or_default();
    let stage = format!("{}{after}", text(&fault.stage));
    let breaks = if listed.breaks_ledger { " breaks-ledger" } else { "" };
    let effect = format!("{}{breaks}", text(&fault.effect));
    vec![listed.id.clone(), text(&fault.name), stage, effect, met, format!("{} of {}", listed.played, listed.met)]
}

fn matched(matcher: &FaultMatch) -> String {
    let FaultMatch { door, route, method, payer, network, scheme, purchase, version } = matcher;
    let version = version.map(|version| version.to_string());
    let named = [
        ("door", door),
        ("method", method),
        ("route", route),
        ("payer", payer),
        ("network", network),
        ("scheme", scheme),
        ("purchase", purchase),
        ("version", &version),
    ];
    let said = named.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    said.collect::<Vec<_>>().join(" ")
}

fn presets(all: &Presets) -> String {
    let mut rows = vec![["PRESET", "SETTLEMENTS", "WHAT GOES WRONG"].map(str::to_owned).to_vec()];
    let row = |preset: &crate::doors::admin::routes::faults::Preset| {
        let counts = format!("{}, {} when paid again", preset.settlements, preset.settlements_when_paid_again);
        vec![preset.name.clone(), counts, preset.what.clone()]
    };
    rows.extend(all.presets.iter().map(row));
    columns(&rows)
}
