//! Errors that quote the value at fault: an address of another kind of network, a network by its name of version 1, the
//! version of an offer. The value says more than the words around it.
//!
//! Source: viem 2 `InvalidAddressError`; Solana kit 5 `SOLANA_ERROR__CODECS__INVALID_STRING_FOR_BASE`; TS 2.27 core
//! `x402Client.ts`, `x402ResourceServer.ts`, `x402HTTPClient.ts`.

use x402_wire::shape::shorten;

use crate::explain::confided::without_keys;
use crate::explain::finding::{Finding, Side};
use crate::explain::manual::IN_FIX;
use crate::networks::solana::ed25519;
use crate::networks::{eip155, solana};
use crate::registry;

/// What is found by a value that a message quotes; nothing where the words alone say as much.
type Judge = fn(&str) -> Vec<Finding>;

/// How messages begin, where the value in them ends, and what it tells.
const QUOTES: [(&str, &str, Judge); 11] = [
    ("Invalid value ", " for base 58", in_base58),
    ("Address \"", "\" is invalid", on_evm),
    ("Value `'", "'` of type <class 'str'> cannot be encoded by AddressEncoder", on_evm),
    ("Unsupported x402 version: ", "\n", of_no_payload),
    ("No client registered for x402 version: ", "\n", of_version),
    ("No scheme implementation registered for ", "\n", by_old_name),
    ("No server implementation registered for ", "\n", by_old_name),
    ("Facilitator does not support ", "\n", by_old_name),
    ("No facilitator supports ", "\n", by_old_name),
    ("No facilitator registered for scheme", "\n", by_old_name),
    ("Unsupported network format: ", "\n", by_old_name),
];

/// The longest value, in bytes.
const LONGEST: usize = 400;

/// So many bytes behind the value are kept, in which the rest of the message stands.
const REST: usize = 160;

/// The message within a text that quotes a value, where the value tells something.
pub(super) fn message(text: &str) -> Option<&str> {
    let (begin, end) = QUOTES.iter().filter_map(|quote| told(text, quote)).map(|(place, _)| place).max()?;
    let end = text.floor_char_boundary(end + REST);
    Some(text[begin..end].split("\n    at ").next().unwrap_or_default().trim_end())
}

/// What the value tells.
pub(super) fn findings(text: &str) -> Option<Vec<Finding>> {
    QUOTES.iter().find_map(|quote| told(text, quote)).map(|(_, findings)| findings)
}

/// Whether it is a client that has registered nothing for version 1.
pub(super) fn is_of_version_1(text: &str) -> bool {
    findings(text).is_some_and(|findings| findings[0].id == "no_payment_sent")
}

/// The CAIP-2 id of the network that a message names otherwise.
pub(super) fn network(text: &str) -> Option<String> {
    old_name(text).filter(|_| findings(text).is_some()).map(|(_, id)| id)
}

/// Where the last of such messages stands, up to the end of its value, and what the value tells.
fn told(text: &str, (begin, end, judge): &(&str, &str, Judge)) -> Option<((usize, usize), Vec<Finding>)> {
    let at = text.rfind(begin)?;
    let rest = &text[at + begin.len()..];
    let rest = &rest[..rest.floor_char_boundary(LONGEST)];
    let value = match rest.split_once(end) {
        Some((value, _)) => value,
        None if *end == "\n" => rest,
        None => return None,
    };
    let findings = Some(judge(value)).filter(|findings| !findings.is_empty())?;
    Some(((at, at + begin.len() + value.len()), findings))
}

/// What was to be read as base58: addresses and keys of Solana.
fn in_base58(value: &str) -> Vec<Finding> {
    if eip155::parse_address(value).is_some() {
        let seen =
            format!("{value} is an address of EVM networks; it was taken for one of Solana, which are in base58");
        let signer =
            Finding::new("signer_form").seen("where it is the payer's own address: its account is of EVM networks");
        let fix =
            "Give the scheme for Solana a signer of Solana, and register the one for EVM networks for `eip155:*`.";
        let signer = Finding { fix: fix.to_owned(), code: Vec::new(), no_code: Some(IN_FIX), ..signer };
        return vec![Finding::new("address_of_other_family").seen(seen), signer];
    }
    let malformed = || {
        Finding::new("address_malformed")
            .seen("the value has a character that base58 does not have: 0, O, I, l or a mark")
    };
    vec![key(value).map_or_else(malformed, |seen| Finding::new("secret_key_form").seen(seen))]
}

