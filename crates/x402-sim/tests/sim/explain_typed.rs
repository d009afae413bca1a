//! Typed data that was put together wrongly: what was signed is found by trying, and named.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use serde_json::{Value, json};
use x402_sim::accounts::{self, TestAccount};
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::eip155::eip712::{Authorization, Domain};
use x402_sim::networks::eip155::{checksum, parse_address, secp};
use x402_sim::registry;

pub(crate) const NOW: u64 = 1_795_000_000;
pub(crate) const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const BASE_USDC: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

pub(crate) fn payer() -> TestAccount {
    accounts::test_accounts().next().unwrap()
}

pub(crate) fn requirements(scheme: &str) -> Value {
    let mut own = json!({
        "scheme": scheme, "network": "eip155:84532", "asset": USDC, "amount": "10000", "maxTimeoutSeconds": 300,
        "payTo": accounts::merchant().address, "extra": {"name": "USDC", "version": "2"},
    });
    if scheme == "upto" {
        own["extra"]["facilitatorAddress"] = json!(accounts::facilitator().address);
        own["extra"]["assetTransferMethod"] = json!("permit2");
    }
    own
}

pub(crate) fn told(payload: &Value, asked: &Value) -> Explanation {
    let reading = read(&json!({"x402Version": 2, "accepted": asked, "payload": payload}).to_string());
    let requirements = Some(asked.clone());
    explain(&Question { reading, requirements, now: NOW, real: None, record: None, depth: Depth::Judge })
}

pub(crate) fn signature(digest: B256) -> String {
    let (compact, parity) = secp::sign(digest, &payer().key_bytes());
    format!("0x{}{:02x}", hex::encode(compact), 27 + parity)
}

pub(crate) fn digest(separator: B256, message: B256) -> B256 {
    keccak256([&[0x19, 0x01], separator.as_slice(), message.as_slice()].concat())
}

pub(crate) fn hash(of: &str, words: &[B256]) -> B256 {
    let words: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    keccak256([keccak256(of).as_slice(), &words].concat())
}

pub(crate) fn word(number: u64) -> B256 {
    U256::from(number).into()
}

/// What a sound payment says.
pub(crate) fn authorization() -> Authorization {
    Authorization {
        from: payer().evm(),
        to: accounts::merchant().evm(),
        value: U256::from(10_000),
        valid_after: U256::from(NOW - 600),
        valid_before: U256::from(NOW + 300),
        nonce: B256::repeat_byte(9),
    }
}

pub(crate) fn written(own: &Authorization) -> Value {
    json!({
        "from": checksum(own.from), "to": checksum(own.to), "value": own.value.to_string(),
        "validAfter": own.valid_after.to_string(), "validBefore": own.valid_before.to_string(),
        "nonce": own.nonce.to_string(),
    })
}

pub(crate) fn words(own: &Authorization) -> [B256; 6] {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = *own;
    [from.into_word(), to.into_word(), value.into(), valid_after.into(), valid_before.into(), nonce]
}

pub(crate) fn domain() -> Domain<'static> {
    Domain { name: "USDC", version: "2", chain_id: 84532, contract: parse_address(USDC).unwrap() }
}

/// What is found where the sound payment has the signature of a digest.
fn signed_over(digest: B256) -> Explanation {
    told(&json!({"signature": signature(digest), "authorization": written(&authorization())}), &requirements("exact"))
}

/// That one thing is found and proven, with a piece of its evidence.
pub(crate) fn assert_found(explanation: &Explanation, id: &str, part: &str) {
    let ids: Vec<_> = explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect();
    assert_eq!(ids, [(id, true)], "{part}: {:?} {:?}", explanation.findings, explanation.verdict);
    let evidence = explanation.findings[0].evidence.join(" | ");
    assert!(evidence.contains(part), "{part} is not in {evidence}");
    assert!(!explanation.verdict.as_ref().unwrap().valid);
}

#[test]
fn a_domain_is_found_whose_parts_are_of_two_networks() {
    let base = parse_address(BASE_USDC).unwrap();
    let own = domain();
    for (domain, id, part) in [
        (
            Domain { name: "USD Coin", chain_id: 8453, ..own },
            "wrong_network_domain",
            "name \"USD Coin\" with chain id 8453",
        ),
        (
            Domain { name: "USD Coin", chain_id: 8453, contract: base, ..own },
            "wrong_network_domain",
            "USDC on eip155:8453",
        ),
        (
            Domain { chain_id: 8453, contract: base, ..own },
            "wrong_network_domain",
            "chain id 8453 with verifying contract",
        ),
        (Domain { chain_id: 1, name: "USD Coin", ..own }, "wrong_network_domain", "chain id 1"),
        (
            Domain { contract: base, name: "USD Coin", ..own },
            "wrong_verifying_contract",
            "name \"USD Coin\" with verifying",
        ),
        (Domain { name: "USD Coin", version: "1", ..own }, "wrong_domain_name", "version \"1\""),
        (Domain { name: "usdc", ..own }, "wrong_domain_name", "domain name \"usdc\""),
        (Domain { chain_id: 1337, ..own }, "wrong_chain_id", "1337"),
    ] {
        assert_found(&signed_over(authorization().digest(domain.separator())), id, part);
    }
}

