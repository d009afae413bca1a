//! Purchases: what was paid how often, counted through the doors and asserted from a shell.

use std::io::Read;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{Connection, Request};
use crate::fault_hand::{add, admin, advance, events, hold, newest, paying};
use crate::harness::{Finished, Mock, Test};
use crate::payer::{Payment, account, encoded, requirements};

const ID: &str = "pay_7d5d747be160e280504c099d984bcfe0";

/// Every purchase.
#[track_caller]
fn purchases(mock: &Mock) -> Vec<Value> {
    let page = admin(mock, "GET", "/purchases?limit=1000", None).assert_status(200).json();
    assert_eq!((&page["missed"], &page["next"]), (&json!(0), &page["newest"]), "{page}");
    page["purchases"].as_array().unwrap().clone()
}

/// The only purchase, which says this.
#[track_caller]
fn assert_only(mock: &Mock, expected: &Value) -> Value {
    let all = purchases(mock);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_says(&all[0], expected);
    all[0].clone()
}

#[track_caller]
fn assert_says(purchase: &Value, expected: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&purchase[key], value, "{key} of {purchase:#}");
    }
}

/// A command against a server.
fn run(mock: &Mock, command: &[&str]) -> Finished {
    Test::new().run(&[command, &["--url", &mock.url]].concat())
}

/// Waits for an event after a sequence number.
#[track_caller]
fn wait_for(mock: &Mock, kind: &str, since: u64) {
    let wait = json!({"filter": {"kind": kind}, "since": since, "timeout_ms": 15_000});
    admin(mock, "POST", "/events/wait", Some(&wait)).assert_status(200);
}

/// A payload with a `payment-identifier`.
fn identified(payment: &Payment) -> Value {
    let mut payload = payment.v2();
    payload["extensions"] = json!({"payment-identifier": {"info": {"required": false, "id": ID}, "schema": {}}});
    payload
}

#[test]
fn a_client_that_pays_twice_under_one_name_is_caught() {
    for header in ["X-Purchase-Id", "Idempotency-Key"] {
        let mock = Test::new().start();
        for _ in 0..2 {
            let payment = Payment::of(&mock.asked("/news"));
            mock.send(&paying("/news", &payment).header(header, "order-1")).assert_status(200);
        }
        let expected = json!({
            "id": "pur_1", "grouping": "header", "name": "order-1", "seen": "resources", "method": "GET",
            "resource": "/news", "payer": account(0).address, "attempts": 2, "authorizations": 2, "verifies": 2,
            "settlements": 2, "delivery": "delivered", "verdict": "paid twice",
        });
        let purchase = assert_only(&mock, &expected);
        assert_eq!(purchase["moved"][0]["amount"], "0.02 USDC", "{purchase}");
    }
}

#[test]
fn a_client_that_pays_twice_under_one_identifier_is_caught_at_both_doors() {
    let mock = Test::new().start();
    for _ in 0..2 {
        let payload = identified(&Payment::of(&mock.asked("/news")));
        mock.send(&Request::get("/news").header("PAYMENT-SIGNATURE", encoded(&payload))).assert_status(200);
    }
    assert_only(&mock, &json!({"grouping": "id", "name": ID, "settlements": 2, "verdict": "paid twice"}));
    let mock = Test::new().start();
    for _ in 0..2 {
        let payload = identified(&Payment::of(&requirements()));
        let body = crate::payer::request(&payload, &requirements());
        assert_eq!(mock.verify(&body)["isValid"], true);
        assert_eq!(mock.settle(&body)["success"], true);
    }
    let expected = json!({
        "grouping": "id", "seen": "facilitator", "attempts": 2, "verifies": 2, "settlements": 2,
        "delivery": "unknown", "verdict": "paid twice",
    });
    assert_only(&mock, &expected);
}

