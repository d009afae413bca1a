//! Keys: from test accounts, files and the environment; never shown, never used where others can listen.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::buyer::Buyer;
use crate::fault_hand::admin;
use crate::harness::Test;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt};

/// A key that belongs to nobody, and its address.
const KEY: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";
const ADDRESS: &str = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A";

#[test]
fn a_key_comes_from_a_file_or_the_environment_and_is_never_shown() {
    let seller = Seller::honest();
    let buyer = Buyer::new().env("X402_DEV_KEY", KEY);
    let path = buyer.file("key", format!("{KEY}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for args in [&["-v"][..], &["-v", "--key-file", "key"], &["--json", "-v"]] {
        let run = buyer
            .pay(&[&[seller.url.as_str(), "-H", "Authorization: Bearer hush", "--trace", "trace.har"], args].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        let payment = seller.payments().pop().unwrap();
        assert_eq!(payment["payload"]["authorization"]["from"], ADDRESS);
        let signature = payment["payload"]["signature"].as_str().unwrap().to_owned();
        let told = [run.stderr.clone(), run.text()].concat();
        let trace = std::fs::read_to_string(buyer.path("trace.har")).unwrap();
        assert!(trace.contains("authorization") && trace.contains("validBefore"), "{trace}");
        let history = std::fs::read_to_string(buyer.journal().join("history.jsonl")).unwrap();
        let header = seller.heard().last().unwrap().header("payment-signature").unwrap().to_owned();
        for secret in [&KEY[2..], &signature, "hush", &header] {
            for text in [&told, &trace, &history] {
                assert!(!text.contains(secret), "{args:?}: {secret} is in {text}");
            }
        }
    }
    let other = buyer.pay(&[&seller.url, "--as", "3"]);
    assert_eq!(other.code, Some(0));
    assert_ne!(seller.payments().pop().unwrap()["payload"]["authorization"]["from"], ADDRESS);
}

#[test]
fn the_journal_keeps_what_is_needed_to_go_on_and_shows_it_to_nobody() {
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Breaks(Vec::new()),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    let report = buyer.report(&[&seller.url, "--retry", "0", "-H", "Authorization: Bearer hush"]);
    let signature = seller.payments()[0]["payload"]["signature"].as_str().unwrap().to_owned();
    let text = report.to_string();
    assert!(!text.contains("hush") && !text.contains(&signature[2..]), "{text}");
    let list = buyer.pay(&["--list", "--json"]).text();
    assert!(!list.contains("hush") && !list.contains("eyJ"), "{list}");
    let entry = buyer.journal().join(buyer.purchase()["id"].as_str().unwrap()).join("entry.json");
    assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(entry).unwrap().contains("hush"));
}

#[test]
fn a_secret_key_is_not_used_over_plain_http_to_another_host() {
    // 0.0.0.0 is answered by this machine, and is no address of it.
    let seller = Seller::honest();
    let url = format!("http://0.0.0.0:{}/", seller.address.port());
    let buyer = Buyer::new().env("X402_DEV_KEY", KEY);
    buyer
        .pay(&[&url])
        .assert(64, &["is not encrypted and not on this machine", "use https, or a test account with --as"]);
    assert!(seller.payments().is_empty() && buyer.open().is_empty());
    buyer.pay(&[&url, "--as", "0"]).assert(0, &["paid 0.01 USDC"]);
}

#[test]
fn a_key_pair_of_solana_pays_on_solana_and_nowhere_else() {
    let mock = Test::new().start();
    let buyer = Buyer::new();
    let key = x402_sim::networks::solana::ed25519::key_of(&[7; 32]);
    buyer.file("pair.json", serde_json::to_string(&[[7; 32], key.0].concat()).unwrap());
    let rpc = format!("{}/_x402/rpc/solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", mock.url);
    let run = buyer.pay(&[&format!("{}/a", mock.url), "--key-file", "pair.json", "--rpc", &rpc]);
    run.assert(0, &["paid 0.01 USDC", "on solana:"]);
    assert_eq!(buyer.purchase()["authorizations"][0]["from"], key.to_string());
    let seller = Seller::honest();
    buyer.pay(&[&seller.url, "--key-file", "pair.json"]).assert(5, &["another family of networks"]);
}

#[test]
fn a_key_pair_in_base58_pays_as_it_is_printed() {
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_x402-dev"))
        .args(["accounts", "keypair", "alice", "--base58"])
        .env_clear()
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let (seller, buyer) = (Seller::honest(), Buyer::new());
    buyer.file("pair", printed.stdout);
    buyer.pay(&[&seller.url, "--key-file", "pair"]).assert(0, &["paid 0.01 USDC"]);
    let alice = x402_sim::accounts::find("alice").unwrap();
    assert_eq!(seller.payments()[0]["payload"]["authorization"]["from"], alice.address);
}

#[test]
fn what_is_no_key_is_named_and_not_repeated() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    buyer.file("bad", "my secret words");
    let run = buyer.pay(&[&seller.url, "--key-file", "bad"]);
    run.assert(64, &["bad holds no key: a key is 64 hexadecimal digits"]);
    assert!(!run.stderr.contains("secret"));
    buyer.pay(&[&seller.url, "--key-file", "missing"]).assert(64, &["cannot read the key file"]);
    Buyer::new().env("X402_DEV_KEY", "0x12").pay(&[&seller.url]).assert(64, &["X402_DEV_KEY holds no key"]);
    buyer.pay(&[&seller.url, "--as", "nobody"]).assert(64, &["no test account"]);
    assert!(seller.payments().is_empty());
}

