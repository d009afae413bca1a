//! How it is told: words, forms, exit codes, and what is never printed.

use crate::asker::{Asker, ids};

#[test]
fn a_reason_is_a_page_of_a_manual() {
    let asker = Asker::new();
    let run = asker.run(&["explain", "invalid_exact_evm_signature"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in ["meaning", "said by", "possible: signed under another EIP-712 domain name", "fix:", "ts-fetch:"] {
        assert!(run.stdout.contains(part), "{part} is not in: {}", run.stdout);
    }
    let go = asker.run(&["explain", "invalid_exact_evm_signature", "--sdk", "go"]);
    assert!(go.stdout.contains("go: ") && !go.stdout.contains("ts-fetch:"), "{}", go.stdout);
}

#[test]
fn exit_codes_say_what_happened() {
    let asker = Asker::new();
    for (args, code, part) in [
        (vec!["explain", "invalid_exact_evm_signatur"], 1, "did you mean `invalid_exact_evm_signature`"),
        (vec!["explain", "hello"], 1, "nothing of x402"),
        (vec!["explain", "nowhere.json"], 64, "cannot read"),
        (vec!["explain"], 64, "WHAT"),
        (vec!["explain", "last"], 2, "not running"),
        (vec!["explain", "last", "--url", "http://127.0.0.1:1"], 69, "cannot reach"),
        (vec!["explain", "http://127.0.0.1:1/a"], 69, "cannot reach"),
        (vec!["explain", "invalid_payload", "--requirements", "x"], 64, "no requirements"),
    ] {
        let run = asker.run(&args);
        assert_eq!(run.code, Some(code), "{args:?}: {run:?}");
        assert!(run.stderr.contains(part), "{part} is not in: {}", run.stderr);
    }
}

#[test]
fn hostile_text_cannot_steer_the_terminal_and_secrets_stay_out() {
    let asker = Asker::new();
    let hostile = r#"{"x402Version":2,"resource":{"url":"http://127.0.0.1/\u001b[2Ja?token=s3cret"},"error":"\u001b]0;x\u0007","accepts":[{"scheme":"exact","network":"eip155:84532","amount":"1000","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","payTo":"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720","maxTimeoutSeconds":60,"extra":{"name":"USDC","version":"2","apiKey":"s3cret","note":"\u202e<script>|`"}}]}"#;
    asker.file("offer.json", hostile);
    for form in
        [&["explain", "offer.json"][..], &["explain", "offer.json", "--markdown"], &["decode", "offer.json", "--json"]]
    {
        let run = asker.run(form);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'), "{form:?}: {}", run.stdout);
        assert!(!run.stdout.contains("s3cret"), "{form:?}: {}", run.stdout);
    }
    let markdown = asker.run(&["explain", "offer.json", "--markdown"]).stdout;
    assert!(!markdown.contains("<script>|") && markdown.contains("## "), "{markdown}");
}

#[test]
fn stdin_and_a_log_of_curl_are_read() {
    let asker = Asker::new();
    let run = asker.run_reading(
        &["explain", "-", "--json"],
        b"HTTP/1.1 402 Payment Required\r\ncontent-type: text/html\r\n\r\n<p>pay</p>",
    );
    let explanation: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(ids(&explanation), ["offer_header_missing"]);
}

#[test]
fn a_megabyte_of_nothing_is_answered_soon() {
    let asker = Asker::new();
    let began = std::time::Instant::now();
    for garbage in [
        vec![b'A'; 1 << 20],
        vec![b'{'; 1 << 20],
        b"> a\n".repeat(1 << 18),
        vec![0xff; 1 << 20],
        b"0x".iter().copied().chain(vec![b'f'; 1 << 20]).collect(),
    ] {
        asker.file("garbage.txt", garbage);
        let run = asker.run(&["explain", "garbage.txt", "--json"]);
        assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    assert!(asker.directory().is_dir());
}
