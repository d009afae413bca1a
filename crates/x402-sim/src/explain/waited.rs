//! A client that got no answer: whether a payment was under way, as the trace of its error shows.
//!
//! Source: Python x402 2.25 `http/clients/httpx.py` and `requests.py`, which send the paid request within their own `try`.

use super::manual::{Page, page};

/// What it is about.
const LOST: &str = "answer_lost";

/// The page of the same within a server, where it is the facilitator that does not answer.
const AT_FACILITATOR: &str = "request timed out after";

/// How the SDKs' own facilitator clients are called in a frame, and what they begin their messages with, in lower case.
/// Source: Python x402 2.25 `http/facilitator_client.py`, TS 2.27 `http/httpFacilitatorClient.ts`.
const FACILITATOR_CLIENT: [&str; 6] = [
    "x402/http/facilitator_client",
    "httpfacilitatorclient",
    "facilitator verify ",
    "facilitator settle ",
    "facilitator getsupported ",
    "facilitator get_supported ",
];

/// The page of a payment that `requests` got no answer to, or that the client could not make for want of its node.
const POOL: &str = "Failed to handle payment: HTTPConnectionPool";

/// The same where nobody was reached.
const NOT_REACHED: &str = "Failed to handle payment: HTTPConnectionPool: Failed to establish a new connection";

