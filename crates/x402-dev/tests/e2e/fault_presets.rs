//! Every preset with a simple paying client, at both doors: how many settlements there are after one attempt, and how
//! many when the client pays again with a new authorization.

use serde_json::json;
use x402_sim::event::Door;
use x402_sim::fault::preset::{PRESETS, Preset};

use crate::client::Request;
use crate::fault_hand::{End, Seen, add, paying, reset, settlements, watch, watch_delayed};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, requirements};

/// One attempt to buy: asks, pays what is asked. Whether the client has what it wanted.
fn buy(mock: &Mock, preset: &Preset) -> bool {
    let asked = watch(mock, &Request::get("/a")).answer();
    let way = asked.offer()["accepts"][0].clone();
    let payment = Payment::of(&way);
    got(&send(mock, &paying("/a", &payment), preset))
}

/// Sends a payment; waits by the mock's clock where the preset is slow.
fn send(mock: &Mock, request: &Request, preset: &Preset) -> Seen {
    match preset.name {
        "slow_answer" => watch_delayed(mock, request, 30_000),
        "accept_then_timeout" => watch_delayed(mock, request, 5_000),
        _ => watch(mock, request),
    }
}

/// Whether an answer is a whole 200.
fn got(seen: &Seen) -> bool {
    seen.end == End::Open && seen.answer().status == 200
}

#[test]
fn every_preset_leads_to_the_settlements_that_it_says_at_resources() {
    let mock = Test::new().start();
    for preset in PRESETS.iter().filter(|preset| preset.faults.iter().any(|(door, _)| *door == Door::Resources)) {
        reset(&mock);
        add(&mock, &json!({"preset": preset.name, "match": {"door": "resources"}}));
        let first = buy(&mock, preset);
        assert_eq!(settlements(&mock), u64::from(preset.once), "{} after one attempt", preset.name);
        if !first {
            pay_again(&mock, preset);
        }
        assert_eq!(settlements(&mock), u64::from(preset.again), "{} when paid again", preset.name);
    }
}

/// A new authorization for what is asked now; a preset of every attempt is as slow as before.
fn pay_again(mock: &Mock, preset: &Preset) {
    let asked = match preset.name {
        "price_bait" => watch(mock, &paying("/a", &Payment::of(&requirements()))),
        _ => watch(mock, &Request::get("/a")),
    };
    let way = asked.answer().offer()["accepts"][0].clone();
    watch(mock, &paying("/a", &Payment::of(&way)));
}

#[test]
fn every_preset_leads_to_the_settlements_that_it_says_at_the_facilitator() {
    let mock = Test::new().start();
    for preset in PRESETS.iter().filter(|preset| preset.faults.iter().any(|(door, _)| *door == Door::Facilitator)) {
        reset(&mock);
        add(&mock, &json!({"preset": preset.name, "match": {"door": "facilitator"}}));
        let first = sell(&mock, preset);
        assert_eq!(settlements(&mock), u64::from(preset.once), "{} after one attempt", preset.name);
        if !first {
            // What was slow is not slow again.
            sell_again(&mock);
        }
        assert_eq!(settlements(&mock), u64::from(preset.again), "{} when paid again", preset.name);
    }
}

/// A resource server that verifies, settles, and settles once more what is pending. Whether it delivers.
fn sell(mock: &Mock, preset: &Preset) -> bool {
    let payment = Payment::of(&requirements());
    let verified = watch(mock, &Request::post_json("/verify", &payment.request()));
    if !got(&verified) || verified.answer().json()["isValid"] != true {
        return false;
    }
    let settle = Request::post_json("/settle", &payment.request());
    let seen = send(mock, &settle, preset);
    if !got(&seen) {
        return false;
    }
    let receipt = seen.answer().json();
    if receipt["errorReason"] == "settlement_pending" {
        let again = watch(mock, &settle);
        return got(&again) && again.answer().json()["success"] == true;
    }
    receipt["success"] == true
}

fn sell_again(mock: &Mock) {
    let payment = Payment::of(&requirements());
    let verified = watch(mock, &Request::post_json("/verify", &payment.request()));
    if got(&verified) && verified.answer().json()["isValid"] == true {
        watch(mock, &Request::post_json("/settle", &payment.request()));
    }
}
