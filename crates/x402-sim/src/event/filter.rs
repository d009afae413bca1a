//! Which events somebody wants: `kind=settled payer=alice`.
//!
//! Values of one key are joined by commas, or the key is repeated; an event must match one of them, for every key.

use super::kind::{DOORS, KINDS, OUTCOMES};
use super::{Door, Event, Kind, Outcome, PaymentId};
use crate::accounts::book::Book;
use crate::catalog::Catalog;
use crate::explain::nearest;
use crate::networks::Network;
use crate::purchase::PurchaseId;
use crate::registry;
use x402_wire::shape::shorten;

/// Every key.
pub const KEYS: [&str; 8] = ["kind", "payer", "path", "outcome", "network", "purchase", "payment", "door"];

/// Which events somebody wants. The default wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    kinds: Vec<Kind>,
    outcomes: Vec<Outcome>,
    doors: Vec<Door>,
    /// Addresses of every family.
    payers: Vec<String>,
    paths: Vec<PathPattern>,
    /// CAIP-2 ids and names of version 1.
    networks: Vec<String>,
    purchases: Vec<PurchaseId>,
    payments: Vec<PaymentId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathPattern {
    Exact(String),
    Prefix(String),
}

/// What a filter's names mean: accounts, networks, and the newest purchase.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The accounts.
    pub book: &'a Book,
    /// The networks.
    pub catalog: &'a Catalog,
    /// What `purchase=last` means.
    pub last_purchase: Option<PurchaseId>,
}

/// A text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A word without `=`.
    #[error("\"{word}\" is no filter: write `key=value`, such as `kind=settled`")]
    NoPair {
        /// The word.
        word: String,
    },
    /// No such key.
    #[error("there is no filter \"{key}\"{}", meant(*near, &KEYS.join(", ")))]
    Key {
        /// What was written.
        key: String,
        /// The nearest known key.
        near: Option<&'static str>,
    },
    /// No such value.
    #[error("{key}: \"{value}\" is none{}", meant(near.as_deref(), known))]
    Value {
        /// The key.
        key: &'static str,
        /// What was written.
        value: String,
        /// The nearest known value.
        near: Option<String>,
        /// What there is.
        known: String,
    },
}

impl FilterError {
    /// The key at fault, where one of the known keys is.
    pub const fn key(&self) -> Option<&'static str> {
        match self {
            Self::Value { key, .. } => Some(key),
            Self::NoPair { .. } | Self::Key { .. } => None,
        }
    }
}

fn meant(near: Option<&str>, known: &str) -> String {
    match near {
        Some(near) => format!("; \"{near}\" is near it, of {known}"),
        None => format!("; there are {known}"),
    }
}

impl Filter {
    /// The pairs of a text such as `kind=settled payer=alice`.
    ///
    /// # Errors
    ///
    /// A word without `=`.
    pub fn split(text: &str) -> Result<Vec<(String, String)>, FilterError> {
        let pair = |word: &str| match word.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(FilterError::NoPair { word: shorten(word) }),
        };
        text.split_whitespace().map(pair).collect()
    }

    /// Reads pairs of keys and values.
    ///
    /// # Errors
    ///
    /// An unknown key or value, with the nearest known one.
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        names: Names<'_>,
    ) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for (key, values) in pairs {
            let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
                return Err(FilterError::Key { key: shorten(key), near: nearest(key, KEYS) });
            };
            if key == "path" {
                filter.paths.push(PathPattern::read(values)?);
                continue;
            }
            for value in values.split(',') {
                filter.add(key, value, names)?;
            }
        }
        Ok(filter)
    }

    fn add(&mut self, key: &'static str, value: &str, names: Names<'_>) -> Result<(), FilterError> {
        match key {
            "kind" => {
                let known = KINDS.iter().map(|row| (row.0, row.1));
                self.kinds.push(chosen(key, value, known)?);
            }
            "outcome" => self.outcomes.push(chosen(key, value, OUTCOMES.iter().copied())?),
            "door" => self.doors.push(chosen(key, value, DOORS.iter().copied())?),
            "payer" => self.payers.extend(payer(value, names.book)?),
            "network" => self.networks.extend(network(value, names.catalog)?),
            "purchase" => {
                let id = if value == "last" { names.last_purchase } else { PurchaseId::parse(value) };
                let known = "`last`, or `pur_` and a number, as `x402-dev purchases` lists them";
                self.purchases.push(id.ok_or_else(|| refused(key, value, known))?);
            }
            _ => {
                let known = "`pay_` and 16 hexadecimal digits, as events have them";
                self.payments.push(PaymentId::parse(value).ok_or_else(|| refused(key, value, known))?);
            }
        }
        Ok(())
    }

    /// Whether an event is wanted.
    pub fn matches(&self, event: &Event) -> bool {
        let facts = &event.facts;
        one_of(&self.kinds, |kind| *kind == event.kind)
            && one_of(&self.outcomes, |outcome| *outcome == event.kind.outcome())
            && one_of(&self.doors, |door| *door == event.door)
            && one_of(&self.purchases, |purchase| Some(*purchase) == event.purchase)
            && one_of(&self.payments, |payment| Some(*payment) == event.payment)
            && one_of(&self.networks, |network| facts.network.as_ref() == Some(network))
            && one_of(&self.paths, |path| facts.path.as_deref().is_some_and(|own| path.matches(own)))
            && one_of(&self.payers, |payer| facts.payer.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(payer)))
    }
}