/// How `requests` says that nobody was reached. Source: urllib3 2 `exceptions.py`.
const UNREACHED: [&str; 5] =
    ["NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "Connection refused", "Name or service"];

/// The trace goes through the request that carries the payment.
const PAID: &str = "the trace goes through the request that carries the payment: it was sent";

/// The trace goes through the client's first request, and not through the second.
const ASKED: &str = "the trace goes through the client's first request, to which the SDK adds no payment";

/// Lines of the official clients that send a payment.
const SENDS_PAID: [&str; 4] =
    ["payment_retry=True", "recovery_retry=True", "send(paid_request", "send(recovery_request"];

/// Names of a payment's headers: where a program names them itself, its first request may carry one.
const PAYMENT_HEADERS: [&str; 2] = ["payment-signature", "x-payment"];

/// The official clients' first request: the end of the frame's file, and its line. Other adapters have the same line.
const SENDS_FIRST: [(&str, &str); 2] = [
    ("x402/http/clients/httpx.py\"", "response = await self._transport.handle_async_request(request)"),
    ("x402/http/clients/requests.py\"", "response = super().send(request, **kwargs)"),
];

/// What a trace of Python's begins with.
const TRACE: &str = "Traceback (most recent call last)";

/// Whether a page is about an answer that did not come.
pub(super) fn is_about(page: &Page) -> bool {
    page.findings.first().is_some_and(|id| id == LOST)
}

/// The page of an answer that did not come, unless it is a facilitator's.
pub(super) fn placed(found: (&'static Page, &'static str), text: &str) -> (&'static Page, &'static str) {
    let other = if is_about(found.0) && names_facilitator(text) { page(AT_FACILITATOR) } else { None };
    other.map_or(found, |page| (page, page.reason.as_str()))
}

/// Whether a text is of a facilitator's client, and not of one that pays.
pub(super) fn names_facilitator(text: &str) -> bool {
    let lower = text.to_ascii_lowercase().replace('\\', "/");
    FACILITATOR_CLIENT.iter().any(|mark| lower.contains(mark)) && !sends_paid(text)
}

/// The page of what `requests` says, by what stands behind it: whoever was not reached was sent no payment. A paid request
/// may have been sent once before, where the adapter tries again.
pub(super) fn reached(found: (&'static Page, &'static str), told: &str, text: &str) -> (&'static Page, &'static str) {
    let is_unreached = found.0.reason == POOL && UNREACHED.iter().any(|mark| told.contains(mark)) && !sends_paid(text);
    let other = if is_unreached { page(NOT_REACHED) } else { None };
    other.map_or(found, |page| (page, page.reason.as_str()))
}

/// What a reason is called where the trace around it says which request had no answer.
pub(super) fn named(page: &Page, spelled: &str, text: &str) -> String {
    match () {
        () if !is_about(page) => spelled.to_owned(),
        () if sends_paid(text) => format!("{spelled}: {PAID}"),
        () if sends_first(text) => format!("{spelled}: {ASKED}"),
        () => spelled.to_owned(),
    }
}

/// Whether a trace goes through a request that carries a payment.
fn sends_paid(text: &str) -> bool {
    SENDS_PAID.iter().any(|mark| text.contains(mark))
}

/// Whether the last trace goes through a client's first request, and nothing speaks of a payment.
fn sends_first(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if PAYMENT_HEADERS.iter().any(|name| lower.contains(name)) {
        return false;
    }
    let last = text.rfind(TRACE).map_or("", |begin| &text[begin..]).replace('\\', "/");
    let frames = last.lines().zip(last.lines().skip(1));
    let is_first = |(frame, line): (&str, &str)| {
        SENDS_FIRST.iter().any(|(file, sends)| {
            frame.trim_start().starts_with("File \"") && frame.contains(file) && line.trim() == *sends
        })
    };
    frames.into_iter().any(is_first)
}

/// What the trace has shown, where a reason was named by it.
pub(super) fn seen(reason: &str) -> Option<&'static str> {
    [PAID, ASKED].into_iter().find(|seen| reason.ends_with(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(frames: &[(&str, &str)], error: &str) -> String {
        let frames = frames.iter().map(|(file, line)| format!("  File \"{file}\", line 9, in send\n    {line}\n"));
        format!("{TRACE}:\n{}{error}", frames.collect::<String>())
    }

    const FIRST: &str = "response = super().send(request, **kwargs)";
    const OF_SDK: &str = "/app/.venv/lib/x402/http/clients/requests.py";
    const ERROR: &str = "requests.exceptions.ReadTimeout: HTTPConnectionPool(host='a', port=1): Read timed out.";

    #[test]
    fn a_first_request_is_told_by_the_sdks_own_frame_alone() {
        let lost = page("ReadTimeout").unwrap();
        let said = |text: &str| seen(&named(lost, "ReadTimeout", text));
        assert_eq!(said(&trace(&[("/app/buy.py", "s.get(url)"), (OF_SDK, FIRST)], ERROR)), Some(ASKED));
        assert_eq!(said(&trace(&[("C:\\app\\x402\\http\\clients\\requests.py", FIRST)], ERROR)), Some(ASKED));
        // An adapter of one's own that carries a payment has the same line.
        let own = trace(&[("/app/timeout_adapter.py", FIRST)], ERROR);
        let own_return = trace(&[("/app/timeout_adapter.py", "return super().send(request, **kwargs)")], ERROR);
        let carrying = trace(
            &[("/app/buy.py", "s.get(url, headers={'PAYMENT-SIGNATURE': signed})"), ("/app/adapter.py", FIRST)],
            ERROR,
        );
        let carrying_sdk =
            trace(&[("/app/buy.py", "s.get(url, headers={'PAYMENT-SIGNATURE': signed})"), (OF_SDK, FIRST)], ERROR);
        let earlier = format!("{}\n\n{own}", trace(&[(OF_SDK, FIRST)], ERROR));
        for text in [&own, &own_return, &carrying, &carrying_sdk, &earlier] {
            assert_eq!(said(text), None, "{text}");
        }
        // Below the paid request of the SDK too.
        let paid = trace(&[(OF_SDK, "paid_response = super().send(paid_request, **kwargs)"), (OF_SDK, FIRST)], ERROR);
        assert_eq!(said(&paid), Some(PAID));
    }

    #[test]
    fn a_paid_request_that_reached_nobody_in_the_end_may_have_been_sent_before() {
        let pool = (page(POOL).unwrap(), POOL);
        let told =
            "HTTPConnectionPool(host='a', port=1): Max retries exceeded (Caused by NewConnectionError('refused'))";
        let paid = trace(&[(OF_SDK, "paid_response = super().send(paid_request, **kwargs)")], told);
        assert_eq!(reached(pool, told, &paid).1, POOL);
        assert_eq!(reached(pool, told, &trace(&[(OF_SDK, FIRST)], told)).1, NOT_REACHED);
    }

    #[test]
    fn only_the_facilitator_client_is_a_facilitator_that_does_not_answer() {
        let lost = page("ReadTimeout").unwrap();
        let of = |text: &str| placed((lost, "ReadTimeout"), text).0.findings[0].as_str();
        for text in [
            "httpx.ReadTimeout: https://facilitator.example/report",
            "  File \"/home/me/facilitator/buy.py\", line 9\nhttpx.ReadTimeout",
        ] {
            assert_eq!(of(text), LOST, "{text}");
        }
        let frame = ("/app/x402/http/facilitator_client.py", "response = await client.post(url)");
        assert_eq!(of(&trace(&[frame], "httpx.ReadTimeout")), "facilitator_failed");
        assert_eq!(of("TimeoutError\n at HTTPFacilitatorClient.settle (a.js:1)"), "facilitator_failed");
        let paid = (OF_SDK, "paid_response = super().send(paid_request, **kwargs)");
        assert_eq!(of(&trace(&[paid, frame], "httpx.ReadTimeout")), LOST);
    }
}
