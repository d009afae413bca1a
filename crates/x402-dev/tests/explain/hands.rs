//! The SDK at hand: whose lines of code are shown, and for whom they are written.

use serde_json::json;

use crate::asker::Asker;

/// An offer on Base that forgets the domain of its asset: a mistake of the server's.
const OFFER: &str = r#"{"x402Version":2,"resource":{"url":"https://shop.example/a"},"accepts":[{"scheme":"exact","network":"eip155:8453","amount":"250000","asset":"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913","payTo":"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720","maxTimeoutSeconds":60,"extra":{}}]}"#;

#[test]
fn lines_are_of_the_sdk_that_is_asked_for_else_of_typescript_and_python() {
    let asker = Asker::new();
    let lines = |sdk: &[&str]| -> Vec<String> {
        let run = asker.run(&[&["explain", OFFER][..], sdk].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        let names = ["ts-fetch", "ts-express", "python-client", "python-server", "go", "go-server", "rust"];
        let is_line = |line: &&str| names.iter().any(|name| line.trim_start().starts_with(&format!("{name}: ")));
        run.stdout.lines().filter(is_line).map(|line| line.trim().split(':').next().unwrap().to_owned()).collect()
    };
    assert_eq!(lines(&[]), ["ts-express", "python-server"]);
    assert_eq!(lines(&["--sdk", "ts"]), ["ts-express"]);
    assert_eq!(lines(&["--sdk", "python"]), ["python-server"]);
    assert_eq!(lines(&["--sdk", "python-client"]), ["python-server"], "an old name of the same");
    assert_eq!(lines(&["--sdk", "go"]), ["go-server"]);
    // Nobody has written one for servers in Rust.
    assert_eq!(lines(&["--sdk", "rust"]), ["ts-express", "python-server"]);
    let run = asker.run(&["explain", OFFER, "--sdk", "cobol"]);
    assert_eq!(run.code, Some(64), "{run:?}");
}

#[test]
fn lines_name_what_the_case_names() {
    let told = Asker::new().run(&["explain", OFFER]).stdout;
    for part in ["amount: \"250000\"", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "name: \"USD Coin\""] {
        assert!(told.lines().any(|line| line.contains("ts-express: ") && line.contains(part)), "{part}: {told}");
    }
}

#[test]
fn the_sdk_of_the_project_or_of_the_client_is_recognised_and_said() {
    let asker = Asker::new();
    asker.file("requirements.txt", "httpx==0.28\nx402[evm]==2.25\n");
    let told = asker.run(&["explain", OFFER]).stdout;
    assert!(told.contains("python-server: ") && !told.contains("ts-express: "), "{told}");
    assert!(told.contains("lines of code are for Python: requirements.txt names x402"), "{told}");
    let given = asker.run(&["explain", OFFER, "--sdk", "ts"]).stdout;
    assert!(given.contains("ts-express: ") && !given.contains("requirements.txt"), "{given}");
    // What the record says of its own client counts more than where it is read.
    let entry = |status: u64, headers: serde_json::Value| {
        json!({"startedDateTime": "2026-11-18T12:00:00Z", "time": 1,
            "request": {"method": "GET", "url": "https://shop.example/a", "headers": headers},
            "response": {"status": status, "headers": [{"name": "PAYMENT-REQUIRED",
                "value": x402_wire::header::encode_text(OFFER)}]}})
    };
    let agent = json!([{"name": "User-Agent", "value": "Go-http-client/1.1"}]);
    let log = json!({"log": {"entries": [entry(402, agent.clone()), entry(402, agent)]}});
    asker.file("log.har", log.to_string());
    let told = asker.run(&["explain", "log.har"]).stdout;
    assert!(told.contains("lines of code are for Go: the client calls itself go-http-client"), "{told}");
    // Where nothing else is known, members in snake case are those of a model of Python's.
    let told = Asker::new().run(&["explain", &OFFER.replace("payTo", "pay_to")]).stdout;
    assert!(told.contains("lines of code are for Python: members are spelt as its models are"), "{told}");
}

/// An error that was pasted says itself whose language it is, whatever project it is read in.
#[test]
fn lines_are_of_the_language_of_the_error_that_was_pasted() {
    let asker = Asker::new();
    asker.file("package.json", r#"{"dependencies": {"@x402/fetch": "2.27.0"}}"#);
    let python = "Traceback (most recent call last):\n  File \"pay.py\", line 3, in <module>\n    pay()\n\
                  x402.client.NoMatchingRequirementsError: No payment requirements match registered schemes";
    let go =
        "panic: No payment requirements match registered schemes\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:12";
    let axios = "AxiosError: Request failed with status code 402\n    at settle (/app/node_modules/axios/lib/core/settle.js:19:12)";
    for (text, line, why) in [
        (python, "python-client: ", "for Python: the error is Python's"),
        (go, "go: ", "for Go: the error is Go's"),
        (axios, "ts-axios: ", "for TypeScript with axios: the error is axios's"),
    ] {
        let told = asker.run(&["explain", text]).stdout;
        let lines: Vec<&str> = told.lines().map(str::trim).filter(|own| own.starts_with(line)).collect();
        assert!(!lines.is_empty() && !told.contains("ts-fetch: ") && told.contains(why), "{told}");
    }
}

#[test]
fn where_no_line_of_code_helps_that_is_said() {
    let asker = Asker::new();
    for (word, part) in
        [("insufficient_funds", "x402-dev fund"), ("settlement_pending", "the same payment is presented")]
    {
        let told = asker.run(&["explain", word]).stdout;
        assert!(told.lines().any(|line| line.contains("code:   ") && line.contains(part)), "{word}: {told}");
    }
}
