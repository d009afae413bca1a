//! `x402-dev pay`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use http::header::{HeaderName, HeaderValue};
use http::{Method, Uri};
use x402_sim::accounts::TestAccount;

use crate::commands::mock::Form;
use crate::commands::pay::asked::Dialect;
use crate::commands::pay::choice::{Money, Taste};
use crate::commands::pay::key::KeySource;
use crate::commands::pay::limit::Limit;
use crate::commands::pay::load::{AT_ONCE, Host, Load, MOST};
use crate::commands::pay::order::{
    Data, Earlier, Extent, Head, Manners, Order, Output, Paying, Redirects, Wanted, field,
};
use crate::commands::pay::resume::{How, Resume};
use crate::commands::pay::story::Voice;
use crate::commands::pay::{Job, PayError, address};
use crate::commands::sign::source::method;

mod words;

use words::{account, data, dialect, json_words, seconds, time};

/// The flags of `pay`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and becomes an enum behind it"
)]
pub struct PayArgs {
    /// What to buy: an http or https URL.
    #[arg(value_parser = address::parse)]
    url: Option<Uri>,
    /// The method; without it, GET, or POST where there is a body.
    #[arg(long = "request", short = 'X', value_name = "METHOD", value_parser = method)]
    method: Option<Method>,
    /// A header field, `Name: value`; can be given several times.
    #[arg(long = "header", short = 'H', value_name = "FIELD", value_parser = field)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The body: a text, `@FILE`, or `@-` for stdin, byte for byte; several are joined by `&`.
    #[arg(long, short = 'd', value_name = "DATA", allow_hyphen_values = true)]
    data: Vec<String>,
    /// With BODY: a JSON body, or `@FILE`, or `@-`. Without: print the result as JSON for programs. Both can be given.
    #[arg(long, value_name = "BODY", num_args = 0..=1, default_missing_value = "", action = ArgAction::Append)]
    json: Vec<String>,
    /// Follow redirects; a payment is never carried to another origin.
    #[arg(long, short = 'L')]
    location: bool,
    /// How long one request may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    max_time: Duration,
    /// Trust the certificate authorities in this PEM file, too.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// How the result is told.
    #[command(flatten)]
    told: ToldArgs,
    /// Who pays, and what may be paid.
    #[command(flatten)]
    paying: PayingArgs,
    /// Present a payment whose outcome is not clear so many times again: the same one.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(..=20))]
    retry: u32,
    /// How long to wait before that, in seconds; twice as long before each further time, up to 30 s.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    retry_delay: Duration,
    /// Ask this JSON-RPC endpoint of the payment's network what became of the payment; an invoice is paid through it.
    #[arg(long, value_name = "URL", value_parser = address::parse)]
    rpc: Option<Uri>,
    /// Sign as of this time: seconds since 1970 or 2026-11-22T21:50:07Z (for a mock whose clock was moved).
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<u64>,
    /// Go on with a purchase whose outcome is unknown: the only one, or the one named.
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["url", "data", "method", "headers", "dry_run", "another"])]
    resume: Option<String>,
    /// With --resume: sign anew, if the old authorization has expired and --rpc proves that it was not used.
    #[arg(long, requires = "resume")]
    again: bool,
    /// With --resume: give the purchase up.
    #[arg(long, requires = "resume", conflicts_with = "again")]
    forget: bool,
    /// Buy so many times, each tried once, and measure; on this machine and private networks.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)),
          conflicts_with_all = ["resume", "list", "dry_run", "confirm", "real_money", "output", "trace", "include", "another", "location", "retry", "retry_delay"])]
    repeat: Option<u32>,
    /// With --repeat: so many at once.
    #[arg(long, value_name = "K", default_value_t = 1, requires = "repeat", value_parser = clap::value_parser!(u32).range(1..=i64::from(AT_ONCE)))]
    concurrency: u32,
    /// With --repeat: load a server that is neither on this machine nor on a private network.
    #[arg(long, requires = "repeat")]
    i_own_this_host: bool,
    /// List the purchases of this user: those without a known end, and the last that have one.
    #[arg(long, conflicts_with_all = ["url", "resume"])]
    list: bool,
}