/// What was given as an address and is like a key. The value itself is not repeated: somebody may use it.
fn key(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let digits = value.strip_prefix("0x").unwrap_or(value);
    let is_hexadecimal = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(if is_hexadecimal {
        "the value is 32 bytes in hexadecimal, as a private key of EVM networks is written"
    } else if solana::parse_signature(value).is_some_and(|bytes| ed25519::is_pair(&bytes)) {
        "the value is 64 bytes in base58: a private key of Solana, and behind it its public key"
    } else {
        return None;
    })
}

/// What was to be read as an address of EVM networks.
fn on_evm(value: &str) -> Vec<Finding> {
    if ["undefined", "null"].contains(&value) {
        let unset = Finding::new("address_malformed")
            .seen(format!("where it is the offer's, its `payTo` is \"{value}\""))
            .fixed_by("Set the variable that `payTo` is read from.");
        let signer = Finding::new("signer_form").seen("the address is none: the signer has no `address`");
        return vec![signer, Finding { side: Side::Server, ..unset }];
    }
    if solana::parse_address(value).is_some() {
        let seen = format!("{value} is an address of Solana; it was taken for one of EVM networks");
        return vec![Finding::new("address_of_other_family").seen(seen)];
    }
    if let Some(seen) = key(value) {
        return vec![Finding { side: Side::Server, ..Finding::new("key_as_address").seen(seen) }];
    }
    vec![if eip155::parse_address(value).is_some() {
        Finding::new("address_checksum").seen(format!("{value} has capitals that are not those of its checksum"))
    } else {
        Finding::new("address_malformed").seen(format!("the value is \"{}\"", shorten(&without_keys(value))))
    }]
}

/// A client that speaks version 2 and read an offer of version 1.
fn of_version(value: &str) -> Vec<Finding> {
    if value.trim_end().split(|c: char| !c.is_ascii_digit()).next() != Some("1") {
        return Vec::new();
    }
    let unregistered = "the offer that the client read is of version 1, and nothing is registered for that version";
    let lost = "clients read the header PAYMENT-REQUIRED first, and the body, which may hold version 1 besides, only where \
                the header does not arrive: see whether a proxy takes it away";
    vec![Finding::new("no_payment_sent").seen(unregistered), Finding::new("offer_header_missing").seen(lost)]
}

/// A payload that a client was to encode, and that has no version.
fn of_no_payload(value: &str) -> Vec<Finding> {
    if value.split(|c: char| !c.is_ascii_alphanumeric()).next() != Some("undefined") {
        return Vec::new();
    }
    let seen = "the payload has no `x402Version`, as a promise that was not awaited has none";
    vec![Finding::new("promise_sent").seen(seen), Finding::new("version_missing")]
}

/// A network that version 2 does not know by this name.
fn by_old_name(value: &str) -> Vec<Finding> {
    let Some((name, id)) = old_name(value) else { return Vec::new() };
    let seen = format!("the network is named `{name}`, as version 1 does; version 2 names it `{id}`");
    let finding = Finding::new("v1_network_name_in_v2").seen(seen);
    vec![Finding { side: Side::Server, ..finding }]
}

/// The first word of a line that is a network's name of version 1, and the network's id.
fn old_name(line: &str) -> Option<(String, String)> {
    let line = line.lines().next().unwrap_or_default();
    // What is asked in version 1 has such names.
    if line.contains("for v1") {
        return None;
    }
    let networks = registry::networks();
    let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "-:_".contains(c)));
    words.find_map(|word| {
        let own = networks.iter().find(|own| own.v1_name.as_deref() == Some(word))?;
        Some((shorten(word), own.id.clone()))
    })
}

