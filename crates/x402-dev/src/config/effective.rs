//! What is in force, and who said so: the content of `config show`.

use serde_json::Value as Json;
use x402_sim::networks::{Network, solana};

use super::model::Config;
use super::origin::Origin;
use super::tree::Node;
use super::{json, keys};

/// Every effective value with its origin, in the order of the keys in the documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// One entry a value; a list is one value.
    pub entries: Vec<Entry>,
}

/// An effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path of its key: `server.port`.
    pub key: String,
    /// The value as JSON; `null` where there is none.
    pub value: Json,
    /// Who said so.
    pub origin: Origin,
}

impl Effective {
    /// Every value of a merged tree. What nobody said and the defaults leave open follows from the configuration.
    pub(super) fn new(root: &Node, config: &Config) -> Self {
        let entry = |key: String| match root.at(&key) {
            Some(node) => Entry { value: json::show(node), origin: node.place.origin(), key },
            None => Entry { value: derived(&key, config), origin: Origin::Default, key },
        };
        Self { entries: keys::paths().into_iter().map(entry).collect() }
    }
}

fn derived(key: &str, config: &Config) -> Json {
    match key {
        "networks" => config.networks.iter().map(|network| Json::from(network.id.as_str())).collect(),
        "accepts" => {
            let is_devnet = |network: &&Network| network.id == solana::DEVNET;
            let usual = config.networks.iter().take(1).chain(config.networks.iter().skip(1).filter(is_devnet));
            usual.map(|network| Json::from(network.id.as_str())).collect()
        }
        "resources" | "faults" => Json::Array(Vec::new()),
        _ => Json::Null,
    }
}
