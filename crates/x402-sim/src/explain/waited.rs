//! A client that got no answer: whether a payment was under way, as the trace of its error shows.
//!
//! Source: Python x402 2.25 `http/clients/httpx.py` and `requests.py`, which send the paid request within their own `try`.

use super::manual::{Page, page};

/// What it is about.
const LOST: &str = "answer_lost";

/// The page of the same within a server, where it is the facilitator that does not answer.
const AT_FACILITATOR: &str = "request timed out after";

/// The trace goes through the request that carries the payment.
const PAID: &str = "the trace goes through the request that carries the payment: it was sent";

/// The trace goes through the client's first request, and not through the second.
const ASKED: &str = "the trace goes through the first request, which carries no payment: nothing was paid by it";

/// Whether a page is about an answer that did not come.
pub(super) fn is_about(page: &Page) -> bool {
    page.findings.first().is_some_and(|id| id == LOST)
}

/// The page of an answer that did not come, unless it is a facilitator's.
pub(super) fn placed(found: (&'static Page, &'static str), text: &str) -> (&'static Page, &'static str) {
    let is_server = is_about(found.0) && text.to_ascii_lowercase().contains("facilitator");
    let other = if is_server { page(AT_FACILITATOR) } else { None };
    other.map_or(found, |page| (page, page.reason.as_str()))
}

/// What a reason is called where the trace around it says which request had no answer.
pub(super) fn named(page: &Page, spelled: &str, text: &str) -> String {
    let paid = ["payment_retry=True", "recovery_retry=True", "send(paid_request", "send(recovery_request"];
    let asked = ["response = await self._transport.handle_async_request(request)", "super().send(request, **kwargs)"];
    let holds = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    match () {
        () if !is_about(page) => spelled.to_owned(),
        () if holds(&paid) => format!("{spelled}: {PAID}"),
        () if holds(&asked) => format!("{spelled}: {ASKED}"),
        () => spelled.to_owned(),
    }
}

/// What the trace has shown, where a reason was named by it.
pub(super) fn seen(reason: &str) -> Option<&'static str> {
    [PAID, ASKED].into_iter().find(|seen| reason.ends_with(seen))
}
