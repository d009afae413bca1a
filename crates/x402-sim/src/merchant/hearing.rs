//! What a resource server makes of its facilitator's answer, also of one that is none.
//!
//! Source: TS 2.27 core `httpFacilitatorClient.ts` and `x402HTTPResourceServer.ts`; for version 1, npm `x402` 1.2.0
//! `useFacilitator.ts` and `x402-express`, which take every failure for a refusal.

use serde_json::Value;
use x402_wire::facilitator::{SettleResponse, VerifyResponse};

use crate::registry::Version;

/// What comes of a call to a facilitator.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// 200 with JSON.
    Answer(Value),
    /// A status and a body that is whole.
    Status(u16, String),
    /// 200 with a body that is no JSON.
    Garbage(String),
    /// Nothing within the server's patience.
    Timeout,
    /// Redirected without end.
    Redirect,
    /// The connection broke.
    Reset(Broken),
}

/// When a connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Before the head of the answer.
    Before,
    /// Within its body.
    Within,
}

/// A question to the facilitator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST /verify`.
    Verify,
    /// `POST /settle`.
    Settle,
}

/// What a resource server goes on with.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A verdict.
    Verdict(VerifyResponse),
    /// A receipt, of a success or a failure.
    Receipt(SettleResponse),
    /// Not verified: 402 with this text.
    Refused(String),
    /// The facilitator cannot be understood: 502 with this text.
    BadGateway(String),
}

/// How long the official server waits, in milliseconds.
pub const PATIENCE: u64 = 90_000;

/// What an outcome means to a resource server. `network` is that of the requirements.
pub fn hear(call: Call, version: Version, outcome: &Outcome, network: &str) -> Heard {
    let failed = |text: String| match call {
        Call::Verify => Heard::Refused(text),
        Call::Settle => Heard::Receipt(SettleResponse {
            error_reason: Some(text.clone()),
            error_message: Some(text),
            network: network.to_owned(),
            ..SettleResponse::default()
        }),
    };
    let not_understood = |text: String| if version == Version::V2 { Heard::BadGateway(text) } else { failed(text) };
    let name = call.name();
    match outcome {
        Outcome::Answer(answer) => match understood(call, answer) {
            Some(heard) => heard,
            None if version == Version::V1 => failed(format!("Failed to {name} payment: 200 OK")),
            None => {
                let excerpt = excerpt(&answer.to_string());
                Heard::BadGateway(format!("Facilitator {name} returned invalid data: {excerpt}"))
            }
        },
        Outcome::Status(200..=299, text) | Outcome::Garbage(text) => match serde_json::from_str::<Value>(text) {
            Ok(answer) => hear(call, version, &Outcome::Answer(answer), network),
            Err(error) if version == Version::V1 => failed(no_json(text, &error)),
            Err(_) => not_understood(format!("Facilitator {name} returned invalid JSON: {}", excerpt(text))),
        },
        Outcome::Status(status, text) => refused(call, version, (*status, text), network).unwrap_or_else(failed),
        Outcome::Timeout if version == Version::V2 => {
            Heard::BadGateway(format!("Facilitator {name} request timed out after {PATIENCE}ms"))
        }
        Outcome::Timeout | Outcome::Redirect | Outcome::Reset(Broken::Before) => failed("fetch failed".to_owned()),
        Outcome::Reset(Broken::Within) => failed("terminated".to_owned()),
    }
}

/// An answer that has the parts that strict clients demand.
fn understood(call: Call, answer: &Value) -> Option<Heard> {
    match call {
        Call::Verify => serde_json::from_value(answer.clone()).ok().map(Heard::Verdict),
        Call::Settle => serde_json::from_value(answer.clone()).ok().map(Heard::Receipt),
    }
}

/// What a status that is no success means: the verdict in its body, or the text of the error.
fn refused(call: Call, version: Version, (status, text): (u16, &str), network: &str) -> Result<Heard, String> {
    let name = call.name();
    let body = match serde_json::from_str::<Value>(text) {
        Ok(body) => body,
        Err(error) if version == Version::V1 => return Err(no_json(text, &error)),
        Err(_) => return Err(format!("Facilitator {name} failed ({status}): {}", excerpt(text))),
    };
    let said = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    match call {
        Call::Verify if body.get("isValid").is_some() => {
            let reason = said("invalidReason").unwrap_or_else(|| "unknown reason".to_owned());
            Ok(Heard::Refused(said("invalidMessage").map_or(reason.clone(), |message| format!("{reason}: {message}"))))
        }
        Call::Settle if body.get("success").is_some() => {
            let reason = said("errorReason").unwrap_or_else(|| "unknown reason".to_owned());
            Ok(Heard::Receipt(SettleResponse {
                success: false,
                error_message: said("errorMessage").or_else(|| Some(reason.clone())),
                error_reason: Some(reason),
                payer: said("payer"),
                transaction: said("transaction").unwrap_or_default(),
                network: said("network").unwrap_or_else(|| network.to_owned()),
                amount: None,
            }))
        }
        _ if version == Version::V1 => {
            let words = http_words(status);
            Err(format!("Failed to {name} payment: {status} {words}").trim_end().to_owned())
        }
        _ => Err(format!("Facilitator {name} failed ({status}): {}", excerpt(&body.to_string()))),
    }
}

