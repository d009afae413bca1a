//! Payments of another kind than they say, or than is asked for, and payees that nobody means: one cause each.

use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::solana;
use x402_sim::networks::solana::exact::draft as svm;
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::solana::program;
use x402_sim::registry::Version;
use x402_wire::document::Document;

use crate::explain_made::{Dice, NOW, networks, requirements, sign};

fn told(text: &str, requirements: Option<&Value>) -> Explanation {
    let reading = read(text);
    let requirements = requirements.cloned();
    explain(&Question { reading, requirements, now: NOW, real: None, record: None, depth: Depth::Judge })
}

fn ids(explanation: &Explanation) -> Vec<(&str, bool)> {
    explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect()
}

fn asked(version: Version) -> Value {
    requirements(&mut Dice::of(1), &networks(x402_sim::networks::Transfer::Eip3009)[0], version)
}

fn paid(version: Version, asked: &Value) -> Value {
    sign(&mut Dice::of(2), version, asked, None).unwrap()
}

fn offer(entry: &Value) -> String {
    json!({"x402Version": 2, "resource": {"url": "https://api.example/report"}, "accepts": [entry]}).to_string()
}

fn on_devnet() -> Value {
    let network = solana::known().into_iter().find(|own| own.id == solana::DEVNET).unwrap();
    json!({
        "scheme": "exact", "network": network.id, "asset": network.assets[0].address, "amount": "10000",
        "payTo": accounts::merchant().solana_address, "maxTimeoutSeconds": 60,
        "extra": {"feePayer": accounts::facilitator().solana_address, "memo": "order-1"},
    })
}

