//! Configured answers: status, headers, and a body from JSON, a text or a file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::cursor::{Cursor, Fields, Noted, names};
use super::json;
use super::keys;
use super::model::Response;
use super::tree::{Key, SourceName};

/// The media type where nothing else is said.
pub(super) const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// How large a file of an answer may be, in bytes: it is kept in memory.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// What the server or the protocol writes by itself.
const RESERVED_HEADERS: [HeaderName; 3] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];
const PAYMENT_HEADERS: [&str; 3] = ["payment-required", "payment-response", "x-payment-response"];

/// Reads an answer. A body is sent as `mime_type`, unless its headers say otherwise.
pub(super) fn read(cursor: &Cursor<'_>, mime_type: Option<&str>) -> Option<Response> {
    let fields = cursor.fields(keys::RESPONSE)?;
    let status = fields.get("status").map_or(Some(StatusCode::OK), |status| {
        StatusCode::from_u16(u16::try_from(status.number(200..=599)?).ok()?).ok()
    });
    let headers = fields.get("headers").map_or_else(|| Some(HeaderMap::new()), |headers| read_headers(&headers));
    let body = body(&fields).ok();
    let (status, mut headers, body) = (status?, headers?, body?);
    if let Some((_, own_type)) = &body {
        // A charset is only said of what we know to be UTF-8.
        let value = HeaderValue::from_str(mime_type.unwrap_or(own_type)).ok();
        if let Some(value) = value.filter(|_| !headers.contains_key(header::CONTENT_TYPE)) {
            headers.insert(header::CONTENT_TYPE, value);
        }
    }
    let body = body.map(|(bytes, _)| bytes).unwrap_or_default();
    let may_have_body =
        ![StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    if !may_have_body && !body.is_empty() {
        return cursor.refuse(cursor.problem(format!("an answer with status {} has no body", status.as_u16())));
    }
    Some(Response { status, headers, body })
}

/// The media type that an answer has by its headers, without parameters.
pub(super) fn media_type_of(response: &Response) -> Option<String> {
    let value = response.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_owned())
}

/// A media type such as `text/csv`, with parameters if there are any.
pub(super) fn media_type(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| HeaderName::from_bytes(part.as_bytes()).is_ok();
    let is_type = essence.split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name));
    if is_type && HeaderValue::from_str(text).is_ok() && text.is_ascii() {
        return Some(text.to_owned());
    }
    let problem = cursor.problem(format!("`{text}` is not a media type"));
    cursor.refuse(problem.hinted("write a type and a subtype, such as `application/json`"))
}

fn read_headers(cursor: &Cursor<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut complete = true;
    for (key, node) in cursor.mapping()? {
        let path = format!("{}.{}", cursor.path, key.text);
        let item = Cursor { node, path, problems: cursor.problems };
        let Some((name, value)) = read_header(&item, key) else {
            complete = false;
            continue;
        };
        if headers.insert(name, value).is_some() {
            item.problems.note(item.problem(format!("the header `{}` is here twice", key.text)).at(&key.place));
            complete = false;
        }
    }
    complete.then_some(headers)
}

fn read_header(item: &Cursor<'_>, key: &Key) -> Option<(HeaderName, HeaderValue)> {
    let name = &key.text;
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        return item.refuse(item.problem(format!("`{name}` is not the name of a header")).at(&key.place));
    };
    if RESERVED_HEADERS.contains(&header) || PAYMENT_HEADERS.contains(&header.as_str()) {
        return item.refuse(item.problem(format!("the server writes the header `{name}` itself")).at(&key.place));
    }
    match HeaderValue::from_str(item.text()?) {
        Ok(value) => Some((header, value)),
        Err(_) => item.refuse(item.problem("a header cannot have line ends or control characters")),
    }
}

