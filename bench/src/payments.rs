//! Payments, really signed: the bodies of requests to a facilitator.

use alloy_primitives::{Address, B256, U256, address, hex, keccak256};
use serde_json::json;
use x402_dev::clock;
use x402_sim::networks::eip155::checksum;
use x402_sim::networks::eip155::eip712::{Authorization, Domain};
use x402_sim::networks::eip155::secp;

use crate::kinds::whole;

/// The network of every payment.
pub(crate) const NETWORK: &str = "eip155:84532";

/// Who is paid: test account 9.
pub(crate) const MERCHANT: Address = address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720");

/// USDC on Base Sepolia.
pub(crate) const TOKEN: Domain<'static> = Domain {
    name: "USDC",
    version: "2",
    chain_id: 84532,
    contract: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
};

/// How long payments are valid, in seconds: longer than any run.
const LIFETIME: u64 = 3600;

/// Whether the payer signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// The payer.
    Payer,
    /// Somebody else: the worst case of a refusal, since every likely mistake is tried.
    Stranger,
}

/// Payers with keys of their own, and the number of the next authorization.
#[derive(Debug)]
pub(crate) struct Till {
    payers: Vec<Payer>,
    separator: B256,
    issued: u64,
}

#[derive(Debug)]
struct Payer {
    key: [u8; 32],
    address: Address,
}

impl Till {
    /// A till with so many payers.
    pub(crate) fn new(payers: u32) -> Self {
        let payers = (0..payers).map(|number| Payer::new(&format!("payer {number}"))).collect();
        Self { payers, separator: TOKEN.separator(), issued: 0 }
    }

    /// The body of a request to verify or settle a payment that nobody has seen before.
    pub(crate) fn body(&mut self, signer: Signer) -> String {
        let (authorization, compact, parity) = self.signed(signer);
        render(&authorization, &hex::encode_prefixed(whole(&compact, parity)))
    }

    /// The number of a payment of another kind.
    pub(crate) fn number(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    /// An authorization that nobody has seen before, and its signature.
    pub(crate) fn signed(&mut self, signer: Signer) -> (Authorization, [u8; 64], u8) {
        let payers = u64::try_from(self.payers.len()).expect("a length fits");
        let index = usize::try_from(self.issued % payers).expect("it is smaller than a length");
        let payer = &self.payers[index];
        let authorization = Authorization {
            from: payer.address,
            to: MERCHANT,
            value: U256::from(10_000),
            valid_after: U256::ZERO,
            valid_before: U256::from(clock::now() / 1000 + LIFETIME),
            nonce: keccak256(format!("nonce {} of {}", self.issued, std::process::id())),
        };
        self.issued += 1;
        let key = match signer {
            Signer::Payer => payer.key,
            Signer::Stranger => keccak256("a stranger").0,
        };
        let (compact, parity) = secp::sign(authorization.digest(self.separator), &key);
        (authorization, compact, parity)
    }
}

impl Payer {
    fn new(name: &str) -> Self {
        let key = keccak256(name).0;
        let digest = keccak256("who am I?");
        let (compact, parity) = secp::sign(digest, &key);
        let address = secp::recover(digest, &compact, parity).expect("the signature was made just now");
        Self { key, address }
    }
}

/// The request as the official clients and servers write it: about 1.5 KB.
pub(crate) fn render(authorization: &Authorization, signature: &str) -> String {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = authorization;
    let requirements = json!({
        "scheme": "exact",
        "network": NETWORK,
        "amount": value.to_string(),
        "asset": checksum(TOKEN.contract),
        "payTo": checksum(MERCHANT),
        "maxTimeoutSeconds": 300,
        "extra": { "name": TOKEN.name, "version": TOKEN.version },
    });
    let resource = json!({
        "url": "http://api.example.com/v1/weather/forecast?city=Lisbon&days=7",
        "description": "The weather of the next seven days for a city, with wind, rain and temperature by the hour, as \
                        our stations measured it and our models foresee it",
        "mimeType": "application/json",
    });
    let input = json!({ "type": "http", "method": "GET", "queryParams": { "city": "Lisbon", "days": "7" } });
    let output = json!({ "type": "json", "example": { "city": "Lisbon", "days": [{ "high": 24, "low": 17 }] } });
    let body = json!({
        "x402Version": 2,
        "paymentPayload": {
            "x402Version": 2,
            "resource": resource,
            "extensions": { "bazaar": { "info": { "input": input, "output": output } } },
            "accepted": requirements,
            "payload": {
                "signature": signature,
                "authorization": {
                    "from": checksum(*from),
                    "to": checksum(*to),
                    "value": value.to_string(),
                    "validAfter": valid_after.to_string(),
                    "validBefore": valid_before.to_string(),
                    "nonce": nonce.to_string(),
                },
            },
        },
        "paymentRequirements": requirements,
    });
    body.to_string()
}

#[cfg(test)]
mod tests {
    use x402_dev::config::Config;
    use x402_sim::facilitator::judge;
    use x402_sim::fault::Mode;
    use x402_sim::order::Depth;
    use x402_wire::facilitator::FacilitatorRequest;

    use super::*;
    use crate::settlements::world;

    #[test]
    fn a_payer_is_believed_and_a_stranger_is_not() {
        let chain = world(&Config::defaults()).unwrap().chain();
        let mut till = Till::new(2);
        let mut verdict = |signer| {
            let body = till.body(signer);
            assert!((1_300..1_700).contains(&body.len()), "{}", body.len());
            let request = FacilitatorRequest::parse(body.as_bytes()).unwrap();
            judge(&request, &chain, clock::now() / 1000, Depth::Verify, Mode::Strict).is_ok()
        };
        assert!(verdict(Signer::Payer));
        assert!(!verdict(Signer::Stranger));
    }
}
