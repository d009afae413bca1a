//! The payment: on an EVM network or on Solana, right or wrong in one thing.

use std::fs::File;
use std::io::{self, Read};

use http::Uri;
use x402_sim::networks::eip155::checksum;
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Terms};
use x402_sim::networks::solana;
use x402_sim::networks::solana::exact::defect as svm;
use x402_sim::networks::solana::exact::draft as svm_draft;
use x402_sim::payer::{Chosen, Offer};
use x402_sim::registry::Version;
use x402_sim::{B256, hex};
use x402_wire::document::Document;
use x402_wire::shape::shorten;

use super::listing::Row;
use super::source::Source;
use super::{Order, SignError, fetch};
use crate::clock;
use crate::commands::mock::home;
use crate::commands::pay::endpoint;
use crate::context::Context;
use crate::error::Error;

/// A defect by its name: the families share some names.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    name: &'static str,
    evm: Option<&'static Defect>,
    solana: Option<&'static svm::Defect>,
}

impl Named {
    /// The defect of this name.
    pub fn find(name: &str) -> Option<Self> {
        let (evm, solana) = (Defect::find(name), svm::Defect::find(name));
        let name = evm.map(|defect| defect.name).or(solana.map(|defect| defect.name))?;
        Some(Self { name, evm, solana })
    }

    /// The names of all defects.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Defect::all().map(|defect| defect.name).chain(svm::DEFECTS.iter().map(|defect| defect.name))
    }

    fn foreign(&self, requirements: &Document) -> SignError {
        SignError::ForeignDefect { name: self.name, network: network_of(requirements) }
    }
}

/// A signed payment, and what is to be said of it.
#[derive(Debug)]
pub struct Written {
    /// Its protocol version.
    pub version: Version,
    /// What it pays.
    pub requirements: Document,
    /// The payload.
    pub payload: Document,
    /// Whose key signed it.
    pub signer: String,
    /// What was signed; on Solana, the hash of the message that was.
    pub digest: String,
    /// What is wrong with it, and what is said of that.
    pub defect: Option<Row>,
}

/// Signs what an order asks for.
pub fn write(context: &Context, order: &Order, offer: &Offer) -> Result<Written, Error> {
    let chosen = offer.choose_any(&order.wish);
    let chosen = chosen.map_err(|why| SignError::NoChoice { name: order.source.name(), why })?;
    let nonce = order.nonce.map_or_else(random_nonce, Ok);
    let nonce = nonce.map_err(|source| Error::System { what: "no randomness from the system", source })?;
    match chosen {
        Chosen::Evm(terms) => Ok(on_evm(order, offer, terms, nonce)?),
        Chosen::Solana(terms) => on_solana(context, order, offer, terms, nonce),
    }
}

fn on_evm(order: &Order, offer: &Offer, terms: Terms, nonce: B256) -> Result<Written, SignError> {
    let defect = match order.defect {
        Some(named) => Some(named.evm.ok_or_else(|| named.foreign(&terms.requirements))?),
        None => None,
    };
    let now = order.now.unwrap_or_else(|| clock::now() / 1000);
    let occasion = Occasion { now, lifetime: order.lifetime, nonce };
    let signed = terms.draft(order.account.into(), &occasion).sign(offer.around.clone(), defect)?;
    let row = |defect: &Defect| match terms.by_permit2() {
        Some(by) => Row::of(&defect.by_permit2(by.scheme), terms.version),
        None => Row::of(defect, terms.version),
    };
    Ok(Written {
        version: terms.version,
        payload: signed.payload,
        signer: checksum(signed.signer),
        digest: signed.digest.to_string(),
        defect: defect.map(row),
        requirements: terms.requirements,
    })
}

fn on_solana(
    context: &Context,
    order: &Order,
    offer: &Offer,
    terms: svm_draft::Terms,
    nonce: B256,
) -> Result<Written, Error> {
    let defect = match order.defect {
        Some(named) => Some(named.solana.ok_or_else(|| named.foreign(&terms.requirements))?),
        None => None,
    };
    for (flag, is_given) in [("--now", order.now.is_some()), ("--valid-for", order.lifetime.is_some())] {
        if is_given {
            let network = network_of(&terms.requirements);
            return Err(SignError::ForeignFlag { flag, network }.into());
        }
    }
    let blockhash = match order.blockhash.or(terms.blockhash) {
        Some(known) => known,
        None => recent_blockhash(context, order, &terms)?,
    };
    // As official clients write it: 16 random bytes in hexadecimal.
    let occasion = svm_draft::Occasion::of(terms.mint, blockhash, hex::encode(&nonce[..16]));
    let draft = terms.draft(solana::key_of(&order.account), &occasion);
    let signed = terms.sign(&draft, &order.account.solana_seed(), offer.around.clone(), defect);
    let signed = signed.map_err(SignError::from)?;
    Ok(Written {
        version: terms.version,
        payload: signed.payload,
        signer: order.account.solana_address.to_owned(),
        digest: B256::from(signed.digest).to_string(),
        defect: defect.map(|defect| Row::on_solana(defect, terms.version)),
        requirements: terms.requirements,
    })
}

/// From the endpoint that is given, or that of the user's own mock where that is what was asked for the offer.
fn recent_blockhash(context: &Context, order: &Order, terms: &svm_draft::Terms) -> Result<[u8; 32], Error> {
    let own = || -> Option<Uri> {
        let Source::Url(seller) = &order.source else { return None };
        endpoint::own(&home(context).ok()?, seller, &network_of(&terms.requirements))
    };
    let none = || SignError::NoBlockhash { why: "the requirements name none, and no chain is known to ask".to_owned() };
    let url = order.rpc.clone().or_else(own).ok_or_else(none)?;
    Ok(fetch::blockhash(&url)?)
}

fn network_of(requirements: &Document) -> String {
    requirements.get("network").and_then(Document::text).map(shorten).unwrap_or_default()
}

fn random_nonce() -> io::Result<B256> {
    let mut nonce = B256::ZERO;
    File::open("/dev/urandom")?.read_exact(nonce.as_mut_slice())?;
    Ok(nonce)
}
