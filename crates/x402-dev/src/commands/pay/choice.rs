//! Which of the requirements is paid, and why not the others.
//!
//! Source: TS 2.27 core `x402Client.selectPaymentRequirements` with its spend controls: known assets only, at most a
//! dollar. Stricter than that: a main network needs a word, and a payee can be named.

use x402_sim::U256;
use x402_sim::networks::eip155::eip3009::draft::Surroundings;
use x402_sim::networks::solana::exact::draft;
use x402_sim::networks::{Asset, Family, Network, Stage};
use x402_sim::payer::{NoChoice, Offer, Wish};
use x402_sim::registry::{self, Version};
use x402_wire::amount::parse_atomic;
use x402_wire::document::Document;
use x402_wire::shape::shorten;

use super::authorized::up_to;
use super::limit::{Limit, price};
use super::objection::Objection;

/// What may be paid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taste {
    /// Only on this network: a CAIP-2 id or a version 1 name.
    pub network: Option<String>,
    /// Only in this asset: an address, or the symbol of a known one.
    pub asset: Option<String>,
    /// Only by this scheme.
    pub scheme: Option<String>,
    /// Only to this payee.
    pub pay_to: Option<String>,
    /// At most so much.
    pub limit: Limit,
    /// Whether real money may be paid.
    pub money: Money,
    /// What the payer's key signs for; `None` where it signs for every family.
    pub family: Option<Family>,
}

/// Whether real money may be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Money {
    /// Test networks only.
    #[default]
    Play,
    /// Main networks, too.
    Real,
}

/// One of the requirements, as a buyer looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The requirements as they were written.
    pub entry: Document,
    /// The network, if it is known.
    pub network: Option<Network>,
    /// The asset, if it is known.
    pub asset: Option<Asset>,
    /// How much, in atomic units, if it is a number.
    pub amount: Option<U256>,
    /// What speaks against it.
    pub objection: Option<Objection>,
}

/// Every requirement of an offer, judged.
pub fn judge(offer: &Offer, taste: &Taste) -> Vec<Candidate> {
    offer.accepts.iter().map(|entry| Candidate::of(offer, entry, taste)).collect()
}

/// The place of the requirements that are paid: the first without an objection, those that are settled after delivery
/// before the others.
pub fn choose(candidates: &[Candidate]) -> Option<usize> {
    let good = || candidates.iter().enumerate().filter(|(_, candidate)| candidate.objection.is_none());
    good().find(|(_, candidate)| candidate.settles_after()).or_else(|| good().next()).map(|(place, _)| place)
}

impl Candidate {
    fn of(offer: &Offer, entry: &Document, taste: &Taste) -> Self {
        let said = |key: &str| entry.get(key).and_then(Document::text).unwrap_or_default();
        let network = registry::networks().into_iter().find(|network| network.is_called(said("network")));
        let asset = network.as_ref().and_then(|network| network.asset_by_address(said("asset")).cloned());
        let amount = said(amount_key(offer.version));
        let mut own = Self { entry: entry.clone(), network, asset, amount: parse_atomic(amount), objection: None };
        own.objection = own.object(taste).or_else(|| own.not_signable(offer).map(Objection::NotSignable));
        own
    }

    /// What a member of the requirements says.
    pub fn said(&self, key: &str) -> &str {
        self.entry.get(key).and_then(Document::text).unwrap_or_default()
    }

    /// The amount as people say it.
    pub fn price(&self) -> String {
        let address = shorten(self.said("asset"));
        self.amount.map_or_else(|| "?".to_owned(), |amount| price(amount, self.asset.as_ref(), &address))
    }

    /// The same, and that it is the most where the seller says afterwards how much it was.
    pub fn asked(&self) -> String {
        up_to(self.said("scheme"), &self.price())
    }

