//! What of an offer is paid, and its signing.

use x402_sim::networks::Family;
use x402_sim::payer::Offer;
use x402_wire::document::Document;

use super::asked::Asked;
use super::authorization::{Moment, authorize};
use super::bill::Bill;
use super::buy::{Looked, Why};
use super::choice::{Candidate, Taste, choose, judge};
use super::error::PayError;
use super::exchange::Call;
use super::key::Payer;
use super::order::{Extent, Paying};
use super::shop::{Seller, Shop};
use super::{table, transfer};
use crate::journal::{self, Authorized};

/// What asks the mock to look at no signature.
const SIMULATION_MODE: &str = "x-simulation-mode";

/// What is about to be paid, before it is signed.
pub enum Deal {
    /// Requirements of an offer.
    Offer(Box<(Offer, Candidate)>),
    /// An invoice.
    Invoice(Box<Bill>),
}

/// Who would pay whom what, before it is signed.
pub struct Terms {
    /// Who pays.
    pub from: String,
    /// Who is paid.
    pub to: String,
    /// On which network.
    pub network: String,
    /// The asset's address, or an invoice's currency.
    pub asset: String,
    /// How much at most: atomic units, or an invoice's decimal.
    pub amount: String,
    /// How much, in words.
    pub price: String,
}

/// Chooses what is paid, or says why nothing is.
pub fn weigh(shop: &Shop, paying: &Paying, payer: &Payer, asked: Asked, url: &str) -> Result<Deal, Box<Looked>> {
    let dry = paying.extent == Extent::DryRun;
    let url = url.to_owned();
    let looked = |candidates, chosen, why, bill| Box::new(Looked { candidates, chosen, why, bill, url });
    let taste = Taste { family: payer.family(), ..paying.taste.clone() };
    match asked {
        Asked::Invoice(invoice) => {
            let bill = Bill::of(invoice, &taste, payer);
            match (dry, &bill.objection) {
                (true, _) => Err(looked(Vec::new(), None, Why::DryRun, Some(bill))),
                (false, Some(_)) => Err(looked(Vec::new(), None, Why::NotAcceptable, Some(bill))),
                (false, None) => Ok(Deal::Invoice(Box::new(bill))),
            }
        }
        Asked::Offer(offer) => {
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

/// Whether the memo alone is presented: where the request itself asks for a payment that is only played.
fn is_played(call: &Call) -> bool {
    call.headers.get(SIMULATION_MODE).is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"success"))
}

impl Deal {
    /// Signs.
    pub async fn sign(&self, shop: &Shop, seller: Seller<'_>, payer: &Payer, id: &str) -> Result<Authorized, PayError> {
        let now = shop.now() / 1000;
        match self {
            Self::Invoice(bill) if is_played(seller.call) => {
                Ok(transfer::redeem(&bill.invoice, bill.price(), payer, now)?)
            }
            Self::Invoice(bill) => transfer::sign(shop, seller, bill, payer, now).await,
            Self::Offer(deal) => {
                let (offer, way) = &**deal;
                let random = |source| PayError::System { what: "no randomness from the system", source };
                let blockhash = shop.blockhash(&seller.call.url, way).await?;
                let moment = Moment { now, purchase: id, nonce: journal::random().map_err(random)?, blockhash };
                let (authorized, payload): (Authorized, Document) = authorize(offer, way, payer, moment)?;
                shop.story.step(&format!("signed by {} for purchase {id}:", authorized.from));
                shop.story.table(&table::signed(way, &authorized, &payload));
                Ok(authorized)
            }
        }
    }

    /// Who would pay whom what.
    pub fn terms(&self, payer: &Payer) -> Terms {
        match self {
            Self::Offer(deal) => {
                let way = &deal.1;
                Terms {
                    from: payer.address_on(way.family()),
                    to: way.said("payTo").to_owned(),
                    network: way.said("network").to_owned(),
                    asset: way.said("asset").to_owned(),
                    amount: way.amount.map(|amount| amount.to_string()).unwrap_or_default(),
                    price: way.price(),
                }
            }
            Self::Invoice(bill) => Terms {
                from: payer.address_on(Family::Solana),
                to: bill.invoice.recipient.to_string(),
                network: bill.invoice.network.to_string(),
                asset: bill.invoice.currency.to_string(),
                amount: bill.invoice.amount.clone(),
                price: bill.price(),
            },
        }
    }

    /// What a person is asked before.
    pub fn question(&self, payer: &Payer) -> String {
        let from = payer.address();
        match self {
            Self::Offer(deal) => {
                let way = &deal.1;
                let network = way.network.as_ref().map_or_else(|| way.said("network").to_owned(), ToString::to_string);
                format!("Pay {} to {} on {network} from {from}?", way.asked(), way.said("payTo"))
            }
            Self::Invoice(bill) => {
                let (price, invoice, from) = (bill.price(), &bill.invoice, payer.address_on(Family::Solana));
                format!("Pay {price} to {} on {} from {from}?", invoice.recipient, invoice.network)
            }
        }
    }

    /// What was looked at.
    pub fn parts(self) -> (Vec<Candidate>, Option<Bill>) {
        match self {
            Self::Offer(deal) => (vec![deal.1], None),
            Self::Invoice(bill) => (Vec::new(), Some(*bill)),
        }
    }
}
