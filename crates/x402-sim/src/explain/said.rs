//! What others have said: the reason in an instance's record, in a facilitator's answer, or alone.

use serde_json::Value;
use x402_wire::shape::shorten;

use super::case::Record;
use super::confided::without_keys;
use super::explanation::{Explanation, Section, Verdict};
use super::finding::{Certainty, Entry, Finding, entry};
use super::judge::without_guess;
use super::kind::Kind;
use super::{manual, played, pydantic, thrown, waited, zod};

/// So many reasons are named on the page of a finding.
const REASONS_SHOWN: usize = 8;

/// What an instance said: a fault that was played, or, where the payment is good in a fresh world, its own state.
///
/// `found` is what verification in a fresh world found.
pub(super) fn recorded(
    record: &Record,
    fresh: &Verdict,
    explanation: &mut Explanation,
    found: usize,
    at: u64,
) -> Verdict {
    if !record.faults.is_empty() {
        of_faults(record, fresh, explanation);
        return of(record, at);
    }
    let message = record.message.clone().unwrap_or_default();
    let mut doubted = Vec::new();
    if !is_of_time(&record.reason, &message) {
        doubted = explanation.findings.extract_if(.., |finding| finding.id == "clock_moved").collect();
    }
    let others = found.saturating_sub(doubted.len());
    if others == 0 {
        let passes = if fresh.valid && found == 0 { Passes::Yes } else { Passes::NotQuite };
        state(record, passes, explanation);
        if passes == Passes::Yes {
            of_past_faults(&record.past.faults, explanation);
        }
    }
    for finding in doubted {
        explanation.find(finding.doubted());
    }
    of(record, at)
}

/// Whether a payment passes in a fresh world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passes {
    Yes,
    /// But for the clock, or for what had to be assumed.
    NotQuite,
}

/// The instance's state as the cause, where nothing was found in the payment.
fn state(record: &Record, passes: Passes, explanation: &mut Explanation) {
    let message = record.message.clone().unwrap_or_default();
    let id = cause_in_state(&record.reason, &message);
    // What was found before verification, in what was accepted say, may be all of it.
    if id.is_none() && explanation.findings.iter().any(|finding| finding.certainty == Certainty::Proven) {
        return;
    }
    let proof = "in a fresh world, where nobody lacks money and nothing was used, verify passes: it is the instance's \
                 own state";
    if let Some(id) = id {
        let own = not_enabled(&message).or_else(|| not_taught(&message));
        let finding = own.unwrap_or_else(|| Finding::new(id).seen(message));
        // Whether there is such a token was assumed.
        let is_proven = passes == Passes::Yes && id != "asset_unknown";
        explanation.find(if is_proven { finding.proven(proof) } else { finding });
        return;
    }
    let findings = match manual::page(&record.reason) {
        Some(page) => page.found().collect(),
        None => vec![unknown(&record.reason)],
    };
    for finding in findings {
        let finding = finding.seen(message.clone());
        explanation.find(if passes == Passes::Yes { finding.seen(proof) } else { finding });
    }
}

/// A network that the mock knows how to play, and does not.
fn not_enabled(message: &str) -> Option<Finding> {
    let network = message.strip_prefix("network \"")?.split_once("\" is not enabled here")?.0;
    let fix = format!("Start the mock with `--network {network}`.");
    Some(Finding::new("kind_not_supported").seen(message).fixed_by(fix))
}

/// A token that the mock has in no table.
fn not_taught(message: &str) -> Option<Finding> {
    let (_, rest) = message.strip_prefix("there is no contract at ")?.split_once(" on ")?;
    let network = rest.split(';').next().unwrap_or_default();
    let fix = format!(
        "If the token exists there, teach the mock about it: in its configuration, under `networks:`, give {network} `assets:` \
         with the token's address, symbol, name, version and decimals."
    );
    Some(Finding::new("asset_unknown").at("paymentRequirements.asset").seen(message).fixed_by(fix))
}

