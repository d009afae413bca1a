//! The manual: a page for every reason string that anybody says.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::finding::{self, Entry, Finding};
use super::{nearest, waited};

/// What a reason string means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The string, as it is on the wire. With `*` at its end: every string that begins so.
    pub reason: String,
    /// The same in other words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Words that a longer text must hold besides: the reason alone has many causes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// Who says it.
    pub says: String,
    /// What it means.
    pub meaning: String,
    /// The findings that stand behind it, the likeliest first.
    pub findings: Vec<String>,
    /// How it comes about, where more is known than the first of the findings says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do about it, where more is known than the first of the findings says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What else there is to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why there is no line of code where a page says what to do.
pub(super) const IN_FIX: &str = "what to change stands in the fix";

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/reasons.json")).expect("a test reads the table of reasons")
});

/// Every page.
pub fn pages() -> &'static [Page] {
    &PAGES
}

/// Every page by its reason, and by each of its other words.
fn spellings() -> impl Iterator<Item = (&'static Page, &'static str)> {
    PAGES.iter().flat_map(|page| {
        let also = page.also.iter().map(String::as_str);
        std::iter::once(page.reason.as_str()).chain(also).map(move |own| (page, own))
    })
}

/// The page of a text: the string itself, or one with more behind it, as servers write it.
pub fn page(text: &str) -> Option<&'static Page> {
    spelled(text).map(|(page, _)| page)
}

