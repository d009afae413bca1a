//! The life of a server in this process: hold the instance, listen, say so, wait for the end, say how it came.

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ending::{PANICKED, last_run};
use super::renewal::{Renewal, settings};
use super::start::{Managed, Start};
use crate::banner;
use crate::clock;
use crate::config::{self, Loaded};
use crate::context::Context;
use crate::doors::admin::{Admin, Reload};
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::hold::Hold;
use crate::instance::record::{Cause, Draining, Ending, Facts, Record, StartedBy};
use crate::instance::{Place, log::LogFile};
use crate::lifetime::{End, Lifetime, Manager, Notice};
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

/// Runs a server to its end. It fails where requests in flight were left without an answer.
pub fn serve(context: &Context, start: &Start, output: Output, announce: Announce<'_>) -> Result<Exit, Error> {
    let hold = match &start.managed {
        Managed::Instance(place) => Some(Arc::new(Mutex::new(Hold::take(place.clone())?))),
        Managed::No => None,
    };
    let loaded = config::load(context, &start.overrides)?;
    let (sink, log) = match output {
        Output::Stderr => (Sink::Stderr, None),
        Output::File(file, path) => (Sink::File(file), Some(path)),
    };
    let terminal = Arc::new(Terminal::new(loaded.config.log, Colour::detect(context), sink));
    report_panics(&terminal);
    let manager = Manager::new(context.variable("NOTIFY_SOCKET").map(str::to_owned));
    let life = Life { context, start, loaded, terminal: Arc::clone(&terminal), manager, hold, log };
    let ended = catch_unwind(AssertUnwindSafe(|| life.run(announce)));
    if ended.is_err() {
        terminal.notice(PANICKED);
    }
    terminal.close();
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

/// A server that is about to live.
struct Life<'a> {
    context: &'a Context,
    start: &'a Start,
    loaded: Loaded,
    terminal: Arc<Terminal>,
    manager: Manager,
    hold: Option<Arc<Mutex<Hold>>>,
    log: Option<PathBuf>,
}

