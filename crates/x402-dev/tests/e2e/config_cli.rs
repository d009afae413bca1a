//! `config show`, `config check`, `config schema`, and a broken file end to end.

use serde_json::{Value, json};

use crate::harness::{Finished, Stream, Test};

#[track_caller]
fn result(run: &Finished) -> &str {
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    &run.stdout
}

/// The entry of a key in `config show --json`.
fn entry(shown: &Value, key: &str) -> [String; 2] {
    let entry =
        shown.as_array().unwrap().iter().find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("no {key}"));
    let value = entry["value"].as_str().map_or_else(|| entry["value"].to_string(), str::to_owned);
    [value, entry["origin"].as_str().unwrap().to_owned()]
}

#[test]
fn show_says_every_value_and_who_said_it() {
    let run = Test::new()
        .file("home/config.yaml", "timeout_delay: 7s\npricing: {default: $0.9}\n")
        .config("server:\n  host: 127.0.0.2\n  facilitator: prefixed\npricing: {default: $0.5}\n")
        .env("X402_DEV_SERVER__HOST", "127.0.0.3")
        .env("X402_DEV_VERIFICATION", "accept")
        .run(&["config", "show", "--json", "--port", "4000", "--verification", "reject"]);
    let shown: Value = serde_json::from_str(result(&run)).unwrap();
    for (key, value, origin) in [
        ("server.port", "4000", "--port"),
        ("server.host", "127.0.0.3", "X402_DEV_SERVER__HOST"),
        ("server.facilitator", "prefixed", ".x402dev.yaml:3:16"),
        ("pricing.default", "$0.5", ".x402dev.yaml:4:20"),
        ("verification", "reject", "--verification"),
        ("accounts.unknown", "funded", "default"),
        ("log.level", "normal", "default"),
    ] {
        assert_eq!(entry(&shown, key), [value, origin], "{key}");
    }
    let [value, origin] = entry(&shown, "timeout_delay");
    assert!(value == "7s" && origin.ends_with("home/config.yaml:1:16"), "{value} {origin}");
}

#[test]
fn show_is_a_table_for_people() {
    let run = Test::new().arg("--price").arg("0.05").run(&["config", "show"]);
    let text = result(&run);
    let line = text.lines().find(|line| line.starts_with("pricing.default ")).unwrap();
    assert!(line.contains("--price") && line.contains("0.05"), "{line}");
    for key in
        ["server.port", "networks", "accepts", "dialects", "verification", "accounts.balance", "log.format", "seed"]
    {
        assert!(text.lines().any(|line| line.split_whitespace().next() == Some(key)), "{key} is not in:\n{text}");
    }
}

#[test]
fn check_validates_a_file_or_what_would_be_found() {
    let yaml = "resources: [{match: /a, price: 0.05}, {match: '/b/*', price: free}]\n";
    let run = Test::new().config(yaml).run(&["config", "check"]);
    assert!(result(&run).contains("2 resources"), "{}", run.stdout);
    let run = Test::new().config("nonsense: 1").file("ci/good.yaml", yaml).run(&["config", "check", "ci/good.yaml"]);
    assert!(result(&run).contains("ci/good.yaml is valid"), "{}", run.stdout);
}

#[test]
fn schema_is_a_json_schema_of_the_keys() {
    let run = Test::new().run(&["config", "schema"]);
    let schema: Value = serde_json::from_str(result(&run)).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{schema}");
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    for key in [
        "server",
        "networks",
        "accepts",
        "pricing",
        "resources",
        "dialects",
        "verification",
        "timeout_delay",
        "accounts",
        "log",
    ] {
        assert!(keys.iter().any(|known| *known == key), "{key} is not in {keys:?}");
    }
    assert_eq!(schema["additionalProperties"], json!(false), "unknown keys are errors");
}

#[test]
fn a_broken_file_is_drawn_with_place_caret_and_the_nearest_name() {
    let yaml = "pricing:\n  default: $0.01\nresources:\n  - match: GET /weather\n    prise: 0.05\n";
    for command in [&["config", "check"][..], &["config", "show"], &["mock", "--port", "0"]] {
        let run = Test::new().config(yaml).run(command);
        assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""), "{command:?}: {run:?}");
        for part in [".x402dev.yaml:5:5", "resources[0].prise", "    prise: 0.05", "^^^^^", "`price`"] {
            assert!(run.stderr.contains(part), "{command:?}: `{part}` is not in:\n{}", run.stderr);
        }
        assert!(!run.stderr.contains('\u{1b}'), "no colours in a pipe");
    }
    let run = Test::new().file("other.yaml", yaml).run(&["config", "check", "other.yaml"]);
    assert_eq!(run.code, Some(78));
    assert!(run.stderr.contains("other.yaml:5:5"), "{}", run.stderr);
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    for (yaml, place, part) in [
        ("server: {port: 70000}", "1:16", "70000"),
        ("pricing: {default: NaN}", "1:20", "NaN"),
        ("pricing: {default: -0.01}", "1:20", "negative"),
        ("pricing: {default: 0.0000001}", "1:20", "6 decimals"),
        ("pricing: {default: 1e80}", "1:20", "1e80"),
        (
            "pricing: {default: 999999999999999999999999999999999999999999999999999999999999999999999999999}",
            "1:20",
            "2^256",
        ),
        ("verification: lenient", "1:15", "strict"),
        ("networks: [base-sepolai]", "1:12", "base-sepolia"),
        ("dialects: []", "1:11", "x402v2"),
        ("timeout_delay: 5", "1:16", "5s"),
        ("a: [", "1:", ""),
        ("resources: [{match: /a}, {match: '/[b]'}, {match: /a}]", "1:", "same"),
        ("- a", "1:1", "mapping"),
    ] {
        let run = Test::new().config(yaml).run(&["config", "check"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""), "{yaml}: {run:?}");
        for part in [&format!(".x402dev.yaml:{place}"), part] {
            assert!(run.stderr.contains(part), "{yaml}: `{part}` is not in:\n{}", run.stderr);
        }
        assert!(run.stderr.contains('^'), "{yaml}: no caret in:\n{}", run.stderr);
    }
}

