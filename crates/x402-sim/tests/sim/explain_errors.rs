//! Errors as people paste them: of clients, of browsers, of libraries; whole traces, and their last line.

use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;

use crate::explain_typed::NOW;

fn explained(text: &str) -> Explanation {
    let reading = read(text);
    explain(&Question { reading, requirements: None, now: NOW, real: None, record: None, depth: Depth::Judge })
}

fn ids(text: &str) -> Vec<&'static str> {
    explained(text).findings.iter().map(|finding| finding.id).collect()
}

/// Nothing is worse than to be told to pay once more what was paid.
#[test]
fn an_answer_that_did_not_come_leaves_open_what_was_paid_in_every_client() {
    for text in [
        "httpx.ReadTimeout",
        "Read timed out.",
        "TimeoutError",
        "requests.exceptions.ReadTimeout: HTTPConnectionPool(host='127.0.0.1', port=3402): Read timed out. (read timeout=5)",
        "PaymentError: Failed to handle payment: HTTPConnectionPool(host='a', port=1): Read timed out. (read timeout=5)",
        "aiohttp.client_exceptions.ServerTimeoutError: Timeout on reading data from socket",
        "AxiosError: timeout of 5000ms exceeded",
        "Error: aborted\n  code: 'ECONNABORTED'",
        "TimeoutError: The operation was aborted due to timeout",
        "DOMException [AbortError]: This operation was aborted\n    at node:internal/deps/undici/undici:13185:13",
        "TypeError: fetch failed\n  [cause]: HeadersTimeoutError: Headers Timeout Error\n code: 'UND_ERR_HEADERS_TIMEOUT'",
        "Error: socket hang up",
        "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection'))",
        "httpx.RemoteProtocolError: Server disconnected without sending a response.",
        "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        "Get \"http://a/report\": context deadline exceeded",
        "curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received",
        "curl: (52) Empty reply from server",
        "httpx.ReadTimeout: https://facilitator.example/report",
        "PaymentError: Failed to handle payment: HTTPConnectionPool(host='a', port=1): Max retries exceeded with url: / \
         (Caused by ResponseError('too many 503 error responses'))",
        "PaymentError: Failed to handle payment: HTTPSConnectionPool(host='a', port=1): Max retries exceeded with url: / \
         (Caused by SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol')))",
        "PaymentError: Failed to handle payment: HTTPConnectionPool(host='a', port=1): a word that nobody knows",
        "PaymentError: Failed to handle payment: ('Connection broken: IncompleteRead(3 bytes read, 2 more expected)', \
         IncompleteRead(3 bytes read, 2 more expected))",
    ] {
        assert_eq!(ids(text).first(), Some(&"answer_lost"), "{text}");
    }
    // In a server it is the facilitator that does not answer, and who was not reached was paid nothing.
    for (text, id) in [
        ("  File \"x402/http/facilitator_client.py\", line 9, in settle\nhttpx.ReadTimeout", "facilitator_failed"),
        ("httpx.ConnectTimeout", "nobody_reached"),
        (
            "PaymentError: Failed to handle payment: HTTPSConnectionPool(host='a', port=1): Max retries exceeded with \
             url: / (Caused by NameResolutionError(\"Failed to resolve 'a' ([Errno -2] Name or service not known)\"))",
            "client_rpc",
        ),
    ] {
        assert_eq!(ids(text).first(), Some(&id), "{text}");
    }
}

/// The trace of `x402_httpx_transport`, whose exception has no text of its own.
fn trace(sent: &str, inner: &str, last: &str) -> String {
    let frames = "  File \"/app/.venv/lib/python3.11/site-packages/httpx/_client.py\", line 1730, in _send\n    \
                  response = await transport.handle_async_request(request)\n               ^^^^^^^^^^^^^^^^^^^^^^^^^\n";
    let link = "\nThe above exception was the direct cause of the following exception:\n\n";
    format!(
        "Traceback (most recent call last):\n  File \"/app/.venv/x402/http/clients/httpx.py\", line 167, in \
         handle_async_request\n    {sent}\n{inner}\n{link}Traceback (most recent call last):\n{}  File \
         \"/app/.venv/x402/http/clients/httpx.py\", line 195, in handle_async_request\n    raise PaymentError(f\"Failed \
         to handle payment: {{e}}\") from e\nx402.http.clients.httpx.PaymentError: Failed to handle payment: {last}\n",
        frames.repeat(20)
    )
}

