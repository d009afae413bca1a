//! Filters of events as requests say them: in a query, or in a body; and how they are described.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use x402_sim::World;
use x402_sim::event::filter::{KEYS, Names};
use x402_sim::event::kind::{DOORS, KINDS, OUTCOMES};
use x402_sim::event::{Filter, FilterError};

use super::input::WHOLE_MOST;
use super::problem::{Code, Problem};

/// Keys and values that say which events are wanted. A key may stand there several times.
pub type Pairs = Vec<(String, String)>;

/// Numbers that a query may have besides a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The sequence number after which a reader wants to read.
    pub since: Option<u64>,
    /// How many are wanted at most.
    pub limit: Option<u64>,
}

/// Takes a query apart: the filter, and the numbers that are allowed beside it.
pub fn query(text: &str, allowed: &[&str]) -> Result<(Pairs, Numbers), Problem> {
    let (mut pairs, mut numbers) = (Pairs::new(), Numbers::default());
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        let place = match key.as_ref() {
            "since" if allowed.contains(&"since") => &mut numbers.since,
            "limit" if allowed.contains(&"limit") => &mut numbers.limit,
            _ => {
                pairs.push((key.into_owned(), value.into_owned()));
                continue;
            }
        };
        if place.is_some() {
            return Err(Code::DuplicateField.because(format!("{key} stands there twice")).at(format!("?{key}")));
        }
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|number| digits && *number <= WHOLE_MOST);
        *place = Some(number.ok_or_else(|| {
            let value = x402_wire::shape::shorten(&value);
            Code::InvalidValue.because(format!("{key}: \"{value}\" is no number")).at(format!("?{key}"))
        })?);
    }
    Ok((pairs, numbers))
}

/// The filter that keys and values mean in a world. A fault is placed behind `sign`: `?` in a query, `$.filter.` in a body.
pub fn read(world: &World, pairs: &Pairs, sign: &str) -> Result<Filter, Problem> {
    let last_purchase = world.purchases().last().map(|purchase| purchase.id);
    let names = Names { book: world.book(), catalog: world.catalog(), last_purchase };
    let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    Filter::read(pairs, names).map_err(|error| refuse(&error, sign))
}

fn refuse(error: &FilterError, sign: &str) -> Problem {
    let unknown = if sign == "?" { Code::UnknownParameter } else { Code::UnknownField };
    let (code, key) = match error {
        FilterError::NoPair { .. } => (Code::InvalidValue, None),
        FilterError::Key { key, .. } => (unknown, Some(key.as_str())),
        // What is a name by its form may still be nobody's.
        FilterError::Value { key: key @ "payer", .. } => (Code::UnknownAccount, Some(*key)),
        FilterError::Value { key: key @ "network", .. } => (Code::UnknownNetwork, Some(*key)),
        FilterError::Value { key: key @ "purchase", value, .. } if value == "last" => {
            (Code::UnknownPurchase, Some(*key))
        }
        FilterError::Value { key, .. } => (Code::InvalidValue, Some(*key)),
    };
    let problem = code.because(error.to_string());
    match key {
        Some(key) => problem.at(format!("{sign}{key}")),
        None => problem,
    }
}

/// The parameters of a query that are a filter.
pub fn parameters() -> Vec<RefOr<Parameter>> {
    let parameter = |key: &&str| {
        ParameterBuilder::new()
            .name(*key)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(describe(key)))
            .schema(Some(ArrayBuilder::new().items(value(key)).min_items(Some(1)).max_items(Some(4))))
            .build()
    };
    KEYS.iter().map(parameter).map(RefOr::T).collect()
}

/// A filter in a body: a value for a key, or several.
pub fn body() -> Schema {
    let mut filter = ObjectBuilder::new()
        .description(Some("Which events are meant: an event must match one value of every key."))
        .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)));
    for key in KEYS {
        let many = ArrayBuilder::new().items(value(key)).max_items(Some(16));
        let one = OneOfBuilder::new().item(value(key)).item(many).description(Some(describe(key)));
        filter = filter.property(key, Schema::OneOf(one.build()));
    }
    Schema::Object(filter.build())
}

/// What values a key has.
fn value(key: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = match key {
        "kind" => text.enum_values(Some(KINDS.iter().map(|row| row.1))),
        "outcome" => text.enum_values(Some(OUTCOMES.iter().map(|row| row.1))),
        "door" => text.enum_values(Some(DOORS.iter().map(|row| row.1))),
        "path" => text.pattern(Some(r"^/[!-~]*$")),
        "purchase" => text.pattern(Some("^(last|pur_[1-9][0-9]{0,17})$")),
        "payment" => text.pattern(Some("^pay_[0-9a-f]{16}$")),
        _ => text.pattern(Some("^[A-Za-z0-9:_-]+$")),
    };
    RefOr::T(Schema::Object(text.build()))
}

fn describe(key: &str) -> &'static str {
    match key {
        "kind" => "What happened.",
        "payer" => "Who paid: an index, a name or an address.",
        "path" => "The path of the request; a `*` at the end stands for anything.",
        "outcome" => "Whether it is good news.",
        "network" => "The network: a CAIP-2 id or a name of version 1.",
        "purchase" => "The purchase; `last` is the newest.",
        "payment" => "The payment.",
        _ => "Through which door.",
    }
}

/// A filter in a body, as pairs. What is no text or list of texts is refused.
pub fn pairs(filter: &serde_json::Value) -> Result<Pairs, Problem> {
    let wrong = |key: &str, value: &serde_json::Value| {
        let text = format!("a filter has a text or a list of texts for each key, and {} is neither", shown(value));
        Code::InvalidValue.because(text).at(format!("$.filter{key}"))
    };
    let serde_json::Value::Object(fields) = filter else { return Err(wrong("", filter)) };
    let mut pairs = Pairs::new();
    for (key, value) in fields {
        let place = format!(".{key}");
        let values = match value {
            serde_json::Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let text = value.as_str().ok_or_else(|| wrong(&place, value))?;
            pairs.push((key.clone(), text.to_owned()));
        }
    }
    Ok(pairs)
}

fn shown(value: &serde_json::Value) -> String {
    x402_wire::shape::shorten(&value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_in_a_body_has_texts_or_lists_of_texts() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let both = vec![pair("kind", "settled"), pair("kind", "offered")];
        assert_eq!(pairs(&json!({ "kind": ["settled", "offered"] })), Ok(both));
        assert_eq!(pairs(&json!({})), Ok(vec![]));
        for wrong in
            [json!(null), json!("kind=settled"), json!(1), json!([]), json!({ "kind": 1 }), json!({ "kind": [["a"]] })]
        {
            assert_eq!(pairs(&wrong).unwrap_err().code.as_ref(), "invalid_value", "{wrong}");
        }
    }

    #[test]
    fn a_query_is_a_filter_and_numbers() {
        let (pairs, numbers) = query("kind=settled&since=3&path=%2Fa", &["since", "limit"]).unwrap();
        assert_eq!((pairs.len(), numbers.since, numbers.limit), (2, Some(3), None));
        for (text, code) in [
            ("since=1&since=2", "duplicate_field"),
            ("since=", "invalid_value"),
            ("limit=+1", "invalid_value"),
            ("since=18446744073709551616", "invalid_value"),
        ] {
            assert_eq!(query(text, &["since", "limit"]).unwrap_err().code.as_ref(), code, "{text}");
        }
    }
}
