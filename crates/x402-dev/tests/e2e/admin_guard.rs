//! Who may use the admin door, and what it takes.

use serde_json::json;

use crate::admin::Door;
use crate::client::Request;
use crate::harness::Test;

const CLOCK: &str = "/_x402/api/clock";

#[test]
fn a_name_that_was_rebound_to_this_address_is_refused() {
    let mock = Test::new().start();
    let port = mock.address.port();
    for host in
        [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}"), "a.localhost".into()]
    {
        mock.connect().send(&Request::get(CLOCK).header("Host", &host)).assert_status(200);
    }
    for host in ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "192.0.2.1", "user@localhost", ""] {
        for path in [CLOCK, "/_x402/openapi.json", "/_x402/events", "/_x402/nothing", "/_x402"] {
            mock.connect().send(&Request::get(path).header("Host", host)).problem(403, "host_not_allowed");
        }
    }
    // The target of a request wins over its header.
    let request = Request::get(format!("http://evil.test{CLOCK}")).header("Host", "localhost");
    mock.connect().send(&request).problem(403, "host_not_allowed");
    // Probes know no name, and learn nothing.
    let ready = mock.connect().send(&Request::get("/_x402/ready").header("Host", "10.1.2.3"));
    assert_eq!(ready.assert_status(200).json(), json!({"status": "ready"}));
}

#[test]
fn a_page_of_another_origin_is_refused_and_so_are_its_forms() {
    let mock = Test::new().start();
    let door = Door(&mock);
    let host = mock.address.to_string();
    for origin in ["http://evil.test", "null", "http://localhost:1", "https://127.0.0.1"] {
        door.send(Request::get(CLOCK).header("Origin", origin)).problem(403, "origin_not_allowed");
        let preflight = Request::new("OPTIONS", CLOCK).header("Access-Control-Request-Method", "POST");
        door.send(preflight.header("Origin", origin)).problem(403, "origin_not_allowed");
    }
    door.send(Request::get(CLOCK).header("Sec-Fetch-Site", "cross-site")).problem(403, "origin_not_allowed");
    door.send(Request::get(CLOCK).header("Origin", format!("http://{host}"))).assert_status(200);
    let advance = || Request::post("/_x402/api/clock/advance", r#"{"by_ms": 60000}"#);
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"]
    {
        door.send(advance().header("Content-Type", kind)).problem(415, "not_json");
        let empty = Request::post("/_x402/api/reset", "").header("Content-Type", kind);
        door.send(empty).problem(415, "not_json");
    }
    door.send(advance()).problem(415, "not_json");
    assert_eq!(door.get("/clock")["offset_ms"], 0, "nothing of it had an effect");
    door.send(advance().header("Content-Type", "Application/JSON; charset=utf-8")).assert_status(200);
}

#[test]
fn a_server_that_others_can_reach_wants_the_token_from_everybody() {
    let mock = Test::new().arg("--host").arg("0.0.0.0").start();
    let door = Door(&mock);
    let token = door.token();
    for path in [CLOCK, "/_x402/openapi.json", "/_x402/events", "/_x402/api/instance"] {
        let problem = door.send(Request::get(path)).problem(401, "token_required");
        assert!(problem["hint"].as_str().unwrap().contains("Authorization: Bearer"));
        for wrong in ["Bearer", "Bearer 0", &format!("Bearer {token}0"), &format!("Basic {token}"), &token] {
            door.send(Request::get(path).header("Authorization", wrong)).problem(401, "token_required");
        }
    }
    let right = |path| Request::get(path).header("Authorization", format!("Bearer {token}"));
    door.send(right(CLOCK)).assert_status(200);
    // Whoever knows the token may call the server as a container's neighbours do; a page still may not.
    mock.connect().send(&right(CLOCK).header("Host", "mock:3402")).assert_status(200);
    door.send(right(CLOCK).header("Origin", "http://evil.test")).problem(403, "origin_not_allowed");
    door.send(Request::get("/_x402/ready")).assert_status(200);
    // The commands know the token of an instance, and of a URL what they are told.
    assert!(door.say("clock").starts_with("time "));
    let run = door.run(&format!("clock --url {}", mock.url));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("X402_DEV_TOKEN"), "{run:?}");
    let told = Test::new().env("X402_DEV_TOKEN", &token).run(&["clock", "--url", &mock.url]);
    assert_eq!(told.code, Some(0), "{told:?}");
}

