//! Lines of code for the case at hand: with its network, its asset and its amount, in its protocol version, and for the
//! side that made the mistake.
//!
//! In the table of findings they are templates: `{{network}}` stands for what the case says. Where it says nothing, or
//! nothing that can be meant, an example stands there: USDC on Base Sepolia.

use std::borrow::Cow;
use std::sync::LazyLock;

use alloy_primitives::U256;
use serde::Serialize;
use serde_json::Value;
use x402_wire::amount::{Decimal, parse_atomic};

use super::case::Question;
use super::explanation::Explanation;
use super::finding::{Entry, Finding, Side, entry};
use super::kind::Kind;
use super::read::carries_payments;
use super::repair::alias;
use super::{nearest, thrown};
use crate::networks::eip155::checksum;
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, UPTO_PROXY};
use crate::networks::solana::DEVNET;
use crate::networks::{Asset, Family, Network};
use crate::registry::{self, Version};

/// A line of code that mends something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeLine {
    /// The SDK: a name of [`SDKS`].
    pub sdk: &'static str,
    /// The line.
    pub line: String,
}

/// The SDKs that lines are written for.
pub const SDKS: [&str; 8] =
    ["ts-fetch", "ts-axios", "ts-express", "python-client", "python-server", "go", "go-server", "rust"];

/// Headers that servers write.
const ANSWERS: [&str; 4] = ["PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE", "WWW-Authenticate"];

/// What a case says that lines of code need.
#[derive(Debug)]
struct Case<'a> {
    version: Version,
    /// Requirements, as far as there are any.
    terms: Option<&'a Value>,
    network: Cow<'static, Network>,
    /// The address of the resource.
    url: Option<&'a str>,
}

/// What lines name where the case says nothing.
static EXAMPLE: LazyLock<Network> =
    LazyLock::new(|| registry::networks().into_iter().next().expect("the table of networks has a first"));

/// Lines of an entry without a case.
pub(super) fn examples(entry: &'static Entry) -> Vec<CodeLine> {
    Case::of(Version::V2, None, None).lines(entry)
}

/// Writes the lines of all findings for the case that was asked about, and says whose mistake each is.
pub(super) fn fit(question: &Question, explanation: &mut Explanation) {
    let own = question.reading.json();
    let is_offer = matches!(own, Some((Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements, _)))
        && !question.reading.header.as_deref().is_some_and(carries_payments);
    let thrown = thrown::offer(&question.reading);
    let json = own.or(thrown.as_ref().map(|(kind, value)| (*kind, value)));
    let kind = json.map(|(kind, _)| kind);
    // Of a body the payment tells the version: requirements of the other one are a mistake.
    let paid = json.and_then(|(_, value)| value.get("paymentPayload")).map(Kind::of);
    let paid = paid.filter(|own| *own == Kind::PaymentV2 && kind == Some(Kind::FacilitatorRequest));
    let is_answer = question.reading.header.as_deref().is_some_and(|name| ANSWERS.contains(&name));
    for finding in &mut explanation.findings {
        let written = question.reading.findings.iter().any(|own| own.id == finding.id);
        // Who calls a facilitator writes what stands for the whole payment.
        let is_whole = kind == Some(Kind::FacilitatorRequest) && finding.path.as_deref() == Some("paymentPayload");
        place(finding, is_offer || is_whole || (is_answer && written));
        let Some(entry) = entry(finding.id) else { continue };
        let terms = json.and_then(|(kind, value)| terms(kind, value, question.requirements.as_ref(), finding));
        let url = json.and_then(|(_, value)| value.pointer("/resource/url")?.as_str());
        // What is wrong with it is its version: the other one is written.
        let kind = paid.or(kind).filter(|_| finding.id != "version_not_offered");
        finding.code = Case::of(version(kind, terms), terms, url).lines(entry);
        if finding.no_code.is_some() {
            finding.code.clear();
        }
    }
}

