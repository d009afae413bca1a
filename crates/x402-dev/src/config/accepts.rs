//! What an offer lists: terms of payment before a price is put to them.

use serde_json::{Map, Value as Json};
use x402_sim::accounts;
use x402_sim::merchant::Blockhash;
use x402_sim::networks::{Asset, Family, Network, Transfer};

use super::cursor::{Cursor, Fields, Noted, names};
use super::json;
use super::keys;
use super::nearest;
use super::networks::{self, Enabled};
use super::tree::{Place, Value};

/// The longest `max_timeout_seconds`: one year.
const MAX_TIMEOUT: u64 = 31_536_000;

/// One way to pay, without an amount.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) network: Network,
    /// The asset that was named; a price may name another way to find one.
    pub(super) asset: Option<Asset>,
    pub(super) pay_to: String,
    pub(super) max_timeout_seconds: Option<u64>,
    /// How the asset shall be moved, where that is said.
    pub(super) method: Option<Transfer>,
    /// Where payers on Solana have a blockhash from.
    pub(super) blockhash: Blockhash,
    pub(super) extra: Map<String, Json>,
    /// Where somebody wrote what led to these terms.
    pub(super) place: Option<Place>,
}

/// The terms of a network where nobody says any.
fn first(enabled: &Enabled) -> Terms {
    Terms {
        network: enabled.network.clone(),
        asset: None,
        pay_to: merchant(enabled),
        max_timeout_seconds: None,
        method: None,
        blockhash: Blockhash::Asked,
        extra: Map::new(),
        place: enabled.place.clone(),
    }
}

/// The terms where nobody says any: the first network, and Solana devnet behind it.
pub(super) fn usual(enabled: &[Enabled]) -> Option<Vec<Terms>> {
    let mut terms = vec![first(enabled.first()?)];
    let devnet = enabled.iter().skip(1).find(|own| own.network.id == x402_sim::networks::solana::DEVNET);
    terms.extend(devnet.map(|devnet| Terms { place: None, ..first(devnet) }));
    Some(terms)
}

/// Who is paid on a network where nobody is named: the merchant among the test accounts.
fn merchant(enabled: &Enabled) -> String {
    (enabled.network.family.row().address_of)(&accounts::merchant()).into_owned()
}

/// Reads a list of terms.
pub(super) fn read(list: &Cursor<'_>, enabled: &[Enabled]) -> Option<Vec<Terms>> {
    let items = list.list_of_some("an offer lists at least one way to pay; write `price: free` to charge nothing")?;
    let terms: Vec<Option<Terms>> = items.iter().map(|item| one(item, enabled)).collect();
    terms.into_iter().collect()
}

fn one(item: &Cursor<'_>, enabled: &[Enabled]) -> Option<Terms> {
    let place = Some(item.node.place.clone());
    let Value::Mapping(_) = item.node.value else {
        return Some(Terms { place, ..first(network(item, enabled)?) });
    };
    let fields = item.fields(keys::ACCEPT)?;
    let network = fields.require("network").and_then(|name| network(&name, enabled));
    let asset = network.and_then(|enabled| named_asset(&fields, &enabled.network).ok());
    let pay_to = match (fields.get("pay_to"), network) {
        (None, network) => network.map(merchant),
        (Some(text), Some(network)) => networks::address_on(&text, &network.network),
        (Some(_), None) => None,
    };
    let timeout = fields.get("max_timeout_seconds").map(|seconds| seconds.number(1..=MAX_TIMEOUT));
    let methods = [("eip3009", Transfer::Eip3009), ("permit2", Transfer::Permit2)];
    let method = fields.get("asset_transfer_method").map(|method| method.choice(&methods));
    let blockhash = fields.get("recent_blockhash").map(|cursor| blockhash(&cursor, network));
    let extra = fields.get("extra").map_or_else(|| Some(Map::new()), |extra| json::read_object(&extra));
    Some(Terms {
        network: network?.network.clone(),
        asset: asset?,
        pay_to: pay_to?,
        max_timeout_seconds: timeout.map_or(Some(None), |seconds| seconds.map(Some))?,
        method: method.map_or(Some(None), |method| method.map(Some))?,
        blockhash: blockhash.unwrap_or(Some(Blockhash::Asked))?,
        extra: extra?,
        place,
    })
}

