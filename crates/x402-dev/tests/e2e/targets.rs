//! Odd request lines: paths, targets, versions, and what is no HTTP at all.

use crate::client::Request;
use crate::harness::Test;
use crate::payer::{Payment, encoded};
use crate::sockets::assert_no_harm;

#[test]
fn odd_paths_are_priced_like_any_other() {
    let mock = Test::new().start();
    for target in [
        "/",
        "//",
        "///a",
        "/a//b",
        "/..",
        "/../..",
        "/a/../b",
        "/a/./b",
        "/%2f",
        "/a%2fb",
        "/a%2Fb",
        "/%2e%2e/a",
        "/%2e",
        "/%00",
        "/%",
        "/%zz",
        "/%e4",
        "/%ff%fe",
        "/%c3%a4",
        "/a;b=c",
        "/a:b@c",
        "/~",
        "/*",
        "/a?",
        "/a??b=?",
        "/a?%00",
        "/[id]",
        "/:id",
        "/{id}",
        "/{*rest}",
        "/facilitator",
        "/facilitator/",
        "/facilitator/other",
        "/_x402x",
        "/verifyx",
        "/verify/x",
        "/discovery",
        "/'",
        "/|",
        "/^",
    ] {
        let answer = mock.connect().send(&Request::get(target));
        assert_eq!(answer.assert_status(402).offer()["error"], "Payment required", "{target}");
    }
    mock.assert_serves();
}

#[test]
fn an_odd_path_can_be_paid() {
    let mock = Test::new().start();
    for target in ["/a/../b", "/a%2fb", "/%2e%2e/a", "/%ff", "//a", "/%"] {
        let asked = mock.asked(target);
        let paid = Request::get(target).header("PAYMENT-SIGNATURE", encoded(&Payment::of(&asked).v2()));
        mock.send(&paid).assert_status(200);
        let memo = mock.get(target).json()["invoice"]["memo"].as_str().unwrap().to_owned();
        mock.send(&Request::get(target).header("X-Payment-Proof", memo).header("X-Simulation-Mode", "success"))
            .assert_status(200);
    }
}

#[test]
fn a_dear_path_is_dear_however_it_is_spelt() {
    let mock = Test::new().config("resources: [{match: /dear, price: 0.5}, {match: '/deep/*', price: 0.7}]").start();
    for target in ["/dear", "/DEAR", "/dear/", "//dear", "/de%61r", "/d%65ar/", "/dear?x=/cheap"] {
        assert_eq!(mock.asked(target)["amount"], "500000", "{target}");
    }
    for target in ["/deep", "/deep/a%2fb", "/deep/../dear", "/deep/%ff", "/deep//x"] {
        assert_eq!(mock.asked(target)["amount"], "700000", "{target}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_in_the_target_are_answered() {
    let mock = Test::new().start();
    for target in [&b"/\xff"[..], b"/\xc3\x28", b"/a?\xff\xfe", b"/\x80\x80/b", "/ü".as_bytes(), "/💩".as_bytes()] {
        assert_no_harm(&mock, &Request::get(target).bytes(), &[400, 402]);
    }
}

#[test]
fn control_characters_and_spaces_in_the_target_are_refused() {
    let mock = Test::new().start();
    for target in [&b"/a b"[..], b"/a\tb", b"/a\0b", b"/\x7f", b"", b" /a", b"a", b"\\a", b"/a#b", b"/<x>"] {
        assert_no_harm(&mock, &Request::get(target).bytes(), &[400, 402]);
    }
}

#[test]
fn absolute_and_special_targets_are_answered() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    let answer = connection.send(&Request::get("http://other.test:99/abs?x=1"));
    let url = answer.assert_status(402).offer()["resource"]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with("/abs?x=1") && url.starts_with("http://"), "{url}");
    assert_eq!(
        connection.send(&Request::get("http://other.test")).assert_status(402).json()["invoice"]["resource_path"],
        "/"
    );
    let verify = connection.send(&Request::post_json("http://other.test/verify", &serde_json::json!({})));
    verify.assert_error(400, &["paymentPayload"]);
    for bytes in [
        &b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nAccess-Control-Request-Method: GET\r\n\r\n",
        b"CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n",
        b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ftp://x/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET //host/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ] {
        assert_no_harm(&mock, bytes, &[204, 400, 402, 404, 405]);
    }
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let mock = Test::new().start();
    let mut connection = mock.connect();
    connection.write(b"GET /a?b HTTP/1.0\r\n\r\n");
    let answer = connection.read();
    let url = answer.assert_status(402).offer()["resource"]["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("http://{}/a?b", mock.address));
    assert!(connection.is_closed());
    let mut kept = mock.connect();
    for _ in 0..2 {
        kept.write(b"GET /a HTTP/1.0\r\nHost: api.test\r\nConnection: keep-alive\r\n\r\n");
        kept.read().assert_status(402);
    }
}

#[test]
fn what_is_no_http_is_refused_or_closed() {
    let mock = Test::new().start();
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let zeros = [0; 4096];
    let ones = [0xff; 4096];
    let lines = b"\r\n".repeat(10_000);
    for bytes in [
        &tls[..],
        http2,
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/3.0\r\n\r\n",
        b"GET / HTTQ/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n: empty\r\n\r\n",
        b"GET / HTTP/1.1\r\na b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\na: b\0c\r\n\r\n",
        b"GET / HTTP/1.1\r\na: b\r\n folded\r\n\r\n",
        b"",
        b"\r\n\r\n",
        &zeros,
        &ones,
        &lines,
        br#"{"jsonrpc":"2.0","id":1}"#,
    ] {
        assert_no_harm(&mock, bytes, &[400, 402, 431, 505]);
    }
}

#[test]
fn bare_line_feeds_end_lines_too() {
    let mock = Test::new().start();
    assert_no_harm(&mock, b"GET /a HTTP/1.1\nHost: a\n\n", &[400, 402]);
}

#[test]
fn a_path_that_only_begins_like_a_reserved_one_is_an_ordinary_resource() {
    let mock = Test::new().start();
    let answer = mock.get("/_x402abc");
    assert_eq!(answer.assert_status(402).header("access-control-allow-origin"), Some("*"));
}

#[test]
fn a_request_about_the_server_as_a_whole_is_one_about_its_root() {
    let mock = Test::new().start();
    let body = mock.send(&Request::new("OPTIONS", "*")).assert_status(402).json();
    assert_eq!(body["accepts"][0]["resource"], "http://api.test/");
}

#[test]
fn what_is_no_http_gets_a_bare_400_and_verbose_says_why() {
    let mock = Test::new().arg("--verbose").start();
    for (bytes, why) in [
        (&b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"[..], "invalid URI"),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "invalid HTTP version"),
        (b"GET /a HTTP/1.1\r\na b: c\r\n\r\n", "invalid HTTP header"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "invalid HTTP method"),
    ] {
        let mut connection = mock.connect();
        connection.write(bytes);
        let answer = connection.read();
        assert_eq!((answer.status, answer.text().as_str()), (400, ""), "{why}");
        assert!(connection.is_closed());
        mock.stderr.line(&format!("connection from 127.0.0.1: bad request: {why}"));
    }
    let quiet = Test::new().start();
    let mut connection = quiet.connect();
    connection.write(b"GET /a b HTTP/1.1\r\n\r\n");
    connection.read().assert_status(400);
    quiet.get("/after").assert_status(402);
    quiet.stderr.line("/after");
    assert!(!quiet.stderr.text().contains("bad request"), "{}", quiet.stderr.text());
}
