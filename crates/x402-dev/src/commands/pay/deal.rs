//! What of an offer is paid, and its signing.

use http::Uri;
use x402_sim::networks::{Network, Stage};
use x402_sim::payer::Offer;
use x402_sim::registry;
use x402_wire::amount::Decimal;
use x402_wire::document::Document;
use x402_wire::invoice::Invoice;

use super::asked::Asked;
use super::authorization::{Moment, authorize, redeem};
use super::buy::{Looked, Why};
use super::choice::{Candidate, Taste, choose, judge};
use super::error::PayError;
use super::key::Payer;
use super::limit::Limit;
use super::order::{Extent, Paying};
use super::shop::Shop;
use super::table;
use crate::journal::{self, Authorized};

/// What is about to be paid, before it is signed.
pub enum Deal {
    /// Requirements of an offer.
    Offer(Box<(Offer, Candidate)>),
    /// An invoice, and its price in words.
    Invoice(Invoice, String),
}

/// Chooses what is paid, or says why nothing is.
pub fn weigh(shop: &Shop, paying: &Paying, payer: &Payer, asked: Asked) -> Result<Deal, Box<Looked>> {
    let dry = paying.extent == Extent::DryRun;
    let looked = |candidates, chosen, why, invoice| Box::new(Looked { candidates, chosen, why, invoice });
    match asked {
        Asked::Invoice(invoice) => {
            let price = format!("{} {}", invoice.amount, invoice.currency);
            let fits = invoice_fits(&invoice, &paying.taste);
            match (dry, fits) {
                (true, _) => Err(looked(Vec::new(), None, Why::DryRun, Some(invoice))),
                (false, false) => Err(looked(Vec::new(), None, Why::NotAcceptable, Some(invoice))),
                (false, true) => Ok(Deal::Invoice(invoice, price)),
            }
        }
        Asked::Offer(offer) => {
            let taste = Taste { family: payer.family(), ..paying.taste.clone() };
            let candidates = judge(&offer, &taste);
            let chosen = choose(&candidates);
            for line in table::offer(&candidates, chosen).lines() {
                shop.story.step(line);
            }
            match chosen {
                _ if dry => Err(looked(candidates, chosen, Why::DryRun, None)),
                None => Err(looked(candidates, None, Why::NotAcceptable, None)),
                Some(place) => {
                    let way = candidates[place].clone();
                    if let Some(text) = table::described(&offer, &way) {
                        shop.story.step(&format!("the seller says: {text}"));
                    }
                    Ok(Deal::Offer(Box::new((offer, way))))
                }
            }
        }
    }
}

/// Whether an invoice is within what may be paid. Invoices are paid in play money.
pub fn invoice_fits(invoice: &Invoice, taste: &Taste) -> bool {
    let network = cluster(&invoice.network);
    let test = network.as_ref().is_some_and(|network| network.stage == Stage::Test);
    let asset = network.as_ref().and_then(|network| network.asset_by_symbol(&invoice.currency));
    let amount = Decimal::parse(&invoice.amount).ok().and_then(|amount| amount.to_atomic(asset?.decimals).ok());
    let within = |limit: &Limit| amount.is_some_and(|amount| limit.allows(amount, asset));
    let named =
        |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(own));
    let on =
        taste.network.as_deref().is_none_or(|wanted| network.as_ref().is_some_and(|network| network.is_called(wanted)));
    test && on
        && within(&taste.limit)
        && named(&taste.asset, &invoice.currency)
        && named(&taste.pay_to, &invoice.recipient)
        && taste.scheme.is_none()
}

/// The network of an invoice, which names a Solana cluster.
fn cluster(name: &str) -> Option<Network> {
    let v1 = match name {
        "devnet" | "testnet" => format!("solana-{name}"),
        "mainnet" | "mainnet-beta" => "solana".to_owned(),
        other => other.to_owned(),
    };
    registry::networks().into_iter().find(|network| network.is_called(&v1))
}

impl Deal {
    /// Signs.
    pub async fn sign(&self, shop: &Shop, seller: &Uri, payer: &Payer, id: &str) -> Result<Authorized, PayError> {
        let now = shop.now() / 1000;
        match self {
            Self::Invoice(invoice, price) => Ok(redeem(invoice, price.clone(), payer, now)?),
            Self::Offer(deal) => {
                let (offer, way) = &**deal;
                let random = |source| PayError::System { what: "no randomness from the system", source };
                let blockhash = shop.blockhash(seller, way).await?;
                let moment = Moment { now, purchase: id, nonce: journal::random().map_err(random)?, blockhash };
                let (authorized, payload): (Authorized, Document) = authorize(offer, way, payer, moment)?;
                shop.story.step(&format!("signed by {} for purchase {id}:", authorized.from));
                shop.story.table(&table::signed(way, &authorized, &payload));
                Ok(authorized)
            }
        }
    }

    /// What a person is asked before.
    pub fn question(&self, payer: &Payer) -> String {
        let from = payer.address();
        match self {
            Self::Offer(deal) => {
                let way = &deal.1;
                let network = way.network.as_ref().map_or_else(|| way.said("network").to_owned(), ToString::to_string);
                format!("Pay {} to {} on {network} from {from}?", way.price(), way.said("payTo"))
            }
            Self::Invoice(invoice, price) => format!("Pay {price} to {} on {}?", invoice.recipient, invoice.network),
        }
    }

    /// What was looked at.
    pub fn parts(self) -> (Vec<Candidate>, Option<Invoice>) {
        match self {
            Self::Offer(deal) => (vec![deal.1], None),
            Self::Invoice(invoice, _) => (Vec::new(), Some(invoice)),
        }
    }
}
