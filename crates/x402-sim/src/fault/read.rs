//! Faults from JSON and to JSON: in the configuration, over the admin door, in snapshots.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::effect::Effect;
use super::model::{DOORS, Fault, FaultError, Matcher, Occurrence, Per, Stage, Timing};
use crate::registry::PAIRS;

/// The keys of a fault.
pub const KEYS: &[&str] =
    &["preset", "name", "stage", "timing", "match", "nth", "every", "first", "probability", "per", "times", "effect"];

/// The keys of `match`.
pub const MATCH_KEYS: &[&str] = &["door", "route", "method", "payer", "network", "scheme", "purchase", "version"];

/// The faults that a value means: one, or those of a preset.
///
/// # Errors
///
/// The first thing that is wrong, with its path.
pub fn read(value: &Value) -> Result<Vec<Fault>, FaultError> {
    let Value::Object(fields) = value else {
        // A preset's name alone says enough.
        return match value {
            Value::String(name) => super::preset::faults(name, &Matcher::default()),
            _ => Err(FaultError::new("", "a fault is an object, or the name of a preset")),
        };
    };
    known(fields, KEYS, "")?;
    let matcher = matcher(fields)?;
    let mut faults = match text(fields, "preset")? {
        Some(name) => {
            if let Some(other) = ["stage", "timing", "effect"].into_iter().find(|key| said(fields, key).is_some()) {
                return Err(FaultError::new(other, "a preset says this itself"));
            }
            super::preset::faults(name, &matcher)?
        }
        None => vec![own(fields, matcher)?],
    };
    let (occurrence, times) = (occurrence(fields)?, count(fields, "times")?);
    let counted = occurrence != Occurrence::default();
    for fault in &mut faults {
        if counted {
            fault.occurrence = occurrence;
        }
        fault.times = times.or(fault.times);
        if let Some(name) = text(fields, "name")? {
            fault.name = Some(named(name)?);
        }
        fault.check()?;
    }
    Ok(faults)
}

fn own(fields: &Map<String, Value>, matcher: Matcher) -> Result<Fault, FaultError> {
    let stage = text(fields, "stage")?.ok_or_else(|| FaultError::new("stage", "the key `stage` is missing"))?;
    let effect = text(fields, "effect")?.ok_or_else(|| FaultError::new("effect", "the key `effect` is missing"))?;
    let timing = text(fields, "timing")?.map_or(Ok(Timing::Before), Timing::parse)?;
    let fault = Fault::new(Stage::parse(stage)?, timing, Effect::parse(effect)?);
    Ok(Fault { matcher, ..fault })
}

/// A name for a fault: what fits on a line and is no number.
fn named(name: &str) -> Result<String, FaultError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let good = (1..=64).contains(&name.len()) && name.bytes().all(allowed);
    if !good || super::table::FaultId::parse(name).is_some() {
        let text =
            format!("`{}` is no name: 1 to 64 letters, digits, `-`, `_`, `.` and `:`, and no number", short(name));
        return Err(FaultError::new("name", text));
    }
    Ok(name.to_owned())
}

fn matcher(fields: &Map<String, Value>) -> Result<Matcher, FaultError> {
    let Some(value) = said(fields, "match") else { return Ok(Matcher::default()) };
    let Value::Object(fields) = value else { return Err(FaultError::new("match", "expected an object")) };
    known(fields, MATCH_KEYS, "match")?;
    let text = |key| Ok(text(fields, key).map_err(|error| error.under("match"))?.map(str::to_owned));
    let door = match text("door")? {
        None => None,
        Some(name) => {
            let found = DOORS.iter().find(|(_, own)| *own == name).map(|(door, _)| *door);
            Some(found.ok_or_else(|| FaultError::unknown("match.door", &name, DOORS.map(|(_, own)| own)))?)
        }
    };
    let mut method = text("method")?.map(|method| method.to_ascii_uppercase());
    let mut route = text("route")?;
    if let Some((verb, path)) = route.as_ref().and_then(|route| route.split_once(' ')) {
        let (verb, path) = (verb.to_ascii_uppercase(), path.trim().to_owned());
        if method.as_ref().is_some_and(|method| *method != verb) {
            return Err(FaultError::new("match.route", "its method is not that of `match.method`"));
        }
        (method, route) = (Some(verb), Some(path));
    }
    if route.as_ref().is_some_and(|route| !route.starts_with('/')) {
        return Err(FaultError::new("match.route", "a route starts with `/`, or with a method and a space"));
    }
    let version = match said(fields, "version") {
        None => None,
        Some(value) => match value.as_u64() {
            Some(1) => Some(1),
            Some(2) => Some(2),
            _ => return Err(FaultError::new("match.version", "the protocol versions are 1 and 2")),
        },
    };
    let scheme = text("scheme")?;
    if let Some(said) = &scheme
        && !PAIRS.iter().any(|pair| pair.scheme == said)
    {
        let known: BTreeSet<_> = PAIRS.iter().map(|pair| pair.scheme).collect();
        return Err(FaultError::unknown("match.scheme", said, known));
    }
    let purchase = text("purchase")?;
    if purchase.as_deref() == Some("last") {
        let text = "`last` changes with every purchase; write an id, such as `pur_3`, or the name that the buyer gives";
        return Err(FaultError::new("match.purchase", text));
    }
    Ok(Matcher { door, route, method, payer: text("payer")?, network: text("network")?, scheme, purchase, version })
}

