//! HTTP archives (HAR 1.2): of browsers, and of `pay --trace`.

use serde_json::Value;

use super::exchange::{Exchange, Side};
use crate::clock;

/// The requests of an archive, in their sequence.
pub fn read(text: &str) -> Vec<Exchange> {
    let archive: Value = serde_json::from_str(text).unwrap_or_default();
    let entries = archive.pointer("/log/entries").and_then(Value::as_array);
    entries.into_iter().flatten().map(exchange).collect()
}

fn exchange(entry: &Value) -> Exchange {
    let (request, response) = (&entry["request"], &entry["response"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let began = entry["startedDateTime"].as_str().and_then(clock::parse);
    Exchange {
        method: text(&request["method"]),
        url: text(&request["url"]),
        request: side(request, &request["postData"]["text"]),
        status: response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
        response: side(response, &response["content"]["text"]),
        at: began.map(|milliseconds| milliseconds / 1000),
        stray: None,
    }
}

fn side(part: &Value, body: &Value) -> Side {
    let fields = part["headers"].as_array().into_iter().flatten().map(|field| {
        let text = |key: &str| field[key].as_str().unwrap_or_default().to_owned();
        (text("name").to_ascii_lowercase(), text("value"))
    });
    Side {
        fields: fields.collect(),
        body: body.as_str().map(str::to_owned),
        size: part["bodySize"].as_u64(),
        decoded: part.get("_x402").filter(|decoded| decoded.is_object()).cloned(),
    }
}
