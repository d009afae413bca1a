//! The corpus in `fixtures/explain`: broken cases whose cause must come first, and sound ones that must give no finding.

use std::path::Path;

use serde_json::Value;

use crate::asker::{Asker, ids};

/// Every case, by its name.
pub(crate) fn cases() -> Vec<Value> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/explain");
    let mut files: Vec<_> = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    files.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

pub(crate) fn explained(case: &Value) -> Value {
    let asker = Asker::new();
    asker.file("input.txt", case["input"].as_str().unwrap());
    let at = case["at"].to_string();
    let mut args = vec!["explain", "input.txt", "--at", &at];
    if !case["requirements"].is_null() {
        asker.file("asked.json", case["requirements"].to_string());
        args.extend(["--requirements", "asked.json"]);
    }
    asker.json(&args)
}

#[test]
fn the_cause_comes_first() {
    let broken: Vec<Value> = cases().into_iter().filter(|case| !case["expect"].is_null()).collect();
    let public = broken.iter().filter(|case| case["source"].as_str().unwrap().contains('#')).count();
    assert!(broken.len() >= 60 && public >= 20, "{} cases, {public} of public threads", broken.len());
    let wrong: Vec<String> = broken
        .iter()
        .filter_map(|case| {
            let found = ids(&explained(case));
            let right = found.first().map(String::as_str) == case["expect"].as_str();
            (!right).then(|| format!("{}: found {found:?}, expected {}", case["name"], case["expect"]))
        })
        .collect();
    let right = broken.len() - wrong.len();
    assert!(right * 100 >= broken.len() * 95, "{right} of {}\n{}", broken.len(), wrong.join("\n"));
}

#[test]
fn what_is_sound_gives_no_finding() {
    for case in cases().into_iter().filter(|case| case["expect"].is_null()) {
        let explanation = explained(&case);
        assert!(ids(&explanation).is_empty(), "{}: {:?}", case["name"], explanation["findings"]);
    }
}

#[test]
fn decoding_judges_nothing() {
    for case in cases() {
        let asker = Asker::new();
        asker.file("input.txt", case["input"].as_str().unwrap());
        let run = asker.run(&["decode", "input.txt", "--json"]);
        if run.code == Some(0) {
            let decoded: Value = serde_json::from_str(&run.stdout).unwrap();
            assert!(ids(&decoded).is_empty() && decoded["verdict"].is_null(), "{}: {decoded}", case["name"]);
        } else {
            assert_eq!(run.code, Some(1), "{}: {run:?}", case["name"]);
        }
    }
}
