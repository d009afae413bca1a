//! When faults are played: matching, counting, headers, configuration, personas.

use serde_json::{Value, json};
use x402_sim::accounts;

use crate::client::Request;
use crate::fault_hand::{add, admin, advance, events, paying, reset, settlements, watch, watch_delayed};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, encoded, requirements};

/// A purchase's name that the extension `payment-identifier` takes.
const ID: &str = "pay_7d5d747be160e280504c099d984bcfe0";

/// The status of a paid request.
fn status(mock: &Mock, target: &str, payer: usize) -> u16 {
    watch(mock, &paying(target, &Payment::of(&requirements()).by(payer))).answer().status
}

#[test]
fn a_fault_concerns_what_it_matches() {
    let mock = Test::new().start();
    let fault = |matcher: Value| json!({"stage": "response", "effect": "status:503", "match": matcher});
    for (matcher, met, missed) in [
        (json!({"route": "/a/*"}), ("/a/b", 0), ("/b", 0)),
        (json!({"route": "GET /u/[id]"}), ("/u/7", 0), ("/u", 0)),
        (json!({"payer": "1"}), ("/a", 1), ("/a", 2)),
        (json!({"payer": accounts::find("3").unwrap().address}), ("/a", 3), ("/a", 2)),
        (json!({"network": "base-sepolia", "version": 2, "scheme": "exact", "payer": "0"}), ("/a", 0), ("/a", 1)),
    ] {
        reset(&mock);
        add(&mock, &fault(matcher.clone()));
        assert_eq!(status(&mock, met.0, met.1), 503, "{matcher}");
        assert_eq!(status(&mock, missed.0, missed.1), 200, "{matcher}");
    }
    reset(&mock);
    add(&mock, &fault(json!({"version": 1})));
    add(&mock, &fault(json!({"method": "POST"})));
    add(&mock, &fault(json!({"purchase": "other"})));
    assert_eq!(status(&mock, "/a", 0), 200);
}

#[test]
fn a_fault_is_played_as_often_as_it_says_and_listed_with_its_counts() {
    let mock = Test::new().start();
    add(&mock, &json!({"name": "second", "stage": "response", "effect": "status:503", "every": 2, "times": 1}));
    let seen: Vec<u16> = (0..4).map(|_| status(&mock, "/a", 0)).collect();
    assert_eq!(seen, [200, 503, 200, 200]);
    let listed = admin(&mock, "GET", "/faults", None).json();
    let fault = &listed["faults"][0];
    assert_eq!((&fault["id"], &fault["met"], &fault["played"]), (&json!("f1"), &json!(4), &json!(1)));
    assert_eq!(fault["fault"]["effect"], "status:503");
    admin(&mock, "DELETE", "/faults/second", None).assert_status(200);
    admin(&mock, "DELETE", "/faults/second", None).assert_status(404);
    assert_eq!(admin(&mock, "GET", "/faults", None).json()["faults"], json!([]));
    let all = admin(&mock, "GET", "/faults?all=true", None).json();
    assert_eq!(all["faults"].as_array().unwrap().len(), 5);
}

#[test]
fn chance_follows_the_seed() {
    let run = || {
        let mock = Test::new().arg("--seed").arg("7").start();
        add(&mock, &json!({"stage": "response", "effect": "status:503", "probability": 0.5}));
        (0..16).map(|_| status(&mock, "/a", 0)).collect::<Vec<_>>()
    };
    let first = run();
    assert_eq!(first, run());
    assert!(first.contains(&503) && first.contains(&200), "{first:?}");
}

#[test]
fn a_request_can_ask_for_faults_by_a_header() {
    let mock = Test::new().start();
    let ask = |value: &str| {
        let request = paying("/a", &Payment::of(&requirements())).header("X-402-Dev-Fault", value);
        watch(&mock, &request).answer()
    };
    assert_eq!(ask("response=status:503; response=delay:0ms").status, 503);
    assert_eq!(
        ask("settle:after=status:500").decoded("payment-response")["errorReason"],
        "Facilitator settle failed (500): <empty response>"
    );
    assert_eq!(settlements(&mock), 2);
    assert_eq!(ask("5xx_after_settle").status, 503);
    assert_eq!(ask("verify=refuse:because I say so").offer()["error"], "because I say so");
    assert_eq!(status(&mock, "/a", 0), 200);
    ask("nonsense").assert_error(400, &["X-402-Dev-Fault", "presets are accept_then_timeout, 5xx_after_settle"]);
    ask("settle=tiemout").assert_error(400, &["did you mean `timeout`?"]);
    let verify = Request::post_json("/verify", &Payment::of(&requirements()).request());
    let verdict = watch(&mock, &verify.header("X-402-Dev-Fault", "verify=refuse:no")).answer();
    assert_eq!(verdict.json()["invalidReason"], "no");
    let silent = Test::new().config("server: {test_headers: never}\n").start();
    let request = paying("/a", &Payment::of(&requirements())).header("X-402-Dev-Fault", "response=status:503");
    assert_eq!(watch(&silent, &request).answer().status, 200);
}

