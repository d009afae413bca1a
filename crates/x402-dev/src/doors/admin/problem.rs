//! Why the door refuses: `application/problem+json` (RFC 9457) with a stable `code`, the place of the fault, and a hint.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The content type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request was refused. Boxed texts, so that it is small enough to be an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:x402-dev:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    /// The code in words: the same for every problem with it.
    #[schema(value_type = String)]
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// What programs may rely on: `unknown_account`, `balance_too_low`.
    #[schema(value_type = String)]
    pub code: Box<str>,
    /// What is wrong with this request, in one sentence.
    #[schema(value_type = String)]
    pub detail: Box<str>,
    /// Where in the body (`$.amount`) or the query (`?since`) the fault lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub path: Option<Box<str>>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub hint: Option<Box<str>>,
    /// Of the events that were waited for: how many came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u32>,
}

/// Every way to be refused. The codes are for programs and never change.
///
/// 400: not as the description says. 404: it names what is not there. 409: not possible in the state of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request says that it goes to somebody else.
    HostNotAllowed,
    /// A script of another origin sends it.
    OriginNotAllowed,
    /// The instance's token is missing or wrong.
    TokenRequired,
    /// Only an instance has a token, and this server runs without one.
    NoInstance,
    /// No such path.
    NotFound,
    /// No such method at this path.
    MethodNotAllowed,
    /// A body that does not say that it is JSON.
    NotJson,
    /// A body beyond the limit.
    BodyTooLarge,
    /// A body that did not arrive.
    BodyIncomplete,
    /// Not JSON.
    MalformedJson,
    /// A field that does not exist.
    UnknownField,
    /// A field that stands there twice.
    DuplicateField,
    /// A field that is missing.
    MissingField,
    /// A value of the wrong type or form.
    InvalidValue,
    /// A query parameter that does not exist.
    UnknownParameter,
    /// No such account.
    UnknownAccount,
    /// No such network.
    UnknownNetwork,
    /// No such asset.
    UnknownAsset,
    /// An account that has no address on the network.
    WrongFamily,
    /// A name that is taken.
    NameTaken,
    /// A balance would go below zero.
    BalanceTooLow,
    /// An amount that the asset cannot hold.
    AmountTooLarge,
    /// An amount with more decimals than the asset has.
    AmountTooPrecise,
    /// A time that the clock cannot show.
    ClockOutOfRange,
    /// No such snapshot.
    UnknownSnapshot,
    /// There are as many snapshots as there can be.
    TooManySnapshots,
    /// A state with something in it that cannot be written down.
    SnapshotPending,
    /// A file that is no snapshot, or a damaged one.
    DamagedSnapshot,
    /// A snapshot of another version, or of other networks.
    ForeignSnapshot,
    /// No such fault.
    UnknownFault,
    /// There are as many faults as there can be.
    TooManyFaults,
    /// No such purchase.
    UnknownPurchase,
    /// What was waited for did not come in time.
    Timeout,
    /// The server ends.
    Stopping,
    /// Our own fault.
    Bug,
}

