//! The JSON that commands print, as snapshots: what changes from run to run is replaced.

use serde_json::Value;

use crate::site::Site;

/// The numbers that change from run to run.
const NUMBERS: [&str; 6] = ["pid", "uptime_ms", "started_at", "ended_at", "requests", "at"];

fn redacted(site: &Site, value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| match value {
                Value::Number(_) if NUMBERS.contains(&key.as_str()) => (key.clone(), Value::from(format!("[{key}]"))),
                _ => (key.clone(), redacted(site, value)),
            })
            .collect(),
        Value::Array(members) => members.iter().map(|value| redacted(site, value)).collect(),
        Value::String(text) => Value::from(plain(site, text)),
        other => other.clone(),
    }
}

/// A text without directories, ports and times.
fn plain(site: &Site, text: &str) -> String {
    let root = site.home().parent().unwrap().display().to_string();
    let mut words: Vec<String> = Vec::new();
    for word in text.replace(&root, "[site]").split(' ') {
        let port = word.split_once("127.0.0.1:").map(|(before, after)| {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}127.0.0.1:[port]{rest}")
        });
        let time =
            (word.len() >= 24 && word.starts_with("20") && word.as_bytes()[10] == b'T').then(|| "[time]".to_owned());
        words.push(port.or(time).unwrap_or_else(|| word.to_owned()));
    }
    words.join(" ")
}

#[test]
fn every_json_has_its_shape() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let mut all = Vec::new();
    let mut take = |line: &str, code: i32| {
        let run = site.mock(&format!("{line}{}", if line.contains("json") { "" } else { " --json" }));
        all.push((line.to_owned(), redacted(&site, &run.assert(code).json())));
    };
    take("status", 2);
    take("list", 0);
    take("-d --port 0", 0);
    take("wait", 0);
    take("status", 0);
    take("list", 0);
    take("env --shell json", 0);
    take("reload", 0);
    site.write(".x402dev.yaml", "pricing: {default: $0.03}");
    take("reload", 0);
    site.write(".x402dev.yaml", "seed: 1");
    take("reload", 78);
    site.write(".x402dev.yaml", "");
    take("restart", 0);
    take("logs -n 1", 0);
    site.mock("stop").assert(0);
    take("status", 2);
    take("list", 0);
    let text: Vec<_> = all
        .iter()
        .map(|(line, value)| format!("$ x402-dev mock {line} --json\n{}", serde_json::to_string_pretty(value).unwrap()))
        .collect();
    insta::assert_snapshot!(text.join("\n\n"));
}
