//! `x402-dev mock` and its subcommands.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::LayerArgs;
use crate::instance::InstanceName;

/// The flags of `mock`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MockArgs {
    /// What to do, if not start.
    #[command(subcommand)]
    pub action: Option<MockAction>,
    /// The flags of `mock start`.
    #[command(flatten)]
    pub start: StartArgs,
}

/// What `mock` does.
#[derive(Debug, Subcommand)]
pub enum MockAction {
    /// Start a server: the same as `mock` alone.
    ///
    /// Examples:
    ///   x402-dev mock start --port 4000
    ///   x402-dev mock start --detach --name ci
    #[command(verbatim_doc_comment)]
    Start(Box<StartArgs>),
    /// Stop a server gracefully.
    ///
    /// Examples:
    ///   x402-dev mock stop
    ///   x402-dev mock stop --all --timeout 1s --force
    #[command(verbatim_doc_comment)]
    Stop(StopArgs),
    /// Say whether a server runs, and how the last one ended.
    ///
    /// Examples:
    ///   x402-dev mock status
    ///   x402-dev mock status --name ci --json
    #[command(verbatim_doc_comment)]
    Status(AskArgs),
    /// Stop a server and start it anew in the background with the same configuration; flags given now win.
    ///
    /// Examples:
    ///   x402-dev mock restart
    ///   x402-dev mock restart --price 0.5
    #[command(verbatim_doc_comment)]
    Restart(Box<RestartArgs>),
    /// Read the configuration again without dropping a connection or the ledger.
    ///
    /// Examples:
    ///   x402-dev mock reload
    ///   x402-dev mock reload --name ci
    #[command(verbatim_doc_comment)]
    Reload(AskArgs),
    /// Wait until a server answers.
    ///
    /// Examples:
    ///   x402-dev mock wait
    ///   x402-dev mock wait --timeout 30s --json
    #[command(verbatim_doc_comment)]
    Wait(WaitArgs),
    /// Show the log of a server in the background.
    ///
    /// Examples:
    ///   x402-dev mock logs -f
    ///   x402-dev mock logs -n 20 --since 5m --json
    #[command(verbatim_doc_comment)]
    Logs(LogsArgs),
    /// List every server of this user.
    ///
    /// Examples:
    ///   x402-dev mock list
    ///   x402-dev mock list --json
    #[command(verbatim_doc_comment)]
    List(ListArgs),
    /// Print how to reach a server, as variables of a shell.
    ///
    /// Examples:
    ///   eval "$(x402-dev mock env)"
    ///   x402-dev mock env --name ci --json
    #[command(verbatim_doc_comment)]
    Env(EnvArgs),
    /// The child of a start in the background: reads its job from stdin.
    #[command(name = "run-in-background", hide = true)]
    RunInBackground,
}

impl MockAction {
    /// Whether the result is wanted in JSON.
    pub const fn json(&self) -> bool {
        match self {
            Self::Start(args) => args.json,
            Self::Stop(args) => args.json,
            Self::Status(args) | Self::Reload(args) => args.json,
            Self::Restart(args) => args.json,
            Self::Wait(args) => args.json,
            Self::Logs(args) => args.json,
            Self::List(args) => args.json,
            Self::Env(args) => args.json || matches!(args.shell, ShellArg::Json),
            Self::RunInBackground => false,
        }
    }
}

/// Which instance.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// The instance: several can run side by side.
    #[arg(long, value_name = "NAME", default_value_t)]
    pub name: InstanceName,
}

/// The flags of commands that only ask.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock start`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and becomes an enum behind it"
)]
pub struct StartArgs {
    /// The flags that override the configuration.
    #[command(flatten)]
    pub layers: LayerArgs,
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// Run in the background, and return when the server answers.
    #[arg(long, short)]
    pub detach: bool,
    /// With --detach: return at once.
    #[arg(long, requires = "detach")]
    pub no_wait: bool,
    /// With --detach: how long to wait until the server answers.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub wait_timeout: Duration,
    /// Run without a PID file and a state directory: no other command can find the server.
    #[arg(long, conflicts_with_all = ["detach", "name"])]
    pub no_instance: bool,
    /// End when the process that started this command ends, or the process PID.
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub exit_with_parent: Option<u32>,
    /// Print one JSON line with `url` and `pid` to stdout when the server is ready.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock stop`.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// Stop every server of this user.
    #[arg(long, conflicts_with = "name")]
    pub all: bool,
    /// How long requests in flight may take.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
    /// Kill a server that does not stop in time.
    #[arg(long)]
    pub force: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock restart`.
#[derive(Debug, Args)]
pub struct RestartArgs {
    /// The flags that override the configuration.
    #[command(flatten)]
    pub layers: LayerArgs,
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// How long requests in flight may take.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock wait`.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// How long to wait.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// Go on as the log grows.
    #[arg(long, short)]
    pub follow: bool,
    /// At most so many of the last lines.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub lines: usize,
    /// Only lines of this last time: `5m`.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The flags of `mock env`.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// Which instance.
    #[command(flatten)]
    pub instance: NameArgs,
    /// For which reader.
    #[arg(long, value_name = "SHELL", default_value = "sh")]
    pub shell: ShellArg,
    /// Print JSON: the same as `--shell json`.
    #[arg(long, conflicts_with = "shell")]
    pub json: bool,
}

/// For which reader.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ShellArg {
    /// sh, bash, zsh.
    Sh,
    /// fish.
    Fish,
    /// One JSON object.
    Json,
}

/// `500ms`, `5s`, `2m`, `1h`, `1d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write `500ms`, `5s`, `2m` or `1h`");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}
