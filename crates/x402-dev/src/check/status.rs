//! Answers 4xx to a payment that are no refusals of it: what they say.

use x402_sim::explain::finding::Finding;

use super::exchange::Exchange;

/// What to do about a status that has nothing to do with the payment.
const FIXES: [(u16, &str); 8] = [
    (400, "The request itself is called wrong: compare its query and its body with what the resource takes."),
    (401, "The resource wants a login besides the payment: send the same `Authorization` with both requests."),
    (403, "Somebody forbids it: a hook of the server (`onProtectedRequest`), or a firewall before it."),
    (
        404,
        "There is nothing at this address for who has paid: compare method and path with the offer's `resource.url`.",
    ),
    (405, "The resource has another method: compare it with the route that asks for the payment."),
    (
        408,
        "The server did not wait: whether it has settled is not known, so send the same payment again, and no other.",
    ),
    (
        409,
        "It conflicts with something earlier: with the extension `payment-identifier`, the same id came with another \
         payload.",
    ),
    (413, "The body is larger than the server takes: raise its limit, or send less."),
];

/// What servers and proxies write where the head of a request is too large for them, whatever the status.
const TOO_LARGE: [&str; 4] =
    ["Header Or Cookie Too Large", "Header Fields Too Large", "headers too large", "header line is too long"];

/// Whether an answer says that the head of the request is too large.
pub fn says_too_large(status: u16, body: &str) -> bool {
    status == 431 || TOO_LARGE.iter().any(|words| body.contains(words))
}

/// What an answer 4xx says, other than the refusals of the protocol.
pub fn meaning(own: &Exchange, name: &str) -> Finding {
    let body = own.response.body_text().unwrap_or_default();
    let seen = format!("{name} carries a payment and is answered with {}", own.status);
    if says_too_large(own.status, body) {
        let (header, paid) = own.payment().map_or(("payment", 0), |(header, value)| (header, value.len()));
        let finding = Finding::new("header_refused").seen(format!("{seen}; its {header} has {paid} bytes"));
        let largest = own.request.fields.iter().max_by_key(|(_, value)| value.len());
        let Some((other, size)) = largest.map(|(name, value)| (name, value.len())).filter(|(_, size)| *size > paid)
        else {
            return finding;
        };
        let fix = format!("Make the request's `{other}` smaller: it is larger than the payment.");
        return finding.seen(format!("its `{other}` has {size} bytes")).fixed_by(fix);
    }
    if own.status == 429 {
        let wait = own.response.get("retry-after").map(|wait| format!(", `Retry-After: {wait}`"));
        return Finding::new("rate_limited").seen(format!("{seen}{}", wait.unwrap_or_default()));
    }
    let finding = Finding::new("refused_elsewhere").seen(seen);
    match FIXES.iter().find(|(status, _)| *status == own.status) {
        Some((_, fix)) => finding.fixed_by(fix),
        None => finding,
    }
}
