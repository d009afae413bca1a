//! `x402-dev explain`: what something says, why it was or would be refused, and what to do.
//!
//! Nothing is sent anywhere but to a URL that is given, and to a running instance of this user where one is asked for.
//!
//! | room | what it holds |
//! |---|---|
//! | [`source`] | what the word on the command line names |
//! | [`visit`] | asking a URL once |
//! | [`asked`] | what a payment should pay for |
//! | [`instance`] | what a running instance knows |
//! | [`refused`] | a refused payment, as an instance keeps it |
//! | `course`, `newest` | what became of each payment, and which of all that happened `last` explains |
//! | `stories` | what is told of it where no refusal is kept |
//! | `unpaid` | what is told of a request without a payment |
//! | `amount` | an amount that an instance has never asked |
//! | [`bought`], `answers` | what the journal of `pay` knows, and what the answers in it mean |
//! | [`beside`] | what stands around something within a longer text |
//! | [`secret`] | what is never printed |
//! | [`sdk`] | whose lines of code are shown |
//! | [`text`], [`markdown`] | how it is told |

use serde_json::Value;
use x402_sim::explain::case::{Depth, Question, Record, explain, is_known};
use x402_sim::explain::explanation::{Explanation, Verdict};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::kind::Kind;
use x402_sim::explain::read::{NAMES, Reading, Subject, read};
use x402_sim::explain::{manual, played};

use super::door::Door;
use super::mock::Form;
use crate::check;
use crate::check::time::{self, Moment};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal::{self, safe_json};

mod amount;
mod answers;
pub mod asked;
pub mod beside;
pub mod bought;
mod course;
pub mod error;
pub mod instance;
pub mod markdown;
mod newest;
pub mod refused;
pub mod sdk;
pub mod secret;
pub mod source;
mod stories;
pub mod text;
mod unpaid;
pub mod visit;

use asked::{Asked, of_its_version};
pub use error::ExplainError;
pub use sdk::Sdk;
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
        let (explanation, sdk) = job.explain(context)?;
        let explanation = secret::cut(explanation);
        terminal::result(&match (job.door.form, job.shape) {
            (Form::Json, _) => safe_json(&serde_json::to_string(&explanation).expect("explanations have string keys")),
            (Form::Text, Shape::Markdown) => markdown::render(&explanation, sdk),
            (Form::Text, Shape::Plain) => text::render(&explanation, sdk),
        });
        Ok(Exit::Success)
    })
}

impl Job {
    fn explain(&self, context: &Context) -> Result<(Explanation, Option<Sdk>), Error> {
        let source = Source::of(context, &self.what);
        let found = source.read(context, &self.door)?;
        let agent = match &found {
            Found::Text(text) => sdk::of_record(text).or_else(|| sdk::of_trace(text)),
            Found::Refused(refused) => refused.agent.as_deref().and_then(sdk::of_agent),
            Found::Unpaid(_, agent) => agent.as_deref().and_then(sdk::of_agent),
            Found::Answer(_) | Found::Story(_) => None,
        };
        let given = self.requirements.as_deref().map(|text| Asked::read(context, &self.door, text)).transpose()?;
        let question = |reading: Reading, asked: Option<Value>, now: Option<u64>| Question {
            requirements: given
                .as_ref()
                .and_then(|given| check::fitting(&given.offers, &reading))
                .or(asked)
                .and_then(|asked| of_its_version(asked, &reading)),
            reading,
            now: self.at.or(now).unwrap_or_else(|| clock::now() / 1000),
            real: None,
            record: None,
            depth: if self.judged { Depth::Judge } else { Depth::Decode },
        };
        let mut explanation = match found {
            Found::Text(text) => self.of_text(&text, &question),
            Found::Answer(answer) => check::answer(&answer, &|reading, asked, at| told(&question(reading, asked, at))),
            Found::Story(story) | Found::Unpaid(story, _) => *story,
            Found::Refused(refused) => {
                let record = Record {
                    reason: refused.reason.clone(),
                    message: refused.message.clone(),
                    faults: refused.faults.clone(),
                    past: refused.past(),
                };
                let (at, real) = (refused.at / 1000, refused.real / 1000);
                let mut question = question(refused.reading(), refused.requirements.clone(), Some(at));
                let recorded = record.clone();
                question.real = (self.at.is_none() && at.abs_diff(real) > 1).then_some(real);
                question.record = Some(record).filter(|_| refused.finding.is_none());
                let mut explanation = told(&question);
                if let (Some((_, payload)), Some(_)) = (question.reading.json(), &question.reading.header) {
                    check::elsewhere::tell(payload, &refused.path, None, 0, &mut explanation);
                }
                refused.stray(&mut explanation);
                recorded_alone(&recorded, at, &mut explanation);
                refused.tell(&mut explanation);
                explanation.sections.insert(0, refused.section(clock::now()));
                explanation.age = Some(clock::now().saturating_sub(refused.real) / 1000);
                explanation.newer = refused.newer;
                explanation
            }
        };
        if explanation.verdict.is_some() || is_known(&explanation) || !explanation.findings.is_empty() {
            given.into_iter().flat_map(|given| given.findings).for_each(|finding| explanation.find(finding));
            explanation.rank();
            let at_hand = || {
                let of_project = || sdk::of_project(&context.working_dir);
                agent.or_else(of_project).or_else(|| sdk::of_spelling(&explanation))
            };
            let guessed = if self.sdk.is_none() { at_hand() } else { None };
            if let Some((sdk, why)) = &guessed {
                sdk::note(&mut explanation, *sdk, why);
            }
            return Ok((explanation, self.sdk.or(guessed.map(|(sdk, _)| sdk))));
        }
        let notes = explanation.notes;
        Err(ExplainError::Nothing { what: source.name(), notes }.into())
    }

