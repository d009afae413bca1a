//! What requests bring: JSON bodies and queries, turned into a type where they enter, with every fault named by its place.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};
use crate::doors::body::{self, BodyError};

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Input<T>(pub T);

/// The parameters of a query.
#[derive(Clone, Copy, Debug)]
pub struct Asked<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Err(Code::NotJson
                .because("the request does not say what its body is")
                .hint("send JSON, and say `Content-Type: application/json`"));
        }
        parse(&read(request).await?).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let (head, body) = request.into_parts();
    body::read(&head.headers, body).await.map_err(|error| match error {
        BodyError::TooLarge => Code::BodyTooLarge.because(format!("a body may have {} bytes", body::LIMIT)),
        BodyError::TooSlow => Code::BodyIncomplete.because("the body took too long"),
        BodyError::Broken => Code::BodyIncomplete.because("the body broke off"),
    })
}

/// Reads an object from JSON; the fault names its place.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would read the fields from a list, by their places.
    if bytes.trim_ascii_start().first() == Some(&b'[') && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
    {
        return Err(Code::InvalidValue.because("a list, where an object is wanted").at("$"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "$".to_owned() } else { format!("$.{path}") };
        let error = error.into_inner();
        if !error.is_data() {
            return Code::MalformedJson.because(error.to_string());
        }
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let text = text.strip_suffix(&place).unwrap_or(&text);
        // The parser names a field that is missing, or stands there twice, by its parent alone.
        let named = ["duplicate field `", "missing field `"].iter().find_map(|words| text.strip_prefix(words));
        let named = named.and_then(|rest| rest.split('`').next());
        let path = named.map_or_else(|| path.clone(), |name| format!("{path}.{name}"));
        fault(text, Code::UnknownField).at(path)
    })?;
    json.end().map_err(|error| Code::MalformedJson.because(error.to_string()))?;
    Ok(value)
}

fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let path = error.path().to_string();
        let text = error.into_inner().to_string();
        let named = text.split('`').nth(1).filter(|_| path == "." || path == "?");
        let path = named.unwrap_or(&path);
        fault(&text, Code::UnknownParameter).at(format!("?{path}"))
    })
}

/// Reads a whole number that is not negative, at most 2^63 - 1, as JSON writes it: `5`, and `5.0` too.
pub fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    // Below 2^53, a float without a fraction is that number exactly.
    let exact = |float: f64| (float >= 0.0 && float.fract() == 0.0 && float < 9_007_199_254_740_992.0).then_some(float);
    let whole = number.as_u64().or_else(|| format!("{:.0}", number.as_f64().and_then(exact)?).parse().ok());
    whole.filter(|whole| *whole <= WHOLE_MOST).ok_or_else(|| {
        serde::de::Error::custom(format!("invalid value: `{number}`, expected a whole number from 0 to {WHOLE_MOST}"))
    })
}

/// The largest whole number that requests may have.
pub const WHOLE_MOST: u64 = i64::MAX as u64;

/// What serde says, as a problem.
fn fault(text: &str, unknown: Code) -> Problem {
    let code = match text {
        text if text.starts_with("unknown field") => unknown,
        text if text.starts_with("duplicate field") => Code::DuplicateField,
        text if text.starts_with("missing field") => Code::MissingField,
        _ => Code::InvalidValue,
    };
    code.because(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[serde(deserialize_with = "whole")]
        by: u64,
    }

    #[test]
    fn a_fault_is_named_by_its_code_and_its_place() {
        for (json, code, path) in [
            ("{\"by\": 5, \"x\": 1}", "unknown_field", Some("$.x")),
            ("{\"by\": 5, \"by\": 5}", "duplicate_field", Some("$.by")),
            ("{}", "missing_field", Some("$.by")),
            ("[]", "invalid_value", Some("$")),
            ("[5]", "invalid_value", Some("$")),
            (" [5]", "invalid_value", Some("$")),
            ("{\"by\": \"5\"}", "invalid_value", Some("$.by")),
            ("{\"by\": -1}", "invalid_value", Some("$.by")),
            ("{\"by\": 1.5}", "invalid_value", Some("$.by")),
            ("{\"by\": 9223372036854775808}", "invalid_value", Some("$.by")),
            ("{\"by\": 1e300}", "invalid_value", Some("$.by")),
            ("{\"by\": 1e400}", "malformed_json", None),
            ("{\"by\": NaN}", "malformed_json", None),
            ("", "malformed_json", None),
            ("{\"by\": 5} x", "malformed_json", None),
            ("\u{feff}{}", "malformed_json", None),
        ] {
            let problem = parse::<Wish>(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code.as_ref(), problem.path.as_deref()), (code, path), "{json}: {problem:?}");
        }
        for json in ["{\"by\": 5}", "{\"by\": 5.0}", "{\"by\": 5e0}"] {
            assert_eq!(parse::<Wish>(json.as_bytes()), Ok(Wish { by: 5 }), "{json}");
        }
    }
}
