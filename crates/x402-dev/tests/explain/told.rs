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
    let first = go.stdout.split("\n2. ").next().unwrap();
    assert!(first.contains("   go: ") && !first.contains("ts-fetch:"), "{first}");
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

/// Characters that steer a terminal, turn a text around, or cannot be seen.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn hostile_text_cannot_steer_the_terminal_and_secrets_stay_out() {
    let asker = Asker::new();
    let hostile = r#"{"x402Version":2,"resource":{"url":"http://127.0.0.1/\u001b[2Ja?token=s3cret"},"error":"\u001b]0;x\u0007\u202egnp.exe\u2066\u200b","accepts":[{"scheme":"exact","network":"eip155:84532","amount":"1000","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","payTo":"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720","maxTimeoutSeconds":60,"extra":{"name":"USDC","version":"2","apiKey":"s3cret","note":"\u202e<script>|`","@team [x](https://evil.example) #1":"![](https://evil.example/a.png) | ``` @team"}}]}"#;
    asker.file("offer.json", hostile);
    for form in
        [&["explain", "offer.json"][..], &["explain", "offer.json", "--markdown"], &["decode", "offer.json", "--json"]]
    {
        let run = asker.run(form);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!run.stdout.contains(steers), "{form:?}: {}", run.stdout);
        assert!(!run.stdout.contains("s3cret"), "{form:?}: {}", run.stdout);
        assert!(run.stdout.contains("202e"), "what was there is shown: {}", run.stdout);
    }
    let json: serde_json::Value = serde_json::from_str(&asker.run(&["decode", "offer.json", "--json"]).stdout).unwrap();
    assert!(json.to_string().contains('\u{202e}'), "JSON holds what was written: {json}");
}

/// What an error says of a payment that could not be made is quoted, and may be about a key.
#[test]
fn what_an_error_quotes_is_told_without_the_keys_in_it() {
    let asker = Asker::new();
    let hex = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let base58 = x402_sim::networks::solana::signature_text(&[7; 64]);
    let list = format!("{:?}", [7_u8; 64]);
    for (told, secret) in [
        (format!("invalid key 0x{hex}"), &hex[..10]),
        (format!("bad keypair {base58}"), &base58[..10]),
        // Cut where a quotation ends, it would be too short to be known.
        (format!("{} {base58}", "a ".repeat(80)), &base58[..10]),
        (format!("bad bytes {list}"), "7, 7"),
        ("got GET / Authorization: Bearer supersecrettoken".to_owned(), "supersecret"),
        ("auth=Token abcdef123456".to_owned(), "abcdef"),
        ("refused sk_live_51Habcdef".to_owned(), "51H"),
        ("Cookie: a=\"x\"; session=s3secret99".to_owned(), "s3secret"),
    ] {
        for words in ["Error: Failed to create payment payload:", "PaymentError: Failed to handle payment:"] {
            let text = format!("{words} {told}");
            for form in [&[][..], &["--json"], &["--markdown"]] {
                let run = asker.run(&[&["explain", text.as_str()], form].concat());
                assert_eq!(run.code, Some(0), "{run:?}");
                assert!(!run.stdout.contains(secret) && run.stdout.contains("it says: "), "{text}: {}", run.stdout);
            }
        }
    }
}

#[test]
fn a_key_where_an_address_belongs_is_told_and_not_shown() {
    let asker = Asker::new();
    let (hex, base58) = ("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318", "3kTf".repeat(22));
    for key in [format!("0x{hex}"), hex.to_owned(), base58] {
        let offer = serde_json::json!({"x402Version": 2, "resource": {"url": "https://a.example/"}, "accepts": [{
            "scheme": "exact", "network": "eip155:84532", "amount": "1000", "maxTimeoutSeconds": 60, "payTo": key,
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "extra": {"name": "USDC", "version": "2"}}]});
        asker.file("offer.json", offer.to_string());
        for form in ["explain offer.json", "explain offer.json --markdown", "explain offer.json --json"] {
            let told = asker.run(&form.split(' ').collect::<Vec<_>>()).stdout;
            assert!(told.contains("as long as a private key"), "{form}: {told}");
            assert!(!told.contains(&key), "{form}: {told}");
        }
        let drawn = asker.run(&["decode", "offer.json"]).stdout;
        assert!(drawn.contains("payTo") && !drawn.contains(&key), "{drawn}");
        let (mut accepted, good) = (offer["accepts"][0].clone(), "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
        for (said, asked) in [(key.as_str(), good), (good, key.as_str())] {
            accepted["payTo"] = said.into();
            let payment = serde_json::json!({"x402Version": 2, "accepted": accepted, "payload": {"signature": "0x",
                "authorization": {"from": good, "to": said, "value": "1000", "validAfter": "0", "validBefore": "9",
                    "nonce": format!("0x{}", "1".repeat(64))}}});
            let mut terms = offer["accepts"][0].clone();
            terms["payTo"] = asked.into();
            asker.file("payment.json", payment.to_string());
            asker.file("terms.json", terms.to_string());
            for form in ["", "--markdown", "--json"] {
                let form = ["explain", "payment.json", "-r", "terms.json", form];
                let told = asker.run(form.strip_suffix(&[""]).unwrap_or(&form)).stdout;
                assert!(told.contains("payTo") && !told.contains(&key), "{form:?}: {told}");
            }
        }
    }
}

#[test]
fn nothing_that_others_wrote_is_markup_in_an_issue() {
    let asker = Asker::new();
    let text = r"[x](https://evil.example) <b> | `a` ``` @team #1 http://evil.example www.evil.example";
    let offer = serde_json::json!({"x402Version": 2, "error": text, "resource": {"url": "https://a.example/"},
        "accepts": [{"scheme": text, "network": text, "amount": text, "asset": text, "payTo": text,
            "maxTimeoutSeconds": 60, "extra": {"name": text, text: text}}]});
    asker.file("offer.json", offer.to_string());
    let markdown = asker.run(&["explain", "offer.json", "--markdown"]).stdout;
    for line in markdown.lines() {
        let markup = without_code(line);
        for part in ["](", "<b>", "@team", "#1", "http://", "www."] {
            assert!(!markup.contains(part), "{part} is markup in: {line}");
        }
        // Cells are parted by the bars of the table alone: each has three columns, or four in the comparison.
        if line.starts_with("| ") {
            let bars = line.replace("\\|", "").matches('|').count();
            assert!(bars == 4 || bars == 5, "{bars} bars in: {line}");
        }
    }
}

/// A line of Markdown without its code: what is left is read as markup.
fn without_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let escaped = out.ends_with('\\');
        let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let behind = &rest[at + fence..];
        let mut end = None;
        let mut from = 0;
        while let Some(found) = behind[from..].find(&"`".repeat(fence)).filter(|_| !escaped) {
            let begin = from + found;
            let run = behind[begin..].len() - behind[begin..].trim_start_matches('`').len();
            if run == fence {
                end = Some(begin + fence);
                break;
            }
            from = begin + run;
        }
        rest = end.map_or(behind, |end| &behind[end..]);
    }
    out + rest
}

