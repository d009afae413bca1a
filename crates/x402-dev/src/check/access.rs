//! What a server's log has of requests: a line each, of uvicorn, gunicorn, nginx, Apache, Werkzeug or Express's morgan.
//!
//! There are neither headers nor bodies in it, so that nothing is proven: what was asked twice may have been paid for.

use std::collections::HashMap;

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{Subject, read};

use super::exchange::Exchange;
use super::record::Record;
use super::status;

/// What is to be known of such a log.
const UNSEEN: &str = "a server's log holds neither headers nor bodies: whether a request carried a payment is not to be seen; \
                      `curl -v`, or a HAR of the client, shows it";

/// So many requests are told of one by one.
const TOLD: usize = 20;

/// Statuses that say what a server has against a request which it has asked to pay before.
const TELLING: [u16; 5] = [400, 403, 413, 429, 431];

/// Explains a text whose lines of requests are all that it holds; `None` where it holds none, or anything else besides.
pub fn log(text: &str) -> Option<Explanation> {
    let (mut record, mut rest) = (Record::default(), String::new());
    for line in text.lines() {
        match line_of(&plain(line)) {
            Some(own) => record.begin(own),
            None => rest.extend([line, "\n"]),
        }
    }
    let record = record.end();
    if record.exchanges.is_empty() || read(&rest).subject != Subject::Nothing {
        return None;
    }
    let title = format!("{}, as a server's log has them: {}", Kind::Transcript.words(), record.total());
    let mut explanation = Explanation::new(Kind::Transcript, title);
    record.list(&mut explanation);
    look(&record.exchanges, &mut explanation);
    explanation.notes.push(UNSEEN.to_owned());
    explanation.rank();
    Some(explanation)
}

/// Looks at how each request ended that was asked to pay.
fn look(exchanges: &[Exchange], explanation: &mut Explanation) {
    let mut asked: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (place, own) in exchanges.iter().enumerate() {
        asked.entry((&own.method, &own.url)).or_default().push(place);
    }
    let mut ends: Vec<(usize, Option<usize>)> = Vec::new();
    for places in asked.values() {
        let [.., last] = places[..] else { continue };
        let before = places.iter().rev().nth(1).copied();
        ends.push((last, before.filter(|before| exchanges[*before].status == 402)));
    }
    ends.sort_unstable();
    if ends.len() > TOLD {
        explanation.notes.push(format!("{TOLD} requests are told of; {} more are not", ends.len() - TOLD));
    }
    for (last, before) in ends.into_iter().take(TOLD) {
        tell(&exchanges[last], last + 1, before.map(|before| before + 1), explanation);
    }
}

/// Says what the last answer to a request may mean. `before` is the number of the one before it, if that was a 402.
fn tell(own: &Exchange, last: usize, before: Option<usize>, explanation: &mut Explanation) {
    let request = format!("{} {}", own.method, own.url);
    let Some(before) = before else {
        if own.status == 402 {
            explanation.notes.push(format!("request {last}: a 402 to {request} alone is how every payment begins"));
        }
        return;
    };
    let seen = format!("{request}: request {before} is answered with 402, and request {last} with {}", own.status);
    match own.status {
        402 => {
            let refused = "if the second one carried a payment, it was refused or did not arrive as one: the `error` within \
                           the answer's PAYMENT-REQUIRED says why (in version 1, within its body), and `x402-dev explain` \
                           what that means";
            explanation.notes.push(format!("{seen}: {refused}"));
            explanation.find(Finding::new("no_payment_sent").seen(&seen));
            explanation.find(Finding::new("header_stripped").seen(&seen));
        }
        200..=299 => explanation.notes.push(format!("{seen}: so goes a request that was paid")),
        500.. => explanation.find(Finding::new("server_error_after_payment").seen(&seen)),
        other if TELLING.contains(&other) => {
            let meant = status::meaning(own, &request);
            explanation.find(Finding { evidence: vec![seen], ..meant });
        }
        _ => explanation.notes.push(format!("{seen}: it was asked for a payment no longer")),
    }
}

