//! What `sign` cannot sign for: the exit code, and a message that names it. Nothing is on stdout.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use crate::harness::{Finished, Test};
use crate::payer::{hex, requirements};

#[track_caller]
fn assert_refused(run: &Finished, code: i32, parts: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{run:?}");
    for part in parts {
        assert!(run.stderr.contains(part), "`{part}` is not in: {}", run.stderr);
    }
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for (args, parts) in [
        (&["sign"][..], &["SOURCE"][..]),
        (&["sign", "a", "--defect", "hihg-s"], &["did you mean `high-s`?"]),
        (&["sign", "a", "--defect", "qqqqqqqqq"], &["--defects"]),
        (&["sign", "a", "--as", "nobody"], &["nobody", "no test account"]),
        (&["sign", "a", "--as", "4711"], &["no test account"]),
        (&["sign", "a", "--nonce", "0x1234"], &["32 bytes, not 2"]),
        (&["sign", "a", "--nonce", &"11".repeat(32)], &["begins with 0x"]),
        (&["sign", "a", "--nonce", "0xzz"], &["64 hexadecimal digits"]),
        (&["sign", "a", "--nonce", &hex(&[1; 33])], &["32 bytes, not 33"]),
        (&["sign", "a", "--now", "yesterday"], &["seconds since 1970"]),
        (&["sign", "a", "--valid-for", "soon"], &["--valid-for"]),
        (&["sign", "a", "--x402-version", "3"], &["1 and 2"]),
        (&["sign", "a", "--index", "first"], &["--index"]),
        (&["sign", "a", "--json", "--curl"], &["--curl"]),
        (&["sign", "a", "--defects"], &["--defects"]),
        (
            &["sign", "https://api.test/a"],
            &["https is not supported yet", "curl -sD - -o /dev/null 'https://api.test/a'"],
        ),
        (&["sign", "ftp://api.test/a"], &["`ftp`"]),
        (&["sign", "http://"], &["no URL"]),
        (&["sign", "http://127.0.0.1:1/", "-X", "GE T"], &["no HTTP method"]),
        (&["sign", "missing.json"], &["cannot read missing.json", "No such file"]),
        (&["sign", "."], &["cannot read ."]),
    ] {
        assert_refused(&Test::new().run(args), 64, parts);
    }
}

