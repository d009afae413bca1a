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
    /// What the payment is for: requirements or an offer, as a file, JSON, or the value of a header.
    #[arg(long, short = 'r', value_name = "OFFER")]
    requirements: Option<String>,
    /// Show the lines of code for this SDK only.
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
    #[arg(value_name = "WHAT")]
    what: String,
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
    /// `@x402/fetch`.
    TsFetch,
    /// `@x402/axios`.
    TsAxios,
    /// `@x402/express` and its like.
    TsExpress,
    /// The Python clients.
    PythonClient,
    /// The Python servers.
    PythonServer,
    /// Go.
    Go,
}

impl ExplainArgs {
    /// What is to be done.
    pub fn job(self) -> Job {
        let sdk = self.sdk.map(|sdk| match sdk {
            SdkArg::TsFetch => Sdk("ts-fetch"),
            SdkArg::TsAxios => Sdk("ts-axios"),
            SdkArg::TsExpress => Sdk("ts-express"),
            SdkArg::PythonClient => Sdk("python-client"),
            SdkArg::PythonServer => Sdk("python-server"),
            SdkArg::Go => Sdk("go"),
        });
        let shape = shape(self.what.markdown);
        let WhatArgs { what, at, .. } = self.what;
        Job { what, requirements: self.requirements, at, sdk, shape, door: self.door.into(), judged: true }
    }
}

impl DecodeArgs {
    /// What is to be done.
    pub fn job(self) -> Job {
        let shape = shape(self.what.markdown);
        let WhatArgs { what, at, .. } = self.what;
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