#[test]
fn configured_faults_are_there_from_the_start_and_after_a_reset() {
    let mock = Test::new().config("faults:\n  - {stage: response, effect: 'status:503'}\n").start();
    assert_eq!(status(&mock, "/a", 0), 503);
    admin(&mock, "DELETE", "/faults", None).assert_status(200);
    assert_eq!(status(&mock, "/a", 0), 200);
    admin(&mock, "POST", "/reset", None).assert_status(200);
    assert_eq!(status(&mock, "/a", 0), 503);
    assert_eq!(admin(&mock, "GET", "/faults", None).json()["faults"][0]["origin"], "config");
}

#[test]
fn snapshots_keep_faults_and_their_counts() {
    let mock = Test::new().start();
    add(&mock, &json!({"stage": "response", "effect": "status:503", "times": 2}));
    assert_eq!(status(&mock, "/a", 0), 503);
    admin(&mock, "PUT", "/snapshots/one", None).assert_status(200);
    assert_eq!([status(&mock, "/a", 0), status(&mock, "/a", 0)], [503, 200]);
    admin(&mock, "POST", "/snapshots/one/restore", None).assert_status(200);
    assert_eq!([status(&mock, "/a", 0), status(&mock, "/a", 0)], [503, 200]);
}

#[test]
fn a_flood_of_faults_is_refused_when_the_table_is_full() {
    let mock = Test::new().start();
    for _ in 0..1_000 {
        add(&mock, &json!({"stage": "supported", "effect": "hang"}));
    }
    let refused = admin(&mock, "POST", "/faults", Some(&json!({"stage": "supported", "effect": "hang"})));
    assert_eq!((refused.status, refused.text().contains("too_many_faults")), (409, true), "{}", refused.text());
    let wrong = json!({"stage": "settle", "effect": "hnag", "match": {"payer": "alice"}});
    let refused = admin(&mock, "POST", "/faults", Some(&wrong));
    assert!(
        refused.text().contains("$.effect") && refused.text().contains("did you mean `hang`"),
        "{}",
        refused.text()
    );
    let wrong = json!({"stage": "settle", "effect": "hang", "match": {"payer": "alicia"}});
    assert!(admin(&mock, "POST", "/faults", Some(&wrong)).text().contains("$.match.payer"));
}

/// A payment by a persona.
fn by(name: &str) -> Payment {
    Payment::of(&requirements()).by_account(accounts::find(name).unwrap())
}

