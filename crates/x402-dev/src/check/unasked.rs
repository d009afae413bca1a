//! Answers of an address that was asked without a payment, and that ask for none.

use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::{Finding, Side};
use x402_sim::explain::manual;

use super::exchange::{Exchange, path};

/// Looks at the answer of an address that was asked once.
pub fn look(own: &Exchange, explanation: &mut Explanation) {
    if own.status == 402 || own.offer().is_some() {
        return;
    }
    let (status, path) = (own.status, path(&own.url));
    let path = if path.is_empty() { "/" } else { path };
    if (200..300).contains(&status) {
        explanation.notes.push(format!(
            "it answers {status}, and asks for no payment: is there a route {} {path} among the paid ones, with this \
             method and this path, and does the payment middleware stand before the handler?",
            own.method
        ));
        return;
    }
    explanation.notes.push(format!("it answers {status}, and asks for no payment"));
    // What broke the server may be the payment middleware, which then says why.
    let said = own.response.body_text().filter(|_| status >= 500).and_then(manual::within);
    for (page, id) in said.into_iter().flat_map(|page| page.findings.iter().map(move |id| (page, id))) {
        let finding = Finding::new(id).seen(format!("the answer {status} holds the message \"{}\"", page.reason));
        // It is the server that broke.
        explanation.find(Finding { side: Side::Server, ..finding });
    }
}
