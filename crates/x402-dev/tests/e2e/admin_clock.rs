//! The clock, by the door and by commands.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::admin::Door;
use crate::client::Request;
use crate::harness::Test;
use crate::payer::{Payment, encoded, now, requirements};

#[test]
fn the_clock_is_moved_and_stopped() {
    let mock = Test::new().start();
    let door = Door(&mock);
    let fresh = door.get("/clock");
    assert_eq!((&fresh["offset_ms"], &fresh["rate"], &fresh["frozen"]), (&json!(0), &json!(1.0), &json!(false)));
    assert!(door.say("clock").contains("offset  the mock's clock shows this computer's time\n"));
    assert!(door.say("clock advance 10m").contains("the mock's clock is 10m ahead of this computer's"));
    assert_eq!(door.get("/clock")["offset_ms"], 600_000);
    let frozen: Value = serde_json::from_str(&door.say("clock freeze --json")).unwrap();
    assert_eq!(frozen["frozen"], true);
    assert_eq!(door.get("/clock")["time_ms"], frozen["time_ms"]);
    assert_snapshot!(door.say("clock set 2027-01-15T08:00:00Z").lines().next().unwrap(), @"time    2027-01-15T08:00:00.000Z");
    assert_eq!(door.tell("/clock/advance", &json!({"by_ms": 1500}))["time_ms"], 1_800_000_001_500_u64);
    assert_eq!(door.tell("/clock/rate", &json!({"rate": 0.5}))["rate"], 0.5);
    assert!(door.say("clock rate 10x").contains("rate    10x\nstate   frozen"));
    assert!(door.say("clock resume").contains("state   running"));
    assert!(door.get("/clock")["time_ms"].as_u64().unwrap() >= 1_800_000_001_500);
    assert_eq!(
        door.changes(),
        [
            "the clock was advanced by 10m",
            "the clock was frozen",
            "the clock was set to 2027-01-15T08:00:00.000Z",
            "the clock was advanced by 1.5s",
            "the clock runs at 0.5 times real time",
            "the clock runs at 10 times real time",
            "the clock runs on",
        ]
    );
}

#[test]
fn a_clock_beyond_the_year_9999_is_refused() {
    let mock = Test::new().start();
    let door = Door(&mock);
    for (path, body) in [
        ("/clock/set", json!({"time_ms": 253_402_300_800_000_u64})),
        ("/clock/set", json!({"time_ms": i64::MAX})),
        ("/clock/advance", json!({"by_ms": i64::MAX})),
    ] {
        door.post(path, &body).problem(409, "clock_out_of_range");
    }
    door.tell("/clock/set", &json!({"time_ms": 253_402_300_799_999_u64}));
    door.tell("/clock/rate", &json!({"rate": 1000}));
    // At the end of time, nothing falls over.
    assert_eq!(mock.settle(&Payment::of(&requirements()).request())["success"], false);
    assert_eq!(door.run("clock advance 99999d").code, Some(1));
    door.tell("/reset", &json!(null));
    assert_eq!(mock.settle(&Payment::of(&requirements()).request())["success"], true);
}

#[test]
fn a_payment_that_came_too_late_is_told_the_offset_of_the_clock_and_no_event_says_it() {
    let mock = Test::new().arg("--verbose").start();
    let door = Door(&mock);
    let payment = || Payment::of(&requirements()).valid_before(now() + 60);
    assert_eq!(mock.verify(&payment().request())["isValid"], true);
    door.tell("/clock/advance", &json!({"by_ms": 600_000}));
    let ahead = "; the mock's clock is 10m ahead of this computer's";
    let verdict = mock.verify(&payment().request());
    assert!(verdict["invalidMessage"].as_str().unwrap().ends_with(ahead), "{verdict}");
    let outcome = mock.settle(&payment().request());
    assert!(outcome["errorMessage"].as_str().unwrap().ends_with(ahead), "{outcome}");
    let header = encoded(&payment().payload());
    mock.send(&Request::get("/hello").header("PAYMENT-SIGNATURE", header)).assert_status(402);
    mock.stderr.line("valid_before").split_once("the mock's clock is 10m ahead").unwrap();
    door.tell("/clock/set", &json!({"time_ms": (now() - 3600) * 1000}));
    let early = mock.verify(&Payment::of(&requirements()).valid_after(now() - 60).request());
    assert!(early["invalidMessage"].as_str().unwrap().contains(" behind this computer's"), "{early}");
    let page = door.send(Request::get("/_x402/api/events?kind=refused,settle_failed&limit=1000")).text();
    assert!(page.contains("valid_before") && !page.contains("this computer"), "{page}");
}

#[test]
fn an_invoice_that_expired_is_told_the_offset_of_the_clock() {
    let mock = Test::new().start();
    let door = Door(&mock);
    let memo = mock.get("/hello").json()["invoice"]["memo"].as_str().unwrap().to_owned();
    door.tell("/clock/advance", &json!({"by_ms": 3_600_000}));
    let answer = mock.send(&Request::get("/hello").header("X-Payment-Proof", memo));
    let message = answer.assert_status(402).json()["message"].as_str().unwrap().to_owned();
    assert!(message.ends_with("the mock's clock is 1h ahead of this computer's"), "{message}");
}
