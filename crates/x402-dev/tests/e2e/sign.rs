//! `sign`: what it makes is paid with, or refused for exactly the reason that its table of defects says.

use serde_json::{Value, json};
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::defect::{DEFECTS, PERMIT2_DEFECTS, Verdict};
use x402_sim::networks::solana::exact::defect as solana;
use x402_sim::registry::Version;

use crate::client::{Answer, Request};
use crate::harness::{Mock, Test};
use crate::payer::{account, hex, requirements, requirements_v1};

/// What `sign` prints; it says nothing else.
#[track_caller]
fn signed(args: &[&str]) -> String {
    let run = Test::new().run(&[&["sign"], args].concat());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}: {run:?}");
    assert!(run.stdout.ends_with('\n'), "{run:?}");
    run.stdout.trim_end().to_owned()
}

#[track_caller]
fn everything(args: &[&str]) -> Value {
    serde_json::from_str(&signed(&[args, &["--json"]].concat())).unwrap()
}

fn header_of(version: Version) -> &'static str {
    match version {
        Version::V1 => "X-PAYMENT",
        Version::V2 => "PAYMENT-SIGNATURE",
    }
}

fn number(version: Version) -> String {
    version.number().to_string()
}

/// What a paid resource says of a payment: the status, and the error of its dialect.
#[track_caller]
fn at_resource(mock: &Mock, version: Version, value: &str) -> (Answer, Value) {
    let answer = mock.send(&Request::get("/a?b=c").header(header_of(version), value));
    let error = match (answer.status, version) {
        (200, _) => Value::Null,
        (_, Version::V1) => answer.json()["error"].clone(),
        (_, Version::V2) => answer.offer()["error"].clone(),
    };
    (answer, error)
}

#[track_caller]
fn sign_with(url: &str, version: Version, defect: &Defect) -> Value {
    let printed = everything(&[url, "--x402-version", &number(version), "--defect", defect.name]);
    let row = json!({
        "name": defect.name, "family": "eip155", "what": defect.what, "version": version.number(),
        "verify": defect.verify().spell(version), "settle": defect.settle().spell(version),
        "resource": defect.resource(version).spell(version),
    });
    assert_eq!(printed["defect"], row);
    assert_eq!(printed["header"], header_of(version));
    printed
}

/// The table is the truth: every row, in both versions, at every door.
#[test]
fn every_defect_is_told_as_its_table_says() {
    let mock = Test::new().start();
    let url = format!("{}/a?b=c", mock.url);
    for version in [Version::V2, Version::V1] {
        for defect in DEFECTS {
            let context = format!("{} in version {}", defect.name, version.number());
            let printed = sign_with(&url, version, defect);
            let body = json!({
                "x402Version": printed["payload"]["x402Version"],
                "paymentPayload": printed["payload"], "paymentRequirements": printed["requirements"],
            });
            let verdict = mock.verify(&body);
            let spelled = |verdict: Verdict| json!(verdict.spell(version));
            let reason = verdict.get("invalidReason").unwrap_or(&Value::Null);
            assert_eq!(reason, &spelled(defect.verify()), "{context}, verify: {verdict}");
            assert_eq!(verdict["isValid"], defect.verify() == Verdict::Accepted, "{context}");
            let outcome = mock.settle(&body);
            let reason = outcome.get("errorReason").unwrap_or(&Value::Null);
            assert_eq!(reason, &spelled(defect.settle()), "{context}, settle: {outcome}");
            let another = sign_with(&url, version, defect);
            let (answer, error) = at_resource(&mock, version, another["value"].as_str().unwrap());
            assert_eq!(error, spelled(defect.resource(version)), "{context}, resource");
            answer.assert_status(if defect.resource(version) == Verdict::Accepted { 200 } else { 402 });
        }
    }
    mock.assert_serves();
}

#[test]
fn without_a_defect_every_door_takes_it() {
    let mock = Test::new().start();
    let url = format!("{}/a?b=c", mock.url);
    for version in [Version::V2, Version::V1] {
        let number = number(version);
        let args = [url.as_str(), "--x402-version", &number];
        for who in ["0", "7", account(5).address] {
            let value = signed(&[&args[..], &["--as", who]].concat());
            at_resource(&mock, version, &value).0.assert_status(200);
            let again = at_resource(&mock, version, &value);
            assert_eq!(again.1, "invalid_exact_evm_nonce_already_used");
        }
        let body: Value = serde_json::from_str(&signed(&[&args[..], &["--body"]].concat())).unwrap();
        assert_eq!(mock.verify(&body)["isValid"], true);
        assert_eq!(mock.settle(&body)["success"], true);
        let line = signed(&[&args[..], &["--header"]].concat());
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(name, header_of(version));
        at_resource(&mock, version, value).0.assert_status(200);
        let printed = everything(&args);
        assert_eq!(printed["signer"], account(0).address);
        assert_eq!(printed["defect"], Value::Null);
        let value = printed["value"].as_str().unwrap();
        assert_eq!(x402_wire::header::decode::<Value>(value).unwrap(), printed["payload"]);
    }
}

#[test]
fn the_method_is_the_one_that_is_given() {
    let yaml = "resources: [{match: POST /a, price: 0.33}, {match: GET /a, price: free}]";
    let mock = Test::new().config(yaml).start();
    let url = format!("{}/a", mock.url);
    let curl = signed(&[&url, "-X", "POST", "--curl"]);
    let value = curl.strip_prefix("curl -i -X POST -H 'PAYMENT-SIGNATURE: ").unwrap();
    let value = value.strip_suffix(&format!("' '{url}'")).unwrap();
    let answer = mock.send(&Request::post("/a", "").header("PAYMENT-SIGNATURE", value));
    answer.assert_status(200);
    let free = Test::new().run(&["sign", &url]);
    assert_eq!((free.code, free.stdout.as_str()), (Some(1), ""), "{free:?}");
    assert!(free.stderr.contains("200 OK") && free.stderr.contains("-X"), "{}", free.stderr);
}

