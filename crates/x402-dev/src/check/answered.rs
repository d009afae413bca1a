//! Rules about what comes for a payment where it is not refused: no answer or half of one, a redirect that nobody follows,
//! nothing at all, the receipt of something else.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_wire::shape::shorten;

use super::cache;
use super::exchange::{Exchange, path};

/// Among how many requests behind a redirect the one that it leads to is looked for.
const NEAR: usize = 20;

/// Looks at what came for payments, where it was no refusal.
pub fn look(exchanges: &[Exchange], explanation: &mut Explanation) {
    for (place, own) in exchanges.iter().enumerate().filter(|(_, own)| own.payment().is_some()) {
        of_payment(own, &exchanges[place + 1..], &format!("request {}", place + 1), explanation);
    }
}

/// Looks at what came for a payment. `later` are the requests behind it.
fn of_payment(own: &Exchange, later: &[Exchange], name: &str, explanation: &mut Explanation) {
    let is_same = |other: &&Exchange| own.mark().is_some() && other.mark() == own.mark();
    let says_more = |other: &Exchange| other.status >= 200 && other.broken.is_none();
    // What came when it was presented again says more than that it did not come at once.
    let is_answered = later.iter().take(NEAR).filter(is_same).any(says_more);
    let is_delivered = later.iter().take(NEAR).filter(is_same).any(|other| other.status < 300 && says_more(other));
    let found = match own.status {
        0 | 200.. if is_answered && (own.status == 0 || own.broken.is_some()) => None,
        0 => Some(
            Finding::new("answer_broken_off")
                .seen(format!("{name} carries a payment, and has no answer{}", cause(own))),
        ),
        200.. if own.broken.is_some() => {
            let seen = format!("{name} carries a payment, and its answer {} was broken off{}", own.status, cause(own));
            Some(Finding::new("answer_broken_off").seen(seen))
        }
        301 | 302 | 303 | 307 | 308 if !is_followed(own, later) && !is_delivered => {
            let to =
                own.response.get("location").map(|to| format!(" to {}", to.split(['?', '#']).next().unwrap_or(to)));
            let seen =
                format!("{name} carries a payment and is answered with {}{}", own.status, to.unwrap_or_default());
            Some(Finding::new("payment_redirected").seen(seen).seen("no request of the record follows it"))
        }
        // By nature there is no content in the others.
        200..=203 if own.method != "HEAD" && is_empty(own) && !is_delivered => {
            Some(Finding::new("empty_content").seen(format!("{name} is answered with {} and 0 bytes", own.status)))
        }
        _ => None,
    };
    found.into_iter().chain(of_receipt(own, name)).for_each(|finding| explanation.find(finding));
}

/// Why there is no whole answer, where whoever wrote it down says so.
fn cause(own: &Exchange) -> String {
    own.broken.as_deref().map(|cause| format!(": {}", shorten(cause))).unwrap_or_default()
}

/// Whether a request behind a redirect goes where it leads.
fn is_followed(own: &Exchange, later: &[Exchange]) -> bool {
    let target = own.response.get("location").map(path);
    let mut later = later.iter().take(NEAR);
    target.is_none_or(|target| later.any(|other| path(&other.url) == target))
}

/// Whether the record says that nothing came.
fn is_empty(own: &Exchange) -> bool {
    let side = &own.response;
    let declared = side.get("content-length").and_then(|length| length.parse::<u64>().ok());
    let is_none = declared.or(side.size) == Some(0) && side.get("transfer-encoding").is_none();
    is_none && side.body_text().is_none() && cache::stored(own).is_none()
}

/// What a receipt says that cannot be true of the payment that it came for.
fn of_receipt(own: &Exchange, name: &str) -> Option<Finding> {
    let (receipt, payload) = (own.receipt()?, own.payload()?);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut finding = Finding::new("receipt_mismatch");
    let payers = ["/payload/authorization/from", "/payload/permit2Authorization/from"];
    let payer = payers.iter().find_map(|place| text(payload.pointer(place)));
    if let (Some(paid), Some(said)) = (payer, text(receipt.get("payer")))
        && !paid.eq_ignore_ascii_case(&said)
    {
        finding = finding.seen(format!(
            "{name}: its receipt names the payer {}, and {} has signed",
            shorten(&said),
            shorten(&paid)
        ));
    }
    let network = text(payload.pointer("/accepted/network"));
    if let (Some(paid), Some(said)) = (network, text(receipt.get("network")))
        && paid != said
        && paid.contains(':')
        && said.contains(':')
    {
        finding = finding.seen(format!(
            "{name}: its receipt names the network {}, and {} is paid on",
            shorten(&said),
            shorten(&paid)
        ));
    }
    // A settlement of nothing, in scheme `upto`, has no transaction.
    let is_settled = receipt["success"] == true && receipt.get("amount").is_none_or(|amount| amount != "0");
    if is_settled && text(receipt.get("transaction")).is_none() {
        finding = finding.seen(format!("{name}: its receipt says that it was settled, and names no transaction"));
    }
    (!finding.evidence.is_empty()).then_some(finding)
}
