//! What an end is called: its exit code, its name for programs, and its words for people.

use x402_sim::registry;
use x402_wire::amount::parse_atomic;

use super::end::{End, NEW_CHAIN};
use super::limit::price;
use super::receipt::Receipt;
use super::story::moment;
use crate::exit::Exit;
use crate::journal::{Authorized, Entry};

/// What is found where a receipt is not to be believed.
const DOUBTS: [&str; 2] = ["receipt_mismatch", "receipt_not_on_chain"];

impl End {
    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Paid => Exit::Success,
            Self::Refused(_) | Self::Void => Exit::Failure,
            Self::Unknown(_) | Self::Undelivered(_) => Exit::Unknown,
            Self::Unsent(_) => Exit::Unavailable,
        }
    }

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
            Self::Undelivered(_) => "undelivered",
            Self::Unsent(_) => "unsent",
            Self::Void => "not-paid",
        }
    }

    /// What came of it, and what to do next.
    pub fn words(&self, entry: &Entry, receipt: Option<&Receipt>) -> String {
        let Some(paid) = entry.last() else { return self.name().to_owned() };
        let what = paid.what();
        match self {
            Self::Paid if paid.instrument == "invoice" => match &paid.transfer {
                Some(transfer) => format!("paid {what}, by invoice, transaction {}", transfer.signature),
                None => format!("paid {what}, by invoice"),
            },
            Self::Paid => {
                let settled = receipt.and_then(|receipt| settled(receipt, paid));
                let what = match settled {
                    Some(settled) => format!("{settled} of at most {}", paid.whole()),
                    None if receipt.is_some_and(|receipt| receipt.amount.is_some()) => paid.whole(),
                    None => what,
                };
                if paid.transactions.is_empty() {
                    format!("delivered for {what}, without a transaction")
                } else if paid.noted.iter().any(|noted| DOUBTS.contains(&noted.code.as_str())) {
                    format!("delivered for {what}; the seller says that transaction {} has paid", paid.named())
                } else {
                    format!("paid {what}, transaction {}", paid.named())
                }
            }
            Self::Refused(why) => {
                let until = super::verdict::until(paid);
                let advice = advice(why, paid);
                format!(
                    "refused: {why}; the seller says that {what} was not taken; it holds an authorization{until}{advice}"
                )
            }
            Self::Unknown(statement) => {
                let next = "asks again with the same authorization, and with `--rpc URL` asks the chain";
                format!("outcome unknown: {statement}\nnext: `x402-dev pay --resume {}` {next}", entry.id)
            }
            Self::Undelivered(statement) => {
                let id = &entry.id;
                format!(
                    "paid, not delivered: {statement}\nnext: `x402-dev pay --resume {id}` asks for the content with the same \
                     authorization; if it does not come, show the seller the transaction, and end the purchase with \
                     `x402-dev pay --resume {id} --forget`"
                )
            }
            Self::Unsent(why) => format!("nothing was sent: {why}; {what} was not paid"),
            Self::Void if paid.was_seen() => format!(
                "not on the chain any more: {what} was paid by {}, which the chain showed then; now its blockhash has run out, \
                 and the chain does not show it: {NEW_CHAIN}",
                paid.named()
            ),
            Self::Void => format!("not paid: {what} was not settled, and cannot be any more"),
        }
    }
}

/// That a purchase is given up, and what of it is still alive, at a time in seconds.
pub(super) fn given_up(entry: &Entry, now: u64) -> String {
    let said = format!("purchase {} is given up", entry.id);
    let Some(paid) = entry.last() else { return said };
    let what = paid.what();
    let claimed = if paid.transactions.is_empty() || paid.was_seen() {
        String::new()
    } else {
        format!("; the seller says that {what} was paid by {}: if that is not so", paid.named())
    };
    let said = format!("{said}{claimed}");
    match paid.valid_before {
        _ if paid.was_seen() => format!("{said}: {what} was paid by {}", paid.named()),
        _ if paid.dies_with_its_blockhash() => format!(
            "{said}; the transaction for {what}, signed at {}, can be used until its blockhash is too old: a minute or two",
            moment(paid.at)
        ),
        Some(until) if until > now => {
            format!(
                "{said}; the seller can use the authorization for {what} until {}, if it was not used yet",
                moment(until)
            )
        }
        Some(until) => format!("{said}; the authorization for {what} has ended at {}", moment(until)),
        None => format!("{said}; the authorization for {what} does not say until when it can be used"),
    }
}

/// What the payer can do about a refusal, as the rest of a sentence.
fn advice(why: &str, paid: &Authorized) -> String {
    if !why.contains("allowance") {
        return String::new();
    }
    let Authorized { from, network, asset, .. } = paid;
    format!(
        "\nPermit2 may not move the payer's tokens yet. At a mock: `x402-dev approve {from} --network {network} --asset \
         {asset}`; on a real chain the payer sends `approve` to the token once"
    )
}

/// What was settled, where that is not what was signed.
fn settled(receipt: &Receipt, paid: &Authorized) -> Option<String> {
    let amount = receipt.amount.as_deref().filter(|amount| *amount != paid.amount).and_then(parse_atomic)?;
    let network = registry::networks().into_iter().find(|network| network.is_called(&paid.network));
    let asset = network.as_ref().and_then(|network| network.asset_by_address(&paid.asset));
    Some(price(amount, asset, &paid.asset))
}
