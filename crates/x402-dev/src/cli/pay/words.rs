//! The words of the command line that clap does not understand by itself.

use std::time::Duration;

use http::Uri;
use x402_sim::accounts::{self, TestAccount};

use crate::clock;
use crate::commands::mock::Form;
use crate::commands::pay::address;
use crate::commands::pay::asked::Dialect;
use crate::commands::pay::order::{Data, Part};
use crate::secret::is_like_a_key;

/// What `-d` sends, where no header says another.
const FORM: &str = "application/x-www-form-urlencoded";

/// What `--json BODY` sends.
pub(super) const JSON: &str = "application/json";

/// What `--json` was given with.
pub(super) struct JsonWords {
    /// The form of the result.
    pub(super) form: Form,
    /// A body.
    pub(super) body: Option<String>,
    /// What stood behind it and is the URL.
    pub(super) url: Option<Uri>,
}

/// Takes `--json` apart: alone it is the form of the result, with JSON or `@FILE` it is a body. A URL behind it is the
/// URL, which no JSON looks like.
pub(super) fn json_words(words: &[String], wants_url: bool) -> Result<JsonWords, String> {
    let mut said = JsonWords { form: Form::Text, body: None, url: None };
    for word in words {
        let is_body = word.starts_with('@') || serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok();
        if word.is_empty() {
            said.form = Form::Json;
        } else if is_body && said.body.is_none() {
            said.body = Some(word.clone());
        } else if is_body {
            return Err("--json BODY is given twice".to_owned());
        } else if wants_url && said.url.is_none() && word.contains("://") {
            said.form = Form::Json;
            said.url = Some(address::parse(word)?);
        } else {
            return Err(
                "what stands behind --json is no JSON; write --json '{...}', --json @FILE, or --json alone".to_owned()
            );
        }
    }
    Ok(said)
}

/// The body, from `-d` or from `--json`.
pub(super) fn data(data: &[String], json: Option<String>) -> Result<Option<Data>, String> {
    match (data, json) {
        ([], None) => Ok(None),
        ([], Some(body)) => Ok(Some(Data { parts: vec![Part::of(&body)], kind: JSON })),
        (parts, None) => Ok(Some(Data { parts: parts.iter().map(|part| Part::of(part)).collect(), kind: FORM })),
        (_, Some(_)) => Err("a body is given by -d and by --json; give one".to_owned()),
    }
}

/// A test account or persona.
pub(super) fn account(text: &str) -> Result<TestAccount, String> {
    accounts::find(text).ok_or_else(|| {
        let why = if is_like_a_key(text) {
            "a key is never taken from a flag: use --key-file or X402_DEV_KEY"
        } else {
            "no test account has this index, name or address"
        };
        why.to_owned()
    })
}

/// A dialect by its name.
pub(super) fn dialect(text: &str) -> Result<Dialect, String> {
    Dialect::parse(text).ok_or_else(|| "the dialects are x402v2, x402v1 and invoice".to_owned())
}

/// A time in seconds, up to a day.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let time = number.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| *time <= Duration::from_hours(24))
        .ok_or_else(|| "write seconds, such as 5 or 0.5, up to a day".to_owned())
}

/// A time of the world, in milliseconds since 1970.
pub(super) fn time(text: &str) -> Result<u64, String> {
    clock::parse(text).ok_or_else(|| "write seconds since 1970, or a time as 2026-11-22T21:50:07Z".to_owned())
}
