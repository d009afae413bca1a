//! The page for a person who opens a paid address in a browser.

use axum::response::Html;
use maud::{DOCTYPE, html};
use x402_wire::amount::Decimal;
use x402_wire::invoice::Invoice;

use super::Visit;
use crate::catalogue::Item;

/// The page: what is asked, and how to pay it here.
pub fn render(item: &Item, visit: &Visit, invoice: Option<&Invoice>) -> Html<String> {
    let url = visit.url.as_str();
    let quoted = url.replace('\'', "%27");
    let memo = "s/.*\"memo\":\"\\([^\"]*\\)\".*/\\1/p";
    let proof = format!("X-Payment-Proof: $(curl -s '{quoted}' | sed -n '{memo}')");
    let curl = format!("curl '{quoted}' -H 'X-Simulation-Mode: success' -H \"{proof}\"");
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "402 Payment Required" }
                style { "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}"
                    "code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f3f3f3;padding:1rem;overflow:auto}"
                    "td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}" }
            }
            body {
                h1 { "402 Payment Required" }
                p { code { (url) } " costs " strong { (item.offer.price) } "." }
                @if !item.description.is_empty() { p { (item.description) } }
                table {
                    tr { th { "network" } th { "amount" } th { "pay to" } }
                    @for way in item.ways() {
                        tr {
                            td { (way.network.name) " " code { (way.network.id) } }
                            td { (Decimal::from_atomic(way.amount, way.asset.decimals)) " " (way.asset.symbol) }
                            td { code { (way.pay_to) } }
                        }
                    }
                }
                h2 { "How to pay it here" }
                p { "This is x402-dev, a mock: no money is real. Any x402 client can pay this address; the offer is in the "
                    "headers of this answer." }
                @if invoice.is_some() {
                    p { "With curl, which cannot sign, let the memo of the invoice stand for the payment:" }
                    pre { (curl) }
                }
            }
        }
    };
    Html(markup.into_string())
}