fn occurrence(fields: &Map<String, Value>) -> Result<Occurrence, FaultError> {
    let probability = match said(fields, "probability") {
        None => None,
        Some(value) => {
            let chance = value.as_f64().filter(|chance| *chance > 0.0 && *chance <= 1.0);
            let wrong = || FaultError::new("probability", "a chance is above 0 and at most 1");
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
            let millionths = (chance.ok_or_else(wrong)? * 1_000_000.0).round() as u32;
            Some(millionths.max(1))
        }
    };
    let per = match text(fields, "per")? {
        None | Some("all") => Per::All,
        Some("purchase") => Per::Purchase,
        Some(other) => return Err(FaultError::unknown("per", other, ["all", "purchase"])),
    };
    let (nth, every, first) = (count(fields, "nth")?, count(fields, "every")?, count(fields, "first")?);
    Ok(Occurrence { nth, every, first, probability, per })
}

/// A value that is there and not null.
fn said<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    fields.get(key).filter(|value| !value.is_null())
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, FaultError> {
    match said(fields, key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(FaultError::new(key, "expected a text")),
    }
}

fn count(fields: &Map<String, Value>, key: &str) -> Result<Option<u32>, FaultError> {
    let Some(value) = said(fields, key) else { return Ok(None) };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| FaultError::new(key, "expected a whole number from 1 to 4294967295"))
}

fn known(fields: &Map<String, Value>, known: &[&'static str], path: &str) -> Result<(), FaultError> {
    let Some(key) = fields.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let error = FaultError::unknown("key", key, known.iter().copied());
    let own = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
    Err(FaultError { path: short(&own), ..error })
}

fn short(text: &str) -> String {
    x402_wire::shape::shorten(text)
}

/// A fault as JSON: exactly what is read again.
pub fn written(fault: &Fault) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(key.to_owned(), value);
        }
    };
    put("name", fault.name.clone().map(Value::from));
    put("stage", Some(fault.stage.name().into()));
    put("timing", Some(fault.timing.name().into()));
    put("match", matcher_written(&fault.matcher));
    let Occurrence { nth, every, first, probability, per } = fault.occurrence;
    put("nth", nth.map(Value::from));
    put("every", every.map(Value::from));
    put("first", first.map(Value::from));
    put("probability", probability.map(|chance| json!(f64::from(chance) / 1_000_000.0)));
    put("per", (per == Per::Purchase).then(|| "purchase".into()));
    put("times", fault.times.map(Value::from));
    put("effect", Some(fault.effect.to_string().into()));
    Value::Object(fields)
}

fn matcher_written(matcher: &Matcher) -> Option<Value> {
    let Matcher { door, route, method, payer, network, scheme, purchase, version } = matcher;
    let door = door.and_then(|door| DOORS.iter().find(|(own, _)| *own == door).map(|(_, name)| Value::from(*name)));
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let values = [
        door,
        text(route),
        text(method),
        text(payer),
        text(network),
        text(scheme),
        text(purchase),
        version.map(Value::from),
    ];
    let fields = MATCH_KEYS.iter().zip(values).filter_map(|(key, value)| Some(((*key).to_owned(), value?)));
    let fields: Map<String, Value> = fields.collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_it_is_read() {
        let value = json!({
            "name": "mine", "stage": "settle", "timing": "after", "times": 3, "first": 2, "per": "purchase",
            "match": {"door": "facilitator", "route": "/a/*", "method": "GET", "payer": "alice", "network": "base-sepolia", "version": 2},
            "probability": 0.25, "effect": "status:503,down",
        });
        let faults = read(&value).unwrap();
        assert_eq!(faults.len(), 1);
        assert_eq!(written(&faults[0]), value);
        let short = json!({"stage": "settle", "match": {"route": "get /a"}, "effect": "hang"});
        assert_eq!(read(&short).unwrap()[0].matcher.method.as_deref(), Some("GET"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        let refused = |value: Value| read(&value).unwrap_err().to_string();
        let base = |key: &str, value: Value| {
            let mut fault = json!({"stage": "settle", "effect": "hang"});
            fault[key] = value;
            refused(fault)
        };
        assert_eq!(refused(json!([])), "a fault is an object, or the name of a preset");
        assert_eq!(refused(json!({"effect": "hang"})), "stage: the key `stage` is missing");
        assert_eq!(base("stge", json!(1)), "stge: there is no key `stge`; did you mean `stage`?");
        assert_eq!(base("stage", json!("setle")), "stage: there is no stage `setle`; did you mean `settle`?");
        assert_eq!(base("effect", json!("timeot")), "effect: there is no effect `timeot`; did you mean `timeout`?");
        assert_eq!(base("match", json!({"pyer": "a"})), "match.pyer: there is no key `pyer`; did you mean `payer`?");
        assert_eq!(base("match", json!({"door": "front"})), "match.door: there is no door `front`");
        assert_eq!(base("match", json!({"version": 3})), "match.version: the protocol versions are 1 and 2");
        assert_eq!(base("probability", json!(2)), "probability: a chance is above 0 and at most 1");
        assert_eq!(base("times", json!(0)), "times: expected a whole number from 1 to 4294967295");
        assert_eq!(
            base("name", json!("f3")),
            "name: `f3` is no name: 1 to 64 letters, digits, `-`, `_`, `.` and `:`, and no number"
        );
        assert_eq!(base("preset", json!("reorg")), "stage: a preset says this itself");
        assert_eq!(refused(json!("reorgg")), "preset: there is no preset `reorgg`; did you mean `reorg`?");
    }
}
