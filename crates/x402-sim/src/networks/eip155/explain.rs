//! What typed data and raw transactions of this family say.

use alloy_primitives::{B256, U256, hex};
use serde_json::Value;

use super::eip712::{Authorization, Domain};
use super::raw::RawTransaction;
use super::{abi, contracts};
use super::{checksum, parse_address};
use crate::explain::draw::{rest, shown, units, who};
use crate::explain::explanation::Section;
use crate::explain::finding::Finding;
use crate::explain::names;
use x402_wire::amount::parse_atomic;

/// Functions that x402 calls, as the contracts' own tables declare them, with a name for people and those of their
/// arguments.
const FUNCTIONS: [(&str, &str, &[&str]); 11] = [
    ("transfer(address,uint256)", "transfer", &["to", "amount"]),
    ("approve(address,uint256)", "approve", &["spender", "amount"]),
    ("transferFrom(address,address,uint256)", "transferFrom", &["from", "to", "amount"]),
    (
        "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
        "transferWithAuthorization",
        &["from", "to", "value", "validAfter", "validBefore", "nonce", "v", "r", "s"],
    ),
    (
        "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
        "transferWithAuthorization",
        &["from", "to", "value", "validAfter", "validBefore", "nonce"],
    ),
    (
        "cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)",
        "cancelAuthorization",
        &["authorizer", "nonce", "v", "r", "s"],
    ),
    (
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        "permit",
        &["owner", "spender", "value", "deadline", "v", "r", "s"],
    ),
    (
        "settle(((address,uint256),uint256,uint256),address,(address,uint256),bytes)",
        "settle (x402 proxy of exact)",
        &["token", "amount", "nonce", "deadline", "owner", "to", "validAfter"],
    ),
    (
        "settle(((address,uint256),uint256,uint256),uint256,address,(address,address,uint256),bytes)",
        "settle (x402 proxy of upto)",
        &["token", "permitted", "nonce", "deadline", "amount", "owner", "to", "facilitator", "validAfter"],
    ),
    (
        "settleWithPermit((uint256,uint256,bytes32,bytes32,uint8),((address,uint256),uint256,uint256),address,(address,uint256),bytes)",
        "settleWithPermit (x402 proxy of exact)",
        &[],
    ),
    (
        "settleWithPermit((uint256,uint256,bytes32,bytes32,uint8),((address,uint256),uint256,uint256),uint256,address,(address,address,uint256),bytes)",
        "settleWithPermit (x402 proxy of upto)",
        &[],
    ),
];

/// Typed data of EIP-712, as wallets are asked to sign it.
pub(crate) fn typed_data(value: &Value, now: u64) -> Vec<Section> {
    let (domain, message) = (value.get("domain").unwrap_or(&Value::Null), value.get("message").unwrap_or(&Value::Null));
    let chain = domain.get("chainId").map(shown).unwrap_or_default();
    let network = format!("eip155:{chain}");
    let mut first = Section::new("domain");
    for (key, member) in domain.as_object().into_iter().flatten() {
        let meaning = match key.as_str() {
            "chainId" => units::network(&network).map(|own| own.name).unwrap_or_default(),
            _ => who(Some(member), Some(&network)),
        };
        first.add(key.clone(), shown(member), meaning);
    }
    let kind = value.get("primaryType").and_then(Value::as_str).unwrap_or_default();
    let mut second = Section::new(format!("message ({})", x402_wire::shape::shorten(kind)));
    let contract = domain.get("verifyingContract").and_then(Value::as_str).unwrap_or_default();
    let asset = units::asset(&network, contract);
    for (key, member) in message.as_object().into_iter().flatten() {
        let text = shown(member);
        let meaning = match key.as_str() {
            "value" | "amount" => units::amount(&text, asset.as_ref()),
            "validAfter" | "validBefore" | "deadline" => units::time(&text, now),
            _ => who(Some(member), Some(&network)),
        };
        second.add(key.clone(), text, meaning);
    }
    let mut third = Section::new("signing");
    if let Some(digest) = digest(domain, kind, message) {
        third.add("digest", digest.to_string(), "what is signed");
    }
    rest(&mut third, value, &["domain", "message", "types", "primaryType"], "");
    [first, second, third].into_iter().filter(|section| !section.fields.is_empty()).collect()
}

/// What is likely wrong with typed data for an asset that is known. Nothing is signed yet, so that nothing is proven.
pub(crate) fn doubts(value: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let text = |key: &str| value.pointer(&format!("/domain/{key}")).map(shown).unwrap_or_default();
    let (chain, contract) = (text("chainId"), text("verifyingContract"));
    let known = units::asset(&format!("eip155:{chain}"), &contract);
    if let Some(asset) = &known {
        for (key, id, right) in
            [("name", "wrong_domain_name", &asset.name), ("version", "wrong_domain_version", &asset.version)]
        {
            let said = text(key);
            if said != *right {
                let seen = format!("domain.{key} is \"{said}\", that of {} there is \"{right}\"", asset.symbol);
                all.push(Finding::new(id).at(format!("domain.{key}")).seen(seen));
            }
        }
    } else if let Some(name) = parse_address(&contract).and_then(|_| names::of(&contract, None)) {
        let seen = format!("domain.chainId is {chain}, and the contract is {name}");
        all.push(Finding::new("wrong_chain_id").at("domain.chainId").seen(seen));
    }
    if value.get("primaryType").and_then(Value::as_str) == Some("ReceiveWithAuthorization") {
        all.push(Finding::new("wrong_primary_type").at("primaryType"));
    }
    let members = value.pointer("/types/EIP712Domain").and_then(Value::as_array).map(Vec::len);
    if known.is_some() && members.is_some_and(|members| members < 4) {
        let seen =
            format!("types.EIP712Domain has {} members, and the token's domain has 4", members.unwrap_or_default());
        all.push(Finding::new("domain_types").at("types.EIP712Domain").seen(seen));
    }
    all
}

