//! `x402-dev config`: what is in force, whether a file is right, and what a file may say.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::{self, ConfigError, Effective, Loaded, LogFormat, Origin, Overrides, Problem};
use crate::context::Context;

/// Every effective value with its origin: a line each, or one JSON array of `{key, value, origin}`.
pub fn show(effective: &Effective, format: LogFormat) -> String {
    match format {
        LogFormat::Text => table(effective),
        LogFormat::Json => {
            let entry = |entry: &config::Entry| json!({"key": entry.key, "value": entry.value, "origin": entry.origin.to_string()});
            let entries: Vec<Value> = effective.entries.iter().map(entry).collect();
            format!("{:#}\n", Value::Array(entries))
        }
    }
}

/// Reads a file, or the files that would be read, with the environment; says that nothing is wrong.
pub fn check(context: &Context, file: Option<&Path>, format: LogFormat) -> Result<String, ConfigError> {
    let overrides = Overrides { config: file.map(Path::to_owned), ..Overrides::default() };
    let Loaded { config, warnings, .. } = config::load(context, &overrides)?;
    if format == LogFormat::Json {
        let (resources, networks) = (config.resources.len(), config.networks.len());
        let said = json!({
            "valid": true, "problems": [], "warnings": warnings, "resources": resources, "networks": networks,
        });
        return Ok(said.to_string());
    }
    let name = file.map_or_else(|| "the configuration".to_owned(), |file| file.display().to_string());
    let mut text = format!("{name} is valid: {}\n", summary(config.resources.len(), config.networks.len()));
    for warning in warnings {
        writeln!(text, "warning: {warning}").expect("writing to a string cannot fail");
    }
    Ok(text)
}

/// What is wrong with a configuration, for programs: every problem with its place.
pub fn problems(error: &ConfigError) -> String {
    let problems = match error {
        ConfigError::Invalid { problems } => problems.iter().map(problem).collect(),
        other => vec![trouble(other)],
    };
    json!({ "valid": false, "problems": problems }).to_string()
}

fn problem(problem: &Problem) -> Value {
    let origin = problem.origin();
    let (file, line, column) = match &origin {
        Origin::File { path, line, column } => (Some(path.display().to_string()), Some(*line), Some(*column)),
        Origin::Default | Origin::Environment { .. } | Origin::Flag { .. } => (None, None, None),
    };
    json!({
        "file": file, "line": line, "column": column, "origin": origin.to_string(),
        "key": problem.key(), "message": problem.message(), "hint": problem.hint(),
    })
}

/// A file that cannot be read at all.
fn trouble(error: &ConfigError) -> Value {
    let (file, line, column) = match error {
        ConfigError::NotText { path, line, column, .. } => (Some(path), Some(*line), Some(*column)),
        ConfigError::Missing { path }
        | ConfigError::Read { path, .. }
        | ConfigError::Directory { path }
        | ConfigError::TooLarge { path, .. } => (Some(path), None, None),
        ConfigError::Invalid { .. } => (None, None, None),
    };
    let file = file.map(|file| file.display().to_string());
    json!({
        "file": file, "line": line, "column": column, "origin": file,
        "key": "", "message": error.to_string(), "hint": error.hint(),
    })
}

/// The JSON Schema of a configuration file.
pub const fn schema() -> &'static str {
    config::SCHEMA
}

fn summary(resources: usize, networks: usize) -> String {
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    format!("{}, {}", count(resources, "resource"), count(networks, "network"))
}

fn table(effective: &Effective) -> String {
    let rows: Vec<(&str, String, String)> = effective
        .entries
        .iter()
        .map(|entry| (entry.key.as_str(), render(&entry.value), entry.origin.to_string()))
        .collect();
    let width = |column: fn(&(&str, String, String)) -> usize| rows.iter().map(column).max().unwrap_or_default();
    let (keys, origins) = (width(|row| row.0.len()), width(|row| row.2.chars().count()));
    let mut table = String::new();
    for (key, value, origin) in rows {
        writeln!(table, "{key:keys$}  {origin:origins$}  {value}").expect("writing to a string cannot fail");
    }
    table
}

/// The value in one line: texts as they are, lists as JSON, `-` for nothing.
fn render(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn context(variables: &[(&str, &str)]) -> Context {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Context::new("/nowhere/at/all", variables.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn show_prints_every_value_with_its_origin() {
        let context = context(&[("X402_DEV_SERVER__PORT", "81"), ("X402_DEV_NETWORKS", "[base-sepolia]")]);
        let effective = config::load(&context, &Overrides::default()).unwrap().effective;
        insta::assert_snapshot!(show(&effective, LogFormat::Text), @r#"
            server.host               default                127.0.0.1
            server.port               X402_DEV_SERVER__PORT  81
            server.facilitator        default                bare
            server.forwarded_headers  default                ignore
            server.test_headers       default                loopback
            seed                      default                -
            networks                  X402_DEV_NETWORKS      ["base-sepolia"]
            accepts                   default                ["eip155:84532"]
            pricing.default           default                $0.01
            resources                 default                []
            dialects                  default                ["x402v2","x402v1","invoice"]
            verification              default                strict
            timeout_delay             default                5s
            accounts.unknown          default                funded
            accounts.balance          default                1000000
            accounts.permit2          default                approved
            accounts.ata              default                lazy
            events.capacity           default                100000
            faults                    default                []
            log.format                default                text
            log.level                 default                normal
        "#);
        let shown: Value = serde_json::from_str(&show(&effective, LogFormat::Json)).unwrap();
        assert_eq!(shown[1], json!({"key": "server.port", "value": 81, "origin": "X402_DEV_SERVER__PORT"}));
    }

    #[test]
    fn check_says_that_nothing_is_wrong_and_warns() {
        insta::assert_snapshot!(check(&context(&[]), None, LogFormat::Text).unwrap(), @"the configuration is valid: 0 resources, 11 networks");
        insta::assert_snapshot!(check(&context(&[("X402_DEV_NETWORKS", "[base]")]), None, LogFormat::Text).unwrap(), @r"
            the configuration is valid: 0 resources, 1 network
            warning: Base (eip155:8453) is a main network: signatures by real keys are valid on the real chain
        ");
        insta::assert_snapshot!(check(&context(&[]), Some(Path::new("none.yaml")), LogFormat::Text).unwrap_err(), @"there is no file none.yaml");
    }
}
