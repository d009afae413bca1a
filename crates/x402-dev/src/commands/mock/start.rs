//! `mock`: starts a server in the foreground, or in the background with `-d`.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use serde_json::json;

use super::serve::{Output, open_log, serve};
use super::{Form, place};
use crate::banner;
use crate::clock;
use crate::config::{self, Overrides};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::hold::HoldError;
use crate::instance::launch::{Job, Launched, Waiting, Word, launch, read_job};
use crate::instance::os::{Here, Identity, System};
use crate::instance::record::StartedBy;
use crate::instance::{InstanceName, Place, Standing, survey};
use crate::terminal::{self, Colour};

/// Whether a server is an instance that other commands can find.
#[derive(Clone, Debug)]
pub enum Managed {
    /// This one.
    Instance(Place),
    /// It is not.
    No,
}

/// A server to start in this process.
#[derive(Clone, Debug)]
pub struct Start {
    /// What the flags say.
    pub overrides: Overrides,
    /// Whether it is an instance.
    pub managed: Managed,
    /// The process with which it ends.
    pub parent: Option<Identity>,
}

/// A server to start in the background.
#[derive(Clone, Debug)]
pub struct Detach {
    /// The instance.
    pub name: InstanceName,
    /// What the flags say.
    pub overrides: Overrides,
    /// The process with which it ends.
    pub parent: Option<Identity>,
    /// Whether to wait until it answers.
    pub waiting: Waiting,
}

/// Runs a server in the foreground.
pub fn foreground(context: &Context, start: &Start, form: Form) -> Result<Exit, Error> {
    serve(context, start, Output::Stderr, &mut |url, pid| {
        if form == Form::Json {
            let line = json!({ "url": url, "rpc": banner::rpc(url), "pid": pid }).to_string();
            // On a thread of its own: a pipe that is full already must not keep the server from its signals.
            std::thread::spawn(move || terminal::result(&line));
        }
    })
}

/// Starts a server in the background, and returns when it answers.
pub fn background(context: &Context, detach: Detach, form: Form) -> Result<Exit, Error> {
    let place = place(context, &detach.name)?;
    refuse_second(&place)?;
    // Refused here, a wrong configuration is drawn in the colours of this terminal.
    config::load(context, &detach.overrides)?;
    let command = StartedBy {
        overrides: detach.overrides,
        working_dir: context.working_dir.clone(),
        environment: context.configuration(),
        parent: detach.parent,
    };
    let (url, pid) = start_child(context, &place, command, detach.waiting)?;
    terminal::result(&match (form, &url) {
        (Form::Json, _) => json!({ "url": url, "rpc": url.as_deref().map(banner::rpc), "pid": pid }).to_string(),
        (Form::Text, Some(url)) => format!("Server is running on {url} (PID: {pid})"),
        (Form::Text, None) => format!("Server is starting (PID: {pid})"),
    });
    Ok(Exit::Success)
}

/// Starts a child for an instance. Gives its URL, if it has said it, and its PID.
pub fn start_child(
    context: &Context,
    place: &Place,
    command: StartedBy,
    waiting: Waiting,
) -> Result<(Option<String>, u32), Error> {
    let job = Job { name: place.name.to_string(), command };
    let failed = |source| Error::System { what: "no process for the server", source };
    let died = |report: String, exit: Exit| Error::Child { report, exit: exit.number() };
    match launch(context, &job, waiting).map_err(failed)? {
        Launched::Said(Word::Ready { url, pid }) => Ok((Some(url), pid)),
        Launched::Said(Word::Failed { report, exit }) => Err(Error::Child { report, exit }),
        Launched::StillStarting { pid } if waiting == Waiting::No => Ok((None, pid)),
        Launched::StillStarting { pid } => {
            let report =
                format!("error: the server (PID {pid}) does not answer yet; its log is {}", place.log().display());
            Err(died(report, Exit::Bug))
        }
        Launched::Died { status } => {
            let report =
                format!("error: the server died without a word ({status}); its log is {}", place.log().display());
            Err(died(report, Exit::Bug))
        }
    }
}

/// The child's side of a start in the background.
pub fn in_background(context: &Context) -> Result<Exit, Error> {
    let broken = |source| Error::System { what: "no stdout", source };
    // Kept aside: stdout becomes the log, and may be another file of it before the line is said.
    let starter = io::stdout().as_fd().try_clone_to_owned().map_err(broken)?;
    let mut starter = Some(File::from(starter));
    let mut said = |word: &Word| {
        let line = serde_json::to_string(word).expect("a word has string keys");
        // One line, and nobody has to wait for it any more: whoever started this may be gone.
        let _ = starter.take().map(|mut starter| writeln!(starter, "{line}"));
    };
    let error = match run_job(context, &mut said) {
        Ok(exit) => return Ok(exit),
        Err(error) => error,
    };
    let report = error.report(Colour::Off);
    // In the log, which stderr is by now, with a time like every line.
    terminal::error(&format!("{} {report}", clock::timestamp(clock::now())));
    said(&Word::Failed { report, exit: error.exit().number() });
    Ok(error.exit())
}

fn run_job(context: &Context, said: &mut dyn FnMut(&Word)) -> Result<Exit, Error> {
    let broken = |source| Error::System { what: "no job on stdin", source };
    let job = read_job().map_err(broken)?;
    // Fails only where the process leads a group already, and then it has a session of its own.
    let _ = Here::leave_terminal();
    let place = place(context, &job.instance())?;
    let output = open_log(&place).map_err(unusable(&place))?;
    let start = Start {
        overrides: job.command.overrides,
        managed: Managed::Instance(place.clone()),
        parent: job.command.parent,
    };
    serve(context, &start, output, &mut |url, pid| said(&Word::Ready { url: url.to_owned(), pid }))
}

/// Refuses to start an instance that runs.
fn refuse_second(place: &Place) -> Result<(), Error> {
    match survey(place).map_err(unusable(place))? {
        Standing::Running(running) => Err(HoldError::AlreadyRunning { pid: running.identity.pid }.into()),
        Standing::Elsewhere(_) => Err(HoldError::Elsewhere { lock: place.lock() }.into()),
        Standing::Stranger(holder) => Err(HoldError::Stranger { lock: place.lock(), holder }.into()),
        Standing::Stopped(_) => Ok(()),
    }
}

/// The directory of an instance cannot be used by a server.
pub fn unusable(place: &Place) -> impl FnOnce(io::Error) -> Error {
    let directory = place.directory().to_owned();
    move |source| HoldError::Directory { directory, source }.into()
}
