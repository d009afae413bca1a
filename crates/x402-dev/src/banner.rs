//! What the server says when it starts.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use x402_sim::accounts::test_accounts;
use x402_sim::networks::Stage;

use crate::config::{Config, Dialect, FacilitatorPaths};
use crate::doors::rpc;
use crate::state::State;

/// The address for clients: a server that listens everywhere is reached on this machine.
pub fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host,
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}

/// Where the JSON-RPC of the networks is: followed by `/` and a network's CAIP-2 id, the URL of its chain.
pub fn rpc(url: &str) -> String {
    format!("{url}{}", rpc::PREFIX)
}

/// The banner.
pub fn render(config: &Config, state: &State, url: &str, pid: u32) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{label:<13}{value}");
    };
    line("x402-dev", &format!("{} is listening on {url} (PID {pid})", env!("CARGO_PKG_VERSION")));
    let names = |stage| {
        let of_stage = config.networks.iter().filter(move |network| network.stage == stage);
        of_stage.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    line("networks", &names(Stage::Test));
    let main = names(Stage::Main);
    if !main.is_empty() {
        line("MAIN NETS", &format!("{main}: signatures by real keys are valid on the real chain"));
    }
    let item = state.catalogue.default_item();
    let price = if item.is_free() { "nothing" } else { &item.offer.price };
    let own = match config.resources.len() {
        0 => String::new(),
        1 => "; 1 resource has its own price".to_owned(),
        count => format!("; {count} resources have their own prices"),
    };
    line("price", &format!("a request costs {price}{own}"));
    let facilitator = match config.server.facilitator {
        FacilitatorPaths::Bare => url.to_owned(),
        FacilitatorPaths::Prefixed => format!("{url}/facilitator"),
    };
    line("facilitator", &facilitator);
    if let Some(network) = config.networks.first() {
        line("rpc", &format!("{}/{}, and so for each network", self::rpc(url), network.id));
    }
    if let Some(mode) = state.default_mode().simulation() {
        line("SIMULATED", &format!("verification is {mode}: answers are not those of production"));
    }
    if let Some(skew) = crate::clock::skew(state.skew_ms()) {
        line("CLOCK", &format!("{skew}: payments that are signed with real time may be refused"));
    }
    line("state", "in memory: nothing survives the end of this process");
    line("accounts", "public test keys: never send real funds");
    for account in test_accounts() {
        let funds =
            if account.role() == "payer" { format!("{} each", config.accounts.balance) } else { "0".to_owned() };
        line("", &format!("({}) {} {} {:<11} {funds}", account.index, account.address, account.key, account.role()));
    }
    line("try", &format!("curl -i {url}/hello"));
    if config.dialects.contains(&Dialect::Invoice) && item.invoice.is_some() {
        let memo = "sed -n 's/.*\"memo\":\"\\([^\"]*\\)\".*/\\1/p'";
        let pay = format!(
            "curl {url}/hello -H 'X-Simulation-Mode: success' -H \"X-Payment-Proof: $(curl -s {url}/hello | {memo})\""
        );
        line("pay", &pay);
    }
    text.trim_end().to_owned()
}
