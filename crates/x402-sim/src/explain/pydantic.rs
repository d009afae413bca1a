//! What pydantic raises, which the models of the Python SDK read offers, payments and bodies with: a list of what is wrong,
//! each with the place.
//!
//! Source: pydantic 2, `ValidationError.__str__` and `errors()`; the `detail` of a 422 of `FastAPI`; Python x402 2.25 `schemas/`.

use serde_json::{Deserializer, Value};
use x402_wire::shape::shorten;

use super::confided::without_keys;
use super::explanation::{Explanation, Section};
use super::finding::{Finding, Side};
use super::kind::Kind;
use super::manual;
use super::read::{placed, spelling};

/// With what the text begins, behind the number of errors; the name of the model follows.
const MARKS: [&str; 2] = [" validation error for ", " validation errors for "];

/// The longest text that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// So many members are named.
const SHOWN: usize = 20;

/// Names of members that only x402 has: a model of anybody's with one of them is of x402.
const OWN: [&str; 7] = [
    "paymentPayload",
    "paymentRequirements",
    "accepts",
    "payTo",
    "maxTimeoutSeconds",
    "maxAmountRequired",
    "x402Version",
];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Issue {
    /// The way there, as the protocol's data has it.
    place: Vec<String>,
    /// What pydantic calls it: `missing`.
    kind: String,
    /// The sentence.
    said: String,
    /// What stood there, or around it where it is missing; shortened by pydantic.
    input: String,
}

/// All that is wrong, and with which model.
struct Issues {
    model: String,
    all: Vec<Issue>,
}

/// The list within a text.
pub(super) fn message(text: &str) -> Option<&str> {
    let own = &text[..text.floor_char_boundary(LONGEST)];
    let begin = beginning(own).or_else(|| own.find("[{"))?;
    read(&own[begin..])?;
    Some(&own[begin..])
}

/// Where the last list in words begins: with the number of its errors.
fn beginning(text: &str) -> Option<usize> {
    let mark = MARKS.iter().filter_map(|mark| text.rfind(mark)).max()?;
    let digits = text[..mark].bytes().rev().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(mark - digits)
}

fn read(text: &str) -> Option<Issues> {
    let issues = in_words(text).or_else(|| in_json(text))?;
    let is_own = |issue: &Issue| issue.place.iter().any(|part| OWN.iter().any(|own| spelling(part) == Some(own)));
    let is_model = is_of_sdk(&issues.model) || issues.all.iter().any(is_own);
    (is_model && !issues.all.is_empty()).then_some(issues)
}

/// Whether a model is one of the SDK's by its name.
fn is_of_sdk(model: &str) -> bool {
    let name = model.strip_suffix("V1").unwrap_or(model);
    let answers = ["VerifyResponse", "SettleResponse", "SupportedResponse", "VerifyRequest", "SettleRequest"];
    name.starts_with("Payment") || answers.contains(&name)
}

/// The list as pydantic writes it.
fn in_words(text: &str) -> Option<Issues> {
    let (_, rest) = MARKS.iter().find_map(|mark| text.split_once(mark))?;
    let mut lines = rest.lines();
    let model = lines.next()?.split_whitespace().next().unwrap_or_default().to_owned();
    let (mut place, mut all) = (Vec::new(), Vec::new());
    for line in lines.map(str::trim) {
        if let Some((said, behind)) = line.split_once(" [type=") {
            let (kind, rest) = behind.split_once(", input_value=").unwrap_or((behind.trim_end_matches(']'), ""));
            let input = rest.rsplit_once(", input_type=").map_or(rest, |(input, _)| input);
            let own = |text: &str| text.to_owned();
            all.push(Issue { place: std::mem::take(&mut place), kind: own(kind), said: own(said), input: own(input) });
        } else if !line.is_empty() && !line.contains(char::is_whitespace) {
            place = line.split('.').map(str::to_owned).collect();
        }
    }
    Some(Issues { model, all })
}

/// The list as `errors()` gives it, and `FastAPI` sends it.
fn in_json(text: &str) -> Option<Issues> {
    let list = Deserializer::from_str(text).into_iter::<Vec<Value>>().next()?.ok()?;
    let issue = |own: &Value| {
        let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        Some(Issue {
            place: own["loc"].as_array()?.iter().map(part).collect(),
            kind: own["type"].as_str()?.to_owned(),
            said: own["msg"].as_str()?.to_owned(),
            input: own["input"].to_string(),
        })
    };
    let all = list.iter().map(issue).collect::<Option<_>>()?;
    Some(Issues { model: String::new(), all })
}