/// A fault is the cause. Whatever else is found was not what refused this payment, so that it is not said to be proven.
fn of_faults(record: &Record, fresh: &Verdict, explanation: &mut Explanation) {
    explanation.findings = std::mem::take(&mut explanation.findings).into_iter().map(Finding::doubted).collect();
    for finding in played::findings(&record.faults) {
        let finding = finding.proven("the record of this request names what was played for it");
        explanation.find(if fresh.valid { finding.seen("in a fresh world verify passes") } else { finding });
    }
}

/// Where the payment met a fault before, the instance's state is what the fault has left behind.
fn of_past_faults(faults: &[String], explanation: &mut Explanation) {
    let mut found = played::before(faults);
    if found.is_empty() {
        return;
    }
    let proof = "the instance's record of the same payment names it, and in a fresh world verify passes";
    for finding in &mut found {
        *finding = finding.clone().proven(proof);
    }
    found.extend(std::mem::take(&mut explanation.findings).into_iter().map(Finding::doubted));
    explanation.findings = found;
}

/// Whether a reason or its message is about time.
fn is_of_time(reason: &str, message: &str) -> bool {
    let pages = manual::page(reason).into_iter().chain(manual::within(message));
    pages.flat_map(|page| &page.findings).any(|id| ["expired", "not_yet_valid"].contains(&id.as_str()))
}

/// A reason that no page is about.
pub(super) fn unknown(reason: &str) -> Finding {
    let finding = Finding::new("reason_unknown").seen(format!("the reason is \"{}\"", shorten(reason)));
    match manual::near(reason) {
        Some(near) => finding.seen(format!("the nearest that is known is `{near}`")),
        None => finding,
    }
}

/// What an instance said, as a verdict.
fn of(record: &Record, at: u64) -> Verdict {
    Verdict {
        valid: false,
        reason: Some(record.reason.clone()),
        message: record.message.as_deref().map(|message| without_guess(message).to_owned()),
        at,
        by: "the instance's own record".to_owned(),
    }
}

/// The state of a world behind a reason.
fn cause_in_state(reason: &str, message: &str) -> Option<&'static str> {
    let says = |part: &str| reason.contains(part) || message.contains(part);
    let table = [
        ("payment_rejected_by_simulation", "simulation_mode"),
        ("is not enabled here", "kind_not_supported"),
        ("there is no contract at ", "asset_unknown"),
        ("nonce_already_used", "nonce_used"),
        ("invalid_nonce", "nonce_used"),
        ("duplicate_settlement", "nonce_used"),
        ("was used", "nonce_used"),
        ("allowance", "permit2_allowance"),
        ("blacklisted", "blocked_account"),
        ("BlockhashNotFound", "stale_blockhash"),
        ("Blockhash not found", "stale_blockhash"),
        ("insufficient", "insufficient_balance"),
        ("exceeds balance", "insufficient_balance"),
        ("settlement_pending", "settlement_pending"),
    ];
    let found = super::repair::simulated(message);
    let found = found.or_else(|| table.iter().find(|(part, _)| says(part)).map(|(_, id)| *id));
    // Error 1 of the Token programs; the numbers of others only begin like it.
    let lacks = || [reason, message].into_iter().filter_map(manual::within).any(|page| page.reason.ends_with(": 0x1"));
    found.or_else(|| lacks().then_some("insufficient_balance"))
}

/// A verdict or a receipt: what stands behind its reason.
pub(super) fn answer(value: &Value, explanation: &mut Explanation) {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let Some(reason) = text("invalidReason").or_else(|| text("errorReason")) else { return };
    let said = ["isValid", "success"].into_iter().find(|key| value.get(*key) == Some(&Value::Bool(true)));
    if let Some(key) = said {
        let seen = format!("`{key}` is true, and the reason is \"{}\"", shorten(reason));
        explanation.find(Finding::new("answer_contradicts").at(key).seen(seen));
        return;
    }
    explanation.verdict = Some(Verdict {
        valid: false,
        reason: Some(reason.to_owned()),
        message: text("invalidMessage").or_else(|| text("errorMessage")).map(str::to_owned),
        at: 0,
        by: "the facilitator that answered".to_owned(),
    });
    if let Some(finding) = text("invalidMessage").and_then(not_enabled) {
        explanation.find(finding);
        return;
    }
    let page = manual::page(reason).or_else(|| text("invalidMessage").and_then(manual::within));
    let Some(page) = page else {
        explanation.find(unknown(reason));
        return;
    };
    // The words of a simulation that failed name one of its causes.
    let named = text("invalidMessage").and_then(super::repair::named_by_simulation);
    let named = named.filter(|named| page.findings.iter().any(|id| id == "solana_simulation" || id == named));
    for id in named.map_or_else(|| page.findings.iter().map(String::as_str).collect(), |named| vec![named]) {
        explanation.find(Finding::new(id).seen(format!("the answer says {reason}")));
    }
}

