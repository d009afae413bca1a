//! `x402-dev mock`: a server, from its start to its end.
//!
//! | room | command |
//! |---|---|
//! | [`start`] | `mock`, `mock -d` |
//! | [`serve`], [`renewal`] | the life of a server in this process, and its configuration read again |
//! | [`stop`], [`restart`], [`reload`] | changing a running one |
//! | [`status`], [`list`], [`wait`] | asking about it |
//! | [`ending`] | why the last one ended |
//! | [`logs`], [`env`] | what it wrote; how to reach it |
//! | [`form`] | text or JSON, also for what failed |

use std::path::PathBuf;

use crate::cli::mock::{MockAction, MockArgs, ShellArg, StartArgs};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::Patience;
use crate::instance::hold::HoldError;
use crate::instance::launch::Waiting;
use crate::instance::os::{Here, Identity, System};
use crate::instance::{Home, InstanceName, Place, Standing, survey};
use crate::terminal::{self, Colour};
use form::failure;

pub mod ending;
pub mod env;
pub mod form;
pub mod list;
pub mod logs;
pub mod reload;
pub mod renewal;
pub mod restart;
pub mod serve;
pub mod start;
pub mod status;
pub mod stop;
pub mod wait;

pub use form::Form;

/// Runs a command of `mock`. In JSON, a failure is said on stdout, too.
pub fn run(context: &Context, args: MockArgs) -> Result<Exit, Error> {
    let action = args.action.unwrap_or(MockAction::Start(Box::new(args.start)));
    let form = Form::of(action.json());
    let outcome = dispatch(context, action, form);
    if let (Err(error), Form::Json) = (&outcome, form) {
        terminal::result(&failure(&error.report(Colour::Off), error.exit()).to_string());
    }
    outcome
}

fn dispatch(context: &Context, action: MockAction, form: Form) -> Result<Exit, Error> {
    match action {
        MockAction::Start(args) => start(context, *args, form),
        MockAction::Stop(args) => {
            let whom = if args.all { stop::Whom::All } else { stop::Whom::One(args.instance.name) };
            let patience = if args.force { Patience::Kill } else { Patience::Leave };
            stop::stop(context, &whom, args.timeout, patience, form)
        }
        MockAction::Status(args) => status::status(context, &args.instance.name, form),
        MockAction::Restart(args) => {
            restart::restart(context, &args.instance.name, args.layers.into(), args.timeout, form)
        }
        MockAction::Reload(args) => reload::reload(context, &args.instance.name, form),
        MockAction::Wait(args) => wait::wait(context, &args.instance.name, args.timeout, form),
        MockAction::Logs(args) => {
            let follow = if args.follow { logs::Follow::Yes } else { logs::Follow::No };
            let excerpt = logs::Excerpt { lines: args.lines, since: args.since, follow };
            logs::logs(context, &args.instance.name, excerpt, form)
        }
        MockAction::List(_) => list::list(context, form),
        MockAction::Env(args) => {
            let shell = match args.shell {
                _ if args.json => env::Shell::Json,
                ShellArg::Sh => env::Shell::Sh,
                ShellArg::Fish => env::Shell::Fish,
                ShellArg::Json => env::Shell::Json,
            };
            env::env(context, &args.instance.name, shell)
        }
        MockAction::RunInBackground => start::in_background(context),
    }
}

fn start(context: &Context, args: StartArgs, form: Form) -> Result<Exit, Error> {
    let parent = args.exit_with_parent.map(parent).transpose()?;
    let overrides = args.layers.into();
    if args.detach {
        let waiting = if args.no_wait { Waiting::No } else { Waiting::For(args.wait_timeout) };
        let detach = start::Detach { name: args.instance.name, overrides, parent, waiting };
        return start::background(context, detach, form);
    }
    let managed = if args.no_instance {
        start::Managed::No
    } else {
        start::Managed::Instance(place(context, &args.instance.name)?)
    };
    start::foreground(context, &start::Start { overrides, managed, parent }, form)
}

/// The process to end with: the one that started this command, or the one with a PID.
fn parent(pid: u32) -> Result<Identity, Error> {
    let pid = if pid == 0 { std::os::unix::process::parent_id() } else { pid };
    Here::identify(pid).ok_or(Error::NoParent { pid })
}

/// The home of all instances: where `X402_DEV_HOME` says, made if need be, or in the user's own directory, which must
/// exist.
pub fn home(context: &Context) -> Result<Home, Error> {
    let own = context.variable("HOME").map(PathBuf::from);
    let named = context.variable("X402_DEV_HOME").is_some();
    match (&context.home, own) {
        (Some(_), Some(own)) if !named && !own.is_dir() => Err(Error::NoHome { home: Some(own) }),
        (Some(home), _) => Ok(Home::new(home.clone())),
        (None, _) => Err(Error::NoHome { home: None }),
    }
}

/// A home cannot be looked into.
pub fn unreadable(home: &Home, source: std::io::Error) -> Error {
    HoldError::Directory { directory: home.root().to_owned(), source }.into()
}

/// Where an instance lies.
pub fn place(context: &Context, name: &InstanceName) -> Result<Place, Error> {
    Ok(home(context)?.place(name))
}

/// How an instance stands.
pub fn standing(place: &Place) -> Result<Standing, Error> {
    survey(place).map_err(|source| Error::State { name: place.name.clone(), source })
}
