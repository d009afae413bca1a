//! Which networks are enabled: known ones by name, and own ones by definition.

use x402_sim::networks::eip155::{self, assets};
use x402_sim::networks::{Asset, Family, Network, Stage, Transfer};
use x402_sim::registry;

use super::cursor::{Cursor, Fields};
use super::keys;
use super::nearest;
use super::tree::Place;

/// An enabled network and where it was named.
#[derive(Clone, Debug)]
pub(super) struct Enabled {
    pub(super) network: Network,
    /// `None` where nobody named it.
    pub(super) place: Option<Place>,
}

/// The enabled networks in their order; all test networks that can be paid on where nothing is said.
pub(super) fn read(list: Option<&Cursor<'_>>) -> Option<Vec<Enabled>> {
    let Some(list) = list else { return Some(defaults()) };
    let items = list.list_of_some("name at least one network")?;
    let networks: Vec<Option<Enabled>> = items.iter().map(network).collect();
    let networks: Vec<Enabled> = networks.into_iter().collect::<Option<_>>()?;
    for (at, (enabled, item)) in networks.iter().zip(&items).enumerate() {
        if let Some(first) = networks[..at].iter().position(|other| other.network.id == enabled.network.id) {
            let problem = item.problem(format!("{} is here twice", enabled.network));
            return item.refuse(problem.and(&items[first].node.place, "first here"));
        }
        let same_name =
            |other: &&Enabled| other.network.v1_name.is_some() && other.network.v1_name == enabled.network.v1_name;
        if let Some(other) = networks[..at].iter().find(same_name) {
            let name = enabled.network.v1_name.as_deref().unwrap_or_default();
            return item.refuse(item.problem(format!("`{name}` is already the version 1 name of {}", other.network)));
        }
    }
    Some(networks)
}

/// What is to be said about real money.
pub(super) fn warnings(networks: &[Enabled]) -> Vec<String> {
    let main =
        networks.iter().filter(|enabled| enabled.network.stage == Stage::Main || is_known_main(&enabled.network.id));
    let warning = |enabled: &Enabled| {
        format!("{} is a main network: signatures by real keys are valid on the real chain", enabled.network)
    };
    main.map(warning).collect()
}

/// Whether some pair plays this asset.
pub(super) fn is_payable(network: &Network, asset: &Asset) -> bool {
    registry::PAIRS.iter().any(|pair| pair.family == network.family && pair.moves(asset))
}

fn defaults() -> Vec<Enabled> {
    let wanted = |network: &Network| network.stage == Stage::Test && registry::is_payable(network);
    registry::networks().into_iter().filter(wanted).map(|network| Enabled { network, place: None }).collect()
}

fn is_known_main(id: &str) -> bool {
    registry::networks().iter().any(|network| network.id == id && network.stage == Stage::Main)
}

fn network(item: &Cursor<'_>) -> Option<Enabled> {
    let network = match item.node.value {
        super::tree::Value::Mapping(_) => own(&item.fields(keys::NETWORK)?)?,
        _ => known(item)?,
    };
    if !registry::is_payable(&network) {
        return item.refuse(item.problem(format!("nothing can pay on {network}")));
    }
    Some(Enabled { network, place: Some(item.node.place.clone()) })
}

/// A known network by its CAIP-2 id or its version 1 name.
fn known(item: &Cursor<'_>) -> Option<Network> {
    let text = item.text()?;
    let known = registry::networks();
    if let Some(network) = known.iter().find(|network| network.is_called(text)) {
        return Some(network.clone());
    }
    let define = "define it: {id: \"eip155:...\", assets: [{address, symbol, name, version, decimals}]}";
    if assets::v1_chain_id(text).is_some() || eip155::chain_id(text).is_some() {
        let problem = item.problem(format!("no asset is known on the network `{text}`"));
        return item.refuse(problem.hinted(define));
    }
    let problem = item.problem(format!("there is no network `{text}`"));
    let names = known.iter().flat_map(|network| [Some(&network.id), network.v1_name.as_ref()]).flatten();
    let near = nearest(text, names.map(String::as_str));
    item.refuse(match near {
        Some(name) => problem.hinted(format!("did you mean `{name}`?")),
        None => problem.hinted("name a CAIP-2 id such as `eip155:84532`, or a version 1 name such as `base-sepolia`"),
    })
}