/// A line without the colours that morgan gives it.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut text = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| text.push_str(part.split_once('m').map_or(part, |(_, rest)| rest)));
    text
}

/// The request of a line, and the status of its answer.
fn line_of(line: &str) -> Option<Exchange> {
    quoted(line).or_else(|| timed(line))
}

/// `"GET /weather HTTP/1.1" 402`, whatever stands around it.
fn quoted(line: &str) -> Option<Exchange> {
    let (at, _) = line.match_indices(" HTTP/").find(|(at, _)| line[..*at].contains('"'))?;
    let (request, answer) = (line[..at].rsplit('"').next()?, line[at + 1..].split_once('"')?.1);
    let (method, target) = request.split_once(' ')?;
    exchange(method, target, answer.split_whitespace().next()?)
}

/// `GET /weather 402 3.456 ms - 123`, `127.0.0.1 - GET /weather HTTP/1.1 402 123 - 3.456 ms`.
fn timed(line: &str) -> Option<Exchange> {
    let words: Vec<&str> = line.split_whitespace().take(16).collect();
    if !words.contains(&"ms") {
        return None;
    }
    words.windows(3).enumerate().find_map(|(at, own)| {
        let status = if own[2].starts_with("HTTP/") { words.get(at + 3)? } else { own[2] };
        exchange(own[0], own[1], status)
    })
}

fn exchange(method: &str, target: &str, status: &str) -> Option<Exchange> {
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_target = ["/", "http://", "https://"].iter().any(|begin| target.starts_with(begin)) && !target.contains(' ');
    let status = status.parse().ok().filter(|status| (100..=599).contains(status) && is_method && is_target)?;
    Some(Exchange { method: method.to_owned(), url: target.to_owned(), status, ..Exchange::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<(String, String, u16)> {
        line_of(&plain(line)).map(|own| (own.method, own.url, own.status))
    }

    #[test]
    fn a_request_is_read_out_of_the_lines_of_every_server() {
        let expected = Some(("GET".to_owned(), "/weather?a=1".to_owned(), 402));
        for line in [
            "INFO:     127.0.0.1:51234 - \"GET /weather?a=1 HTTP/1.1\" 402 Payment Required",
            "\u{1b}[32mINFO\u{1b}[0m:     127.0.0.1:51234 - \"\u{1b}[1mGET /weather?a=1 HTTP/1.1\u{1b}[0m\" \u{1b}[31m402 Payment Required\u{1b}[0m",
            "127.0.0.1 - - [23/Nov/2026:22:00:00 +0000] \"GET /weather?a=1 HTTP/1.1\" 402 612 \"-\" \"python-httpx/0.28.1\"",
            "127.0.0.1 - - [23/Nov/2026 22:00:00] \"GET /weather?a=1 HTTP/1.1\" 402 -",
            "api.test 10.0.0.1 - \"Me\" [x] \"GET /weather?a=1 HTTP/2.0\" 402 0",
            "\u{1b}[0mGET /weather?a=1 \u{1b}[33m402\u{1b}[0m 3.456 ms - 123\u{1b}[0m",
            "GET /weather?a=1 402 123 - 3.456 ms",
            "::1 - GET /weather?a=1 HTTP/1.1 402 123 - 3.456 ms",
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
        for other in [
            "",
            "> GET /weather HTTP/1.1",
            "GET /weather HTTP/1.1",
            "INFO HTTP Request: GET https://a/ \"HTTP/1.1 402 Payment Required\"",
            "took 402 ms",
            "GET /weather - - ms - -",
            "say \"get /weather HTTP/1.1\" 402",
            "say \"GET /weather HTTP/1.1",
            "\"GET /weather HTTP/1.1\" 4020",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
