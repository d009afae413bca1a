//! Messages name both sides, and the domain that fits is found by trying.

use alloy_primitives::{Address, U256};
use x402_sim::fault::Mode;
use x402_sim::ledger::UnknownAccounts;
use x402_sim::networks::eip155::parse_address;
use x402_sim::order::Depth;
use x402_sim::{Rules, Setup, World, registry};
use x402_wire::amount::Decimal;

use crate::payment::{NOW, Template, judge};

const BASE_USDC: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

fn template() -> Template {
    Template::new(&registry::networks()[0])
}

/// The reason and the message of a refused payment.
fn refused(template: &Template) -> (&'static str, String) {
    let networks = registry::networks().into_iter().filter(registry::is_payable).collect();
    let balance = Decimal::parse("1000").unwrap();
    let setup =
        Setup { networks, unknown: UnknownAccounts::Funded, balance, payees: Vec::new(), rules: Rules::default() };
    let world = World::new(&setup, 1).unwrap();
    let refusal = judge(&template.body(), &world.chain(), Depth::Verify, Mode::Strict).unwrap_err();
    (refusal.spelled(), refusal.reason.detail)
}

#[test]
fn a_wrong_signing_domain_is_found_by_trying() {
    let good = template();
    let (name, version, chain, contract) = good.signed_for.clone();
    let base = parse_address(BASE_USDC).unwrap();
    for (signed_for, expected) in [
        (
            ("USD Coin".to_owned(), version.clone(), chain, contract),
            r#"it fits domain name "USD Coin", this asset's is "USDC""#,
        ),
        ((name.clone(), "1".to_owned(), chain, contract), r#"it fits domain version "1", this asset's is "2""#),
        ((name.clone(), version.clone(), 8453, contract), "it fits chain id 8453, this network's is 84532"),
        (
            (name.clone(), version.clone(), chain, base),
            "it fits verifying contract 0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        ),
        (("USD Coin".to_owned(), version, 8453, base), "it fits the domain of USDC on Base"),
    ] {
        let (reason, message) = refused(&Template { signed_for, ..good.clone() });
        assert_eq!(reason, "invalid_exact_evm_signature");
        assert!(message.starts_with("signature recovers to 0x"), "{message}");
        assert!(message.contains("not to authorization.from 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn extra_that_differs_from_the_asset_is_named_when_the_client_signed_for_the_asset() {
    let (reason, message) = refused(&Template { extra: ("USD Coin".to_owned(), "2".to_owned()), ..template() });
    assert_eq!(reason, "invalid_exact_evm_signature");
    assert!(message.contains(r#"it fits this asset's own domain (name "USDC", version "2")"#), "{message}");
    assert!(message.contains(r#"extra says name "USD Coin""#), "{message}");
}

#[test]
fn another_key_fits_nothing_and_is_said_to() {
    let mut other = template();
    let mut forged = other.body();
    other.payer = 1;
    forged["paymentPayload"]["payload"]["signature"] = other.body()["paymentPayload"]["payload"]["signature"].clone();
    let networks = registry::networks().into_iter().filter(registry::is_payable).collect();
    let setup = Setup {
        networks,
        unknown: UnknownAccounts::Funded,
        balance: Decimal::parse("1000").unwrap(),
        payees: Vec::new(),
        rules: Rules::default(),
    };
    let world = World::new(&setup, 1).unwrap();
    let refusal = judge(&forged, &world.chain(), Depth::Verify, Mode::Strict).unwrap_err();
    assert_eq!(refusal.spelled(), "invalid_exact_evm_signature");
    assert!(refusal.reason.detail.contains("it fits none of the commonest mistakes"), "{}", refusal.reason.detail);
}

#[test]
fn every_other_message_names_both_sides_and_keeps_the_revert_text() {
    let good = template();
    for (broken, reason, parts) in [
        (
            Template { value: U256::from(9_999), ..good.clone() },
            "invalid_exact_evm_payload_authorization_value_mismatch",
            ["9999 (0.009999 USDC)", "10000 (0.01 USDC)"],
        ),
        (
            Template { valid_before: NOW - 12, ..good.clone() },
            "invalid_exact_evm_payload_authorization_valid_before",
            ["expired 12 s ago", "now 1800000000"],
        ),
        (
            Template { valid_before: NOW + 3, ..good.clone() },
            "invalid_exact_evm_payload_authorization_valid_before",
            ["expires in 3 s", "at least 6 s"],
        ),
        (
            Template { value: U256::from(2_000_000_000), asked: U256::from(2_000_000_000), ..good.clone() },
            "invalid_exact_evm_insufficient_balance",
            [
                "holds 1000000000 (1000 USDC) and would pay 2000000000 (2000 USDC)",
                "ERC20: transfer amount exceeds balance",
            ],
        ),
        (
            Template { to: Address::ZERO, ..good.clone() },
            "invalid_exact_evm_transaction_simulation_failed",
            ["the transfer would revert", "ERC20: transfer to the zero address"],
        ),
    ] {
        let (said, message) = refused(&broken);
        assert_eq!(said, reason, "{message}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is missing in {message:?}");
        }
    }
}

#[test]
fn accept_skips_the_signature_and_nothing_else() {
    let networks = registry::networks().into_iter().filter(registry::is_payable).collect();
    let balance = Decimal::parse("1000").unwrap();
    let setup =
        Setup { networks, unknown: UnknownAccounts::Funded, balance, payees: Vec::new(), rules: Rules::default() };
    let mut world = World::new(&setup, 1).unwrap();
    let unsigned = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body = template().body();
        let payload = &mut body["paymentPayload"]["payload"];
        payload["signature"] = "0x".into();
        change(payload);
        body
    };
    let judged = |world: &World, body: &_, mode| judge(body, &world.chain(), Depth::Verify, mode);
    let plain = unsigned(&|_| {});
    assert_eq!(judged(&world, &plain, Mode::Strict).unwrap_err().spelled(), "invalid_exact_evm_signature");
    let approved = judged(&world, &plain, Mode::Accept).unwrap();
    world.settle(&approved.charge, NOW * 1000).unwrap();
    let again = judged(&world, &plain, Mode::Accept).unwrap_err();
    assert_eq!(again.spelled(), "invalid_exact_evm_nonce_already_used");
    let short_nonce = unsigned(&|payload| payload["authorization"]["nonce"] = "0xab".into());
    assert_eq!(judged(&world, &short_nonce, Mode::Accept).unwrap_err().spelled(), "invalid_exact_evm_signature");
    let rejected = judged(&world, &plain, Mode::Reject).unwrap_err();
    assert_eq!(rejected.spelled(), "payment_rejected_by_simulation");
}

#[test]
fn typed_data_is_compared_with_the_asset_that_it_names() {
    use serde_json::json;
    use x402_sim::explain::case::{Depth, Question, explain};
    use x402_sim::explain::read::read;
    let found = |domain: serde_json::Value, primary: &str| {
        let data = json!({"domain": domain, "types": {}, "primaryType": primary, "message": {}});
        let reading = read(&data.to_string());
        let question =
            Question { reading, requirements: None, now: NOW, real: None, record: None, depth: Depth::Judge };
        explain(&question).findings.iter().map(|finding| finding.id).collect::<Vec<_>>()
    };
    let usdc = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    let domain = |name: &str, version: &str, chain: u64, contract: &str| json!({"name": name, "version": version, "chainId": chain, "verifyingContract": contract});
    let transfer = "TransferWithAuthorization";
    assert_eq!(found(domain("USDC", "2", 84532, usdc), transfer), Vec::<&str>::new());
    assert_eq!(found(domain("USD Coin", "1", 84532, usdc), transfer), ["wrong_domain_name", "wrong_domain_version"]);
    assert_eq!(found(domain("USDC", "2", 8453, usdc), transfer), ["wrong_chain_id"]);
    assert_eq!(found(domain("USDC", "2", 84532, usdc), "ReceiveWithAuthorization"), ["wrong_primary_type"]);
    assert_eq!(
        found(domain("Mine", "1", 1, "0x1111111111111111111111111111111111111111"), transfer),
        Vec::<&str>::new()
    );
}

/// What is found in a payment that an instance refused for a reason.
fn causes(body: &serde_json::Value, real: Option<u64>, reason: Option<&str>) -> Vec<(&'static str, bool)> {
    use x402_sim::explain::case::{Depth, Question, Record, explain};
    use x402_sim::explain::read::read;
    let record = reason.map(|reason| Record { reason: reason.to_owned(), ..Record::default() });
    let reading = read(&body.to_string());
    let question = Question { reading, requirements: None, now: NOW, real, record, depth: Depth::Judge };
    explain(&question).findings.iter().map(|finding| (finding.id, finding.is_proven())).collect()
}

#[test]
fn nobody_signs_for_a_network_that_is_none() {
    let good = template();
    let (name, version, _, contract) = good.signed_for.clone();
    // A chain id in hexadecimal is no other chain whose name is near, and a name that is near another's is that of the asset.
    for said in ["eip155-84532", "eip155:0x14a34", "0x14a34", "84532"] {
        let signed_for = (name.clone(), version.clone(), 0, contract);
        let mut body = Template { signed_for, ..good.clone() }.body();
        for pointer in ["/paymentPayload/accepted/network", "/paymentRequirements/network"] {
            *body.pointer_mut(pointer).unwrap() = said.into();
        }
        assert_eq!(causes(&body, None, None), [("network_misspelt", true)], "{said}");
    }
}

#[test]
fn a_moved_clock_is_the_cause_where_the_reason_is_about_time() {
    let body = Template { valid_before: NOW - 60, ..template() }.body();
    let real = Some(NOW - 300);
    let expired = "invalid_exact_evm_payload_authorization_valid_before";
    assert_eq!(causes(&body, real, Some(expired)), [("clock_moved", true)]);
    let balance = "invalid_exact_evm_insufficient_balance";
    let found = causes(&body, real, Some(balance));
    assert_eq!(found, [("insufficient_balance", false), ("clock_moved", false)]);
    assert_eq!(causes(&template().body(), None, Some("my_reason")), [("reason_unknown", false)]);
}