#[test]
fn a_hundred_honest_repeats_are_a_hundred_clean_purchases() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    for _ in 0..100 {
        let asked = connection.send(&Request::get("/news")).offer()["accepts"][0].clone();
        connection.send(&paying("/news", &Payment::of(&asked))).assert_status(200);
    }
    let all = purchases(&mock);
    assert_eq!(all.len(), 100);
    for purchase in &all {
        assert_says(purchase, &json!({"grouping": "guess", "settlements": 1, "verdict": "clean", "closed": true}));
    }
    let expression = "verdict == \"clean\" and settlements == 1 and moved == $0.01";
    let held = run(&mock, &["assert", expression, "--purchase", "all"]);
    assert_eq!((held.code, held.stdout.trim()), (Some(0), &*format!("holds: {expression} for 100 purchases")));
}

#[test]
fn a_hundred_honest_repeats_at_the_facilitator_are_never_paid_twice() {
    let mock = Test::new().start();
    for _ in 0..100 {
        let body = Payment::of(&requirements()).request();
        assert_eq!(mock.verify(&body)["isValid"], true);
        assert_eq!(mock.settle(&body)["success"], true);
    }
    let all = purchases(&mock);
    assert_eq!(all.len(), 100);
    for purchase in &all {
        let expected = json!({
            "grouping": "guess", "seen": "facilitator", "attempts": 1, "verifies": 1, "settlements": 1,
            "resource": "http://api.test/a", "delivery": "unknown", "verdict": "settled, delivery not seen",
        });
        assert_says(purchase, &expected);
    }
}

#[test]
fn a_payment_that_both_doors_see_is_one_purchase() {
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/news"));
    assert_eq!(mock.verify(&payment.request())["isValid"], true);
    assert_only(&mock, &json!({"seen": "facilitator", "settlements": 0, "verdict": "pending"}));
    mock.send(&paying("/news", &payment)).assert_status(200);
    assert_only(&mock, &json!({"seen": "both", "attempts": 2, "verifies": 2, "settlements": 1, "verdict": "clean"}));
    // Whoever settles past the resource gets nothing from it.
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/news"));
    assert_eq!(mock.settle(&payment.request())["success"], true);
    mock.send(&paying("/news", &payment)).assert_status(402);
    assert_only(&mock, &json!({"seen": "both", "settlements": 1, "verdict": "paid, not delivered"}));
}

#[test]
fn a_header_that_is_replayed_ten_times_settles_once() {
    let mock = Test::new().start();
    let request = paying("/news", &Payment::of(&mock.asked("/news")));
    mock.send(&request).assert_status(200);
    for _ in 0..9 {
        mock.send(&request).assert_status(402);
    }
    let expected = json!({
        "attempts": 10, "authorizations": 1, "verifies": 10, "settlements": 1, "refused": 9, "deliveries": 1,
        "verdict": "clean",
    });
    assert_only(&mock, &expected);
}

#[test]
fn invoices_and_legacy_payments_are_purchases_too() {
    let mock = Test::new().start();
    let memo = mock.get("/news").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    let pay = |memo: &str| {
        mock.send(&Request::get("/news").header("X-Payment-Proof", memo).header("X-Simulation-Mode", "success"))
    };
    pay(&memo).assert_status(200);
    pay(&memo).assert_status(402);
    let purchase =
        assert_only(&mock, &json!({"attempts": 2, "authorizations": 1, "settlements": 1, "verdict": "clean"}));
    assert_eq!(
        (&purchase["moved"][0]["amount"], &purchase["payer"]),
        (&json!("0.01 USDC"), &json!(account(0).solana_address))
    );
    let legacy = Payment::of(&mock.get("/news").json()["accepts"][0]);
    mock.send(&Request::get("/news").header("X-PAYMENT", encoded(&legacy.v1()))).assert_status(200);
    assert_says(&purchases(&mock)[1], &json!({"settlements": 1, "verdict": "clean"}));
    // One account that pays one order in two ways has paid it twice.
    let order = |request: Request| mock.send(&request.header("X-Purchase-Id", "order-1")).assert_status(200).status;
    let memo = mock.get("/news").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    order(Request::get("/news").header("X-Payment-Proof", memo).header("X-Simulation-Mode", "success"));
    order(paying("/news", &Payment::of(&mock.asked("/news"))));
    assert_says(&purchases(&mock)[2], &json!({"name": "order-1", "settlements": 2, "verdict": "paid twice"}));
}

