//! Causes that are told with what differs, in which direction and by how much; and sentences that do not contradict them.

use std::fmt::Write as _;
use std::path::Path;

use alloy_primitives::U256;
use serde_json::{Value, json};
use x402_sim::B256;
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, Record, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Surroundings, Terms};
use x402_sim::networks::solana;
use x402_sim::networks::solana::exact::draft as svm;
use x402_sim::registry::{self, Version};
use x402_wire::document::Document;

const NOW: u64 = 1_795_000_000;

/// What is said of a text, and of the requirements besides.
pub(crate) fn told(text: &str, requirements: Option<&Value>, record: Option<Record>) -> Explanation {
    let requirements = requirements.cloned();
    explain(&Question { reading: read(text), requirements, now: NOW, real: None, record, depth: Depth::Judge })
}

/// A case of the corpus.
fn case(name: &str) -> Explanation {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain").join(format!("{name}.json"));
    let case: Value = serde_json::from_slice(&std::fs::read(place).unwrap()).unwrap();
    told(case["input"].as_str().unwrap(), None, None)
}

pub(crate) fn ids(explanation: &Explanation) -> Vec<(&str, bool)> {
    explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect()
}

pub(crate) fn requirements() -> Value {
    let network = &registry::networks()[0];
    let asset = &network.assets[0];
    json!({
        "scheme": "exact", "network": network.id, "asset": asset.address, "amount": "10000", "maxTimeoutSeconds": 300,
        "payTo": accounts::merchant().address, "extra": {"name": asset.name, "version": asset.version},
    })
}

