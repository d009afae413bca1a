//! Going on with a purchase whose end is not known.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::asked::{Asked, NothingAsked};
use super::buy::{Bought, Paid, may_sign, sign_again};
use super::dial::Machines;
use super::error::PayError;
use super::exchange::Call;
use super::order::{Manners, Output, Paying};
use super::present::{Before, End, Presented, present};
use super::shop::Shop;
use crate::clock::timestamp;
use crate::context::Context;
use crate::journal::{Authorized, Ending, Entry, JournalError, Page};

/// How long after its end an authorization is left alone before another one is signed, in seconds: clocks differ.
const GRACE: u64 = 60;

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
    let (mut page, body) = shop.journal.resume(&which(shop, job.id.as_deref())?)?;
    let call = call(&page.entry, body)?;
    let unreachable = |source| PayError::Unreachable { url: call.url.to_string(), source };
    let machines = Machines::of(&call.url).await.map_err(unreachable)?;
    let told = present(shop, &mut page, &call, &machines, Before::Doubt).await?;
    if job.how != How::Again || told.end == End::Paid {
        return Ok(Bought::Paid(Box::new(Paid { told, page })));
    }
    let proof = proof(&told, page.entry.last().expect("it was presented"), shop.now() / 1000);
    let not_again = |id: &str, why| PayError::NotAgain { id: id.to_owned(), why };
    let proof = proof.map_err(|why| not_again(&page.entry.id, why))?;
    again(shop, job, context, page, call, &machines, proof).await
}

/// Gives a purchase up.
pub fn forget(shop: &Shop, job: &Resume) -> Result<Entry, PayError> {
    let (mut page, _) = shop.journal.resume(&which(shop, job.id.as_deref())?)?;
    page.entry.ending = Some(Ending::Forgotten);
    Ok(page.close()?)
}

/// Which purchase is meant.
fn which(shop: &Shop, named: Option<&str>) -> Result<String, PayError> {
    if let Some(id) = named {
        return Ok(id.to_owned());
    }
    let ids: Vec<String> = shop.journal.waiting()?.into_iter().map(|entry| entry.id).collect();
    match ids.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(PayError::WhichOne { ids }),
    }
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
    let Some(until) = paid.valid_before else {
        return Err("the old one does not say how long it can be used".to_owned());
    };
    if now < until + GRACE {
        let time = timestamp((until + GRACE) * 1000);
        return Err(format!("the old one can be used until {}; wait until {time}", timestamp(until * 1000)));
    }
    match &told.chain {
        Some(state) if state.is_void(paid) => {
            Ok(format!("not used up to block {} of {}", state.block, timestamp(state.time * 1000)))
        }
        Some(state) => Err(format!(
            "the chain says of the old one: {:?}, in block {} of {}",
            state.fate,
            state.block,
            timestamp(state.time * 1000)
        )),
        None => Err("there is no proof that the old one was not used; give a JSON-RPC endpoint with --rpc".to_owned()),
    }
}

/// Signs another authorization for the same purchase, for not more than the old one, and presents it.
async fn again(
    shop: &mut Shop,
    job: &Resume,
    context: &Context,
    mut page: Page,
    call: Call,
    machines: &Machines,
    proof: String,
) -> Result<Bought, PayError> {
    let id = page.entry.id.clone();
    let (payer, warning) = job.paying.key.read(context)?;
    shop.story.warn_of(warning.as_deref());
    may_sign(&payer, &call.url, machines)?;
    let url = call.url.to_string();
    let unreachable = |source| PayError::Unreachable { url: url.clone(), source };
    let exchange = shop.visit(call.clone()).await.exchange;
    let answer = exchange.outcome.map_err(|silence| unreachable(silence.into_cause()))?;
    if answer.status != StatusCode::PAYMENT_REQUIRED {
        page.entry.ending = Some(Ending::Void);
        page.close()?;
        return Ok(Bought::Free(answer));
    }
    let nothing = |NothingAsked(notes)| PayError::NothingAsked { url: url.clone(), notes };
    let (asked, _) = Asked::read(&answer, job.paying.dialect).map_err(nothing)?;
    let new = match sign_again(shop, &call.url, &job.paying, asked, &payer, &id).await? {
        Ok(new) => new,
        Err(looked) => return Ok(Bought::Looked(*looked)),
    };
    let old = page.entry.last_mut().expect("it was presented");
    let amount = |text: &str| x402_wire::amount::parse_atomic(text);
    if (&new.network, &new.asset) != (&old.network, &old.asset) || amount(&new.amount) > amount(&old.amount) {
        let why = format!("{} is asked now, and {} was before; buy it anew without --resume", new.price, old.price);
        return Err(PayError::NotAgain { id, why });
    }
    old.dead = Some(proof);
    old.headers.clear();
    page.entry.authorizations.push(new);
    page.save()?;
    let told = present(shop, &mut page, &call, machines, Before::Nothing).await?;
    Ok(Bought::Paid(Box::new(Paid { told, page })))
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
        let told = |chain| Presented {
            end: End::Void,
            answer: None,
            receipt: None,
            findings: Vec::new(),
            known: Vec::new(),
            chain,
        };
        let chain = |fate, time| Some(State { fate, block: 3, time, transactions: Vec::new() });
        for (chain, now, part) in [
            (chain(Fate::Unused, 1100), 1059, "wait until"),
            (None, 1060, "--rpc"),
            (chain(Fate::Unused, 999), 1060, "Unused"),
            (chain(Fate::Used, 1100), 1060, "Used"),
        ] {
            let why = proof(&told(chain), &paid, now).unwrap_err();
            assert!(why.contains(part), "{part} is not in: {why}");
        }
        assert!(proof(&told(chain(Fate::Unused, 1000)), &paid, 1060).unwrap().contains("block 3"));
        let endless = Authorized { valid_before: None, ..paid };
        assert!(proof(&told(chain(Fate::Unused, 1100)), &endless, 9999).is_err());
    }
}