/// What the list says, member by member; `None` where it is none.
pub(super) fn explained(text: &str) -> Option<Explanation> {
    let Issues { model, all } = read(text)?;
    let title = "an error of pydantic, which the Python SDK and servers with FastAPI read with";
    let mut explanation = Explanation::new(Kind::Reason, title);
    let mut section = Section::new("members at fault");
    for issue in all.iter().take(SHOWN) {
        let place = issue.written();
        section.add(place.clone(), issue.what(), "");
        explanation.find(issue.finding(&model).seen(format!("`{place}`: {}", issue.what())));
    }
    explanation.sections.push(section);
    // What is to be known of a model of version 2 that is given version 1.
    let page = manual::page(&format!("validation errors for {model}"));
    explanation.notes.extend(page.and_then(|page| page.note.clone()));
    Some(explanation)
}

impl Issue {
    /// The way there in the protocol's own spelling, without what only says that it was a body, and without places in lists.
    fn parts(&self) -> Vec<&str> {
        let own = self.place.iter().skip_while(|part| ["body", "__root__"].contains(&part.as_str()));
        let named = own.filter(|part| part.parse::<usize>().is_err());
        named.map(|part| spelling(part).unwrap_or(part)).collect()
    }

    /// The place as it is written.
    fn written(&self) -> String {
        if self.place.is_empty() { "the whole".to_owned() } else { shorten(&without_keys(&self.place.join("."))) }
    }

    /// The place as findings name it: whoever wrote it can mend it.
    fn path(&self, model: &str) -> String {
        let parts = self.parts();
        let rest = |parts: &[&str]| parts.iter().flat_map(|part| [".".to_owned(), shorten(part)]).collect::<String>();
        match parts.first().copied() {
            Some(first @ ("paymentPayload" | "paymentRequirements")) => format!("{first}{}", rest(&parts[1..])),
            Some("accepts") if parts.len() > 1 => format!("paymentRequirements{}", rest(&parts[1..])),
            _ if model.starts_with("PaymentPayload") => format!("paymentPayload{}", rest(&parts)),
            _ => format!("paymentRequirements{}", rest(&parts)),
        }
    }

    /// What is wrong, in words.
    fn what(&self) -> String {
        if self.kind == "missing" {
            return "it is missing".to_owned();
        }
        let said = shorten(&without_keys(&self.said));
        match self.input.as_str() {
            "" => said,
            input => format!("{said}; it is {}", shorten(&without_keys(input))),
        }
    }

    /// The mistake behind it.
    fn finding(&self, model: &str) -> Finding {
        if model.contains("Response") {
            return Finding::new("facilitator_failed");
        }
        let (parts, path) = (self.parts(), self.path(model));
        let last = parts.last().copied().unwrap_or_default();
        if self.kind == "missing" {
            return match self.other_name(last) {
                Some(other) => Finding::new("misnamed_field").seen(placed(other, last)).at(path),
                None if last == "accepted" && (self.holds("scheme") || self.holds("network")) => {
                    Finding::new("v1_shape_in_v2").at(path)
                }
                None if last == "accepted" => Finding::new("accepted_missing").at(path),
                None => Finding::new("missing_field").at(path),
            };
        }
        let is_number = self.input.starts_with(|first: char| first.is_ascii_digit() || first == '-');
        let finding = Finding::new(match (last, self.kind.as_str()) {
            (_, "string_type") if is_number => "number_not_text",
            (_, "string_type") if ["None", "null"].contains(&self.input.as_str()) => "missing_field",
            ("maxTimeoutSeconds", "int_from_float") => "timeout_not_whole",
            ("accepts", "list_type") => "accepts_not_list",
            ("x402Version", _) => "version_unknown",
            (_, "json_invalid") => "json_broken",
            (_, "dict_type" | "model_type" | "model_attributes_type") if self.is_json_text() => "nested_json",
            (_, "extra_forbidden") if self.place.last().is_some_and(|own| own != last) => "misnamed_field",
            _ => "malformed",
        });
        // Whoever calls a facilitator writes the body around both parts.
        let is_part = parts.len() == 1 && parts[0].starts_with("payment");
        Finding { side: if is_part { Side::Server } else { finding.side }, ..finding.at(path) }
    }

    /// The name that stands in what was read in place of the one that is missing.
    fn other_name(&self, name: &str) -> Option<&str> {
        let of_other_version = [("amount", "maxAmountRequired"), ("maxAmountRequired", "amount")];
        self.input.split(['\'', '"']).skip(1).step_by(2).find(|own| {
            let is_other = of_other_version.contains(&(name, own));
            is_other || (*own != name && spelling(own) == Some(name))
        })
    }

    fn holds(&self, name: &str) -> bool {
        ['\'', '"'].iter().any(|quote| self.input.contains(&format!("{quote}{name}{quote}")))
    }

