//! Payments as official clients make them, with every part open to change.

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Value, json};
use x402_sim::accounts::test_accounts;
use x402_sim::chain::Chain;
use x402_sim::facilitator::{self, Approved, Refusal};
use x402_sim::fault::Mode;
use x402_sim::networks::eip155::eip712::{Authorization, Domain};
use x402_sim::networks::eip155::{checksum, parse_address, secp};
use x402_sim::networks::{Asset, Network};
use x402_sim::order::Depth;
use x402_sim::registry::Version;
use x402_wire::facilitator::FacilitatorRequest;

/// The clock of the tests, in seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A payment before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) payer: usize,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) asked: U256,
    pub(crate) nonce: B256,
    pub(crate) valid_before: u64,
    pub(crate) version: Version,
    pub(crate) network: Network,
    pub(crate) asset: Asset,
    /// The domain that the client signs for, where it is not the asset's own: name, version, chain id, contract.
    pub(crate) signed_for: (String, String, u64, Address),
    /// What `extra` says.
    pub(crate) extra: (String, String),
}

impl Template {
    /// A good payment of 10,000 atomic units on a network, from account 0 to the merchant.
    pub(crate) fn new(network: &Network) -> Self {
        let asset = network.assets[0].clone();
        let contract = parse_address(&asset.address).unwrap();
        Self {
            payer: 0,
            to: test_accounts().nth(9).unwrap().evm(),
            value: U256::from(10_000),
            asked: U256::from(10_000),
            nonce: B256::repeat_byte(1),
            valid_before: NOW + 60,
            version: Version::V2,
            signed_for: (asset.name.clone(), asset.version.clone(), network.chain_id().unwrap(), contract),
            extra: (asset.name.clone(), asset.version.clone()),
            network: network.clone(),
            asset,
        }
    }

    /// Signs it, and says what the resource asks: the body of a request.
    pub(crate) fn body(&self) -> Value {
        let account = test_accounts().nth(self.payer).unwrap();
        let authorization = Authorization {
            from: account.evm(),
            to: self.to,
            value: self.value,
            valid_after: U256::ZERO,
            valid_before: U256::from(self.valid_before),
            nonce: self.nonce,
        };
        let (name, version, chain_id, contract) = &self.signed_for;
        let domain = Domain { name, version, chain_id: *chain_id, contract: *contract };
        let (compact, parity) = secp::sign(authorization.digest(domain.separator()), &account.key_bytes());
        let signed = json!({
            "signature": format!("0x{}{:02x}", hex::encode(compact), 27 + parity),
            "authorization": {
                "from": checksum(authorization.from), "to": checksum(authorization.to),
                "value": authorization.value.to_string(), "validAfter": "0",
                "validBefore": self.valid_before.to_string(), "nonce": authorization.nonce.to_string(),
            }
        });
        let (asset, pay_to, amount) = (&self.asset.address, checksum(self.to), self.asked.to_string());
        let extra = json!({"name": self.extra.0, "version": self.extra.1});
        match self.version {
            Version::V2 => {
                let asked = json!({
                    "scheme": "exact", "network": self.network.id, "amount": amount, "asset": asset, "payTo": pay_to,
                    "maxTimeoutSeconds": 300, "extra": extra,
                });
                json!({"paymentPayload": {"x402Version": 2, "accepted": asked, "payload": signed},
                       "paymentRequirements": asked})
            }
            Version::V1 => {
                let name = self.network.v1_name.as_deref().unwrap();
                let asked = json!({
                    "scheme": "exact", "network": name, "maxAmountRequired": amount, "asset": asset, "payTo": pay_to,
                    "maxTimeoutSeconds": 60, "extra": extra, "resource": "http://a/", "description": "", "mimeType": "",
                });
                json!({"paymentPayload": {"x402Version": 1, "scheme": "exact", "network": name, "payload": signed},
                       "paymentRequirements": asked})
            }
        }
    }
}

/// What is thought of the body of a request, at the clock of the tests.
pub(crate) fn judge(body: &Value, chain: &Chain, depth: Depth, mode: Mode) -> Result<Approved, Box<Refusal>> {
    let body = body.to_string();
    let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
    facilitator::judge(&request, chain, NOW, depth, mode)
}