/// Who pays, and what may be paid.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and becomes an enum behind it"
)]
struct PayingArgs {
    /// Pay from this test account: by index, name or address.
    #[arg(long = "as", value_name = "ACCOUNT", value_parser = account)]
    account: Option<TestAccount>,
    /// Pay with the key in this file; without it, with that in `X402_DEV_KEY`, or from test account 0.
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    key_file: Option<PathBuf>,
    /// Pay on this network only (CAIP-2 id or version 1 name).
    #[arg(long)]
    network: Option<String>,
    /// Pay in this asset only (address, or symbol of a known one).
    #[arg(long)]
    asset: Option<String>,
    /// Pay by this scheme only.
    #[arg(long)]
    scheme: Option<String>,
    /// Pay nobody but this payee.
    #[arg(long, value_name = "ADDRESS")]
    pay_to: Option<String>,
    /// Pay at most this: `$1`, `0.05 USDC`, `10000 units`.
    #[arg(long, value_name = "AMOUNT", default_value = "$1", value_parser = Limit::parse)]
    max_amount: Limit,
    /// Pay on main networks, too.
    #[arg(long)]
    real_money: bool,
    /// Pay in this dialect: x402v2, x402v1 or invoice; without it, in the first of these that is offered.
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    dialect: Option<Dialect>,
    /// Show what is asked, and sign nothing.
    #[arg(long)]
    dry_run: bool,
    /// Ask before signing.
    #[arg(long, conflicts_with = "dry_run")]
    confirm: bool,
    /// Buy once more, although the outcome of an earlier purchase of the same is unknown.
    #[arg(long)]
    another: bool,
}

/// How the result is told.
#[derive(Debug, Args)]
struct ToldArgs {
    /// Write the content to this file.
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show the head of the answer, too.
    #[arg(long, short = 'i')]
    include: bool,
    /// Tell every step on stderr.
    #[arg(long, short = 'v')]
    verbose: bool,
    /// Tell errors only.
    #[arg(long, short = 'q', conflicts_with = "verbose")]
    quiet: bool,
    /// Write every request and answer to this file, as HAR; signatures are cut out.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

impl PayArgs {
    /// What is to be done.
    pub fn job(self) -> Result<Job, PayError> {
        self.try_into().map_err(|text| PayError::Usage { text })
    }
}

impl TryFrom<PayArgs> for Job {
    type Error = String;

    fn try_from(args: PayArgs) -> Result<Self, String> {
        let words = json_words(&args.json, args.url.is_none() && args.resume.is_none() && !args.list)?;
        if words.body.is_some() && (args.resume.is_some() || args.list) {
            return Err("a body goes with a URL; a purchase that goes on has its own".to_owned());
        }
        // clap forgets what a flag requires where that is excluded by another one.
        if (args.again || args.forget) && args.resume.is_none() {
            return Err("--again and --forget go with --resume".to_owned());
        }
        if args.list {
            return Ok(Self::List(words.form));
        }
        let output = args.told.into_output(words.form);
        let manners = Manners {
            redirects: if args.location { Redirects::Followed } else { Redirects::Shown },
            max_time: args.max_time,
            retries: args.retry,
            retry_delay: args.retry_delay,
            cacert: args.cacert,
            rpc: args.rpc,
            now: args.now,
        };
        let paying: Paying = args.paying.into();
        if let Some(id) = args.resume {
            let how = match (args.again, args.forget) {
                (true, _) => How::Again,
                (_, true) => How::Forget,
                _ => How::Ask,
            };
            let id = Some(id).filter(|id| !id.is_empty());
            return Ok(Self::Resume(Box::new(Resume { id, how, paying, manners, output })));
        }
        let url = args.url.or(words.url).ok_or("what is to be bought? Give a URL, or --resume, or --list")?;
        let data = data(&args.data, words.body)?;
        if paying.extent == Extent::Confirm && data.as_ref().is_some_and(Data::reads_stdin) {
            return Err("--confirm reads stdin, and so does the body".to_owned());
        }
        let errand = Wanted { url, method: args.method, headers: args.headers, data };
        let order = Order { errand, paying, manners, output };
        let host = if args.i_own_this_host { Host::Own } else { Host::Unsaid };
        Ok(match args.repeat {
            Some(repeat) => Self::Load(Box::new(Load { order, repeat, concurrency: args.concurrency, host })),
            None => Self::Buy(Box::new(order)),
        })
    }
}

impl From<PayingArgs> for Paying {
    fn from(args: PayingArgs) -> Self {
        let key = match (args.account, args.key_file) {
            (Some(account), _) => KeySource::Account(account),
            (None, Some(file)) => KeySource::File(file),
            (None, None) => KeySource::Surroundings,
        };
        Self {
            key,
            taste: Taste {
                network: args.network,
                asset: args.asset,
                scheme: args.scheme,
                pay_to: args.pay_to,
                limit: args.max_amount,
                money: if args.real_money { Money::Real } else { Money::Play },
                family: None,
            },
            dialect: args.dialect,
            extent: match (args.dry_run, args.confirm) {
                (true, _) => Extent::DryRun,
                (_, true) => Extent::Confirm,
                _ => Extent::Whole,
            },
            earlier: if args.another { Earlier::IsAnother } else { Earlier::Blocks },
        }
    }
}

impl ToldArgs {
    fn into_output(self, form: Form) -> Output {
        Output {
            form,
            head: if self.include { Head::Shown } else { Head::Hidden },
            file: self.output,
            voice: match (self.quiet, self.verbose) {
                (true, _) => Voice::Quiet,
                (_, true) => Voice::Loud,
                _ => Voice::Normal,
            },
            trace: self.trace,
        }
    }
}

#[cfg(test)]
mod tests;
