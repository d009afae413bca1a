//! Reserved paths: taken for every method, bare or prefixed.

use serde_json::json;

use crate::client::Request;
use crate::harness::Test;
use crate::payer::{Payment, requirements};

const BARE: [(&str, &str); 4] = [("/verify", "POST"), ("/settle", "POST"), ("/supported", "GET"), ("/health", "GET")];

#[test]
fn a_wrong_method_is_a_405_that_names_the_right_one() {
    let mock = Test::new().start();
    for (path, right) in BARE {
        for path in [path.to_owned(), format!("/facilitator{path}")] {
            let wrong =
                if right == "POST" { ["GET", "PUT", "DELETE", "PROPFIND"] } else { ["POST", "PUT", "DELETE", "PATCH"] };
            for method in wrong {
                let answer = mock.send(&Request::new(method, &path));
                answer.assert_error(405, &[]);
                let allow = answer.header("allow").unwrap_or_else(|| panic!("{method} {path}: no Allow"));
                assert!(allow.split(", ").any(|allowed| allowed == right), "{method} {path}: {allow}");
                assert!(!allow.split(", ").any(|allowed| allowed == method), "{method} {path}: {allow}");
                assert_eq!(answer.header("payment-required"), None);
            }
        }
    }
    mock.assert_serves();
}

#[test]
fn a_method_that_allow_names_is_allowed() {
    let mock = Test::new().start();
    for (path, _) in BARE {
        let allow = mock.send(&Request::new("DELETE", path)).header("allow").unwrap().to_owned();
        for method in allow.split(", ").filter(|method| *method != "HEAD") {
            let status = mock.send(&Request::new(method, path)).status;
            assert_ne!(status, 405, "{method} {path} is refused although Allow says: {allow}");
        }
    }
}

#[test]
fn head_of_supported_and_health_has_no_body() {
    let mock = Test::new().start();
    for path in ["/supported", "/health", "/facilitator/supported"] {
        let mut connection = mock.connect();
        connection.write(&Request::new("HEAD", path).bytes());
        connection.read_head().assert_status(200);
        connection.send(&Request::get(path)).assert_status(200);
    }
}

#[test]
fn what_is_not_built_yet_is_a_404() {
    let mock = Test::new().start();
    for path in ["/discovery/resources", "/discovery/search?query=x"] {
        for path in [path.to_owned(), format!("/facilitator{path}")] {
            for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                let answer = mock.send(&Request::new(method, &path));
                answer.assert_error(404, &[]);
                assert_eq!(answer.header("payment-required"), None, "{method} {path}");
            }
        }
    }
}

#[test]
fn nothing_under_the_admin_prefix_is_ever_priced_or_shared_with_other_origins() {
    let mock = Test::new().start();
    let host = mock.address.to_string();
    for path in ["/_x402", "/_x402/", "/_x402/nothing", "/_x402//a", "/_x402/%2e%2e/a"] {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            let request = Request::new(method, path).header("Host", &host);
            for (request, status) in [(request.clone(), 404), (request.header("Origin", "http://evil.test"), 403)] {
                let answer = mock.connect().send(&request);
                assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
                assert_eq!(answer.header("payment-required"), None);
                assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {path}");
            }
        }
    }
    mock.assert_serves();
}

#[test]
fn the_facilitator_answers_under_its_prefix_too() {
    let mock = Test::new().start();
    let body = Payment::of(&requirements()).request();
    let post = |path: &str| mock.send(&Request::post_json(path, &body)).assert_status(200).json();
    assert_eq!(post("/facilitator/verify")["isValid"], true);
    assert_eq!(post("/facilitator/settle")["success"], true);
    assert_eq!(post("/settle")["errorReason"], "invalid_exact_evm_nonce_already_used");
    let [bare, prefixed] = ["/supported", "/facilitator/supported"].map(|path| mock.get(path).json());
    assert_eq!(bare, prefixed);
}

#[test]
fn prefixed_frees_the_bare_paths() {
    let yaml = "{server: {facilitator: prefixed}, resources: [{match: /verify, price: 0.5}]}";
    let mock = Test::new().config(yaml).start();
    assert_eq!(mock.asked("/verify")["amount"], "500000");
    for path in ["/settle", "/supported", "/health", "/discovery/resources"] {
        assert_eq!(mock.get(path).assert_status(402).offer()["accepts"][0]["amount"], "10000", "{path}");
    }
    assert_eq!(mock.get("/facilitator/health").assert_status(200).json(), json!({"status": "ok"}));
    let body = Payment::of(&requirements()).request();
    let settled = mock.send(&Request::post_json("/facilitator/settle", &body));
    assert_eq!(settled.assert_status(200).json()["success"], true);
    let admin = Request::get("/_x402/x").header("Host", "localhost");
    mock.connect().send(&admin).assert_status(404);
}

#[test]
fn a_resource_on_a_reserved_path_is_refused_with_a_hint() {
    for path in ["/verify", "POST /settle", "/_x402/mine", "/facilitator/verify"] {
        let run = Test::new().config(&format!("resources: [{{match: {path}}}]")).run(&["config", "check"]);
        assert_eq!(run.code, Some(78), "{run:?}");
        assert!(run.stderr.contains("reserved"), "{}", run.stderr);
        assert_eq!(run.stderr.contains("server.facilitator: prefixed"), !path.contains("/_") && !path.contains("/f"));
    }
}