#[test]
fn an_offer_that_does_not_fit_a_header_is_refused() {
    let yaml = format!("resources: [{{match: /a, description: {}}}]", "x".repeat(9_000));
    for command in [&["mock", "--port", "0"][..], &["config", "check"]] {
        let run = Test::new().config(&yaml).run(command);
        assert_eq!(run.code, Some(78), "{command:?}: {run:?}");
        for part in [".x402dev.yaml:1:", "/a", "8192", "^"] {
            assert!(run.stderr.contains(part), "{command:?}: `{part}` is not in:\n{}", run.stderr);
        }
    }
}

#[test]
fn an_unknown_environment_variable_of_ours_is_an_error() {
    let run = Test::new().env("X402_DEV_SERVER__PROT", "1").run(&["config", "show"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""), "{run:?}");
    assert!(run.stderr.contains("X402_DEV_SERVER__PORT"), "{}", run.stderr);
}

#[test]
fn the_configuration_file_changes_the_server() {
    let mock = Test::new().config("pricing: {default: 0.33}").start();
    assert_eq!(mock.asked("/a")["amount"], "330000");
    assert!(mock.directory().join(".x402dev.yaml").exists());
    let other = Test::new().config("pricing: {default: 0.33}").file("b.yaml", "pricing: {default: 0.44}");
    assert_eq!(other.arg("--config").arg("b.yaml").start().asked("/a")["amount"], "440000");
}

#[test]
fn the_examples_of_the_documents_are_valid_as_they_are_pasted() {
    let readme = include_str!("../../../../README.md");
    let (_, example) = readme.split_once("```yaml\nserver:\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let file = include_str!("../../../../docs/config.example.yaml");
    for yaml in [&format!("server:\n{example}"), file] {
        let run = Test::new().config(yaml).run(&["config", "check"]);
        assert!(result(&run).contains("is valid: 5 resources, 4 networks"), "{run:?}");
    }
    // Both are the same, apart from what the file says about itself.
    assert!(file.ends_with(example), "README.md and docs/config.example.yaml differ");
}

#[test]
fn check_says_in_json_what_is_wrong_and_where() {
    let run = Test::new().config("pricing: {default: 1}\n").run(&["config", "check", "--json"]);
    insta::assert_snapshot!(result(&run), @r#"{"networks":11,"problems":[],"resources":0,"valid":true,"warnings":[]}"#);
    let yaml = "server: {prot: 1}\nresources:\n  - {match: /a, response: {text: a, json: 1}}\n";
    let run = Test::new().config(yaml).env("X402_DEV_TIMEOUT_DELAY", "5").run(&["config", "check", "--json"]);
    assert_eq!(run.code, Some(78), "{run:?}");
    assert!(run.stderr.contains("did you mean `port`?"), "{run:?}");
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    insta::assert_snapshot!(format!("{said:#}"), @r#"
    {
      "problems": [
        {
          "column": 10,
          "file": ".x402dev.yaml",
          "hint": "did you mean `port`?",
          "key": "server.prot",
          "line": 1,
          "message": "there is no key `prot` here",
          "origin": ".x402dev.yaml:1:10"
        },
        {
          "column": 43,
          "file": ".x402dev.yaml",
          "hint": null,
          "key": "resources[0].response.json",
          "line": 3,
          "message": "an answer has one body: only one of `text` and `json` can be said",
          "origin": ".x402dev.yaml:3:43"
        },
        {
          "column": null,
          "file": null,
          "hint": "write a whole number with its unit: `500ms`, `5s` or `1m`",
          "key": "timeout_delay",
          "line": null,
          "message": "`5` is not a duration",
          "origin": "X402_DEV_TIMEOUT_DELAY"
        }
      ],
      "valid": false
    }
    "#);
    let run = Test::new().run(&["config", "check", "none.yaml", "--json"]);
    assert_eq!(run.code, Some(78), "{run:?}");
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        said["problems"][0],
        json!({
            "file": "none.yaml", "line": null, "column": null, "origin": "none.yaml", "key": "",
            "message": "there is no file none.yaml",
            "hint": "`x402-dev mock` needs no file; leave `--config` out to start without",
        })
    );
}

#[test]
fn the_schema_is_json_with_and_without_the_flag() {
    let run = Test::new().run(&["config", "schema", "--json"]);
    assert_eq!(result(&run), result(&Test::new().run(&["config", "schema"])));
    assert!(serde_json::from_str::<Value>(&run.stdout).unwrap()["properties"].is_object());
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_one_that_nobody_wants_is_none() {
    for command in [&["config", "show"][..], &["config", "schema"], &["--help"], &["sign", "--defects"]] {
        let run = Test::new().stdout(Stream::NoSpace).run(command);
        assert_eq!(run.code, Some(1), "{command:?}: {run:?}");
        assert!(run.stderr.starts_with("error: cannot write the result: No space left"), "{command:?}: {run:?}");
        let run = Test::new().stdout(Stream::Closed).run(command);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{command:?}");
    }
}