#[test]
fn without_an_instance_there_is_no_token_and_the_door_is_for_this_machine_alone() {
    let near = Test::new().arg("--no-instance").start();
    Door(&near).get("/clock");
    Door(&near).send(Request::get("/_x402/api/instance")).problem(403, "no_instance");
    let open = Test::new().arg("--no-instance").arg("--host").arg("0.0.0.0").start();
    let problem = Door(&open).send(Request::get(CLOCK)).problem(403, "no_instance");
    assert!(problem["hint"].as_str().unwrap().contains("--no-instance"), "{problem}");
    let run = Test::new().run(&["clock", "--url", &near.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn whatever_is_sent_is_refused_by_its_place_and_never_with_a_500() {
    let mock = Test::new().start();
    let door = Door(&mock);
    let send = |path: &str, body: &str| {
        door.send(Request::post(format!("/_x402/api{path}"), body).header("Content-Type", "application/json"))
    };
    for (path, body, code, place) in [
        ("/clock/advance", r#"{"by": 1}"#, "unknown_field", "$.by"),
        ("/clock/advance", r#"{"by_ms": 1, "by_ms": 2}"#, "duplicate_field", "$.by_ms"),
        ("/clock/advance", r#"{"by_ms": -1}"#, "invalid_value", "$.by_ms"),
        ("/clock/advance", "{}", "missing_field", "$.by_ms"),
        ("/clock/rate", r#"{"rate": 0}"#, "invalid_value", "$.rate"),
        ("/clock/rate", r#"{"rate": 1000.1}"#, "invalid_value", "$.rate"),
        ("/accounts", r#"{"name": "Carol"}"#, "invalid_value", "$.name"),
        ("/accounts", r#"{"name": ""}"#, "invalid_value", "$.name"),
        ("/accounts", r#"{"name": "a", "key": "0x1"}"#, "unknown_field", "$.key"),
        ("/accounts/alice/fund", r#"{"amount": 5}"#, "invalid_value", "$.amount"),
        ("/accounts/alice/fund", r#"{"amount": "free"}"#, "invalid_value", "$.amount"),
        ("/accounts/alice/fund", r#"{"amount": "NaN"}"#, "invalid_value", "$.amount"),
        ("/accounts/alice/fund", r#"{"amount": "1e3"}"#, "invalid_value", "$.amount"),
        ("/events/wait", r#"{"count": 0}"#, "invalid_value", "$.count"),
        ("/events/wait", r#"{"timeout_ms": 600001}"#, "invalid_value", "$.timeout_ms"),
        ("/events/wait", r#"{"filter": {"kid": "settled"}}"#, "unknown_field", "$.filter.kid"),
        ("/events/wait", r#"{"filter": {"kind": "setled"}}"#, "invalid_value", "$.filter.kind"),
    ] {
        let problem = send(path, body).problem(400, code);
        assert_eq!(problem["path"], place, "{problem}");
    }
    for body in ["", "{", "NaN", r#"{"rate": NaN}"#, r#"{"rate": 1e999}"#, "\u{feff}{}", "[[[[", &"[".repeat(100_000)] {
        let problem = send("/clock/rate", body);
        assert!([400, 413].contains(&problem.status), "{problem:?}");
    }
    for (query, code, place) in [
        ("?sinse=1", "unknown_parameter", "?sinse"),
        ("?since=x", "invalid_value", "?since"),
        ("?since=1&since=2", "duplicate_field", "?since"),
        ("?limit=0", "invalid_value", "?limit"),
        ("?limit=1001", "invalid_value", "?limit"),
        ("?kind=setled", "invalid_value", "?kind"),
    ] {
        let problem = door.send(Request::get(format!("/_x402/api/events{query}"))).problem(400, code);
        assert_eq!(problem["path"], place, "{problem}");
    }
    let oversized = format!(r#"{{"by_ms": 1{}}}"#, " ".repeat(1024 * 1024));
    send("/clock/advance", &oversized).problem(413, "body_too_large");
    assert_eq!(door.get("/clock")["offset_ms"], 0);
    assert_eq!(door.changes(), Vec::<String>::new());
}

#[test]
fn paths_and_methods_that_do_not_exist_are_problems_too() {
    let mock = Test::new().start();
    let door = Door(&mock);
    for path in
        ["/_x402", "/_x402/", "/_x402/api", "/_x402/api/clocks", "/_x402/api/accounts/", "/_x402/api/snapshots/a/b"]
    {
        door.send(Request::get(path)).problem(404, "not_found");
    }
    for (method, path, allow) in [
        ("DELETE", CLOCK, "GET,HEAD"),
        ("GET", "/_x402/api/reset", "POST"),
        ("PATCH", "/_x402/api/accounts", "GET,HEAD,POST"),
        ("POST", "/_x402/events", "GET,HEAD"),
        ("POST", "/_x402/openapi.json", "GET,HEAD"),
    ] {
        let answer = door.send(Request::new(method, path));
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    let description = door.send(Request::get("/_x402/openapi.json")).assert_status(200).json();
    assert_eq!(description["openapi"], "3.1.0");
    assert!(description["paths"]["/_x402/api/clock/advance"]["post"].is_object());
}
