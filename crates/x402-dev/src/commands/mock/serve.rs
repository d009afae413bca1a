//! The life of a server in this process: hold the instance, listen, say so, wait for the end, say how it came.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::start::{Managed, Start};
use crate::banner;
use crate::clock;
use crate::config::{self, Loaded};
use crate::context::Context;
use crate::doors::admin::Reloaded;
use crate::doors::admin::routes::{Admin, Reload};
use crate::error::Error;
use crate::instance::hold::Hold;
use crate::instance::record::{Cause, Draining, Ending, Facts, Record, StartedBy};
use crate::instance::{Place, log::LogFile};
use crate::lifetime::{End, Lifetime, Notice};
use crate::server::{self, ServerHandle};
use crate::state::{Current, State};
use crate::terminal::{Colour, Sink, Terminal};

/// Who is told when the server listens.
pub type Announce<'a> = &'a mut dyn FnMut(&str, u32);

/// Where a server writes.
#[derive(Debug)]
pub enum Output {
    /// To stderr.
    Stderr,
    /// To its log file.
    File(LogFile, PathBuf),
}

/// Runs a server to its end.
pub fn serve(context: &Context, start: &Start, output: Output, announce: Announce<'_>) -> Result<(), Error> {
    let hold = match &start.managed {
        Managed::Instance(place) => Some(Hold::take(place.clone())?),
        Managed::No => None,
    };
    let loaded = config::load(context, &start.overrides)?;
    let (sink, log) = match output {
        Output::Stderr => (Sink::Stderr, None),
        Output::File(file, path) => (Sink::File(file), Some(path)),
    };
    let terminal = Arc::new(Terminal::new(loaded.config.log, Colour::detect(context), sink));
    report_panics(&terminal);
    let life = Life { context, start, loaded, terminal: Arc::clone(&terminal), hold, log };
    let ended = life.run(announce);
    terminal.close();
    ended
}

/// A server that is about to live.
struct Life<'a> {
    context: &'a Context,
    start: &'a Start,
    loaded: Loaded,
    terminal: Arc<Terminal>,
    hold: Option<Hold>,
    log: Option<PathBuf>,
}

impl Life<'_> {
    fn run(mut self, announce: Announce<'_>) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Error::System { what: "no threads for the server", source })?;
        let ended = runtime.block_on(async {
            let mut lifetime =
                Lifetime::begin(self.start.parent.clone(), self.context.variable("NOTIFY_SOCKET").map(str::to_owned))
                    .map_err(|source| Error::System { what: "no signal handlers", source })?;
            let (server, reload) = self.listen().await?;
            self.say_ready(&server, announce);
            lifetime.notify(Notice::Ready);
            let end = lifetime.end(&|| self.reload(reload.as_ref())).await;
            let in_flight = server.state().counters.in_flight.load(Ordering::Relaxed);
            lifetime.notify(Notice::Stopping);
            self.terminal.say(&format!("stopping: {}", end.words()));
            if let Some(hold) = &mut self.hold {
                hold.drain(Draining { in_flight, since: clock::now() });
            }
            tokio::select! {
                () = server.shutdown() => {}
                // Asked again: whoever insists does not want to wait.
                () = lifetime.insisted() => {}
            }
            Ok(end)
        });
        // Connections that outlive the grace end with the runtime.
        runtime.shutdown_background();
        self.finish(&ended);
        ended.map(|_| ())
    }

    async fn listen(&mut self) -> Result<(ServerHandle, Option<Reload>), Error> {
        let config = &self.loaded.config;
        let seed = match config.seed {
            Some(seed) => seed,
            None => random().map(u64::from_le_bytes).map_err(no_randomness)?,
        };
        let current = Current::new(Arc::new(State::new(config, seed, Arc::clone(&self.terminal))?));
        let listener = match crate::lifetime::inherited_listener() {
            Some(listener) => listener.map_err(|source| Error::System { what: "the inherited socket", source })?,
            None => server::bind(config).await?,
        };
        let reload = self.hold.is_some().then(|| self.reloader(&current));
        let admin = match &reload {
            None => None,
            Some(reload) => {
                let token = format!("{:032x}", random().map(u128::from_be_bytes).map_err(no_randomness)?);
                Some(Admin { token, started_at: clock::now(), current: current.clone(), reload: Arc::clone(reload) })
            }
        };
        let facts = admin.as_ref().map(|admin| (admin.token.clone(), admin.started_at));
        let server = server::spawn_over(config, current, listener, admin)?;
        if let (Some((token, started_at)), Some(hold)) = (facts, &mut self.hold) {
            let record = Record::new(Facts {
                identity: hold.identity().clone(),
                token,
                url: banner::url(server.address()),
                port: server.address().port(),
                started_at,
                configuration: entries(&self.loaded),
                command: StartedBy {
                    overrides: self.start.overrides.clone(),
                    working_dir: self.context.working_dir.clone(),
                    environment: self.context.configuration(),
                    parent: self.start.parent.clone(),
                },
                log: self.log.clone(),
            });
            hold.announce(record)?;
        }
        Ok((server, reload))
    }

    fn say_ready(&self, server: &ServerHandle, announce: Announce<'_>) {
        let (url, pid) = (banner::url(server.address()), std::process::id());
        for warning in &self.loaded.warnings {
            self.terminal.say(&format!("warning: {warning}."));
        }
        self.terminal.say(&banner::render(&self.loaded.config, &server.state(), &url, pid));
        announce(&url, pid);
    }

    /// A function that reads the configuration again, with the flags and the environment of the start.
    fn reloader(&self, current: &Current) -> Reload {
        let (context, overrides) = (self.context.clone(), self.start.overrides.clone());
        let (current, terminal) = (current.clone(), Arc::clone(&self.terminal));
        let in_force = Mutex::new(self.loaded.clone());
        Arc::new(move || {
            let mut in_force = in_force.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = match renew(&context, &overrides, &in_force, &current) {
                Ok((loaded, changed)) => {
                    terminal.set_log(loaded.config.log);
                    *in_force = loaded;
                    Reloaded::Changed(changed)
                }
                Err(report) => Reloaded::Refused(report),
            };
            terminal.say(&say_reloaded(&outcome));
            outcome
        })
    }

    fn reload(&self, reload: Option<&Reload>) {
        match reload {
            Some(reload) => drop(reload()),
            None => self.terminal.say("reload: an unmanaged server has no configuration to read again"),
        }
    }

    fn finish(self, ended: &Result<End, Error>) {
        let Some(hold) = self.hold else { return };
        let cause = match ended {
            Ok(end) => end.cause(),
            Err(error) => Cause::Failed(error.to_string()),
        };
        hold.end(Ending { cause, at: clock::now() });
    }
}

