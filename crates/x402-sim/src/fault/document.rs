//! The tables of docs/faults.md, made from the code.

use std::fmt::Write as _;

use super::cells::{Cell, cell};
use super::effect::{EFFECTS, Effect};
use super::model::{DOORS, Stage};
use super::preset::{Often, PRESETS};
use crate::event::Door;

/// The table of effect, stage and door, and under it why cells are refused.
pub fn effects() -> String {
    let mut text = String::from("| effect | what it does |");
    let columns: Vec<_> = columns().collect();
    for (stage, door) in &columns {
        let _ = write!(text, " {} at {} |", stage, door_name(*door));
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    let mut reasons: Vec<&str> = Vec::new();
    for row in EFFECTS {
        let Ok(effect) = Effect::parse(row.example) else { continue };
        let _ = write!(text, "| `{}{}` | {} |", row.name, row.argument, row.what.replace('|', "\\|"));
        for (stage, door) in &columns {
            match cell(&effect, *stage, *door) {
                Cell::Works => text.push_str(" works |"),
                Cell::Refused(why) => {
                    let at = reasons.iter().position(|known| *known == why).unwrap_or_else(|| {
                        reasons.push(why);
                        reasons.len() - 1
                    });
                    let _ = write!(text, " no ({}) |", at + 1);
                }
            }
        }
        text.push('\n');
    }
    text.push_str("\nRefused, because:\n\n");
    for (at, why) in reasons.iter().enumerate() {
        let _ = writeln!(text, "{}. {why}", at + 1);
    }
    text
}

/// The stages that a door has.
fn columns() -> impl Iterator<Item = (Stage, Door)> {
    let all = DOORS.into_iter().flat_map(|(door, _)| Stage::ALL.iter().map(move |(stage, ..)| (*stage, door)));
    all.filter(|(stage, door)| match door {
        Door::Facilitator => matches!(stage, Stage::Verify | Stage::Settle | Stage::Supported),
        Door::Rpc => matches!(stage, Stage::Settle | Stage::Call),
        _ => !matches!(stage, Stage::Supported | Stage::Call),
    })
}

fn door_name(door: Door) -> &'static str {
    DOORS.iter().find(|(own, _)| *own == door).map_or("", |(_, name)| name)
}

/// The table of presets.
pub fn presets() -> String {
    let head = "| preset | what goes wrong | settlements after one attempt | and when the client pays again | what is correct |\n|---|---|---|---|---|\n";
    let mut text = head.to_owned();
    for preset in PRESETS {
        let often = if preset.often == Often::FirstAttempt { "" } else { ", always" };
        let (name, what, correct) = (preset.name, preset.what, preset.correct);
        let _ = writeln!(text, "| `{name}` | {what}{often} | {} | {} | {correct} |", preset.once, preset.again);
    }
    text
}
