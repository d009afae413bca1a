//! The layers: which files are read, and what the environment and the flags say, each as one tree.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cursor::{Cursor, Problems};
use super::error::{ConfigError, Problem};
use super::keys;
use super::nearest;
use super::overrides::Overrides;
use super::parse::parse;
use super::tree::{Node, Place, Source, SourceName, Value};
use crate::context::Context;

/// How large a configuration file may be, in bytes.
const MAX_FILE: u64 = 1024 * 1024;
const GLOBAL_FILE: &str = "config.yaml";
const PROJECT_FILE: &str = ".x402dev.yaml";
const DEFAULTS: &str = include_str!("defaults.yaml");
const PREFIX: &str = "X402_DEV_";
/// Variables with our prefix that are no configuration.
const NO_CONFIGURATION: [&str; 3] = ["X402_DEV_HOME", "X402_DEV_KEY", "X402_DEV_BIN"];

/// Whether a file has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Optional,
    Required,
}

/// Every layer merged into one tree. Unknown keys are noted for each layer, also where another one speaks over them.
pub(super) fn merged(context: &Context, overrides: &Overrides, problems: &Problems) -> Result<Node, ConfigError> {
    let mut layers = Vec::new();
    if let Some(home) = &context.home {
        layers.extend(file(&context.working_dir, &home.join(GLOBAL_FILE), Presence::Optional)?);
    }
    layers.extend(match &overrides.config {
        Some(path) => file(&context.working_dir, path, Presence::Required)?,
        None => file(&context.working_dir, Path::new(PROJECT_FILE), Presence::Optional)?,
    });
    layers.push(environment(context, problems)?);
    layers.push(flags(overrides));
    let mut root = defaults();
    for layer in layers {
        check_sections(&layer, problems);
        root.merge(layer);
    }
    Ok(root)
}

pub(super) fn defaults() -> Node {
    let source = Source::new(SourceName::Default, DEFAULTS);
    let tree = parse(&source).expect("the built-in defaults are YAML, as a test shows");
    tree.expect("the built-in defaults say something")
}

fn check_sections(layer: &Node, problems: &Problems) {
    let Some(root) = Cursor::root(layer, problems).fields(keys::ROOT) else { return };
    for (name, known) in keys::SECTIONS {
        if let Some(section) = root.get(name) {
            section.fields(known);
        }
    }
}

fn file(working_dir: &Path, path: &Path, presence: Presence) -> Result<Option<Node>, ConfigError> {
    let text = match read(&working_dir.join(path), path) {
        Err(ConfigError::Missing { .. }) if presence == Presence::Optional => return Ok(None),
        text => text?,
    };
    let source = Source::new(SourceName::File(path.to_owned()), text);
    let tree = parse(&source).map_err(|problem| ConfigError::Invalid { problems: vec![problem] })?;
    match tree {
        Some(Node { value: Value::Mapping(_), .. }) | None => Ok(tree),
        Some(other) => {
            let message = format!("a configuration is a mapping of keys, this is {}", other.kind());
            Err(ConfigError::Invalid { problems: vec![Problem::new("", message, other.place)] })
        }
    }
}

/// The text of a file; `path` is its name in messages.
fn read(file: &Path, path: &Path) -> Result<String, ConfigError> {
    let path = || path.to_owned();
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => ConfigError::Missing { path: path() },
        ErrorKind::IsADirectory => ConfigError::Directory { path: path() },
        _ => ConfigError::Read { path: path(), source },
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(failed)?;
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(ConfigError::TooLarge { path: path(), limit: MAX_FILE });
    }
    let text = String::from_utf8(bytes).map_err(|error| not_text(path(), &error))?;
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

fn not_text(path: PathBuf, error: &std::string::FromUtf8Error) -> ConfigError {
    let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
    let before = String::from_utf8_lossy(good);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let byte = bad.first().copied().unwrap_or_default();
    ConfigError::NotText { path, line: before.matches('\n').count() + 1, column, byte }
}

