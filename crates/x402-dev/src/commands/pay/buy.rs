//! A purchase from its first request to its end.

use http::{StatusCode, Uri};
use x402_sim::networks::Stage;
use x402_wire::invoice::Invoice;

use super::address::{self, is_loopback, is_secure};
use super::asked::{Asked, NothingAsked};
use super::choice::{Candidate, Money, same_account};
use super::confirm::{Consent, ask};
use super::deal::{Deal, weigh};
use super::dial::Machines;
use super::error::PayError;
use super::exchange::{Answer, Call};
use super::finding::Finding;
use super::key::Payer;
use super::order::{Earlier, Extent, Order, Paying};
use super::present::{Before, Presented, present};
use super::shop::{Shop, Visit};
use crate::clock::timestamp;
use crate::context::Context;
use crate::journal::entry::FORM;
use crate::journal::{self, Authorized, Ending, Entry, Errand, Page};

/// How many earlier purchases are remembered when a seller names its payee.
const REMEMBERED: usize = 1_000;

/// What came of a purchase.
#[derive(Debug)]
pub enum Bought {
    /// No payment was asked for.
    Free(Answer),
    /// Only the offer was looked at, or it was declined: what it asks, and what of it would be paid.
    Looked(Looked),
    /// Something was signed and presented.
    Paid(Box<Paid>),
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
    pub invoice: Option<Invoice>,
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
    let Visit { exchange, machines } = shop.visit(call).await;
    let url = exchange.call.url.to_string();
    let unreachable = |source| PayError::Unreachable { url: url.clone(), source };
    let answer = exchange.outcome.map_err(|silence| unreachable(silence.into_cause()))?;
    let call = exchange.call;
    let machines = machines.expect("who has answered was found");
    if answer.status != StatusCode::PAYMENT_REQUIRED {
        return match answer.broken {
            Some(cause) => Err(unreachable(cause)),
            None => Ok(Bought::Free(answer)),
        };
    }
    let nothing = |NothingAsked(notes)| PayError::NothingAsked { url: url.clone(), notes };
    let (asked, notes) = Asked::read(&answer, order.paying.dialect).map_err(nothing)?;
    shop.story.warn_of(notes.iter().map(String::as_str));
    shop.story.step(&format!("an offer in {}", asked.dialect().name()));
    let deal = match weigh(shop, &order.paying, &payer, asked) {
        Ok(deal) => deal,
        Err(looked) => return Ok(Bought::Looked(*looked)),
    };
    may_sign(&payer, &call.url, &machines)?;
    warn(shop, &payer, &deal, order.paying.taste.money);
    if order.paying.extent == Extent::Confirm && ask(&deal.question(&payer))? == Consent::Declined {
        let (candidates, invoice) = deal.parts();
        return Ok(Bought::Looked(Looked { candidates, chosen: Some(0), why: Why::Declined, invoice }));
    }
    if order.paying.earlier == Earlier::Blocks {
        look_back(shop, &call, &payer)?;
    }
    let mut page = sign(shop, &call, &payer, &deal).await?;
    let stranger = unlike_before(shop, &page)?;
    shop.story.warn_of(stranger.iter().map(|finding| finding.text.as_str()));
    let mut told = present(shop, &mut page, &call, &machines, Before::Nothing).await?;
    told.known.extend(stranger);
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
    let Deal::Offer(deal) = deal else { return };
    let way = &deal.1;
    let real = money == Money::Real && way.network.as_ref().is_none_or(|network| network.stage == Stage::Main);
    if real && payer.test_account().is_some() {
        shop.story.warn("this is real money, and the key of a test account is public: anybody can spend what it holds");
    }
}

/// Nothing is signed while nobody knows whether the same was paid before.
fn look_back(shop: &Shop, call: &Call, payer: &Payer) -> Result<(), PayError> {
    let errand = errand(call);
    let names = [Some(payer.address()), payer.test_account().map(|account| account.solana_address.to_owned())];
    for name in names.into_iter().flatten() {
        if let Some(entry) = shop.journal.waiting_for(&errand, call.body.as_deref(), &name)? {
            let state = entry.last().map_or_else(|| "nothing is known".to_owned(), state);
            return Err(PayError::Earlier { id: entry.id, state });
        }
    }
    Ok(())
}

/// What is known of an authorization, in a sentence.
pub fn state(paid: &Authorized) -> String {
    let last = paid.answers.last().map_or_else(|| "no answer was written down".to_owned(), Clone::clone);
    let until =
        paid.valid_before.map(|until| format!(", can be used until {}", timestamp(until * 1000))).unwrap_or_default();
    format!("{} to {}{until}; {last}", paid.price, paid.to)
}

/// A word on a payee that this seller never named before, for the same network and asset.
fn unlike_before(shop: &Shop, page: &Page) -> Result<Option<Finding>, PayError> {
    let Some(paid) = page.entry.last() else { return Ok(None) };
    let origin = |entry: &Entry| entry.errand.url.parse::<Uri>().map(|url| address::origin(&url)).ok();
    let own = origin(&page.entry);
    let before: Vec<Entry> = shop.journal.history(REMEMBERED)?;
    let of_seller =
        before.iter().filter(|entry| own.is_some() && origin(entry) == own && entry.ending == Some(Ending::Delivered));
    let same = |earlier: &&Authorized| (&earlier.network, &earlier.asset) == (&paid.network, &paid.asset);
    let payees: Vec<&str> = of_seller.filter_map(Entry::last).filter(same).map(|earlier| earlier.to.as_str()).collect();
    if payees.is_empty() || payees.iter().any(|payee| same_account(payee, &paid.to)) {
        return Ok(None);
    }
    let text = format!("this seller was paid at {} before, and asks for {} now", payees[payees.len() - 1], paid.to);
    Ok(Some(Finding::new("payee_unlike_before", text)))
}

/// Signs, and writes it down before anybody else can see it.
async fn sign(shop: &Shop, call: &Call, payer: &Payer, deal: &Deal) -> Result<Page, PayError> {
    let random = |source| PayError::System { what: "no randomness from the system", source };
    let id = journal::random_id().map_err(random)?;
    let authorized = deal.sign(shop, &call.url, payer, &id).await?;
    let entry = Entry {
        form: FORM,
        id,
        began: shop.now(),
        errand: errand(call),
        authorizations: vec![authorized],
        ending: None,
    };
    Ok(shop.journal.open(entry, call.body.as_deref())?)
}

/// The request as the journal keeps it.
pub fn errand(call: &Call) -> Errand {
    let headers = call
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Errand {
        method: call.method.as_str().to_owned(),
        url: call.url.to_string(),
        headers: headers.collect(),
        body: call.body.as_ref().map(|body| body.len() as u64),
    }
}

/// Signs once more for a purchase, for what is offered now.
///
/// `Ok(Err(..))` where nothing of it is acceptable.
pub async fn sign_again(
    shop: &Shop,
    seller: &Uri,
    paying: &Paying,
    asked: Asked,
    payer: &Payer,
    id: &str,
) -> Result<Result<Authorized, Box<Looked>>, PayError> {
    match weigh(shop, paying, payer, asked) {
        Ok(deal) => deal.sign(shop, seller, payer, id).await.map(Ok),
        Err(looked) => Ok(Err(looked)),
    }
}
