//! What is delivered, to whom, and at which price: configured resources and answers.

use serde_json::json;

use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::{Payment, encoded};

#[track_caller]
fn buy(mock: &Mock, method: &str, target: &str) -> Answer {
    let asked = mock.send(&Request::new(method, target)).offer()["accepts"][0].clone();
    mock.send(&Request::new(method, target).header("PAYMENT-SIGNATURE", encoded(&Payment::of(&asked).v2())))
}

#[test]
fn configured_answers_are_delivered_as_written() {
    let yaml = "
resources:
  - {match: /json, response: {json: {weather: [sunny, 1.50], ok: true}}}
  - {match: /text, response: {status: 201, headers: {X-Rate: 10, Cache-Control: max-age=5}, text: grüezi}}
  - {match: /file, mime_type: text/csv, response: {file: data/rows.csv}}
  - {match: /moved, response: {status: 303, headers: {Location: /json}}}
";
    let mock = Test::new().config(yaml).file("data/rows.csv", "a,b\n1,2\n").start();
    let answer = buy(&mock, "GET", "/json");
    assert_eq!(answer.assert_status(200).json(), json!({"weather": ["sunny", 1.5], "ok": true}));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("private"));
    assert_eq!(answer.decoded("payment-response")["success"], true);

    let answer = buy(&mock, "GET", "/text");
    assert_eq!((answer.assert_status(201).text().as_str(), answer.header("x-rate")), ("grüezi", Some("10")));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("max-age=5, private"));

    let answer = buy(&mock, "GET", "/file");
    assert_eq!(
        (answer.assert_status(200).text().as_str(), answer.header("content-type")),
        ("a,b\n1,2\n", Some("text/csv"))
    );

    let answer = buy(&mock, "GET", "/moved");
    assert_eq!(answer.assert_status(303).header("location"), Some("/json"));
    assert_eq!(answer.decoded("payment-response")["success"], true);
}

#[test]
fn content_of_400_or_more_settles_nothing() {
    for status in [400, 404, 500, 599] {
        let yaml = format!("resources: [{{match: /broken, response: {{status: {status}, text: sorry}}}}]");
        let mock = Test::new().config(&yaml).start();
        let asked = mock.asked("/broken");
        let payment = Payment::of(&asked);
        let answer = mock.send(&Request::get("/broken").header("PAYMENT-SIGNATURE", encoded(&payment.v2())));
        assert_eq!(answer.assert_status(status).text(), "sorry");
        for absent in ["payment-response", "payment-required", "x-payment-response"] {
            assert_eq!(answer.header(absent), None);
        }
        // The authorization is as good as before.
        assert_eq!(mock.verify(&payment.request())["isValid"], true);
        assert_eq!(mock.settle(&payment.request())["success"], true);

        let legacy = Payment::of(&mock.get("/broken").json()["accepts"][0]);
        let answer = mock.send(&Request::get("/broken").header("X-PAYMENT", encoded(&legacy.v1())));
        assert_eq!(answer.assert_status(status).header("x-payment-response"), None);
        assert_eq!(mock.settle(&legacy.request())["success"], true);

        let memo = mock.get("/broken").json()["invoice"]["memo"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            mock.send(&Request::get("/broken").header("X-Payment-Proof", &memo)).assert_status(status);
        }
    }
}

#[test]
fn a_bad_payment_for_broken_content_is_still_refused_first() {
    let mock = Test::new().config("resources: [{match: /broken, response: {status: 500}}]").start();
    let bad = Payment::of(&mock.asked("/broken")).domain_name("USD Coin").v2();
    let answer = mock.send(&Request::get("/broken").header("PAYMENT-SIGNATURE", encoded(&bad)));
    assert_eq!(answer.assert_status(402).offer()["error"], "invalid_exact_evm_signature");
}