impl PathPattern {
    fn read(text: &str) -> Result<Self, FilterError> {
        if !text.starts_with('/') && text != "*" {
            return Err(refused("path", text, "a path, such as `/weather`, or the beginning of one, such as `/api/*`"));
        }
        Ok(match text.strip_suffix('*') {
            Some(beginning) => Self::Prefix(beginning.to_owned()),
            None => Self::Exact(text.to_owned()),
        })
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(own) => own == path,
            Self::Prefix(beginning) => path.starts_with(beginning.as_str()),
        }
    }
}

/// Whether one of the wanted values fits, or none is wanted.
fn one_of<T>(wanted: &[T], fits: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

fn refused(key: &'static str, value: &str, known: &str) -> FilterError {
    FilterError::Value { key, value: shorten(value), near: None, known: known.to_owned() }
}

/// The value that is called so.
fn chosen<T>(
    key: &'static str,
    value: &str,
    known: impl Iterator<Item = (T, &'static str)> + Clone,
) -> Result<T, FilterError> {
    if let Some((found, _)) = known.clone().find(|(_, name)| *name == value) {
        return Ok(found);
    }
    let names: Vec<&str> = known.map(|(_, name)| name).collect();
    let near = nearest(value, names.iter().copied()).map(str::to_owned);
    Err(FilterError::Value { key, value: shorten(value), near, known: names.join(", ") })
}

/// Every address of an account.
fn payer(value: &str, book: &Book) -> Result<Vec<String>, FilterError> {
    if let Ok(party) = book.find(value) {
        return Ok(party.addresses().map(str::to_owned).collect());
    }
    let names: Vec<String> = book.all().into_iter().filter_map(|party| party.name).collect();
    let near = nearest(value, names.iter().map(String::as_str)).map(str::to_owned);
    let known = "an account's index, name or address, as `x402-dev accounts` lists them".to_owned();
    Err(FilterError::Value { key: "payer", value: shorten(value), near, known })
}

/// A network's id and its name in version 1.
fn network(value: &str, catalog: &Catalog) -> Result<Vec<String>, FilterError> {
    let mut networks = catalog.networks().to_vec();
    networks.extend(registry::networks());
    let called = |own: &&Network| own.id == value || own.v1_name.as_deref() == Some(value);
    if let Some(known) = networks.iter().find(called) {
        return Ok([Some(known.id.clone()), known.v1_name.clone()].into_iter().flatten().collect());
    }
    let names = || networks.iter().flat_map(|own| [Some(own.id.as_str()), own.v1_name.as_deref()]).flatten();
    let near = nearest(value, names()).map(str::to_owned);
    let known = catalog.networks().iter().map(|own| own.id.as_str()).collect::<Vec<_>>().join(", ");
    Err(FilterError::Value { key: "network", value: shorten(value), near, known })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts;
    use crate::event::Facts;

    fn read(text: &str) -> Result<Filter, FilterError> {
        let (book, catalog) = (Book::default(), Catalog::new(registry::networks()));
        let pairs = Filter::split(text)?;
        let names = Names { book: &book, catalog: &catalog, last_purchase: Some(PurchaseId(9)) };
        Filter::read(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())), names)
    }

    fn event() -> Event {
        Event {
            sequence: 1,
            at: 0,
            kind: Kind::Settled,
            purchase: Some(PurchaseId(9)),
            payment: Some(PaymentId([1; 8])),
            door: Door::Resources,
            facts: Facts {
                path: Some("/api/news".into()),
                network: Some("base-sepolia".to_owned()),
                payer: accounts::find("alice").map(|account| account.address.to_owned()),
                ..Facts::default()
            },
        }
    }

    #[test]
    fn an_event_must_match_one_value_of_every_key() {
        for wanted in [
            "",
            "kind=settled",
            "kind=offered,settled",
            "kind=offered kind=settled",
            "payer=alice",
            "payer=ALICE door=resources",
            "path=/api/news",
            "path=/api/*",
            "path=*",
            "outcome=success",
            "network=eip155:84532",
            "network=base-sepolia",
            "purchase=pur_9 payment=pay_0101010101010101",
            "purchase=last",
        ] {
            assert!(read(wanted).unwrap().matches(&event()), "{wanted}");
        }
        for unwanted in [
            "kind=offered",
            "payer=bob",
            "path=/api",
            "path=/apis/*",
            "outcome=failure,change",
            "network=eip155:8453",
            "purchase=pur_8",
            "payment=pay_0101010101010102",
            "door=chain",
            "kind=settled payer=bob",
        ] {
            assert!(!read(unwanted).unwrap().matches(&event()), "{unwanted}");
        }
        let bare = Event { purchase: None, payment: None, facts: Facts::default(), ..event() };
        for wanted in ["payer=alice", "path=*", "network=base", "purchase=last"] {
            assert!(!read(wanted).unwrap().matches(&bare), "{wanted}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_nearest_name() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(error("settled"), "\"settled\" is no filter: write `key=value`, such as `kind=settled`");
        assert!(
            error("kinds=settled").starts_with("there is no filter \"kinds\"; \"kind\" is near it, of kind, payer")
        );
        assert!(error("kind=setled").starts_with("kind: \"setled\" is none; \"settled\" is near it, of offered"));
        assert!(error("kind=").starts_with("kind: \"\" is none; there are offered"));
        assert!(error("payer=alise").contains("\"alice\" is near it"));
        assert!(error("network=eip155:84531").contains("\"eip155:84532\" is near it"));
        assert!(error("path=api").contains("`/weather`"));
        for wrong in ["purchase=1", "payment=1", "door=front", "outcome=good", "KIND=settled"] {
            error(wrong);
        }
    }
}