#[test]
fn refused_payments_and_unpaid_requests() {
    let mock = Test::new().start();
    for number in 0..50 {
        mock.get(&format!("/{number}")).assert_status(402);
        mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", "nonsense")).assert_status(402);
    }
    assert_eq!(purchases(&mock).len(), 0);
    let nothing = run(&mock, &["purchases"]);
    assert_eq!(
        (nothing.code, nothing.stdout.trim()),
        (Some(0), "no purchase yet: only a request with a payment makes one")
    );
    let wrong = Payment::of(&mock.asked("/a")).domain_name("wrong");
    for _ in 0..3 {
        mock.send(&paying("/a", &wrong)).assert_status(402);
    }
    let expected =
        json!({"attempts": 3, "settlements": 0, "refused": 3, "delivery": "not delivered", "verdict": "refused"});
    assert_only(&mock, &expected);
}

#[test]
fn a_body_a_method_and_a_query_make_another_purchase() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let buy = |request: Request| {
        mock.send(&request.header("PAYMENT-SIGNATURE", encoded(&Payment::of(&asked).v2()))).assert_status(200).status
    };
    buy(Request::post("/a", "one"));
    buy(Request::post("/a", "two"));
    buy(Request::new("PUT", "/a"));
    buy(Request::get("/a?b=c"));
    let resources: Vec<Value> =
        purchases(&mock).iter().map(|own| json!([own["method"], own["resource"], own["verdict"]])).collect();
    assert_eq!(
        resources,
        [
            json!(["POST", "/a", "clean"]),
            json!(["POST", "/a", "clean"]),
            json!(["PUT", "/a", "clean"]),
            json!(["GET", "/a?b=c", "clean"]),
        ]
    );
}

#[test]
fn content_without_bytes_is_delivered() {
    let yaml = "resources: [{match: /empty, response: {status: 204}}, {match: /moved, response: {status: 303}}]";
    let mock = Test::new().config(yaml).start();
    for target in ["/empty", "/moved"] {
        mock.connect().send(&paying(target, &Payment::of(&mock.asked(target))));
    }
    let payment = Payment::of(&mock.asked("/a"));
    let head = Request::new("HEAD", "/a").header("PAYMENT-SIGNATURE", encoded(&payment.v2()));
    mock.connect().send(&head).assert_status(200);
    for purchase in purchases(&mock) {
        assert_says(&purchase, &json!({"deliveries": 1, "verdict": "clean"}));
    }
    assert_eq!(purchases(&mock).len(), 3);
}

#[test]
fn content_that_a_fault_took_away_is_no_delivery() {
    for fault in [
        json!({"preset": "fake_delivery"}),
        json!({"stage": "content", "effect": "empty"}),
        json!({"stage": "content", "effect": "wrong_content"}),
    ] {
        let mock = Test::new().start();
        add(&mock, &fault);
        mock.send(&paying("/a", &Payment::of(&mock.asked("/a")))).assert_status(200);
        let expected = json!({
            "settlements": 1, "deliveries": 0, "delivery": "not delivered", "verdict": "paid, not delivered",
            "closed": false,
        });
        assert_only(&mock, &expected);
        let told = events(&mock, 0).into_iter().find(|event| event["kind"] == "not_delivered").unwrap();
        assert!(told["summary"].as_str().unwrap().contains("a fault has put"), "{told}");
    }
    // What a cache may keep arrives all the same.
    let mock = Test::new().start();
    add(&mock, &json!({"preset": "cacheable_content"}));
    mock.send(&paying("/a", &Payment::of(&mock.asked("/a")))).assert_status(200);
    assert_only(&mock, &json!({"deliveries": 1, "verdict": "clean"}));
}

#[test]
fn content_that_fails_costs_nothing_and_is_no_delivery() {
    let mock = Test::new().config("resources: [{match: /broken, response: {status: 500, text: sorry}}]").start();
    mock.send(&paying("/broken", &Payment::of(&mock.asked("/broken")))).assert_status(500);
    assert_only(&mock, &json!({"settlements": 0, "delivery": "not delivered"}));
}