#[test]
fn personas_behave_at_both_doors() {
    let mock = Test::new().start();
    let settle = |payment: &Payment| watch(&mock, &Request::post_json("/settle", &payment.request())).answer().json();
    let pay = |payment: &Payment| watch(&mock, &paying("/a", payment)).answer();
    reset(&mock);
    let slow = watch_delayed(&mock, &paying("/a", &by("slow")), 10_000).answer();
    assert_eq!((slow.status, settlements(&mock)), (200, 1));
    let slow = Request::post_json("/settle", &by("slow").request());
    assert_eq!(watch_delayed(&mock, &slow, 10_000).answer().json()["success"], true);

    reset(&mock);
    assert_eq!([pay(&by("flaky")).status, pay(&by("flaky")).status], [402, 200]);
    assert_eq!(settlements(&mock), 1);
    reset(&mock);
    assert_eq!([&settle(&by("flaky"))["success"], &settle(&by("flaky"))["success"]], [false, true]);

    reset(&mock);
    let pending = by("pending");
    let first = settle(&pending);
    assert_eq!(first["errorReason"], "settlement_pending");
    assert_eq!(settle(&pending)["errorReason"], "settlement_pending");
    advance(&mock, 10_000);
    let last = settle(&pending);
    assert_eq!((&last["success"], &last["transaction"]), (&json!(true), &first["transaction"]));
    assert_eq!(
        (settle(&pending)["errorReason"].as_str(), settlements(&mock)),
        (Some("invalid_exact_evm_nonce_already_used"), 1)
    );
    let resource = pay(&by("pending"));
    assert_eq!(
        (resource.status, resource.decoded("payment-response")["errorReason"].as_str()),
        (402, Some("settlement_pending"))
    );

    let since = reset(&mock);
    let reorg = by("reorg");
    assert_eq!(pay(&reorg).status, 200);
    advance(&mock, 10_000);
    assert!(events(&mock, since).iter().any(|event| event["kind"] == "undone"));

    reset(&mock);
    let drained = pay(&by("drained"));
    assert_eq!((drained.status, settlements(&mock)), (402, 0));
    assert_eq!(drained.decoded("payment-response")["errorReason"], "invalid_exact_evm_insufficient_balance");
    assert_eq!(pay(&by("drained")).offer()["error"], "invalid_exact_evm_insufficient_balance");
    assert_eq!(pay(&by("alice")).status, 200);
}

#[test]
fn a_fault_concerns_the_purchase_that_the_buyer_names() {
    let mock = Test::new().start();
    for name in ["order-1", ID] {
        add(&mock, &json!({"stage": "response", "effect": "status:503", "match": {"purchase": name}}));
        add(
            &mock,
            &json!({"stage": "settle", "effect": "status:503", "match": {"purchase": name, "door": "facilitator"}}),
        );
    }
    let pay = |header: &str| {
        let request = paying("/a", &Payment::of(&requirements())).header("X-Purchase-Id", header);
        watch(&mock, &request).answer().status
    };
    assert_eq!([pay("order-2"), pay("order-1"), pay("order-1"), status(&mock, "/b", 0)], [200, 503, 503, 200]);

    let identified = |id: &str| {
        let mut payload = Payment::of(&requirements()).v2();
        payload["extensions"] = json!({"payment-identifier": {"info": {"required": false, "id": id}, "schema": {}}});
        payload
    };
    let buy = |id: &str| {
        let request = Request::get("/a").header("PAYMENT-SIGNATURE", encoded(&identified(id)));
        watch(&mock, &request).answer().status
    };
    let settle = |id: &str| {
        let request = Request::post_json("/settle", &crate::payer::request(&identified(id), &requirements()));
        watch(&mock, &request).answer().status
    };
    let other = ID.replace('7', "8");
    assert_eq!([buy(&other), buy(ID), settle(&other), settle(ID)], [200, 503, 200, 503]);

    let last = json!({"stage": "response", "effect": "status:503", "match": {"purchase": "last"}});
    let problem = admin(&mock, "POST", "/faults", Some(&last)).problem(400, "invalid_value");
    assert_eq!(problem["path"], "$.match.purchase", "{problem}");
}

#[test]
fn each_purchase_has_its_own_first_attempt() {
    let mock = Test::new().start();
    let pay = |purchase: &str| {
        let request = paying("/a", &Payment::of(&requirements())).header("X-Purchase-Id", purchase);
        watch(&mock, &request).answer().status
    };
    add(&mock, &json!({"preset": "5xx_after_settle"}));
    assert_eq!([pay("one"), pay("two"), pay("one"), pay("two")], [503, 503, 200, 200]);
    let purchases = admin(&mock, "GET", "/purchases", None).json();
    let verdicts: Vec<_> =
        purchases["purchases"].as_array().unwrap().iter().map(|own| own["verdict"].clone()).collect();
    assert_eq!(verdicts, [json!("paid twice"), json!("paid twice")], "{purchases}");
    assert_eq!(settlements(&mock), 4);
}

#[test]
fn a_guessed_purchase_ends_with_its_delivery_and_the_next_meets_the_fault_again() {
    let mock = Test::new().start();
    add(&mock, &json!({"preset": "5xx_after_settle"}));
    let buy = || {
        watch(&mock, &Request::get("/a"));
        status(&mock, "/a", 0)
    };
    assert_eq!([buy(), buy(), buy(), buy()], [503, 200, 503, 200]);
}
