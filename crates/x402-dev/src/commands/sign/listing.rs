//! The table of defects: names, what is wrong, and what is said of it.

use std::fmt::Write as _;

use serde::Serialize;
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::defect::{DEFECTS, PERMIT2_DEFECTS, Verdict};
use x402_sim::networks::solana::exact::defect as solana;
use x402_sim::registry::Version;

use super::{Form, pretty};

/// A defect in one protocol version. A reason that is `null` means that the payment is taken.
#[derive(Debug, Serialize)]
pub struct Row {
    name: &'static str,
    /// Where a payment can have it: `eip155` or `solana`.
    family: &'static str,
    what: &'static str,
    version: u8,
    verify: Option<&'static str>,
    settle: Option<&'static str>,
    resource: Option<&'static str>,
}

impl Row {
    /// What is said of a defect in a version.
    pub const fn of(defect: &Defect, version: Version) -> Self {
        Self {
            name: defect.name,
            family: "eip155",
            what: defect.what,
            version: version.number(),
            verify: defect.verify().spell(version),
            settle: defect.settle().spell(version),
            resource: defect.resource(version).spell(version),
        }
    }

    /// What is said of a defect of a payment on Solana in a version.
    pub const fn on_solana(defect: &solana::Defect, version: Version) -> Self {
        let facilitator = defect.facilitator().spell(version);
        Self {
            name: defect.name,
            family: "solana",
            what: defect.what,
            version: version.number(),
            verify: facilitator,
            settle: facilitator,
            resource: defect.resource().spell(version),
        }
    }
}

/// Every defect: as JSON a row for each version, else a line for people.
pub fn render(form: Form) -> String {
    if form == Form::Json {
        let rows = DEFECTS.iter().flat_map(|defect| [Version::V2, Version::V1].map(|version| Row::of(defect, version)));
        // Version 1 knows no Permit2.
        let rows = rows.chain(PERMIT2_DEFECTS.iter().map(|defect| Row::of(defect, Version::V2)));
        let on_solana = |defect| [Version::V2, Version::V1].map(|version| Row::on_solana(defect, version));
        let rows = rows.chain(solana::DEFECTS.iter().flat_map(on_solana));
        return pretty(&rows.collect::<Vec<_>>());
    }
    let names = Defect::all().map(|defect| defect.name).chain(solana::DEFECTS.iter().map(|defect| defect.name));
    let width = names.map(str::len).max().unwrap_or_default();
    let mut text = String::new();
    for defect in Defect::all() {
        let resource = [Version::V2, Version::V1].map(|version| defect.resource(version));
        let verdicts = [[defect.verify(); 2], [defect.settle(); 2], resource];
        describe(&mut text, (defect.name, defect.what), verdicts, width);
    }
    text.push_str("\nOf a payment on Solana:\n\n");
    for defect in solana::DEFECTS {
        let verdicts = [defect.facilitator(), defect.facilitator(), defect.resource()].map(|verdict| [verdict; 2]);
        describe(&mut text, (defect.name, defect.what), verdicts, width);
    }
    text
}

/// A defect, and what `/verify`, `/settle` and a paid resource say of it, in version 2 and 1.
fn describe(text: &mut String, (name, what): (&str, &str), verdicts: [[Verdict; 2]; 3], width: usize) {
    let [verify, settle, resource] = verdicts;
    let mut line = |left: &str, right: &str| {
        writeln!(text, "{left:width$}  {right}").expect("writing to a string cannot fail");
    };
    line(name, what);
    line("", &format!("-> {}", said(verify)));
    for (door, verdicts) in [("settle", settle), ("a paid resource", resource)] {
        if verdicts != verify {
            line("", &format!("   {door}: {}", said(verdicts)));
        }
    }
}

/// What is said in version 2, and in version 1 where it is something else.
fn said([v2, v1]: [Verdict; 2]) -> String {
    let text = |verdict: Verdict, version| verdict.spell(version).unwrap_or("accepted");
    match (text(v2, Version::V2), text(v1, Version::V1)) {
        (v2, v1) if v1 == v2 => v2.to_owned(),
        (v2, v1) => format!("{v2} (version 1: {v1})"),
    }
}
