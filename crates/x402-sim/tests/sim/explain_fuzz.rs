//! Whatever is given, something is said of it: no text panics, and the work is linear in the text.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::read;
use x402_wire::header;

const NOW: u64 = 1_795_000_000;

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain")
}

/// The inputs of the corpus, sound, broken and hostile.
fn seeds() -> Vec<String> {
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(place()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            let case: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            seeds.push(case["input"].as_str().unwrap().to_owned());
        }
    }
    for entry in std::fs::read_dir(place().join("hostile")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        seeds.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    seeds.sort();
    seeds
}

fn look(text: &str, requirements: Option<&Value>) -> Explanation {
    let [_, judged] = [Depth::Decode, Depth::Judge].map(|depth| {
        let question = Question {
            reading: read(text),
            requirements: requirements.cloned(),
            now: NOW,
            real: None,
            record: None,
            depth,
        };
        let explanation = explain(&question);
        assert!(serde_json::to_string(&explanation).is_ok());
        explanation
    });
    judged
}

/// The JSON that a seed holds, if it holds any.
fn inside(seed: &str) -> Option<Value> {
    read(seed).json().map(|(_, value)| value.clone())
}

/// Every place in JSON, by its pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                out.push(format!("{at}/{key}"));
                places(member, &format!("{at}/{key}"), out);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "0x[0-9a-fA-F]{0,140}".prop_map(Value::from),
        "[0-9]{0,90}".prop_map(Value::from),
        "[1-9A-HJ-NP-Za-km-z]{0,50}".prop_map(Value::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
    ]
}

#[test]
fn the_corpus_is_looked_at_without_a_panic() {
    let seeds = seeds();
    assert!(seeds.len() > 100);
    for seed in &seeds {
        look(seed, None);
        for cut in (0..seed.len().min(4000)).step_by(97).filter(|cut| seed.is_char_boundary(*cut)) {
            drop(read(&seed[..cut]));
        }
    }
}

/// Work that grew as the square of the length would not end before the test run is given up.
#[test]
fn a_megabyte_of_anything_is_read_and_told_for_what_it_is() {
    const MEGABYTE: usize = 1 << 20;
    let long = format!("0x{}", "f".repeat(MEGABYTE));
    for (text, kind, ids) in [
        ("A".repeat(MEGABYTE), Kind::Undecodable, &[][..]),
        ("{\"a\":".repeat(MEGABYTE / 5), Kind::Undecodable, &["json_broken"]),
        ("-_".repeat(MEGABYTE / 2), Kind::Undecodable, &[]),
        ("%41".repeat(MEGABYTE / 3), Kind::Undecodable, &[]),
        (header::encode_text(&"\"".repeat(MEGABYTE / 2)), Kind::Undecodable, &[]),
        (format!("PAYMENT-SIGNATURE: {}", "ey,".repeat(MEGABYTE / 3)), Kind::Undecodable, &["header_not_base64"]),
        (format!("Cookie: {}", "a".repeat(MEGABYTE)), Kind::Undecodable, &[]),
        (long, Kind::Undecodable, &[]),
        (format!("{{\"accepts\":[{}]}}", vec!["{}"; MEGABYTE / 3].join(",")), Kind::OfferV2, &["version_missing"]),
    ] {
        let told = look(&text, None);
        let found: Vec<&str> = told.findings.iter().map(|finding| finding.id).collect();
        assert_eq!((told.kind, found.get(..ids.len())), (kind, Some(ids)), "{}: {found:?}", &text[..20]);
    }
}

/// The same for every case, read once.
static SEEDS: LazyLock<Vec<String>> = LazyLock::new(seeds);

/// The JSON in them.
static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| SEEDS.iter().filter_map(|seed| inside(seed)).collect());

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_looked_at(text in ".{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        look(&text, None);
        look(&String::from_utf8_lossy(&bytes), None);
        look(&header::encode_text(&text), None);
        look(&format!("PAYMENT-SIGNATURE: {text}"), None);
    }

    #[test]
    fn a_seed_with_other_bytes_is_looked_at(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = seed.get(&SEEDS).clone().into_bytes();
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        look(&String::from_utf8_lossy(&bytes), None);
    }

    #[test]
    fn a_payment_with_strange_members_is_judged(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), strange()), 1..4),
        other in any::<prop::sample::Index>(),
    ) {
        let mut value = seed.get(&VALUES).clone();
        for (at, strange) in changes {
            let mut all = Vec::new();
            places(&value, "", &mut all);
            if !all.is_empty() {
                let pointer = at.get(&all).clone();
                *value.pointer_mut(&pointer).unwrap() = strange;
            }
        }
        let requirements = other.get(&VALUES);
        look(&value.to_string(), None);
        look(&value.to_string(), Some(requirements));
    }
}
