//! Which JSON-RPC endpoint is asked about a payment: the one that was named, or that of the user's own mock.

use http::Uri;
use x402_sim::registry;

use super::address::{is_loopback, origin, same_origin};
use super::shop::Seller;
use crate::instance::{Home, Standing, survey};

/// The endpoint of an instance of this user, where that is who sells.
pub fn own(home: &Home, seller: &Uri, network: &str) -> Option<Uri> {
    let network = registry::networks().into_iter().find(|known| known.is_called(network))?;
    let running = home.places().ok()?.into_iter().filter_map(|place| match survey(&place) {
        Ok(Standing::Running(running)) => running.record,
        _ => None,
    });
    let mut urls = running.map(|record| record.url);
    let url = urls.find(|url| url.parse().is_ok_and(|url| same_origin(&url, seller)))?;
    format!("{url}/_x402/rpc/{}", network.id).parse().ok()
}

/// The endpoint that a mock at the seller's own address has; for sellers on this machine only.
pub fn beside(seller: Seller<'_>, cluster: &str) -> Option<Uri> {
    let here = seller.machines.all(is_loopback);
    here.then(|| format!("{}/_x402/rpc/{cluster}", origin(&seller.call.url)).parse().ok()).flatten()
}