#[test]
fn a_client_that_leaves_within_the_content_was_not_delivered() {
    let content = "x".repeat(16 * 1024 * 1024);
    let mock =
        Test::new().config("resources: [{match: /big, response: {file: big.txt}}]").file("big.txt", content).start();
    let asked = mock.asked("/big");
    let mut connection = mock.connect();
    connection.write(&paying("/big", &Payment::of(&asked)).bytes());
    connection.stream.read_exact(&mut [0; 1000]).unwrap();
    drop(connection);
    wait_for(&mock, "not_delivered", 0);
    assert_only(&mock, &json!({"settlements": 1, "deliveries": 0, "verdict": "paid, not delivered", "closed": false}));
    // Who pays again has possibly paid the same purchase twice.
    let answer = mock.send(&paying("/big", &Payment::of(&asked)));
    assert_eq!(answer.assert_status(200).body.len(), 16 * 1024 * 1024);
    assert_only(&mock, &json!({"settlements": 2, "deliveries": 1, "verdict": "possibly paid twice", "closed": true}));
}

#[test]
fn a_client_that_leaves_before_the_answer_was_not_delivered() {
    let mock = Test::new().start();
    admin(&mock, "POST", "/clock/freeze", None).assert_status(200);
    let request = paying("/news", &Payment::of(&mock.asked("/news"))).header("X-402-Dev-Fault", "response=delay:10s");
    let mut connection = mock.connect();
    hold(&mock, &mut connection, &request);
    drop(connection);
    let before = newest(&mock);
    advance(&mock, 10_000);
    wait_for(&mock, "not_delivered", before);
    assert_only(&mock, &json!({"settlements": 1, "faults": 1, "verdict": "paid, not delivered"}));
}

#[test]
fn an_answer_that_a_client_has_read_is_counted_when_it_asks() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    for number in 1..=200 {
        let payment = Payment::of(&requirements());
        connection.send(&paying("/a", &payment)).assert_status(200);
        let last = admin(&mock, "GET", "/purchases/last", None).assert_status(200).json();
        assert_says(&last["purchase"], &json!({"id": format!("pur_{number}"), "verdict": "clean"}));
        let kinds: Vec<&str> =
            last["events"].as_array().unwrap().iter().map(|own| own["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["verified", "settled", "delivered"]);
    }
}

#[test]
fn answers_to_pipelined_requests_are_all_delivered() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    let mut connection = Connection::open(mock.address);
    let requests: Vec<u8> = (0..5).flat_map(|_| paying("/a", &Payment::of(&asked)).bytes()).collect();
    connection.write(&requests);
    for _ in 0..5 {
        connection.read().assert_status(200);
    }
    let all = purchases(&mock);
    assert_eq!(all.iter().map(|own| own["deliveries"].as_u64().unwrap()).sum::<u64>(), 5, "{all:#?}");
    assert!(all.iter().all(|own| own["verdict"] == "clean"), "{all:#?}");
}

#[test]
fn assert_says_by_its_exit_code_whether_it_holds_and_shows_the_evidence() {
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/news"));
    mock.send(&paying("/news", &payment).header("X-Purchase-Id", "order-1")).assert_status(200);
    for holding in ["settlements == 1", "moved == $0.01 and verdict == \"clean\"", "not refused > 0", "payer == \"0\""]
    {
        let run = run(&mock, &["assert", holding]);
        assert_eq!((run.code, run.stdout.trim()), (Some(0), &*format!("holds: {holding}")), "{run:?}");
    }
    let failing = run(&mock, &["assert", "settlements == 2 or moved > 1", "--purchase", "pur_1"]);
    assert_eq!(failing.code, Some(1), "{failing:?}");
    for part in
        ["failed: settlements == 2 or moved > 1", "pur_1: settlements is 1, moved is 0.01 USDC", "header order-1"]
    {
        assert!(failing.stdout.contains(part), "`{part}` is not in:\n{}", failing.stdout);
    }
    assert!(failing.stdout.contains("Settled 0.01 USDC from 0xf39F"), "{}", failing.stdout);
    let json = run(&mock, &["assert", "settlements == 2", "--purchase", "all", "--json"]);
    let said: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, &said["holds"], &said["asked"]), (Some(1), &json!(false), &json!(1)), "{said}");
    assert_eq!(said["evidence"][0]["purchase"]["id"], "pur_1");
    assert_eq!(said["evidence"][0]["events"][1]["kind"], "settled");
}

