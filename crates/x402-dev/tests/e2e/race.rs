//! Many at once: of any number of uses of one authorization, memo or balance exactly as many succeed as may.

use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::client::{Answer, Connection, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, encoded};

/// How often a race is run until its rare outcome was seen.
const MOST_ROUNDS: usize = 20;

/// Sends requests at the same moment, each over a connection of its own that is open before.
fn at_once(mock: &Mock, requests: &[Request]) -> Vec<Answer> {
    let start = &Barrier::new(requests.len());
    let address = mock.address;
    thread::scope(|scope| {
        let send = |request| {
            move || {
                let mut connection = Connection::open(address);
                start.wait();
                connection.send(request)
            }
        };
        let threads: Vec<_> = requests.iter().map(|request| scope.spawn(send(request))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn of_64_settles_of_one_authorization_one_succeeds() {
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/a"));
    let request = Request::post_json("/settle", &payment.request());
    let answers = at_once(&mock, &vec![request; 64]);
    let outcomes: Vec<_> = answers.iter().map(|answer| answer.assert_status(200).json()).collect();
    let (settled, failed): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome["success"] == true);
    assert_eq!(settled.len(), 1, "{outcomes:?}");
    for outcome in failed {
        assert_eq!(outcome["errorReason"], "invalid_exact_evm_nonce_already_used");
        assert_eq!((&outcome["transaction"], &outcome["network"]), (&json!(""), &json!("eip155:84532")));
    }
    assert_eq!(mock.verify(&payment.request())["invalidReason"], "invalid_exact_evm_nonce_already_used");
}

#[test]
fn of_many_deliveries_for_one_payment_of_version_2_one_is_made() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    // The others are refused by verification, or by settlement where another was faster in between. The second needs
    // two requests within a fraction of a millisecond, so that several rounds are run until it was seen.
    let mut seen = [0, 0];
    for _ in 0..MOST_ROUNDS {
        let header = encoded(&Payment::of(&asked).v2());
        let request = Request::get("/a").header("PAYMENT-SIGNATURE", header);
        let answers = at_once(&mock, &vec![request; 32]);
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            seen[refusal_v2(answer)] += 1;
        }
        if seen.iter().all(|number| *number > 0) {
            break;
        }
    }
    assert!(seen[0] > 0, "{seen:?}");
}

/// Which of the two official refusals of a used authorization this is: 0 by verification, 1 by settlement.
#[track_caller]
fn refusal_v2(answer: &Answer) -> usize {
    let used = "invalid_exact_evm_nonce_already_used";
    assert_eq!(answer.assert_status(402).json(), json!({}));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    if answer.header("payment-required").is_some() {
        assert_eq!(answer.offer()["error"], used);
        assert_eq!(answer.header("payment-response"), None);
        return 0;
    }
    let receipt = answer.decoded("payment-response");
    assert_eq!((&receipt["success"], &receipt["errorReason"]), (&json!(false), &json!(used)));
    assert_eq!((&receipt["transaction"], &receipt["network"]), (&json!(""), &json!("eip155:84532")));
    1
}

#[test]
fn of_many_deliveries_for_one_payment_of_version_1_one_is_made() {
    let mock = Test::new().start();
    let header = encoded(&Payment::of(&mock.get("/a").json()["accepts"][0]).v1());
    let request = Request::get("/a").header("X-PAYMENT", header);
    let answers = at_once(&mock, &vec![request; 64]);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let body = answer.assert_status(402).json();
        assert_eq!(body["error"], "invalid_exact_evm_nonce_already_used");
        assert!(body["accepts"].is_array(), "{body}");
        assert_eq!(answer.header("x-payment-response"), None);
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[test]
fn different_payments_at_once_all_succeed() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let paid = |index: usize| {
        let header = encoded(&Payment::of(&asked).by(index % 8).v2());
        Request::get("/a").header("PAYMENT-SIGNATURE", header)
    };
    let answers = at_once(&mock, &(0..64).map(paid).collect::<Vec<_>>());
    let mut hashes: Vec<String> = answers
        .iter()
        .map(|answer| answer.assert_status(200).decoded("payment-response")["transaction"].to_string())
        .collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 64, "every transaction has a hash of its own");
}

#[test]
fn a_balance_for_three_is_spent_three_times() {
    let mock = Test::new().config("accounts: {balance: 0.03}").start();
    let asked = mock.asked("/a");
    let settle = |_| Request::post_json("/settle", &Payment::of(&asked).request());
    let answers = at_once(&mock, &(0..16).map(settle).collect::<Vec<_>>());
    let outcomes: Vec<_> = answers.iter().map(|answer| answer.assert_status(200).json()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome["success"] == true).count(), 3, "{outcomes:?}");
    for outcome in outcomes.iter().filter(|outcome| outcome["success"] == false) {
        assert_eq!(outcome["errorReason"], "invalid_exact_evm_insufficient_balance");
    }
}

#[test]
fn of_many_redeems_of_one_memo_one_succeeds() {
    let mock = Test::new().start();
    let memo = mock.get("/a").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    let redeem = |index: usize| {
        let proof = Request::get("/a").header("X-Payment-Proof", &memo).header("X-Simulation-Mode", "success");
        proof.header("X-Payment-From", (index % 8).to_string())
    };
    let answers = at_once(&mock, &(0..64).map(redeem).collect::<Vec<_>>());
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.assert_status(402).json()["error"], "invoice_already_paid");
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}
