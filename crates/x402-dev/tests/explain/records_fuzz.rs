//! Whatever a record holds, something is said of it: no archive and no log panics.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use x402_dev::check;
use x402_sim::explain::case::{Depth, Question, explain};

const NOW: u64 = 1_795_000_000;

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The records of the corpus: archives and logs, sound, broken and hostile.
fn seeds() -> Vec<String> {
    let files = |name: &str| {
        let mut paths: Vec<_> =
            std::fs::read_dir(place().join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().filter(|path| path.is_file())
    };
    let text = |path: PathBuf| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let cases = files("explain").filter(|path| path.extension().is_some_and(|end| end == "json"));
    let cases = cases.map(|path| serde_json::from_str::<Value>(&text(path)).unwrap());
    let inputs = cases.map(|case| case["input"].as_str().unwrap().to_owned());
    let is_record = |text: &String| look(text) || text.starts_with("HTTP/");
    inputs.filter(is_record).chain(files("records").map(text)).collect()
}

/// Explains a text as a record; whether it is one.
fn look(text: &str) -> bool {
    check::offers(text);
    let told = check::transcript(text, &|reading, requirements, at| {
        let now = at.unwrap_or(NOW);
        explain(&Question { reading, requirements, now, real: None, record: None, depth: Depth::Judge })
    });
    told.is_some_and(|told| serde_json::to_string(&told).is_ok())
}

/// Every place in JSON, by its pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    let mut inner = |key: &str, member: &Value| {
        out.push(format!("{at}/{key}"));
        places(member, &format!("{at}/{key}"), out);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, member)| inner(key, member)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| inner(&index.to_string(), item)),
        _ => {}
    }
}

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{ "name": "payment-signature", "value": "e30=" }])),
        Just(json!("1970-01-01T00:00:00.000Z")),
        Just(json!("{\"paymentPayload\":{\"x402Version\":2},\"paymentRequirements\":{}}")),
    ]
}

/// A line as `curl -v` prints it, and as it does not.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "> [A-Z]{1,4} /[a-z?#/]{0,3} HTTP/[12](\\.1)?",
        "[<>] (HTTP/1.1 )?[0-9]{0,6} .{0,8}",
        "[<>] (payment-signature|x-payment|payment-required|payment-response|location|Content-Length): .{0,20}",
        "[<>]? ?",
        "HTTP/1.1 (402|200|404|431|503)",
        "\\{\"(isValid|success|error|accepts|x402Version)\":(false|\\[\\]|1|\"a\")\\}",
        "\\* (Connection #0|Closing connection|Issue another request) ?.{0,8}",
        "[{}] \\[[0-9]{0,3} bytes data\\]",
        ".{0,20}",
    ]
}

#[test]
fn every_record_of_the_corpus_is_looked_at_wherever_it_is_cut() {
    let seeds = seeds();
    assert!(seeds.len() >= 20, "{}", seeds.len());
    for seed in &seeds {
        for cut in (0..seed.len()).step_by(61).filter(|cut| seed.is_char_boundary(*cut)) {
            look(&seed[..cut]);
        }
    }
}

#[test]
fn megabytes_of_lines_are_read() {
    let kinds: [&str; 6] =
        ["> a\n", "> GET / HTTP/1.1\n", "HTTP/1.1 402\n\n", "< HTTP/1.1 402\n< a: b\n", "{ [", "* Connection #"];
    for kind in kinds {
        look(&kind.repeat((2 << 20) / kind.len()));
    }
    let entries =
        |entry: &str| format!("{{\"log\":{{\"entries\":[{}]}}}}", vec![entry; (2 << 20) / entry.len()].join(","));
    for entry in ["{}", "null", "{\"request\":{\"headers\":[{}]}}", "{\"response\":{\"status\":402}}"] {
        assert!(look(&entries(entry)), "{entry}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_are_looked_at(lines in prop::collection::vec(line(), 0..40)) {
        look(&lines.join("\n"));
    }

    #[test]
    fn a_record_with_other_bytes_is_looked_at(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = seed.get(&seeds()).clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        look(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_archive_with_strange_members_is_looked_at(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), strange()), 1..5),
    ) {
        let archives: Vec<Value> = seeds().iter().filter_map(|seed| serde_json::from_str(seed).ok()).collect();
        let mut archive = seed.get(&archives).clone();
        for (at, strange) in changes {
            let mut all = Vec::new();
            places(&archive, "", &mut all);
            if !all.is_empty() {
                let pointer = at.get::<String>(&all);
                *archive.pointer_mut(pointer).unwrap() = strange;
            }
        }
        look(&archive.to_string());
    }
}