/// The start of a body for a message, as the official client shortens it.
fn excerpt(text: &str) -> String {
    const LIMIT: usize = 200;
    let compact = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if compact.is_empty() {
        return "<empty response>".to_owned();
    }
    if compact.chars().count() <= LIMIT {
        return compact;
    }
    compact.chars().take(LIMIT - 3).chain("...".chars()).collect()
}

/// What JavaScript says of a text that is no JSON.
fn no_json(text: &str, error: &serde_json::Error) -> String {
    const SHOWN: usize = 10;
    match text.trim_start().chars().next() {
        Some(first) if !error.is_eof() => {
            let start: String = text.chars().take(SHOWN).collect();
            let more = if text.chars().count() > SHOWN { "..." } else { "" };
            format!("Unexpected token '{first}', \"{start}\"{more} is not valid JSON")
        }
        _ => "Unexpected end of JSON input".to_owned(),
    }
}

const fn http_words(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

impl Call {
    const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Settle => "settle",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn v2(call: Call, outcome: &Outcome) -> Heard {
        hear(call, Version::V2, outcome, "eip155:84532")
    }

    fn reason(heard: Heard) -> String {
        match heard {
            Heard::Receipt(receipt) => {
                assert!(!receipt.success && receipt.network == "eip155:84532", "{receipt:?}");
                receipt.error_reason.unwrap()
            }
            Heard::Refused(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_official_server_calls_a_refusal() {
        for (call, name) in [(Call::Verify, "verify"), (Call::Settle, "settle")] {
            let html = Outcome::Status(502, " <html>\n <b>Bad</b> ".to_owned());
            assert_eq!(reason(v2(call, &html)), format!("Facilitator {name} failed (502): <html> <b>Bad</b>"));
            let empty = Outcome::Status(503, String::new());
            assert_eq!(reason(v2(call, &empty)), format!("Facilitator {name} failed (503): <empty response>"));
            let json = Outcome::Status(429, "{\"error\":  \"slow\"}".to_owned());
            assert_eq!(reason(v2(call, &json)), format!("Facilitator {name} failed (429): {{\"error\":\"slow\"}}"));
            assert_eq!(reason(v2(call, &Outcome::Redirect)), "fetch failed");
            assert_eq!(reason(v2(call, &Outcome::Reset(Broken::Before))), "fetch failed");
            assert_eq!(reason(v2(call, &Outcome::Reset(Broken::Within))), "terminated");
        }
        let said = json!({"isValid": false, "invalidReason": "why", "invalidMessage": "because"}).to_string();
        assert_eq!(reason(v2(Call::Verify, &Outcome::Status(400, said))), "why: because");
        let said = json!({"success": false, "errorReason": "why", "transaction": "0x1", "network": "eip155:84532"});
        assert_eq!(reason(v2(Call::Settle, &Outcome::Status(400, said.to_string()))), "why");
    }

    #[test]
    fn what_the_official_server_does_not_understand_is_a_502() {
        let text = |heard| match heard {
            Heard::BadGateway(text) => text,
            other => panic!("{other:?}"),
        };
        let cut = Outcome::Garbage("{\"success\":tru".to_owned());
        assert_eq!(text(v2(Call::Settle, &cut)), "Facilitator settle returned invalid JSON: {\"success\":tru");
        let lacking = Outcome::Answer(json!({"success": true, "network": "x"}));
        let said = text(v2(Call::Settle, &lacking));
        assert_eq!(said, "Facilitator settle returned invalid data: {\"network\":\"x\",\"success\":true}");
        assert_eq!(text(v2(Call::Verify, &Outcome::Timeout)), "Facilitator verify request timed out after 90000ms");
    }

    #[test]
    fn the_legacy_server_takes_every_failure_for_a_refusal() {
        let v1 = |outcome| reason(hear(Call::Verify, Version::V1, &outcome, "base-sepolia"));
        assert_eq!(v1(Outcome::Status(503, "{}".to_owned())), "Failed to verify payment: 503 Service Unavailable");
        let html = Outcome::Status(502, "<html><b>Bad</b>".to_owned());
        assert_eq!(v1(html), "Unexpected token '<', \"<html><b>B\"... is not valid JSON");
        assert_eq!(v1(Outcome::Garbage("{\"a\":".to_owned())), "Unexpected end of JSON input");
        assert_eq!(v1(Outcome::Timeout), "fetch failed");
    }

    #[test]
    fn a_good_answer_is_passed_on() {
        let answer = json!({"success": true, "transaction": "0x1", "network": "n", "payer": "p", "amount": "7"});
        let Heard::Receipt(receipt) = v2(Call::Settle, &Outcome::Answer(answer.clone())) else { panic!() };
        assert_eq!(serde_json::to_value(receipt).unwrap(), answer);
    }
}