/// Whether offers say a recent blockhash.
fn blockhash(cursor: &Cursor<'_>, network: Option<&Enabled>) -> Option<Blockhash> {
    let said = cursor.choice(&[("true", Blockhash::Offered), ("false", Blockhash::Asked)])?;
    match network {
        Some(own) if own.network.family != Family::Solana && said == Blockhash::Offered => {
            let message = format!("`recent_blockhash` is for Solana, not for {}", own.network);
            cursor.refuse(cursor.problem(message))
        }
        _ => Some(said),
    }
}

/// An enabled network by its id or name.
fn network<'a>(cursor: &Cursor<'_>, enabled: &'a [Enabled]) -> Option<&'a Enabled> {
    let text = cursor.text()?;
    if let Some(enabled) = enabled.iter().find(|enabled| enabled.network.is_called(text)) {
        return Some(enabled);
    }
    let problem = cursor.problem(format!("the network `{text}` is not enabled"));
    let names = enabled.iter().flat_map(|enabled| [Some(&enabled.network.id), enabled.network.v1_name.as_ref()]);
    let near = nearest(text, names.flatten().map(String::as_str));
    let is_known = x402_sim::registry::networks().iter().any(|network| network.is_called(text));
    cursor.refuse(match near {
        Some(name) if !is_known => problem.hinted(format!("did you mean `{name}`?")),
        _ => problem.hinted("add it to `networks` (or `--network`)"),
    })
}

/// The asset that is named, if one is.
fn named_asset(fields: &Fields<'_>, network: &Network) -> Result<Option<Asset>, Noted> {
    let Some(cursor) = fields.get("asset") else { return Ok(None) };
    let found = find_asset(network, cursor.text().ok_or(Noted)?).map_err(|message| cursor.problem(message));
    let asset = found.or_else(|problem| cursor.refuse(problem).ok_or(Noted))?;
    Ok(Some(asset.clone()))
}

/// An asset that can be paid with, by its symbol or address, or why there is none.
pub(super) fn find_asset<'a>(network: &'a Network, name: &str) -> Result<&'a Asset, String> {
    let found = network.asset_by_symbol(name).or_else(|| network.asset_by_address(name));
    let asset = found.ok_or_else(|| {
        let symbols: Vec<&str> = network.assets.iter().map(|asset| asset.symbol.as_str()).collect();
        format!("there is no asset `{name}` on {network}, which has {}", names(&symbols))
    })?;
    if networks::is_payable(network, asset) {
        return Ok(asset);
    }
    Err(format!("nothing can pay with {} on {network}", asset.symbol))
}

#[cfg(test)]
mod tests {
    use x402_sim::networks::solana;

    use super::super::tests::{loaded, problems};
    use super::*;

    /// Test account 9.
    const MERCHANT: &str = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";
    const MERCHANT_ON_SOLANA: &str = "2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab";

    #[test]
    fn the_default_offer_is_the_first_network_and_solana_devnet_and_the_test_merchant() {
        let config = loaded("").config;
        let [accept, second] = &config.default_resource.accepts[..] else { panic!("two ways to pay") };
        assert_eq!((second.network.id.as_str(), second.asset.symbol.as_str()), (solana::DEVNET, "USDC"));
        assert_eq!((second.pay_to.as_str(), second.amount.to_string().as_str()), (MERCHANT_ON_SOLANA, "10000"));
        assert_eq!(loaded("networks: [base-sepolia]\n").config.default_resource.accepts.len(), 1);
        let priced = |price: &str| loaded(&format!("pricing: {{default: {price}}}\n")).config.default_resource.accepts;
        assert_eq!(priced("18446744073709.551616").len(), 1, "more than 64 bits of atomic units");
        let solana = loaded("accepts: [solana-devnet]\n").config.default_resource.accepts;
        assert_eq!((solana.len(), solana[0].pay_to.as_str()), (1, MERCHANT_ON_SOLANA));
        assert_eq!((accept.network.id.as_str(), accept.asset.symbol.as_str()), ("eip155:84532", "USDC"));
        assert_eq!((accept.pay_to.as_str(), accept.max_timeout_seconds), (MERCHANT, None));
        assert_eq!(accept.amount.to_string(), "10000");
        assert!(accept.extra.is_empty());
    }