impl Life<'_> {
    fn run(self, announce: Announce<'_>) -> Result<Exit, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Error::System { what: "no threads for the server", source })?;
        let ended = runtime.block_on(async {
            let mut lifetime = Lifetime::begin(self.start.parent.clone())
                .map_err(|source| Error::System { what: "no signal handlers", source })?;
            let (server, reload) = self.listen().await?;
            self.say_ready(&server, announce);
            self.manager.notify(Notice::Ready);
            let end = lifetime.end(&|| drop(reload())).await;
            let counters = Arc::clone(&server.state().counters);
            let in_flight = counters.in_flight.load(Ordering::Relaxed);
            self.manager.notify(Notice::Stopping);
            self.terminal.say(&format!("stopping: {}", end.words()));
            if let Some(mut hold) = self.held() {
                hold.drain(Draining { in_flight, since: clock::now() });
            }
            tokio::select! {
                () = server.shutdown() => {}
                // Asked again: whoever insists does not want to wait.
                () = lifetime.insisted() => {}
            }
            Ok((end, counters.in_flight.load(Ordering::Relaxed)))
        });
        // Connections that outlive the grace end with the runtime.
        runtime.shutdown_background();
        let ended = ended.map(|(end, cut_off)| {
            if cut_off > 0 {
                let requests = if cut_off == 1 { "request" } else { "requests" };
                self.terminal.notice(&format!("ended with {cut_off} {requests} left without a whole answer"));
            }
            (end, if cut_off > 0 { Exit::Failure } else { Exit::Success })
        });
        self.finish(&ended);
        ended.map(|(_, exit)| exit)
    }

    async fn listen(&self) -> Result<(ServerHandle, Reload), Error> {
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
        let reload = self.reloader(&current);
        let admin = if self.hold.is_some() {
            let token = format!("{:032x}", random().map(u128::from_be_bytes).map_err(no_randomness)?);
            Some(Admin { token, started_at: clock::now(), reload: Arc::clone(&reload) })
        } else {
            None
        };
        // Before this server says anything that could be taken for the last words of the other one.
        let last_run = match &self.start.managed {
            Managed::Instance(place) => Record::read(&place.state()).map(|last| last_run(&last)),
            Managed::No => None,
        };
        let facts = admin.as_ref().map(|admin| (admin.token.clone(), admin.started_at));
        let server = server::spawn_over(config, current, listener, admin)?;
        if let (Some((token, started_at)), Some(mut hold)) = (facts, self.held()) {
            let record = Record::new(Facts {
                identity: hold.identity().clone(),
                token,
                url: banner::url(server.address()),
                port: server.address().port(),
                started_at,
                configuration: settings(&self.loaded),
                command: StartedBy {
                    overrides: self.start.overrides.clone(),
                    working_dir: self.context.working_dir.clone(),
                    environment: self.context.configuration(),
                    parent: self.start.parent.clone(),
                },
                log: self.log.clone(),
                last_run: last_run.map(Box::new),
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
        let renewal = Renewal {
            context: self.context.clone(),
            overrides: self.start.overrides.clone(),
            in_force: Mutex::new(self.loaded.clone()),
            current: current.clone(),
            terminal: Arc::clone(&self.terminal),
            manager: self.manager.clone(),
            hold: self.hold.clone(),
        };
        Arc::new(move || renewal.reload())
    }

    fn held(&self) -> Option<MutexGuard<'_, Hold>> {
        self.hold.as_ref().map(|hold| hold.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(&self, ended: &Result<(End, Exit), Error>) {
        let Some(mut hold) = self.held() else { return };
        let cause = match ended {
            Ok((end, _)) => end.cause(),
            Err(error) => Cause::Failed(error.to_string()),
        };
        hold.end(Ending { cause, at: clock::now() });
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LogFormat, LogLevel};
    use axum::{Router, body::Body, routing::get};
    use std::process::{Command, Stdio};

    const LOG: &str = "LOG_OF_A_SERVER_THAT_PANICS";

    /// No request makes a server panic that we know of, so that this is one with a fault, and all the rest is real.
    #[tokio::test]
    #[ignore = "it is the process that the next test starts"]
    async fn server_with_a_fault() {
        async fn bug() -> &'static str {
            let nothing: [&str; 0] = [];
            nothing.first().expect("this is a bug")
        }
        let path = PathBuf::from(std::env::var_os(LOG).unwrap());
        let file = LogFile::open(path).unwrap();
        let log = crate::config::Log { format: LogFormat::Text, level: LogLevel::Quiet };
        let terminal = Arc::new(Terminal::new(log, Colour::Off, Sink::File(file)));
        report_panics(&terminal);
        let router = Router::new().route("/bug", get(bug)).route("/good", get(|| async { "fine" }));
        for (path, status) in [("/bug", 500), ("/good", 200), ("/bug", 500), ("/good", 200)] {
            let request = http::Request::builder().uri(path).body(Body::empty()).unwrap();
            let answer = crate::doors::route(&router, request).await;
            terminal.notice(&format!("{path} {}", answer.status().as_u16()));
            assert_eq!(answer.status(), status);
        }
        terminal.close();
    }

    #[test]
    fn a_panic_in_a_request_is_in_the_log_with_a_backtrace_and_the_server_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "commands::mock::serve::tests::server_with_a_fault", "--ignored", "--nocapture"])
            .env(LOG, &log)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let log = std::fs::read_to_string(log).unwrap();
        assert!(child.success(), "{log}");
        let (panicked, rest) = log.split_once("/bug 500").expect(&log);
        for part in ["bug: panicked at ", "serve.rs:", "this is a bug", "server_with_a_fault", "::bug"] {
            assert!(panicked.contains(part), "{part}: {log}");
        }
        assert!(rest.contains("/good 200"), "{log}");
        assert_eq!(log.matches("bug: panicked at ").count(), 2, "{log}");
    }
}
