//! Payments, really signed by the test accounts: right ones, and wrong ones that are wrong in one thing.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use x402_sim::accounts::{FACILITATOR, TestAccount, test_accounts};
use x402_sim::networks::eip155::assets::v1_chain_id;
use x402_sim::networks::eip155::eip712::{Authorization, Domain};
use x402_sim::networks::eip155::signature::Ecdsa;
use x402_sim::networks::eip155::transaction::{Transaction, transfer_calldata};
use x402_sim::networks::eip155::{chain_id, parse_address, secp};
use x402_sim::{Address, B256, U256};
use x402_wire::amount::parse_atomic;

/// USDC on Base Sepolia.
pub(crate) const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

/// The merchant: account 9.
pub(crate) const MERCHANT: &str = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";

/// What a resource at the default price asks in version 2.
pub(crate) fn requirements() -> Value {
    json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": USDC, "payTo": MERCHANT,
        "maxTimeoutSeconds": 300, "extra": {"name": "USDC", "version": "2"},
    })
}

/// What a resource at the default price asks in version 1.
pub(crate) fn requirements_v1() -> Value {
    json!({
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000", "asset": USDC, "payTo": MERCHANT,
        "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"}, "resource": "http://api.test/a",
        "description": "", "mimeType": "application/json",
    })
}

/// The test account with an index.
pub(crate) fn account(index: usize) -> TestAccount {
    test_accounts().nth(index).unwrap()
}

/// The second that it is now.
pub(crate) fn now() -> u64 {
    x402_dev::clock::now() / 1000
}

/// A body for the facilitator.
pub(crate) fn request(payload: &Value, requirements: &Value) -> Value {
    json!({"x402Version": payload["x402Version"], "paymentPayload": payload, "paymentRequirements": requirements})
}

/// A payment in the making. What is not said follows from the requirements, as in the official clients.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    requirements: Value,
    account: TestAccount,
    authorization: Authorization,
    domain: (String, String, u64, Address),
}

impl Payment {
    /// A payment of what these requirements of either version ask, by account 0.
    pub(crate) fn of(requirements: &Value) -> Self {
        static NONCE: AtomicU64 = AtomicU64::new(1);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let address = |value: &Value| parse_address(value.as_str().unwrap_or_default()).unwrap_or_default();
        let network = text(&requirements["network"]);
        let amount = requirements.get("amount").unwrap_or(&requirements["maxAmountRequired"]);
        let account = account(0);
        let authorization = Authorization {
            from: account.evm(),
            to: address(&requirements["payTo"]),
            value: parse_atomic(&text(amount)).unwrap_or_default(),
            valid_after: U256::ZERO,
            valid_before: U256::from(now() + requirements["maxTimeoutSeconds"].as_u64().unwrap_or(60)),
            nonce: B256::from(U256::from(NONCE.fetch_add(1, Ordering::Relaxed))),
        };
        let chain = chain_id(&network).or_else(|| v1_chain_id(&network)).unwrap_or_default();
        let extra = &requirements["extra"];
        let domain = (text(&extra["name"]), text(&extra["version"]), chain, address(&requirements["asset"]));
        Self { requirements: requirements.clone(), account, authorization, domain }
    }

    pub(crate) fn by(self, index: usize) -> Self {
        self.by_account(account(index))
    }

    /// Is paid by any test account or persona.
    pub(crate) fn by_account(mut self, account: TestAccount) -> Self {
        self.account = account;
        self.authorization.from = self.account.evm();
        self
    }

    /// Names a payer whose key nobody here has.
    pub(crate) fn from(mut self, from: Address) -> Self {
        self.authorization.from = from;
        self
    }

    pub(crate) fn to(mut self, to: Address) -> Self {
        self.authorization.to = to;
        self
    }

    pub(crate) fn value(mut self, value: U256) -> Self {
        self.authorization.value = value;
        self
    }

    pub(crate) fn valid_before(mut self, second: u64) -> Self {
        self.authorization.valid_before = U256::from(second);
        self
    }

    pub(crate) fn valid_after(mut self, second: u64) -> Self {
        self.authorization.valid_after = U256::from(second);
        self
    }

    /// Signs under another domain name than the requirements'.
    pub(crate) fn domain_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.domain.0);
        self
    }

    /// Signs under another domain version than the requirements'.
    pub(crate) fn domain_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.domain.1);
        self
    }

    /// Signs for another chain than the requirements'.
    pub(crate) fn chain(mut self, id: u64) -> Self {
        self.domain.2 = id;
        self
    }

    /// The 65 bytes of the signature.
    pub(crate) fn signature(&self) -> [u8; 65] {
        let (name, version, chain_id, contract) = &self.domain;
        let domain = Domain { name, version, chain_id: *chain_id, contract: *contract };
        let digest = self.authorization.digest(domain.separator());
        let (compact, parity) = secp::sign(digest, &self.account.key_bytes());
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = 27 + parity;
        bytes
    }

    /// The hash of the transaction by which the facilitator settles this, as its `nonce`-th on the chain.
    pub(crate) fn transaction(&self, nonce: u64) -> String {
        let signature = self.signature();
        let compact = std::array::from_fn(|place| signature[place]);
        let input = transfer_calldata(&self.authorization, &Ecdsa { compact, v: signature[64] });
        let (_, _, chain_id, to) = self.domain;
        let signed = Transaction { chain_id, nonce, to, input }.sign(&account(FACILITATOR).key_bytes());
        signed.hash.to_string()
    }

    fn body(&self) -> Value {
        let Authorization { from, to, value, valid_after, valid_before, nonce } = self.authorization;
        json!({
            "signature": hex(&self.signature()),
            "authorization": {
                "from": from.to_string(), "to": to.to_string(), "value": value.to_string(),
                "validAfter": valid_after.to_string(), "validBefore": valid_before.to_string(),
                "nonce": nonce.to_string(),
            },
        })
    }

    /// The payload of version 2.
    pub(crate) fn v2(&self) -> Value {
        json!({
            "x402Version": 2, "accepted": self.requirements, "payload": self.body(),
            "resource": {"url": "http://api.test/a", "description": "", "mimeType": "application/json"},
        })
    }

    /// The payload of version 1.
    pub(crate) fn v1(&self) -> Value {
        let (scheme, network) = (&self.requirements["scheme"], &self.requirements["network"]);
        json!({"x402Version": 1, "scheme": scheme, "network": network, "payload": self.body()})
    }

    /// The payload in the version that the requirements speak.
    pub(crate) fn payload(&self) -> Value {
        if self.requirements.get("amount").is_some() { self.v2() } else { self.v1() }
    }

    /// The body for the facilitator.
    pub(crate) fn request(&self) -> Value {
        request(&self.payload(), &self.requirements)
    }
}

/// A payload as it travels in a header.
pub(crate) fn encoded(payload: &Value) -> String {
    x402_wire::header::encode(payload)
}

/// `0x` and the digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{}", digits.concat())
}
