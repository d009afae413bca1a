//! Times in which nothing can be paid, values that were changed after signing, and payers that pay themselves.

use alloy_primitives::{Address, U256};
use serde_json::json;
use x402_sim::explain::Explanation;
use x402_sim::networks::eip155::checksum;
use x402_sim::networks::eip155::eip712::Authorization;

use crate::explain_typed::{NOW, assert_found, authorization, domain, payer, requirements, signature, told, written};

/// The payment at another clock and with other times, signed as they are.
fn at_times(valid_after: u64, valid_before: u64) -> Explanation {
    let own = Authorization {
        valid_after: U256::from(valid_after),
        valid_before: U256::from(valid_before),
        ..authorization()
    };
    let payload = json!({"signature": signature(own.digest(domain().separator())), "authorization": written(&own)});
    told(&payload, &requirements("exact"))
}

#[test]
fn a_window_that_is_never_open_is_no_fault_of_the_offer() {
    for (after, before, id, part) in [
        (NOW + 300, NOW - 600, "times_swapped", "before it begins"),
        (NOW - 600, 0, "window_empty", "it ended in 1970"),
        (0, 0, "window_empty", "validBefore is 0"),
        (NOW - 10, NOW - 10, "window_empty", "no moment lies between"),
        (NOW - 1, NOW + 2, "window_empty", "3 s lie between"),
        (NOW + 600, NOW + 300, "window_empty", "no moment lies between"),
        (NOW - 900, NOW - 300, "expired", "it ended 5m ago"),
        (NOW + 300, NOW + 600, "clock_skew", "it begins in 5m"),
    ] {
        assert_found(&at_times(after, before), id, part);
    }
}

#[test]
fn what_ends_in_some_seconds_was_signed_for_too_short_a_time_before_any_clock_is_wrong() {
    for before in [NOW + 1, NOW + 5, NOW - 2] {
        let told = at_times(0, before);
        assert_found(&told, "expired", "");
        let fix = &told.findings[0].fix;
        assert!(fix.starts_with("Let it end maxTimeoutSeconds after now: 6 s must be left"), "{fix}");
        assert!(fix.contains("too short a time. If it was signed for 300 s and sent at once"), "{fix}");
    }
    let late = at_times(0, NOW - 12);
    assert!(late.findings[0].fix.starts_with("If it was sent at once, the payer's clock"), "{late:?}");
}

#[test]
fn times_of_another_zone_that_lie_ahead_are_named_so() {
    let ahead = 8 * 3600;
    let told = at_times(NOW + ahead, NOW + ahead + 300);
    assert_found(&told, "not_yet_valid", "it begins in 8h");
    assert!(told.findings[0].fix.starts_with("8h is what time zones differ by"), "{told:?}");
    let first = at_times(NOW + ahead - 600, NOW + ahead + 300);
    assert!(first.findings[0].fix.starts_with("8h is what time zones differ by"), "{first:?}");
}

#[test]
fn a_payer_that_pays_itself_is_remarked_and_refused_for_nothing() {
    let mut asked = requirements("exact");
    asked["payTo"] = json!(payer().address);
    let own = Authorization { to: payer().evm(), ..authorization() };
    let payload = json!({"signature": signature(own.digest(domain().separator())), "authorization": written(&own)});
    let explanation = told(&payload, &asked);
    let ids: Vec<_> = explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect();
    assert_eq!(ids, [("payee_unlikely", false)]);
    assert!(explanation.verdict.unwrap().valid);
}

#[test]
fn what_was_signed_is_put_back_so_that_nothing_else_is_blamed() {
    // The client signed what is asked, and wrote something else: of that alone verify would find another fault.
    let here = domain().separator();
    let own = authorization();
    for (key, value) in [
        ("value", "10001".to_owned()),
        ("validAfter", (NOW + 120).to_string()),
        ("validBefore", (NOW - 1).to_string()),
        ("to", checksum(Address::repeat_byte(0x77))),
    ] {
        let signed = if key == "validAfter" { Authorization { valid_after: U256::ZERO, ..own } } else { own };
        let mut payload = json!({"signature": signature(signed.digest(here)), "authorization": written(&signed)});
        payload["authorization"][key] = json!(value);
        assert_found(&told(&payload, &requirements("exact")), "changed_after_signing", &value);
    }
}
