//! A purchase from its first request to its end.

use http::{StatusCode, Uri};
use x402_sim::networks::Stage;

use super::address::{self, is_loopback, is_secure};
use super::asked::{Asked, NothingAsked};
use super::bill::Bill;
use super::choice::{Candidate, Money, same_account};
use super::confirm::ask;
use super::deal::{Deal, weigh};
use super::dial::Machines;
use super::end::Before;
use super::error::PayError;
use super::exchange::{Answer, Call};
use super::finding::Finding;
use super::key::Payer;
use super::order::{Earlier, Extent, Order};
use super::present::{Presented, present};
use super::shop::{Seller, Shop, Visit};
use super::story::{moment, safe, said};
use crate::context::Context;
use crate::journal::entry::FORM;
use crate::journal::{self, Authorized, Ending, Entry, Errand, Page};

/// How many earlier purchases are remembered when a seller names its payee.
const REMEMBERED: usize = 1_000;

/// What came of a purchase.
#[derive(Debug)]
pub enum Bought {
    /// No payment was asked for.
    Free(Box<Free>),
    /// Only the offer was looked at, or it was declined: what it asks, and what of it would be paid.
    Looked(Box<Looked>),
    /// Something was signed and presented.
    Paid(Box<Paid>),
    /// There was nothing to go on with.
    NothingOpen,
}

/// An answer that asks for no payment.
#[derive(Debug)]
pub struct Free {
    /// The answer.
    pub answer: Answer,
    /// Where it leads, if it is a redirect, and why it was not followed.
    pub led: Option<String>,
    /// What was said already.
    pub known: Vec<Finding>,
}

/// An offer that was looked at.
#[derive(Debug)]
pub struct Looked {
    /// What it asks.
    pub candidates: Vec<Candidate>,
    /// What of it would be paid.
    pub chosen: Option<usize>,
    /// Why nothing is paid.
    pub why: Why,
    /// An invoice, where that is all that is asked.
    pub bill: Option<Bill>,
    /// Where it was asked, for people.
    pub url: String,
}

/// Why nothing is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was a dry run.
    DryRun,
    /// Nothing is acceptable.
    NotAcceptable,
    /// Somebody said no.
    Declined,
    /// Somebody was asked, and stdin had ended.
    Unanswered,
}

/// A request, as it was asked for, and as it is paid at the end of its redirects.
struct Trip {
    asked: Call,
    call: Call,
}

/// Something that was signed and presented.
#[derive(Debug)]
pub struct Paid {
    /// What came of it.
    pub told: Presented,
    /// The purchase in the journal, still open.
    pub page: Page,
}

/// Buys something.
pub async fn buy(shop: &mut Shop, order: &Order, context: &Context) -> Result<Bought, PayError> {
    let call = order.errand.call(context)?;
    let (payer, warning) = order.paying.key.read(context)?;
    shop.story.warn_of(warning.as_deref());
    let Visit { exchange, machines, hops, changed } = shop.visit(call.clone()).await;
    let url = address::shown(&exchange.call.url);
    let unreachable = |source| PayError::Unreachable { url: url.clone(), source };
    let answer = exchange.outcome.map_err(|silence| unreachable(silence.into_cause()))?;
    let trip = Trip { asked: call, call: exchange.call };
    let call = &trip.call;
    let machines = machines.expect("who has answered was found");
    if answer.status != StatusCode::PAYMENT_REQUIRED {
        if let Some(cause) = answer.broken {
            return Err(unreachable(cause));
        }
        let led = shop.not_followed(call, &answer, hops);
        return Ok(Bought::Free(Box::new(Free { answer, led, known: changed })));
    }
    let nothing = |NothingAsked(notes, other)| PayError::NothingAsked { url: url.clone(), notes, other };
    let (asked, notes) = Asked::read(&answer, order.paying.dialect).map_err(nothing)?;
    shop.story.warn_of(notes.iter().map(String::as_str));
    shop.story.step(&format!("an offer in {}", asked.dialect().name()));
    let deal = match weigh(shop, &order.paying, &payer, asked, &url) {
        Ok(deal) => deal,
        Err(looked) => return Ok(Bought::Looked(looked)),
    };
    may_sign(&payer, &call.url, &machines)?;
    warn(shop, &payer, &deal, order.paying.taste.money);
    if order.paying.extent == Extent::Confirm
        && let Some(why) = ask(&deal.question(&payer))?
    {
        let (candidates, bill) = deal.parts();
        return Ok(Bought::Looked(Box::new(Looked { candidates, chosen: Some(0), why, bill, url })));
    }
    let random = |source| PayError::System { what: "no randomness from the system", source };
    let id = journal::random_id().map_err(random)?;
    // Everything that can be read is read before something is signed.
    let before = shop.journal.history(REMEMBERED)?;
    let earlier = order.paying.earlier;
    look_back(shop, &trip, &payer, earlier)?;
    let authorized = deal.sign(shop, Seller { call, machines: &machines }, &payer, &id).await?;
    let stranger = unlike_before(&before, &call.url, &authorized);
    shop.story.warn_of(stranger.iter().map(|finding| finding.text.as_str()));
    let mut page = write_down(shop, &trip, &payer, earlier, trip.entry(id, shop.now(), authorized))?;
    let mut told = present(shop, &mut page, call, &machines, Before::Nothing).await?;
    told.known.extend(changed.into_iter().chain(stranger));
    Ok(Bought::Paid(Box::new(Paid { told, page })))
}

