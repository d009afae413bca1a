//! The chosen departures from the official facilitator, as rules about recorded cases.

use serde_json::Value;

const ROWS: &str = include_str!("../../data/departures.json");

/// A recorded answer that differs from ours.
pub(crate) struct Difference<'a> {
    /// The protocol version of the payment.
    pub(crate) version: u64,
    /// `verify` or `settle`.
    pub(crate) door: &'a str,
    /// What is wrong with the payment.
    pub(crate) faults: &'a [String],
    /// The official reason, or what the official code threw.
    pub(crate) official: &'a str,
    /// Our reason, or `success`.
    pub(crate) ours: &'a str,
}

/// The rows: those that are for every family of vectors, or for one by its name, as `only` wants them.
fn rows(only: impl Fn(Option<&str>) -> bool) -> Vec<Value> {
    let rows: Vec<Value> = serde_json::from_str(ROWS).unwrap();
    // A row without `match` describes something that no recorded case shows.
    rows.into_iter().filter(|row| row.get("match").is_some_and(|rule| only(rule["vectors"].as_str()))).collect()
}

/// The departure that a difference is, if it was chosen for these vectors.
pub(crate) fn find(difference: &Difference<'_>, only: impl Fn(Option<&str>) -> bool) -> Option<String> {
    let fits = |row: &&Value| {
        let rule = &row["match"];
        let is = |key: &str, wanted: Value| rule[key] == "*" || rule[key] == wanted;
        let matches = |key: &str, text: &str| {
            let pattern = rule.get(key).and_then(Value::as_str);
            pattern.is_none_or(|pattern| regex_lite::Regex::new(pattern).unwrap().is_match(text))
        };
        let faults = rule.get("faults").is_none() || difference.faults.iter().any(|fault| matches("faults", fault));
        is("door", difference.door.into())
            && is("x402Version", difference.version.into())
            && rule["ours"] == difference.ours
            && matches("official", difference.official)
            && faults
    };
    rows(only).iter().find(fits).map(id)
}

/// The names of the rows that recorded cases must show.
pub(crate) fn named(only: impl Fn(Option<&str>) -> bool) -> Vec<String> {
    rows(only).iter().map(id).collect()
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}