/// The digest of a transfer's authorization.
fn digest(domain: &Value, kind: &str, message: &Value) -> Option<B256> {
    if kind != "TransferWithAuthorization" {
        return None;
    }
    let text = |of: &Value, key: &str| {
        of.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let number = |key: &str| text(message, key).as_deref().and_then(parse_atomic);
    let authorization = Authorization {
        from: parse_address(&text(message, "from")?)?,
        to: parse_address(&text(message, "to")?)?,
        value: number("value")?,
        valid_after: number("validAfter")?,
        valid_before: number("validBefore")?,
        nonce: text(message, "nonce")?.parse().ok()?,
    };
    let (name, version) = (text(domain, "name")?, text(domain, "version")?);
    let chain_id = text(domain, "chainId")?.parse().ok()?;
    let contract = parse_address(&text(domain, "verifyingContract")?)?;
    let domain = Domain { name: &name, version: &version, chain_id, contract };
    Some(authorization.digest(domain.separator()))
}

/// A signed transaction.
pub(crate) fn transaction(bytes: &[u8], now: u64) -> Vec<Section> {
    let mut section = Section::new("transaction");
    let raw = match RawTransaction::decode(bytes) {
        Ok(raw) => raw,
        Err(error) => {
            section.add("transaction", format!("{} bytes", bytes.len()), error.to_string());
            return vec![section];
        }
    };
    let network = format!("eip155:{}", raw.chain_id);
    let gwei = |wei: U256| format!("{} gwei", x402_wire::amount::Decimal::from_atomic(wei, 9));
    section.add("hash", raw.hash.to_string(), "");
    section.add("chain id", raw.chain_id.to_string(), units::network(&network).map(|own| own.name).unwrap_or_default());
    section.add("sender", checksum(raw.sender), names::account(raw.sender).unwrap_or_default());
    match raw.to {
        Some(to) => section.add("to", checksum(to), names::of(&checksum(to), Some(&network)).unwrap_or_default()),
        None => section.add("to", "-", "it makes a contract"),
    }
    section.add("nonce", raw.nonce.to_string(), "how many transactions the sender made before");
    section.add(
        "value",
        raw.value.to_string(),
        format!("{} of the chain's coin", x402_wire::amount::Decimal::from_atomic(raw.value, 18)),
    );
    section.add("gas", raw.gas.to_string(), "");
    section.add("fee", raw.max_fee.to_string(), format!("{} a gas at most", gwei(raw.max_fee)));
    let mut all = vec![section];
    all.extend(call(&raw, &network, now));
    all
}

/// What a transaction calls.
fn call(raw: &RawTransaction, network: &str, now: u64) -> Option<Section> {
    let (selector, args) = abi::split(&raw.input)?;
    let declared = contracts::declared(selector);
    let Some((_, name, arguments)) = FUNCTIONS.iter().find(|(own, ..)| declared == Some(*own)) else {
        let mut section = Section::new("call");
        let meaning = declared.unwrap_or("a function that is not known here");
        section.add("selector", hex::encode_prefixed(selector), meaning);
        return Some(section);
    };
    let mut section = Section::new(format!("call of {name}"));
    // What the proxies move is one of their arguments; what a token moves is itself.
    let token = arguments.iter().position(|argument| *argument == "token").and_then(|place| args.address(place));
    let asset = token.or(raw.to).and_then(|token| units::asset(network, &checksum(token)));
    for (place, argument) in arguments.iter().enumerate() {
        let Some(word) = args.word(place) else { break };
        let number = U256::from_be_bytes(word.0);
        let (value, meaning) = match *argument {
            "from" | "to" | "spender" | "owner" | "authorizer" | "token" | "facilitator" => {
                let address = args.address(place).map_or_else(|| word.to_string(), checksum);
                let name = names::of(&address, Some(network)).unwrap_or_default();
                (address, name)
            }
            "value" | "amount" | "permitted" => {
                let meaning = if number == U256::MAX {
                    "without limit".to_owned()
                } else {
                    units::amount(&number.to_string(), asset.as_ref())
                };
                (number.to_string(), meaning)
            }
            "validAfter" | "validBefore" | "deadline" => (number.to_string(), units::time(&number.to_string(), now)),
            "v" => (number.to_string(), String::new()),
            _ => (word.to_string(), String::new()),
        };
        section.add(*argument, value, meaning);
    }
    Some(section)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn every_function_that_is_drawn_is_declared_by_a_contract() {
        for (signature, ..) in FUNCTIONS {
            let selector = keccak256(signature)[..4].try_into().unwrap();
            assert_eq!(contracts::declared(selector), Some(signature));
        }
        assert_eq!(contracts::declared([0; 4]), None);
    }
}
