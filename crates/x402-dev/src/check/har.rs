//! HTTP archives (HAR 1.2): of browsers, and of `pay --trace`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::exchange::{Exchange, Side};
use super::record::{MOST, Record};
use crate::clock;

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    #[serde(deserialize_with = "entries")]
    entries: Record,
}

/// The requests of an archive, in their sequence.
pub fn read(text: &str) -> Record {
    serde_json::from_str::<Archive>(text).map(|archive| archive.log.entries).unwrap_or_default()
}

/// Reads entries one by one: of those beyond [`MOST`] nothing is kept but their number.
fn entries<'de, D: Deserializer<'de>>(from: D) -> Result<Record, D::Error> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Record;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list of entries")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Record, A::Error> {
            let mut record = Record::default();
            while record.exchanges.len() < MOST {
                let Some(entry) = list.next_element::<Value>()? else { return Ok(record) };
                record.exchanges.push(exchange(&entry));
            }
            while list.next_element::<IgnoredAny>()?.is_some() {
                record.left_out += 1;
            }
            Ok(record)
        }
    }
    from.deserialize_seq(Entries)
}

fn exchange(entry: &Value) -> Exchange {
    let (request, response) = (&entry["request"], &entry["response"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let began = entry["startedDateTime"].as_str().and_then(clock::parse);
    Exchange {
        method: text(&request["method"]),
        url: text(&request["url"]),
        request: side(request, &request["postData"]),
        status: response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
        response: side(response, &response["content"]),
        at: began.map(|milliseconds| milliseconds / 1000),
        cached: entry["_fromCache"].as_str().map(str::to_owned),
        broken: response["_error"].as_str().filter(|cause| !cause.is_empty()).map(str::to_owned),
        ..Exchange::default()
    }
}

fn side(part: &Value, body: &Value) -> Side {
    let fields = part["headers"].as_array().into_iter().flatten().map(|field| {
        let text = |key: &str| field[key].as_str().unwrap_or_default().to_owned();
        (text("name").to_ascii_lowercase(), text("value"))
    });
    Side {
        fields: fields.collect(),
        body: body["text"].as_str().map(|text| plain(text, &body["encoding"])),
        size: part["bodySize"].as_u64().or_else(|| body["size"].as_u64()),
        decoded: part.get("_x402").filter(|decoded| decoded.is_object()).cloned(),
    }
}

/// A body as it was sent: browsers write some of them down in base64.
fn plain(text: &str, encoding: &Value) -> String {
    let bytes = if encoding == "base64" { STANDARD.decode(text).ok() } else { None };
    bytes.map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_looked_at_is_counted() {
        let entry = json!({ "request": { "method": "GET", "url": "http://a/" }, "response": { "status": 200 } });
        for (entries, kept, left_out) in [(3, 3, 0), (MOST, MOST, 0), (MOST + 7, MOST, 7)] {
            let archive = json!({ "log": { "entries": vec![&entry; entries] } });
            let record = read(&archive.to_string());
            assert_eq!((record.exchanges.len(), record.left_out), (kept, left_out));
        }
    }

    #[test]
    fn a_body_in_base64_is_decoded() {
        let content = json!({ "text": STANDARD.encode("{\"a\":1}"), "encoding": "base64" });
        let archive = json!({ "log": { "entries": [{ "response": { "content": content } }] } });
        let record = read(&archive.to_string());
        assert_eq!(record.exchanges[0].answered(), Some(&json!({ "a": 1 })));
    }
}