#[cfg(test)]
mod tests {
    use crate::explain::case::{Depth, Question, explain};
    use crate::explain::read::read;

    /// The findings of a client's or a server's log, with what they rest on and the line for TypeScript.
    fn told(text: &str) -> Vec<(&'static str, String, String)> {
        let question =
            Question { reading: read(text), requirements: None, now: 1, real: None, record: None, depth: Depth::Judge };
        let findings = explain(&question).findings.into_iter();
        findings
            .map(|own| {
                let line = own.code.iter().find(|code| ["ts-fetch", "ts-express"].contains(&code.sdk));
                (own.id, own.evidence.join("; "), line.map(|code| code.line.clone()).unwrap_or_default())
            })
            .collect()
    }

    #[test]
    fn the_value_that_an_error_quotes_says_what_is_wrong() {
        let evm = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720";
        let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let bytes = [[1; 32], crate::networks::solana::ed25519::key_of(&[1; 32]).0].concat();
        let pair = crate::networks::solana::signature_text(&bytes.try_into().unwrap());
        let solana = "2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Yab";
        let base58 = |value: &str| {
            format!("Invalid value {value} for base 58 with alphabet 123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijk.")
        };
        let viem = |value: &str| {
            format!(
                "Address \"{value}\" is invalid.\n\n- Address must be a hex value of 20 bytes (40 hex characters).\n- Address \
                 must match its checksum counterpart.\n\nVersion: viem@2.57.20"
            )
        };
        let capitals = format!("0x{}", evm[2..].to_uppercase().replacen('A', "a", 1));
        for (text, id, seen) in [
            (base58(evm), "address_of_other_family", "is an address of EVM networks"),
            (base58(key), "secret_key_form", "32 bytes in hexadecimal"),
            (base58("2yaW8VAMLhQiornz1BgcSWDUSH2jC2dmB8RWnTJi8Y0b"), "address_malformed", "base58 does not have"),
            (viem(solana), "address_of_other_family", "is an address of Solana"),
            (viem(&capitals), "address_checksum", "not those of its checksum"),
            (viem(key), "key_as_address", "32 bytes in hexadecimal"),
            (viem(&pair), "key_as_address", "64 bytes in base58"),
            (viem("alice.eth"), "address_malformed", "\"alice.eth\""),
        ] {
            for text in [
                text.clone(),
                format!(
                    "index.mjs:47\n      throw new Error(\n            ^\n\nError: Failed to create payment payload: {text}\n    at index.mjs:47:13\n\nNode.js v20.20.2"
                ),
            ] {
                let told = told(&text);
                assert_eq!(told[0].0, id, "{text}: {told:?}");
                let names_signer = told.iter().any(|own| own.0 == "signer_form" && own.1.contains("the payer's own"));
                assert_eq!(names_signer, text.contains(&base58(evm)), "{text}: {told:?}");
                assert!(
                    told[0].1.contains(seen)
                        && [&key[..10], &pair[..8]].iter().all(|own| !format!("{told:?}").contains(own)),
                    "{told:?}"
                );
            }
        }
    }

    #[test]
    fn a_network_by_its_old_name_is_no_scheme_that_lacks() {
        let id = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
        for text in [
            "RouteConfigurationError: x402 Route Configuration Errors:\n  - Route \"GET /w\": No scheme implementation registered for \"exact\" on network \"solana-devnet\"\n    at x402HTTPResourceServer.initialize (index.mjs:2454:13)",
            "Error: Facilitator does not support exact on solana-devnet. Make sure to call initialize() to fetch supported kinds from facilitators.",
            "[x402] No server implementation registered for scheme: exact, network: solana-devnet",
        ] {
            let told = told(text);
            assert_eq!((told.len(), told[0].0), (1, "v1_network_name_in_v2"), "{text}: {told:?}");
            assert!(told[0].1.contains(&format!("`solana-devnet`, as version 1 does; version 2 names it `{id}`")));
            assert!(told[0].2.contains(id), "{told:?}");
        }
        let v1 = told("Error: No facilitator supports exact on solana-devnet for v1");
        assert!(v1.iter().all(|own| own.0 != "v1_network_name_in_v2"), "{v1:?}");
        let known = told("No scheme implementation registered for \"exact\" on network \"eip155:84532\"");
        assert_eq!(known[0].0, "server_scheme_missing");
    }