impl Code {
    /// The code, its status, and the code in words.
    pub const fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as Is;
        match self {
            Self::HostNotAllowed => ("host_not_allowed", Is::FORBIDDEN, "The Host header names another server"),
            Self::OriginNotAllowed => ("origin_not_allowed", Is::FORBIDDEN, "A page of another origin asks"),
            Self::TokenRequired => ("token_required", Is::UNAUTHORIZED, "The instance's token is needed"),
            Self::NoInstance => ("no_instance", Is::FORBIDDEN, "This server runs without an instance"),
            Self::NotFound => ("not_found", Is::NOT_FOUND, "There is no such path"),
            Self::MethodNotAllowed => ("method_not_allowed", Is::METHOD_NOT_ALLOWED, "The path takes other methods"),
            Self::NotJson => ("not_json", Is::UNSUPPORTED_MEDIA_TYPE, "A body must be application/json"),
            Self::BodyTooLarge => ("body_too_large", Is::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::BodyIncomplete => ("body_incomplete", Is::BAD_REQUEST, "The body did not arrive"),
            Self::MalformedJson => ("malformed_json", Is::BAD_REQUEST, "The body is not JSON"),
            Self::UnknownField => ("unknown_field", Is::BAD_REQUEST, "There is no such field"),
            Self::DuplicateField => ("duplicate_field", Is::BAD_REQUEST, "A field stands there twice"),
            Self::MissingField => ("missing_field", Is::BAD_REQUEST, "A field is missing"),
            Self::InvalidValue => ("invalid_value", Is::BAD_REQUEST, "A value has the wrong form"),
            Self::UnknownParameter => ("unknown_parameter", Is::BAD_REQUEST, "There is no such query parameter"),
            Self::UnknownAccount => ("unknown_account", Is::NOT_FOUND, "There is no such account"),
            Self::UnknownNetwork => ("unknown_network", Is::NOT_FOUND, "The network is not enabled"),
            Self::UnknownAsset => ("unknown_asset", Is::NOT_FOUND, "The network has no such asset"),
            Self::WrongFamily => ("wrong_family", Is::CONFLICT, "The account has no address on the network"),
            Self::NameTaken => ("name_taken", Is::CONFLICT, "The name is taken"),
            Self::BalanceTooLow => ("balance_too_low", Is::CONFLICT, "A balance never goes below zero"),
            Self::AmountTooLarge => ("amount_too_large", Is::CONFLICT, "The asset cannot hold so much"),
            Self::AmountTooPrecise => ("amount_too_precise", Is::CONFLICT, "The asset has fewer decimals"),
            Self::ClockOutOfRange => ("clock_out_of_range", Is::CONFLICT, "The clock cannot show such a time"),
            Self::UnknownSnapshot => ("unknown_snapshot", Is::NOT_FOUND, "There is no such snapshot"),
            Self::TooManySnapshots => ("too_many_snapshots", Is::CONFLICT, "There are too many snapshots"),
            Self::SnapshotPending => ("snapshot_pending", Is::CONFLICT, "Settlements are pending in the state"),
            Self::DamagedSnapshot => ("damaged_snapshot", Is::UNPROCESSABLE_ENTITY, "The snapshot is damaged"),
            Self::ForeignSnapshot => ("foreign_snapshot", Is::UNPROCESSABLE_ENTITY, "The snapshot does not fit here"),
            Self::UnknownFault => ("unknown_fault", Is::NOT_FOUND, "There is no such fault"),
            Self::TooManyFaults => ("too_many_faults", Is::CONFLICT, "There are too many faults"),
            Self::UnknownPurchase => ("unknown_purchase", Is::NOT_FOUND, "There is no such purchase"),
            Self::Stopping => ("stopping", Is::SERVICE_UNAVAILABLE, "The server is stopping"),
            Self::Timeout => ("timeout", Is::REQUEST_TIMEOUT, "It did not happen in time"),
            Self::Bug => ("bug", Is::INTERNAL_SERVER_ERROR, "A bug in x402-dev"),
        }
    }

    /// What to do next whatever the request was.
    const fn usual_hint(self) -> Option<&'static str> {
        match self {
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::UnknownField
            | Self::UnknownParameter
            | Self::MissingField => Some("/_x402/openapi.json describes every path and field"),
            Self::DuplicateField => Some("say each field once"),
            Self::MalformedJson => Some("send one JSON document in UTF-8, and nothing behind it"),
            Self::BodyTooLarge => Some("split it into several requests"),
            Self::BodyIncomplete => Some("send as many bytes as `Content-Length` says"),
            Self::TooManyFaults => Some("`x402-dev fault clear` removes those that were added while it runs"),
            _ => None,
        }
    }

    /// A problem with this code.
    pub fn because(self, detail: impl Into<String>) -> Problem {
        let (code, status, title) = self.row();
        Problem {
            kind: format!("urn:x402-dev:problem:{code}").into(),
            title: title.into(),
            status: status.as_u16(),
            code: code.into(),
            detail: detail.into().into(),
            path: None,
            hint: self.usual_hint().map(Into::into),
            seen: None,
        }
    }
}

impl Problem {
    /// The same problem, with the place of the fault.
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into().into()), ..self }
    }

    /// The same problem, with what to do next.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into().into()), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).expect("a problem has string keys");
        let mut response = (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let bearer = http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            // The rest of the request was not read.
            response = crate::doors::answer::closing(response);
        }
        response
    }
}
