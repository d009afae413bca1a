//! `x402-dev explain`: what something says, why it was or would be refused, and what to do.
//!
//! Nothing is sent anywhere but to a URL that is given, and to a running instance of this user where one is asked for.
//!
//! | room | what it holds |
//! |---|---|
//! | [`source`] | what the word on the command line names |
//! | [`visit`] | asking a URL once |
//! | [`instance`] | what a running instance knows |
//! | [`secret`] | what is never printed |
//! | [`text`], [`markdown`] | how it is told |

use serde_json::Value;
use x402_sim::explain::case::{Depth, Question, Record, explain, is_known};
use x402_sim::explain::explanation::{Explanation, Verdict};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::manual;
use x402_sim::explain::read::{Reading, Subject, read};

use super::door::Door;
use super::mock::Form;
use crate::check;
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

pub mod error;
pub mod instance;
pub mod markdown;
pub mod secret;
pub mod source;
pub mod text;
pub mod visit;

pub use error::ExplainError;
use source::{Found, Source};

/// What is to be explained, and how.
#[derive(Clone, Debug)]
pub struct Job {
    /// The word.
    pub what: String,
    /// The requirements, or where they are.
    pub requirements: Option<String>,
    /// The clock in seconds, if not an instance's or this computer's.
    pub at: Option<u64>,
    /// The SDK whose lines are shown.
    pub sdk: Option<Sdk>,
    /// Plain, or Markdown.
    pub shape: Shape,
    /// The instance, and whether JSON is printed.
    pub door: Door,
    /// Whether it is judged, or decoded only.
    pub judged: bool,
}

/// The name of an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sdk(pub &'static str);

/// How text is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For a terminal.
    Plain,
    /// For an issue.
    Markdown,
}

/// Explains something, and prints it.
pub fn run(context: &Context, job: &Job) -> Result<Exit, Error> {
    job.door.run(|| {
        let explanation = secret::cut(job.explain(context)?);
        terminal::result(&match (job.door.form, job.shape) {
            (Form::Json, _) => serde_json::to_string(&explanation).expect("explanations have string keys"),
            (Form::Text, Shape::Markdown) => markdown::render(&explanation, job.sdk),
            (Form::Text, Shape::Plain) => text::render(&explanation, job.sdk),
        });
        Ok(Exit::Success)
    })
}

impl Job {
    fn explain(&self, context: &Context) -> Result<Explanation, Error> {
        let source = Source::of(context, &self.what);
        let found = source.read(context, &self.door)?;
        let requirements = self.requirements.as_deref().map(|text| requirements(context, text)).transpose()?;
        let question = |reading: Reading, asked: Option<Value>, now: Option<u64>| Question {
            requirements: requirements.clone().or(asked).and_then(|asked| of_its_version(asked, &reading)),
            reading,
            now: self.at.or(now).unwrap_or_else(|| clock::now() / 1000),
            real: None,
            record: None,
            depth: if self.judged { Depth::Judge } else { Depth::Decode },
        };
        let explanation = match found {
            Found::Text(text) => self.of_text(&text, &question),
            Found::Answer(answer) => {
                check::answer(&answer, &|reading, asked, at| explain(&question(reading, asked, at)))
            }
            Found::Story(story) => *story,
            Found::Refused(refused) => {
                let record = Record {
                    reason: refused.reason.clone(),
                    message: refused.message.clone(),
                    faults: refused.faults.clone(),
                };
                let (at, real) = (refused.at / 1000, refused.real / 1000);
                let mut question = question(refused.reading(), refused.requirements.clone(), Some(at));
                let recorded = record.clone();
                question.real = (self.at.is_none() && at.abs_diff(real) > 1).then_some(real);
                question.record = Some(record);
                let mut explanation = explain(&question);
                recorded_alone(&recorded, at, &mut explanation);
                explanation.sections.insert(0, refused.section(clock::now()));
                explanation
            }
        };
        if is_known(&explanation) {
            return Ok(explanation);
        }
        let notes = explanation.notes;
        Err(ExplainError::Nothing { what: source.name(), notes }.into())
    }

    fn of_text(&self, text: &str, question: &dyn Fn(Reading, Option<Value>, Option<u64>) -> Question) -> Explanation {
        let reading = read(text);
        let Subject::Transcript(text) = &reading.subject else { return explain(&question(reading, None, None)) };
        let part = |reading: Reading, asked, at| explain(&question(reading, asked, at));
        let mut explanation = check::transcript(text, &part).unwrap_or_else(|| {
            let mut none = Explanation::new(Kind::Undecodable, Kind::Undecodable.words());
            none.notes.push("it looks like a record of HTTP requests, and holds none".to_owned());
            none
        });
        if !self.judged {
            explanation.findings.clear();
        }
        explanation
    }
}

/// What is asked in the version of a payment that came under the other version's header: that is its mistake, and that
/// it says other things than the other version asks follows from it.
fn of_its_version(mut asked: Value, reading: &Reading) -> Option<Value> {
    let is_astray = |id: &str| ["v1_payload_in_v2_header", "v1_header_name"].contains(&id);
    if !reading.findings.iter().any(|finding| is_astray(finding.id)) {
        return Some(asked);
    }
    let is_old = matches!(reading.json(), Some((Kind::PaymentV1, _)));
    let fits = |terms: &Value| terms.get("maxAmountRequired").is_some() == is_old;
    match asked.get_mut("accepts") {
        Some(Value::Array(entries)) => {
            entries.retain(fits);
            (!entries.is_empty()).then_some(asked)
        }
        _ => fits(&asked).then_some(asked),
    }
}

/// What an instance said of something that was not judged: a header that cannot be decoded, the proof of an invoice.
fn recorded_alone(record: &Record, at: u64, explanation: &mut Explanation) {
    if explanation.verdict.is_some() {
        return;
    }
    explanation.verdict = Some(Verdict {
        valid: false,
        reason: Some(record.reason.clone()),
        message: record.message.clone(),
        at,
        by: "the instance's own record".to_owned(),
    });
    let own = explanation.kind == Kind::Invoice;
    if own {
        // The note names whom to ask: this record is the answer.
        explanation.notes.clear();
    }
    let page = manual::page(&record.reason).filter(|_| own || explanation.findings.is_empty());
    for id in page.into_iter().flat_map(|page| &page.findings) {
        let finding = Finding::new(id).seen(record.message.clone().unwrap_or_default());
        explanation.find(if own { finding.proven("the server that issued invoices says so") } else { finding });
    }
    for fault in &record.faults {
        explanation.find(Finding::new("simulation_mode").seen(format!("played for this request: {fault}")));
    }
    explanation.rank();
}

/// The requirements that were given besides: JSON of them, of an offer, or of a request to a facilitator.
fn requirements(context: &Context, text: &str) -> Result<Value, Error> {
    let found = Source::of(context, text);
    let text = match &found {
        Source::Stdin | Source::File(_) => match found.read_text(context)? {
            Found::Text(text) => text,
            _ => String::new(),
        },
        _ => text.to_owned(),
    };
    let reading = read(&text);
    match reading.subject {
        Subject::Json(Kind::Requirements | Kind::OfferV1 | Kind::OfferV2, value) => Ok(value),
        Subject::Json(Kind::FacilitatorRequest, value) => {
            Ok(value.get("paymentRequirements").cloned().unwrap_or_default())
        }
        _ => Err(ExplainError::NoRequirements { what: found.name() }.into()),
    }
}
