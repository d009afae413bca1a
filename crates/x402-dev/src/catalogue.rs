//! Resources by route, with everything about their offers that does not change.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use x402_sim::ledger::Account;
use x402_sim::memo;
use x402_sim::merchant::{Offer, Way};
use x402_sim::networks::account;
use x402_wire::U256;
use x402_wire::amount::Decimal;
use x402_wire::header::encode;
use x402_wire::v1::{PaymentRequiredV1, PaymentRequirementsV1};

use crate::config::{Config, Resource, Response};
use crate::route::{RouteTable, normalise_path};
use crate::template::GAP;

use self::unpaid::{Rendered, Unpaid};

mod unpaid;

/// The text of version 2 for a request without a payment.
pub const UNPAID_V2: &str = "Payment required";

/// The text of version 1 for a request without a payment.
const UNPAID_V1: &str = "X-PAYMENT header is required";

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
    accepts: Box<RawValue>,
    unpaid: Unpaid,
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
    /// The resources of a configuration.
    ///
    /// # Panics
    ///
    /// Never: the configuration's routes were checked when it was read.
    pub fn new(config: &Config) -> Self {
        let default = Arc::new(Item::new(&config.default_resource));
        let mut entries = Vec::with_capacity(config.resources.len());
        for (route, resource) in config.resources.iter() {
            entries.push((route.clone(), Arc::new(Item::new(resource))));
        }
        let routes = RouteTable::new(entries).expect("equal routes were refused with the configuration");
        Self { routes, default }
    }

    /// The resource for a method and a raw path.
    pub fn find(&self, method: &str, path: &str) -> Arc<Item> {
        if self.routes.is_empty() {
            return Arc::clone(&self.default);
        }
        let normal = normalise_path(path.as_bytes());
        Arc::clone(self.routes.find(method, &normal).map_or(&self.default, |(_, item)| item))
    }

    /// Everybody who is paid.
    pub fn payees(&self) -> Vec<Account> {
        let items = self.routes.iter().map(|(_, item)| item).chain([&self.default]);
        items.flat_map(|item| &item.ways).filter_map(|way| account(&way.network, &way.pay_to)).collect()
    }

    /// The resource at every path that has no own route.
    pub fn default_item(&self) -> &Item {
        &self.default
    }
}

/// The offer of version 2, with the part that does not change rendered before.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferV2<'a> {
    x402_version: u8,
    error: &'a str,
    resource: ResourceInfo<'a>,
    accepts: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceInfo<'a> {
    url: &'a str,
    description: &'a str,
    mime_type: &'a str,
}

impl Item {
    fn new(resource: &Resource) -> Self {
        let ways = resource.accepts.iter().map(Way::from).collect();
        let response = resource.response.clone();
        Self::rendered(resource.offer(), resource.description.clone(), resource.mime_type.clone(), response, ways)
    }

    /// The same resource with another offer and description.
    pub fn offering(&self, offer: Offer, description: String) -> Self {
        Self::rendered(offer, description, self.mime_type.clone(), self.response.clone(), self.ways.clone())
    }

    fn rendered(
        offer: Offer,
        description: String,
        mime_type: String,
        response: Option<Response>,
        ways: Vec<Way>,
    ) -> Self {
        let values = |what| serde_json::to_value(what).expect("requirements have string keys");
        let accepts = serde_json::value::to_raw_value(&offer.v2).expect("requirements have string keys");
        let info = ResourceInfo { url: GAP, description: &description, mime_type: &mime_type };
        let unpaid_v2 = OfferV2 { x402_version: 2, error: UNPAID_V2, resource: info, accepts: &accepts };
        let mut legacy = offer.v1.clone();
        for way in &mut legacy {
            GAP.clone_into(&mut way.resource);
        }
        let legacy = PaymentRequiredV1 { x402_version: 1, error: UNPAID_V1.to_owned(), accepts: legacy, payer: None };
        let written = |units: U256| (units, Decimal::from_atomic(units, memo::DECIMALS).to_string());
        Self {
            unpaid: Unpaid::new(&unpaid_v2, Some(&legacy).filter(|legacy| !legacy.accepts.is_empty())),
            accepts,
            requirements: offer.v2.iter().map(values).collect(),
            invoice: offer.invoice.map(written),
            offer,
            description,
            mime_type,
            response,
            ways,
        }
    }

    /// The offers for an unpaid request to an address, with and without its query.
    pub fn unpaid(&self, url: &str, without_query: &str) -> Arc<Rendered> {
        self.unpaid.at(url, without_query)
    }

    /// The value of `PAYMENT-REQUIRED`, for a request's address and with an error text.
    pub fn header_v2(&self, url: &str, error: &str) -> String {
        let resource = ResourceInfo { url, description: &self.description, mime_type: &self.mime_type };
        encode(&OfferV2 { x402_version: 2, error, resource, accepts: &self.accepts })
    }

    /// The ways to pay in version 1, for a request's address.
    pub fn accepts_v1(&self, url: &str) -> Vec<PaymentRequirementsV1> {
        let mut accepts = self.offer.v1.clone();
        for way in &mut accepts {
            url.clone_into(&mut way.resource);
        }
        accepts
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
