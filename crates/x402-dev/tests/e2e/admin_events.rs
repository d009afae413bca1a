//! Events: page by page, waited for, and as they happen.

use std::thread;
use std::time::Instant;

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::admin::Door;
use crate::client::{Connection, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, requirements};

fn pay(mock: &Mock) {
    assert_eq!(mock.settle(&Payment::of(&requirements()).request())["success"], true);
}

/// Opens a stream.
fn follow(mock: &Mock, target: &str, last: Option<&str>) -> Stream {
    let mut connection = mock.connect();
    let request = Request::get(target).header("Host", mock.address.to_string());
    let request = last.into_iter().fold(request, |request, last| request.header("Last-Event-ID", last));
    connection.write(&request.bytes());
    let head = connection.read_head();
    head.assert_status(200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    Stream { connection, text: String::new() }
}

/// A stream of events.
struct Stream {
    connection: Connection,
    text: String,
}

impl Stream {
    /// Reads until it holds a text.
    #[track_caller]
    fn until(&mut self, part: &str) -> &str {
        while !self.text.contains(part) {
            let more = self.connection.read_some();
            assert!(!more.is_empty(), "the stream ended without `{part}`: {}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
        &self.text
    }

    fn sequences(&self) -> Vec<u64> {
        let ids = self.text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(|id| id.parse().unwrap()).collect()
    }
}

#[test]
fn events_come_page_by_page() {
    let mock = Test::new().start();
    let door = Door(&mock);
    for _ in 0..3 {
        pay(&mock);
    }
    let all = door.get("/events");
    let count = all["events"].as_array().unwrap().len();
    assert_eq!((&all["next"], &all["newest"], &all["missed"]), (&json!(count), &json!(count), &json!(0)));
    let (mut since, mut read) = (0, Vec::new());
    loop {
        let page = door.get(&format!("/events?since={since}&limit=1&kind=settled"));
        let events = page["events"].as_array().unwrap().clone();
        if events.is_empty() {
            break;
        }
        read.extend(events);
        since = page["next"].as_u64().unwrap();
    }
    assert_eq!(read.len(), 3);
    assert!(read.iter().all(|event| event["kind"] == "settled"));
    assert_eq!(door.get("/events?payer=alice")["events"], json!([]));
    assert_eq!(door.get(&format!("/events?since={}", i64::MAX))["events"], json!([]));
    door.send(Request::get("/_x402/api/events?payer=nobody")).problem(404, "unknown_account");
    door.send(Request::get("/_x402/api/events?network=nowhere")).problem(404, "unknown_network");
}

#[test]
fn a_ring_that_is_full_tells_what_has_gone() {
    let mock = Test::new().config("events: {capacity: 5}").start();
    let door = Door(&mock);
    for _ in 0..20 {
        door.tell("/accounts/alice/fund", &json!({"amount": "1"}));
    }
    let page = door.get("/events?since=3");
    assert_eq!((&page["missed"], page["events"].as_array().unwrap().len()), (&json!(12), 5), "{page}");
    let mut stream = follow(&mock, "/_x402/events?since=3", None);
    assert_eq!(stream.until("\"sequence\":20").matches("event: gap\ndata: {\"missed\":12}").count(), 1);
    assert_eq!(stream.sequences(), [16, 17, 18, 19, 20]);
}

#[test]
fn a_test_waits_for_events_and_never_sleeps() {
    let mock = Test::new().start();
    let door = Door(&mock);
    let address = mock.address;
    thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let wish = json!({"filter": {"kind": ["settled"]}, "count": 2, "timeout_ms": 20_000});
            let request = Request::post_json("/_x402/api/events/wait", &wish).header("Host", address.to_string());
            Connection::open(address).send(&request)
        });
        pay(&mock);
        pay(&mock);
        let page = waiting.join().unwrap().assert_status(200).json();
        assert_eq!(page["events"].as_array().unwrap().len(), 2);
    });
    let late = door.post("/events/wait", &json!({"filter": {"kind": "settled"}, "count": 3, "timeout_ms": 20}));
    let problem = late.problem(408, "timeout");
    assert_eq!((&problem["seen"], &problem["detail"]), (&json!(2), &json!("2 of 3 events came within 20 ms")));
    let since = door.get("/events")["next"].clone();
    door.post("/events/wait", &json!({"since": since, "timeout_ms": 0})).problem(408, "timeout");
}