impl Finding {
    /// The same, with lines of code for the first entry of an offer.
    pub fn for_offer(self, offer: &Value) -> Self {
        let old = offer.get("x402Version") == Some(&Value::from(1)) || Kind::of(offer) == Kind::OfferV1;
        let version = if old { Version::V1 } else { Version::V2 };
        let terms = offer.get("accepts").and_then(|entries| entries.get(0));
        let url = offer.pointer("/resource/url").and_then(Value::as_str);
        let code = entry(self.id).map(|entry| Case::of(version, terms, url).lines(entry));
        Self { code: code.unwrap_or_default(), ..self }
    }
}

/// Whose mistake it is: of things that anybody writes, the place tells; what an offer says, its server says.
fn place(finding: &mut Finding, by_server: bool) {
    let is_placed = entry(finding.id).is_some_and(|entry| entry.placed);
    let path = finding.path.as_deref().filter(|_| is_placed).unwrap_or_default();
    if (by_server && finding.side == Side::Client)
        || path.starts_with("paymentRequirements")
        || path.starts_with("accepts")
    {
        finding.side = Side::Server;
    } else if path.starts_with("paymentPayload") {
        finding.side = Side::Client;
    }
}

/// The requirements that a finding is about.
fn terms<'a>(kind: Kind, value: &'a Value, asked: Option<&'a Value>, finding: &Finding) -> Option<&'a Value> {
    let first = |offer: &'a Value| offer.get("accepts").map_or(Some(offer), |entries| entries.get(0));
    match kind {
        Kind::OfferV1 | Kind::OfferV2 => {
            let place = finding.path.as_deref().and_then(|path| path.strip_prefix("accepts[")?.split(']').next());
            value.get("accepts")?.get(place.and_then(|place| place.parse::<usize>().ok()).unwrap_or_default())
        }
        Kind::Requirements => Some(value),
        Kind::FacilitatorRequest => value.get("paymentRequirements"),
        Kind::PaymentV1 | Kind::PaymentV2 => {
            asked.and_then(first).or_else(|| value.get("accepted")).or(Some(value)).filter(|terms| terms.is_object())
        }
        _ => None,
    }
}

fn version(kind: Option<Kind>, terms: Option<&Value>) -> Version {
    let is_old = |terms: &Value| terms.get("maxAmountRequired").is_some() && terms.get("amount").is_none();
    match kind {
        Some(Kind::OfferV1 | Kind::PaymentV1) => Version::V1,
        Some(Kind::Requirements | Kind::FacilitatorRequest) | None if terms.is_some_and(is_old) => Version::V1,
        _ => Version::V2,
    }
}

impl<'a> Case<'a> {
    fn of(version: Version, terms: Option<&'a Value>, url: Option<&'a str>) -> Self {
        let said = terms.and_then(|terms| match terms.get("network")? {
            Value::Number(chain) => Some(format!("eip155:{chain}")),
            other => other.as_str().map(str::to_owned),
        });
        let url = url.or_else(|| terms.and_then(|terms| terms.get("resource")?.as_str()));
        let network = said.and_then(|said| meant(&said)).map_or(Cow::Borrowed(&*EXAMPLE), Cow::Owned);
        Self { version, terms, network, url }
    }

    fn lines(&self, entry: &'static Entry) -> Vec<CodeLine> {
        entry.code.iter().map(|(sdk, line)| CodeLine { sdk, line: self.filled(line) }).collect()
    }