fn environment(context: &Context, problems: &Problems) -> Result<Node, ConfigError> {
    let known: Vec<(String, String)> = keys::paths().into_iter().map(|path| (variable(&path), path)).collect();
    let names = || known.iter().map(|(name, _)| name.as_str());
    let mut layer = Node::nothing(Source::new(SourceName::Environment(format!("{PREFIX}*")), ""));
    for (name, value) in &context.environment {
        if !name.starts_with(PREFIX) || NO_CONFIGURATION.contains(&name.as_str()) || value.is_empty() {
            continue;
        }
        let source = |text: &str| Source::new(SourceName::Environment(name.clone()), text);
        let Some((_, path)) = known.iter().find(|(known, _)| known == name) else {
            let message = format!("the environment variable {name} means nothing");
            let problem = Problem::new("", message, Place::whole(source(name)));
            problems.note(match nearest(name, names()) {
                Some(near) => problem.hinted(format!("did you mean {near}?")),
                None => problem.hinted("see `x402-dev config show` for the keys, written X402_DEV_SERVER__PORT"),
            });
            continue;
        };
        layer.insert(path, variable_value(source(value))?);
    }
    Ok(layer)
}

/// The environment variable of a key: `X402_DEV_SERVER__PORT` of `server.port`.
fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// Lists and mappings are YAML in its flow form; everything else is taken as it is.
fn variable_value(source: Arc<Source>) -> Result<Node, ConfigError> {
    if !source.text.trim_start().starts_with(['[', '{']) {
        return Ok(Node::scalar(source));
    }
    let tree = parse(&source).map_err(|problem| ConfigError::Invalid { problems: vec![problem] })?;
    Ok(tree.unwrap_or_else(|| Node::scalar(source)))
}

