//! What `curl -v` and `curl -i` print: lines marked `>` and `<`, or an answer as it came; and requests and answers as they
//! went over the wire, one behind the other, as `HTTPie` and packet sniffers show them.

use super::exchange::{Exchange, Side};
use super::record::Record;

/// The requests of a log, in their sequence.
pub fn read(text: &str) -> Record {
    let mut record = Record::default();
    let mut state = State::Between;
    let is_plain = is_request(text);
    for line in text.lines().flat_map(|line| apart(line.trim_end_matches('\r'))) {
        if let Some(line) = line.strip_prefix("> ").or_else(|| (line == ">").then_some("")) {
            if let Some(first) = request_line(line) {
                record.begin(first);
                state = State::Request;
            } else if let Some(own) = record.exchanges.last_mut().filter(|_| state == State::Request) {
                sent(&mut own.request, line);
            }
        } else if let Some(line) = line.strip_prefix("< ").or_else(|| (line == "<").then_some("")) {
            state = response_line(&mut record, line, state);
        } else if let Some(first) = is_plain.then(|| request_line(line)).flatten() {
            record.begin(first);
            state = State::PlainRequest;
        } else if line.starts_with("HTTP/") {
            // `curl -i`: the head of the answer comes unmarked.
            response_line(&mut record, line, state);
            state = State::PlainHead;
        } else if matches!(state, State::PlainHead | State::PlainRequest) {
            if line.is_empty() {
                state = if state == State::PlainHead { State::Body } else { State::PlainBody };
            } else if let Some(own) = record.exchanges.last_mut() {
                let side = if state == State::PlainHead { &mut own.response } else { &mut own.request };
                field(side, line);
            }
        } else if let (State::PlainBody, Some(own)) = (state, record.exchanges.last_mut()) {
            push(&mut own.request, line);
        } else if is_noise(line) {
            // Where the output goes into a file, the body comes last: behind `* Connection #0 ... left intact`.
            if line.starts_with("* Issue another request") {
                state = State::Between;
            }
        } else if let Some(own) = record.exchanges.last_mut().filter(|_| matches!(state, State::Response | State::Body))
        {
            push(&mut own.response, line);
        }
    }
    // The way to a server through a proxy is no request to it.
    record.exchanges.retain(|own| own.method != "CONNECT");
    record.end()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    Request,
    Response,
    /// The head of a request without marks, and its body.
    PlainRequest,
    PlainBody,
    /// The head of an answer without marks.
    PlainHead,
    Body,
}

/// Whether a text begins with a request as it goes over the wire.
pub fn is_request(text: &str) -> bool {
    text.lines().next().is_some_and(|line| request_line(line.trim_end()).is_some())
}

/// Adds a line to a body. Empty lines behind it are the space before what comes next.
fn push(side: &mut Side, line: &str) {
    let body = side.body.get_or_insert_default();
    if !body.is_empty() {
        body.push('\n');
    }
    body.push_str(line);
}

/// A line, and what curl tells of itself behind the end of a body without a line break.
fn apart(line: &str) -> impl Iterator<Item = &str> {
    let at = OWN_WORDS.iter().filter_map(|words| line.find(words)).min().filter(|at| *at > 0);
    let (line, rest) = at.map_or((line, None), |at| (&line[..at], Some(&line[at..])));
    std::iter::once(line).chain(rest)
}

/// What curl tells of itself after an answer, and before the next request.
const OWN_WORDS: [&str; 4] = ["* Connection #", "* Closing connection", "*   Trying ", "* Hostname "];

/// Lines in which curl tells of itself, and bytes that it shows as braces.
fn is_noise(line: &str) -> bool {
    line.starts_with("* ") || line.starts_with("} [") || line.starts_with("{ [") || is_meter(line)
}

/// The progress that curl shows where its output goes into a file: two lines of titles, then twelve columns of numbers.
fn is_meter(line: &str) -> bool {
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || b".:-kMGTP".contains(&byte));
    let is_title = line.starts_with("  % Total") || line.trim_start().starts_with("Dload  Upload");
    is_title || (line.split_whitespace().all(number) && line.split_whitespace().count() >= 12)
}

/// `GET /a HTTP/1.1`.
fn request_line(line: &str) -> Option<Exchange> {
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_method && version.starts_with("HTTP/")).then(|| Exchange {
        method: method.to_owned(),
        url: target.to_owned(),
        ..Exchange::default()
    })
}

/// `HTTP/1.1 402 Payment Required`, or a field of an answer.
fn response_line(record: &mut Record, line: &str, state: State) -> State {
    if line.starts_with("HTTP/") {
        // What a proxy says of the way to a server is no answer of that server.
        let is_way = line.to_ascii_lowercase().ends_with("connection established");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let status = if is_way { 100 } else { status };
        // An answer without a request that was seen, or a second one to it.
        if record.exchanges.last().is_none_or(|own| own.status >= 200) {
            record.begin(Exchange { method: "GET".to_owned(), ..Exchange::default() });
        }
        if let Some(own) = record.exchanges.last_mut() {
            own.status = status;
        }
        return State::Response;
    }
    if let Some(own) = record.exchanges.last_mut() {
        field(&mut own.response, line);
    }
    state
}