    /// A template with what the case says.
    fn filled(&self, template: &str) -> String {
        let mut parts = template.split("{{");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_once("}}") {
                Some((name, rest)) => {
                    out.push_str(&self.value(name));
                    out.push_str(rest);
                }
                None => out.push_str(part),
            }
        }
        out
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.terms.and_then(|terms| terms.get(key)?.as_str())
    }

    /// The asset that is meant: the one at the address, else the one that a price in dollars means.
    fn asset(&self) -> Option<&Asset> {
        let said = self.text("asset").and_then(|address| self.network.asset_by_address(address));
        said.or_else(|| self.network.assets.first())
    }

    /// The amount in atomic units, and in whole units of the asset.
    fn amount(&self) -> (String, String) {
        let decimals = self.asset().map_or(6, |asset| asset.decimals);
        let said = self.terms.and_then(|terms| terms.get("amount").or_else(|| terms.get("maxAmountRequired")));
        // A number is one, although it should be a text.
        let said = said.map(|said| said.as_str().map_or_else(|| said.to_string(), str::to_owned)).unwrap_or_default();
        let said = said.as_str();
        let whole = Decimal::parse(said.trim_start_matches('$')).ok().and_then(|own| own.to_atomic(decimals).ok());
        let cent = || U256::from(10).pow(U256::from(decimals.saturating_sub(2)));
        let units = parse_atomic(said).or(whole).filter(|units| !units.is_zero()).unwrap_or_else(cent);
        (units.to_string(), Decimal::from_atomic(units, decimals).to_string())
    }

    /// A client's limit in dollars under which the price lies: it, where it is more than the clients' own.
    fn limit(&self) -> String {
        let dollars = self.amount().1;
        let is_dear = dollars.split('.').next().is_some_and(|whole| whole != "0" && dollars != "1");
        if is_dear { format!("${dollars}") } else { "$5".to_owned() }
    }

    fn is_old(&self) -> bool {
        self.version == Version::V1
    }

    fn is_upto(&self) -> bool {
        self.text("scheme") == Some("upto")
    }

    /// What stands for a name in a template.
    fn value(&self, name: &str) -> String {
        let either = |old: &str, new: &str| if self.is_old() { old.to_owned() } else { new.to_owned() };
        let asset = |part: fn(&Asset) -> &String| self.asset().map(part).cloned().unwrap_or_default();
        match name {
            "network" => self.called(),
            "cluster" if self.network.family == Family::Solana => self.network.id.clone(),
            "cluster" => DEVNET.to_owned(),
            "v1" => self.network.v1_name.clone().unwrap_or_else(|| self.network.id.clone()),
            "chain" => self.network.id.rsplit(':').next().unwrap_or_default().to_owned(),
            "asset" => asset(|asset| &asset.address),
            "name" => asset(|asset| &asset.name),
            "version" => asset(|asset| &asset.version),
            "amount" => self.amount().0,
            "decimals" => self.asset().map_or(6, |asset| asset.decimals).to_string(),
            "price" => format!("${}", self.amount().1),
            "limit" => self.limit(),
            "url" => self.url(),
            "spender" => checksum(if self.is_upto() { UPTO_PROXY } else { EXACT_PROXY }),
            "x402" => self.version.number().to_string(),
            "HEADER" => either("X-PAYMENT", "PAYMENT-SIGNATURE"),
            "ANSWER" => "PAYMENT-REQUIRED".to_owned(),
            "accepted" => either("paymentRequirements", "accepted"),
            "amountKey" => either("maxAmountRequired", "amount"),
            "amount_key" => either("max_amount_required", "amount"),
            "AmountKey" => either("MaxAmountRequired", "Amount"),
            other => self.phrase(other),
        }
    }

    /// The network as this version of the protocol calls it.
    fn called(&self) -> String {
        let old = self.network.v1_name.as_ref().filter(|_| self.is_old());
        old.unwrap_or(&self.network.id).clone()
    }

    /// The resource's address as it should be: by https.
    fn url(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/".contains(c);
        let own = self.url.filter(|url| url.len() < 100 && url.chars().all(plain));
        own.unwrap_or("https://api.example/report").replacen("http://", "https://", 1)
    }
}

/// The network that a text names, or misspells.
fn meant(said: &str) -> Option<Network> {
    let networks = registry::networks();
    let names = || networks.iter().flat_map(|own| [Some(own.id.as_str()), own.v1_name.as_deref()]).flatten();
    let name = names().find(|name| *name == said);
    let name = name.or_else(|| Some(alias(&networks, said)?.id.as_str())).or_else(|| nearest(said, names()))?;
    networks.iter().find(|own| own.is_called(name)).cloned()
}

mod phrase;
mod transfer;

#[cfg(test)]
mod tests;