    fn of_text(&self, text: &str, question: &dyn Fn(Reading, Option<Value>, Option<u64>) -> Question) -> Explanation {
        let reading = read(text);
        let may_be_log = matches!(reading.subject, Subject::Nothing | Subject::Undecodable | Subject::Reason(_));
        if let Some(log) = may_be_log.then(|| check::access::log(text)).flatten() {
            return if self.judged { log } else { Explanation { findings: Vec::new(), ..log } };
        }
        let Subject::Transcript(text) = &reading.subject else {
            let is_nothing = reading.subject == Subject::Nothing;
            let other = reading.header.clone().filter(|name| is_nothing && is_name_of_field(name));
            let (reason, is_part) = (reading.beside.clone(), reading.is_part());
            let at = if is_part { reading.json().and_then(|(_, value)| time::of_part(text, value)) } else { None };
            let end = reading.json().and_then(|(_, value)| time::end_of(value));
            let mut explanation = told(&question(reading.clone(), None, at));
            if is_part {
                let moment = at.map_or_else(|| Moment::Unknown(reason.clone()), Moment::At);
                let again = |at| told(&question(reading, None, Some(at)));
                let note = moment.weigh(self.at.is_none(), &mut explanation, end, again);
                explanation.notes.extend(note);
                beside::weigh(text, reason.as_deref(), &mut explanation);
            }
            if !is_known(&explanation) {
                explanation.notes.extend(unsaid(text).map(str::to_owned));
            }
            explanation.notes.extend(other.map(|name| {
                format!(
                    "it is the header `{}`, which carries nothing of x402; those that do are {}",
                    name,
                    NAMES.join(", ")
                )
            }));
            return explanation;
        };
        let part = |reading: Reading, asked, at| told(&question(reading, asked, at));
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

/// Explains it, with what is to be known about the way it is written.
fn told(question: &Question) -> Explanation {
    let mut explanation = explain(question);
    explanation.notes.extend(question.reading.notes.iter().cloned());
    explanation
}

/// Whether a word before a colon is the name of a header: `Error` and `INFO` are none.
fn is_name_of_field(word: &str) -> bool {
    let lone = ["authorization", "cookie", "host", "accept", "origin", "referer", "location", "server", "date", "etag"];
    word.contains('-') || lone.contains(&word.to_ascii_lowercase().as_str())
}

/// What a text without anything of x402 may have been meant as.
fn unsaid(text: &str) -> Option<&'static str> {
    match text.split_whitespace().next() {
        None => Some("the word is empty: a variable of the shell that is not set?"),
        Some("curl" | "curl.exe") => {
            Some("it is a command that sends no payment header: run it with `-v`, and give what it prints")
        }
        _ => None,
    }
}

/// What an instance said of something that was not judged: a header that cannot be decoded, the proof of an invoice.
fn recorded_alone(record: &Record, at: u64, explanation: &mut Explanation) {
    let own = explanation.kind == Kind::Invoice;
    if own {
        // The note names whom to ask: this record is the answer.
        explanation.notes.clear();
    }
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
    let page = manual::page(&record.reason).filter(|_| own || explanation.findings.is_empty());
    for id in page.into_iter().flat_map(|page| &page.findings) {
        let finding = Finding::new(id).seen(record.message.clone().unwrap_or_default());
        explanation.find(if own { finding.proven("the server that issued invoices says so") } else { finding });
    }
    for finding in played::findings(&record.faults) {
        explanation.find(finding);
    }
    explanation.rank();
}