#[test]
fn what_stands_behind_the_colon_of_an_error_is_its_cause_or_the_exception_that_it_came_from() {
    let paid = "paid_response = await self._send_retry(request, payment_headers, payment_retry=True)";
    let own = explained(&trace(paid, "httpx.ReadTimeout", ""));
    assert_eq!(own.findings[0].id, "answer_lost", "{:?}", own.findings);
    assert!(own.findings[0].evidence[0].contains("carries the payment"), "{:?}", own.findings[0]);
    for (last, id) in [
        ("Value `'vitalik.eth'` of type <class 'str'> cannot be encoded by AddressEncoder", "address_malformed"),
        ("No payment requirements match registered schemes", "no_payment_sent"),
        ("'NoneType' object has no attribute 'get'", "sdk_setup"),
    ] {
        let own = explained(&trace("x = f()", "ValueError", last));
        assert_eq!(own.findings[0].id, id, "{last}: {:?}", own.findings);
    }
    // It is not said that nothing was sent where nobody knows.
    let own = explained(&trace("x = f()", "ValueError: a", "a word that nobody knows"));
    assert!(own.findings.iter().all(|finding| finding.id != "no_payment_sent"), "{:?}", own.findings);
    assert!(own.findings[0].evidence[0].ends_with("it says: a word that nobody knows"), "{:?}", own.findings[0]);
}

#[test]
fn what_browsers_and_libraries_print_is_known() {
    let preflight = "Access to fetch at 'http://a/' from origin 'http://b' has been blocked by CORS policy: Request header \
                     field payment-signature is not allowed by Access-Control-Allow-Headers in preflight response.";
    for (text, id) in [
        (preflight, "cors_preflight"),
        (
            &format!("{preflight}\npay.js:31 Uncaught (in promise) TypeError: Failed to fetch\n    at pay (pay.js:31)"),
            "cors_preflight",
        ),
        ("Request header field X-PAYMENT is not allowed by Access-Control-Allow-Headers.", "cors_preflight"),
        (
            "(Reason: header ‘payment-signature’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response).",
            "cors_preflight",
        ),
        (
            "blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
            "cors_on_402",
        ),
        ("Origin http://b is not allowed by Access-Control-Allow-Origin. Status code: 402", "cors_on_402"),
        ("(Reason: CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 402.", "cors_on_402"),
        ("TypeError: NetworkError when attempting to fetch resource.", "cors_on_402"),
        ("Refused to get unsafe header \"PAYMENT-REQUIRED\"", "cors_expose"),
        ("KeyError: 'payment-required'", "offer_header_missing"),
        ("KeyError: 'x-payment-response'", "receipt_missing"),
        ("TypeError: Object of type HexBytes is not JSON serializable", "signature_encoding"),
        ("TypeError: Object of type PaymentPayload is not JSON serializable", "object_as_text"),
        ("TypeError: Do not know how to serialize a BigInt\n    at JSON.stringify (<anonymous>)", "number_not_text"),
        ("UnicodeEncodeError: 'latin-1' codec can't encode character '\\u2026' in position 72", "header_abbreviated"),
        ("binascii.Error: Incorrect padding", "header_truncated"),
        ("Facilitator does not support scheme \"exact\" on network \"base-sepolia\"", "v1_network_name_in_v2"),
        ("Facilitator does not support scheme \"exact\" on network \"eip155:8453\"", "kind_not_supported"),
    ] {
        assert_eq!(ids(text).first(), Some(&id), "{text}");
    }
    // Another header is not ours.
    assert_eq!(ids("Request header field authorization is not allowed by Access-Control-Allow-Headers"), [""; 0]);
}
