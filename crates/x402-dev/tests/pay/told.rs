//! How it is told: content on stdout, the story on stderr, files, HAR, JSON, exit codes.

use serde_json::{Value, json};

use crate::buyer::Buyer;
use crate::harness::Test;
use crate::payer::MERCHANT;
use crate::seller::{Reply, Seller, asks, delivered, offer, receipt, says};

#[test]
fn stdout_is_the_content_and_stderr_the_story() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    let run = buyer.pay(&[&seller.url]);
    assert_eq!(run.text(), "paid");
    assert_eq!(run.stderr, format!("paid 0.01 USDC to {MERCHANT} on eip155:84532, transaction 0x01\n"));
    let quiet = buyer.pay(&[&seller.url, "-q"]);
    assert_eq!((quiet.text().as_str(), quiet.stderr.as_str()), ("paid", ""));
    let with_head = buyer.pay(&[&seller.url, "-i"]).text();
    assert!(with_head.starts_with("HTTP/1.1 200 OK\r\n") && with_head.ends_with("\r\n\r\npaid"), "{with_head}");
    let verbose = buyer.pay(&[&seller.url, "-v"]).stderr;
    for part in [
        "* > GET http",
        "* < 402 Payment Required",
        "an offer in x402v2",
        "would be paid",
        "domain.name",
        "10000 (0.01 USDC)",
        "validBefore",
        ".000Z)",
        "nonce",
        "* delivered",
        "* receipt: success, transaction 0x01, network eip155:84532",
    ] {
        assert!(verbose.contains(part), "{part} is not in: {verbose}");
    }
}

#[test]
fn a_file_is_whole_or_not_there_and_is_tried_before_anything_is_paid() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    let run = buyer.pay(&[&seller.url, "-o", "content"]);
    run.assert(0, &["paid"]);
    assert_eq!((run.stdout.len(), std::fs::read(buyer.path("content")).unwrap()), (0, b"paid".to_vec()));
    let before = seller.heard().len();
    buyer.pay(&[&seller.url, "-o", "no/such/place"]).assert(73, &["cannot write", "no/such/place"]);
    buyer.pay(&[&seller.url, "-o", "home"]).assert(73, &["it is a directory"]);
    assert_eq!(seller.heard().len(), before);
    let broken = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Breaks(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf".to_vec()),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let run = buyer.pay(&[&broken.url, "-o", "half", "--retry", "0"]);
    run.assert(4, &["outcome unknown"]);
    assert!(run.stdout.is_empty() && !buyer.path("half").exists(), "half a content is none");
    let drafts = std::fs::read_dir(buyer.path("."))
        .unwrap()
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().contains("draft"));
    assert_eq!(drafts.count(), 0);
}