    fn is_json_text(&self) -> bool {
        ["'{", "\"{", "'[", "\"["].iter().any(|begin| self.input.starts_with(begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::case::{Depth, Question, explain};
    use crate::explain::read::read;

    fn explained(text: &str) -> Explanation {
        let reading = read(text);
        explain(&Question { reading, requirements: None, now: 1, real: None, record: None, depth: Depth::Judge })
    }

    fn found(text: &str) -> Vec<(&'static str, String)> {
        explained(text).findings.into_iter().map(|own| (own.id, own.path.unwrap_or_default())).collect()
    }

    #[test]
    fn the_members_at_fault_are_named() {
        let several = "4 validation errors for PaymentRequired
accepts.0.asset
  Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]
    For further information visit https://errors.pydantic.dev/2.14/v/string_type
accepts.0.amount
  Field required [type=missing, input_value={'scheme': 'exact', 'maxAmountRequired': '1'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.14/v/missing
accepts.0.payTo
  Input should be a valid string [type=string_type, input_value=7, input_type=int]
accepts.1.maxTimeoutSeconds
  Input should be a valid integer, got a number with a fractional part [type=int_from_float, input_value=0.5, input_type=float]
    For further information visit https://errors.pydantic.dev/2.14/v/int_from_float";
        let expected = [
            ("missing_field", "paymentRequirements.asset"),
            ("misnamed_field", "paymentRequirements.amount"),
            ("number_not_text", "paymentRequirements.payTo"),
            ("timeout_not_whole", "paymentRequirements.maxTimeoutSeconds"),
        ];
        let trace = format!(
            "Traceback (most recent call last):\n  File \"a.py\", line 1\npydantic_core._pydantic_core.ValidationError: {several}\n"
        );
        for text in [several.to_owned(), trace] {
            let told = found(&text);
            let told: Vec<(&str, &str)> = told.iter().map(|(id, path)| (*id, path.as_str())).collect();
            assert_eq!(told, expected, "{text}");
        }
        let told = explained(several);
        assert!(told.findings[2].evidence[0].contains("`accepts.0.payTo`: Input should be a valid string; it is 7"));
        assert_eq!(told.sections[0].fields.len(), 4);
    }

    #[test]
    fn each_kind_of_error_is_a_finding_of_its_own() {
        let one = |model: &str, place: &str, said: &str| {
            format!(
                "1 validation error for {model}\n{place}\n  {said}]\n    For further information visit https://errors.pydantic.dev/2.11/v/x"
            )
        };
        for (model, place, said, id, path) in [
            (
                "PaymentRequirements",
                "max_timeout_seconds",
                "Field required [type=missing, input_value={'scheme': 'exact'}, input_type=dict",
                "missing_field",
                "paymentRequirements.maxTimeoutSeconds",
            ),
            (
                "PaymentRequirements",
                "payTo",
                "Field required [type=missing, input_value={'scheme': 'exact', 'pay_to': '0x1'}, input_type=dict",
                "misnamed_field",
                "paymentRequirements.payTo",
            ),
            (
                "VerifyBody",
                "body.paymentRequirements.0.payTo",
                "Field required [type=missing, input_value={}, input_type=dict",
                "missing_field",
                "paymentRequirements.payTo",
            ),
            (
                "PaymentPayload",
                "accepted",
                "Field required [type=missing, input_value={'x402Version': 1, 'scheme': 'exact'}, input_type=dict",
                "v1_shape_in_v2",
                "paymentPayload.accepted",
            ),
            (
                "VerifyRequest",
                "paymentPayload",
                "Input should be a valid dictionary [type=model_type, input_value='{\"x402Version\":2', input_type=str",
                "nested_json",
                "paymentPayload",
            ),
            (
                "VerifyResponse",
                "isValid",
                "Field required [type=missing, input_value={}, input_type=dict",
                "facilitator_failed",
                "",
            ),
        ] {
            assert_eq!(found(&one(model, place, said)), [(id, path.to_owned())], "{model} {place}");
        }
        let whole = "1 validation error for PaymentRequired\n  Invalid JSON: EOF while parsing a value at line 1 column 17 \
                     [type=json_invalid, input_value='{\"x402Version\":2,', input_type=str]";
        assert_eq!(found(whole)[0].0, "json_broken");
    }

    #[test]
    fn the_answer_of_a_server_with_fastapi_is_read_too() {
        let text = r#"{"detail":[{"type":"missing","loc":["body","paymentRequirements","payTo"],"msg":"Field required","input":{"pay_to":"0x1"}},
            {"type":"missing","loc":["body","paymentPayload"],"msg":"Field required","input":{}}]}"#;
        let expected = [("misnamed_field", "paymentRequirements.payTo"), ("missing_field", "paymentPayload")];
        let told = found(text);
        assert_eq!(told.iter().map(|(id, path)| (*id, path.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn errors_of_other_models_are_left_alone_and_keys_are_not_repeated() {
        for text in [
            "1 validation error for Settings\nport\n  Field required [type=missing, input_value={}, input_type=dict]",
            "a validation error for PaymentRequired",
            "3 validation errors for PaymentRequired",
            r#"[{"type":"missing","loc":["body","name"],"msg":"Field required","input":{}}]"#,
        ] {
            assert_eq!(message(text), None, "{text}");
        }
        let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let text = format!(
            "1 validation error for PaymentRequirements\npayTo\n  Input should be bad [type=value_error, input_value='{key}', input_type=str]"
        );
        assert!(!format!("{:?}", explained(&text)).contains(key));
    }
}