    /// How the asset is moved, in a word: `eip3009`, `permit2`, `spl`.
    pub fn method(&self) -> String {
        let extra = self.entry.get("extra").and_then(|extra| extra.get("assetTransferMethod")).and_then(Document::text);
        match (extra, &self.asset) {
            (Some(said), _) => shorten(said),
            (None, Some(asset)) => format!("{:?}", asset.transfer).to_lowercase(),
            (None, None) => String::new(),
        }
    }

    /// The family of its network.
    pub fn family(&self) -> Family {
        match &self.network {
            Some(network) => network.family,
            None if self.said("network").starts_with("solana") => Family::Solana,
            None => Family::Eip155,
        }
    }

    fn settles_after(&self) -> bool {
        let flow = self.entry.get("extra").and_then(|extra| extra.get("paymentFlow"));
        flow.is_none_or(|flow| flow.text() == Some("authorization"))
    }

    fn object(&self, taste: &Taste) -> Option<Objection> {
        let Taste { network, asset, scheme, pay_to, limit, money, family } = taste;
        let is = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(holds);
        let fits = is(network, &|wanted| self.is_on(wanted))
            && is(asset, &|wanted| self.is_of(wanted))
            && is(scheme, &|wanted| self.said("scheme").eq_ignore_ascii_case(wanted));
        if !fits {
            return Some(Objection::NotAskedFor);
        }
        if !is(pay_to, &|wanted| same_account(self.said("payTo"), wanted)) {
            return Some(Objection::OtherPayee);
        }
        if self.network.is_none() && network.is_none() {
            return Some(Objection::UnknownNetwork);
        }
        // Of a network that nobody knows, nobody knows that its money is play money.
        let real = self.network.as_ref().is_none_or(|network| network.stage == Stage::Main);
        if real && *money == Money::Play {
            return Some(Objection::MainNetwork);
        }
        if family.is_some_and(|family| family != self.family()) {
            return Some(Objection::OtherKey);
        }
        // What is not known of a mint is not in its requirements.
        if self.asset.is_none() && (asset.is_none() || self.family() == Family::Solana) {
            return Some(Objection::UnknownAsset);
        }
        let Some(amount) = self.amount else { return Some(Objection::NoAmount) };
        Objection::of_limit(limit, amount, self.asset.as_ref())
    }

    /// Why it cannot be signed for.
    fn not_signable(&self, offer: &Offer) -> Option<String> {
        if self.family() == Family::Solana {
            return draft::Terms::read(offer.version, &self.entry).err().map(|why| why.to_string());
        }
        // Not the whole offer: it would be copied for each of its entries.
        let accepts = vec![self.entry.clone()];
        let alone = Offer { version: offer.version, around: Surroundings::default(), accepts };
        alone.choose(&Wish::default()).err().map(|why| reason(&why))
    }

    fn is_on(&self, wanted: &str) -> bool {
        self.said("network") == wanted || self.network.as_ref().is_some_and(|network| network.is_called(wanted))
    }

    fn is_of(&self, wanted: &str) -> bool {
        let symbol = self.asset.as_ref().is_some_and(|asset| asset.symbol.eq_ignore_ascii_case(wanted));
        symbol || same_account(self.said("asset"), wanted)
    }
}

/// Whether two texts name one account. Only addresses in hexadecimal have no case.
pub fn same_account(left: &str, right: &str) -> bool {
    left == right || (left.starts_with("0x") && left.eq_ignore_ascii_case(right))
}

/// Where requirements say how much they ask.
pub const fn amount_key(version: Version) -> &'static str {
    match version {
        Version::V1 => "maxAmountRequired",
        Version::V2 => "amount",
    }
}

