//! All of it for one thing: what it is, what it says, what is wrong.

use serde_json::{Value, json};

use super::accepted::{reconciled, strays};
use super::explanation::{Explanation, Verdict};
use super::judge::{Attempt, Bench, Signed, Whose};
use super::kind::Kind;
use super::past::{self, Past};
use super::read::{Reading, Subject, carries_payments};
use super::said::{answer, reason, recorded};
use super::version::{not_offered, renumbered, shape_alone, unseen};
use super::{
    accepted, carried, code, compare, draw, errand, host, invoice, matching, offer, onchain, parts, prices, proof,
    repair, settlement, unoffered,
};
use crate::networks::eip155;
use crate::registry::Version;

/// What is to be explained.
#[derive(Clone, Debug)]
pub struct Question {
    /// What was read.
    pub reading: Reading,
    /// The requirements that a payment is for, or an offer with them, where they were given besides.
    pub requirements: Option<Value>,
    /// The clock, in seconds since 1970.
    pub now: u64,
    /// This computer's clock in seconds, where `now` is an instance's and differs.
    pub real: Option<u64>,
    /// What an instance said of it.
    pub record: Option<Record>,
    /// Whether to judge, or to decode only.
    pub depth: Depth,
}

/// How far an explanation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What it says.
    Decode,
    /// And what is wrong with it.
    Judge,
}

/// What an instance said of a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The reason.
    pub reason: String,
    /// The sentence with it.
    pub message: Option<String>,
    /// The faults that were played for the request and may be the cause, a sentence each.
    pub faults: Vec<String>,
    /// What it saw of the payment before.
    pub past: Past,
}

/// Explains it.
pub fn explain(question: &Question) -> Explanation {
    let (reading, now) = (&question.reading, question.now);
    let judged = question.depth == Depth::Judge;
    let mut explanation = match &reading.subject {
        Subject::Json(kind, value) => {
            let mut explanation = Explanation::new(*kind, kind.words());
            explanation.sections = draw::sections(*kind, value, now);
            explanation.findings.clone_from(&reading.findings);
            if judged {
                judge(question, *kind, value, &mut explanation);
            }
            explanation
        }
        Subject::Invoice(parameters) => {
            let mut explanation = Explanation::new(Kind::Invoice, Kind::Invoice.words());
            explanation.sections = vec![draw::invoice(parameters)];
            explanation.findings.clone_from(&reading.findings);
            invoice::examine(parameters, &mut explanation);
            explanation
        }
        Subject::Proof(text) => proof::explained(text),
        Subject::Evm(bytes) => {
            let mut explanation = Explanation::new(Kind::EvmTransaction, Kind::EvmTransaction.words());
            explanation.sections = draw::evm(bytes, now);
            explanation
        }
        Subject::Solana(text) => {
            let mut explanation = Explanation::new(Kind::SolanaTransaction, Kind::SolanaTransaction.words());
            explanation.sections = draw::solana(text, now);
            explanation
        }
        Subject::Reason(text) => reason(text),
        Subject::Transcript(_) | Subject::Undecodable | Subject::Nothing => {
            let mut explanation = Explanation::new(Kind::Undecodable, Kind::Undecodable.words());
            explanation.findings.clone_from(&reading.findings);
            explanation
        }
    };
    if !judged && explanation.kind != Kind::Reason {
        explanation.findings.clear();
    }
    code::fit(question, &mut explanation);
    explanation.rank();
    explanation
}

/// Whether anything was recognised.
pub fn is_known(explanation: &Explanation) -> bool {
    match explanation.kind {
        Kind::Other => false,
        Kind::Undecodable => !explanation.findings.is_empty(),
        Kind::Reason => !explanation.sections.is_empty(),
        _ => true,
    }
}