/// Reads the configuration again. `Err` is for people and changes nothing.
fn renew(
    context: &Context,
    overrides: &config::Overrides,
    old: &Loaded,
    current: &Current,
) -> Result<(Loaded, Vec<String>), String> {
    let refused = |error: Error| error.report(Colour::Off);
    let new = config::load(context, overrides).map_err(|error| refused(error.into()))?;
    let changed = changed_keys(old, &new);
    let fixed: Vec<_> = changed.iter().filter(|key| FIXED.contains(&key.as_str())).cloned().collect();
    if !fixed.is_empty() {
        return Err(format!(
            "error: {} cannot change while the server runs\nhint: use `x402-dev mock restart`",
            fixed.join(", ")
        ));
    }
    let state = current.get().renewed(&new.config).map_err(refused)?;
    current.set(state);
    Ok((new, changed))
}

/// What a running server cannot change.
const FIXED: [&str; 4] = ["server.host", "server.port", "server.facilitator", "seed"];

fn changed_keys(old: &Loaded, new: &Loaded) -> Vec<String> {
    let pairs = old.effective.entries.iter().zip(&new.effective.entries);
    pairs.filter(|(old, new)| old.value != new.value).map(|(_, new)| new.key.clone()).collect()
}

fn say_reloaded(outcome: &Reloaded) -> String {
    match outcome {
        Reloaded::Changed(keys) if keys.is_empty() => "reloaded: nothing has changed".to_owned(),
        Reloaded::Changed(keys) => format!("reloaded: {}", keys.join(", ")),
        Reloaded::Refused(why) => format!("reload refused, the old configuration holds\n{why}"),
    }
}

fn entries(loaded: &Loaded) -> Vec<(String, serde_json::Value, String)> {
    let entries = loaded.effective.entries.iter();
    entries.map(|entry| (entry.key.clone(), entry.value.clone(), entry.origin.to_string())).collect()
}

/// Logs panics with a backtrace, through the same queue as every line.
fn report_panics(terminal: &Arc<Terminal>) {
    let terminal = Arc::clone(terminal);
    std::panic::set_hook(Box::new(move |panic| {
        let backtrace = std::backtrace::Backtrace::force_capture();
        terminal.notice(&format!("bug: {panic}\n{backtrace}"));
    }));
}

/// Bytes from the system's randomness.
fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn no_randomness(source: io::Error) -> Error {
    Error::System { what: "no randomness from the system", source }
}

/// Where an instance's log goes when it runs in the background.
pub fn open_log(place: &Place) -> io::Result<Output> {
    place.create()?;
    let path = place.log();
    Ok(Output::File(LogFile::open(path.clone())?, path))
}