#[test]
fn a_persona_pays_as_it_does() {
    let mock = Test::new().start();
    let url = format!("{}/a", mock.url);
    let broke = Buyer::new().report(&[&url, "--as", "broke", "--retry-delay", "0"]);
    assert_eq!(broke["outcome"], "refused", "{broke}");
    assert!(broke["message"].as_str().unwrap().contains("insufficient_balance"), "{broke}");
    // The first settlement of each purchase fails, the same authorization is settled then.
    let flaky = Buyer::new().report(&[&url, "--as", "flaky", "--retry-delay", "0"]);
    assert_eq!(flaky["outcome"], "paid", "{flaky}");
    let page: Value = admin(&mock, "GET", "/purchases?limit=10", None).assert_status(200).json();
    let last = page["purchases"].as_array().unwrap().last().unwrap();
    assert_eq!((last["authorizations"].as_u64(), last["settlements"].as_u64()), (Some(1), Some(1)), "{last}");
}

/// A seller that takes every payment, for keys that no mock knows.
#[test]
fn a_test_key_is_a_test_account_wherever_it_comes_from() {
    let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Says(delivered(&[("payment-response", &receipt("0x01"))], "paid")),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let url = format!("http://0.0.0.0:{}/", seller.address.port());
    Buyer::new().env("X402_DEV_KEY", key).pay(&[&url]).assert(0, &["paid"]);
}

/// Runs the program, which refuses its command line, and gives what it says.
#[track_caller]
fn refused(words: &[&str]) -> String {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_x402-dev")).args(words).env_clear().output().unwrap();
    let said = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    assert_eq!(run.status.code(), Some(64), "{words:?}: {said}");
    said
}

#[test]
fn a_usage_error_repeats_no_secret() {
    const URL: &str = "http://127.0.0.1:1/";
    let bare = &KEY[2..];
    let (joined, phrase) = (format!("--as={KEY}"), "legal winner thank year wave sausage worth useful legal winner");
    let a_key = "a key is never taken from a flag";
    for (words, secret, part) in [
        (&["pay", URL, "--as", KEY][..], bare, a_key),
        (&["pay", URL, &joined], bare, "--key-file or X402_DEV_KEY"),
        (&["pay", URL, "--as", bare], bare, a_key),
        (&["sign", URL, "--as", KEY], bare, a_key),
        (&["pay", URL, "--as", phrase], "sausage", "no test account"),
        (&["pay", URL, KEY], bare, "unexpected argument"),
        (&["pay", URL, "--key", KEY], bare, "--key"),
        (&["pay", URL, "--max-amount", KEY], bare, "--max-amount"),
        (&["pay", "http://user:hush@127.0.0.1:1/"], "hush", "a URL with a user"),
        (&["pay", "user:hush@127.0.0.1:1/"], "hush", "write the whole address"),
        (&["pay", URL, "--rpc", "http://user:hush@127.0.0.1:1/"], "hush", "--rpc"),
        (&["sign", "http://user:hush@127.0.0.1:1/"], "hush", "a URL with a user"),
        (&["sign", "https://user:hush@127.0.0.1:1/"], "hush", "https"),
        (&["sign", URL, "--rpc", "http://user:hush@127.0.0.1:1/"], "hush", "--rpc"),
        (&["pay", "ftp://127.0.0.1:1/?token=hush"], "hush", "not supported"),
        (&["pay", URL, "-H", "Authorization Bearer hush"], "hush", "Name: value"),
        (&["pay", URL, "-H", "Author ization: hush"], "hush", "no name of a header field"),
    ] {
        let said = refused(words);
        assert!(!said.contains(secret), "{words:?}: {secret} is in {said}");
        assert!(said.contains(part), "{words:?}: {part} is not in {said}");
    }
    // A slip is shown.
    assert!(refused(&["pay", URL, "--as", "alcie"]).contains("'alcie'"));
    assert!(refused(&["pay", "ftp://127.0.0.1:1/a"]).contains("'ftp://127.0.0.1:1/a'"));
}

#[test]
fn no_flag_takes_a_key() {
    for words in [&["pay", "http://127.0.0.1:1/", "--key", "x"][..], &["sign", "a", "--key", "x"]] {
        let said = refused(words);
        assert!(said.contains("unexpected argument '--key'"), "{said}");
    }
}
