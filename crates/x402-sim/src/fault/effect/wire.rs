//! How answers over HTTP go wrong.

use super::Wrong;
use super::span::duration;

/// How an answer over HTTP goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// There is no answer, and the connection stays open.
    Hang,
    /// A gateway gives up: 504 after so many milliseconds of the clock, or after the configured delay.
    Timeout(Option<u64>),
    /// This status with this body, or none.
    Status(u16, Option<String>),
    /// 429 with `Retry-After` in seconds.
    RateLimited(u64),
    /// 308 to this address, or to the same one.
    Redirect(Option<String>),
    /// A page of a proxy, with this status.
    Html(u16),
    /// Half of the body, then the end of the connection.
    Truncated,
    /// The head announces 32 bytes more than the body has.
    WrongLength,
    /// The body lacks its last byte.
    MalformedJson,
    /// The body is called `text/html`.
    WrongType,
    /// The connection is reset instead of an answer.
    ResetBefore,
    /// The connection is reset in the middle of the body.
    ResetWithin,
    /// The connection is reset after the last byte.
    ResetAfter,
}

impl Wire {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Timeout(_) => "timeout",
            Self::Status(..) => "status",
            Self::RateLimited(_) => "rate_limited",
            Self::Redirect(_) => "redirect",
            Self::Html(_) => "html",
            Self::Truncated => "truncated",
            Self::WrongLength => "wrong_length",
            Self::MalformedJson => "malformed_json",
            Self::WrongType => "wrong_type",
            Self::ResetBefore => "reset_before",
            Self::ResetWithin => "reset_within",
            Self::ResetAfter => "reset_after",
        }
    }

    /// `None` where the name is none of these.
    pub(super) fn parsed(name: &str, argument: Option<&str>) -> Option<Result<Self, Wrong>> {
        let status = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (200..=599).contains(code));
        let parsed = match name {
            "hang" => Some(Self::Hang),
            "timeout" => argument.map_or(Some(None), |text| duration(text).map(Some)).map(Self::Timeout),
            "status" => argument.and_then(|text| {
                let (code, body) = text.split_once(',').map_or((text, None), |(code, body)| (code, Some(body.trim())));
                Some(Self::Status(status(code)?, body.map(str::to_owned)))
            }),
            "rate_limited" => argument.map_or(Some(1), |text| text.parse().ok()).map(Self::RateLimited),
            "redirect" => match argument {
                Some(to) if to.bytes().any(|byte| !byte.is_ascii_graphic()) => None,
                to => Some(Self::Redirect(to.map(str::to_owned))),
            },
            "html" => argument.map_or(Some(502), status).map(Self::Html),
            "truncated" => Some(Self::Truncated),
            "wrong_length" => Some(Self::WrongLength),
            "malformed_json" => Some(Self::MalformedJson),
            "wrong_type" => Some(Self::WrongType),
            "reset_before" => Some(Self::ResetBefore),
            "reset_within" => Some(Self::ResetWithin),
            "reset_after" => Some(Self::ResetAfter),
            _ => return None,
        };
        Some(parsed.ok_or(Wrong))
    }
}