    #[test]
    fn a_client_that_read_version_1_registers_that_version_or_looks_for_the_header() {
        let told =
            told("Error: Failed to create payment payload: No client registered for x402 version: 1\n    at a.mjs:1:2");
        assert_eq!(told.iter().map(|own| own.0).collect::<Vec<_>>(), ["no_payment_sent", "offer_header_missing"]);
        assert!(told[0].2.starts_with("client.registerV1(\"base-sepolia\""), "{told:?}");
        assert!(told[1].1.contains("PAYMENT-REQUIRED"), "{told:?}");
    }

    /// An error as Node prints it: its trace, and its members behind it.
    fn printed(message: &str) -> String {
        format!(
            "InvalidAddressError: {message}\n\n- Address must be a hex value of 20 bytes (40 hex characters).\n    at x \
             (y.js:1:1) {{\n  details: undefined,\n  metaMessages: [ '- {message}' ],\n  shortMessage: '{message}',\n  \
             cause: Error: {message}\n      at y (z.js:1:1) {{ shortMessage: '{message}' }},\n  version: '2.57.20'\n}}\n"
        )
    }

    #[test]
    fn what_is_printed_of_an_error_behind_its_words_hinders_nothing() {
        let message = "Address \"merchant.eth\" is invalid.";
        let object = format!("{{\n  shortMessage: '{message}',\n  version: '2.57.20'\n}}");
        for text in [message.to_owned(), format!("InvalidAddressError: {message}"), printed(message), object] {
            let told = told(&text);
            assert_eq!((told.len(), told[0].0), (1, "address_malformed"), "{text}: {told:?}");
            assert!(told[0].1.contains("merchant.eth"), "{told:?}");
        }
        let thrown = "Failed to create payment payload: signer.signTypedData is not a function";
        for text in [thrown.to_owned(), printed(thrown), format!("{{\n  shortMessage: '{thrown}',\n  code: 1\n}}")] {
            assert_eq!(told(&text)[0].0, "signer_form", "{text}");
        }
    }

    #[test]
    fn an_address_that_is_unset_is_the_signers_or_the_payees() {
        for value in ["undefined", "null"] {
            let told = told(&printed(&format!("Address \"{value}\" is invalid.")));
            let ids: Vec<_> = told.iter().map(|own| own.0).collect();
            assert_eq!(ids, ["signer_form", "address_malformed"], "{told:?}");
            assert!(told[0].2.contains("privateKeyToAccount") && told[1].1.contains("payTo"), "{told:?}");
        }
    }

    #[test]
    fn a_key_as_the_payee_is_to_be_replaced_and_is_not_repeated() {
        let key = "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6";
        for text in [
            format!(
                "Failed to handle payment: Value `'{key}'` of type <class 'str'> cannot be encoded by AddressEncoder"
            ),
            printed(&format!("Address \"{key}\" is invalid.")),
        ] {
            let question = Question {
                reading: read(&text),
                requirements: None,
                now: 1,
                real: None,
                record: None,
                depth: Depth::Judge,
            };
            let own = explain(&question);
            assert_eq!(own.findings[0].id, "key_as_address", "{own:?}");
            assert!(own.findings[0].fix.starts_with("If it is a private key, replace it"), "{own:?}");
            assert!(!format!("{:?}", own.findings).contains(key), "{own:?}");
        }
    }

    #[test]
    fn a_payload_without_a_version_is_a_promise_of_the_client() {
        let told = told(
            "Error: Unsupported x402 version: undefined\n    at x402HTTPClient.encodePaymentSignatureHeader (a.mjs:1:2)",
        );
        assert_eq!(told[0].0, "promise_sent", "{told:?}");
        assert!(told[0].1.contains("a promise that was not awaited"), "{told:?}");
        assert_eq!(self::told("Unsupported x402 version: 3")[0].0, "version_unknown");
    }
}