#[test]
fn a_free_resource_costs_nothing() {
    let yaml = "resources: [{match: /free, price: free}, {match: /also, price: 0, response: {text: hello}}]";
    let mock = Test::new().config(yaml).start();
    let answer = mock.get("/free");
    assert_eq!(answer.assert_status(200).json()["amount"], "free");
    for absent in ["payment-required", "payment-response", "www-authenticate"] {
        assert_eq!(answer.header(absent), None);
    }
    assert_eq!(mock.get("/also").assert_status(200).text(), "hello");
    mock.get("/other").assert_status(402);
    let all = Test::new().arg("--price").arg("free").start();
    all.get("/anything").assert_status(200);
    all.send(&Request::get("/anything").header("PAYMENT-SIGNATURE", "!")).assert_status(200);
}

#[test]
fn prices_are_per_route_and_method() {
    let yaml = "
pricing: {default: $0.02}
resources:
  - {match: GET /weather, price: $0.10}
  - {match: POST /weather, price: 0.25 USDC}
  - {match: '/api/*', price: {asset: USDC, amount: 7}, description: The API, mime_type: text/csv}
  - {match: '/users/[id]', price: 0.30}
";
    let mock = Test::new().config(yaml).start();
    let price = |method: &str, target: &str| {
        let answer = mock.send(&Request::new(method, target));
        answer.assert_status(402).offer()["accepts"][0]["amount"].as_str().unwrap().to_owned()
    };
    for (method, target, amount) in [
        ("GET", "/weather", "100000"),
        ("HEAD", "/weather", "100000"),
        ("POST", "/weather", "250000"),
        ("PUT", "/weather", "20000"),
        ("GET", "/WEATHER/", "100000"),
        ("GET", "//weather", "100000"),
        ("GET", "/we%61ther?x=1", "100000"),
        ("GET", "/api", "7"),
        ("GET", "/api/", "7"),
        ("GET", "/api/a/b", "7"),
        ("GET", "/apix", "20000"),
        ("GET", "/users/5", "300000"),
        ("GET", "/users/5/posts", "20000"),
        ("GET", "/users/5%2f6", "300000"),
        ("GET", "/", "20000"),
    ] {
        if method == "HEAD" {
            let mut connection = mock.connect();
            connection.write(&Request::new(method, target).bytes());
            assert_eq!(connection.read_head().offer()["accepts"][0]["amount"], amount, "{method} {target}");
        } else {
            assert_eq!(price(method, target), amount, "{method} {target}");
        }
    }
    let offer = mock.get("/api/x").offer();
    assert_eq!(
        (&offer["resource"]["description"], &offer["resource"]["mimeType"]),
        (&json!("The API"), &json!("text/csv"))
    );
}

#[test]
fn a_paid_head_settles_and_has_no_body() {
    let mock = Test::new().start();
    let payment = Payment::of(&mock.asked("/a"));
    let mut connection = mock.connect();
    let request = Request::new("HEAD", "/a").header("PAYMENT-SIGNATURE", encoded(&payment.v2()));
    connection.write(&request.bytes());
    let head = connection.read_head();
    assert_eq!(head.assert_status(200).decoded("payment-response")["success"], true);
    connection.send(&Request::get("/a")).assert_status(402);
}

#[test]
fn a_paid_post_is_delivered_whatever_its_body() {
    let mock = Test::new().start();
    let asked = mock.asked("/a");
    for body in [&b""[..], b"{\"a\":1}", &vec![0xff; 100_000]] {
        let request = Request::post("/a", body).header("PAYMENT-SIGNATURE", encoded(&Payment::of(&asked).v2()));
        mock.send(&request).assert_status(200);
    }
}

#[test]
fn own_networks_and_assets_can_be_paid() {
    let yaml = "
networks:
  - id: eip155:31337
    name: Anvil
    stage: test
    assets:
      - {address: '0x5FbDB2315678afecb367f032d93F642f64180aa3', symbol: TST, name: Test Coin, version: '3', decimals: 18}
pricing: {default: 1.5 TST}
";
    let mock = Test::new().config(yaml).start();
    let answer = buy(&mock, "GET", "/a");
    let receipt = answer.assert_status(200).decoded("payment-response");
    assert_eq!((&receipt["success"], &receipt["network"]), (&json!(true), &json!("eip155:31337")));
    assert_eq!(answer.json()["amount"], "1.5 TST");
}
