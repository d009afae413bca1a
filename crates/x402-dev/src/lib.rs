//! What is done: HTTP, files, the terminal, processes.
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`], [`commands`] | the command line; one file a command |
//! | [`config`], [`context`] | the layers of configuration; the environment |
//! | [`instance`] | who is running, and where |
//! | [`journal`] | what was signed and sent, so that nothing is paid twice |
//! | [`check`] | rules about records of HTTP requests |
//! | [`lifetime`] | signals, the bound process, the service manager |
//! | [`server`] | `spawn(config) -> ServerHandle`, and our own accept loop |
//! | [`state`] | the one thing that the doors share: the ground floor |
//! | [`catalogue`] | resources by route, with offers that were rendered once |
//! | [`doors`] | every way in over HTTP, one folder each |
//! | [`route`] | route patterns, as the official matcher reads them |
//! | [`terminal`], [`banner`], [`secret`] | all output, and what is in none |
//! | [`error`], [`exit`] | the tool's own trouble, and how the program ends |

use std::process::ExitCode;

use clap::Parser;

pub mod banner;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod context;
pub mod doors;
pub mod error;
pub mod exit;
#[cfg(test)]
mod generated;
pub mod instance;
pub mod journal;
pub mod lifetime;
pub mod metrics;
pub mod route;
pub mod secret;
pub mod server;
pub mod state;
pub mod template;
pub mod terminal;

use cli::{Cli, Command, ConfigAction};
use context::Context;
use error::Error;
use exit::Exit;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_usage(error),
    };
    let context = Context::capture();
    match run(cli.command, &context) {
        // What nobody could read is no success.
        Ok(Exit::Success) if terminal::is_lost() => Exit::Failure.into(),
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::error(&error.report(terminal::Colour::detect(&context)));
            error.exit().into()
        }
    }
}

fn run(command: Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Mock(args) => commands::mock::run(context, *args),
        Command::Pay(args) => commands::pay::run(context, &args.job()?),
        Command::Sign(args) => commands::sign::run(context, (*args).into()),
        Command::Explain(args) => commands::explain::run(context, &args.job()),
        Command::Decode(args) => commands::decode::run(context, &args.job()),
        Command::Accounts(args) => commands::accounts::run(context, &args.door.into(), args.action.into()),
        Command::Fund(args) => {
            let (door, account, wish) = args.parts();
            commands::fund::fund(context, &door.into(), &account, &wish)
        }
        Command::Balance(args) => {
            commands::fund::balance(context, &args.door.into(), &args.account, &args.wallet.into())
        }
        Command::Approve(args) => {
            let (door, account, wish) = args.parts();
            commands::approve::approve(context, &door.into(), &account, &wish)
        }
        Command::Revoke(args) => {
            let (door, account, wish) = args.revocation();
            commands::approve::approve(context, &door.into(), &account, &wish)
        }
        Command::Clock(args) => commands::clock::run(context, &args.door.into(), args.action.into()),
        Command::Snapshot(args) => commands::snapshot::run(context, &args.door.into(), args.action.into()),
        Command::Fault(args) => commands::fault::run(context, &args.door.into(), args.action.into()),
        Command::Reset(args) => commands::snapshot::reset(context, &args.into()),
        Command::Events(args) => {
            let (door, wish) = args.parts();
            commands::events::run(context, &door.into(), &wish)
        }
        Command::Purchases(args) => commands::purchases::run(context, &args.door.into(), args.purchase.as_deref()),
        Command::Assert(args) => commands::assert::run(context, &args.door.into(), &args.expression, &args.purchase),
        Command::Config(args) => configuration(args.action, context).map(|()| Exit::Success),
    }
}

fn configuration(action: ConfigAction, context: &Context) -> Result<(), Error> {
    use commands::config::{check, problems, schema, show};
    use config::LogFormat;
    let form = |json: bool| if json { LogFormat::Json } else { LogFormat::Text };
    match action {
        ConfigAction::Show { layers, json } => {
            let loaded = config::load(context, &layers.into())?;
            terminal::result(&show(&loaded.effective, form(json)));
        }
        ConfigAction::Check { file, json } => match check(context, file.as_deref(), form(json)) {
            Ok(text) => terminal::result(&text),
            Err(error) => {
                if json {
                    terminal::result(&problems(&error));
                }
                return Err(error.into());
            }
        },
        ConfigAction::Schema { json: _ } => terminal::result(schema()),
    }
    Ok(())
}

/// Help and version are results; everything else that clap says is a usage error, with our exit code for it.
fn refuse_usage(error: clap::Error) -> ExitCode {
    if error.use_stderr() {
        terminal::error(&cli::refusal::text(error));
        return Exit::Usage.into();
    }
    terminal::result(&error.render().to_string());
    if terminal::is_lost() { Exit::Failure.into() } else { Exit::Success.into() }
}
