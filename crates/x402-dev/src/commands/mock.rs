//! `x402-dev mock`: the paid API and the facilitator, in the foreground.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::banner;
use crate::config::{self, Overrides};
use crate::context::Context;
use crate::error::Error;
use crate::server::{self, ServerHandle};
use crate::terminal::{self, Colour, Terminal};

/// What stdout says when the server is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Nothing: the banner on stderr is for people.
    Silent,
    /// One JSON line with `url` and `pid`.
    Json,
}

/// Runs the server until SIGINT or SIGTERM.
pub fn run(context: &Context, overrides: &Overrides, ready: Ready) -> Result<(), Error> {
    let loaded = config::load(context, overrides)?;
    let terminal = Arc::new(Terminal::new(loaded.config.log, Colour::detect(context)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "no threads for the server", source })?;
    let seed = loaded.config.seed.unwrap_or_else(system_seed);
    let ended = runtime.block_on(async {
        let stop = Stop::listen().map_err(|source| Error::System { what: "no signal handlers", source })?;
        let server = server::spawn(&loaded.config, seed, Arc::clone(&terminal)).await?;
        announce(&loaded, &server, &terminal, ready);
        stop.wait().await;
        server.shutdown().await;
        Ok(())
    });
    // Connections that outlive the grace end with the runtime.
    runtime.shutdown_background();
    terminal.close();
    ended
}

fn announce(loaded: &config::Loaded, server: &ServerHandle, terminal: &Terminal, ready: Ready) {
    let pid = std::process::id();
    let url = banner::url(server.address());
    for warning in &loaded.warnings {
        terminal.say(&format!("warning: {warning}."));
    }
    terminal.say(&banner::render(&loaded.config, &server.state(), &url, pid));
    if ready == Ready::Json {
        terminal::result(&json!({ "url": url, "pid": pid }).to_string());
    }
}

/// A seed from the system's randomness.
fn system_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The signals that end the server.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
