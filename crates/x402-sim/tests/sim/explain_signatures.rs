//! Signatures of every size and at every edge of the curve: each is told for what it is, and none is said to fit anything.

use proptest::prelude::*;
use serde_json::{Value, json};
use x402_sim::B256;
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Surroundings, Terms};
use x402_sim::registry::{self, Version};
use x402_wire::document::Document;

const NOW: u64 = 1_795_000_000;

/// Numbers at the edges of what r and s can be: the group's order and the field's prime, and what lies beside them.
const EDGES: [&str; 9] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0",
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "8000000000000000000000000000000000000000000000000000000000000000",
];

/// What ends a signature of an undeployed wallet (ERC-6492).
const MAGIC: &str = "6492649264926492649264926492649264926492649264926492649264926492";

/// Texts that once were, or may be, taken for something else.
const COMMITTED: [&str; 14] = [
    "",
    "0x",
    "0X",
    "0x0",
    "x",
    "0x1b",
    "null",
    "{}",
    "0xзз",
    "\u{0}",
    "0x\u{202e}1b",
    "0x6492649264926492649264926492649264926492649264926492649264926492",
    "0x00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001b",
    "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff1c",
];

/// A payment of either version or by Permit2, and what it is for.
fn payment(version: Version, scheme: &str, permit2: bool) -> (Value, Value) {
    let network = &registry::networks()[0];
    let asset = &network.assets[0];
    let mut asked = json!({
        "scheme": scheme, "asset": asset.address, "maxTimeoutSeconds": 300, "payTo": accounts::merchant().address,
        "extra": {"name": asset.name, "version": asset.version},
    });
    if version == Version::V1 {
        asked["network"] = json!(network.v1_name);
        asked["maxAmountRequired"] = json!("10000");
    } else {
        asked["network"] = json!(network.id);
        asked["amount"] = json!("10000");
    }
    if permit2 {
        asked["extra"]["assetTransferMethod"] = json!("permit2");
        asked["extra"]["facilitatorAddress"] = json!(accounts::facilitator().address);
    }
    let terms = Terms::read(version, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let occasion = Occasion { now: NOW, lifetime: None, nonce: B256::repeat_byte(5) };
    let payer = accounts::test_accounts().next().unwrap();
    let signed = terms.draft(payer.into(), &occasion).sign(Surroundings::default(), None).unwrap();
    (serde_json::to_value(&signed.payload).unwrap(), asked)
}

fn kinds() -> [(Value, Value); 4] {
    [
        payment(Version::V1, "exact", false),
        payment(Version::V2, "exact", false),
        payment(Version::V2, "exact", true),
        payment(Version::V2, "upto", true),
    ]
}

fn told(mut payment: Value, asked: Value, signature: &str) -> Explanation {
    payment["payload"]["signature"] = json!(signature);
    let reading = read(&payment.to_string());
    explain(&Question { reading, requirements: Some(asked), now: NOW, real: None, record: None, depth: Depth::Judge })
}

/// A signature that nobody made is refused for itself.
fn assert_told(told: &Explanation, signature: &str) {
    let shown = || format!("{signature:?}: {:?}, {:?}", told.verdict, told.findings);
    assert!(told.verdict.as_ref().is_some_and(|verdict| !verdict.valid), "{}", shown());
    assert!(!told.findings.is_empty(), "{}", shown());
    for finding in &told.findings {
        assert!(finding.proof.is_some() == finding.is_proven() && finding.title.contains("signature"), "{}", shown());
        assert!(finding.evidence.iter().map(String::len).sum::<usize>() < 2000, "{}", shown());
    }
}

fn number() -> BoxedStrategy<String> {
    prop_oneof![prop::sample::select(&EDGES[..]).prop_map(str::to_owned), "[0-9a-f]{64}"].boxed()
}

/// The digits of r, s and v.
fn whole() -> BoxedStrategy<String> {
    let v = prop_oneof![prop::sample::select(&[0u8, 1, 2, 26, 27, 28, 29, 35, 255][..]), any::<u8>()];
    (number(), number(), v).prop_map(|(r, s, v)| format!("{r}{s}{v:02x}")).boxed()
}

fn signature() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => whole().prop_map(|digits| format!("0x{digits}")),
        1 => whole().prop_map(|digits| format!("0x{digits}{MAGIC}")),
        1 => whole(),
        1 => whole().prop_map(|digits| format!("0X{}", digits.to_uppercase())),
        2 => (number(), number()).prop_map(|(r, s)| format!("0x{r}{s}")),
        2 => "0x[0-9a-f]{0,140}",
        1 => "0x([0-9a-f]{2}){64,300}",
        1 => "[A-Za-z0-9+/]{0,96}={0,2}",
        1 => ".{0,140}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_signature_of_nobody_is_told_for_what_it_is(signature in signature(), kind in 0usize..4) {
        let (payment, asked) = kinds()[kind].clone();
        assert_told(&told(payment, asked, &signature), &signature);
    }
}

#[test]
fn what_was_met_before_is_told_too() {
    let sizes = [63, 64, 66, 96, 129, 130, 4_096, 100_000];
    let long = sizes.map(|bytes| format!("0x{}", "1b".repeat(bytes)));
    let edges = EDGES.iter().flat_map(|r| EDGES.iter().map(move |s| format!("0x{r}{s}1b")));
    let all = COMMITTED.iter().map(|text| (*text).to_owned()).chain(long).chain(edges);
    for signature in all.collect::<Vec<_>>() {
        for (payment, asked) in kinds() {
            assert_told(&told(payment, asked, &signature), &signature);
        }
    }
}

#[test]
fn the_signature_that_was_made_is_not_told() {
    for (payment, asked) in kinds() {
        let signature = payment["payload"]["signature"].as_str().unwrap().to_owned();
        let told = told(payment, asked, &signature);
        assert!(told.findings.is_empty() && told.verdict.as_ref().is_some_and(|verdict| verdict.valid), "{told:?}");
    }
}