#[test]
fn what_holds_nothing_to_sign_for_is_named() {
    let with = |key: &str, value: serde_json::Value| {
        let mut asked = requirements();
        asked[key] = value;
        asked.to_string()
    };
    let unsigned =
        |accepts: &str| format!(r#"{{"x402Version":2,"resource":{{"url":"http://a/b"}},"accepts":{accepts}}}"#);
    for (content, parts) in [
        ("", &["empty"][..]),
        ("  \r\n", &["empty"]),
        ("{\"scheme\":", &["not JSON", "line 1 column"]),
        ("\u{0}\u{1}\u{1b}[31m", &["neither JSON nor the value of a PAYMENT-REQUIRED header"]),
        ("HTTP/1.1 402 Payment Required\r\n", &["neither JSON nor"]),
        ("{\"sky\":\"clear\"}", &["an object with `sky`"]),
        ("[1]", &["an array"]),
        (&unsigned("[]"), &["`accepts` holds nothing"]),
        (&unsigned("[1]"), &["0: ? on ?", "scheme: expected a string, found nothing"]),
        (&unsigned("{}"), &["`accepts` holds an object"]),
        ("{\"x402Version\":7,\"accepts\":[]}", &["x402Version the number 7"]),
        (&with("scheme", "batch".into()), &["scheme \"batch\" is not signed here"]),
        (&with("scheme", "upto".into()), &["upto scheme requires facilitatorAddress"]),
        (&with("network", "eip155:x".into()), &["network \"eip155:x\" is no EVM network of version 2"]),
        (&with("network", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1".into()), &["asset: expected an address: base58"]),
        (&with("amount", "0x10".into()), &["amount: expected a decimal integer"]),
        (&with("amount", 10_000.into()), &["amount: expected a string, found the number 10000"]),
        (&with("amount", "1".repeat(80).into()), &["amount: expected a decimal integer"]),
        (&with("asset", "USDC".into()), &["asset: expected an address"]),
        (&with("payTo", "\u{1b}[31mred".into()), &["payTo: expected an address"]),
        (&with("maxTimeoutSeconds", 1e300.into()), &["maxTimeoutSeconds: expected a whole number"]),
        (&with("extra", serde_json::json!({"name": "USDC"})), &["EIP-712 domain parameters"]),
        (&with("extra", serde_json::json!({"assetTransferMethod": "magic"})), &["\"magic\""]),
        (&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), &["not JSON", "recursion"]),
    ] {
        assert_refused(&Test::new().file("offer", content).run(&["sign", "offer"]), 1, parts);
        assert_refused(&Test::new().stdin(content).run(&["sign", "-"]), 1, parts);
    }
    assert_refused(&Test::new().run(&["sign", "-"]), 1, &["stdin", "empty"]);
    let wrong = Test::new().file("offer", requirements().to_string());
    assert_refused(&wrong.run(&["sign", "offer", "--x402-version", "1"]), 1, &["protocol version 2"]);
    let nowhere = Test::new().file("offer", requirements().to_string());
    assert_refused(&nowhere.run(&["sign", "offer", "--curl"]), 1, &["which URL", "--header"]);
    let free = Test::new().file("offer", with("amount", "0".into()));
    assert_refused(&free.run(&["sign", "offer", "--defect", "zero-value"]), 1, &["zero-value", "changes nothing"]);
}

#[test]
fn more_than_a_mebibyte_is_not_read() {
    let large = format!("{}{}", requirements(), " ".repeat(1024 * 1024));
    assert_refused(&Test::new().file("offer", &large).run(&["sign", "offer"]), 1, &["larger than 1 MiB"]);
    assert_refused(&Test::new().stdin(&large).run(&["sign", "-"]), 1, &["larger than 1 MiB"]);
    let answer = format!("HTTP/1.1 402 Payment Required\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    assert_refused(&ask(&answer), 1, &["larger than 1 MiB"]);
}

#[test]
fn a_url_that_cannot_be_reached_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_refused(&Test::new().run(&["sign", &format!("http://{closed}/a")]), 69, &["cannot reach", "refused"]);
    for answer in ["", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 402 X\r\nContent-Length: 10\r\n\r\n{}"] {
        assert_refused(&ask(answer), 69, &["cannot reach http://127.0.0.1:"]);
    }
}

#[test]
fn a_url_that_asks_for_no_payment_is_named_with_its_answer() {
    for (answer, parts) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", &["404 Not Found", "-X"][..]),
        ("HTTP/1.1 308 Permanent Redirect\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", &["308", "redirects"]),
        ("HTTP/1.1 402 Payment Required\r\nContent-Length: 2\r\n\r\n{}", &["its body", "an empty object"]),
        ("HTTP/1.1 402 Payment Required\r\nContent-Length: 6\r\n\r\n<html>", &["its body", "neither JSON"]),
        (
            "HTTP/1.1 402 Payment Required\r\nPAYMENT-REQUIRED: -_\r\nContent-Length: 0\r\n\r\n",
            &["its PAYMENT-REQUIRED header", "url-safe"],
        ),
    ] {
        assert_refused(&ask(answer), 1, parts);
    }
}

/// Signs for a URL that answers with these bytes, once.
fn ask(answer: &str) -> Finished {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let answer = answer.to_owned();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        // The client may have heard enough.
        let _ = stream.write_all(answer.as_bytes());
        request
    });
    let run = Test::new().run(&["sign", &format!("http://{address}/a?b")]);
    let request = String::from_utf8(server.join().unwrap()).unwrap();
    assert!(request.starts_with("GET /a?b HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {address}\r\n")), "{request}");
    run
}