fn own(fields: &Fields<'_>) -> Option<Network> {
    let id = fields.require("id").and_then(|id| chain(&id));
    let assets = fields.require("assets").and_then(|list| own_assets(&list));
    let stage = fields.get("stage").map(|stage| stage.choice(&[("test", Stage::Test), ("main", Stage::Main)]));
    let name = fields.get("name").map(|name| non_empty(&name));
    let v1_name = fields.get("v1_name");
    let (id, chain_id) = id?;
    let v1_name = match v1_name {
        Some(name) => Some(own_v1_name(&name, chain_id)?),
        None => assets::v1_name(chain_id).map(str::to_owned),
    };
    let known = registry::networks().into_iter().find(|network| network.id == id);
    let default_name = known.as_ref().map_or_else(|| format!("chain {chain_id}"), |network| network.name.clone());
    let default_stage = known.map_or(Stage::Test, |network| network.stage);
    Some(Network {
        name: name.unwrap_or(Some(default_name))?,
        v1_name,
        stage: stage.unwrap_or(Some(default_stage))?,
        family: Family::Eip155,
        assets: assets?,
        id,
    })
}

/// A CAIP-2 id of the `eip155` family, in its canonical form.
fn chain(id: &Cursor<'_>) -> Option<(String, u64)> {
    let text = id.text()?;
    if let Some(chain) = eip155::chain_id(text).filter(|chain| *chain > 0 && format!("eip155:{chain}") == text) {
        return Some((text.to_owned(), chain));
    }
    let problem = id.problem(format!("`{text}` is not the id of an EVM network"));
    id.refuse(problem.hinted("write `eip155:` and the chain id, such as `eip155:31337`"))
}

fn own_v1_name(name: &Cursor<'_>, chain_id: u64) -> Option<String> {
    let text = non_empty(name)?;
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        let message = format!("`{text}` is no version 1 name: those have letters, digits, `-`, `_` and `.`");
        return name.refuse(name.problem(message));
    }
    match registry::networks().iter().find(|network| network.v1_name.as_ref() == Some(&text)) {
        Some(other) if other.chain_id() != Some(chain_id) => {
            name.refuse(name.problem(format!("`{text}` is the version 1 name of {other}")))
        }
        _ => Some(text),
    }
}

fn own_assets(list: &Cursor<'_>) -> Option<Vec<Asset>> {
    let items = list.list_of_some("a network needs at least one asset")?;
    let assets: Vec<Option<Asset>> = items.iter().map(own_asset).collect();
    let assets: Vec<Asset> = assets.into_iter().collect::<Option<_>>()?;
    for (at, (asset, item)) in assets.iter().zip(&items).enumerate() {
        let same = |other: &Asset| other.address == asset.address || other.symbol.eq_ignore_ascii_case(&asset.symbol);
        if let Some(first) = assets[..at].iter().position(same) {
            let problem = item.problem("an asset with this symbol or address is already there");
            return item.refuse(problem.and(&items[first].node.place, "first here"));
        }
    }
    Some(assets)
}

fn own_asset(item: &Cursor<'_>) -> Option<Asset> {
    let fields = item.fields(keys::ASSET)?;
    let address = fields.require("address").and_then(|text| address(&text));
    let symbol = fields.require("symbol").and_then(|text| symbol(&text));
    let name = fields.require("name").and_then(|name| non_empty(&name));
    let version = fields.require("version").and_then(|version| non_empty(&version));
    // Beyond 77 decimals, one unit is more than 256 bits of atomic units.
    let decimals = fields.require("decimals").and_then(|text| u8::try_from(text.number(0..=77)?).ok());
    let transfers = [("eip3009", Transfer::Eip3009), ("permit2", Transfer::Permit2)];
    let transfer = fields.get("transfer").map_or(Some(Transfer::Eip3009), |transfer| transfer.choice(&transfers));
    let eip2612 = fields.get("eip2612").map_or(Some(true), |it| it.choice(&[("true", true), ("false", false)]));
    Some(Asset {
        address: address?,
        symbol: symbol?,
        name: name?,
        version: version?,
        decimals: decimals?,
        transfer: transfer?,
        eip2612: eip2612?,
    })
}

fn symbol(cursor: &Cursor<'_>) -> Option<String> {
    let text = non_empty(cursor)?;
    let is_ticker = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    if text.eq_ignore_ascii_case("USD") {
        return cursor
            .refuse(cursor.problem("`USD` means the first asset of a network, it cannot be the symbol of one"));
    }
    if is_ticker {
        return Some(text);
    }
    cursor.refuse(cursor.problem(format!("`{text}` is no symbol: those have letters, digits and points")))
}

