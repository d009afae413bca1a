//! What is settled of `upto`, and permits that are written otherwise than the protocol does.

use alloy_primitives::U256;
use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, Record, explain};
use x402_sim::explain::finding::Side;
use x402_sim::explain::read::read;
use x402_sim::networks::eip155::permit2::permit::{Permit, Witness};
use x402_sim::networks::eip155::{checksum, secp};

use crate::explain_permits::{asked, permit, written};
use crate::explain_typed::{NOW, assert_found, payer, signature, told};

/// A sound payment with a permit.
fn sound(is_upto: bool) -> Value {
    let own = permit(is_upto);
    json!({"signature": signature(own.digest()), "permit2Authorization": written(&own, payer().evm())})
}

/// What is said of a request to settle an amount, and of an instance's refusal of it.
fn settled(charge: impl Into<Value>, record: Option<(&str, &str)>) -> Explanation {
    let terms = asked(true);
    let mut charged = terms.clone();
    charged["amount"] = charge.into();
    let payment = json!({"x402Version": 2, "accepted": terms, "payload": sound(true)});
    let record = record.map(|(reason, message)| Record {
        reason: reason.to_owned(),
        message: Some(message.to_owned()),
        ..Record::default()
    });
    let request = json!({"x402Version": 2, "paymentPayload": payment, "paymentRequirements": charged}).to_string();
    let text = if record.is_some() { payment.to_string() } else { request };
    let requirements = record.is_some().then_some(charged);
    explain(&Question { reading: read(&text), requirements, now: NOW, real: None, record, depth: Depth::Judge })
}

fn ids(explanation: &Explanation) -> Vec<(&str, bool)> {
    explanation.findings.iter().map(|finding| (finding.id, finding.is_proven())).collect()
}

#[test]
fn a_charge_below_the_maximum_is_no_mistake_and_one_above_it_is() {
    let sound = settled("2400", None);
    assert!(sound.findings.is_empty() && sound.verdict.as_ref().unwrap().valid, "{sound:?}");
    assert!(sound.notes.iter().any(|note| note.contains("2400 (0.0024 USDC) of at most 10000")), "{:?}", sound.notes);
    let exceeds = "invalid_upto_evm_payload_settlement_exceeds_amount";
    for record in [None, Some((exceeds, "the settlement asks for more than the permitted 10000 (0.01 USDC)"))] {
        let above = settled("25000", record);
        assert_eq!(ids(&above), [("charge_exceeds_permit", true)], "{record:?}");
        assert!(above.findings[0].evidence[0].starts_with("25000 (0.025 USDC) is to be settled"));
        assert!(above.findings[0].code.iter().any(|line| line.line.contains("setSettlementOverrides")));
    }
    // The same permit is refused for what was used before, and nothing is said of the amount.
    let used = settled("2400", Some(("permit2_invalid_nonce", "the nonce was used before")));
    assert_eq!(ids(&used), [("nonce_used", true)]);
    // At /verify another amount is not what was offered.
    let verified = settled("2400", Some(("permit2_amount_mismatch", "10000, the requirements ask 2400")));
    assert_eq!(ids(&verified)[0], ("requirements_not_offered", true));
    let fix = &verified.findings[0].fix;
    assert!(fix.contains("/settle the same entry with what was used") && !fix.contains("the same one to"), "{fix}");
}

#[test]
fn a_charge_that_is_a_number_is_the_servers_mistake() {
    let record = "paymentRequirements.amount: expected a string, found the number 2400";
    for record in [None, Some(("invalid_payload", record))] {
        let told = settled(2400, record);
        assert_eq!(ids(&told), [("number_not_text", true)], "{told:?}");
        let finding = &told.findings[0];
        assert_eq!(finding.path.as_deref(), Some("paymentRequirements.amount"));
        assert_eq!(finding.side, Side::Server);
        assert!(finding.fix.starts_with("Write \"2400\"."), "{finding:?}");
    }
    let told = settled(json!(2400.5), Some(("invalid_payload", "expected a string, found the number 2400.5")));
    assert_eq!(ids(&told), [("charge_not_whole", true)], "{told:?}");
}

