//! How soon the release binary is ready, and what it holds when nobody asks for anything.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::process::Helper;
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;
use crate::throughput::Ready;

/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_millis(300);

/// Measures.
pub(crate) fn measure(settings: Settings, empty: &Path) -> Result<Section, Failure> {
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for number in 0..settings.starts {
        let begun = Instant::now();
        let server = Helper::mock(empty)?;
        let ready = server.hear()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        let parsed: Ready = serde_json::from_str(&ready).map_err(Failure::while_at("the ready line"))?;
        parsed.port()?;
        if number % 4 == 0 {
            std::thread::sleep(IDLE);
            let bytes = u32::try_from(server.resident()? / 1024).map_err(Failure::while_at("resident memory"))?;
            sizes.push(f64::from(bytes) / 1024.0);
        }
    }
    terminal::note(&format!("{} starts done", settings.starts));
    let rows = vec![
        Row::new("from the start of the process to its ready line", "ms", Spread::of(times))
            .with_target(Bound::AtMost(20.0)),
        Row::new("resident memory, idle", "MiB", Spread::of(sizes)).with_target(Bound::AtMost(12.0)),
    ];
    Ok(Section::new("Start and idle memory of the release binary", rows))
}
