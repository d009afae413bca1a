//! A transaction that pays an invoice: written and signed, sent by its payer, and waited for. The same bytes are sent
//! as often as need be; a chain takes them once. Where a payment is only played, the memo stands for it.

use std::time::Duration;

use http::{HeaderValue, Uri};
use tokio::time::Instant;
use x402_sim::networks::solana::exact::draft::{Draft, note};
use x402_sim::networks::solana::signature_text;
use x402_wire::header::{X_PAYMENT_FROM, X_PAYMENT_PROOF};
use x402_wire::invoice::Invoice;

use super::authorization::NotAuthorized;
use super::bill::Bill;
use super::chain::{Chain, NotAsked};
use super::cluster::{Sent, Standing};
use super::endpoint;
use super::error::PayError;
use super::key::Payer;
use super::shop::{Seller, Shop};
use super::story::said;
use super::verdict::Verdict;
use crate::journal::{Authorized, Transfer};

/// How long to wait before a cluster is asked again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long before its end an invoice is not paid any more, in seconds: a transaction takes a while.
const MARGIN: u64 = 15;

/// How the wait for a transaction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is on the chain.
    Seen,
    /// The chain has it, and does not show it.
    Known,
}

/// Writes and signs the transaction that pays an invoice. It was played before: nothing is signed that would fail.
pub async fn sign(
    shop: &Shop,
    seller: Seller<'_>,
    bill: &Bill,
    payer: &Payer,
    now: u64,
) -> Result<Authorized, PayError> {
    let invoice = &bill.invoice;
    let ends = invoice.expires_at;
    if ends > 0 && now.saturating_add(MARGIN) >= ends {
        return Err(NotAuthorized::LateInvoice { ends }.into());
    }
    let seed = seed(payer).ok_or_else(|| NotAuthorized::OtherKey { network: invoice.network.to_string() })?;
    let transfer = bill.transfer().map_err(|why| NotAuthorized::Invoice { why })?;
    let network =
        bill.network.as_ref().ok_or_else(|| NotAuthorized::Invoice { why: "nobody knows its network".into() })?;
    let url = rpc(shop, seller, &network.id).ok_or(NotAuthorized::NoChain)?;
    let chain = Chain::new(&shop.caller, &url);
    let not_reached = |why| PayError::NoChain { why };
    chain.is_cluster(&network.id).await.map_err(not_reached)?;
    let (blockhash, last_height) = chain.blockhash().await.map_err(not_reached)?;
    let instructions = vec![transfer.instruction(), note(invoice.memo.as_bytes())];
    // Legacy: sellers can read it without naming a version.
    let draft = Draft { fee_payer: transfer.authority, instructions, blockhash, versioned: false };
    if let Some(why) = chain.rehearse(&draft.sign(&[])).await.map_err(not_reached)? {
        return Err(PayError::WouldFail { why });
    }
    let transaction = draft.sign(&[seed]);
    let signature = signature_text(&transaction.id());
    shop.story.step(&format!("signed by {}, transaction {signature}:", transfer.authority));
    shop.story.table(&bill.parts().into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>());
    Ok(Authorized {
        at: now,
        instrument: "invoice".to_owned(),
        network: invoice.network.to_string(),
        asset: invoice.currency.to_string(),
        from: transfer.authority.to_string(),
        to: invoice.recipient.to_string(),
        amount: invoice.amount.clone(),
        price: bill.price(),
        scheme: String::new(),
        nonce: Some(invoice.memo.clone()),
        valid_before: None,
        headers: vec![(X_PAYMENT_PROOF.to_owned(), signature.clone())],
        presented: 0,
        answers: Vec::new(),
        transactions: Vec::new(),
        noted: Vec::new(),
        dead: None,
        transfer: Some(Transfer {
            wire: transaction.to_base64(),
            signature,
            last_height,
            cluster: network.id.clone(),
            rpc: url.to_string(),
        }),
    })
}

/// Pays an invoice from a test account where nothing is verified: its memo alone is the proof.
pub fn redeem(invoice: &Invoice, price: String, payer: &Payer, now: u64) -> Result<Authorized, NotAuthorized> {
    let account = payer.test_account().ok_or(NotAuthorized::NoTestAccount)?;
    if HeaderValue::from_str(&invoice.memo).is_err() {
        return Err(NotAuthorized::Memo { memo: invoice.memo.clone() });
    }
    Ok(Authorized {
        at: now,
        instrument: "invoice".to_owned(),
        network: invoice.network.to_string(),
        asset: invoice.currency.to_string(),
        from: account.solana_address.to_owned(),
        to: invoice.recipient.to_string(),
        amount: invoice.amount.clone(),
        price,
        scheme: String::new(),
        nonce: Some(invoice.memo.clone()),
        valid_before: Some(invoice.expires_at).filter(|time| *time > 0),
        headers: vec![
            (X_PAYMENT_PROOF.to_owned(), invoice.memo.clone()),
            (X_PAYMENT_FROM.to_owned(), account.index.to_string()),
        ],
        presented: 0,
        answers: Vec::new(),
        transactions: Vec::new(),
        noted: Vec::new(),
        dead: None,
        transfer: None,
    })
}