#[test]
fn a_message_of_other_types_is_found() {
    let own = authorization();
    let [from, to, value, after, before, nonce] = words(&own);
    let text = |text: &str| keccak256(text);
    let members = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce";
    let all = [from, to, value, after, before, nonce];
    for (of, words, id) in [
        (members.replace("bytes32", "uint256"), all.to_vec(), "message_types"),
        (members.replace("uint256 valid", "uint64 valid"), all.to_vec(), "message_types"),
        (members.replace("uint256", "uint"), all.to_vec(), "message_types"),
        (
            members.replace("uint256", "string"),
            vec![from, to, text("10000"), text(&(NOW - 600).to_string()), text(&(NOW + 300).to_string()), nonce],
            "message_types",
        ),
        (members.replace("bytes32", "bytes"), vec![from, to, value, after, before, keccak256(nonce)], "message_types"),
        (
            members.replace("bytes32 nonce", "string nonce"),
            vec![from, to, value, after, before, text(&own.nonce.to_string())],
            "message_types",
        ),
        (
            "address from,address to,uint256 value,bytes32 nonce,uint256 validAfter,uint256 validBefore".to_owned(),
            vec![from, to, value, nonce, after, before],
            "message_types",
        ),
        (members.replace("validA", "valid_a").replace("validB", "valid_b"), all.to_vec(), "message_types"),
        (
            members.replace("address", "string"),
            vec![text(&checksum(own.from)), text(&checksum(own.to)), value, after, before, nonce],
            "message_types",
        ),
    ] {
        let of = format!("TransferWithAuthorization({of})");
        assert_found(&signed_over(digest(domain().separator(), hash(&of, &words))), id, &format!("the type {of}"));
    }
    for (of, words) in [
        (format!("ReceiveWithAuthorization({members})"), all.to_vec()),
        ("CancelAuthorization(address authorizer,bytes32 nonce)".to_owned(), vec![from, nonce]),
        (format!("TransferAuthorization({members})"), all.to_vec()),
    ] {
        assert_found(&signed_over(digest(domain().separator(), hash(&of, &words))), "wrong_primary_type", &of);
    }
}

#[test]
fn a_digest_that_was_made_otherwise_is_found_and_a_text_that_was_signed() {
    let own = authorization();
    let here = domain().separator();
    let of = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    let message = hash(of, &words(&own));
    let right = digest(here, message);
    assert_eq!(right, own.digest(here));
    let personal =
        |text: &[u8]| keccak256([format!("\x19Ethereum Signed Message:\n{}", text.len()).as_bytes(), text].concat());
    let hexadecimal = right.to_string();
    let spaced = format!(
        "{{\"from\": \"{}\", \"to\": \"{}\", \"value\": \"10000\", \"validAfter\": \"{}\", \"validBefore\": \"{}\", \"nonce\": \"{}\"}}",
        checksum(own.from),
        checksum(own.to),
        NOW - 600,
        NOW + 300,
        own.nonce
    );
    let compact = spaced.replace("\": ", "\":").replace(", \"", ",\"");
    for (digest, id, part) in [
        (personal(right.as_slice()), "signed_as_message", "of its 32 bytes"),
        (personal(hexadecimal.as_bytes()), "signed_as_message", "hexadecimal text signed"),
        (personal(&hexadecimal.as_bytes()[2..]), "signed_as_message", "without 0x"),
        (personal(message.as_slice()), "signed_as_message", "without its domain"),
        (keccak256([here.as_slice(), message.as_slice()].concat()), "digest_not_eip712", "without 0x1901 before them"),
        (message, "digest_not_eip712", "without the domain"),
        (keccak256(right), "digest_not_eip712", "hashed twice"),
        (personal(compact.as_bytes()), "signed_as_text", "signed as a message"),
        (personal(spaced.as_bytes()), "signed_as_text", "signed as a message"),
        (keccak256(&compact), "signed_as_text", "the hash of the text"),
    ] {
        assert_found(&signed_over(digest), id, part);
    }
}