/// The manual's page of a reason string.
pub(super) fn reason(text: &str) -> Explanation {
    if let Some(told) = zod::explained(text).or_else(|| pydantic::explained(text)) {
        return told;
    }
    let mut explanation = Explanation::new(Kind::Reason, "a reason string");
    let Some((page, spelled)) = manual::spelled(text).or_else(|| manual::spelled_within(text)) else {
        if let Some(entry) = entry(text) {
            return page_of_finding(entry);
        }
        // What is found by the value that an error quotes needs no page.
        if let Some(found) = thrown::findings(text) {
            "an error that quotes what is at fault".clone_into(&mut explanation.title);
            explanation.findings = found;
        } else if let Some(near) = manual::near(text) {
            explanation.notes.push(format!("did you mean `{near}`?"));
        }
        return explanation;
    };
    // A page of a group is shown under the name that was asked for.
    let word = text.split(':').next().unwrap_or(text).trim();
    let name = if page.reason.ends_with('*') && !word.contains(' ') { shorten(word) } else { spelled.to_owned() };
    let mut section = Section::new(name.clone());
    section.add("meaning", page.meaning.clone(), "");
    section.add("said by", page.says.clone(), "");
    if let Some(note) = &page.note {
        section.add("note", note.clone(), "");
    }
    explanation.title = format!("the reason `{name}`");
    explanation.sections.push(section);
    let quoted = thrown::findings(text);
    explanation.findings = quoted.unwrap_or_else(|| page.found().collect());
    let told = if manual::is_general(page) { text.split_once(": ").map(|(_, told)| told.to_owned()) } else { None };
    let told =
        told.map(|told| format!("it says: {}", without_keys(&told))).or_else(|| waited::seen(text).map(str::to_owned));
    if let (Some(seen), Some(first)) = (told, explanation.findings.first_mut()) {
        *first = first.clone().seen(seen);
    }
    debug_assert!(explanation.findings.iter().all(|finding| finding.certainty == Certainty::Possible));
    explanation
}

/// The page of a finding: what it means, and where it comes from.
fn page_of_finding(entry: &'static Entry) -> Explanation {
    let mut explanation = Explanation::new(Kind::Reason, format!("the finding `{}`", entry.id));
    let mut section = Section::new(entry.id.clone());
    section.add("meaning", format!("{}.", entry.title), "");
    section.add("mended by", entry.side.words(), "");
    let reasons: Vec<&str> = manual::pages()
        .iter()
        .filter(|page| page.findings.contains(&entry.id))
        .map(|page| page.reason.as_str())
        .collect();
    let more = reasons.len().saturating_sub(REASONS_SHOWN);
    if !reasons.is_empty() {
        let shown = reasons[..reasons.len() - more].join(", ");
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        section.add("stands behind", format!("{shown}{more}"), "");
    }
    explanation.sections.push(section);
    explanation.findings.push(Finding::new(&entry.id));
    explanation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nodes_of_solana_say_is_a_state_too() {
        for (message, cause) in [
            ("Transaction simulation failed: Blockhash not found", Some("stale_blockhash")),
            ("Error processing Instruction 2: custom program error: 0x1", Some("insufficient_balance")),
            ("Error processing Instruction 2: custom program error: 0x11", None),
        ] {
            assert_eq!(cause_in_state("invalid_exact_svm_transaction_simulation_failed", message), cause, "{message}");
        }
    }

    #[test]
    fn a_page_of_a_group_is_shown_under_the_name_asked_for() {
        let told = reason("invalid_exact_tvm_payload_seqno_mismatch: 3");
        assert_eq!(told.title, "the reason `invalid_exact_tvm_payload_seqno_mismatch`");
    }
}