#[test]
fn a_charge_that_is_no_whole_number_is_rounded_and_not_taken_for_dollars() {
    let record =
        r#"paymentRequirements.amount: expected a decimal integer of atomic units, as a string, found "2400.5""#;
    for record in [None, Some(("invalid_payload", record))] {
        let told = settled("2400.5", record);
        assert_eq!(ids(&told), [("charge_not_whole", true)]);
        assert!(told.findings[0].code.iter().any(|line| line.line.contains("Math.ceil(used)")), "{:?}", told.findings);
    }
}

#[test]
fn a_permit_under_another_name_is_a_permit() {
    for is_upto in [false, true] {
        let own = sound(is_upto);
        let (permit, signature) = (&own["permit2Authorization"], &own["signature"]);
        let mut flat = permit.clone();
        flat["signature"] = signature.clone();
        for (body, part) in [
            (flat, "stand directly in `payload`"),
            (json!({"signature": signature, "authorization": permit}), "`authorization` holds `permitted`"),
            (json!({"signature": signature, "permit2": permit}), "call it `permit2Authorization`"),
        ] {
            assert_found(&told(&body, &asked(is_upto)), "permit2_not_named", part);
        }
    }
}

#[test]
fn what_a_permit_lacks_or_says_otherwise_is_told_in_its_own_words() {
    let change = |is_upto: bool, change: &dyn Fn(&mut Permit)| {
        let mut own = permit(is_upto);
        change(&mut own);
        let body = json!({"signature": signature(own.digest()), "permit2Authorization": written(&own, payer().evm())});
        told(&body, &asked(is_upto))
    };
    let relative = change(false, &|own| {
        own.deadline = U256::from(300);
        own.witness = Witness { valid_after: U256::ZERO, ..own.witness };
    });
    assert_found(&relative, "duration_not_time", "deadline is 300");
    let has = |told: &Explanation, part: &str| told.findings[0].code.iter().any(|line| line.line.contains(part));
    assert!(has(&relative, "deadline: BigInt("), "{:?}", relative.findings[0].code);
    let less = change(true, &|own| own.amount = U256::from(2_400));
    assert_found(&less, "amount_mismatch", "2400");
    assert!(has(&less, "permitted: { token"), "{:?}", less.findings[0].code);
    let nobody = change(true, &|own| own.witness = Witness { facilitator: None, ..own.witness });
    assert_found(&nobody, "witness_facilitator_missing", "there is no `facilitator`");
    assert!(has(&nobody, "facilitator: accepted.extra.facilitatorAddress"));
}

#[test]
fn a_blocked_payer_is_found_by_permit2_as_well() {
    let blocked = accounts::all().find(|own| own.persona().is_some_and(|own| own.name == "blocked")).unwrap();
    for is_upto in [false, true] {
        let own = permit(is_upto);
        let (compact, parity) = secp::sign(own.digest(), &blocked.key_bytes());
        let signature = format!("0x{}{:02x}", alloy_primitives::hex::encode(compact), 27 + parity);
        let body = json!({"signature": signature, "permit2Authorization": written(&own, blocked.evm())});
        assert_found(&told(&body, &asked(is_upto)), "blocked_account", &checksum(blocked.evm()));
        // What the instance said first is said as well.
        let record = Record { reason: "permit2_allowance_required".to_owned(), ..Record::default() };
        let payment = json!({"x402Version": 2, "accepted": asked(is_upto), "payload": body});
        let (reading, requirements) = (read(&payment.to_string()), Some(asked(is_upto)));
        let (record, depth) = (Some(record), Depth::Judge);
        let both = explain(&Question { reading, requirements, now: NOW, real: None, record, depth });
        assert_eq!(ids(&both), [("blocked_account", true), ("permit2_allowance", false)]);
    }
}
