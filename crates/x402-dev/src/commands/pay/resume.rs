//! Going on with a purchase whose end is not known.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use x402_sim::accounts;

use super::address;
use super::asked::{Asked, Dialect, NothingAsked};
use super::buy::{Bought, Free, Looked, Paid, may_sign};
use super::chain::GRACE;
use super::choice::same_account;
use super::confirm::ask;
use super::deal::{Terms, weigh};
use super::dial::Machines;
use super::end::{Before, End};
use super::error::PayError;
use super::exchange::Call;
use super::key::{KeySource, Payer, VARIABLE};
use super::order::{Extent, Manners, Output, Paying};
use super::present::{Presented, not_found, present};
use super::shop::{Seller, Shop, leads};
use super::story::moment;
use crate::context::Context;
use crate::journal::{Authorized, Ending, Entry, JournalError, Page};

/// A purchase to go on with.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Its name; without it, the only one that is open.
    pub id: Option<String>,
    /// How.
    pub how: How,
    /// Who pays, and what may be paid, where something is signed again.
    pub paying: Paying,
    /// How requests are made.
    pub manners: Manners,
    /// How it is told.
    pub output: Output,
}

/// How a purchase goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The same authorization is presented again.
    Ask,
    /// If it is proven that it was not used and cannot be any more, another one is signed.
    Again,
    /// Not at all.
    Forget,
}

/// Goes on with a purchase.
pub async fn resume(shop: &mut Shop, job: &Resume, context: &Context) -> Result<Bought, PayError> {
    let Some(id) = which(shop, job.id.as_deref())? else { return Ok(Bought::NothingOpen) };
    let (mut page, body) = shop.journal.resume(&id)?;
    let call = call(&page.entry, body)?;
    let found = Machines::of(&call.url).await;
    let told = match &found {
        Ok(machines) => present(shop, &mut page, &call, machines, Before::Doubt).await?,
        // A name that nobody knows today says nothing of what was sent before.
        Err(cause) => not_found(shop, &page, &call, cause).await,
    };
    if job.how != How::Again || told.end == End::Paid {
        return Ok(Bought::Paid(Box::new(Paid { told, page })));
    }
    let not_again = |id: &str, why| PayError::NotAgain { id: id.to_owned(), why };
    let proof = proof(&told, page.entry.last().expect("it was presented"), shop.now() / 1000);
    let proof = proof.map_err(|why| not_again(&page.entry.id, why))?;
    let machines = found.map_err(|source| PayError::Unreachable { url: address::shown(&call.url), source })?;
    again(shop, job, context, page, Seller { call: &call, machines: &machines }, proof).await
}

/// Gives a purchase up; `None` where none is open.
pub fn forget(shop: &Shop, job: &Resume) -> Result<Option<Entry>, PayError> {
    let Some(id) = which(shop, job.id.as_deref())? else { return Ok(None) };
    let (mut page, _) = shop.journal.resume(&id)?;
    page.entry.ending = Some(Ending::Forgotten);
    Ok(Some(page.close()?))
}

/// Which purchase is meant; `None` where none is open.
fn which(shop: &Shop, named: Option<&str>) -> Result<Option<String>, PayError> {
    if let Some(id) = named {
        return Ok(Some(id.to_owned()));
    }
    let mut ids: Vec<String> = shop.journal.open_purchases()?.into_iter().map(|entry| entry.id).collect();
    if ids.len() > 1 { Err(PayError::WhichOne { ids }) } else { Ok(ids.pop()) }
}

/// The request of a purchase.
fn call(entry: &Entry, body: Option<Vec<u8>>) -> Result<Call, PayError> {
    let strange = || JournalError::Unknown { id: entry.id.clone() };
    let errand = &entry.errand;
    let mut headers = HeaderMap::new();
    for (name, value) in &errand.headers {
        let name: HeaderName = name.parse().map_err(|_| strange())?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| strange())?);
    }
    Ok(Call {
        method: errand.method.parse().map_err(|_| strange())?,
        url: errand.url.parse().map_err(|_| strange())?,
        headers,
        body: body.map(Bytes::from),
    })
}

/// The proof that an authorization was not used and never will be, in a sentence; or what is missing.
fn proof(told: &Presented, paid: &Authorized, now: u64) -> Result<String, String> {
    if paid.dies_with_its_blockhash() {
        return match &told.chain {
            Some(state) if state.is_void(paid) => {
                Ok(format!("not paid, and dead: {:?} in slot {} of {}", state.fate, state.block, moment(state.time)))
            }
            Some(state) => Err(format!("the chain says of the old one: {:?}, in slot {}", state.fate, state.block)),
            None => Err("there is no proof that the old one is dead; give a JSON-RPC endpoint with --rpc".to_owned()),
        };
    }
    let Some(until) = paid.valid_before else {
        return Err("the old one does not say how long it can be used".to_owned());
    };
    let safe = until.saturating_add(GRACE);
    if now < safe {
        return Err(format!("the old one can be used until {}; wait until {}", moment(until), moment(safe)));
    }
    match &told.chain {
        Some(state) if state.is_void(paid) => {
            Ok(format!("not used up to block {} of {}", state.block, moment(state.time)))
        }
        Some(state) => Err(format!(
            "the chain says of the old one: {:?}, in block {} of {}",
            state.fate,
            state.block,
            moment(state.time)
        )),
        None => Err("there is no proof that the old one was not used; give a JSON-RPC endpoint with --rpc".to_owned()),
    }
}

