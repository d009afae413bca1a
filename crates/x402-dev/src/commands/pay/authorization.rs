//! From requirements and a key to something that can be presented. [`transfer`](super::transfer) signs for invoices.

use x402_sim::networks::Family;
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Signer};
use x402_sim::networks::solana::ed25519;
use x402_sim::networks::solana::exact::draft;
use x402_sim::payer::{NoChoice, Offer, Wish};
use x402_sim::registry::Version;
use x402_sim::{B256, hex};
use x402_wire::document::Document;
use x402_wire::header::{self, PAYMENT_SIGNATURE, X_PAYMENT};

use super::choice::Candidate;
use super::key::Payer;
use super::story::{moment, quoted, safe};
use crate::journal::Authorized;

/// The longest that an authorization lives, in seconds, whatever the requirements ask: who holds it can use it so long.
pub const LIFETIME: u64 = 3600;

/// The extension that names a purchase.
const IDENTIFIER: &str = "payment-identifier";

/// When, and for which purchase, something is signed.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The time in seconds since 1970.
    pub now: u64,
    /// The name of the purchase.
    pub purchase: &'a str,
    /// 32 bytes that nobody can guess.
    pub nonce: [u8; 32],
    /// A recent blockhash, for Solana.
    pub blockhash: Option<[u8; 32]>,
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum NotAuthorized {
    /// None of the requirements can be signed for.
    #[error("{}", safe(&_0.to_string()))]
    Terms(NoChoice),
    /// The key signs for another family of networks.
    #[error("the key signs for another family of networks than {}", safe(network))]
    OtherKey {
        /// The network.
        network: String,
    },
    /// Requirements of Solana that cannot be signed for.
    #[error("{}", safe(&_0.to_string()))]
    Solana(draft::NotSignable),
    /// An invoice that no transaction can pay.
    #[error("the invoice cannot be paid: {}", safe(why))]
    Invoice {
        /// What is wrong.
        why: String,
    },
    /// An invoice that ends before a transaction is in a block.
    #[error("the invoice ends at {}: a transaction may come too late", moment(*ends))]
    LateInvoice {
        /// When, in seconds since 1970.
        ends: u64,
    },
    /// Nobody has said where the chain is.
    #[error("an invoice is paid by a transaction, and nobody has said where its chain is")]
    NoChain,
    /// Nobody has said a recent blockhash.
    #[error("the offer says no recent blockhash, and there is nobody to ask for one")]
    NoBlockhash,
    /// A memo alone stands for the payment of a test account.
    #[error("the memo alone pays from a test account only; choose one with --as")]
    NoTestAccount,
    /// A proof is a header field, and this memo cannot stand in one.
    #[error("the invoice's memo {} cannot be sent in a header field", quoted(memo))]
    Memo {
        /// The memo.
        memo: String,
    },
}

/// Signs for requirements.
pub fn authorize(
    offer: &Offer,
    way: &Candidate,
    payer: &Payer,
    at: Moment<'_>,
) -> Result<(Authorized, Document), NotAuthorized> {
    let (carrier, payload) =
        if way.family() == Family::Solana { by_solana(offer, way, payer, at)? } else { by_evm(offer, way, payer, at)? };
    let mut authorized = Authorized {
        price: way.price(),
        at: at.now,
        headers: vec![(carrier.to_owned(), header::encode(&payload))],
        ..facts(way, &payload)
    };
    if authorized.from.is_empty() {
        authorized.from = payer.address_on(way.family());
    }
    Ok((authorized, payload))
}

/// By a signature of typed data.
fn by_evm(
    offer: &Offer,
    way: &Candidate,
    payer: &Payer,
    at: Moment<'_>,
) -> Result<(&'static str, Document), NotAuthorized> {
    let alone = Offer { version: offer.version, around: offer.around.clone(), accepts: vec![way.entry.clone()] };
    let terms = alone.choose(&Wish::default()).map_err(NotAuthorized::Terms)?;
    let asked = way.entry.get("maxTimeoutSeconds").and_then(Document::whole);
    let occasion = Occasion {
        now: at.now,
        lifetime: asked.filter(|asked| *asked > LIFETIME).map(|_| LIFETIME),
        nonce: B256::from(at.nonce),
    };
    let signer = match payer {
        Payer::Test(account) => Signer::from(*account),
        Payer::Own { address, key } => Signer { address: *address, key: *key },
        Payer::OwnSolana { .. } => return Err(NotAuthorized::OtherKey { network: way.said("network").to_owned() }),
    };
    let mut around = alone.around.clone();
    around.extensions.iter_mut().for_each(|extensions| identify(extensions, at.purchase));
    let written = terms.draft(signer, &occasion).sign(around, None).expect("without a defect nothing can fail");
    Ok((carrier(offer.version), written.payload))
}

/// By a transaction that lacks the fee payer's signature alone.
fn by_solana(
    offer: &Offer,
    way: &Candidate,
    payer: &Payer,
    at: Moment<'_>,
) -> Result<(&'static str, Document), NotAuthorized> {
    let terms = draft::Terms::read(offer.version, &way.entry).map_err(NotAuthorized::Solana)?;
    let seed = match payer {
        Payer::Test(account) => account.solana_seed(),
        Payer::OwnSolana { seed } => *seed,
        Payer::Own { .. } => return Err(NotAuthorized::OtherKey { network: way.said("network").to_owned() }),
    };
    let blockhash = terms.blockhash.or(at.blockhash).ok_or(NotAuthorized::NoBlockhash)?;
    // Source: TS 2.27 svm `exact/client/scheme.ts`: 16 random bytes in hexadecimal.
    let occasion = draft::Occasion::of(terms.mint, blockhash, hex::encode(&at.nonce[..16]));
    let transaction = terms.draft(ed25519::key_of(&seed), &occasion).sign(&[seed]).to_base64();
    let mut around = offer.around.clone();
    if let Some(extensions) = &mut around.extensions {
        identify(extensions, at.purchase);
    }
    Ok((carrier(offer.version), draft::payload(&terms, &transaction, around.extensions, around.resource)))
}