/// A 20-byte address with its checksum; a wrong checksum is refused by naming the right one.
pub(super) fn address(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let Some(address) = eip155::parse_address(text) else {
        let problem = cursor.problem(format!("`{text}` is not an address"));
        return cursor.refuse(problem.hinted(format!("write {}", Family::Eip155.row().form)));
    };
    let right = eip155::checksum(address);
    let upper = text[2..].bytes().all(|byte| !byte.is_ascii_lowercase());
    if eip155::is_strict_spelling(text, address) || upper {
        return Some(right);
    }
    let problem = cursor.problem(format!("the checksum of `{text}` is wrong"));
    cursor.refuse(problem.hinted(format!("with the right checksum it is `{right}`")))
}

/// An address of a network's family.
pub(super) fn address_on(cursor: &Cursor<'_>, network: &Network) -> Option<String> {
    if network.family == Family::Eip155 {
        return address(cursor);
    }
    let text = cursor.text()?;
    let row = network.family.row();
    if let Some(account) = (row.account)(text) {
        return Some((row.written)(account));
    }
    let problem = cursor.problem(format!("`{text}` is not an address on {network}"));
    cursor.refuse(problem.hinted(format!("write {}", row.form)))
}

fn non_empty(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    if text.is_empty() { cursor.refuse(cursor.problem("the text is empty")) } else { Some(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{loaded, problems};
    use super::*;

    #[test]
    fn the_default_is_every_test_network_that_can_be_paid_on() {
        let networks = loaded("").config.networks;
        assert_eq!(networks[0].id, "eip155:84532");
        assert!(networks.len() > 3);
        assert!(networks.iter().all(|network| network.stage == Stage::Test && registry::is_payable(network)));
    }

    #[test]
    fn networks_are_named_by_id_or_version_1_name() {
        let loaded = loaded("networks: [eip155:421614, base-sepolia]\n");
        let ids: Vec<&str> = loaded.config.networks.iter().map(|network| network.id.as_str()).collect();
        assert_eq!(ids, ["eip155:421614", "eip155:84532"]);
        assert_eq!(loaded.config.default_resource.accepts[0].network.id, "eip155:421614");
        assert!(loaded.warnings.is_empty());
    }

    #[test]
    fn main_networks_come_with_a_warning() {
        let own = "{id: eip155:1, stage: test, assets: [{address: 0x5FbDB2315678afecb367f032d93F642f64180aa3, symbol: A, name: A, version: 1, decimals: 6}]}";
        let loaded = loaded(&format!("networks: [base, {own}]\n"));
        insta::assert_snapshot!(loaded.warnings.join("\n"), @r"
            Base (eip155:8453) is a main network: signatures by real keys are valid on the real chain
            Ethereum (eip155:1) is a main network: signatures by real keys are valid on the real chain
        ");
    }

    #[test]
    fn own_networks_are_defined_whole() {
        let yaml = "
networks:
  - id: eip155:31337
    name: Anvil
    v1_name: anvil
    assets:
      - {address: '0x5FbDB2315678afecb367f032d93F642f64180aa3', symbol: TEST, name: Test, version: 1, decimals: 18}
      - {address: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512', symbol: P2, name: Two, version: '2', decimals: 6, transfer: permit2}
  - id: eip155:84532
    assets: [{address: '0X5FBDB2315678AFECB367F032D93F642F64180AA3', symbol: MINE, name: Mine, version: 1, decimals: 2}]
";
        let yaml = yaml.replace("0X5FBD", "0x5FBD");
        let config = loaded(&yaml).config;
        let [anvil, sepolia] = &config.networks[..] else { panic!("two networks") };
        assert_eq!((anvil.name.as_str(), anvil.v1_name.as_deref(), anvil.stage), ("Anvil", Some("anvil"), Stage::Test));
        assert_eq!(anvil.assets[1].address, "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512");
        assert_eq!((anvil.assets[0].version.as_str(), anvil.assets[0].transfer), ("1", Transfer::Eip3009));
        assert_eq!(sepolia.assets.len(), 1);
        assert_eq!(sepolia.v1_name.as_deref(), Some("base-sepolia"));
        assert_eq!(sepolia.assets[0].address, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
        assert_eq!(config.default_resource.accepts[0].amount.to_string(), "10000000000000000");
    }

    #[test]
    fn networks_that_are_wrong_are_refused() {
        let files = [
            "networks: [base-sepola]\n",
            "networks: [tempo]\n",
            "networks: [sepolia]\n",
            "networks: ['eip155:31337']\n",
            "networks: [solana-devnt]\n",
            "networks: [base-sepolia, 'eip155:84532']\n",
            "networks: [{id: base}]\n",
            "networks: [{id: 'eip155:031', assets: []}]\n",
            "networks: [{id: 'eip155:5', stage: prod, name: '', assets: [{symbol: USD, decimals: 78}]}]\n",
        ];
        insta::assert_snapshot!(files.map(problems).join("\n"), @r#"
            .x402dev.yaml:1:12: networks[0]: there is no network `base-sepola` [did you mean `base-sepolia`?]
            .x402dev.yaml:1:12: networks[0]: there is no network `tempo` [name a CAIP-2 id such as `eip155:84532`, or a version 1 name such as `base-sepolia`]
            .x402dev.yaml:1:12: networks[0]: no asset is known on the network `sepolia` [define it: {id: "eip155:...", assets: [{address, symbol, name, version, decimals}]}]
            .x402dev.yaml:1:12: networks[0]: no asset is known on the network `eip155:31337` [define it: {id: "eip155:...", assets: [{address, symbol, name, version, decimals}]}]
            .x402dev.yaml:1:12: networks[0]: there is no network `solana-devnt` [did you mean `solana-devnet`?]
            .x402dev.yaml:1:26: networks[1]: Base Sepolia (eip155:84532) is here twice
            .x402dev.yaml:1:12: networks[0]: the key `assets` is missing here
            .x402dev.yaml:1:17: networks[0].id: `base` is not the id of an EVM network [write `eip155:` and the chain id, such as `eip155:31337`]
            .x402dev.yaml:1:17: networks[0].id: `eip155:031` is not the id of an EVM network [write `eip155:` and the chain id, such as `eip155:31337`]
            .x402dev.yaml:1:39: networks[0].assets: the list is empty; a network needs at least one asset
            .x402dev.yaml:1:36: networks[0].stage: `prod` is not one of `test` and `main`
            .x402dev.yaml:1:48: networks[0].name: the text is empty
            .x402dev.yaml:1:61: networks[0].assets[0]: the key `address` is missing here
            .x402dev.yaml:1:61: networks[0].assets[0]: the key `name` is missing here
            .x402dev.yaml:1:61: networks[0].assets[0]: the key `version` is missing here
            .x402dev.yaml:1:70: networks[0].assets[0].symbol: `USD` means the first asset of a network, it cannot be the symbol of one
            .x402dev.yaml:1:85: networks[0].assets[0].decimals: `78` is not a whole number from 0 to 77
        "#);
    }

    #[test]
    fn own_definitions_that_are_wrong_are_refused() {
        let asset = |text: &str| format!("networks:\n- id: eip155:31337\n  assets: [{text}]\n");
        let good = "address: '0x5FbDB2315678afecb367f032d93F642f64180aa3', name: T, version: 1, decimals: 6";
        let files = [
            asset(
                "{address: '0x5fbDB2315678afecb367f032d93F642f64180aa3', symbol: T, name: T, version: 1, decimals: 6}",
            ),
            asset("{address: '0x5F', symbol: T, name: T, version: 1, decimals: 6}"),
            asset(&format!("{{symbol: A B, {good}}}")),
            asset(&format!("{{symbol: A, {good}}}, {{symbol: a, {good}}}")),
            asset(&format!("{{symbol: A, transfer: permit2, eip2612: perhaps, {good}}}")),
            asset(&format!("{{symbol: A, {good}}}")).replace("  assets", "  v1_name: base\n  assets"),
            asset(&format!("{{symbol: A, {good}}}")).replace("  assets", "  v1_name: 'a:b'\n  assets"),
            format!(
                "{0}{1}",
                asset(&format!("{{symbol: A, {good}}}")),
                asset(&format!("{{symbol: A, {good}}}")).replace("networks:\n", "")
            ),
        ];
        insta::assert_snapshot!(files.map(|yaml| problems(&yaml)).join("\n"), @r"
            .x402dev.yaml:3:22: networks[0].assets[0].address: the checksum of `0x5fbDB2315678afecb367f032d93F642f64180aa3` is wrong [with the right checksum it is `0x5FbDB2315678afecb367f032d93F642f64180aa3`]
            .x402dev.yaml:3:22: networks[0].assets[0].address: `0x5F` is not an address [write `0x` and 40 hexadecimal digits]
            .x402dev.yaml:3:21: networks[0].assets[0].symbol: `A B` is no symbol: those have letters, digits and points
            .x402dev.yaml:3:114: networks[0].assets[1]: an asset with this symbol or address is already there
            .x402dev.yaml:3:52: networks[0].assets[0].eip2612: `perhaps` is not one of `true` and `false`
            .x402dev.yaml:3:12: networks[0].v1_name: `base` is the version 1 name of Base (eip155:8453)
            .x402dev.yaml:3:12: networks[0].v1_name: `a:b` is no version 1 name: those have letters, digits, `-`, `_` and `.`
            .x402dev.yaml:4:3: networks[1]: chain 31337 (eip155:31337) is here twice
        ");
    }
}
