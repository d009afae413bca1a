//! What stands where a payment should, and is none: a template that nobody filled in, the word for nothing, an object that
//! became a text, a promise that nobody awaited.

use serde_json::Value;
use x402_wire::shape::shorten;

use crate::explain::finding::Finding;
use crate::explain::onchain;

/// The longest text that is looked at, in bytes: an object as a text may be as long as the payment.
const LONGEST: usize = 16_384;

/// The longest name of a placeholder, in bytes.
const LONGEST_NAME: usize = 80;

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a header that carries x402, or within base64: whatever is no payment there stands in for one.
    Carried,
    /// Alone: a word of everyday language may mean anything.
    Alone,
}

/// What stands there in place of a payment, if it can be told.
pub(super) fn find(value: &str, place: Place) -> Option<Finding> {
    let value = value.trim();
    if value.len() > LONGEST {
        return None;
    }
    // `Bearer undefined` is still nothing.
    let bare =
        value.split_once(' ').filter(|(word, _)| ["bearer", "x402"].contains(&word.to_ascii_lowercase().as_str()));
    let bare = bare.map_or(value, |(_, rest)| rest.trim());
    let id = [
        (is_promise as fn(&str) -> bool, "promise_sent"),
        (is_object, "object_as_text"),
        (is_absent, "header_value_absent"),
        (is_placeholder, "header_placeholder"),
    ];
    let found = id.into_iter().find(|(is, _)| is(bare)).map(|(_, id)| id);
    let carried = || {
        let function = is_function(bare).then_some("object_as_text");
        function.or_else(|| is_advice(bare).then_some("header_placeholder"))
    };
    let found = found.or_else(|| if place == Place::Carried { carried() } else { None });
    let found = found.or_else(|| is_abbreviated(bare).then_some("header_abbreviated"))?;
    Some(Finding::new(found).seen(if value.is_empty() {
        "the value is empty".to_owned()
    } else {
        format!("the value is `{}`", if value.len() <= LONGEST_NAME { value.to_owned() } else { shorten(value) })
    }))
}

/// A promise, a coroutine, a task, as languages print them.
fn is_promise(value: &str) -> bool {
    let begins = [
        "[object Promise]",
        "[object AsyncFunction]",
        "Promise {",
        "<coroutine object",
        "<async_generator",
        "<Task ",
        "<Future ",
        "<_asyncio",
        "<Task(",
        "System.Threading.Tasks.Task",
    ];
    begins.iter().any(|begin| value.starts_with(begin))
}

/// An object, a structure, a function, as languages print them.
fn is_object(value: &str) -> bool {
    let is_tag = |inner: &str| inner.len() <= LONGEST_NAME && inner.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let tagged = value.strip_prefix("[object ").and_then(|rest| rest.strip_suffix(']')).is_some_and(is_tag);
    let python = ["<function ", "<bound method", "<class '", "<built-in"].iter().any(|begin| value.starts_with(begin))
        || (value.starts_with('<') && value.ends_with('>') && value.contains(" object at 0x"));
    // A model of pydantic, a structure of Go or of Rust.
    let structure =
        ["x402_version=", "PaymentPayload(", "PaymentPayloadV1(", "PaymentPayload {", "map[x402Version:", "&{", "{{2 "]
            .iter()
            .any(|begin| value.starts_with(begin));
    tagged || python || structure || is_identity(value)
}

/// A function or a class, as JavaScript prints it; alone it may be a program that pays.
fn is_function(value: &str) -> bool {
    let begins = ["function ", "async function", "async () =>", "() =>", "async (", "class "];
    begins.iter().any(|begin| value.starts_with(begin))
}

/// `com.example.PaymentPayload@1b6d3586`, as Java prints what has no text of its own.
fn is_identity(value: &str) -> bool {
    let Some((class, hash)) = value.split_once('@') else { return false };
    let is_class =
        class.contains('.') && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$".contains(&byte));
    is_class && !hash.is_empty() && hash.len() <= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The word of a language for nothing.
fn is_absent(value: &str) -> bool {
    ["undefined", "null", "None", "NULL", "nil", "Nil", "NaN", "<nil>", "<null>", "(null)", "(nil)"].contains(&value)
}

/// A name where what it names should stand: `${PAYMENT}`, `{{payment}}`, `<base64>`, `%s`.
fn is_placeholder(value: &str) -> bool {
    if value.len() > LONGEST_NAME {
        return false;
    }
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
    };
    let within = |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let named = |inner: &str| is_name(inner.trim()) || inner.bytes().all(|byte| byte.is_ascii_digit());
    // Words, and no markup.
    let words = |inner: &str| inner.len() > 1 && !inner.contains(['<', '>', '/', '"', '\'', '=']);
    let variable = value.strip_prefix('$').map(|name| name.strip_prefix("env:").unwrap_or(name));
    [("${", "}"), ("{{", "}}"), ("<%", "%>"), ("#{", "}"), ("$(", ")")]
        .iter()
        .any(|(open, close)| within(open, close).is_some())
        || variable.is_some_and(is_name)
        || within("{", "}").is_some_and(|inner| !inner.is_empty() && named(inner))
        || within("%", "%").is_some_and(|inner| is_name(inner) && inner.len() > 2)
        || within("<", ">").is_some_and(words)
        || [("‹", "›"), ("«", "»"), ("⟨", "⟩")].iter().any(|(open, close)| within(open, close).is_some_and(words))
        || ["%s", "%v", "%d", "%@", "%r", "{0}"].contains(&value)
}

