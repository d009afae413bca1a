//! How long the commands of a server's life take, with the release binary, from outside.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde::Deserialize;

use crate::failure::Failure;
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;

/// Clients that are connected, and idle, when a server is stopped.
const IDLE_CLIENTS: usize = 100;

/// Servers that run side by side when they are listed.
const SERVERS: usize = 20;

/// A home of its own, and the commands for it.
struct Site {
    binary: PathBuf,
    home: PathBuf,
}

/// What a start says.
#[derive(Deserialize)]
struct Started {
    url: String,
}

/// Measures.
pub(crate) fn measure(settings: Settings, empty: &Path) -> Result<Section, Failure> {
    let site = Site::new(empty)?;
    let rounds = settings.starts;
    let mut rows = vec![
        Row::new("`status`, not running", "ms", site.timed(rounds, &["status"], &mut |_| Ok(()))?)
            .with_target(Bound::AtMost(10.0)),
    ];
    rows.push(Row::new("`mock -d`, until it answers", "ms", site.starts(rounds)?).with_target(Bound::AtMost(150.0)));
    site.start()?;
    let running = site.timed(rounds, &["status"], &mut |_| Ok(()))?;
    rows.push(Row::new("`status`, running", "ms", running).with_target(Bound::AtMost(10.0)));
    let restarts = site.timed(rounds, &["restart"], &mut |_| Ok(()))?;
    rows.push(Row::new("`restart`", "ms", restarts).with_target(Bound::AtMost(250.0)));
    site.run(&["stop"])?;
    rows.push(Row::new("`stop`, nobody connected", "ms", site.stops(rounds, 0)?).with_target(Bound::AtMost(100.0)));
    let crowded = site.stops(rounds, IDLE_CLIENTS)?;
    let name = format!("`stop`, {IDLE_CLIENTS} idle keep-alive clients and an open event stream");
    rows.push(Row::new(&name, "ms", crowded).with_target(Bound::AtMost(100.0)));
    for number in 0..SERVERS {
        site.run(&["start", "-d", "--port", "0", "--name", &format!("n{number}")])?;
    }
    let listed = site.timed(rounds, &["list"], &mut |_| Ok(()))?;
    rows.push(Row::new(&format!("`list`, {SERVERS} running"), "ms", listed).with_target(Bound::AtMost(30.0)));
    site.run(&["stop", "--all"])?;
    terminal::note("the commands of a server's life are done");
    Ok(Section::new("The commands of a server's life", rows))
}

impl Site {
    fn new(empty: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::while_at("the path of this program"))?;
        let home = empty.join("home");
        std::fs::create_dir_all(&home).map_err(Failure::while_at("a home"))?;
        Ok(Self { binary: program.with_file_name("x402-dev"), home })
    }

    /// Runs `x402-dev mock` with these words.
    fn run(&self, words: &[&str]) -> Result<Output, Failure> {
        Command::new(&self.binary)
            .arg("mock")
            .args(words)
            .env_clear()
            .env("X402_DEV_HOME", &self.home)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .output()
            .map_err(Failure::while_at("the release binary"))
    }

    /// Starts a server in the background.
    fn start(&self) -> Result<Started, Failure> {
        let output = self.run(&["start", "-d", "--port", "0", "--json"])?;
        serde_json::from_slice(&output.stdout).map_err(Failure::while_at("a start"))
    }

    /// The times of a command, in milliseconds; `prepare` is not timed.
    fn timed(
        &self,
        rounds: u32,
        words: &[&str],
        prepare: &mut dyn FnMut(u32) -> Result<(), Failure>,
    ) -> Result<Spread, Failure> {
        let mut times = Vec::new();
        for round in 0..rounds {
            prepare(round)?;
            let begun = Instant::now();
            self.run(words)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Spread::of(times))
    }

    fn starts(&self, rounds: u32) -> Result<Spread, Failure> {
        let times = self.timed(rounds, &["start", "-d", "--port", "0"], &mut |_| self.run(&["stop"]).map(|_| ()))?;
        self.run(&["stop"])?;
        Ok(times)
    }

    /// The times of stops while so many clients hold a connection on which they were answered once, and one more, where
    /// there are any, follows the events.
    fn stops(&self, rounds: u32, clients: usize) -> Result<Spread, Failure> {
        let mut connected = Vec::new();
        self.timed(rounds, &["stop"], &mut |_| {
            let url = self.start()?.url;
            connected = (0..clients).map(|_| client(&url, "/health")).collect::<Result<Vec<_>, _>>()?;
            if clients > 0 {
                connected.push(client(&url, "/_x402/events")?);
            }
            Ok(())
        })
    }
}

/// A connection on which one request was answered, or begins to be.
fn client(url: &str, path: &str) -> Result<TcpStream, Failure> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).map_err(Failure::while_at("an idle client"))?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut answer = [0; 1024];
    let asked = stream.write_all(head.as_bytes()).and_then(|()| stream.read(&mut answer));
    asked.map_err(Failure::while_at("an idle client"))?;
    Ok(stream)
}
