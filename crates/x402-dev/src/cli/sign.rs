//! `x402-dev sign`.

use clap::Args;
use x402_sim::accounts::{self, TestAccount};
use x402_sim::networks::solana::parse_address;
use x402_sim::payer::Wish;
use x402_sim::registry::Version;
use x402_sim::{B256, hex};

use crate::clock;
use crate::commands::sign::source::{self, Source};
use crate::commands::sign::writing::Named;
use crate::commands::sign::{Form, Job};
use crate::config::nearest;
use crate::secret::is_like_a_key;

/// The flags of `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What to sign for: a file, `-` for stdin, or an http URL that answers 402.
    ///
    /// A file holds requirements or an offer of either version, as JSON or as the value of a PAYMENT-REQUIRED header.
    #[arg(required_unless_present = "defects", value_parser = source::classify)]
    source: Option<Source>,
    /// Ask the URL with this method.
    #[arg(long, short = 'X', value_name = "METHOD", default_value = "GET", value_parser = source::method)]
    method: http::Method,
    /// Who pays: a test account, by index, name or address.
    #[arg(long = "as", value_name = "ACCOUNT", default_value = "0", value_parser = account)]
    account: TestAccount,
    /// Of several requirements, choose one on this network (CAIP-2 id or version 1 name).
    #[arg(long)]
    network: Option<String>,
    /// Of several requirements, choose one in this asset (address, or symbol of a known one).
    #[arg(long)]
    asset: Option<String>,
    /// Of several requirements that fit, choose the one at this place, counted from 0.
    #[arg(long)]
    index: Option<usize>,
    /// Sign for the offer of this protocol version, where a URL makes both.
    #[arg(long, value_name = "1|2", value_parser = version)]
    x402_version: Option<Version>,
    /// Make the payment wrong in this one thing; --defects lists them.
    #[arg(long, value_name = "NAME", value_parser = defect)]
    defect: Option<Named>,
    /// List the defects, and what a facilitator says of each.
    #[arg(long, conflicts_with_all = ["source", "defect"])]
    defects: bool,
    /// The authorization's nonce, 32 bytes in hexadecimal; without it, a random one.
    #[arg(long, value_name = "0x...", value_parser = nonce)]
    nonce: Option<B256>,
    /// The time that the authorization is made for, in seconds since 1970 or as 2026-11-22T21:50:07Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<u64>,
    /// How long the authorization is valid, in place of what the requirements say.
    #[arg(long, value_name = "SECONDS")]
    valid_for: Option<u64>,
    /// Solana: a recent blockhash, in base58. Without it, that of the requirements or of --rpc.
    #[arg(long, value_name = "HASH", value_parser = blockhash)]
    blockhash: Option<[u8; 32]>,
    /// Solana: the cluster's JSON-RPC, asked for a recent blockhash. Without it, that of your own mock.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    rpc: Option<http::Uri>,
    /// How the result is printed.
    #[command(flatten)]
    form: FormArgs,
}

/// How the result is printed.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and becomes an enum behind it"
)]
pub struct FormArgs {
    /// Print the header with its name.
    #[arg(long)]
    header: bool,
    /// Print a curl command that pays.
    #[arg(long)]
    curl: bool,
    /// Print a body for a facilitator's /verify and /settle.
    #[arg(long)]
    body: bool,
    /// Print JSON: header, value, payload, requirements, signer, digest, defect.
    #[arg(long)]
    json: bool,
}

impl From<SignArgs> for Job {
    fn from(args: SignArgs) -> Self {
        let form = args.form.into();
        let Some(source) = args.source.filter(|_| !args.defects) else { return Self::List(form) };
        Self::Sign(Box::new(crate::commands::sign::Order {
            source,
            method: args.method,
            account: args.account,
            wish: Wish { network: args.network, asset: args.asset, index: args.index },
            version: args.x402_version,
            defect: args.defect,
            nonce: args.nonce,
            now: args.now,
            lifetime: args.valid_for,
            blockhash: args.blockhash,
            rpc: args.rpc,
            form,
        }))
    }
}

impl From<FormArgs> for Form {
    fn from(args: FormArgs) -> Self {
        match args {
            FormArgs { header: true, .. } => Self::Header,
            FormArgs { curl: true, .. } => Self::Curl,
            FormArgs { body: true, .. } => Self::Body,
            FormArgs { json: true, .. } => Self::Json,
            _ => Self::Value,
        }
    }
}

fn account(text: &str) -> Result<TestAccount, String> {
    accounts::find(text).ok_or_else(|| {
        let why = if is_like_a_key(text) {
            "a key is never taken from a flag: `sign` has test accounts only, `pay` uses --key-file or X402_DEV_KEY"
        } else {
            "no test account has this index, name or address"
        };
        why.to_owned()
    })
}

fn version(text: &str) -> Result<Version, String> {
    let number = text.parse().ok().and_then(Version::from_number);
    number.ok_or_else(|| "the protocol versions are 1 and 2".to_owned())
}

fn blockhash(text: &str) -> Result<[u8; 32], String> {
    parse_address(text).ok_or_else(|| "a blockhash is base58 of 32 bytes".to_owned())
}

fn endpoint(text: &str) -> Result<http::Uri, String> {
    match source::classify(text) {
        Ok(Source::Url(url)) => Ok(url),
        _ => Err("give an http URL such as http://127.0.0.1:8899".to_owned()),
    }
}

fn defect(name: &str) -> Result<Named, String> {
    Named::find(name).ok_or_else(|| match nearest(name, Named::names()) {
        Some(near) => format!("there is no such defect; did you mean `{near}`?"),
        None => "there is no such defect; `x402-dev sign --defects` lists them".to_owned(),
    })
}

fn nonce(text: &str) -> Result<B256, String> {
    let digits = text.strip_prefix("0x").ok_or("a nonce begins with 0x")?;
    let bytes = hex::decode(digits).map_err(|_| "a nonce is 0x and 64 hexadecimal digits")?;
    B256::try_from(bytes.as_slice()).map_err(|_| format!("a nonce has 32 bytes, not {}", bytes.len()))
}

fn time(text: &str) -> Result<u64, String> {
    let wrong = || "write seconds since 1970, or a time as 2026-11-22T21:50:07Z".to_owned();
    clock::parse(text).map(|milliseconds| milliseconds / 1000).ok_or_else(wrong)
}