#[test]
fn large_and_binary_content_comes_whole() {
    let large: Vec<u8> = (0..20 * 1024 * 1024_u32).map(|index| (index >> 7).to_le_bytes()[0]).collect();
    let expected = large.clone();
    let seller = Seller::start(move |heard, _| match heard.payment() {
        Some(_) => Reply::Says(says("200 OK", &[("payment-response", &receipt("0x1"))], &large)),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    let run = buyer.pay(&[&seller.url]);
    assert!(run.code == Some(0) && run.stdout == expected, "{}", run.stderr);
    assert_eq!(buyer.pay(&[&seller.url, "-o", "large"]).code, Some(0));
    assert!(std::fs::read(buyer.path("large")).unwrap() == expected);
    let small = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Says(says("200 OK", &[("payment-response", &receipt("0x1"))], [0xff, 0, 1])),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let report = buyer.report(&[&small.url]);
    assert_eq!((report["bodyBase64"].as_str(), report.get("body")), (Some("/wAB"), None));
}

#[test]
fn a_trace_is_har_with_decoded_payments() {
    let mock = Test::new().start();
    let buyer = Buyer::new();
    let run = buyer.pay(&[&format!("{}/a?b=c", mock.url), "--trace", "trace.har", "-d", "x=1"]);
    run.assert(0, &["paid"]);
    let har: Value = serde_json::from_slice(&std::fs::read(buyer.path("trace.har")).unwrap()).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!((har["log"]["version"].as_str(), entries.len()), (Some("1.2"), 2));
    let (asked, paid) = (&entries[0], &entries[1]);
    assert_eq!(asked["request"]["queryString"][0]["name"], "b");
    assert_eq!(asked["request"]["postData"]["text"], "x=1");
    assert_eq!(asked["response"]["_x402"]["paymentRequired"]["accepts"][0]["amount"], "10000");
    assert_eq!(paid["request"]["_x402"]["payment"]["payload"]["authorization"]["value"], "10000");
    assert_eq!(paid["request"]["_x402"]["payment"]["payload"]["signature"], "<cut out>");
    assert_eq!(paid["response"]["_x402"]["receipt"]["success"], true);
    for entry in entries {
        for key in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
            assert!(!entry[key].is_null(), "{key}");
        }
    }
}

/// That a resource speaks JSON-RPC makes no chain's endpoint of it, whose address would hold a key.
#[test]
fn a_trace_keeps_the_query_of_a_paid_resource_that_speaks_json_rpc() {
    let (mock, buyer) = (Test::new().start(), Buyer::new());
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let run = buyer.pay(&[&format!("{}/tools?tenant=of-mine-1", mock.url), "--trace", "trace.har", "--json", call]);
    run.assert(0, &["paid"]);
    let har: Value = serde_json::from_slice(&std::fs::read(buyer.path("trace.har")).unwrap()).unwrap();
    for entry in har["log"]["entries"].as_array().unwrap() {
        let request = &entry["request"];
        assert_eq!(request["queryString"], json!([{ "name": "tenant", "value": "of-mine-1" }]), "{request}");
        assert_eq!(request["postData"]["text"], call);
    }
}

#[test]
fn what_a_receipt_says_is_shown_and_steers_nothing() {
    let whole = x402_wire::header::encode(&json!({
        "success": false, "transaction": "", "network": "eip155:84532", "payer": "0x\u{1b}[2J", "amount": "7",
        "errorReason": "unexpected_settle_error",
    }));
    let seller = Seller::start(move |heard, _| match heard.payment() {
        Some(_) => Reply::Says(says("402 Payment Required", &[("payment-response", &whole)], "{}")),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let told = Buyer::new().pay(&[&seller.url, "-v", "--retry", "0"]).stderr;
    let line = told.lines().find(|line| line.starts_with("* receipt: ")).unwrap_or_else(|| panic!("{told}"));
    for part in ["no success, payer 0x", "network eip155:84532", "amount 7", "reason unexpected_settle_error"] {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_seller_that_repeats_secrets_brings_none_into_the_trace() {
    let seller = Seller::start(|heard, _| {
        let said = |name: &str| heard.header(name).unwrap_or_default().to_owned();
        let credential = said("authorization").replace("Bearer ", "");
        let cookie = format!("seen={credential}; Path=/");
        match heard.payment() {
            Some(payment) => {
                let body = json!({ "heard": heard.headers, "payment": payment, "target": heard.target });
                let echo = x402_wire::header::encode(&json!({
                    "success": true, "transaction": "0x01", "network": "eip155:84532", "echo": payment,
                }));
                let signed = said("payment-signature");
                let location: String = form_urlencoded::byte_serialize(signed.as_bytes()).collect();
                let headers = [
                    ("payment-response", echo.as_str()),
                    ("x-echo", &signed),
                    ("x-seen", &credential),
                    ("set-cookie", &cookie),
                    ("location", &format!("/b?p={location}")),
                ];
                Reply::Says(delivered(&headers, &body.to_string()))
            }
            None => Reply::Says(asks(&offer("10000", MERCHANT))),
        }
    });
    let buyer = Buyer::new();
    let url = format!("{}/a?token=tok-in-query&page=2", seller.url);
    let fields = [
        ("Authorization", "Bearer hush/hush+1=="),
        ("X-Auth-Token", "tok-auth"),
        ("Api-Key", "tok-api"),
        ("X-Access-Token", "tok-access"),
        ("X-Amz-Security-Token", "tok-amz"),
        ("Cookie", "theme=dark; session=tok-cookie"),
        ("X-Plain", "plain-1"),
    ];
    let fields = fields.map(|(name, value)| format!("{name}: {value}"));
    let mut words = vec![url.as_str(), "-v", "--trace", "trace.har"];
    words.extend(fields.iter().flat_map(|field| ["-H", field]));
    let run = buyer.pay(&words);
    run.assert(0, &["paid", "?token=<cut out>&page=2"]);
    let trace = std::fs::read_to_string(buyer.path("trace.har")).unwrap();
    let har: Value = serde_json::from_str(&trace).unwrap();
    assert_eq!(har["log"]["entries"][1]["request"]["queryString"][1]["value"], "2");
    assert!(trace.contains("plain-1") && trace.contains("validBefore") && trace.contains("<cut out>"), "{trace}");
    let payment = seller.payments().pop().unwrap();
    let heard = seller.heard().pop().unwrap();
    let header = heard.header("payment-signature").unwrap();
    let signature = &payment["payload"]["signature"].as_str().unwrap()[2..];
    // A receipt with the payment inside is decoded without it, and not shown as it came.
    let answer = &har["log"]["entries"][1]["response"];
    assert_eq!(answer["_x402"]["receipt"]["echo"]["payload"]["signature"], "0x<cut out>");
    let own = answer["headers"].as_array().unwrap().iter().find(|field| field["name"] == "payment-response");
    assert_eq!(own.unwrap()["value"], "<cut out>");
    for secret in [&header[..40], signature, "hush", "tok-auth", "tok-api", "tok-access", "tok-amz", "tok-cookie"] {
        assert!(!trace.contains(secret), "{secret} is in {trace}");
    }
    let list = [buyer.pay(&["--list"]).text(), buyer.pay(&["--list", "--json"]).text()].concat();
    let history = std::fs::read_to_string(buyer.journal().join("history.jsonl")).unwrap();
    for text in [&trace, &run.stderr, &list, &history] {
        assert!(!text.contains("tok-in-query"), "{text}");
    }
    assert!(list.contains("/a?token=<cut out>&page=2"), "{list}");
}

#[test]
fn programs_read_one_document() {
    let seller = Seller::honest();
    let buyer = Buyer::new();
    let report = buyer.report(&[&seller.url]);
    assert_eq!(
        (report["outcome"].as_str(), report["status"].as_u64(), report["body"].as_str()),
        (Some("paid"), Some(200), Some("paid"))
    );
    assert_eq!(report["receipt"]["transaction"], "0x01");
    assert_eq!(report["purchase"]["authorizations"][0]["price"], "0.01 USDC");
    assert_eq!(report["purchase"]["ending"], "delivered");
    let failed = buyer.pay(&["http://127.0.0.1:1/", "--json"]);
    let said: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!((failed.code, said["exit"].as_u64()), (Some(69), Some(69)));
    assert!(said["error"].as_str().unwrap().contains("nothing was signed"), "{said}");
    let list: Value = serde_json::from_slice(&buyer.pay(&["--list", "--json"]).stdout).unwrap();
    assert_eq!(
        (list["open"].as_array().unwrap().len(), list["ended"][0]["id"].clone()),
        (0, report["purchase"]["id"].clone())
    );
}

#[test]
fn a_seller_that_never_answers_is_not_waited_for() {
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Hangs,
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let run = Buyer::new().pay(&[&seller.url, "--max-time", "0.3", "--retry", "1", "--retry-delay", "0"]);
    run.assert(4, &["outcome unknown", "presented 2 times"]);
    let silent = Seller::start(|_, _| Reply::Hangs);
    Buyer::new().pay(&[&silent.url, "--max-time", "0.3"]).assert(69, &["nothing within 0.3 s", "nothing was signed"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let seller = Seller::start(|_, _| Reply::Says(delivered(&[], &"x".repeat(1 << 20))));
    let buyer = Buyer::new();
    // Nobody reads stdout: the guard drops its end at once.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_x402-dev"));
    command.args(["pay", &seller.url]).env_clear().env("X402_DEV_HOME", buyer.path("home"));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_unknown_outcome_says_what_until_when_and_what_next_on_a_line_each() {
    let seller = Seller::start(|heard, _| match heard.payment() {
        Some(_) => Reply::Says(says("504 Gateway Timeout", &[], "")),
        None => Reply::Says(asks(&offer("10000", MERCHANT))),
    });
    let buyer = Buyer::new();
    let run = buyer.pay(&[&seller.url, "--retry", "0", "--now", "1800000000"]);
    let id = buyer.purchase()["id"].as_str().unwrap().to_owned();
    run.assert(4, &[]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            &format!("outcome unknown: 0.01 USDC to {MERCHANT} on eip155:84532 may have been paid, or not"),
            "until when: the authorization can be used until 2027-01-15T08:05:00.000Z",
            "what is known: the last answer was unclear: 504 Gateway Timeout; it was presented 1 time, and no other was signed",
            &format!(
                "next: `x402-dev pay --resume {id}` asks again with the same authorization, and with `--rpc URL` asks the \
                 chain"
            ),
        ]
    );
    let message = buyer.report(&["--resume", "--retry", "0", "--now", "1800000000"])["message"].clone();
    assert!(!message.as_str().unwrap().contains('\n'), "{message}");
}

#[test]
fn a_refusal_for_want_of_an_allowance_says_how_to_give_it() {
    let config = "
accounts: {permit2: required}
resources:
  - match: /a
    accepts: [{network: base-sepolia, asset_transfer_method: permit2}]
";
    let (mock, buyer) = (Test::new().config(config).start(), Buyer::new());
    let url = format!("{}/a", mock.url);
    let run = buyer.pay(&[&url, "--as", "alice", "--retry-delay", "0"]);
    run.assert(1, &["refused: permit2_allowance_required", "Permit2 may not move the payer's tokens yet"]);
    // The command that it names is one that helps.
    let command = run.stderr.split("`x402-dev ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let mut words: Vec<&str> = command.split(' ').collect();
    words.extend(["--url", &mock.url]);
    let approved = std::process::Command::new(env!("CARGO_BIN_EXE_x402-dev")).args(&words).output().unwrap();
    assert!(approved.status.success(), "{words:?}: {approved:?}");
    buyer.pay(&[&url, "--as", "alice"]).assert(0, &["paid 0.01 USDC"]);
}
