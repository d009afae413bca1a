//! What is cut out of texts and of JSON, and what stays.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use x402_sim::networks::solana::{ed25519, signature_text};

use super::*;

#[test]
fn every_secret_of_a_text_is_cut_out_and_nothing_else() {
    for (text, expected) in [
        (
            "http://a/?x=1&Token=s3&y=2 http://b/?token=s3#f",
            "http://a/?x=1&Token=<cut out>&y=2 http://b/?token=<cut out>#f",
        ),
        ("http://a/?apiKey=s3&password=s3", "http://a/?apiKey=<cut out>&password=<cut out>"),
        (r#"{"a": 1, "privateKey": "s3", "b": 2}"#, r#"{"a": 1, "privateKey": <cut out>, "b": 2}"#),
        (r#"{\"api_key\":\"s3\",\"b\":2}"#, r#"{\"api_key\":<cut out>,\"b\":2}"#),
        ("{'client_secret': 's3'}", "{'client_secret': <cut out>}"),
        ("extra.apiKey is s3, the requirements' is s4", "extra.apiKey is <cut out>, the requirements' is <cut out>"),
        ("password=s3; other=4", "password=<cut out>; other=4"),
        ("the token 0x036C is USDC, and ? & : stay", "the token 0x036C is USDC, and ? & : stay"),
        ("accepted.asset is 1, the requirements' is 2", "accepted.asset is 1, the requirements' is 2"),
        ("secret: ", "secret: "),
        ("Cookie: a=s3; sid=s4\nHost: x", "Cookie: <cut out>\nHost: x"),
        ("Cookie: a=\"x\"; session=s3}; b='s4'\nHost: x", "Cookie: <cut out>\nHost: x"),
        ("curl -H 'Cookie: a=\"x\"; b=s3' http://a/", "curl -H 'Cookie: <cut out>' http://a/"),
        (r#"{"Cookie": "a=\"x\"; b=s3", "c": 1}"#, r#"{"Cookie": <cut out>, "c": 1}"#),
        (r#"{\"cookie\":\"a=\\\"x\\\"; b=s3\",\"c\":1}"#, r#"{\"cookie\":<cut out>,\"c\":1}"#),
        ("{'set-cookie': ['sid=s3; Path=/'], 'b': 1}", "{'set-cookie': <cut out>, 'b': 1}"),
        (r#"{"set-cookie":["a=s3","b=\"s4]\"; c"],"d":1"#, r#"{"set-cookie":<cut out>,"d":1"#),
        (r#"{\"set-cookie\":[\"a=s3\",\"b=s4\"],\"d\":1}"#, r#"{\"set-cookie\":<cut out>,\"d\":1}"#),
        ("{\n  'set-cookie': [\n    'a=s3',\n    'b=s4'\n  ],\n  d: 1\n}", "{\n  'set-cookie': <cut out>,\n  d: 1\n}"),
        ("cookies: {\n  sid: 's3',\n  b: 's4'\n}\nd: 1", "cookies: <cut out>\nd: 1"),
        ("{'Set-Cookie': (b'a=s3', b'b=s4'), 'd': 1}", "{'Set-Cookie': <cut out>, 'd': 1}"),
        ("{'Cookie': \"a='s3'; b=s4\", 'd': 1}", "{'Cookie': <cut out>, 'd': 1}"),
        ("{'Cookie': b'a=s3', 'd': 1}", "{'Cookie': <cut out>, 'd': 1}"),
        ("Cookie: [\"s3\"]; b=s4\nHost: x", "Cookie: <cut out>\nHost: x"),
        (r"curl -H 'Cookie: a=b'\''s3; d=s4' http://a/", "curl -H 'Cookie: <cut out>' http://a/"),
        (r#"curl -H 'Cookie: a=b'"'"'s3; d=s4' http://a/"#, "curl -H 'Cookie: <cut out>' http://a/"),
        (r#"curl -H 'Cookie: a='"$X; s3"'; b=s4' http://a/"#, "curl -H 'Cookie: <cut out>' http://a/"),
        ("curl -H 'Cookie: a='${X}s3'; b=s4' http://a/", "curl -H 'Cookie: <cut out>' http://a/"),
        (r#"curl -H "Cookie: a=""s3""; b=s4" http://a/"#, r#"curl -H "Cookie: <cut out>" http://a/"#),
        (r"curl -H $'Cookie: a=b\'s3; d=s4' http://a/", "curl -H $'Cookie: <cut out>' http://a/"),
        (r#"{"run":"curl -H 'Cookie: a=b'\\''s3; d=s4' -v"}"#, r#"{"run":"curl -H 'Cookie: <cut out>' -v"}"#),
        (r#"{"run":"curl -H 'Cookie: a=s3'","b":1}"#, r#"{"run":"curl -H 'Cookie: <cut out>'","b":1}"#),
        (r#"{"run":"curl -H \"Cookie: a=s3\"","b":1}"#, r#"{"run":"curl -H \"Cookie: <cut out>\"","b":1}"#),
        (r#""secret": "a\"s3", "b": 1"#, r#""secret": <cut out>, "b": 1"#),
        ("secretKey: Uint8Array(64) [\n  3,\n  4\n],\nb: 1", "secretKey: <cut out>,\nb: 1"),
        ("secretKey: <Buffer s3 s4>, b: 1", "secretKey: <cut out>, b: 1"),
        ("secret (see s): a", "secret (see s): a"),
        ("Authorization: Bearer supers3\nHost: x", "Authorization: Bearer <cut out>\nHost: x"),
        (r#"{"authorization": "bearer s3", "b": 1}"#, r#"{"authorization": "bearer <cut out>", "b": 1}"#),
        ("Error: Bearer s3s4s3s4s3 was refused", "Error: Bearer <cut out> was refused"),
        ("Error: Basic czM6czQ= was refused", "Error: Basic <cut out> was refused"),
        ("a bearer of good news, and a Basic question", "a bearer of good news, and a Basic question"),
    ] {
        let once = cleaned(text);
        assert_eq!(once, expected);
        assert_eq!(cleaned(&once), once);
        assert!(!once.contains("s3") && !once.contains("s4"), "{once}");
    }
}

#[test]
fn members_of_json_are_cut_out_and_the_rest_is_as_it_was() {
    let text = r#"{"b":1.50,"a":[{"privateKey":"s3","x":{"api_key":["s4"]}}]}"#;
    let clean = cleaned_json(text);
    let value: Value = serde_json::from_str(&clean).unwrap();
    assert_eq!((&value["a"][0]["privateKey"], &value["a"][0]["x"]["api_key"]), (&CUT.into(), &CUT.into()));
    for same in [r#"{"b":1.50, "a": []}"#, "[1.0]"] {
        assert_eq!(cleaned_json(same), same);
    }
    assert_eq!(cleaned_json("apiKey=s3"), "apiKey=<cut out>");
}

#[test]
fn every_form_of_a_key_looks_like_one() {
    let array = format!("[{}]", vec!["7"; 64].join(","));
    let base58 = signature_text(&[7; 64]);
    let pair = STANDARD.encode([[1; 32], ed25519::key_of(&[1; 32]).0].concat());
    let printed = format!("Uint8Array(64) {array}");
    for word in ["ab".repeat(32), format!("0x{}", "1".repeat(64)), array, base58, pair, printed] {
        assert!(is_like_a_key(&word), "{word}");
    }
    for word in [
        "",
        "alice",
        "[1,2]",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
        "oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96",
    ] {
        assert!(!is_like_a_key(word), "{word}");
    }
}

#[test]
fn a_key_pair_is_cut_out_wherever_it_stands_and_a_signature_stays() {
    let of = |bytes: [[u8; 32]; 2]| <[u8; 64]>::try_from(bytes.concat()).unwrap();
    let (pair, signature) = (of([[1; 32], ed25519::key_of(&[1; 32]).0]), of([[1; 32], [2; 32]]));
    let forms = |own: &[u8; 64]| {
        let digits = own.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        [signature_text(own), format!("0x{digits}"), digits, STANDARD.encode(own)]
    };
    for (pair, signature) in forms(&pair).into_iter().zip(forms(&signature)) {
        assert_eq!(cleaned(&format!("`{pair}`, {signature}é")), format!("`{CUT}`, {signature}é"));
        assert!(!cleaned(&format!("http://a.example/?x={pair}")).contains(&pair), "{pair}");
        let mut value = serde_json::json!({"a": [pair, signature]});
        assert!(clean_members(&mut value));
        assert_eq!(value, serde_json::json!({"a": [CUT, signature]}));
    }
    let mut value = serde_json::json!([pair.to_vec(), signature.to_vec()]);
    assert!(clean_members(&mut value));
    assert_eq!(value, serde_json::json!([CUT, signature.to_vec()]));
}

#[test]
fn the_words_of_an_account_are_cut_out_and_a_sentence_about_them_stays() {
    let words = ["abandon"; 12].join(" ");
    let lines = words.replace(' ', "\n  ");
    let numbered = (1..=12).map(|place| format!("\n{place}. abandon")).collect::<Vec<_>>().concat();
    for (text, expected) in [
        (format!("mnemonic: {words}\nb: 1"), "mnemonic: <cut out>\nb: 1"),
        ("mnemonic: abandon ability, able\nb: 1".to_owned(), "mnemonic: <cut out>\nb: 1"),
        (format!("MNEMONIC=\"{words}\" node a.js"), "MNEMONIC=<cut out> node a.js"),
        (format!("MNEMONIC=\"\"\"{words}\"\"\"\nb"), "MNEMONIC=<cut out>\nb"),
        (format!("Error(\"bad mnemonic: {words}\")"), "Error(\"bad mnemonic: <cut out>\")"),
        (format!("-e 'mnemonic={words}' -v"), "-e 'mnemonic=<cut out>' -v"),
        (format!("{{\"mnemonic\": \"{words}\", \"b\": 1"), "{\"mnemonic\": <cut out>, \"b\": 1"),
        (format!("mnemonic: [\"{}\"]", words.replace(' ', "\", \"")), "mnemonic: <cut out>"),
        (format!("mnemonic: >-\n  {lines}\nB: 1"), "mnemonic: <cut out>\nB: 1"),
        (format!("the seed phrase is {words}."), "the seed phrase is <cut out>."),
        (format!("seed phrase {words}"), "seed phrase <cut out>"),
        (format!("Recovery phrase (12 words):{numbered}"), "Recovery phrase (12 <cut out>"),
        (format!("your secret recovery phrase: {words}"), "your secret recovery phrase: <cut out>"),
        (format!("RECOVERY_PHRASE={words}"), "RECOVERY_PHRASE=<cut out>"),
        ("seed phrase: abandon ability".to_owned(), "seed phrase: <cut out>"),
    ] {
        let once = cleaned(&text);
        assert_eq!(once, expected);
        assert_eq!(cleaned(&once), once);
    }
    for same in [
        "the seed phrase is wrong, and nothing was signed",
        "a recovery phrase has 12 to 24 words, and none of them is said here",
        "abandon the seed and the phrase",
    ] {
        assert_eq!(cleaned(same), same);
    }
}

/// A name is looked at no farther than its value goes: read to the end of the line for each, this would take minutes.
#[test]
fn many_names_in_one_long_line_are_read_once() {
    let many = |unit: &str, length: usize| {
        let count = length / unit.len();
        assert_eq!(text::without_named(&unit.repeat(count)).matches(CUT).count(), count, "{unit}");
    };
    for unit in ["'cookie: a' ", r"-H 'cookie: a'\''b' ", "'cookie':['a'],", "'mnemonic: a' ", "seed phrase: 'a' "] {
        many(unit, 1 << 12);
    }
    many(r#""cookie":"a","#, 1 << 23);
}

#[test]
fn pieces_of_all_that_is_looked_for_are_read_in_any_order() {
    let pieces = [
        "apiKey",
        "://a@",
        "?key=",
        "Cookie",
        ": ",
        "is ",
        "\"",
        "\\\"",
        "é[",
        ", the requirements' is ",
        "'",
        "seed phrase",
        "",
    ];
    for a in pieces {
        for b in pieces {
            for c in pieces {
                for d in pieces {
                    let once = cleaned(&[a, b, c, d].concat());
                    assert!(once.len() < 200);
                }
            }
        }
    }
}

#[test]
fn what_stands_as_a_signature_and_is_as_long_as_a_key_is_cut_out() {
    let (key, whole) = ("5d".repeat(32), "5d".repeat(65));
    for (text, expected) in [
        (format!("{{\"signature\":\"0x{key}\"}}"), "{\"signature\":\"<cut out>\"}".to_owned()),
        (format!("signature=0x{key} refused"), "signature=<cut out> refused".to_owned()),
        (format!("{{\\\"signature\\\": \\\"{key}\\\"}}"), "{\\\"signature\\\": \\\"<cut out>\\\"}".to_owned()),
    ] {
        let once = cleaned(&text);
        assert_eq!(once, expected);
        assert_eq!(cleaned(&once), once);
    }
    // Signatures stay, and so do hashes under other names.
    for same in [format!("\"signature\":\"0x{whole}\""), format!("\"nonce\":\"0x{key}\""), format!("signature{key}")] {
        assert_eq!(cleaned(&same), same);
    }
    let mut value = json!({"payload": {"signature": format!("0x{key}"), "nonce": format!("0x{key}")}, "signature": format!("0x{whole}")});
    assert!(clean_members(&mut value));
    assert_eq!(value["payload"]["signature"], "<cut out>: 64 hexadecimal digits");
    assert_eq!(value["payload"]["nonce"], format!("0x{key}"));
    assert_eq!(value["signature"], format!("0x{whole}"));
}
