//! What a purchase came to: content on stdout, the story on stderr, or one JSON document for programs.

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde_json::{Value, json};

use super::asked::Asked;
use super::buy::{Bought, Free, Paid};
use super::chain::Fate;
use super::end::End;
use super::error::PayError;
use super::exchange::Answer;
use super::finding::Finding;
use super::order::{Head, Output};
use super::present::Presented;
use super::sink::{self, Sink};
use super::story::Story;
use crate::commands::mock::Form;
use crate::exit::Exit;
use crate::journal::{Noted, Page, Standing};
use crate::terminal;

/// What is noted of the last time that a chain was asked, or was not: it is said anew, or is not so any more.
const OF_CHAIN: [&str; 2] = ["chain_not_asked", "receipt_not_on_chain"];

/// Tells what came of a purchase, and closes its page in the journal: first the content, then the book.
pub fn tell(bought: Bought, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    match bought {
        Bought::Free(found) => free(&found, output, sink, story),
        Bought::Looked(looked) => {
            let exit = looked.exit();
            match output.form {
                Form::Json => terminal::result(&looked.to_json(exit).to_string()),
                Form::Text => looked.show(story),
            }
            Ok(exit)
        }
        Bought::Paid(paid) => ended(*paid, output, sink, story),
        Bought::NothingOpen => Ok(nothing_open(output, story)),
    }
}

/// Tells that there is nothing to go on with, which is what whoever asks wants to hear.
pub fn nothing_open(output: &Output, story: Story) -> Exit {
    let words = "nothing is open: every purchase has its end, and `x402-dev pay --list` shows them";
    let exit = Exit::Success;
    match output.form {
        Form::Json => {
            terminal::result(
                &json!({ "outcome": "nothing-open", "exit": exit.number(), "message": words }).to_string(),
            );
        }
        Form::Text => story.say(words),
    }
    exit
}

fn free(found: &Free, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    let Free { answer, led, known } = found;
    let exit = if answer.status.is_success() { Exit::Success } else { Exit::Failure };
    let misplaced = Asked::misplaced(answer);
    let words = match exit {
        Exit::Success => "no payment was asked for".to_owned(),
        _ => format!("{}; no payment was asked for, and nothing was signed", answer.status),
    };
    story.warn_of(led.iter().map(String::as_str));
    story.warn_of(misplaced.iter().map(|finding| finding.text.as_str()));
    match output.form {
        Form::Text => {
            sink.write(&head(answer, output.head), &answer.body)?;
            match exit {
                Exit::Success => story.step(&words),
                _ => story.say(&words),
            }
        }
        Form::Json => {
            let outcome = if exit == Exit::Success { "free" } else { "failed" };
            let mut said = answered(Some(answer), output, sink)?;
            said["outcome"] = json!(outcome);
            said["exit"] = json!(exit.number());
            said["message"] = json!(led.iter().cloned().chain([words]).collect::<Vec<_>>().join("; "));
            said["findings"] = json!(known.iter().chain(&misplaced).collect::<Vec<_>>());
            document(&said, Some(answer).filter(|_| output.file.is_none()))?;
        }
    }
    Ok(exit)
}

/// First the content, then the book: what was not handed over is not closed, and asked for again with `--resume`.
fn ended(paid: Paid, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    let Paid { told, mut page } = paid;
    let exit = told.end.exit();
    let delivered = told.answer.as_ref().filter(|_| told.end == End::Paid);
    keep(&mut page, &told);
    let words = told.end.words(&page.entry, told.receipt.as_ref());
    let handed = match (output.form, delivered) {
        (Form::Text, Some(answer)) => sink.write(&head(answer, output.head), &answer.body),
        (Form::Text, None) => Ok(()),
        (Form::Json, delivered) => answered(delivered, output, sink).and_then(|mut said| {
            said["outcome"] = json!(told.end.name());
            said["exit"] = json!(exit.number());
            said["message"] = json!(words.replace('\n', "; "));
            said["purchase"] = json!(page.entry.without_secrets());
            said["receipt"] = json!(told.receipt);
            said["chain"] = json!(told.chain);
            said["findings"] = json!(told.known.iter().chain(&told.findings).collect::<Vec<_>>());
            document(&said, delivered.filter(|_| output.file.is_none()))
        }),
    };
    // What has ended is written when its page is closed. That this is not written changes nothing of what is known.
    if page.entry.standing.is_some()
        && let Err(error) = page.save()
    {
        story.warn(&format!("what is known of the purchase was not written down: {error}"));
    }
    handed.map_err(|error| error.after(&page.entry))?;
    let entry = page.entry.clone();
    let closed = match entry.ending {
        Some(_) => page.close().map(drop).map_err(|error| PayError::from(error).after(&entry)),
        None => Ok(()),
    };
    story.warn_of(told.findings.iter().map(|finding| finding.text.as_str()));
    match exit {
        Exit::Unknown => story.fail(&words),
        _ => story.say(&words),
    }
    closed.map(|()| exit)
}

