//! The JSON that commands print, as snapshots: what changes from run to run is replaced.

use serde_json::Value;

use crate::ending::Slow;
use crate::output::Run;
use crate::site::Site;

/// The numbers that change from run to run.
const NUMBERS: [&str; 8] = ["pid", "uptime_ms", "started_at", "ended_at", "requests", "at", "since", "holder"];

/// What stands before a number in a text that changes from run to run.
const BEFORE: [&str; 4] = ["127.0.0.1:", "PID: ", "PID ", "port "];

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

/// A text without directories, ports, PIDs and times.
fn plain(site: &Site, text: &str) -> String {
    let root = site.home().parent().unwrap().display().to_string();
    let mut text = text.replace(&root, "[site]");
    for before in BEFORE {
        let mut parts = text.split(before).map(str::to_owned);
        let first = parts.next().unwrap();
        let rest = parts.map(|part| {
            let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
            if after.len() == part.len() { format!("{before}{part}") } else { format!("{before}[n]{after}") }
        });
        text = first + &rest.collect::<String>();
    }
    let time = |word: &str| word.len() >= 24 && word.starts_with("20") && word.as_bytes()[10] == b'T';
    text.split(' ').map(|word| if time(word) { "[time]" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Commands and their JSON, as they shall be kept.
struct Take<'a> {
    site: &'a Site,
    all: Vec<String>,
}

impl Take<'_> {
    #[track_caller]
    fn take(&mut self, line: &str, code: i32) -> Run {
        let run = self.site.mock(&format!("{line} --json"));
        // The port of a command line changes from run to run, too.
        let line = plain(self.site, &line.replace("--port ", "--port port ")).replace("--port port ", "--port ");
        let value = redacted(self.site, &run.assert(code).json());
        let text = serde_json::to_string_pretty(&value).unwrap();
        self.all.push(format!("$ x402-dev mock {line} --json    # exit {code}\n{text}"));
        run
    }
}

#[test]
fn every_json_has_its_shape() {
    let site = Site::new();
    site.write(".x402dev.yaml", "pricing: {default: $0.02}");
    let mut json = Take { site: &site, all: Vec::new() };
    json.take("status", 2);
    json.take("list", 0);
    json.take("-d --port 0", 0);
    json.take("wait", 0);
    json.take("status", 0);
    json.take("list", 0);
    json.take("env", 0);
    json.take("reload", 0);
    site.write(".x402dev.yaml", "pricing: {default: $0.03}");
    json.take("reload", 0);
    site.write(".x402dev.yaml", "");
    json.take("restart", 0);
    json.take("logs -n 1", 0);
    json.take("stop", 0);
    json.take("status", 2);
    json.take("list", 0);
    json.take("stop --all", 0);
    site.detach("--name a");
    site.detach("--name b");
    json.take("stop --all", 0);
    insta::assert_snapshot!(json.all.join("\n\n"));
}

#[test]
fn what_failed_has_its_shape_too() {
    let site = Site::new();
    let mut json = Take { site: &site, all: Vec::new() };
    for (line, code) in [("stop", 1), ("reload", 1), ("wait --timeout 0ms", 2), ("logs", 1), ("env", 2)] {
        json.take(line, code);
    }
    let up = site.detach("--verification timeout --timeout-delay 9s");
    json.take("-d", 3);
    json.take("start", 3);
    json.take(&format!("-d --name b --port {}", up.port()), 69);
    site.write(".x402dev.yaml", "seed: 1");
    json.take("reload", 78);
    site.write(".x402dev.yaml", "sede: 1");
    json.take("restart", 78);
    json.take("-d --name b", 78);
    let _slow = Slow::send(&up);
    json.take("stop --timeout 100ms", 1);
    json.take("stop --all --timeout 100ms", 1);
    json.take("status", 0);
    json.take("stop --timeout 100ms --force", 0);
    std::fs::write(site.pid_file(), "99999").unwrap();
    json.take("stop", 2);
    std::fs::write(site.pid_file(), "99999").unwrap();
    json.take("status", 2);
    std::fs::create_dir_all(site.pid_file().join("precious")).unwrap();
    json.take("status", 73);
    insta::assert_snapshot!(json.all.join("\n\n"));
}