    #[test]
    fn terms_are_read_whole() {
        let yaml = "
networks: [base-sepolia, celo]
accepts:
  - base-sepolia
  - network: eip155:42220
    asset: usdt
    pay_to: '0x209693bc6afc0c5328ba36faf03c514ef312287c'
    max_timeout_seconds: 30
    extra: {memo: 7, ratio: 0.5, big: '12345678901234567890', hash: 0xab, list: [true, null]}
";
        let accepts = loaded(yaml).config.default_resource.accepts;
        assert_eq!((accepts.len(), accepts[1].asset.symbol.as_str()), (2, "USDT"));
        assert_eq!(accepts[1].pay_to, "0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
        assert_eq!(accepts[1].max_timeout_seconds, Some(30));
        insta::assert_snapshot!(Json::Object(accepts[1].extra.clone()), @r#"{"big":"12345678901234567890","hash":"0xab","list":[true,null],"memo":7,"ratio":0.5}"#);
    }

    #[test]
    fn terms_that_are_wrong_are_refused() {
        let files = [
            "accepts: []\n",
            "accepts: [base]\n",
            "accepts: [bse-sepolia]\n",
            "accepts: [{asset: USDC}]\n",
            "accepts: [{network: base-sepolia, asset: EURC}]\n",
            "accepts: [{network: base-sepolia, pay_to: '0x209693bc6afc0c5328bA36FaF03C514EF312287C'}]\n",
            "accepts: [{network: base-sepolia, pay_to: me}]\n",
            "accepts: [{network: solana-devnet, pay_to: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C'}]\n",
            "{accepts: [solana-devnet], pricing: {default: 18446744073709.551616}}\n",
            "accepts: [{network: base-sepolia, max_timeout_seconds: 0}]\n",
            "accepts: [{network: base-sepolia, recent_blockhash: true}]\n",
            "accepts: [{network: solana-devnet, recent_blockhash: often}]\n",
            "accepts: [{network: base-sepolia, extra: [1]}]\n",
            "accepts: [{network: base-sepolia, extra: {a: .nan, b: 123456789012345678901234567890}}]\n",
        ];
        insta::assert_snapshot!(files.map(problems).join("\n"), @r"
            .x402dev.yaml:1:10: accepts: the list is empty; an offer lists at least one way to pay; write `price: free` to charge nothing
            .x402dev.yaml:1:11: accepts[0]: the network `base` is not enabled [add it to `networks` (or `--network`)]
            .x402dev.yaml:1:11: accepts[0]: the network `bse-sepolia` is not enabled [did you mean `base-sepolia`?]
            .x402dev.yaml:1:11: accepts[0]: the key `network` is missing here
            .x402dev.yaml:1:42: accepts[0].asset: there is no asset `EURC` on Base Sepolia (eip155:84532), which has `USDC`
            .x402dev.yaml:1:43: accepts[0].pay_to: the checksum of `0x209693bc6afc0c5328bA36FaF03C514EF312287C` is wrong [with the right checksum it is `0x209693Bc6afc0C5328bA36FaF03C514EF312287C`]
            .x402dev.yaml:1:43: accepts[0].pay_to: `me` is not an address [write `0x` and 40 hexadecimal digits]
            .x402dev.yaml:1:44: accepts[0].pay_to: `0x209693Bc6afc0C5328bA36FaF03C514EF312287C` is not an address on Solana Devnet (solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1) [write base58 of 32 bytes, such as `2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab`]
            .x402dev.yaml:1:47: pricing.default: USDC is counted in 64 bits on Solana Devnet (solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1), and the price is more
            .x402dev.yaml:1:56: accepts[0].max_timeout_seconds: `0` is not a whole number from 1 to 31536000
            .x402dev.yaml:1:53: accepts[0].recent_blockhash: `recent_blockhash` is for Solana, not for Base Sepolia (eip155:84532)
            .x402dev.yaml:1:54: accepts[0].recent_blockhash: `often` is not one of `true` and `false`
            .x402dev.yaml:1:42: accepts[0].extra: expected a mapping, found a list
            .x402dev.yaml:1:46: accepts[0].extra: `.nan` cannot be a number in JSON without loss [put it in quotes to send a text]
            .x402dev.yaml:1:55: accepts[0].extra: `123456789012345678901234567890` cannot be a number in JSON without loss [put it in quotes to send a text]
        ");
    }
}
