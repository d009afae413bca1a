//! The manual: a page for every reason string that anybody says.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::finding::{self, Entry};
use super::nearest;

/// What a reason string means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The string, as it is on the wire. With `*` at its end: every string that begins so.
    pub reason: String,
    /// Who says it.
    pub says: String,
    /// What it means.
    pub meaning: String,
    /// The findings that stand behind it, the likeliest first.
    pub findings: Vec<String>,
    /// What else there is to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/reasons.json")).expect("a test reads the table of reasons")
});

/// Every page.
pub fn pages() -> &'static [Page] {
    &PAGES
}

/// The page of a text: the string itself, or one with more behind it, as servers write it.
pub fn page(text: &str) -> Option<&'static Page> {
    let text = text.trim();
    if let Some(page) = PAGES.iter().find(|page| page.reason == text) {
        return Some(page);
    }
    let begins = |page: &&Page| {
        let rest = text.get(..page.reason.len()).filter(|begin| begin.eq_ignore_ascii_case(&page.reason));
        rest.is_some() && !text[page.reason.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    };
    let own = PAGES.iter().filter(begins).max_by_key(|page| page.reason.len());
    own.or_else(|| of_group(text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?))
}

/// Whether a text is a reason, holds one, or is the id of a finding.
pub fn is_known(text: &str) -> bool {
    page(text).or_else(|| within(text)).is_some() || finding::entry(text).is_some()
}

/// The reason that a word spells in capitals or with hyphens: `INVALID-EXACT-EVM-SIGNATURE`.
pub fn respelt(text: &str) -> Option<&'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if text.len() > 120 || !text.contains(['_', '-']) || !text.bytes().all(is_word) {
        return None;
    }
    let word = text.to_ascii_lowercase().replace('-', "_");
    let known = PAGES.iter().find(|page| page.reason == word).map(|page| page.reason.as_str());
    known.or_else(|| finding::entry(&word).map(|entry| entry.id.as_str()))
}

/// The finding that a text names: by its id, by its title, or by the line that `explain` prints of it.
pub fn finding_named(text: &str) -> Option<&'static Entry> {
    let text = text.trim();
    let in_brackets = text.strip_suffix(']').and_then(|rest| Some(rest.rsplit_once('[')?.1));
    let by_id = |id: &str| finding::entry(id).filter(|_| page(id).is_none());
    by_id(in_brackets.unwrap_or(text)).or_else(|| {
        let title = text.trim_end_matches('.');
        finding::entries().iter().find(|entry| entry.title.eq_ignore_ascii_case(title))
    })
}

/// The page of the group that a word is of: one for all reasons of a family of chains that the mock does not play.
fn of_group(word: &str) -> Option<&'static Page> {
    let begins = |begin: &str| word.len() > begin.len() && word.starts_with(begin);
    PAGES.iter().find(|page| page.reason.strip_suffix('*').is_some_and(begins))
}

/// With what the official client begins when it could not make a payment; its own cause follows.
const MAKING: &str = "Failed to create payment payload: ";

/// The page of what keeps a client from making a payment: the same words mean another thing in a server's answer.
fn making(text: &str) -> Option<&'static Page> {
    let own = &text[text.find(MAKING)?..];
    PAGES.iter().find(|page| page.reason.len() > MAKING.len() && own.starts_with(&page.reason))
}

/// Pages whose reason stands within a longer text, such as an error message.
pub fn within(text: &str) -> Option<&'static Page> {
    if let Some(page) = making(text) {
        return Some(page);
    }
    // A lone word of everyday English is no reason: it has an underscore, or capitals within.
    let coined =
        |word: &&str| word.contains('_') || word.get(1..).is_some_and(|rest| rest.contains(char::is_uppercase));
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(coined);
    let is_reason = |page: &&Page, word: &str| {
        if word.contains('_') { page.reason.eq_ignore_ascii_case(word) } else { page.reason == word }
    };
    let named = |word: &str| PAGES.iter().find(|page| is_reason(page, word)).or_else(|| of_group(word));
    words.take(200).find_map(named).or_else(|| {
        let lower = text.to_lowercase();
        let long = PAGES.iter().filter(|page| page.reason.contains(' '));
        // The last in a chain of messages is the cause of those before it, and the longest says most.
        let found = long.filter_map(|page| Some((last_of(&lower, &page.reason)?, page.reason.len(), page)));
        found.max_by_key(|(end, length, _)| (*end, *length)).map(|(.., page)| page)
    })
}