fn judge(question: &Question, kind: Kind, value: &Value, explanation: &mut Explanation) {
    if let Some(body) = at_facilitator(question, kind, value) {
        body.findings.iter().for_each(|finding| explanation.find(finding.clone()));
        parts::name(&body, question.now, explanation);
        return body.json().into_iter().for_each(|(kind, value)| judge_alone(question, kind, value, explanation));
    }
    judge_alone(question, kind, value, explanation);
    // What an instance has refused is not said to be good, whatever it is.
    explanation.verdict.take_if(|verdict| verdict.valid && question.record.is_some());
}

/// What an instance's facilitator was sent, which its record keeps in parts.
fn at_facilitator(question: &Question, kind: Kind, value: &Value) -> Option<Reading> {
    let of_x402 =
        matches!(kind, Kind::PaymentV1 | Kind::PaymentV2 | Kind::Requirements | Kind::OfferV1 | Kind::OfferV2);
    let is_part = of_x402 || (kind == Kind::Other && value.is_object());
    let is_kept = is_part && question.record.is_some() && question.reading.header.is_none();
    let asked = question.requirements.as_ref().filter(|_| is_kept)?;
    Some(Reading::carried(None, json!({"paymentPayload": value, "paymentRequirements": asked})))
}

fn judge_alone(question: &Question, kind: Kind, value: &Value, explanation: &mut Explanation) {
    let now = question.now;
    carried::offer(question.reading.header.as_deref(), kind, explanation);
    match kind {
        // An offer in the place of a payment is not looked at any closer.
        Kind::OfferV1 | Kind::OfferV2 | Kind::Requirements
            if question.reading.header.as_deref().is_some_and(carries_payments) => {}
        Kind::OfferV1 | Kind::OfferV2 => {
            offer::examine(kind, value, now, explanation);
            if question.reading.is_list() {
                // What would stand around it was not given.
                explanation.findings.retain(|finding| finding.id != "resource_missing");
            }
        }
        Kind::Requirements => {
            let version = version_of_terms(value);
            offer::requirements(version, value, now, "paymentRequirements", explanation);
        }
        Kind::PaymentV1 | Kind::PaymentV2 => {
            let asked = question.requirements.as_ref().map(|asked| pick(asked, value));
            payment(question, value, asked.as_ref(), explanation);
        }
        Kind::FacilitatorRequest => {
            if let Some((payload, asked)) = parts::whole(value, explanation) {
                payment(question, payload, Some(asked), explanation);
            }
        }
        Kind::VerifyAnswer | Kind::Receipt => answer(value, explanation),
        Kind::TypedData => {
            for finding in eip155::explain::doubts(value) {
                explanation.find(finding);
            }
        }
        _ => {}
    }
}

/// The requirements among an offer's that a payment means: those with its network, else the first.
fn pick(asked: &Value, payload: &Value) -> Value {
    let Some(entries) = asked.get("accepts").and_then(Value::as_array) else { return asked.clone() };
    let terms = payload.get("accepted").unwrap_or(payload);
    let score = |entry: &&Value| {
        let same = |key: &str| usize::from(terms.get(key).is_some() && entry.get(key) == terms.get(key));
        // A network that is not offered may be misnamed: what is signed still tells its kind.
        let fits = usize::from(!repair::is_signed_for_other_family(payload, entry));
        same("network") * 16 + fits * 8 + same("scheme") * 4 + same("asset") * 2 + same("amount")
    };
    // Of equals the first, as servers look for it.
    entries.iter().rev().max_by_key(score).cloned().unwrap_or_default()
}

fn version_of_terms(value: &Value) -> Version {
    let old = value.get("maxAmountRequired").is_some() && value.get("amount").is_none();
    let word = value.get("network").and_then(Value::as_str).is_some_and(|name| !name.contains(':'));
    if old && word { Version::V1 } else { Version::V2 }
}