/// The header field that carries a payment.
const fn carrier(version: Version) -> &'static str {
    match version {
        Version::V1 => X_PAYMENT,
        Version::V2 => PAYMENT_SIGNATURE,
    }
}

/// What an authorization says of itself.
fn facts(way: &Candidate, payload: &Document) -> Authorized {
    let inner = payload.get("payload");
    let part = |key: &str| inner.and_then(|inner| inner.get(key));
    let text = |part: Option<&Document>, key: &str| {
        part.and_then(|part| part.get(key)).and_then(Document::text).map(str::to_owned)
    };
    let (eip3009, permit2) = (part("authorization"), part("permit2Authorization"));
    let authorization = eip3009.or(permit2);
    let (instrument, until) = match (eip3009, permit2) {
        (Some(_), _) => ("eip3009", "validBefore"),
        (_, Some(_)) => ("permit2", "deadline"),
        _ if part("transaction").is_some() => ("solana", ""),
        _ => ("other", ""),
    };
    let amount = way.amount.map(|amount| amount.to_string());
    Authorized {
        at: 0,
        instrument: instrument.to_owned(),
        network: way.said("network").to_owned(),
        asset: way.said("asset").to_owned(),
        from: text(authorization, "from").unwrap_or_default(),
        to: way.said("payTo").to_owned(),
        amount: amount.unwrap_or_default(),
        price: String::new(),
        scheme: way.said("scheme").to_owned(),
        nonce: text(authorization, "nonce"),
        valid_before: text(authorization, until).and_then(|seconds| seconds.parse().ok()),
        headers: Vec::new(),
        presented: 0,
        answers: Vec::new(),
        transactions: Vec::new(),
        noted: Vec::new(),
        dead: None,
        transfer: None,
    }
}

/// Names the purchase, where the seller offers to hear its name.
///
/// Source: TS 2.27 extensions `payment-identifier/client.ts`.
fn identify(extensions: &mut Document, purchase: &str) {
    if let Some(Document::Object(info)) = extensions.at_mut(&[IDENTIFIER, "info"]) {
        info.retain(|(key, _)| key != "id");
        info.push(("id".to_owned(), Document::from(purchase)));
    }
}

/// A number of 32 bytes as an authorization writes it.
pub fn nonce_text(nonce: [u8; 32]) -> String {
    hex::encode_prefixed(nonce)
}

#[cfg(test)]
mod tests {
    use x402_sim::accounts;

    use super::*;
    use crate::commands::pay::choice::{Taste, judge};

    const WAY: &str = r#"{"scheme":"exact","network":"eip155:84532","amount":"10000","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","extra":{"name":"USDC","version":"2"}}"#;

    fn signed(way: &str, extensions: &str) -> (Authorized, Document) {
        let text = format!(r#"{{"x402Version":2,"extensions":{extensions},"accepts":[{way}]}}"#);
        let offer = Offer::parse(text.as_bytes()).unwrap();
        let way = judge(&offer, &Taste::default()).remove(0);
        let moment = Moment { now: 1_800_000_000, purchase: "pay_x", nonce: [7; 32], blockhash: None };
        authorize(&offer, &way, &Payer::Test(accounts::find("alice").unwrap()), moment).unwrap()
    }

    #[test]
    fn what_is_signed_is_known_to_the_journal() {
        let (authorized, payload) = signed(WAY, "{}");
        assert_eq!(authorized.instrument, "eip3009");
        assert_eq!(authorized.from, accounts::find("alice").unwrap().address);
        assert_eq!(authorized.valid_before, Some(1_800_000_060));
        assert_eq!(authorized.nonce, Some(nonce_text([7; 32])));
        assert_eq!(authorized.price, "0.01 USDC");
        let sent: Document = header::decode(&authorized.headers[0].1).unwrap();
        assert_eq!(sent, payload);
        let shown = authorized.payload().unwrap().to_json();
        assert!(
            shown.contains("cut out")
                && !shown.contains(payload.get("payload").unwrap().get("signature").unwrap().text().unwrap())
        );
        assert!(authorized.carriers()[0].1.is_sensitive());
    }

    #[test]
    fn no_authorization_lives_longer_than_an_hour() {
        let (authorized, _) = signed(&WAY.replace(":60,", ":315360000,"), "{}");
        assert_eq!(authorized.valid_before, Some(1_800_000_000 + LIFETIME));
    }

    #[test]
    fn a_purchase_is_named_where_the_seller_asks() {
        let identifier = |payload: &Document| {
            let info = payload.get("extensions")?.get(IDENTIFIER)?.get("info")?;
            info.get("id").and_then(Document::text).map(str::to_owned)
        };
        let (_, payload) = signed(WAY, r#"{"payment-identifier":{"info":{"required":false},"schema":{}}}"#);
        assert_eq!(identifier(&payload).as_deref(), Some("pay_x"));
        assert_eq!(identifier(&signed(WAY, r#"{"bazaar":{"info":{}}}"#).1), None);
    }
}
