//! What a purchase came to: content on stdout, the story on stderr, or one JSON document for programs.

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use serde_json::{Value, json};
use x402_sim::registry;
use x402_wire::amount::parse_atomic;

use super::asked::Asked;
use super::bill::Bill;
use super::buy::{Bought, Looked, Paid, Why};
use super::end::End;
use super::error::PayError;
use super::exchange::Answer;
use super::limit::price;
use super::order::{Head, Output};
use super::receipt::Receipt;
use super::sink::{self, Sink};
use super::story::{Story, safe};
use super::table;
use crate::commands::mock::Form;
use crate::exit::Exit;
use crate::journal::{Authorized, Entry};
use crate::terminal;

/// Tells what came of a purchase, and closes its page in the journal: first the content, then the book.
pub fn tell(bought: Bought, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    match bought {
        Bought::Free(answer) => free(&answer, output, sink, story),
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

fn free(answer: &Answer, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    let exit = if answer.status.is_success() { Exit::Success } else { Exit::Failure };
    if answer.status.is_redirection() {
        story.warn("a redirect, which is followed with -L");
    }
    let misplaced = Asked::misplaced(answer);
    story.warn_of(misplaced.iter().map(|finding| finding.text.as_str()));
    match output.form {
        Form::Text => {
            sink.write(&head(answer, output.head), &answer.body)?;
            story.step("no payment was asked for");
            if exit == Exit::Failure {
                story.say(&format!("{}; no payment was asked for, and nothing was signed", answer.status));
            }
        }
        Form::Json => {
            let outcome = if exit == Exit::Success { "free" } else { "failed" };
            let mut said = answered(Some(answer), output, sink)?;
            said["outcome"] = json!(outcome);
            said["exit"] = json!(exit.number());
            said["findings"] = json!(misplaced.iter().collect::<Vec<_>>());
            document(&said, Some(answer).filter(|_| output.file.is_none()))?;
        }
    }
    Ok(exit)
}

/// First the content, then the book: what was not handed over is not closed, and asked for again with `--resume`.
fn ended(paid: Paid, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    let Paid { told, mut page } = paid;
    let exit = told.end.exit();
    let words = told.end.words(&page.entry, told.receipt.as_ref());
    let delivered = told.answer.as_ref().filter(|_| told.end == End::Paid);
    page.entry.ending = told.end.closes();
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

impl End {
    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Paid => Exit::Success,
            Self::Refused(_) | Self::Void => Exit::Failure,
            Self::Unknown(_) => Exit::Unknown,
            Self::Unsent(_) => Exit::Unavailable,
        }
    }

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
            Self::Unsent(_) => "unsent",
            Self::Void => "not-paid",
        }
    }

    fn words(&self, entry: &Entry, receipt: Option<&Receipt>) -> String {
        let Some(paid) = entry.last() else { return self.name().to_owned() };
        let what = paid.what();
        match self {
            Self::Paid if paid.instrument == "invoice" => match &paid.transfer {
                Some(transfer) => format!("paid {what}, by invoice, transaction {}", transfer.signature),
                None => format!("paid {what}, by invoice"),
            },
            Self::Paid => {
                let settled = receipt.and_then(|receipt| settled(receipt, paid));
                let what = match settled {
                    Some(settled) => format!("{settled} of at most {}", paid.whole()),
                    None if receipt.is_some_and(|receipt| receipt.amount.is_some()) => paid.whole(),
                    None => what,
                };
                if paid.transactions.is_empty() {
                    format!("delivered for {what}, without a transaction")
                } else {
                    format!("paid {what}, transaction {}", paid.named())
                }
            }
            Self::Refused(why) => {
                let until = super::verdict::until(paid);
                let advice = advice(why, paid);
                format!(
                    "refused: {why}; the seller says that {what} was not taken; it holds an authorization{until}{advice}"
                )
            }
            Self::Unknown(statement) => {
                let next = "asks again with the same authorization, and with `--rpc URL` asks the chain";
                format!("outcome unknown: {statement}\nnext: `x402-dev pay --resume {}` {next}", entry.id)
            }
            Self::Unsent(why) => format!("nothing was sent: {why}; {what} was not paid"),
            Self::Void => format!("not paid: {what} was not settled, and cannot be any more"),
        }
    }
}

/// What the payer can do about a refusal, as the rest of a sentence.
fn advice(why: &str, paid: &Authorized) -> String {
    if !why.contains("allowance") {
        return String::new();
    }
    let Authorized { from, network, asset, .. } = paid;
    format!(
        "\nPermit2 may not move the payer's tokens yet. At a mock: `x402-dev approve {from} --network {network} --asset \
         {asset}`; on a real chain the payer sends `approve` to the token once"
    )
}

/// What was settled, where that is not what was signed.
fn settled(receipt: &Receipt, paid: &Authorized) -> Option<String> {
    let amount = receipt.amount.as_deref().filter(|amount| *amount != paid.amount).and_then(parse_atomic)?;
    let network = registry::networks().into_iter().find(|network| network.is_called(&paid.network));
    let asset = network.as_ref().and_then(|network| network.asset_by_address(&paid.asset));
    Some(price(amount, asset, &paid.asset))
}

impl Looked {
    fn exit(&self) -> Exit {
        match self.why {
            Why::DryRun if self.chosen.is_some() || self.bill.as_ref().is_some_and(|bill| bill.objection.is_none()) => {
                Exit::Success
            }
            Why::DryRun | Why::NotAcceptable | Why::Declined | Why::Unanswered => Exit::NotAcceptable,
        }
    }

    fn show(&self, story: Story) {
        let table = match &self.bill {
            Some(bill) => bill.shown(),
            None => table::offer(&self.candidates, self.chosen),
        };
        let text: Vec<String> = table.lines().map(safe).collect();
        match self.why {
            Why::DryRun => terminal::result(&text.join("\n")),
            Why::NotAcceptable => {
                story.say(&text.join("\n"));
                story.say("nothing of this is acceptable, and nothing was signed");
            }
            Why::Declined => story.say("declined; nothing was signed"),
            Why::Unanswered => story.say("nobody answered, as stdin has ended: that is a no, and nothing was signed"),
        }
    }

    fn to_json(&self, exit: Exit) -> Value {
        let outcome = match self.why {
            Why::DryRun => "dry-run",
            Why::NotAcceptable => "not-acceptable",
            Why::Declined => "declined",
            Why::Unanswered => "unanswered",
        };
        let offer: Vec<Value> = self.candidates.iter().map(|way| {
            json!({
                "requirements": way.entry, "price": way.price(), "network": way.network.as_ref().map(|network| &network.name),
                "asset": way.asset.as_ref().map(|asset| &asset.symbol), "objection": way.objection.as_ref().map(ToString::to_string),
            })
        }).collect();
        json!({ "outcome": outcome, "exit": exit.number(), "offer": offer, "chosen": self.chosen, "invoice": self.bill.as_ref().map(|bill| &bill.invoice), "bill": self.bill.as_ref().map(Bill::to_json) })
    }
}
