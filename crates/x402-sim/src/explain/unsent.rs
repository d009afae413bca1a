//! A payment that was never sent, where nothing else says why: the likely causes in their order, each with what to do.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::finding::Finding;

/// By which calls a client comes to pay by itself. Source: TS 2.27 `@x402/fetch`, `@x402/axios`; Python 2.25
/// `x402/http/clients`.
const WRAPPED: &str = "`const pay = wrapFetchWithPayment(fetch, client)`, `wrapAxiosWithPayment(axios.create(), client)`; in \
                       Python `wrapHttpxWithPayment(client)`, `x402_requests(client)`";

/// A client that did not pay. The offer tells what it should have registered.
pub fn finding(offer: Option<&Value>) -> Finding {
    let finding = Finding::new("no_payment_sent");
    let entry = offer.and_then(|offer| offer.pointer("/accepts/0"));
    let network = entry.and_then(|entry| entry.get("network")?.as_str()).map(shorten);
    let network = network.unwrap_or_else(|| "the offered network".to_owned());
    let finding = offer.map_or_else(|| finding.clone(), |offer| finding.clone().for_offer(offer));
    let fix = format!(
        "The likeliest first. (1) The client is not wrapped: send the request by what the wrapper returns, {WRAPPED}. (2) No \
         scheme is registered for {network}: register one, as the line below does; the wrapped client has thrown an error \
         that says so. (3) A policy or a limit of the client left no entry to pay: look for what it threw, and raise the \
         limit ($1 by default; $0.10 in x402-fetch 1.x) or loosen the policy. By hand it is one header, its name and a \
         colon before the value: `PAYMENT-SIGNATURE: ...`, in version 1 `X-PAYMENT: ...`."
    );
    Finding { fix, ..finding }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_likely_causes_come_in_their_order_each_with_what_to_do() {
        let entry = json!({"scheme": "exact", "network": "eip155:8453"});
        for (offer, network) in [
            (Some(json!({"x402Version": 2, "accepts": [entry]})), "registered for eip155:8453"),
            (Some(json!({})), "the offered network"),
            (None, "the offered network"),
        ] {
            let fix = finding(offer.as_ref()).fix;
            let parts = ["wrapFetchWithPayment(fetch, client)", "wrapHttpxWithPayment(", network, "limit"];
            let places: Vec<Option<usize>> = parts.iter().map(|part| fix.find(part)).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {fix}");
        }
    }
}