fn paid_on_devnet(asked: &Value) -> Value {
    let terms = svm::Terms::read(Version::V2, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let hash = solana::blockhash::make(solana::DEVNET, solana::blockhash::slot(NOW * 1000), 1);
    let payer = accounts::test_accounts().next().unwrap();
    let occasion = svm::Occasion::of(terms.mint, hash, String::new());
    let transaction = terms.draft(solana::key_of(&payer), &occasion).sign_by(&payer);
    serde_json::to_value(svm::payload(&terms, &transaction.to_base64(), None, None)).unwrap()
}

#[test]
fn a_number_alone_that_is_of_the_other_version_is_one_mistake() {
    for (version, header) in [(Version::V2, "PAYMENT-SIGNATURE"), (Version::V1, "X-PAYMENT")] {
        let asked = asked(version);
        let sound = paid(version, &asked);
        let mut wrong = sound.clone();
        wrong["x402Version"] = json!(3 - version.number());
        let encoded = x402_wire::header::encode(&wrong);
        let told_of = told(&format!("{header}: {encoded}"), Some(&asked));
        assert_eq!(ids(&told_of), [("version_not_of_shape", true)], "{header}");
        let fix = format!("Write \"x402Version\": {}.", version.number());
        assert!(told_of.findings[0].fix.starts_with(&fix), "{}", told_of.findings[0].fix);
        // A second mistake is still found behind it, and the wrong header besides.
        wrong["payload"]["authorization"]["validBefore"] = json!((NOW + 77).to_string());
        let twice = told(&format!("{header}: {}", x402_wire::header::encode(&wrong)), Some(&asked));
        assert_eq!(ids(&twice), [("version_not_of_shape", true), ("changed_after_signing", true)], "{header}");
        let other = if header == "X-PAYMENT" { "PAYMENT-SIGNATURE" } else { "X-PAYMENT" };
        let astray = told(&format!("{other}: {encoded}"), Some(&asked));
        assert_eq!(astray.findings.len(), 2, "{:?}", astray.findings);
        assert!(told(&format!("{header}: {}", x402_wire::header::encode(&sound)), Some(&asked)).findings.is_empty());
    }
}

#[test]
fn upto_without_a_facilitator_names_the_member_and_how_servers_get_it() {
    let mut asked = asked(Version::V2);
    asked["scheme"] = json!("upto");
    let told_of = told(&offer(&asked), None);
    assert_eq!(ids(&told_of), [("upto_no_facilitator", true)], "{:?}", told_of.findings);
    let finding = &told_of.findings[0];
    assert_eq!(finding.path.as_deref(), Some("accepts[0].extra.facilitatorAddress"));
    assert!(finding.cause.contains("/supported") && finding.proof.as_ref().unwrap().ends_with("verify passes"));
    asked["extra"]["facilitatorAddress"] = json!(accounts::facilitator().address);
    assert!(told(&offer(&asked), None).findings.is_empty());
    // With it, and paid by an authorization all the same.
    let mut exact = asked.clone();
    exact["scheme"] = json!("exact");
    let mut payment = paid(Version::V2, &exact);
    payment["accepted"] = asked.clone();
    let by_authorization = told(&payment.to_string(), Some(&asked));
    assert_eq!(ids(&by_authorization), [("upto_needs_permit2", true)], "{:?}", by_authorization.findings);
    let evidence = by_authorization.findings[0].evidence.concat();
    assert!(!evidence.contains("the requirements say"), "{evidence}");
}

#[test]
fn a_payment_of_another_kind_of_network_is_called_that() {
    let (evm, svm) = (asked(Version::V2), on_devnet());
    let (ethereum, cluster) = (paid(Version::V2, &evm), paid_on_devnet(&svm));
    for (mut payment, asked, part) in [
        (ethereum.clone(), &svm, "an EIP-3009 authorization"),
        (cluster.clone(), &evm, "a `transaction`, as payments on Solana do"),
    ] {
        // Another entry was accepted: that is all.
        assert_eq!(ids(&told(&payment.to_string(), Some(asked))), [("network_mismatch", true)]);
        payment["accepted"] = asked.clone();
        let told_of = told(&payment.to_string(), Some(asked));
        assert_eq!(ids(&told_of), [("payload_of_other_family", true)], "{:?}", told_of.findings);
        assert!(told_of.findings[0].evidence.concat().contains(part), "{:?}", told_of.findings);
    }
    assert!(told(&ethereum.to_string(), Some(&evm)).findings.is_empty());
    assert!(told(&cluster.to_string(), Some(&svm)).findings.is_empty());
}

#[test]
fn names_and_addresses_of_other_habits_are_told_before_what_follows_from_them() {
    let svm = on_devnet();
    let evm = asked(Version::V2);
    let mut mixed = svm.clone();
    (mixed["asset"], mixed["payTo"], mixed["extra"]) = (evm["asset"].clone(), evm["payTo"].clone(), json!({}));
    let told_of = told(&offer(&mixed), None);
    assert_eq!(ids(&told_of), [("address_of_other_family", true), ("missing_fee_payer", true)]);
    assert_eq!(told_of.findings[0].evidence.len(), 2, "{:?}", told_of.findings);
    for name in ["solana:devnet", "solana-devnet"] {
        let mut named = svm.clone();
        named["network"] = json!(name);
        let told_of = told(&offer(&named), None);
        assert_eq!(told_of.findings.len(), 1, "{name}: {:?}", told_of.findings);
        let finding = &told_of.findings[0];
        assert!(finding.fix.contains(solana::DEVNET), "{name}: {}", finding.fix);
        let lines = finding.code.iter().map(|line| line.line.as_str()).collect::<String>();
        assert!(!lines.contains("eip155") && !lines.contains("Evm"), "{name}: {lines}");
    }
}

#[test]
fn a_transaction_in_another_encoding_is_called_that_and_nothing_else() {
    let asked = on_devnet();
    let payment = paid_on_devnet(&asked);
    let bytes = {
        use base64::Engine as _;
        let text = payment["payload"]["transaction"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    let hexadecimal = alloy_primitives::hex::encode(&bytes);
    for (text, id) in [
        (format!("0x{hexadecimal}"), "transaction_hex"),
        (hexadecimal, "transaction_hex"),
        (bs58::encode(&bytes).into_string(), "transaction_base58"),
    ] {
        for foreign in [false, true] {
            let (mut own, mut asked) = (payment.clone(), asked.clone());
            own["payload"]["transaction"] = json!(text);
            if foreign {
                // A facilitator that nobody knows: who pays the fee can be compared only once it is decoded.
                asked["extra"]["feePayer"] = json!(accounts::merchant().solana_address);
                own["accepted"] = asked.clone();
            }
            let told_of = told(&own.to_string(), Some(&asked));
            assert_eq!(told_of.findings[0].id, id, "{:?}", told_of.findings);
            assert!(foreign || ids(&told_of) == [(id, true)], "{:?}", told_of.findings);
        }
    }
}

#[test]
fn payees_that_nobody_means_are_named() {
    let token = asked(Version::V2)["asset"].as_str().unwrap().to_owned();
    let zero = "0x0000000000000000000000000000000000000000".to_owned();
    for (payee, id) in [(zero, "payee_unpayable"), (token, "payee_unpayable")] {
        let mut asked = asked(Version::V2);
        asked["payTo"] = json!(payee);
        for told_of in [told(&offer(&asked), None), told(&paid(Version::V2, &asked).to_string(), Some(&asked))] {
            assert_eq!(ids(&told_of), [(id, true)], "{payee}: {:?}", told_of.findings);
        }
    }
    let mut upto = asked(Version::V2);
    upto["scheme"] = json!("upto");
    upto["extra"]["facilitatorAddress"] = json!(accounts::facilitator().address);
    upto["payTo"] = upto["extra"]["facilitatorAddress"].clone();
    let told_of = told(&offer(&upto), None);
    assert_eq!(ids(&told_of), [("payee_unlikely", false)], "{:?}", told_of.findings);
    assert!(told_of.verdict.is_some_and(|verdict| verdict.valid), "a warning refuses nothing");
}

#[test]
fn a_token_account_as_the_payee_is_named_with_its_owner() {
    let mut asked = on_devnet();
    let owner = Key::parse(asked["payTo"].as_str().unwrap()).unwrap();
    let mint = Key::parse(asked["asset"].as_str().unwrap()).unwrap();
    assert!(told(&offer(&asked), None).findings.is_empty());
    asked["payTo"] = json!(Key::token_account(owner, mint, program::TOKEN).to_string());
    for told_of in [told(&offer(&asked), None), told(&paid_on_devnet(&asked).to_string(), Some(&asked))] {
        assert_eq!(ids(&told_of), [("payee_is_token_account", false)], "{:?}", told_of.findings);
        assert!(told_of.findings[0].fix.contains(&owner.to_string()), "{:?}", told_of.findings);
    }
}

#[test]
fn lines_of_code_for_solana_speak_of_instructions() {
    let mut asked = on_devnet();
    let payment = paid_on_devnet(&asked);
    asked["amount"] = json!("20000");
    let mut payment = payment;
    payment["accepted"] = asked.clone();
    let told_of = told(&payment.to_string(), Some(&asked));
    assert_eq!(told_of.findings[0].id, "amount_mismatch", "{:?}", told_of.findings);
    for line in &told_of.findings[0].code {
        assert!(!line.line.contains("value"), "{}: {}", line.sdk, line.line);
    }
}
