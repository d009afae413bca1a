//! How many verifications a second our release binary makes, and how many the official TypeScript facilitator.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::failure::Failure;
use crate::load::{Bodies, Generator, Job};
use crate::process::Helper;
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;

/// Both servers get two threads of eight connections each.
const THREADS: u32 = 2;
const CONNECTIONS: u32 = 8;

/// How many verifications a round asks of ours and of the official facilitator.
const OURS: u32 = 8000;
const OFFICIAL: u32 = 400;

/// The line that both servers print when they are ready.
#[derive(Debug, Deserialize)]
pub(crate) struct Ready {
    /// Where they listen.
    url: String,
}

impl Ready {
    /// The port.
    pub(crate) fn port(&self) -> Result<u16, Failure> {
        let digits = self.url.rsplit(':').next().unwrap_or_default();
        digits.trim_end_matches('/').parse().map_err(Failure::while_at("the port of a server"))
    }
}

/// Measures both in turn. `script` starts the official facilitator.
pub(crate) fn measure(settings: Settings, script: &Path, empty: &Path) -> Result<Section, Failure> {
    let ours = Helper::mock(empty)?;
    let official = Helper::start("the official facilitator", Command::new("node").arg(script))?;
    let ports = (ours.hear_json::<Ready>()?.port()?, official.hear_json::<Ready>()?.port()?);
    let mut generator = Generator::start(None)?;
    let mut rates = Vec::new();
    for number in 0..=settings.duels {
        let rate = (rate(&mut generator, ports.0, OURS)?, rate(&mut generator, ports.1, OFFICIAL)?);
        // The first round warms up both: the official facilitator's machine code is made while it runs.
        if number > 0 {
            rates.push(rate);
        }
    }
    terminal::note(&format!("{} rounds of throughput done", settings.duels));
    let connections = THREADS * CONNECTIONS;
    let rows = vec![
        Row::new("ours: verifications a second", "", Spread::of(rates.iter().map(|rate| rate.0))),
        Row::new("official TypeScript: verifications a second", "", Spread::of(rates.iter().map(|rate| rate.1))),
        Row::new("ours / official", "", Spread::of(rates.iter().map(|rate| rate.0 / rate.1)))
            .with_target(Bound::AtLeast(20.0)),
    ];
    Ok(Section::new(&format!("Throughput of `POST /verify` on {connections} connections"), rows))
}

fn rate(generator: &mut Generator, port: u16, count: u32) -> Result<f64, Failure> {
    let job = Job {
        port,
        request: "POST /verify".to_owned(),
        bodies: Bodies::Good,
        count,
        threads: THREADS,
        connections: CONNECTIONS,
        status: 200,
        contains: r#""isValid":true"#.to_owned(),
    };
    let ((), time) = generator.send(&job, |work| work())?;
    Ok(f64::from(count) / time.as_secs_f64())
}