/// The same, with the words of it that the text begins with.
pub(super) fn spelled(text: &str) -> Option<(&'static Page, &'static str)> {
    let text = text.trim();
    if let Some(spelled) = spellings().find(|(_, own)| *own == text) {
        return Some(spelled);
    }
    let begins = |own: &str| {
        let rest = text.get(..own.len()).filter(|begin| begin.eq_ignore_ascii_case(own));
        rest.is_some() && !text[own.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    };
    let own = spellings().filter(|(page, own)| begins(own) && page.is_beside(text)).max_by_key(|(_, own)| own.len());
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
fn of_group(word: &str) -> Option<(&'static Page, &'static str)> {
    let begins = |begin: &str| word.len() > begin.len() && word.starts_with(begin);
    spellings().find(|(_, own)| own.strip_suffix('*').is_some_and(begins))
}

/// With what the official clients begin when they could not make a payment, in TypeScript and in Python; their own cause
/// follows.
const MAKING: [&str; 2] = ["Failed to create payment payload:", "Failed to handle payment:"];

/// What a client says of a payment that it could not make, or of the request that it paid: the words that it begins with,
/// and all from there. The line of code that raises it stands before it in a trace.
fn making(text: &str) -> Option<(&'static str, &str)> {
    MAKING.iter().filter_map(|begin| Some((*begin, &text[text.rfind(begin)?..]))).min_by_key(|(_, own)| own.len())
}

/// Whether a page says no more than that a client failed, and not why.
pub(super) fn is_general(page: &Page) -> bool {
    let is_begin = |begin: &str| begin.strip_suffix(':') == Some(page.reason.as_str());
    MAKING.iter().any(|begin| is_begin(begin)) || page.reason == "Failed to fetch"
}

/// Whether a reason is no more than such words.
pub(super) fn is_bare(reason: &str) -> bool {
    PAGES.iter().any(|page| page.reason == reason && is_general(page))
}

/// What stands behind the words that say no more than that.
pub(super) fn told(text: &str) -> &str {
    making(text).map_or("", |(begin, own)| own[begin.len()..].lines().next().unwrap_or_default().trim())
}

/// What a server says when it starts and no facilitator has answered; each of them has said why before.
const NO_KINDS: &str = "Failed to initialize: no supported payment kinds loaded from any facilitator";

fn without_kinds(text: &str) -> Option<(&'static Page, &'static str)> {
    let is_cause = |(_, own): &(&Page, &str)| own.starts_with("Facilitator get") && text.contains(own);
    let all = spellings().filter(|_| text.contains(NO_KINDS));
    all.filter(is_cause).max_by_key(|(_, own)| own.len())
}

/// Pages whose reason stands within a longer text, such as an error message.
pub fn within(text: &str) -> Option<&'static Page> {
    spelled_within(text).map(|(page, _)| page)
}

/// The same, with the words of it that stand there.
pub(super) fn spelled_within(text: &str) -> Option<(&'static Page, &'static str)> {
    let specific = |text: &str| anywhere(text, |page| !is_general(page));
    if let Some(found) = without_kinds(text) {
        return Some(found);
    }
    let Some((begin, own)) = making(text) else {
        let found = specific(text).or_else(|| anywhere(text, is_general));
        return found.map(|found| placed(found, text));
    };
    let told = told(text);
    let inner = specific(told);
    // The same words mean another thing in a server's answer.
    let is_own = |spelling: &str| spelling.len() > begin.len() && own.starts_with(spelling);
    let known = spellings().filter(|(_, spelling)| is_own(spelling)).max_by_key(|(_, spelling)| spelling.len());
    let known = known.map(|found| waited::reached(found, told, text));
    let known = known.filter(|_| !inner.is_some_and(|(page, _)| waited::is_about(page))).or(inner);
    // An exception without a text of its own: those that it came from have one, or a name.
    let cause = || if told.is_empty() { specific(text) } else { None };
    known.or_else(cause).or_else(|| anywhere(begin, is_general))
}

/// Pages of what a program meets that asks somebody, and of the same within a server, where it is its facilitator.
const AT_FACILITATOR: [(&str, &str); 4] = [
    ("TypeError: fetch failed", "fetch failed"),
    ("ECONNREFUSED", "Connection refused"),
    ("ENOTFOUND", "Name or service not known"),
    ("ERR_SSL_WRONG_VERSION_NUMBER", "WRONG_VERSION_NUMBER"),
];

/// The page of what a text says, by who was asked.
fn placed(found: (&'static Page, &'static str), text: &str) -> (&'static Page, &'static str) {
    let found = waited::placed(found, text);
    let other = AT_FACILITATOR.iter().find(|(own, _)| *own == found.0.reason && waited::names_facilitator(text));
    other.and_then(|(_, other)| spelled(other)).unwrap_or(found)
}

fn anywhere(text: &str, fits: impl Fn(&Page) -> bool) -> Option<(&'static Page, &'static str)> {
    // A lone word of everyday English is no reason: it has an underscore, or capitals within.
    let coined =
        |word: &&str| word.contains('_') || word.get(1..).is_some_and(|rest| rest.contains(char::is_uppercase));
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(coined);
    let is_reason =
        |own: &str, word: &str| if word.contains('_') { own.eq_ignore_ascii_case(word) } else { own == word };
    let named = |word: &str| spellings().find(|(_, own)| is_reason(own, word)).or_else(|| of_group(word));
    let fits = |page: &Page| page.is_beside(text) && fits(page);
    words.take(200).filter_map(named).find(|(page, _)| fits(page)).or_else(|| {
        let lower = text.to_lowercase();
        let long = spellings().filter(|(page, own)| own.contains(' ') && fits(page));
        // The last in a chain of messages is the cause of those before it, and the longest says most.
        let found = long.filter_map(|(page, own)| Some((last_of(&lower, own)?, own.len(), (page, own))));
        found.max_by_key(|(end, length, _)| (*end, *length)).map(|(.., found)| found)
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
    /// Whether a text holds what must stand beside the reason.
    fn is_beside(&self, text: &str) -> bool {
        self.beside.as_ref().is_none_or(|beside| text.contains(beside))
    }

    /// The findings that stand behind it, the likeliest first, which says what this page knows besides.
    pub fn found(&'static self) -> impl Iterator<Item = Finding> {
        self.findings.iter().enumerate().map(|(place, id)| {
            let finding = Finding::new(id);
            if place > 0 {
                return finding;
            }
            let cause = self.cause.as_deref().unwrap_or(finding.cause);
            // The lines mend what the finding says, and not what this page does.
            match self.fix.clone() {
                Some(fix) => Finding { cause, fix, code: Vec::new(), no_code: Some(IN_FIX), ..finding },
                None => Finding { cause, ..finding },
            }
        })
    }

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
            InvoiceError::IssuedFor { resource: String::new(), own: String::new() },
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
