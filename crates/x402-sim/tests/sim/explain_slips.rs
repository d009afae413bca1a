//! Slips that take a signature from what is written: times that are read twice, parties in the token's place, permits.

use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::finding::Side;
use x402_sim::explain::read::read;
use x402_sim::networks::eip155::eip712::{Authorization, Domain};

use crate::explain_typed::{
    NOW, assert_found, authorization, digest, domain, hash, payer, requirements, signature, told, word, written,
};

/// What is found in something that is given alone.
fn explained(value: &Value) -> Explanation {
    let reading = read(&value.to_string());
    explain(&Question { reading, requirements: None, now: NOW, real: None, record: None, depth: Depth::Judge })
}

/// What is found where the sound payment has the signature of a digest.
fn signed_over(digest: B256) -> Explanation {
    told(&json!({"signature": signature(digest), "authorization": written(&authorization())}), &requirements("exact"))
}

#[test]
fn times_that_were_made_once_for_the_signature_and_once_for_the_payload_are_found() {
    let (own, here) = (authorization(), domain().separator());
    for seconds in 1..=5 {
        let by = U256::from(seconds);
        for (after, before, side) in [
            (own.valid_after - by, own.valid_before - by, "later"),
            (own.valid_after + by, own.valid_before + by, "earlier"),
        ] {
            let other = Authorization { valid_after: after, valid_before: before, ..own };
            let part = format!("validBefore {before}, and what is written is {seconds} s {side}");
            let explanation = signed_over(other.digest(here));
            assert_found(&explanation, "changed_after_signing", &part);
            // Both are put back, which is what the payer signed.
            assert!(explanation.findings[0].path.as_ref().unwrap().ends_with("authorization.validBefore"));
        }
    }
}

#[test]
fn a_party_in_the_place_of_the_token_and_a_chain_that_is_gone_are_found() {
    for (domain, id, part) in [
        (Domain { contract: accounts::merchant().evm(), ..domain() }, "wrong_verifying_contract", "(the payee)"),
        (Domain { contract: payer().evm(), ..domain() }, "wrong_verifying_contract", "(the payer)"),
        (Domain { chain_id: 84531, ..domain() }, "wrong_chain_id", "84531 (Base Goerli)"),
    ] {
        assert_found(&signed_over(authorization().digest(domain.separator())), id, part);
    }
}

#[test]
fn a_permit_of_eip_2612_is_found_with_any_of_its_usual_spenders_and_nonces() {
    const PERMIT: &str = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";
    let own = authorization();
    let permit = |spender: Address, nonce: B256, deadline: U256| {
        let words = [own.from.into_word(), spender.into_word(), own.value.into(), nonce, deadline.into()];
        signed_over(digest(domain().separator(), hash(PERMIT, &words)))
    };
    let facilitator = accounts::facilitator().evm();
    for (spender, nonce, end, part) in [
        (own.to, word(0), own.valid_before, "with the payee as spender"),
        (facilitator, word(0), own.valid_before, "with the mock's facilitator as spender"),
        (facilitator, word(7), U256::MAX, "with the mock's facilitator as spender"),
        (facilitator, own.nonce, own.valid_before, "with the mock's facilitator as spender"),
    ] {
        assert_found(&permit(spender, nonce, end), "wrong_primary_type", part);
    }
}

/// What belongs elsewhere is named for what it is, and the fix says how it should look here.
#[test]
fn an_address_or_a_time_of_another_kind_says_how_it_should_look() {
    const SOLANA: &str = "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin";
    let good = signature(authorization().digest(domain().separator()));
    for (key, value, id, fix) in [
        ("to", SOLANA, "address_of_other_family", "`payTo`: on Base Sepolia it is `0x` and 40"),
        ("from", SOLANA, "address_of_other_family", "Sign with an account of Base Sepolia"),
        ("validBefore", "2026-11-18T12:25:00Z", "time_notation", "\"1795004700\" for this moment"),
        ("validBefore", "2026-11-19", "time_notation", "\"1795046400\" for this moment"),
        ("validBefore", "Wed, 18 Nov 2026 12:25:00 GMT", "time_notation", "whole seconds since 1970"),
    ] {
        let mut own = written(&authorization());
        own[key] = json!(value);
        let found = told(&json!({"signature": good, "authorization": own}), &requirements("exact"));
        let first = &found.findings[0];
        assert_eq!((first.id, first.is_proven()), (id, true), "{key} {value}: {first:#?}");
        assert!(first.fix.contains(fix), "{}", first.fix);
        assert_eq!(first.side, Side::Client);
    }
}

#[test]
fn a_lifetime_that_is_no_whole_number_is_told_from_one_in_quotes() {
    for (value, id, fix) in [
        (json!(60.5), "timeout_not_whole", "without a fraction: 61"),
        (json!(-5), "timeout_not_whole", "without a fraction: 60"),
        (json!("2026-11-18T12:25:00Z"), "timeout_not_whole", "60"),
        (json!("5m"), "timeout_not_whole", "60"),
        (json!("90"), "number_is_text", "without quotes: 90"),
        (json!(null), "missing_field", ""),
    ] {
        let mut entry = requirements("exact");
        entry["maxTimeoutSeconds"] = value.clone();
        let offer = json!({"x402Version": 2, "resource": {"url": "https://a.example/b"}, "accepts": [entry]});
        let found = explained(&offer);
        assert_eq!(found.findings.iter().map(|own| own.id).collect::<Vec<_>>(), [id], "{value}");
        assert!(found.findings[0].fix.contains(fix), "{}", found.findings[0].fix);
    }
}