/// Signs another authorization for the same purchase, by the same account and for the same payee, for not more than the
/// old one, and presents it.
async fn again(
    shop: &mut Shop,
    job: &Resume,
    context: &Context,
    mut page: Page,
    seller: Seller<'_>,
    proof: String,
) -> Result<Bought, PayError> {
    let Seller { call, machines } = seller;
    let id = page.entry.id.clone();
    let old = page.entry.last().expect("it was presented").clone();
    let payer = payer(shop, job, context, &old)?;
    may_sign(&payer, &call.url, machines)?;
    let url = address::shown(&call.url);
    let unreachable = |source| PayError::Unreachable { url: url.clone(), source };
    // The offer of this very address: behind a redirect another one might ask.
    let exchange = shop.send(call, machines).await;
    let answer = exchange.outcome.map_err(|silence| unreachable(silence.into_cause()))?;
    if answer.status != StatusCode::PAYMENT_REQUIRED {
        if let Some(cause) = answer.broken {
            return Err(unreachable(cause));
        }
        page.entry.ending = Some(Ending::Void);
        page.close()?;
        let led =
            leads(call, &answer).map(|to| format!("it leads on to {to}, and a purchase does not go on elsewhere"));
        return Ok(Bought::Free(Box::new(Free { answer, led, known: Vec::new() })));
    }
    let nothing = |NothingAsked(notes, other)| PayError::NothingAsked { url: url.clone(), notes, other };
    let paying = as_before(&job.paying, &old);
    let (asked, _) = Asked::read(&answer, paying.dialect).map_err(nothing)?;
    let deal = match weigh(shop, &paying, &payer, asked, &url) {
        Ok(deal) => deal,
        Err(looked) => return Ok(Bought::Looked(looked)),
    };
    let not_again = |why: String| PayError::NotAgain { id: id.clone(), why };
    is_like(&deal.terms(&payer), &old).map_err(not_again)?;
    if job.paying.extent == Extent::Confirm
        && let Some(why) = ask(&deal.question(&payer))?
    {
        let (candidates, bill) = deal.parts();
        return Ok(Bought::Looked(Box::new(Looked { candidates, chosen: Some(0), why, bill, url })));
    }
    let new = deal.sign(shop, seller, &payer, &id).await?;
    let void = page.entry.last_mut().expect("it was presented");
    void.dead = Some(proof);
    void.forget_secrets();
    page.entry.authorizations.push(new);
    page.save()?;
    let told = present(shop, &mut page, call, machines, Before::Nothing).await?;
    Ok(Bought::Paid(Box::new(Paid { told, page })))
}

/// What may be paid now: what nobody has chosen otherwise is as it was before.
fn as_before(paying: &Paying, old: &Authorized) -> Paying {
    let mut paying = paying.clone();
    paying.dialect = paying.dialect.or_else(|| old.dialect());
    // An invoice names its network and asset in words of its own, and there is one of it.
    if paying.dialect != Some(Dialect::Invoice) {
        paying.taste.network.get_or_insert_with(|| old.network.clone());
        paying.taste.asset.get_or_insert_with(|| old.asset.clone());
    }
    paying
}

/// Who pays again: who has paid before. Where nobody is named, the test account that it was.
fn payer(shop: &Shop, job: &Resume, context: &Context, old: &Authorized) -> Result<Payer, PayError> {
    let unsaid = job.paying.key == KeySource::Surroundings && context.variable(VARIABLE).is_none();
    if let Some(account) = accounts::find(&old.from).filter(|_| unsaid) {
        return Ok(Payer::Test(account));
    }
    let (payer, warning) = job.paying.key.read(context)?;
    shop.story.warn_of(warning.as_deref());
    Ok(payer)
}

/// Whether a new authorization may stand for an old one: the same payer, payee, network and asset, and not more.
fn is_like(new: &Terms, old: &Authorized) -> Result<(), String> {
    let amount = x402_wire::amount::parse_atomic;
    if !same_account(&new.from, &old.from) {
        return Err(format!(
            "{} would pay now, and {} did before; name that account with --as or its key",
            new.from, old.from
        ));
    }
    let like = (&new.network, &new.asset) == (&old.network, &old.asset) && same_account(&new.to, &old.to);
    // Amounts of invoices are decimals.
    let no_more =
        new.amount == old.amount || amount(&new.amount).zip(amount(&old.amount)).is_some_and(|(new, old)| new <= old);
    if like && no_more {
        return Ok(());
    }
    let Terms { price, to, network, .. } = new;
    Err(format!(
        "{price} to {to} on {network} is asked now, and {} was before; buy it anew without --resume",
        old.what()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::pay::chain::{Fate, State};

    #[test]
    fn another_authorization_needs_time_and_proof() {
        let paid: Authorized = serde_json::from_value(serde_json::json!({
            "at": 1, "instrument": "eip3009", "network": "eip155:84532", "asset": "0xa", "from": "0xb", "to": "0xc",
            "amount": "1", "price": "1", "nonce": "0x1", "validBefore": 1000, "headers": [], "presented": 1,
            "answers": [], "transactions": [], "dead": null,
        }))
        .unwrap();
        let told = |chain| Presented { chain, ..Presented::default() };
        let chain = |fate, time| Some(State { fate, block: 3, time, transactions: Vec::new() });
        for (chain, now, part) in [
            (chain(Fate::Unused, 1100), 1059, "wait until"),
            (None, 1060, "--rpc"),
            (chain(Fate::Unused, 1059), 1060, "Unused"),
            (chain(Fate::Used, 1100), 1060, "Used"),
        ] {
            let why = proof(&told(chain), &paid, now).unwrap_err();
            assert!(why.contains(part), "{part} is not in: {why}");
        }
        assert!(proof(&told(chain(Fate::Unused, 1060)), &paid, 1060).unwrap().contains("block 3"));
        let endless = Authorized { valid_before: None, ..paid };
        assert!(proof(&told(chain(Fate::Unused, 1100)), &endless, 9999).is_err());
    }
}