/// A payment of version 2 that was signed by a clock.
pub(crate) fn signed(asked: &Value, clock: u64) -> Value {
    let terms = Terms::read(Version::V2, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let occasion = Occasion { now: clock, lifetime: None, nonce: B256::repeat_byte(5) };
    let payer = accounts::test_accounts().next().unwrap();
    let signed = terms.draft(payer.into(), &occasion).sign(Surroundings::default(), None).unwrap();
    serde_json::to_value(&signed.payload).unwrap()
}

#[test]
fn an_offer_with_an_address_in_the_wrong_place_is_told_which_and_of_what() {
    for (name, id, path, part) in [
        (
            "offer-evm-payee-on-solana",
            "address_of_other_family",
            "payTo",
            "an address of eip155 networks; on Solana Devnet an address is base58",
        ),
        (
            "offer-solana-payee-on-evm",
            "address_of_other_family",
            "payTo",
            "an address of solana networks; on Base Sepolia an address is `0x`",
        ),
        (
            "offer-evm-asset-on-solana",
            "address_of_other_family",
            "asset",
            "(USDC on Base Sepolia), an address of eip155",
        ),
        ("offer-evm-fee-payer-on-solana", "address_of_other_family", "extra.feePayer", "an address of eip155 networks"),
        ("offer-name-as-payee", "address_malformed", "payTo", "payTo is \"shop.eth\"; on Base Sepolia"),
        ("offer-name-as-payee-solana", "address_malformed", "payTo", "payTo is \"shop.sol\"; on Solana Devnet"),
        ("offer-upto-solana-payee", "address_of_other_family", "payTo", "an address of solana networks"),
        ("offer-solana-main-mint", "wrong_asset", "asset", "is USDC on Solana; USDC on Solana Devnet is 4zMM"),
        (
            "offer-swapped",
            "asset_and_payee_swapped",
            "asset",
            "payTo is 0x036CbD53842c5426634e7929541eC2318f3dCF7e (USDC",
        ),
        ("offer-swapped-solana", "asset_and_payee_swapped", "asset", "which is no token"),
    ] {
        let told = case(name);
        assert_eq!(ids(&told), [(id, true)], "{name}: {told:?}");
        let finding = &told.findings[0];
        assert_eq!(finding.path.as_deref(), Some(format!("accepts[0].{path}").as_str()), "{name}");
        assert!(finding.evidence.concat().contains(part), "{name}: {:?}", finding.evidence);
        assert!(finding.proof.as_ref().unwrap().ends_with("verify passes"), "{name}: {finding:?}");
        // Whose facilitator it is was assumed, and refuses nothing.
        let reason = told.verdict.unwrap().reason.unwrap();
        assert!(path == "extra.feePayer" || !reason.contains("fee_payer"), "{name}: {reason}");
    }
}

#[test]
fn a_price_in_dollars_is_called_that_and_mended_at_once() {
    for (name, id) in [("offer-dollar-sign", "price_notation"), ("offer-price-is-number", "decimal_amount")] {
        let told = case(name);
        assert_eq!(ids(&told), [(id, true)], "{told:?}");
        let finding = &told.findings[0];
        assert!(finding.proof.as_ref().unwrap().ends_with("verify passes"), "{finding:?}");
        assert!(finding.evidence[0].contains("in atomic units of 6 decimals that is 10000"), "{finding:?}");
    }
    assert_eq!(ids(&case("offer-dollar-sign-solana")), [("price_notation", true)]);
    assert!(case("offer-dollar-sign").findings[0].title.contains("price"));
    let told = case("offer-eighteen-decimals");
    assert_eq!(ids(&told), [("amount_decimals", false)]);
    assert!(told.findings[0].fix.starts_with("For 0.01 USDC, write \"10000\"."), "{:?}", told.findings);
}

#[test]
fn two_mistakes_of_one_reason_are_told_by_their_places() {
    let asked = requirements();
    let mut payment = signed(&asked, NOW);
    payment["payload"]["authorization"]["value"] = json!(10_000);
    payment["payload"]["authorization"]["validAfter"] = json!(0);
    let told = told(&payment.to_string(), Some(&asked), None);
    assert_eq!(ids(&told), [("number_not_text", true)], "{told:?}");
    let finding = &told.findings[0];
    let proof = finding.proof.as_ref().unwrap();
    assert!(proof.contains("verify goes on, to paymentPayload.payload.authorization."), "{proof}");
    assert!(!proof.contains("invalid_payload"), "{proof}");
}

#[test]
fn the_fix_says_by_how_much_a_clock_is_wrong_and_in_which_direction() {
    let mut asked = requirements();
    let behind = told(&signed(&asked, NOW - 3000).to_string(), Some(&asked), None);
    assert_eq!(ids(&behind), [("expired", true)], "{behind:?}");
    assert!(behind.findings[0].fix.contains("the payer's clock is 50m behind the verifier's"), "{behind:?}");
    // What was signed weeks ago was kept, and not made by a slow clock.
    let old = told(&signed(&asked, NOW - 30 * 86_400).to_string(), Some(&asked), None);
    assert!(!old.findings[0].fix.contains("behind"), "{old:?}");
    // What the payer signed begins at 0: what is written is no clock's fault.
    let mut changed = signed(&asked, NOW + 120);
    changed["payload"]["authorization"]["validAfter"] = json!((NOW + 120).to_string());
    let changed = told(&changed.to_string(), Some(&asked), None);
    assert_eq!(ids(&changed), [("changed_after_signing", true)], "{changed:?}");
    let terms = Terms::read(Version::V2, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let payer = accounts::test_accounts().next().unwrap();
    let occasion = Occasion { now: NOW + 120, lifetime: None, nonce: B256::repeat_byte(5) };
    let mut draft = terms.draft(payer.into(), &occasion);
    draft.authorization.valid_after = U256::from(NOW + 120);
    let ahead = draft.sign(Surroundings::default(), None).unwrap();
    let ahead = told(&serde_json::to_value(&ahead.payload).unwrap().to_string(), Some(&asked), None);
    assert_eq!(ids(&ahead), [("clock_skew", true)], "{ahead:?}");
    assert!(ahead.findings[0].fix.starts_with("Set the payer's clock back by 2m."), "{ahead:?}");
    // Eight seconds are enough for who sends at once, and five for nobody.
    for (lifetime, late, id) in [(8, 3, "lifetime_too_short"), (8, 40, "expired"), (5, 40, "lifetime_too_short")] {
        asked["maxTimeoutSeconds"] = json!(lifetime);
        let told = told(&signed(&asked, NOW - late).to_string(), Some(&asked), None);
        assert_eq!(told.findings[0].id, id, "{lifetime} s, {late} s late: {told:?}");
    }
}

#[test]
fn a_difference_of_time_zones_is_named_before_any_clock() {
    let asked = requirements();
    for (late, span) in [(28_800, "8h"), (19_800 + 2, "5h 30m"), (3600, "1h"), (12 * 3600 - 3, "12h")] {
        let told = told(&signed(&asked, NOW - late).to_string(), Some(&asked), None);
        assert_eq!(ids(&told), [("expired", true)], "{told:?}");
        let fix = &told.findings[0].fix;
        assert!(fix.starts_with(&format!("{span} is what time zones differ by")) && !fix.contains("NTP"), "{fix}");
    }
    for late in [20_000, 27 * 3600, 1800] {
        let told = told(&signed(&asked, NOW - late).to_string(), Some(&asked), None);
        assert!(!told.findings[0].fix.contains("time zones"), "{late}: {told:?}");
    }
}

#[test]
fn a_transfer_with_the_decimals_of_another_token_is_told_so() {
    let network = solana::known().into_iter().find(|own| own.id == solana::DEVNET).unwrap();
    let asset = &network.assets[0];
    let asked = json!({
        "scheme": "exact", "network": network.id, "asset": asset.address, "amount": "10000", "maxTimeoutSeconds": 60,
        "payTo": accounts::merchant().solana_address, "extra": {"feePayer": accounts::facilitator().solana_address},
    });
    let terms = svm::Terms::read(Version::V2, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let hash = solana::blockhash::make(&network.id, solana::blockhash::slot(NOW * 1000), 1);
    let payer = accounts::test_accounts().next().unwrap();
    let occasion = svm::Occasion { decimals: 9, ..svm::Occasion::of(terms.mint, hash, "a".to_owned()) };
    let transaction = terms.draft(solana::key_of(&payer), &occasion).sign_by(&payer);
    let payment = serde_json::to_value(svm::payload(&terms, &transaction.to_base64(), None, None)).unwrap();
    let told = told(&payment.to_string(), Some(&asked), None);
    assert_eq!(ids(&told), [("transfer_decimals", true)], "{told:?}");
    assert!(told.findings[0].evidence[0].starts_with("TransferChecked says 9 decimals"), "{told:?}");
    assert!(told.findings[0].evidence[0].ends_with("(USDC) has 6"), "{told:?}");
}

#[test]
fn what_was_assumed_is_said_as_an_assumption_and_refuses_nothing() {
    let told = case("control-offer-solana");
    assert!(told.findings.is_empty() && told.verdict.is_some_and(|verdict| verdict.valid));
    assert!(told.notes.iter().all(|note| !note.contains("this facilitator is")), "{:?}", told.notes);
}

#[test]
fn a_state_of_the_mock_is_named_and_not_called_a_simulation() {
    let asked = requirements();
    let payment = signed(&asked, NOW).to_string();
    let refused = |reason: &str, message: &str| {
        let record = Record { reason: reason.to_owned(), message: Some(message.to_owned()), ..Record::default() };
        told(&payment, Some(&asked), Some(record))
    };
    let network = refused("invalid_network", "network \"eip155:84532\" is not enabled here; enabled are eip155:51");
    assert_eq!(ids(&network), [("kind_not_supported", true)]);
    assert!(network.findings[0].fix.starts_with("Start the mock with `--network eip155:84532`."), "{network:?}");
    let answer = json!({"isValid": false, "invalidReason": "invalid_network", "invalidMessage": "network \"a\" is not enabled here"});
    assert_eq!(told(&answer.to_string(), None, None).findings[0].id, "kind_not_supported");
    let contract = refused("invalid_exact_evm_asset_not_deployed_contract", "there is no contract");
    assert!(contract.findings.iter().all(|finding| finding.id != "simulation_mode"), "{contract:?}");
    assert!(!contract.findings.is_empty());
    let rejected = refused("payment_rejected_by_simulation", "");
    assert_eq!(ids(&rejected), [("simulation_mode", true)]);
}

#[test]
fn a_guess_that_fails_is_no_sentence_against_the_finding() {
    // Amount and domain both: the few guesses of the facilitator's sentence do not find it, the search does.
    let asked = requirements();
    let mut payment = signed(&asked, NOW);
    payment["payload"]["authorization"]["value"] = json!("10001");
    let told = told(&payment.to_string(), Some(&asked), None);
    assert_eq!(told.findings[0].id, "changed_after_signing", "{told:?}");
    assert!(!format!("{told:?}").contains("x402-dev explain"), "{told:?}");
    // Where the search fails too, it does not send anybody to itself.
    payment["payload"]["authorization"]["validBefore"] = json!("1795000777");
    let told = self::told(&payment.to_string(), Some(&asked), None);
    assert!(told.findings.iter().any(|finding| finding.id == "signature_unexplained"), "{told:?}");
    assert!(!format!("{told:?}").contains("x402-dev explain"), "{told:?}");
}

#[test]
fn the_comparison_says_of_a_member_what_the_finding_says() {
    let asked = requirements();
    let mut payment = signed(&asked, NOW);
    payment["accepted"]["asset"] = json!(asked["asset"].as_str().unwrap().to_lowercase());
    payment["accepted"]["amount"] = json!(10_000);
    let told = told(&payment.to_string(), Some(&asked), None);
    assert_eq!(ids(&told), [("accepted_respelt", true), ("number_not_text", true)], "{told:?}");
    let differs = told.comparison.iter().filter(|row| !row.equal).map(|row| row.field.as_str());
    assert_eq!(differs.collect::<Vec<_>>(), ["accepted.asset", "accepted.amount"]);
}

/// Work that grew as the square of the members would not end before the test run is given up.
#[test]
fn a_hundred_thousand_unknown_members_are_counted() {
    let asked = requirements();
    let payment = signed(&asked, NOW).to_string();
    let (head, tail) = payment.split_once("\"accepted\":{").unwrap();
    let mut strange = String::new();
    for number in 0..100_000 {
        let _ = write!(strange, "\"k{number}\":1,");
    }
    let told = told(&format!("{head}\"accepted\":{{{strange}{tail}"), Some(&asked), None);
    assert_eq!(ids(&told), [("accepted_unknown_member", true)]);
    let evidence = &told.findings[0].evidence;
    assert_eq!(evidence.len(), 9);
    assert_eq!(evidence[8], "and 99992 more");
}

#[test]
fn one_mistake_gives_one_finding_and_the_verdict_is_of_that_mistake() {
    for (name, found, reason) in [
        ("solana-main-mint", "wrong_mint", "invalid_exact_svm_payload_mint_mismatch"),
        ("solana-unsigned", "solana_signature", "invalid_exact_svm_payload_signature_invalid"),
        ("solana-offer-no-fee-payer", "missing_fee_payer", "invalid_exact_svm_payload_missing_fee_payer"),
        ("v1-name-in-v2", "v1_network_name_in_v2", "invalid_network"),
    ] {
        let told = case(name);
        assert_eq!(ids(&told), [(found, true)], "{name}: {told:?}");
        let verdict = told.verdict.unwrap();
        assert_eq!(verdict.reason.as_deref(), Some(reason), "{name}");
        assert!(!verdict.message.unwrap().contains("enabled"), "{name}");
        let proof = told.findings[0].proof.as_ref().unwrap();
        assert!(proof.ends_with("verify passes"), "{name}: {proof}");
    }
    let told = case("year-9999");
    assert!(told.findings[0].evidence[0].starts_with("it is valid for centuries"), "{told:?}");
}