fn flags(overrides: &Overrides) -> Node {
    let mut layer = Node::nothing(Source::new(SourceName::Flag("--"), ""));
    let level = match overrides.log_level.as_deref() {
        Some("quiet") => "--quiet",
        Some("verbose") => "--verbose",
        _ => "--log-level",
    };
    let values = [
        ("server.host", "--host", overrides.host.clone()),
        ("server.port", "--port", overrides.port.map(|port| port.to_string())),
        ("pricing.default", "--price", overrides.price.clone()),
        ("seed", "--seed", overrides.seed.map(|seed| seed.to_string())),
        ("verification", "--verification", overrides.verification.clone()),
        ("timeout_delay", "--timeout-delay", overrides.timeout_delay.clone()),
        ("log.format", "--log-format", overrides.log_format.clone()),
        ("log.level", level, overrides.log_level.clone()),
    ];
    for (path, flag, value) in values {
        if let Some(value) = value {
            layer.insert(path, Node::scalar(Source::new(SourceName::Flag(flag), value)));
        }
    }
    let flag = |text: &str| Source::new(SourceName::Flag("--network"), text);
    if !overrides.networks.is_empty() {
        let items = overrides.networks.iter().map(|name| Node::scalar(flag(name))).collect();
        let place = Place::whole(flag(&overrides.networks.join(", ")));
        layer.insert("networks", Node { place, value: Value::List(items) });
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::super::Paint;
    use super::super::tests::Project;
    use super::*;

    fn origin(project: &Project, key: &str) -> String {
        let loaded = project.loaded();
        let entry = loaded.effective.entries.iter().find(|entry| entry.key == key).unwrap();
        let text = format!("{} from {}", entry.value, entry.origin);
        text.replace(&project.path().display().to_string(), "ROOT")
    }

    #[test]
    fn layers_speak_over_each_other_key_by_key() {
        let project = Project::new();
        assert_eq!(origin(&project, "server.port"), "3402 from default");
        let project = project.global("server:\n  port: 1\n  host: 0.0.0.0\npricing: {default: 1}\n");
        assert_eq!(origin(&project, "server.port"), "1 from ROOT/home/config.yaml:2:9");
        let project = project.yaml("server:\n  # here\n  port: 2\n");
        assert_eq!(origin(&project, "server.port"), "2 from .x402dev.yaml:3:9");
        assert_eq!(origin(&project, "server.host"), "\"0.0.0.0\" from ROOT/home/config.yaml:3:9");
        let project = project.variable("X402_DEV_SERVER__PORT", "3");
        assert_eq!(origin(&project, "server.port"), "3 from X402_DEV_SERVER__PORT");
        let project = project.flags(Overrides { port: Some(4), ..Overrides::default() });
        assert_eq!(origin(&project, "server.port"), "4 from --port");
        assert_eq!(origin(&project, "pricing.default"), "1 from ROOT/home/config.yaml:4:20");
    }

    #[test]
    fn who_says_nothing_changes_nothing() {
        let project = Project::new().global("server: {port: 1}\n").yaml("server:\n  port:\nlog:\n");
        assert_eq!(origin(&project, "server.port"), "1 from ROOT/home/config.yaml:1:16");
        let project = project.variable("X402_DEV_SERVER__PORT", "");
        assert_eq!(origin(&project, "server.port"), "1 from ROOT/home/config.yaml:1:16");
    }

    #[test]
    fn lists_replace_and_never_merge() {
        let project = Project::new().global("dialects: [x402v1, invoice]\n").yaml("dialects: [x402v2]\n");
        assert_eq!(origin(&project, "dialects"), "[\"x402v2\"] from .x402dev.yaml:1:11");
        let project = project.variable("X402_DEV_DIALECTS", "[invoice, x402v1]");
        assert_eq!(origin(&project, "dialects"), "[\"invoice\",\"x402v1\"] from X402_DEV_DIALECTS");
    }

    #[test]
    fn every_flag_has_its_name_as_origin() {
        let text = |text: &str| Some(text.to_owned());
        let project = Project::new().flags(Overrides {
            host: text("::1"),
            port: Some(0),
            price: text("0.05 USDC"),
            networks: vec!["base-sepolia".to_owned(), "eip155:421614".to_owned()],
            config: None,
            seed: Some(u64::MAX),
            verification: text("accept"),
            timeout_delay: text("250ms"),
            log_format: text("json"),
            log_level: text("quiet"),
        });
        let lines = project.loaded().effective.entries.into_iter();
        let lines = lines.map(|entry| format!("{} {} {}", entry.key, entry.value, entry.origin));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
            server.host "::1" --host
            server.port 0 --port
            server.facilitator "bare" default
            server.forwarded_headers "ignore" default
            server.test_headers "loopback" default
            seed 18446744073709551615 --seed
            networks ["base-sepolia","eip155:421614"] --network
            accepts ["eip155:84532"] default
            pricing.default "0.05 USDC" --price
            resources [] default
            dialects ["x402v2","x402v1","invoice"] default
            verification "accept" --verification
            timeout_delay "250ms" --timeout-delay
            accounts.unknown "funded" default
            accounts.balance 1000000 default
            accounts.permit2 "approved" default
            accounts.ata "lazy" default
            events.capacity 100000 default
            faults [] default
            log.format "json" --log-format
            log.level "quiet" --quiet
        "#);
    }

    #[test]
    fn wrong_flags_and_variables_are_refused_by_their_names() {
        let project = Project::new()
            .variable("X402_DEV_SERVER__PROT", "1")
            .variable("X402_DEV_ZZZZZZZZZZZZZZZZZZZZZ", "1")
            .variable("X402_DEV_SERVER__PORT", "70000")
            .variable("X402_DEV_DIALECTS", "x402v2")
            .variable("X402_DEV_HOME", "/nowhere")
            .variable("X402_DEV_KEY", "0x1")
            .variable("X402_DEV_BIN", "/x")
            .flags(Overrides {
                price: Some("-1".to_owned()),
                networks: vec!["base-sepola".to_owned()],
                ..Overrides::default()
            });
        insta::assert_snapshot!(project.problems(), @r"
            X402_DEV_SERVER__PROT: the environment variable X402_DEV_SERVER__PROT means nothing [did you mean X402_DEV_SERVER__PORT?]
            X402_DEV_ZZZZZZZZZZZZZZZZZZZZZ: the environment variable X402_DEV_ZZZZZZZZZZZZZZZZZZZZZ means nothing [see `x402-dev config show` for the keys, written X402_DEV_SERVER__PORT]
            X402_DEV_SERVER__PORT: server.port: `70000` is not a whole number from 0 to 65535
            --network: networks[0]: there is no network `base-sepola` [did you mean `base-sepolia`?]
            X402_DEV_DIALECTS: dialects: expected a list, found a value [write `[x402v2]`]
            --price: pricing.default: `-1` is negative; a price is zero or more
        ");
        insta::assert_snapshot!(Project::new().variable("X402_DEV_DIALECTS", "[x402v2").problems(), @"X402_DEV_DIALECTS: this is no YAML: unclosed bracket '['");
        let drawn = Project::new().variable("X402_DEV_SERVER__PORT", "70000").load().unwrap_err().draw(Paint::Plain);
        insta::assert_snapshot!(drawn, @r"
            error: server.port: `70000` is not a whole number from 0 to 65535
             --> X402_DEV_SERVER__PORT:1:1
              |
            1 | 70000
              | ^^^^^
        ");
    }

    #[test]
    fn a_named_file_replaces_the_project_file_only() {
        let flags = |path: &str| Overrides { config: Some(path.into()), ..Overrides::default() };
        let project = Project::new()
            .global("seed: 1\n")
            .yaml("seed: 2\nserver: {port: 5}\n")
            .file("other.yaml", "log: {level: quiet}\n");
        let project = project.flags(flags("other.yaml"));
        assert_eq!(origin(&project, "seed"), "1 from ROOT/home/config.yaml:1:7");
        assert_eq!(origin(&project, "server.port"), "3402 from default");
        insta::assert_snapshot!(Project::new().flags(flags("none.yaml")).problems(), @"there is no file none.yaml [`x402-dev mock` needs no file; leave `--config` out to start without]");
    }

    #[test]
    fn what_is_no_text_file_is_refused() {
        let project = Project::new();
        std::fs::create_dir(project.path().join(".x402dev.yaml")).unwrap();
        insta::assert_snapshot!(project.problems(), @".x402dev.yaml is a directory, not a configuration file [move the directory away, or name a file with `--config`]");
        let large = vec![b'#'; 1024 * 1024 + 1];
        insta::assert_snapshot!(Project::new().file(".x402dev.yaml", &large).problems(), @".x402dev.yaml is larger than 1048576 bytes [move large answers to files of their own: `response: {file: ...}`]");
        assert!(Project::new().file(".x402dev.yaml", &large[1..]).load().is_ok());
        insta::assert_snapshot!(Project::new().file(".x402dev.yaml", b"# \xc3\xa9\nseed: \xe91\n").problems(), @".x402dev.yaml:2:7: the byte 0xe9 is not UTF-8 [save the file as UTF-8]");
        insta::assert_snapshot!(Project::new().yaml("- a\n").problems(), @".x402dev.yaml:1:1: a configuration is a mapping of keys, this is a list");
        insta::assert_snapshot!(Project::new().yaml("hello\n").problems(), @".x402dev.yaml:1:1: a configuration is a mapping of keys, this is a value");
    }

    #[test]
    fn a_wrong_value_of_a_lower_layer_is_found_under_a_right_one() {
        let project = Project::new().global("server: 5\npricng: 1\n").yaml("server: {port: 1}\n");
        insta::assert_snapshot!(project.problems(), @r"
            ROOT/home/config.yaml:1:9: server: expected a mapping, found a value
            ROOT/home/config.yaml:2:1: pricng: there is no key `pricng` here [did you mean `pricing`?]
        ");
    }
}