#[test]
fn what_cannot_be_asserted_is_told_by_its_own_exit_codes() {
    let mut mock = Test::new().start();
    let wrong = run(&mock, &["assert", "settlement == 1"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(64), ""), "{wrong:?}");
    let expected = "\
error: a purchase has no such field
  settlement == 1
  ^^^^^^^^^^
hint: did you mean `settlements`?
";
    assert_eq!(wrong.stderr, expected);
    for purchase in ["last", "pur_7", "all", "nonsense"] {
        let run = run(&mock, &["assert", "settlements == 0", "--purchase", purchase]);
        assert_eq!(run.code, Some(1), "{run:?}");
    }
    let unknown = admin(&mock, "GET", "/purchases/pur_7", None);
    assert_eq!(unknown.assert_status(404).header("content-type"), Some("application/problem+json"));
    for query in ["limit=0", "limit=1001", "since=x", "payer=alice"] {
        admin(&mock, "GET", &format!("/purchases?{query}"), None).assert_status(400);
    }
    mock.stop(Signal::TERM);
    assert_eq!(Test::new().run(&["assert", "settlements == 1"]).code, Some(2));
    // A wrong expression is told before anything is asked.
    assert_eq!(Test::new().run(&["assert", "settlement == 1"]).code, Some(64));
}

#[test]
fn purchases_are_a_table_for_people() {
    let mock = Test::new().start();
    let asked = mock.asked("/news");
    for number in 0..2 {
        let request = paying("/news", &Payment::of(&asked).by(number)).header("X-Purchase-Id", "order-1");
        mock.send(&request).assert_status(200);
    }
    let table = run(&mock, &["purchases"]);
    let expected = "\
ID     GROUPED BY      PAYER         RESOURCE   ATTEMPTS  AUTHORIZATIONS  SETTLEMENTS  MOVED      DELIVERY   VERDICT
pur_1  header order-1  0xf39F..2266  GET /news  1         1               1            0.01 USDC  delivered  clean
pur_2  header order-1  0x7099..79C8  GET /news  1         1               1            0.01 USDC  delivered  clean
";
    assert_eq!((table.code, table.stdout.as_str()), (Some(0), expected));
    let one = run(&mock, &["purchases", "pur_2"]);
    assert!(
        one.stdout.contains("verdict         clean") && one.stdout.contains("Delivered the content"),
        "{}",
        one.stdout
    );
    let json: Value = serde_json::from_str(&run(&mock, &["purchases", "--json"]).stdout).unwrap();
    assert_eq!(json["purchases"][1]["id"], "pur_2");
}

#[test]
fn after_a_reset_a_name_is_free_again() {
    let mock = Test::new().start();
    for _ in 0..2 {
        let payment = Payment::of(&mock.asked("/news"));
        mock.send(&paying("/news", &payment).header("X-Purchase-Id", "order-1")).assert_status(200);
        admin(&mock, "POST", "/reset", None).assert_status(200);
    }
    let all = purchases(&mock);
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|own| own["verdict"] == "clean" && own["closed"] == true), "{all:#?}");
}

#[test]
fn the_ring_of_events_has_the_configured_size_and_tells_what_has_gone() {
    let mock = Test::new().config("events: {capacity: 10}").start();
    for _ in 0..25 {
        mock.get("/a").assert_status(402);
    }
    let page = admin(&mock, "GET", "/events?since=5", None).assert_status(200).json();
    let sequences: Vec<u64> =
        page["events"].as_array().unwrap().iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!((sequences, &page["missed"]), ((16..=25).collect(), &json!(10)));
}