/// The body and the type that it has by its kind, if one is configured.
fn body(fields: &Fields<'_>) -> Result<Option<(Bytes, &'static str)>, Noted> {
    let kinds = ["json", "text", "file"];
    let mut found: Vec<(&str, Cursor<'_>)> = kinds.iter().filter_map(|kind| Some((*kind, fields.get(kind)?))).collect();
    // In the order in which they were said: the second one is too many.
    found.sort_by_key(|(_, cursor)| cursor.node.place.range.start);
    if let [(first, _), (second, cursor), ..] = &found[..] {
        let message = format!("an answer has one body: only one of {} can be said", names(&[first, second]));
        return cursor.refuse(cursor.problem(message)).ok_or(Noted);
    }
    let Some((kind, cursor)) = found.into_iter().next() else { return Ok(None) };
    let body = match kind {
        "json" => json::read(&cursor).map(|value| (value.to_string().into(), JSON)),
        "text" => cursor.text().map(|text| (Bytes::from(text.to_owned()), TEXT)),
        _ => file(&cursor).map(|bytes| (bytes, BYTES)),
    };
    body.map(Some).ok_or(Noted)
}

/// The content of a file; its path is relative to the file in which it is named.
fn file(cursor: &Cursor<'_>) -> Option<Bytes> {
    let named = Path::new(cursor.text()?);
    let path = match &cursor.node.place.source.name {
        SourceName::File(configuration) => configuration.parent().map_or_else(PathBuf::new, Path::to_owned).join(named),
        _ => named.to_owned(),
    };
    let content = std::fs::File::open(cursor.problems.base().join(&path)).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match content {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE => {
            cursor.refuse(cursor.problem(format!("{} is larger than 16 MiB", path.display())))
        }
        Ok(bytes) => Some(bytes.into()),
        Err(error) => {
            let problem = cursor.problem(format!("cannot read {}: {error}", path.display()));
            cursor.refuse(problem.hinted("a relative path starts at the configuration file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Project, problems};
    use super::*;

    fn response(text: &str) -> (Response, String) {
        let yaml = format!("resources: [{{match: /a, {text}}}]\n");
        let config = Project::new().file("data.csv", "a,b\n").yaml(&yaml).loaded().config;
        let resource = config.resources.find("GET", "/a").unwrap().1.clone();
        (resource.response.unwrap(), resource.mime_type)
    }

    #[test]
    fn bodies_come_from_json_texts_and_files() {
        for (text, status, content_type, body, mime_type) in [
            (
                "response: {json: {a: [1, 0.5, x, true, null]}}",
                200,
                "application/json",
                "{\"a\":[1,0.5,\"x\",true,null]}",
                JSON,
            ),
            ("response: {text: hello, status: 404}", 404, TEXT, "hello", "text/plain"),
            ("response: {text: 5}", 200, TEXT, "5", "text/plain"),
            ("response: {file: data.csv}", 200, BYTES, "a,b\n", BYTES),
            ("mime_type: text/csv, response: {file: data.csv}", 200, "text/csv", "a,b\n", "text/csv"),
            ("response: {text: x, headers: {Content-Type: text/html}}", 200, "text/html", "x", "text/html"),
        ] {
            let (response, mime) = response(text);
            assert_eq!(response.status.as_u16(), status, "{text}");
            assert_eq!(response.headers["content-type"], content_type, "{text}");
            assert_eq!(response.body, body, "{text}");
            assert_eq!(mime, mime_type, "{text}");
        }
    }

    #[test]
    fn headers_are_taken_as_written() {
        let (response, mime) = response("response: {status: 204, headers: {X-Rate: 10, cache-control: no-cache}}");
        assert_eq!(
            (response.headers["x-rate"].as_bytes(), &response.headers["cache-control"]),
            (&b"10"[..], &HeaderValue::from_static("no-cache"))
        );
        assert!(response.body.is_empty() && !response.headers.contains_key("content-type"));
        assert_eq!(mime, JSON);
    }

    #[test]
    fn answers_that_are_wrong_are_refused() {
        let answers = [
            "{json: 1, text: a}",
            "{text: a, json: 1}",
            "{status: 99}",
            "{status: 600}",
            "{status: 204, text: a}",
            "{headers: {'a b': c}}",
            "{headers: {a: \"b\\nc\"}}",
            "{headers: {A: b, a: c}}",
            "{headers: {Content-Length: 5}}",
            "{headers: {PAYMENT-RESPONSE: x}}",
            "{headers: [a]}",
            "{file: none.csv}",
            "{file: .}",
            "{json: .inf}",
            "{body: a}",
        ];
        let yaml = |answer: &str| format!("resources:\n  - match: /a\n    response: {answer}\n");
        insta::assert_snapshot!(answers.map(|answer| problems(&yaml(answer))).join("\n"), @r"
            .x402dev.yaml:3:31: resources[0].response.text: an answer has one body: only one of `json` and `text` can be said
            .x402dev.yaml:3:31: resources[0].response.json: an answer has one body: only one of `text` and `json` can be said
            .x402dev.yaml:3:24: resources[0].response.status: `99` is not a whole number from 200 to 599
            .x402dev.yaml:3:24: resources[0].response.status: `600` is not a whole number from 200 to 599
            .x402dev.yaml:3:15: resources[0].response: an answer with status 204 has no body
            .x402dev.yaml:3:26: resources[0].response.headers.a b: `a b` is not the name of a header
            .x402dev.yaml:3:29: resources[0].response.headers.a: a header cannot have line ends or control characters
            .x402dev.yaml:3:32: resources[0].response.headers.a: the header `a` is here twice
            .x402dev.yaml:3:26: resources[0].response.headers.Content-Length: the server writes the header `Content-Length` itself
            .x402dev.yaml:3:26: resources[0].response.headers.PAYMENT-RESPONSE: the server writes the header `PAYMENT-RESPONSE` itself
            .x402dev.yaml:3:25: resources[0].response.headers: expected a mapping, found a list
            .x402dev.yaml:3:22: resources[0].response.file: cannot read none.csv: No such file or directory (os error 2) [a relative path starts at the configuration file]
            .x402dev.yaml:3:22: resources[0].response.file: cannot read .: Is a directory (os error 21) [a relative path starts at the configuration file]
            .x402dev.yaml:3:22: resources[0].response.json: `.inf` cannot be a number in JSON without loss [put it in quotes to send a text]
            .x402dev.yaml:3:16: resources[0].response.body: there is no key `body` here [known keys are `status`, `headers`, `json`, `text` and `file`]
        ");
    }
}