/// Where in a text in lower case a reason ends that stands there last: `0x1` is not in `0x1771`.
fn last_of(lower: &str, reason: &str) -> Option<usize> {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let reason = reason.to_lowercase();
    let mut places = lower.rmatch_indices(reason.as_str()).map(|(at, found)| (at, at + found.len()));
    places.find(|(_, end)| ends(&lower[*end..])).map(|(_, end)| end)
}

/// The nearest known strings of one that is not known.
pub fn near(text: &str) -> Option<&'static str> {
    let word = text.split(':').next().unwrap_or_default().trim();
    let reasons = PAGES.iter().map(|page| page.reason.as_str()).filter(|reason| !reason.ends_with('*'));
    nearest(word, reasons.chain(finding::entries().iter().map(|entry| entry.id.as_str())))
}

impl Page {
    /// The entries of its findings.
    pub fn entries(&self) -> impl Iterator<Item = &'static Entry> + '_ {
        self.findings.iter().filter_map(|id| finding::entry(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memo::InvoiceError;
    use crate::networks::solana::exact::reason as svm;
    use crate::reason::Code;
    use crate::registry::Version;

    /// The strings of the table of reasons in the digest of the protocol (its section 4.9).
    const KNOWN: &str = include_str!("known_reasons.txt");

    #[test]
    fn every_reason_that_anybody_says_has_a_page() {
        let invoices = [
            InvoiceError::Malformed,
            InvoiceError::NotIssued,
            InvoiceError::Expired { seconds: 1 },
            InvoiceError::Spent,
            InvoiceError::NotPaid { amount: String::new(), recipient: "" },
            InvoiceError::NoTransaction,
            InvoiceError::OtherCluster { network: String::new() },
            InvoiceError::Failed,
            InvoiceError::Settled,
            InvoiceError::NothingMoved { recipient: "" },
            InvoiceError::OtherAmount { moved: String::new(), asked: String::new() },
            InvoiceError::OtherRecipient { moved: String::new(), to: String::new(), recipient: "" },
            InvoiceError::OtherCurrency { moved: String::new(), asked: String::new() },
            InvoiceError::MemoCount { count: 0 },
            InvoiceError::MemoAltered { seen: String::new(), memo: String::new() },
            InvoiceError::MemoForeign { seen: String::new() },
            InvoiceError::UnknownPayer,
            InvoiceError::PayerBlocked { index: 0 },
            InvoiceError::InsufficientFunds { index: 0, amount: String::new() },
        ];
        for text in invoices.iter().map(InvoiceError::code).chain(["invoice_not_offered"]) {
            assert_eq!(page(text).map(|page| page.reason.as_str()), Some(text));
        }
        let own = Code::ALL.iter().copied().chain(svm::Code::ALL.iter().map(|code| Code::Svm(*code)));
        for code in own {
            for version in [Version::V1, Version::V2] {
                let text = code.spell(version);
                assert_eq!(page(text).map(|page| page.reason.as_str()), Some(text));
            }
        }
        let known: Vec<&str> = KNOWN.lines().filter(|line| !line.is_empty()).collect();
        assert!(known.len() > 180, "{}", known.len());
        for text in known {
            assert_eq!(page(text).map(|page| page.reason.as_str()), Some(text));
        }
    }

    /// What the official SDKs throw and raise, a line each, with the finding that must come first.
    /// Source: TS 2.27 core, fetch, evm, svm; Python x402 2.25. What only batch settlement, signing in or the catalogue of
    /// resources throw is left out.
    const THROWN: &str = include_str!("known_errors.txt");

    #[test]
    fn every_error_of_the_official_sdks_is_known_and_means_something() {
        let thrown: Vec<(&str, &str)> = THROWN.lines().filter_map(|line| line.split_once(" | ")).collect();
        assert!(thrown.len() > 100 && thrown.len() == THROWN.lines().count(), "{}", thrown.len());
        let mut met = std::collections::BTreeSet::new();
        for (id, text) in thrown {
            for told in [text.to_owned(), format!("TypeError: {text}\n    at pay (/app/index.js:10:3)")] {
                let page = within(&told).unwrap_or_else(|| panic!("no page is about: {told}"));
                assert_eq!(page.findings.first().map(String::as_str), Some(id), "{told}: {}", page.reason);
                met.insert(page.reason.as_str());
            }
        }
        let thrown_only = |page: &&Page| page.says.ends_with("as an exception");
        for page in pages().iter().filter(thrown_only) {
            assert!(met.contains(page.reason.as_str()), "no error leads to the page `{}`", page.reason);
        }
    }

    #[test]
    fn every_page_is_whole_and_names_findings_that_there_are() {
        for (place, page) in pages().iter().enumerate() {
            assert!(pages()[..place].iter().all(|other| other.reason != page.reason), "{} twice", page.reason);
            assert!(page.meaning.ends_with('.') && !page.says.is_empty(), "{}", page.reason);
            assert!(!page.findings.is_empty(), "{}", page.reason);
            assert_eq!(page.entries().count(), page.findings.len(), "{}", page.reason);
        }
    }

    #[test]
    fn a_page_is_found_with_more_behind_it_within_a_text_and_by_a_near_name() {
        let of = |text: &str| page(text).map(|page| page.reason.as_str());
        assert_eq!(of("invalid_exact_evm_transaction_failed: reverted"), Some("invalid_exact_evm_transaction_failed"));
        assert_eq!(of("Facilitator verify failed (400): {}"), Some("Facilitator verify failed"));
        assert_eq!(of("invalid_payloads"), None);
        let inside = within("Error: 402 {\"error\":\"insufficient_funds\"} at index.js");
        assert_eq!(inside.map(|page| page.reason.as_str()), Some("insufficient_funds"));
        let chained = within("facilitator verify failed: execution reverted: ERC20: transfer amount exceeds balance");
        assert_eq!(chained.map(|page| page.reason.as_str()), Some("ERC20: transfer amount exceeds balance"));
        assert_eq!(within("the balance is unauthorized"), None);
        let raw = |text: &str| within(text).map(|page| page.reason.as_str());
        for (text, reason) in [
            ("Transaction simulation failed: Blockhash not found", "Blockhash not found"),
            ("Error processing Instruction 2: custom program error: 0x1", "custom program error: 0x1"),
            ("431 Request Header Fields Too Large", "Request Header Fields Too Large"),
            ("Error: Unsupported SVM network: solana:abc", "Unsupported SVM network"),
        ] {
            assert_eq!(raw(text), Some(reason));
        }
        assert_eq!(raw("custom program error: 0x1771"), None);
        for (text, group) in [
            ("invalid_exact_avm_fee_too_high", "invalid_exact_avm_*"),
            ("invalid_exact_aptos_payload_wrong_args", "invalid_exact_aptos_*"),
            ("settle_exact_stellar_x: why", "settle_exact_stellar_*"),
            ("invalid_exact_tvm_payload", "invalid_exact_tvm_*"),
        ] {
            assert_eq!(of(text), Some(group));
            assert_eq!(raw(&format!("Error: {text}")), Some(group));
        }
        assert_eq!(of("invalid_exact_avm_"), None);
        assert_eq!(near("invalid_exact_evm_signatur"), Some("invalid_exact_evm_signature"));
        assert_eq!(near("zzz"), None);
        assert!(near("invalid_exact_avm_").is_none_or(|near| !near.ends_with('*')));
    }
}