#[test]
fn a_stream_goes_on_where_it_broke_off() {
    let mock = Test::new().start();
    let door = Door(&mock);
    pay(&mock);
    let last = door.get("/events")["newest"].as_u64().unwrap();
    let mut fresh = follow(&mock, "/_x402/events?kind=changed", None);
    let mut whole = follow(&mock, "/_x402/events?since=0", None);
    fresh.until("retry: ");
    door.say("fund alice 1");
    fresh.until("alice now holds");
    assert_eq!(fresh.sequences(), [last + 1], "a new reader hears what is new");
    whole.until("alice now holds");
    assert_eq!(whole.sequences(), (1..=last + 1).collect::<Vec<_>>());
    let mut back = follow(&mock, "/_x402/events?since=0", Some(&last.to_string()));
    back.until("alice now holds");
    assert_eq!(back.sequences(), [last + 1], "Last-Event-ID wins");
    // A number of an earlier life of the server.
    let mut stranger = follow(&mock, "/_x402/events", Some("999999"));
    stranger.until("alice now holds");
    assert!(stranger.text.contains("event: gap\n"), "{}", stranger.text);
    assert_eq!(stranger.sequences().first(), Some(&1));
    for wrong in ["abc", "-1", "1.5", "99999999999999999999"] {
        let answer = door.send(Request::get("/_x402/events").header("Last-Event-ID", wrong));
        answer.problem(400, "invalid_value");
    }
    let data = whole.text.lines().filter_map(|line| line.strip_prefix("data: "));
    for event in data.map(|data| serde_json::from_str::<Value>(data).unwrap()) {
        assert!(event["summary"].as_str().unwrap().ends_with('.'), "{event}");
    }
}

#[test]
fn a_reader_who_does_not_read_slows_no_payment_and_no_stop() {
    let mut mock = Test::new().start();
    let mut idle = follow(&mock, "/_x402/events?since=0", None);
    idle.until("retry: ");
    let address = mock.address;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                let mut connection = Connection::open(address);
                for _ in 0..250 {
                    let payment = Payment::of(&requirements()).request();
                    let settled = connection.send(&Request::post_json("/settle", &payment));
                    assert_eq!(settled.assert_status(200).json()["success"], true);
                }
            });
        }
    });
    let door = Door(&mock);
    let page = door.tell("/events/wait", &json!({"filter": {"kind": "settled"}, "count": 1000, "timeout_ms": 20_000}));
    assert_eq!(page["events"].as_array().unwrap().len(), 1000);
    // It was not told all at once, and misses nothing when it reads on.
    let last = page["next"].as_u64().unwrap();
    idle.until(&format!("\"sequence\":{last},"));
    assert!(idle.sequences().is_sorted());
    let _unread = follow(&mock, "/_x402/events?since=0", None);
    let began = Instant::now();
    mock.stop(Signal::TERM);
    let took = began.elapsed();
    assert!(took.as_millis() < 1_000, "the stop waited for a stream: {took:?}");
    while !idle.connection.read_some().is_empty() {}
}

#[test]
fn the_command_prints_events_for_people_and_for_programs() {
    let mock = Test::new().arg("--seed").arg("1").start();
    let door = Door(&mock);
    door.say("clock set 1800000000");
    door.say("clock freeze");
    door.say("clock set 1800000000");
    door.say("fund alice 5");
    assert_snapshot!(door.say("events --since 2"), @r"
         3  2027-01-15T08:00:00.000Z  The clock was set to 2027-01-15T08:00:00.000Z.
         4  2027-01-15T08:00:00.000Z  Alice now holds 1000005 USDC on eip155:84532.
    ");
    assert_snapshot!(door.say("events --filter kind=changed --since 3 --json"), @r#"{"sequence":4,"at":1800000000000,"kind":"changed","purchase":null,"payment":null,"door":"admin","summary":"Alice now holds 1000005 USDC on eip155:84532.","data":{"message":"alice now holds 1000005 USDC on eip155:84532"}}"#);
    assert_eq!(door.say("events --filter kind=settled"), "");
    let run = door.run("events --filter kind=setled");
    assert_eq!(run.code, Some(64));
    assert!(run.stderr.contains("\"settled\" is near it"), "{run:?}");
}

#[test]
fn two_runs_give_the_same_events() {
    let run = || {
        let mock = Test::new().arg("--seed").arg("7").start();
        let door = Door(&mock);
        door.tell("/clock/freeze", &json!(null));
        door.tell("/clock/set", &json!({"time_ms": 1_800_000_000_000_u64}));
        let since = door.get("/events")["next"].clone();
        door.tell("/accounts", &json!({"name": "carol"}));
        mock.get("/hello");
        for nonce in ["01", "02"] {
            let nonce = format!("0x{}", nonce.repeat(32));
            let url = format!("{}/hello", mock.url);
            let header = door.say(&format!("sign {url} --nonce {nonce} --now 1800000000 --as alice"));
            mock.send(&Request::get("/hello").header("PAYMENT-SIGNATURE", header.trim()).header("Host", "api.test"));
        }
        door.tell("/clock/advance", &json!({"by_ms": 3_600_000}));
        door.send(Request::get(format!("/_x402/api/events?since={since}&limit=1000"))).text()
    };
    assert_eq!(run(), run());
}