#[test]
fn the_verdict_is_the_first_line_and_the_findings_follow_it() {
    let asker = Asker::new();
    asker.file("case.json", include_str!("../../../../fixtures/explain/price-rose.json"));
    let case: serde_json::Value =
        serde_json::from_str(include_str!("../../../../fixtures/explain/price-rose.json")).unwrap();
    asker.file("asked.json", case["requirements"].to_string());
    let input = case["input"].as_str().unwrap();
    let told = asker.run(&["explain", input, "--requirements", "asked.json", "--at", "1795000000"]).stdout;
    let first =
        |part: &str| told.lines().position(|line| line.starts_with(part)).unwrap_or_else(|| panic!("{part}: {told}"));
    assert_eq!(first("REFUSED: "), 0, "{told}");
    let order = [first("REFUSED: "), first("1. PROVEN: "), first("a payment (PaymentPayload)"), first("accepted")];
    assert!(order.is_sorted(), "{order:?}: {told}");
    // Whoever reads no further has the cause and the fix.
    let (why, fix) = (told.lines().nth(1).unwrap(), told.lines().nth(2).unwrap());
    let finding =
        asker.json(&["explain", input, "--requirements", "asked.json", "--at", "1795000000"])["findings"][0].clone();
    assert!(why.contains(&format!("why:  {} (proven", finding["title"].as_str().unwrap())), "{told}");
    assert_eq!(fix, format!("  fix:  {}", finding["fix"].as_str().unwrap()), "{told}");
    // Where nothing is judged, what it says comes first.
    let page = asker.run(&["explain", "insufficient_funds"]).stdout;
    assert!(page.starts_with("the reason `insufficient_funds`") && page.contains("\n1. possible: "), "{page}");
}

#[test]
fn a_header_that_carries_no_payment_is_said_to_be_none() {
    let asker = Asker::new();
    for (text, name) in [("Cookie: a=b", "`Cookie`"), ("Authorization: Bearer abc", "`Authorization`")] {
        let run = asker.run(&["explain", text]);
        assert_eq!(run.code, Some(1), "{run:?}");
        for part in ["nothing of x402", name, "PAYMENT-SIGNATURE"] {
            assert!(run.stderr.contains(part), "{part} is not in: {}", run.stderr);
        }
    }
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
fn a_megabyte_of_nothing_is_said_to_be_nothing() {
    let asker = Asker::new();
    for (garbage, code, part) in [
        (vec![b'A'; 1 << 20], 1, "nothing of x402"),
        (vec![b'{'; 1 << 20], 0, "json_broken"),
        (b"> a\n".repeat(1 << 18), 1, "holds none"),
        (vec![0xff; 1 << 20], 1, "nothing of x402"),
        (b"0x".iter().copied().chain(vec![b'f'; 1 << 20]).collect(), 1, "nothing of x402"),
    ] {
        asker.file("garbage.txt", garbage);
        let run = asker.run(&["explain", "garbage.txt", "--json"]);
        assert_eq!(run.code, Some(code), "{part}: {run:?}");
        let said = if code == 0 { ids(&serde_json::from_str(&run.stdout).unwrap()).join(" ") } else { run.stderr };
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn what_is_wrong_with_the_requirements_that_are_given_is_told_as_the_servers_mistake() {
    let asker = Asker::new();
    let case = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let paid = case(include_str!("../../../../fixtures/explain/control-v2-with-offer.json"));
    let offer = case(include_str!("../../../../fixtures/explain/offer-snake-case.json"));
    asker.file("asked.json", offer["input"].as_str().unwrap());
    let input = paid["input"].as_str().unwrap();
    let told = asker.json(&["explain", input, "--requirements", "asked.json", "--at", "1795000000"]);
    assert_eq!(ids(&told), ["misnamed_field"], "{told}");
    assert_eq!(told["findings"][0]["side"], "server");
    let same = told["comparison"].as_array().unwrap().iter().all(|row| row["equal"] == true);
    assert!(same, "what is called otherwise is compared by its right name: {told}");
}