/// A secret key signs nothing that anybody on the way can read.
pub fn may_sign(payer: &Payer, url: &Uri, machines: &Machines) -> Result<(), PayError> {
    if payer.test_account().is_some() || is_secure(url) || machines.all(is_loopback) {
        return Ok(());
    }
    Err(PayError::Exposed { url: address::origin(url), payer: payer.address() })
}

/// What the owner of the money should hear before.
fn warn(shop: &Shop, payer: &Payer, deal: &Deal, money: Money) {
    let network = match deal {
        Deal::Offer(deal) => &deal.1.network,
        Deal::Invoice(bill) => &bill.network,
    };
    let real = money == Money::Real && network.as_ref().is_none_or(|network| network.stage == Stage::Main);
    if real && payer.test_account().is_some() {
        shop.story.warn("this is real money, and the key of a test account is public: anybody can spend what it holds");
    }
}

/// Nothing is signed while nobody knows whether the same was paid before.
fn look_back(shop: &Shop, trip: &Trip, payer: &Payer, earlier: Earlier) -> Result<(), PayError> {
    if earlier == Earlier::IsAnother {
        return Ok(());
    }
    let solana = payer.test_account().map(|account| account.solana_address.to_owned());
    let names: Vec<String> = [Some(payer.address()), solana].into_iter().flatten().collect();
    match shop.journal.open_for(&trip.errand(), trip.asked.body.as_deref(), &names)? {
        None => Ok(()),
        Some(entry) => {
            let state = entry.last().map_or_else(|| "nothing is known".to_owned(), state);
            Err(PayError::Earlier { id: entry.id, state })
        }
    }
}

/// Writes down what was signed, before anybody else can see it; or drops it, if somebody else has begun the same purchase
/// meanwhile: from the last look to the first line nobody can come between.
fn write_down(shop: &Shop, trip: &Trip, payer: &Payer, earlier: Earlier, entry: Entry) -> Result<Page, PayError> {
    let shelf = shop.journal.shelf()?;
    look_back(shop, trip, payer, earlier)?;
    Ok(shelf.open(entry, trip.asked.body.as_deref())?)
}

/// What is known of an authorization, in a sentence.
pub fn state(paid: &Authorized) -> String {
    let last = paid.answers.last().map_or_else(|| "no answer was written down".to_owned(), Clone::clone);
    let until = paid.valid_before.map(|until| format!(", can be used until {}", moment(until))).unwrap_or_default();
    format!("{} to {}{until}; {}", safe(&paid.asked()), safe(&paid.to), safe(&last))
}

/// A word on a payee that this seller never named before, for the same network and asset.
fn unlike_before(before: &[Entry], seller: &Uri, paid: &Authorized) -> Option<Finding> {
    let own = address::origin(seller);
    let origin = |entry: &Entry| entry.errand.url.split(['?', '&']).next()?.parse::<Uri>().ok();
    let origin = |entry: &Entry| origin(entry).map(|url| address::origin(&url));
    let of_seller =
        before.iter().filter(|entry| entry.ending == Some(Ending::Delivered) && origin(entry).as_ref() == Some(&own));
    let same = |earlier: &&Authorized| (&earlier.network, &earlier.asset) == (&paid.network, &paid.asset);
    let payees: Vec<&str> = of_seller.filter_map(Entry::last).filter(same).map(|earlier| earlier.to.as_str()).collect();
    let last = payees.last().filter(|_| !payees.iter().any(|payee| same_account(payee, &paid.to)))?;
    let text = format!("this seller was paid at {} before, and asks for {} now", said(last), said(&paid.to));
    Some(Finding::new("payee_unlike_before", text))
}

impl Trip {
    /// The purchase as the journal keeps it.
    fn entry(&self, id: String, began: u64, authorized: Authorized) -> Entry {
        let errand = self.errand();
        Entry { form: FORM, id, began, errand, authorizations: vec![authorized], ending: None, standing: None }
    }

    /// The request as the journal keeps it.
    fn errand(&self) -> Errand {
        let Self { asked, call } = self;
        let headers = call
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let is_led = (&asked.method, &asked.url) != (&call.method, &call.url);
        let named = |call: &Call| journal::Asked { method: call.method.to_string(), url: call.url.to_string() };
        Errand {
            method: call.method.as_str().to_owned(),
            url: call.url.to_string(),
            headers: headers.collect(),
            body: call.body.as_ref().map(|body| body.len() as u64),
            asked: is_led.then(|| named(asked)),
        }
    }
}
