//! `x402-dev explain` and `x402-dev decode`.

use clap::{Args, ValueEnum};

use super::door::DoorArgs;
use crate::clock;
use crate::commands::explain::{Job, Sdk, Shape};

/// The flags of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What to explain.
    #[command(flatten)]
    what: WhatArgs,
    /// What the payment is for: requirements or an offer, as a file, JSON, the value of a header, a record of requests, or
    /// a URL that is asked once.
    #[arg(long, short = 'r', value_name = "OFFER")]
    requirements: Option<String>,
    /// Show the lines of code of this SDK. Without it, of the one that a record or the directory's manifests name, else of
    /// TypeScript and Python.
    #[arg(long, value_name = "SDK")]
    sdk: Option<SdkArg>,
    /// The instance to ask.
    #[command(flatten)]
    pub(crate) door: DoorArgs,
}

/// The flags of `decode`.
#[derive(Debug, Args)]
pub struct DecodeArgs {
    /// What to decode.
    #[command(flatten)]
    what: WhatArgs,
    /// The instance to ask.
    #[command(flatten)]
    pub(crate) door: DoorArgs,
}

/// What is looked at, and how it is printed.
#[derive(Debug, Args)]
struct WhatArgs {
    /// A header, with or without its name; JSON; a file; `-` for stdin; a URL; a HAR or a log of `curl -v`; a reason string;
    /// of a running instance, `last`, the id of a payment, a purchase or an event, or a transaction's hash.
    #[arg(value_name = "WHAT", required_unless_present = "header")]
    what: Option<String>,
    /// The same as WHAT, as it stands in a command of curl: `-H 'PAYMENT-SIGNATURE: eyJ...'`.
    #[arg(long, short = 'H', value_name = "HEADER", conflicts_with = "what")]
    header: Option<String>,
    /// The time to judge by, in seconds since 1970 or as 2026-11-22T21:50:07Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<u64>,
    /// Print Markdown, to paste into an issue.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// An SDK.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SdkArg {
    /// TypeScript: `@x402/fetch`, `@x402/express`.
    #[value(alias = "ts-fetch", alias = "ts-express", alias = "typescript")]
    Ts,
    /// TypeScript with `@x402/axios`.
    TsAxios,
    /// Python.
    #[value(alias = "python-client", alias = "python-server")]
    Python,
    /// Go.
    Go,
    /// Rust.
    Rust,
}

impl WhatArgs {
    /// The word, and the time to judge by.
    fn word(self) -> (String, Option<u64>) {
        // One of them is required.
        (self.what.or(self.header).unwrap_or_default(), self.at)
    }
}

impl ExplainArgs {
    /// What is to be done.
    pub fn job(self) -> Job {
        let sdk = self.sdk.map(|sdk| match sdk {
            SdkArg::Ts => Sdk::Ts,
            SdkArg::TsAxios => Sdk::TsAxios,
            SdkArg::Python => Sdk::Python,
            SdkArg::Go => Sdk::Go,
            SdkArg::Rust => Sdk::Rust,
        });
        let shape = shape(self.what.markdown);
        let (what, at) = self.what.word();
        Job { what, requirements: self.requirements, at, sdk, shape, door: self.door.into(), judged: true }
    }
}

impl DecodeArgs {
    /// What is to be done.
    pub fn job(self) -> Job {
        let shape = shape(self.what.markdown);
        let (what, at) = self.what.word();
        Job { what, requirements: None, at, sdk: None, shape, door: self.door.into(), judged: false }
    }
}

const fn shape(markdown: bool) -> Shape {
    if markdown { Shape::Markdown } else { Shape::Plain }
}

fn time(text: &str) -> Result<u64, String> {
    let wrong = || "write seconds since 1970, or a time as 2026-11-22T21:50:07Z".to_owned();
    clock::parse(text).map(|milliseconds| milliseconds / 1000).ok_or_else(wrong)
}