#[test]
fn every_form_of_an_offer_is_taken_from_a_file_or_stdin() {
    let mock = Test::new().start();
    let unpaid = mock.get("/a?b=c");
    let (header, body) = (unpaid.header("payment-required").unwrap(), unpaid.text());
    for (content, version) in [
        (header.to_owned(), Version::V2),
        (format!("{header}\r\n"), Version::V2),
        (unpaid.offer().to_string(), Version::V2),
        (mock.asked("/a?b=c").to_string(), Version::V2),
        (body, Version::V1),
        (unpaid.json()["accepts"][0].to_string(), Version::V1),
    ] {
        let file = Test::new().file("offer", &content).run(&["sign", "offer"]);
        let stdin = Test::new().stdin(&content).run(&["sign", "-", "--as", "1"]);
        for run in [file, stdin] {
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{content}: {run:?}");
            at_resource(&mock, version, run.stdout.trim_end()).0.assert_status(200);
        }
    }
    let curl = Test::new().file("offer", header).run(&["sign", "offer", "--curl"]);
    assert!(curl.stdout.ends_with(&format!("' 'http://{}/a?b=c'\n", "api.test")), "{curl:?}");
}

#[test]
fn a_fixed_nonce_and_a_fixed_time_give_the_same_bytes() {
    let nonce = hex(&[7; 32]);
    for (asked, after, before) in [(requirements(), "0", "1800000300"), (requirements_v1(), "1799999400", "1800000060")]
    {
        let sign = |extra: &[&str]| {
            let run = Test::new().file("a", asked.to_string()).run(&[&["sign", "a", "--json"], extra].concat());
            assert_eq!(run.code, Some(0), "{run:?}");
            run.stdout
        };
        let first = sign(&["--nonce", &nonce, "--now", "1800000000"]);
        assert_eq!(first, sign(&["--nonce", &nonce, "--now", "2027-01-15T08:00:00Z"]));
        let printed: Value = serde_json::from_str(&first).unwrap();
        let authorization = &printed["payload"]["payload"]["authorization"];
        assert_eq!(authorization["nonce"], json!(nonce));
        assert_eq!((&authorization["validAfter"], &authorization["validBefore"]), (&json!(after), &json!(before)));
        assert_ne!(sign(&["--now", "1800000000"]), sign(&["--now", "1800000000"]), "nonces are random");
        let short: Value = serde_json::from_str(&sign(&["--now", "1800000000", "--valid-for", "5"])).unwrap();
        assert_eq!(short["payload"]["payload"]["authorization"]["validBefore"], "1800000005");
    }
}

/// What the official client 2.27 writes, byte for byte: keys in their order, numbers and escapes as JavaScript's.
#[test]
fn the_payload_is_the_official_clients() {
    for line in include_str!("../../../../fixtures/vectors/exact-eip155/payments.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (offer, payload) = (case["offer"].as_str().unwrap(), case["payload"].as_str().unwrap());
        let nonce = hex(&[0xab; 32]);
        let run = Test::new().stdin(offer).run(&["sign", "-", "--nonce", &nonce, "--now", "1800000000"]);
        assert_eq!(run.stdout.trim_end(), x402_wire::header::encode_text(payload), "{run:?}");
    }
}

#[test]
fn of_several_requirements_one_is_chosen() {
    let mock = Test::new().config("accepts: [base-sepolia, eip155:421614, sei-testnet]").start();
    let url = format!("{}/a", mock.url);
    let network = |args: &[&str]| everything(&[&[url.as_str()], args].concat())["requirements"]["network"].clone();
    assert_eq!(network(&[]), "eip155:84532");
    assert_eq!(network(&["--network", "eip155:421614"]), "eip155:421614");
    assert_eq!(network(&["--network", "sei-testnet"]), "eip155:1328");
    assert_eq!(network(&["--index", "2"]), "eip155:1328");
    assert_eq!(network(&["--asset", "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d"]), "eip155:421614");
    assert_eq!(network(&["--x402-version", "1", "--network", "eip155:1328"]), "sei-testnet");
    let value = signed(&[&url, "--network", "eip155:421614", "--as", "2"]);
    mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", value)).assert_status(200);
    let run = Test::new().run(&["sign", &url, "--network", "eip155:1"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    for part in ["eip155:84532", "eip155:421614", "eip155:1328", "not asked for", "--network"] {
        assert!(run.stderr.contains(part), "`{part}` is not in: {}", run.stderr);
    }
}

#[test]
fn the_defects_are_listed_and_in_the_readme() {
    let text = signed(&["--defects"]);
    let rows: Value = serde_json::from_str(&signed(&["--defects", "--json"])).unwrap();
    let count = 2 * DEFECTS.len() + PERMIT2_DEFECTS.len() + 2 * solana::DEFECTS.len();
    assert_eq!(rows.as_array().unwrap().len(), count);
    let readme = include_str!("../../../../README.md");
    for defect in DEFECTS {
        let reason = defect.verify().spell(Version::V2).unwrap_or("accepted");
        let mut lines = text.lines().skip_while(|line| line.split_whitespace().next() != Some(defect.name));
        assert!(lines.next().unwrap().contains(defect.what), "{text}");
        assert!(lines.next().unwrap().contains(reason), "{text}");
        let row = format!("| `{}` | {} | `{reason}`", defect.name, defect.what).replace("`accepted`", "accepted");
        assert!(readme.contains(&row), "README.md has no row `{row}`");
    }
}