/// The reason alone, without the list that it stands in.
fn reason(why: &NoChoice) -> String {
    let text = why.to_string();
    let line = text.lines().last().unwrap_or_default();
    let inner = line.split_once(" (").map(|(_, inner)| inner.strip_suffix(')').unwrap_or(inner));
    inner.unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAY: &str = r#"{"scheme":"exact","network":"eip155:84532","amount":"10000","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","extra":{"name":"USDC","version":"2"}}"#;

    fn judged(ways: &[String], taste: &Taste) -> Vec<Candidate> {
        let text = format!(r#"{{"x402Version":2,"accepts":[{}]}}"#, ways.join(","));
        judge(&Offer::parse(text.as_bytes()).unwrap(), taste)
    }

    fn way(from: &str, to: &str) -> String {
        assert!(WAY.contains(from), "{from}");
        WAY.replace(from, to)
    }

    #[test]
    fn by_itself_only_play_money_in_known_assets_up_to_a_dollar_is_paid() {
        let main = way("eip155:84532", "eip155:8453")
            .replace("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
        for (way, objection) in [
            (WAY.to_owned(), None),
            (way("\"10000\"", "\"1000000\""), None),
            (way("\"10000\"", "\"1000001\""), Some(Objection::OverLimit(Limit::default()))),
            (way("\"10000\"", "\"ten\""), Some(Objection::NoAmount)),
            (way("0x036CbD", "0x036CbE"), Some(Objection::UnknownAsset)),
            (way("eip155:84532", "eip155:99999"), Some(Objection::UnknownNetwork)),
            (main, Some(Objection::MainNetwork)),
        ] {
            let candidates = judged(&[way], &Taste::default());
            assert_eq!(candidates[0].objection, objection);
            assert_eq!(choose(&candidates), objection.is_none().then_some(0));
        }
        let text = way("\"scheme\":\"exact\"", "\"scheme\":\"barter\"");
        let objection = judged(&[text], &Taste::default())[0].objection.clone().unwrap().to_string();
        assert!(objection.contains("barter") && !objection.contains('\n'), "{objection}");
    }

    #[test]
    fn what_was_asked_for_is_paid_and_nothing_else() {
        let dear = way("\"10000\"", "\"1000001\"");
        let early = way("{\"name\"", "{\"paymentFlow\":\"upfront\",\"name\"");
        assert_eq!(choose(&judged(&[early.clone(), WAY.to_owned()], &Taste::default())), Some(1));
        assert_eq!(choose(&judged(&[dear.clone(), early], &Taste::default())), Some(1));
        let some = |text: &str| Some(text.to_owned());
        let found = |taste: Taste| judged(&[WAY.to_owned(), dear.clone()], &taste)[0].objection.clone();
        for (taste, objection) in [
            (Taste { network: some("base-sepolia"), ..Taste::default() }, None),
            (Taste { network: some("base"), ..Taste::default() }, Some(Objection::NotAskedFor)),
            (Taste { asset: some("usdc"), ..Taste::default() }, None),
            (Taste { asset: some("0x036cbd53842c5426634e7929541ec2318f3dcf7e"), ..Taste::default() }, None),
            (Taste { asset: some("EURC"), ..Taste::default() }, Some(Objection::NotAskedFor)),
            (Taste { scheme: some("upto"), ..Taste::default() }, Some(Objection::NotAskedFor)),
            (Taste { pay_to: some("0x209693bc6afc0c5328ba36faf03c514ef312287c"), ..Taste::default() }, None),
            (Taste { pay_to: some("0x0"), ..Taste::default() }, Some(Objection::OtherPayee)),
        ] {
            assert_eq!(found(taste.clone()), objection, "{taste:?}");
        }
    }

    #[test]
    fn an_asset_that_was_named_is_measured_in_units() {
        let own = way("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "0x1111111111111111111111111111111111111111");
        let asset = Some("0x1111111111111111111111111111111111111111".to_owned());
        let taste =
            |limit: &str| Taste { asset: asset.clone(), limit: Limit::parse(limit).unwrap(), ..Taste::default() };
        assert!(matches!(
            judged(std::slice::from_ref(&own), &taste("$5"))[0].objection,
            Some(Objection::OtherLimit(_))
        ));
        assert_eq!(judged(&[own], &taste("10000 units"))[0].objection, None);
    }
}
