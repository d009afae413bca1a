//! What the official clients throw that holds the case at hand: the offer that they could not pay, and what was registered.
//!
//! Source: TS 2.27 core `x402Client.ts`, `selectPaymentRequirements`.

use serde_json::{Deserializer, Value, json};
use x402_wire::shape::shorten;

use super::finding::Finding;
use super::kind::Kind;
use super::read::{Reading, Subject};
use super::{pydantic, zod};

mod quoted;

/// How the message begins; JSON follows.
const MARK: &str = "No network/scheme registered for x402 version";

/// The longest message that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// So many entries of an offer are named.
const SHOWN: usize = 8;

/// The message within a text, with the JSON that it ends with, or that it is.
pub(super) fn message(text: &str) -> Option<&str> {
    let quoted = unregistered(text).or_else(|| quoted::message(text));
    quoted.or_else(|| zod::message(text)).or_else(|| pydantic::message(text))
}

fn unregistered(text: &str) -> Option<&str> {
    let own = &text[..text.floor_char_boundary(LONGEST)];
    let own = &own[own.find(MARK)?..];
    let (_, end) = told(own)?;
    Some(&own[..end])
}

/// The JSON of the message, and where in it the JSON ends.
fn told(text: &str) -> Option<(Value, usize)> {
    let begin = text.strip_prefix(MARK).and_then(|rest| rest.find('{'))? + MARK.len();
    let mut values = Deserializer::from_str(&text[begin..]).into_iter::<Value>();
    let value = values.next()?.ok().filter(|value| value["paymentRequirements"].is_array())?;
    Some((value, begin + values.byte_offset()))
}

/// The offer that nothing was registered for, as lines of code need it.
pub(super) fn offer(reading: &Reading) -> Option<(Kind, Value)> {
    let Subject::Reason(text) = &reading.subject else { return None };
    if quoted::is_of_version_1(text) {
        return Some((Kind::OfferV1, json!({"x402Version": 1, "accepts": []})));
    }
    if let Some(network) = quoted::network(text) {
        return Some((Kind::OfferV2, json!({"x402Version": 2, "accepts": [{"network": network}]})));
    }
    let (value, _) = told(text)?;
    let kind = if value["x402Version"] == 1 { Kind::OfferV1 } else { Kind::OfferV2 };
    Some((kind, json!({"x402Version": value["x402Version"], "accepts": value["paymentRequirements"]})))
}

/// What the message says by what it quotes or lists; `None` where it is none of these.
pub(super) fn findings(text: &str) -> Option<Vec<Finding>> {
    finding(text).map(|finding| vec![finding]).or_else(|| quoted::findings(text))
}

/// What the message says is missing; `None` where it is none of these.
fn finding(text: &str) -> Option<Finding> {
    let (value, _) = told(text)?;
    let entries = value["paymentRequirements"].as_array()?;
    let said = |entry: &Value, key: &str| entry[key].as_str().map_or_else(|| "nothing".to_owned(), shorten);
    let asked =
        entries.iter().take(SHOWN).map(|entry| format!("{} on {}", said(entry, "scheme"), said(entry, "network")));
    let asked: Vec<String> = asked.collect();
    let list = |key: &str| {
        let words = value[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        words.take(SHOWN).map(shorten).collect::<Vec<_>>().join(", ")
    };
    let registered = match (list("schemes"), list("networks")) {
        (schemes, networks) if schemes.is_empty() || networks.is_empty() => "nothing".to_owned(),
        (schemes, networks) => format!("{schemes} on {networks}"),
    };
    let finding = Finding::new("no_payment_sent").seen(if asked.is_empty() {
        "the offer has no entry".to_owned()
    } else {
        format!("the offer asks for {}", asked.join(" or "))
    });
    Some(finding.seen(format!("registered with the client is {registered}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::case::{Depth, Question, explain};
    use crate::explain::read::read;

    fn explained(text: &str) -> crate::explain::Explanation {
        let reading = read(text);
        explain(&Question { reading, requirements: None, now: 1, real: None, record: None, depth: Depth::Judge })
    }

    #[test]
    fn the_line_registers_what_the_message_says_is_missing() {
        let solana = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
        for (scheme, network, version, line) in [
            ("exact", solana, 2, format!("client.register(\"{solana}\", new ExactSvmScheme(signer));")),
            ("upto", "eip155:84532", 2, "client.register(\"eip155:84532\", new UptoEvmScheme(signer));".to_owned()),
            (
                "exact",
                "base-sepolia",
                1,
                "client.registerV1(\"base-sepolia\", new ExactEvmSchemeV1(signer)); // from \"@x402/evm/exact/v1/client\"".to_owned(),
            ),
        ] {
            let asked = json!([{"scheme": scheme, "network": network, "amount": "10000", "payTo": "x"}]);
            let told = json!({"x402Version": version, "paymentRequirements": asked, "x402Versions": [2],
                "networks": ["eip155:*"], "schemes": ["exact"]});
            let thrown = format!("{MARK}: {version} which comply with the payment requirements. {told}");
            for text in [
                thrown.clone(),
                format!("Error: Failed to create payment payload: {thrown}\n    at pay (/app/index.js:10:3)"),
            ] {
                let own = explained(&text);
                let first = &own.findings[0];
                assert_eq!((own.kind, first.id, own.findings.len()), (Kind::Reason, "no_payment_sent", 1), "{own:?}");
                assert!(first.code.iter().any(|code| code.line == line), "{line}: {:?}", first.code);
                let seen = first.evidence.join("; ");
                assert!(seen.contains(&format!("{scheme} on {network}")), "{seen}");
                assert!(seen.contains("registered with the client is exact on eip155:*"), "{seen}");
            }
        }
    }

    #[test]
    fn a_message_without_its_json_is_one_of_the_manual() {
        for text in [MARK.to_owned(), format!("{MARK}: 2 {{\"x402Version\":2}}"), format!("{MARK}: 2 {{\"paymentReq")] {
            assert_eq!((message(&text), finding(&text)), (None, None), "{text}");
            assert_eq!(explained(&text).findings[0].id, "no_payment_sent", "{text}");
        }
        assert_eq!(message(&"é".repeat(LONGEST)), None);
    }

    #[test]
    fn a_limit_by_its_words_names_what_is_most_often_behind_it() {
        let own =
            explained("All payment requirements were rejected by spendControls.maxAmountPerPayment ($1). Raise it");
        let first = &own.findings[0];
        assert_eq!(first.id, "over_spend_limit");
        assert!(first.cause.contains("a number in `price` is dollars"), "{}", first.cause);
        assert!(first.fix.contains("explain URL"), "{}", first.fix);
    }

    #[test]
    fn an_offer_without_a_payee_has_a_variable_that_is_not_set() {
        let offer = json!({"x402Version": 2, "resource": {"url": "https://api.example/a"}, "accepts": [{"scheme": "exact",
            "network": "eip155:84532", "amount": "10000", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"}}]});
        let own = explained(&offer.to_string());
        assert_eq!(own.findings[0].id, "missing_field");
        assert!(own.findings[0].fix.starts_with("Set the variable that `payTo` is read from"), "{own:?}");
    }
}