/// A field that was sent, or, without a name, what follows a line break within the one before.
fn sent(side: &mut Side, line: &str) {
    match side.fields.last_mut() {
        Some((_, value)) if !line.is_empty() && !line.contains(':') => {
            value.push('\n');
            value.push_str(line.trim());
        }
        _ => field(side, line),
    }
}

fn field(side: &mut Side, line: &str) {
    if let Some((name, value)) = line.split_once(':') {
        side.fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::record::MOST;

    #[test]
    fn a_log_is_taken_apart() {
        let text = "* Connected\n> POST /a HTTP/1.1\n> Host: x\n> Content-Length: 3\n>\n} [3 bytes data]\n\
                    < HTTP/1.1 402 Payment Required\n< payment-required: eyJ9\n<\n{ [2 bytes data]\n{}\n\
                    * Connection #0 left\n> GET /b HTTP/1.1\n>\n< HTTP/1.1 200 OK\n<\nhello\nworld";
        let all = read(text).exchanges;
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].method.as_str(), all[0].url.as_str(), all[0].status), ("POST", "/a", 402));
        assert!(all[0].has_body());
        assert_eq!(all[0].response.get("payment-required"), Some("eyJ9"));
        assert_eq!(all[0].response.body.as_deref(), Some("{}"));
        assert_eq!((all[1].status, all[1].response.body.as_deref()), (200, Some("hello\nworld")));
    }

    #[test]
    fn a_line_break_within_a_field_stays_in_it() {
        let all =
            read("> GET /a HTTP/1.1\n> PAYMENT-SIGNATURE: eyJh\n> Ijox\n> fQ==\n> Host: x\n>\n< HTTP/1.1 400 x\n<\n")
                .exchanges;
        assert_eq!(all[0].request.get("payment-signature"), Some("eyJh\nIjox\nfQ=="));
        assert_eq!(all[0].request.get("host"), Some("x"));
    }

    #[test]
    fn a_body_behind_the_last_words_of_curl_is_read() {
        let one = "> GET /a HTTP/1.1\n>\n< HTTP/1.1 402 Payment Required\n< \n* Connection #0 to host x left intact\n{\"a\":1}";
        let meter = "\r100     7  100     7    0     0   216k      0 --:--:-- --:--:-- --:--:--  332k";
        let one = one.replace("* Connection", &format!("{{ [7 bytes data]\n{meter}\n* Connection"));
        let all = read(&format!("{one}*   Trying 127.0.0.1:3402...\n{one}\n")).exchanges;
        assert_eq!(all.len(), 2);
        for own in all {
            assert_eq!((own.status, own.response.body.as_deref()), (402, Some("{\"a\":1}")));
        }
    }

    #[test]
    fn what_goes_over_the_wire_is_taken_apart_without_marks() {
        let text = "POST /a?b HTTP/1.1\r\nHost: x\r\n\r\n{\"q\":1}\r\n\r\nHTTP/1.1 402 Payment Required\r\nPAYMENT-REQUIRED: eyJ9\r\n\r\n{}\r\n\
                    GET /c HTTP/2\nhost: y\n\nHTTP/2 200\n\nhello";
        let all = read(text).exchanges;
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].method.as_str(), all[0].url.as_str(), all[0].status), ("POST", "/a?b", 402));
        assert_eq!((all[0].request.body_text(), all[0].response.body_text()), (Some("{\"q\":1}"), Some("{}")));
        assert_eq!(
            (all[1].request.get("host"), all[1].status, all[1].response.body_text()),
            (Some("y"), 200, Some("hello"))
        );
    }

    #[test]
    fn the_way_through_a_proxy_is_no_request() {
        let way = "> CONNECT a:443 HTTP/1.1\n> Host: a:443\n>\n< HTTP/1.1 200 Connection established\n<\n";
        let all = read(&format!("{way}> GET /a HTTP/1.1\n>\n< HTTP/1.1 402 Payment Required\n<\n{{}}\n")).exchanges;
        assert_eq!((all.len(), all[0].url.as_str(), all[0].status), (1, "/a", 402));
        let all = read("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 402 Payment Required\r\n\r\n{}").exchanges;
        assert_eq!((all.len(), all[0].status), (1, 402));
    }

    #[test]
    fn an_answer_alone_is_taken_apart() {
        let all = read("HTTP/1.1 402 Payment Required\r\nPAYMENT-REQUIRED: eyJ9\r\n\r\n{\"a\":\r\n1}").exchanges;
        assert_eq!((all.len(), all[0].status), (1, 402));
        assert_eq!(all[0].response.get("payment-required"), Some("eyJ9"));
        assert_eq!(all[0].response.body.as_deref(), Some("{\"a\":\n1}"));
    }

    #[test]
    fn what_is_not_looked_at_is_counted() {
        let one = "> GET /a HTTP/1.1\n>\n< HTTP/1.1 402 Payment Required\n<\n{}\n";
        let alone = "HTTP/1.1 200 OK\n\nbody\n";
        let marked = "< HTTP/1.1 200 OK\n< a: b\n<\n";
        for part in [one, alone, marked] {
            for (count, kept, left_out) in [(MOST, MOST, 0), (MOST + 5, MOST, 5)] {
                let record = read(&part.repeat(count));
                assert_eq!((record.exchanges.len(), record.left_out), (kept, left_out), "{part}");
            }
        }
    }
}