/// A payment, and what it is for.
fn payment(question: &Question, payload: &Value, asked: Option<&Value>, explanation: &mut Explanation) {
    if let Some((whole, finding)) = accepted::whole(payload, asked) {
        explanation.find(finding);
        return payment(question, &whole, asked, explanation);
    }
    let accepted = payload.get("accepted").cloned();
    let verified = asked.and_then(|asked| settlement::verified(question, payload, asked, explanation));
    let asked = verified.as_ref().or(asked);
    let Some(requirements) = asked.or(accepted.as_ref()).cloned() else {
        explanation.notes.push(
            "what it should pay for is not known: give the requirements with --requirements, and it is judged"
                .to_owned(),
        );
        let header = question.reading.header.as_deref();
        if let Some(finding) = onchain::finding(payload) {
            explanation.find(finding);
        }
        shape_alone(payload, header, explanation);
        renumbered(header, explanation);
        return;
    };
    let (now, real) = (question.now, question.real);
    let offered = question.requirements.as_ref().filter(|_| question.record.is_none());
    if let Some(finding) = offered.and_then(|offered| not_offered(payload, offered, &requirements)) {
        explanation.find(finding);
        explanation.verdict = Some(unseen(now));
        return;
    }
    let mut attempt = Attempt { payload: payload.clone(), requirements, now, signed: Signed::AsSent, real };
    explanation.comparison = compare::rows(&attempt);
    let whose = if question.record.is_some() { Whose::Mock } else { Whose::Unknown };
    let bench = Bench::new(&attempt.requirements).of(whose);
    explanation.notes.extend(bench.notes.iter().cloned());
    let (mut differences, mut signed_otherwise, mut is_unoffered) = (Vec::new(), None, false);
    if let (Some(accepted), Some(asked)) = (&accepted, asked)
        && !repair::is_version_1(&attempt)
    {
        differences = matching::differences(accepted, asked, compare::moved(payload));
        if strays(accepted, asked) {
            // An entry for another kind of network differs in everything else as well.
            differences.retain(|finding| finding.id == "network_mismatch");
        }
        let own = Attempt { requirements: accepted.clone(), ..attempt.clone() };
        let unoffered = unoffered::told(question, &own, asked, &differences);
        is_unoffered = unoffered.is_some();
        (attempt, signed_otherwise) =
            if is_unoffered { (own, unoffered) } else { reconciled(&bench, attempt, accepted) };
    }
    let matched = differences.is_empty();
    if is_unoffered {
        // The finding tells of all of them.
        differences.clear();
    }
    // A version that nobody knows is met before anything is compared.
    let compared_first = attempt.version().is_some();
    if compared_first {
        differences.drain(..).for_each(|finding| explanation.find(finding));
    }
    let first = explanation.findings.len();
    if let Some(finding) = signed_otherwise {
        explanation.find(finding);
    }
    let verdict = bench.examine(&attempt, explanation);
    let found = explanation.findings.len() - first;
    let matched = matching::excuse(&mut explanation.findings) || matched;
    differences.drain(..).for_each(|finding| explanation.find(finding));
    renumbered(question.reading.header.as_deref(), explanation);
    // Beside a mistake it is in doubt who pays whom.
    let of_payee = repair::of_payee(&attempt).filter(|_| explanation.findings.is_empty());
    for finding in [repair::remarks(&attempt), repair::stale(&attempt), of_payee].into_iter().flatten() {
        explanation.find(finding);
    }
    let url = payload.pointer("/resource/url").and_then(Value::as_str);
    host::resource(url, "paymentPayload.resource.url", explanation);
    explanation.verdict = Some(match &question.record {
        Some(record) => {
            let verdict = recorded(record, &verdict, explanation, found, now);
            past::tell(record, &attempt, now, explanation);
            repair::of_permit(record, explanation);
            repair::of_simulation(&attempt, record.message.as_deref().unwrap_or_default(), explanation);
            verdict
        }
        None if matched => verdict,
        None => unmatched(&verdict),
    });
    prices::before_funds(&attempt, explanation);
    errand::complete(&attempt, explanation);
}

fn unmatched(verdict: &Verdict) -> Verdict {
    Verdict {
        valid: false,
        reason: Some("No matching payment requirements".to_owned()),
        message: Some("a resource server compares `accepted` with what it asks before it verifies".to_owned()),
        at: verdict.at,
        by: "the comparison that resource servers make".to_owned(),
    }
}
