//! `sign` on Solana: what it makes is paid with, or refused for exactly the reason that its table of defects says.

use serde_json::{Value, json};
use x402_sim::hex;
use x402_sim::networks::solana;
use x402_sim::networks::solana::exact::defect::{DEFECTS, Defect};
use x402_sim::networks::solana::transaction::Transaction;
use x402_sim::registry::Version;

use crate::client::Request;
use crate::harness::{Finished, Mock, Test};
use crate::solana_pay::{USDC, account, rpc};

/// A server whose only way to pay is on Solana.
fn mock() -> Mock {
    Test::new().config("networks: [solana-devnet]\n").start()
}

/// The chain of a server.
fn chain(mock: &Mock) -> String {
    format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url)
}

fn run(args: &[&str]) -> Finished {
    Test::new().run(&[&["sign"], args].concat())
}

#[track_caller]
fn everything(args: &[&str]) -> Value {
    let run = run(&[args, &["--json"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}: {run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// What `sign` makes of a server's offer. It has another home than the server, so that the chain is named.
#[track_caller]
fn signed(mock: &Mock, version: Version, args: &[&str]) -> Value {
    let (url, number, chain) = (format!("{}/a", mock.url), version.number().to_string(), chain(mock));
    everything(&[&[url.as_str(), "--x402-version", &number, "--rpc", &chain], args].concat())
}

fn body(version: Version, printed: &Value) -> Value {
    let (payload, asked) = (&printed["payload"], &printed["requirements"]);
    json!({"x402Version": version.number(), "paymentPayload": payload, "paymentRequirements": asked})
}

/// The error of a paid resource, in the payment's dialect.
#[track_caller]
fn at_resource(mock: &Mock, version: Version, printed: &Value) -> Value {
    let (header, value) = (printed["header"].as_str().unwrap(), printed["value"].as_str().unwrap());
    let answer = mock.send(&Request::get("/a").header(header, value));
    match (answer.status, version) {
        (200, _) => Value::Null,
        (402, Version::V1) => answer.json()["error"].clone(),
        (402, Version::V2) => answer.offer()["error"].clone(),
        (other, _) => panic!("{other}: {answer:?}"),
    }
}

/// Checks a defect at every door. Gives what is wrong with what its table says.
fn differences(mock: &Mock, version: Version, defect: &Defect) -> Vec<String> {
    let printed = signed(mock, version, &["--defect", defect.name]);
    let facilitator = json!(defect.facilitator().spell(version));
    let resource = json!(defect.resource().spell(version));
    let row = json!({
        "name": defect.name, "family": "solana", "what": defect.what, "version": version.number(),
        "verify": facilitator, "settle": facilitator, "resource": resource,
    });
    let body = body(version, &printed);
    let seen = [
        ("row", printed["defect"].clone(), row),
        ("verify", mock.verify(&body)["invalidReason"].clone(), facilitator.clone()),
        ("settle", mock.settle(&body)["errorReason"].clone(), facilitator),
        ("resource", at_resource(mock, version, &printed), resource),
    ];
    let wrong = seen.into_iter().filter(|(_, found, told)| found != told);
    wrong.map(|(door, found, told)| format!("{} {version:?} {door}: {found}, told: {told}", defect.name)).collect()
}

#[test]
fn every_defect_is_told_as_its_table_says_and_without_one_every_door_takes_it() {
    let mock = mock();
    let mut wrong = Vec::new();
    for version in [Version::V1, Version::V2] {
        for defect in DEFECTS {
            wrong.extend(differences(&mock, version, defect));
        }
        let printed = signed(&mock, version, &[]);
        assert_eq!(printed["signer"], account(0).solana_address);
        let transaction = printed["payload"]["payload"]["transaction"].as_str().unwrap();
        let decoded = Transaction::from_base64(transaction).unwrap();
        assert_eq!(printed["digest"], format!("0x{}", hex::encode(decoded.identity())));
        assert_eq!(mock.verify(&body(version, &printed))["isValid"], true);
        assert_eq!(at_resource(&mock, version, &printed), Value::Null);
        let other = signed(&mock, version, &["--as", "1"]);
        assert_eq!(other["signer"], account(1).solana_address);
        assert_eq!(mock.settle(&body(version, &other))["success"], true);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_fixed_nonce_and_blockhash_give_the_same_bytes_and_need_no_chain() {
    let mock = mock();
    let latest = rpc(&mock, "getLatestBlockhash", &json!([]));
    let hash = latest["result"]["value"]["blockhash"].as_str().unwrap();
    let (nonce, url) = (format!("0x{}", "07".repeat(32)), format!("{}/a", mock.url));
    let made = || everything(&[&url, "--blockhash", hash, "--nonce", &nonce]);
    let printed = made();
    assert_eq!(printed["value"], made()["value"]);
    let text = printed["payload"]["payload"]["transaction"].as_str().unwrap();
    let transaction = Transaction::from_base64(text).unwrap();
    assert_eq!(transaction.message.memos(), ["07".repeat(16)]);
    assert_eq!(mock.verify(&body(Version::V2, &printed))["isValid"], true);
}

#[test]
fn what_cannot_be_signed_is_refused_with_what_to_do() {
    let (mock, evm) = (mock(), Test::new().config("networks: [base-sepolia]\n").start());
    let (url, solana) = (format!("{}/a", mock.url), chain(&mock));
    let elsewhere = format!("{}/_x402/rpc/eip155:84532", evm.url);
    for (args, code, part) in [
        (vec![url.as_str()], 1, "no recent blockhash: the requirements name none"),
        (
            vec![&url, "--rpc", &elsewhere],
            1,
            "answers getLatestBlockhash: the method getLatestBlockhash does not exist",
        ),
        (vec![&url, "--rpc", &mock.url], 1, "answers getLatestBlockhash: no blockhash"),
        (vec![&url, "--rpc", "https://a/"], 64, "give an http URL"),
        (vec![&url, "--blockhash", "0"], 64, "base58 of 32 bytes"),
        (vec![&url, "--rpc", &solana, "--defect", "high-s"], 64, "cannot have the defect `high-s`"),
        (vec![&url, "--rpc", &solana, "--defect", "plain-transfr"], 64, "did you mean `plain-transfer`?"),
        (vec![&url, "--rpc", &solana, "--valid-for", "5"], 64, "--valid-for means nothing"),
        (vec![&url, "--rpc", &solana, "--now", "5"], 64, "--now means nothing"),
    ] {
        let run = run(&args);
        assert_eq!(run.code, Some(code), "{args:?}: {run:?}");
        assert!(run.stderr.contains(part), "{args:?}: {run:?}");
        assert!(run.stdout.is_empty());
    }
    let foreign = run(&[&format!("{}/a", evm.url), "--defect", "plain-transfer"]);
    assert!(foreign.code == Some(64) && foreign.stderr.contains("eip155:84532 cannot have"), "{foreign:?}");
    // A payment to the payer itself is what these requirements ask for.
    let asked = json!({
        "scheme": "exact", "network": "solana-devnet", "maxAmountRequired": "1", "payTo": account(0).solana_address,
        "maxTimeoutSeconds": 60, "asset": USDC, "resource": "http://a/", "description": "", "mimeType": "",
        "extra": {"feePayer": account(8).solana_address},
    });
    let args = ["sign", "-", "--rpc", &solana, "--defect", "wrong-recipient"];
    let same = Test::new().stdin(asked.to_string()).run(&args);
    assert!(same.code == Some(1) && same.stderr.contains("changes nothing here"), "{same:?}");
}

#[test]
fn an_offer_may_say_a_recent_blockhash_a_new_one_each_time_and_then_nobody_asks_the_chain() {
    let yaml = "networks: [solana-devnet]\naccepts: [{network: solana-devnet, recent_blockhash: true}]\n";
    let mock = Test::new().config(yaml).start();
    let said = |offer: &Value| offer["accepts"][0]["extra"]["recentBlockhash"].as_str().unwrap().to_owned();
    let (first, second) = (mock.get("/a"), mock.get("/a"));
    assert_ne!(said(&first.offer()), said(&second.offer()));
    let valid = rpc(&mock, "isBlockhashValid", &json!([said(&first.offer())]));
    assert_eq!(valid["result"]["value"], true);
    let last: u64 = first.offer()["accepts"][0]["extra"]["lastValidBlockHeight"].as_str().unwrap().parse().unwrap();
    let height = rpc(&mock, "getBlockHeight", &json!([]))["result"].as_u64().unwrap();
    assert!((height..=height + 150).contains(&last), "{last} at {height}");
    assert_eq!(first.json()["accepts"][0]["extra"].get("recentBlockhash"), None, "version 1 knows none");
    let printed = everything(&[&format!("{}/a", mock.url)]);
    let signed = printed["payload"]["accepted"]["extra"]["recentBlockhash"].clone();
    let text = printed["payload"]["payload"]["transaction"].as_str().unwrap();
    let blockhash = Transaction::from_base64(text).unwrap().message.blockhash;
    assert_eq!(solana::parse_address(signed.as_str().unwrap()), Some(blockhash));
    // What a refusal offers is new as well.
    let spoilt = everything(&[&format!("{}/a", mock.url), "--defect", "underpaid"]);
    let refused = Request::get("/a").header("PAYMENT-SIGNATURE", spoilt["value"].as_str().unwrap());
    let again = mock.send(&refused).assert_status(402).offer();
    assert_ne!(said(&again), spoilt["payload"]["accepted"]["extra"]["recentBlockhash"]);
    assert_eq!(at_resource(&mock, Version::V2, &printed), Value::Null);
    let without = Test::new().start().get("/a").offer();
    assert_eq!(without["accepts"][1]["extra"].get("recentBlockhash"), None);
}

#[test]
fn an_instance_of_ones_own_is_asked_for_a_blockhash_by_itself() {
    let mock = mock();
    let home = mock.directory().join("home");
    let test = Test::new().env("X402_DEV_HOME", home.to_str().unwrap());
    let run = test.run(&["sign", &format!("{}/a", mock.url), "--body"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(mock.verify(&serde_json::from_str(&run.stdout).unwrap())["isValid"], true);
}

#[test]
fn the_defects_are_listed_and_in_the_documentation() {
    let text = run(&["--defects"]).stdout;
    let (_, listed) = text.split_once("Of a payment on Solana:").unwrap();
    let documented = include_str!("../../../../docs/chains.md");
    for defect in DEFECTS {
        let reason = defect.facilitator().spell(Version::V2).unwrap();
        let mut lines = listed.lines().skip_while(|line| line.split_whitespace().next() != Some(defect.name));
        assert!(lines.next().unwrap().contains(defect.what), "{listed}");
        assert!(lines.next().unwrap().contains(reason), "{listed}");
        let row = format!("| `{}` | {} | `{reason}` |", defect.name, defect.what);
        assert!(documented.contains(&row), "docs/chains.md has no row `{row}`");
    }
}
