//! Requests that nobody has answered, or whose settlement is open: nobody refused them, and nobody is told to pay anew.

use crate::asker::{Asker, ids};
use crate::corpus::{cases, explained};

/// A case of the corpus, as it is told in words.
fn words(name: &str) -> String {
    let case = cases().into_iter().find(|case| case["name"] == name).unwrap();
    let asker = Asker::new();
    asker.file("input.txt", case["input"].as_str().unwrap());
    let run = asker.run(&["explain", "input.txt", "--at", &case["at"].to_string()]);
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout
}

#[test]
fn an_error_that_holds_its_payment_and_no_answer_is_no_refusal() {
    for name in ["axios-timeout-whole", "axios-timeout-printed"] {
        let case = cases().into_iter().find(|case| case["name"] == name).unwrap();
        let told = explained(&case);
        assert_eq!(ids(&told), ["answer_lost"], "{told}");
        assert!(told["verdict"].is_null(), "{told}");
        let words = words(name);
        assert!(!words.contains("REFUSED") && !words.contains("VALID"), "{words}");
        assert!(words.contains("Make no new payment"), "{words}");
    }
}

#[test]
fn a_settlement_that_failed_at_the_facilitator_is_open_and_was_perhaps_never_sent() {
    let asker = Asker::new();
    for (status, id) in [(429, "rate_limited"), (500, "facilitator_failed"), (400, "facilitator_failed")] {
        let run = asker.run(&["explain", &format!("Facilitator settle failed ({status}): oops")]);
        assert!(run.stdout.contains(id) && run.stdout.contains("ign no new"), "{run:?}");
        assert!(!run.stdout.contains("broadcast"), "{run:?}");
    }
    let words = words("settle-rate-limited");
    assert!(!words.contains("VALID") && !words.contains("broadcast"), "{words}");
}

#[test]
fn nobody_who_was_reached_is_the_facilitator_only_where_its_client_is_named() {
    let asker = Asker::new();
    let refused = "[cause]: Error: connect ECONNREFUSED ::1:3801 { code: 'ECONNREFUSED' }";
    let broken = "[cause]: Error: wrong version number { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }";
    for cause in [refused, broken, "[cause]: Error: getaddrinfo ENOTFOUND api.exmple.com"] {
        let told = |frame: &str| {
            let text =
                format!("TypeError: fetch failed\n    at {frame} (file:///app/index.mjs:10:22) {{\n  {cause}\n}}");
            asker.run(&["explain", &text]).stdout
        };
        let client = told("pay");
        assert!(client.contains("[nobody_reached]") && !client.contains("HTTPFacilitatorClient"), "{client}");
        let server = told("HTTPFacilitatorClient.verify");
        assert!(server.contains("HTTPFacilitatorClient("), "{server}");
    }
}

#[test]
fn a_key_that_a_library_does_not_take_is_told_with_what_to_change() {
    let asker = Asker::new();
    for (text, part) in [
        ("Error: invalid private key, expected hex or 32 bytes, got string", "Write 0x in front of the key"),
        (
            "TypeError: Cannot read properties of undefined (reading 'slice')\n    at privateKeyToAccount (a.js:17:63)",
            "Set the variable",
        ),
        ("TypeError: Cannot convert None of type <class 'NoneType'> to bytes", "Set the variable"),
        ("SolanaError: Key pair bytes must be of length 64, got 32.", "It was given the private key alone"),
        ("Error: Payment already attempted", "own headers"),
    ] {
        let run = asker.run(&["explain", text]);
        assert!(run.stdout.contains(part), "{text}: {run:?}");
    }
    let other = asker
        .run(&["explain", "TypeError: Cannot read properties of undefined (reading 'slice')\n    at a (b.js:1:1)"]);
    assert!(!other.stdout.contains("secret_key_form"), "{other:?}");
}