/// Notes what is known, for whoever asks later.
fn keep(page: &mut Page, told: &Presented) {
    if let Some(paid) = page.entry.last_mut() {
        renew(&mut paid.noted, told);
    }
    page.entry.ending = told.end.closes();
    page.entry.standing = told.end.statement().map(|words| Standing {
        outcome: told.end.name().to_owned(),
        words: words.lines().next().unwrap_or_default().to_owned(),
    });
}

/// Adds what was found to the notes. What was noted of the chain's words gives way to what it says now: to the same again, or
/// to the transaction that it shows. A node may know less than another before it: that withdraws nothing.
fn renew(noted: &mut Vec<Noted>, told: &Presented) {
    let found: Vec<Noted> = told.known.iter().chain(&told.findings).map(Noted::from).collect();
    let is_shown = told.chain.as_ref().is_some_and(|chain| chain.fate == Fate::Used && !chain.transactions.is_empty());
    let is_past = |own: &Noted| {
        OF_CHAIN.contains(&own.code.as_str()) && (is_shown || found.iter().any(|new| new.code == own.code))
    };
    noted.retain(|own| !is_past(own));
    let more: Vec<Noted> = found.into_iter().filter(|own| !noted.contains(own)).collect();
    noted.extend(more);
}

impl From<&Finding> for Noted {
    fn from(own: &Finding) -> Self {
        Self { code: own.code.to_owned(), text: own.text.clone() }
    }
}

/// Prints the document for programs, with the content of an answer as its last member: as text where it is text, else in
/// base64, and large content by and by.
fn document(said: &Value, content: Option<&Answer>) -> Result<(), PayError> {
    let mut text = said.to_string();
    sink::print(|out, _| {
        let Some(answer) = content else { return writeln!(out, "{text}") };
        // A member more in an object that has some.
        text.pop();
        if let Some(body) = answer.body.text() {
            return writeln!(out, "{text},\"body\":{}}}", json!(body));
        }
        write!(out, "{text},\"bodyBase64\":\"")?;
        let mut encoder = EncoderWriter::new(&mut *out, &STANDARD);
        answer.body.write_to(&mut encoder)?;
        encoder.finish()?;
        drop(encoder);
        writeln!(out, "\"}}")
    })
}

/// An answer for programs, without its content, which may be written into a file here.
fn answered(answer: Option<&Answer>, output: &Output, sink: &Sink) -> Result<Value, PayError> {
    let Some(answer) = answer else { return Ok(json!({ "status": null })) };
    let headers: serde_json::Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let mut said = json!({ "status": answer.status.as_u16(), "headers": headers });
    if let Some(file) = &output.file {
        sink.write(&head(answer, output.head), &answer.body)?;
        said["file"] = json!(file);
    }
    Ok(said)
}

/// The head of an answer, as curl shows it.
fn head(answer: &Answer, shown: Head) -> String {
    if shown == Head::Hidden {
        return String::new();
    }
    let mut text = format!("HTTP/1.1 {}\r\n", answer.status);
    for (name, value) in &answer.headers {
        text.extend([name.as_str(), ": ", &String::from_utf8_lossy(value.as_bytes()), "\r\n"]);
    }
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::pay::chain::State;
    use crate::commands::pay::sample::state;

    #[test]
    fn a_note_is_renewed_and_what_the_chain_does_not_say_any_more_is_dropped() {
        let codes = |noted: &[Noted]| noted.iter().map(|own| format!("{} {}", own.code, own.text)).collect::<Vec<_>>();
        let told = |findings: &[(&'static str, &str)], chain| Presented {
            findings: findings.iter().map(|(code, text)| Finding::new(code, (*text).to_owned())).collect(),
            chain,
            ..Presented::default()
        };
        let mut noted = Vec::new();
        let first = [("receipt_mismatch", "payer"), ("settled_twice", "a, b"), ("receipt_not_on_chain", "block 7")];
        renew(&mut noted, &told(&first, Some(state(Fate::Unused, 1))));
        assert_eq!(noted.len(), 3);
        let again = [("receipt_mismatch", "amount"), ("receipt_not_on_chain", "block 8")];
        renew(&mut noted, &told(&again, Some(state(Fate::Unused, 1))));
        let lagging =
            ["receipt_mismatch payer", "settled_twice a, b", "receipt_mismatch amount", "receipt_not_on_chain block 8"];
        assert_eq!(codes(&noted), lagging);
        // Who was not asked withdraws nothing, nor who knows less.
        for chain in [None, Some(state(Fate::Unused, 1)), Some(state(Fate::Used, 1))] {
            renew(&mut noted, &told(&[], chain));
            assert_eq!(codes(&noted), lagging);
        }
        let shown = State { transactions: vec!["a".to_owned()], ..state(Fate::Used, 1) };
        renew(&mut noted, &told(&[], Some(shown)));
        assert_eq!(codes(&noted), &lagging[..3]);
    }
}