/// What documentation writes there: `YOUR_PAYMENT`, `...`, `base64`.
fn is_advice(value: &str) -> bool {
    let lower = value.to_lowercase();
    let is_word = value.len() <= LONGEST_NAME && !value.is_empty();
    let listed = [
        "...",
        "…",
        "todo",
        "changeme",
        "placeholder",
        "xxx",
        "base64",
        "payment",
        "payload",
        "payment_header",
        "signature",
    ];
    let bracketed = lower.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&lower);
    let is_phrase = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-".contains(&byte));
    is_word
        && (listed.contains(&lower.as_str())
            || ["your", "my-", "my_", "insert"].iter().any(|begin| bracketed.starts_with(begin))
                && is_phrase(bracketed))
}

/// Base64 that was shortened where it was shown: `eyJ4NDAy...`, `eyJ4NDAy… (1042 characters)`.
fn is_abbreviated(value: &str) -> bool {
    let Some(at) = value.find("...").or_else(|| value.find('…')) else { return false };
    let head = &value[..at];
    head.len() >= 3
        && (head.starts_with("ey") || head.starts_with("ew"))
        && head.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}

/// What JSON of nothing that is known stands for in a header.
pub(super) fn of_json(value: &Value) -> Finding {
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        let seen = "it is `{}`, which `JSON.stringify` makes of a promise that nobody awaited";
        return Finding::new("promise_sent").seen(seen);
    }
    let of_nothing = || {
        let seen =
            "it is JSON, and has nothing of a payment or of an offer: no `x402Version`, no `payload`, no `accepts`";
        Finding::new("malformed").seen(seen)
    };
    onchain::finding(value).unwrap_or_else(of_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: &str, place: Place) -> Option<&'static str> {
        find(value, place).map(|finding| finding.id)
    }

    #[test]
    fn what_is_no_payment_is_told_for_what_it_is() {
        for (found, values) in [
            (
                "header_placeholder",
                &[
                    "${PAYMENT}",
                    "$PAYMENT",
                    "$env:PAYMENT",
                    "%PAYMENT%",
                    "{{payment}}",
                    "{{ payment }}",
                    "{payment}",
                    "{0}",
                    "<base64>",
                    "<your payment>",
                    "‹payment›",
                    "%s",
                    "%v",
                    "<%= payment %>",
                    "#{payment}",
                    "Bearer $TOKEN",
                    "$(x402-dev sign)",
                ][..],
            ),
            (
                "header_value_absent",
                &["undefined", "null", "None", "NaN", "nil", "<nil>", "Bearer undefined", " null "],
            ),
            (
                "promise_sent",
                &[
                    "[object Promise]",
                    "Promise { <pending> }",
                    "<coroutine object x402Client.create_payment_payload at 0x7f>",
                ],
            ),
            (
                "object_as_text",
                &[
                    "[object Object]",
                    "[object Response]",
                    "<x402.schemas.PaymentPayload object at 0x7f1b>",
                    "x402_version=2 payload={'signature': '0x'} accepted=PaymentRequirements(scheme='exact')",
                    "map[x402Version:2 payload:map[]]",
                    "&{2 map[]}",
                    "PaymentPayload { x402_version: 2 }",
                    "org.x402.PaymentPayload@1b6d3586",
                    "<bound method Client.sign of <Client>>",
                ],
            ),
            ("header_abbreviated", &["eyJ4NDAy...", "eyJ4NDAyVmVyc2lv… (1042 characters)", "eyJ4NDAy...fX0="]),
        ] {
            for value in values {
                for place in [Place::Carried, Place::Alone] {
                    assert_eq!(id(value, place), Some(found), "{value}");
                }
            }
        }
        assert_eq!(id("function pay() {}", Place::Carried), Some("object_as_text"));
        assert_eq!(id("async function pay() { await fetch(url) }", Place::Alone), None);
        for advice in ["YOUR_PAYMENT", "your payment here", "[your-payment]", "...", "TODO", "base64"] {
            assert_eq!(id(advice, Place::Carried), Some("header_placeholder"), "{advice}");
            assert_eq!(id(advice, Place::Alone), None, "{advice}");
        }
    }

    #[test]
    fn what_may_be_something_else_is_left_alone() {
        for value in [
            "",
            "hello",
            "{}",
            "{\"a\":1}",
            "{\"x402Version\":2}",
            "[1,2]",
            "eyJ4NDAyVmVyc2lvbiI6Mn0=",
            "<p>pay</p>",
            "5%",
            "a@b",
            "user@example.org",
            "[]",
            "{'a': 1}",
            "nothing",
            "%7B%22a%22%7D",
            "H4sIAAAA",
            "<a href=\"x\">",
        ] {
            for place in [Place::Carried, Place::Alone] {
                assert_eq!(id(value, place), None, "{value}");
            }
        }
    }
}
