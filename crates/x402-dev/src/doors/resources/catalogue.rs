//! Resources by route, with everything about their offers that does not change.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;
use x402_sim::Address;
use x402_sim::memo;
use x402_sim::merchant::{Offer, Way};
use x402_sim::networks::eip155::parse_address;
use x402_wire::U256;
use x402_wire::amount::Decimal;
use x402_wire::header::OFFER_LIMIT;

use super::offer;
use crate::config::{Accept, Config, Resource, Response};
use crate::error::Error;
use crate::route::{RouteTable, normalise_path};

/// The address that stands for a resource when an offer's size is measured.
const SAMPLE_URL: &str = "http://127.0.0.1:3402/a/path/of/ordinary/length?with=query";

/// Every resource.
#[derive(Clone, Debug)]
pub struct Catalogue {
    routes: RouteTable<Arc<Item>>,
    default: Arc<Item>,
}

/// A resource and its offer.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it asks.
    pub offer: Offer,
    /// `offer.v2` as JSON.
    pub accepts: Box<RawValue>,
    /// `offer.v2`, entry by entry, as JSON values.
    pub requirements: Vec<Value>,
    /// The invoice's amount: atomic units, and written in whole units.
    pub invoice: Option<(U256, String)>,
    /// What it is, in words.
    pub description: String,
    /// The content type of what is delivered.
    pub mime_type: String,
    /// The configured answer.
    pub response: Option<Response>,
    ways: Vec<Way>,
}

impl Catalogue {
    /// The resources of a configuration. `Err` names the one whose offer does not fit into a header.
    ///
    /// # Panics
    ///
    /// Never: the configuration's routes were checked when it was read.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let default = Arc::new(Item::new("every other path", &config.default_resource)?);
        let mut entries = Vec::with_capacity(config.resources.len());
        for (route, resource) in config.resources.iter() {
            entries.push((route.clone(), Arc::new(Item::new(&route.to_string(), resource)?)));
        }
        let routes = RouteTable::new(entries).expect("equal routes were refused with the configuration");
        Ok(Self { routes, default })
    }

    /// The resource for a method and a raw path.
    pub fn find(&self, method: &str, path: &str) -> Arc<Item> {
        if self.routes.is_empty() {
            return Arc::clone(&self.default);
        }
        let normal = normalise_path(path.as_bytes());
        Arc::clone(self.routes.find(method, &normal).map_or(&self.default, |(_, item)| item))
    }

    /// Everybody who is paid on `eip155` networks.
    pub fn payees(&self) -> Vec<Address> {
        let items = self.routes.iter().map(|(_, item)| item).chain([&self.default]);
        items.flat_map(|item| &item.ways).filter_map(|way| parse_address(&way.pay_to)).collect()
    }

    /// The resource at every path that has no own route.
    pub fn default_item(&self) -> &Item {
        &self.default
    }
}

impl Item {
    fn new(route: &str, resource: &Resource) -> Result<Self, Error> {
        let ways: Vec<Way> = resource.accepts.iter().map(way).collect();
        let offer = Offer::new(&ways, &resource.description, &resource.mime_type);
        let values = |what| serde_json::to_value(what).expect("requirements have string keys");
        let requirements = offer.v2.iter().map(values).collect();
        let accepts = serde_json::value::to_raw_value(&offer.v2).expect("requirements have string keys");
        let written = |units: U256| (units, Decimal::from_atomic(units, memo::DECIMALS).to_string());
        let item = Self {
            invoice: offer.invoice.map(written),
            offer,
            accepts,
            requirements,
            description: resource.description.clone(),
            mime_type: resource.mime_type.clone(),
            response: resource.response.clone(),
            ways,
        };
        let bytes = offer::header_v2(&item, SAMPLE_URL, "Payment required").len();
        if bytes > OFFER_LIMIT {
            return Err(Error::OfferTooLarge { resource: route.to_owned(), bytes, limit: OFFER_LIMIT });
        }
        Ok(item)
    }

    /// The ways to pay, in order of preference.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// Whether nothing is charged.
    pub fn is_free(&self) -> bool {
        self.ways.is_empty()
    }
}

fn way(accept: &Accept) -> Way {
    let Accept { network, asset, pay_to, max_timeout_seconds, amount, extra } = accept.clone();
    Way { network, asset, pay_to, amount, max_timeout_seconds, extra }
}
