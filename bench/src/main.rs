//! Measurements of the mock server. `cargo xtask bench` builds this in release mode and runs it.
//!
//! | room | what it holds |
//! |---|---|
//! | [`per_request`] | the CPU time of a request, beside bare routes and a signature recovery in the same process |
//! | [`by_kind`] | the same of other kinds of payment, and of a chain's own door |
//! | [`throughput`] | our release binary against the official TypeScript facilitator |
//! | [`start`] | how soon the release binary is ready, and its idle memory |
//! | [`lifecycle`] | the commands of a server's life |
//! | [`readers`] | whether readers of events slow settlements down |
//! | [`settlements`] | the memory and time of a million settlements |
//! | [`maps`] | the shared maps among which the ledger's was chosen |
//! | [`bare`] | axum routes that do nothing, or one recovery or signing |
//! | [`signatures`] | recovering and signing, for the comparison |
//! | [`load`], [`connection`], [`payments`], [`kinds`] | the load generator, its client, and what it sends |
//! | [`process`] | helper processes, and memory |
//! | [`cores`] | which core what runs on |
//! | [`clock`], [`spread`], [`report`], [`machine`], [`document`] | CPU time; medians; tables; where and what is written |
//! | [`settings`], [`terminal`], [`failure`] | how much is measured; output; why it stopped |

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use failure::Failure;
use machine::Machine;
use report::Section;
use settings::Settings;

mod bare;
mod by_kind;
mod clock;
mod connection;
mod cores;
mod document;
mod failure;
mod kinds;
mod lifecycle;
mod load;
mod machine;
mod maps;
mod payments;
mod per_request;
mod process;
mod readers;
mod report;
mod settings;
mod settlements;
mod signatures;
mod spread;
mod start;
mod terminal;
mod throughput;

const USAGE: &str = "\
usage: cargo xtask bench [--write | --only TABLE] [--quick] [--skip-official]

  --write            keeps the numbers in docs/benchmarks.md
  --only TABLE       measures one table: requests, kinds, throughput, start, lifecycle, readers, settlements, maps
  --quick            measures little: for trying the benchmark itself
  --skip-official    leaves out the official TypeScript facilitator, which needs Node.js";

/// What is to be measured, and where it goes.
#[derive(Clone, Copy, Debug)]
struct Options {
    settings: Settings,
    write: bool,
    official: bool,
    only: Option<&'static str>,
}

/// The names of the tables, in their order.
const TABLES: [&str; 8] = ["requests", "kinds", "throughput", "start", "lifecycle", "readers", "settlements", "maps"];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match dispatch(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::note(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// The words of a person, or of this program to a helper process of itself.
fn dispatch(words: &[&str]) -> Result<(), Failure> {
    let count = |word: &str| word.parse().map_err(Failure::while_at("a count"));
    match words {
        ["--help" | "-h"] => {
            terminal::line(USAGE);
            Ok(())
        }
        ["load"] => load::run(None),
        ["load", core] => load::run(Some(core.parse().map_err(Failure::while_at("a core"))?)),
        ["map", map, entries] => maps::run(map, count(entries)?),
        ["settlements", payers, settlements] => {
            let payers = settlements::Payers::from_name(payers);
            let payers = payers.ok_or_else(|| Failure::new("there are no such payers"))?;
            settlements::run(payers, count(settlements)?)
        }
        flags => measure(Options::parse(flags)?),
    }
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, Failure> {
        let mut options = Self { settings: Settings::FULL, write: false, official: true, only: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--only" => {
                    let wanted = words.next();
                    let table = TABLES.into_iter().find(|table| Some(table) == wanted);
                    options.only = Some(table.ok_or_else(|| Failure::new(format!("there is no such table\n{USAGE}")))?);
                }
                "--write" => options.write = true,
                "--quick" => options.settings = Settings::QUICK,
                "--skip-official" => options.official = false,
                _ => return Err(Failure::new(format!("bench knows no argument `{word}`\n{USAGE}"))),
            }
        }
        if options.write && options.only.is_some() {
            return Err(Failure::new("--write keeps all tables of one run, and --only measures one"));
        }
        Ok(options)
    }

    fn tables(self) -> impl Iterator<Item = &'static str> {
        TABLES.into_iter().filter(move |table| self.only.is_none_or(|only| only == *table))
    }
}

fn measure(options: Options) -> Result<(), Failure> {
    let (settings, here) = (options.settings, Path::new(env!("CARGO_MANIFEST_DIR")));
    let machine = Machine::look();
    let empty = EmptyFolder::make()?;
    let sections: Vec<Section> = options
        .tables()
        .map(|table| match table {
            "requests" => per_request::measure(settings),
            "kinds" => by_kind::measure(settings),
            "throughput" => Ok(throughput(options, here, &empty)),
            "start" => start::measure(settings, &empty.0),
            "lifecycle" => lifecycle::measure(settings, &empty.0),
            "readers" => readers::measure(settings, &empty.0),
            "settlements" => settlements::measure(settings),
            _ => maps::measure(settings),
        })
        .collect::<Result<_, _>>()?;
    let mut text = machine.render();
    for section in &sections {
        text += "\n";
        text += &section.render();
    }
    terminal::line(&text);
    let missed: Vec<_> = sections.iter().flat_map(Section::missed).collect();
    terminal::line(&match missed.as_slice() {
        [] => "Every target was met.".to_owned(),
        missed => format!("Missed: {}.", missed.join("; ")),
    });
    if options.write { document::write(&here.join("../docs/benchmarks.md"), &text) } else { Ok(()) }
}

fn throughput(options: Options, here: &Path, empty: &EmptyFolder) -> Section {
    if options.official {
        throughput::measure(options.settings, &here.join("official-server.mjs"), &empty.0)
            .unwrap_or_else(|failure| Section::without("Throughput of `POST /verify`", &failure.to_string()))
    } else {
        Section::without("Throughput of `POST /verify`", "`--skip-official` was given")
    }
}

/// A folder without a configuration, in which the product is started. It is removed at the end.
struct EmptyFolder(PathBuf);

impl EmptyFolder {
    fn make() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("x402-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(Failure::while_at("a temporary folder"))?;
        Ok(Self(folder))
    }
}

impl Drop for EmptyFolder {
    fn drop(&mut self) {
        // What is left in a temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
