//! Longer pieces of lines: how the SDKs register a scheme, and how they offer.

use super::Case;
use crate::networks::Family;
use crate::networks::eip155::parse_address;
use crate::registry::Version;

impl Case<'_> {
    /// The piece of a name.
    pub(super) fn phrase(&self, name: &str) -> String {
        let network = self.called();
        let scheme = match (self.network.family, self.is_upto()) {
            (Family::Solana, _) => "ExactSvmScheme",
            (_, true) => "UptoEvmScheme",
            (_, false) => "ExactEvmScheme",
        };
        let word = if self.is_upto() { "upto" } else { "exact" };
        let (units, whole) = self.amount();
        let address = self.value("asset");
        let is_default = self.network.assets.first().is_none_or(|first| first.address == address);
        let price = |opening: &str, is: &str, closing: &str| {
            let by_asset = || format!("{opening}amount{is}\"{units}\", asset{is}\"{address}\"{closing}");
            if is_default { format!("\"${whole}\"") } else { by_asset() }
        };
        match (name, self.version) {
            _ if ["move_", "to_", "until_", "witness_"].iter().any(|head| name.starts_with(head)) => {
                self.transfer(name)
            }
            ("own_asset" | "own_name" | "own_version", _) => self.own_asset(name),
            ("price_ts", _) => price("{ ", ": ", " }"),
            ("price_py", _) => price("AssetAmount(", "=", ")"),
            ("register_ts", Version::V1) => format!(
                "client.registerV1(\"{network}\", new {scheme}V1(signer)); // from \"@x402/{}/exact/v1/client\"",
                if self.network.family == Family::Solana { "svm" } else { "evm" }
            ),
            ("register_ts", Version::V2) => format!("client.register(\"{network}\", new {scheme}(signer));"),
            ("register_py", Version::V1) => format!("client.register_v1(\"{network}\", {scheme}V1(signer))"),
            ("register_py", Version::V2) => format!("client.register(\"{network}\", {scheme}(signer))"),
            ("register_go", Version::V1) => format!("client.RegisterV1(\"{network}\", New{scheme}V1(signer))"),
            ("register_go", Version::V2) => format!("client.Register(\"{network}\", New{scheme}(signer))"),
            ("entry_ts", Version::V1) => format!(
                "paymentMiddleware(payTo, {{ \"GET /report\": {{ price: {}, network: \"{network}\" }} }})",
                price("{ ", ": ", " }")
            ),
            ("entry_ts", Version::V2) => format!(
                "accepts: {{ scheme: \"{word}\", price: {}, network: \"{network}\", payTo }}",
                price("{ ", ": ", " }")
            ),
            ("entry_py", Version::V1) => {
                format!("require_payment(price=\"${whole}\", pay_to_address=pay_to, network=\"{network}\")")
            }
            ("entry_py", Version::V2) => format!(
                "PaymentOption(scheme=\"{word}\", price={}, network=\"{network}\", pay_to=pay_to)",
                price("AssetAmount(", "=", ")")
            ),
            ("entry_go", _) => format!(
                "x402http.PaymentOption{{Scheme: \"{word}\", Price: \"${whole}\", Network: \"{network}\", PayTo: payTo}}"
            ),
            _ => String::new(),
        }
    }

    /// A part of the asset that is asked for, also where no table has it: its contract tells the rest.
    fn own_asset(&self, name: &str) -> String {
        let said = self.text("asset").filter(|own| parse_address(own).is_some());
        let unknown = said.filter(|own| self.network.asset_by_address(own).is_none());
        match (name, unknown) {
            ("own_asset", Some(own)) => own.to_owned(),
            ("own_name", Some(_)) => "what its name() says".to_owned(),
            ("own_version", Some(_)) => "what its version() says".to_owned(),
            _ => self.value(name.trim_start_matches("own_")),
        }
    }
}