/// Where the chain is: the endpoint that was named, or that of the mock that sells.
fn rpc(shop: &Shop, seller: Seller<'_>, cluster: &str) -> Option<Uri> {
    let own = || endpoint::own(&shop.home, &seller.call.url, cluster);
    shop.manners.rpc.clone().or_else(own).or_else(|| endpoint::beside(seller, cluster))
}

fn seed(payer: &Payer) -> Option<[u8; 32]> {
    match payer {
        Payer::Test(account) => Some(account.solana_seed()),
        Payer::OwnSolana { seed } => Some(*seed),
        Payer::Own { .. } => None,
    }
}

/// Where a transaction is sent to and asked for: the endpoint that was named now, or before.
pub fn endpoint_of(shop: &Shop, transfer: &Transfer) -> Option<Uri> {
    shop.manners.rpc.clone().or_else(|| transfer.rpc.parse().ok())
}

/// Brings a transaction to its chain, and waits until it is there, as long as one request may take.
pub async fn deliver(shop: &Shop, chain: &Chain<'_>, transfer: &Transfer) -> Result<Arrival, Verdict> {
    let until = Instant::now() + shop.caller.max_time;
    let (mut pause, longest) = PAUSES;
    let (mut sent, mut known) = (false, false);
    let mut last = String::new();
    // Another chain must not see it: there, it might be something else.
    chain.is_cluster(&transfer.cluster).await.map_err(Verdict::Unsent)?;
    loop {
        match chain.standing(&transfer.signature).await {
            Ok(Some(Standing { error: Some(error), .. })) => {
                return Err(Verdict::Unclear(format!("its transaction is on the chain, and has failed: {error}")));
            }
            Ok(Some(Standing { commitment, .. })) if commitment != "processed" => return Ok(Arrival::Seen),
            Ok(Some(_)) => last = String::from("a block has it, and is not confirmed"),
            Ok(None) if chain.is_beyond(transfer.last_height).await == Ok(true) => {
                return Err(Verdict::Unclear(
                    "the chain does not know its transaction, whose blockhash is too old".into(),
                ));
            }
            Ok(None) => match chain.send(transfer).await {
                // Said twice, with a question between: it is not only late.
                Ok(Sent::Before) if known => return Ok(Arrival::Known),
                Ok(how) => (sent, known) = (true, how == Sent::Before),
                Err(NotAsked::Unsent(why)) if !sent => return Err(Verdict::Unsent(said(&why))),
                Err(why) => (sent, last) = (true, said(&why.to_string())),
            },
            Err(why) if !sent => return Err(Verdict::Unsent(said(&why.to_string()))),
            Err(why) => last = said(&why.to_string()),
        }
        if Instant::now() + pause >= until {
            let seconds = shop.caller.max_time.as_secs_f64();
            let more = if last.is_empty() { String::new() } else { format!(": {last}") };
            return Err(Verdict::Unclear(format!("its transaction was sent, and not seen within {seconds} s{more}")));
        }
        shop.rest(pause).await;
        pause = pause.saturating_mul(2).min(longest);
    }
}

#[cfg(test)]
mod tests {
    use x402_sim::accounts;

    use super::*;

    #[test]
    fn a_memo_that_is_no_header_value_is_not_paid() {
        let invoice = |memo: &str| Invoice {
            recipient: "r".into(),
            amount: "1".to_owned(),
            currency: "USDC".into(),
            memo: memo.to_owned(),
            network: "devnet".into(),
            timestamp: 1,
            expires_at: u64::MAX,
            resource_path: "/".to_owned(),
        };
        let payer = Payer::Test(accounts::find("alice").unwrap());
        let redeem = |memo: &str| redeem(&invoice(memo), "1 USDC".to_owned(), &payer, 1);
        assert_eq!(redeem("req-1").unwrap().carriers()[0].1, "req-1");
        for memo in ["a\r\nX-Evil: 1", "a\u{7f}"] {
            let error = redeem(memo).unwrap_err().to_string();
            assert!(error.contains("memo") && !error.contains(memo), "{error}");
        }
    }
}