#[test]
fn both_parties_or_both_times_swapped_and_other_values_are_found() {
    let own = authorization();
    let here = domain().separator();
    for (other, id, part) in [
        (Authorization { from: own.to, to: own.from, ..own }, "from_and_to_swapped", "the payer is the other one"),
        (
            Authorization { valid_after: own.valid_before, valid_before: own.valid_after, ..own },
            "times_swapped",
            "the earlier one",
        ),
        (
            Authorization { valid_before: own.valid_before * U256::from(1000), ..own },
            "times_in_milliseconds",
            "in seconds both",
        ),
        (Authorization { value: U256::ZERO, ..own }, "changed_after_signing", "value 0, and 10000 is written"),
        (Authorization { valid_after: U256::ZERO, ..own }, "changed_after_signing", "validAfter 0"),
        (Authorization { from: Address::ZERO, ..own }, "wrong_key", "the payer 0x0000"),
    ] {
        assert_found(&signed_over(other.digest(here)), id, part);
    }
}

#[test]
fn a_domain_and_a_message_that_are_both_wrong_are_both_named() {
    let own = Authorization { value: U256::ZERO, ..authorization() };
    let explanation = signed_over(own.digest(Domain { chain_id: 8453, name: "USD Coin", ..domain() }.separator()));
    let ids: Vec<_> = explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect();
    assert_eq!(ids, [("wrong_network_domain", true), ("changed_after_signing", true)], "{explanation:#?}");
}

#[test]
fn the_parts_of_a_signature_are_put_in_their_sequence() {
    let bytes = hex::decode(signature(authorization().digest(domain().separator()))).unwrap();
    let (r, s, v) = (&bytes[..32], &bytes[32..64], &bytes[64..]);
    let flipped = [55 - v[0]];
    let turned = |part: &[u8]| part.iter().rev().copied().collect::<Vec<u8>>();
    for (signature, id, part) in [
        ([s, r, v].concat(), "signature_order", "as s, r, v"),
        ([v, r, s].concat(), "signature_order", "as v, r, s"),
        ([&[v[0] - 27], r, s].concat(), "signature_order", "as v, r, s"),
        ([v, s, r].concat(), "signature_order", "as v, s, r"),
        ([&turned(r), &turned(s), v].concat(), "signature_order", "from the last to the first"),
        ([r, s, &flipped].concat(), "signature_parity", "it is the payer's"),
    ] {
        let payload = json!({"signature": hex::encode_prefixed(signature), "authorization": written(&authorization())});
        let explanation = told(&payload, &requirements("exact"));
        assert_found(&explanation, id, part);
        let proof = explanation.findings[0].proof.as_ref().unwrap();
        assert!(proof.ends_with("verify passes"), "{proof}");
    }
}

#[test]
fn a_signature_that_fits_nothing_is_said_to() {
    let explanation = signed_over(B256::repeat_byte(0x33));
    let ids: Vec<_> = explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect();
    assert_eq!(ids, [("signature_unexplained", false)], "{:?}", explanation.findings);
}

#[test]
fn a_network_that_is_known_has_the_asset_of_these_tests() {
    assert_eq!(registry::networks()[0].assets[0].address, USDC);
}

/// Name or version by habit, and the contract or the chain of another place: both are told, and proven by one recovery.
#[test]
fn two_parts_of_a_domain_that_are_wrong_at_once_are_both_found() {
    let own = domain();
    let payee = accounts::merchant().evm();
    let zero = Address::ZERO;
    for (domain, ids) in [
        (Domain { name: "USD Coin", contract: payee, ..own }, ["wrong_domain_name", "wrong_verifying_contract"]),
        (Domain { name: "", contract: zero, ..own }, ["wrong_domain_name", "wrong_verifying_contract"]),
        (Domain { version: "1", contract: payee, ..own }, ["wrong_domain_version", "wrong_verifying_contract"]),
        (Domain { name: "USD Coin", chain_id: 31337, ..own }, ["wrong_domain_name", "wrong_chain_id"]),
        (Domain { version: "", chain_id: 1337, ..own }, ["wrong_domain_version", "wrong_chain_id"]),
    ] {
        let told = signed_over(authorization().digest(domain.separator()));
        let found: Vec<_> = told.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect();
        assert_eq!(found, ids.map(|id| (id, true)), "{domain:?}: {:?}", told.findings);
        let proof = told.findings[0].proof.as_deref().unwrap();
        assert!(proof.contains(" and ") && proof.ends_with(&checksum(payer().evm())), "{proof}");
    }
    // Name and version at once are one finding, which names both.
    let told = signed_over(authorization().digest(Domain { name: "USD Coin", version: "1", ..own }.separator()));
    assert_found(&told, "wrong_domain_name", "domain name \"USD Coin\" with version \"1\"");
}
