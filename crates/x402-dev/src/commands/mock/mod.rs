//! `x402-dev mock`: a server, from its start to its end.
//!
//! | room | command |
//! |---|---|
//! | [`start`] | `mock`, `mock -d` |
//! | [`serve`] | the life of a server in this process |
//! | [`stop`], [`restart`], [`reload`] | changing a running one |
//! | [`status`], [`list`], [`wait`] | asking about it |
//! | [`logs`], [`env`] | what it wrote; how to reach it |

use crate::cli::mock::{MockAction, MockArgs, ShellArg, StartArgs};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::halt::Patience;
use crate::instance::launch::Waiting;
use crate::instance::os::{Here, Identity, System};
use crate::instance::{Home, InstanceName, Place, Standing, survey};

pub mod env;
pub mod list;
pub mod logs;
pub mod reload;
pub mod restart;
pub mod serve;
pub mod start;
pub mod status;
pub mod stop;
pub mod wait;

/// Runs a command of `mock`.
pub fn run(context: &Context, args: MockArgs) -> Result<Exit, Error> {
    match args.action.unwrap_or(MockAction::Start(Box::new(args.start))) {
        MockAction::Start(args) => start(context, *args),
        MockAction::Stop(args) => {
            let whom = if args.all { stop::Whom::All } else { stop::Whom::One(args.instance.name) };
            let patience = if args.force { Patience::Kill } else { Patience::Leave };
            stop::stop(context, &whom, args.timeout, patience)
        }
        MockAction::Status(args) => status::status(context, &args.instance.name, form(args.json)),
        MockAction::Restart(args) => {
            restart::restart(context, &args.instance.name, args.layers.into(), args.timeout, form(args.json))
        }
        MockAction::Reload(args) => reload::reload(context, &args.instance.name, form(args.json)),
        MockAction::Wait(args) => wait::wait(context, &args.instance.name, args.timeout, form(args.json)),
        MockAction::Logs(args) => {
            let follow = if args.follow { logs::Follow::Yes } else { logs::Follow::No };
            let excerpt = logs::Excerpt { lines: args.lines, since: args.since, follow };
            logs::logs(context, &args.instance.name, excerpt, form(args.json))
        }
        MockAction::List(args) => list::list(context, form(args.json)),
        MockAction::Env(args) => {
            let shell = match args.shell {
                ShellArg::Sh => env::Shell::Sh,
                ShellArg::Fish => env::Shell::Fish,
                ShellArg::Json => env::Shell::Json,
            };
            env::env(context, &args.instance.name, shell)
        }
        MockAction::RunInBackground => start::in_background(context),
    }
}

fn start(context: &Context, args: StartArgs) -> Result<Exit, Error> {
    let parent = args.exit_with_parent.map(parent).transpose()?;
    let (overrides, form) = (args.layers.into(), form(args.json));
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

const fn form(json: bool) -> Form {
    if json { Form::Json } else { Form::Text }
}

/// In which form a command says its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The home of all instances.
pub fn home(context: &Context) -> Result<Home, Error> {
    context.home.clone().map(Home::new).ok_or(Error::NoHome)
}

/// Where an instance lies.
pub fn place(context: &Context, name: &InstanceName) -> Result<Place, Error> {
    Ok(home(context)?.place(name))
}

/// How an instance stands.
pub fn standing(place: &Place) -> Result<Standing, Error> {
    survey(place).map_err(|source| Error::State { name: place.name.clone(), source })
}
