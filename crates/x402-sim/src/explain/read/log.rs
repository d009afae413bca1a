//! Lines of a log that are JSON: what stands in their texts has its quotes and line breaks escaped.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::{amid, is_archive, wrapping};
use crate::explain::kind::Kind;

/// How many times texts may stand within texts.
const DEEPEST: usize = 3;

/// A log with the texts of its lines as they were before they were written into JSON; `None` where nothing was escaped.
pub(super) fn unescaped(text: &str) -> Option<String> {
    if text.len() > amid::LONGEST {
        return None;
    }
    let mut plain = lines(text)?;
    for _ in 1..DEEPEST {
        let Some(next) = lines(&plain) else { break };
        plain = next;
    }
    Some(plain)
}

/// Each line as it was, where one of them had something to escape: the others are lines of the same log.
fn lines(text: &str) -> Option<String> {
    let mut any = false;
    let lines = text.lines().map(|line| {
        let own = unwritten(line);
        any |= own.is_some() && ["\\\"", "\\n"].iter().any(|escape| line.contains(escape));
        own.unwrap_or_else(|| line.to_owned())
    });
    let lines: Vec<String> = lines.collect();
    any.then(|| lines.join("\n"))
}

/// One line with its texts as they were: what stands before the object, then member by member.
fn unwritten(line: &str) -> Option<String> {
    let (before, object) = line.split_at(line.find('{')?);
    let value: Value = serde_json::from_str(object.trim_end()).ok()?;
    let is_of_log = Kind::of(&value) == Kind::Other && !is_archive(&value) && wrapping::header_of(&value).is_none();
    let members = value.as_object().filter(|_| is_of_log)?;
    let told = members.iter().map(|(name, member)| {
        let member = member.as_str().map_or_else(|| member.to_string(), str::to_owned);
        format!("{}={member}", shorten(name))
    });
    Some(format!("{before}{}", told.collect::<Vec<_>>().join("\n")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Subject, read};
    use super::*;

    const PAYMENT: &str = r#"{"x402Version":2,"accepted":{"scheme":"exact"},"payload":{"signature":"0x12"}}"#;

    #[test]
    fn what_stands_in_the_texts_of_a_log_is_read() {
        let payment: Value = serde_json::from_str(PAYMENT).unwrap();
        let refused = r#"{"isValid":false,"invalidReason":"invalid_exact_evm_signature"}"#;
        let line = |message: &str| json!({"level": "error", "time": 1, "msg": message}).to_string();
        for text in [
            line(&format!("sending {PAYMENT} failed")),
            line(&format!("sent\n{PAYMENT}")),
            line(&line(&format!("sent {PAYMENT}"))),
            format!("2026-11-23T08:00:00Z shop {}", line(&format!("sent {PAYMENT}"))),
            format!("{}\n{}", line("began"), line(&format!("sending {PAYMENT}\nwas answered {refused}"))),
        ] {
            let reading = read(&text);
            assert_eq!(reading.json(), Some((Kind::PaymentV2, &payment)), "{text}");
            assert!(reading.is_part());
            assert_eq!(reading.beside.is_some(), text.contains("invalid_exact"), "{text}");
        }
        // A reason whose words would run into what follows them.
        let failed = line("Failed to handle payment: something odd\n    at fetch (index.js:1)");
        let Subject::Reason(told) = read(&failed).subject else { panic!("{failed}") };
        assert!(told.ends_with("something odd"), "{told}");
        // As docker keeps what a program prints.
        let kept = json!({"log": "1 validation error for PaymentRequirements\npayTo\n  Field required [type=missing, input_value={}, input_type=dict]\n"});
        assert!(matches!(read(&kept.to_string()).subject, Subject::Reason(told) if told.contains("payTo\n")));
    }

    #[test]
    fn what_is_of_x402_itself_or_has_nothing_escaped_stays_as_it_is() {
        for text in [
            PAYMENT.to_owned(),
            json!({"x402Version": 2, "error": "a\nb", "accepts": []}).to_string(),
            json!({"PAYMENT-SIGNATURE": "a\"b"}).to_string(),
            json!({"log": {"entries": [{"a": "b\n"}]}}).to_string(),
            json!({"level": "error", "msg": "plain"}).to_string(),
            "{\"broken\\\"".to_owned(),
            String::new(),
        ] {
            assert_eq!(unescaped(&text), None, "{text}");
        }
        // Texts within texts are opened as often as somebody may have written them, and no farther.
        let nested = (0..5).fold("x\n".to_owned(), |text, _| json!({ "m": text }).to_string());
        let opened = unescaped(&nested).unwrap();
        assert!(opened.starts_with("m=m=m={\"m\":"), "{opened}");
    }
}
