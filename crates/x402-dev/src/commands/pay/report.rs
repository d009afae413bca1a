//! What a purchase came to: content on stdout, the story on stderr, or one JSON document for programs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x402_sim::registry;
use x402_wire::amount::parse_atomic;

use super::buy::{Bought, Looked, Paid, Why};
use super::error::PayError;
use super::exchange::Answer;
use super::limit::price;
use super::order::{Head, Output};
use super::present::End;
use super::receipt::Receipt;
use super::sink::Sink;
use super::story::Story;
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
    }
}

fn free(answer: &Answer, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    let exit = if answer.status.is_success() { Exit::Success } else { Exit::Failure };
    if answer.status.is_redirection() {
        story.warn("a redirect, which is followed with -L");
    }
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
            terminal::result(&said.to_string());
        }
    }
    Ok(exit)
}

fn ended(paid: Paid, output: &Output, sink: &Sink, story: Story) -> Result<Exit, PayError> {
    let Paid { told, mut page } = paid;
    let exit = told.end.exit();
    let delivered = told.answer.as_ref().filter(|_| told.end == End::Paid);
    let mut said = match (output.form, delivered) {
        (Form::Text, Some(answer)) => {
            sink.write(&head(answer, output.head), &answer.body)?;
            Value::Null
        }
        (Form::Text, None) => Value::Null,
        (Form::Json, delivered) => answered(delivered, output, sink)?,
    };
    page.entry.ending = told.end.closes();
    let entry = if page.entry.ending.is_some() { page.close()? } else { page.entry };
    story.warn_of(told.findings.iter().map(|finding| finding.text.as_str()));
    story.say(&told.end.words(&entry, told.receipt.as_ref()));
    if output.form == Form::Json {
        said["outcome"] = json!(told.end.name());
        said["exit"] = json!(exit.number());
        said["message"] = json!(told.end.words(&entry, told.receipt.as_ref()));
        said["purchase"] = json!(entry.without_secrets());
        said["receipt"] = json!(told.receipt);
        said["chain"] = json!(told.chain);
        said["findings"] = json!(told.known.iter().chain(&told.findings).collect::<Vec<_>>());
        terminal::result(&said.to_string());
    }
    Ok(exit)
}

/// An answer for programs. The content is text where it is text, else base64; or a file.
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
        return Ok(said);
    }
    let unreadable = |source| PayError::System { what: "cannot read the content again", source };
    match String::from_utf8(answer.body.to_vec().map_err(unreadable)?) {
        Ok(text) => said["body"] = json!(text),
        Err(error) => said["bodyBase64"] = json!(STANDARD.encode(error.as_bytes())),
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
        let what = format!("{} to {} on {}", paid.price, paid.to, paid.network);
        match self {
            Self::Paid if paid.instrument == "invoice" => format!("paid {what}, by invoice"),
            Self::Paid => {
                let settled = receipt.and_then(|receipt| settled(receipt, paid));
                let what = settled.map_or(what.clone(), |settled| format!("{settled} of at most {what}"));
                match paid.transactions.as_slice() {
                    [] => format!("delivered for {what}, without a transaction"),
                    transactions => format!("paid {what}, transaction {}", transactions.join(", ")),
                }
            }
            Self::Refused(why) => {
                let until = super::verdict::until(paid);
                format!("refused: {why}; the seller says that {what} was not taken; it holds an authorization{until}")
            }
            Self::Unknown(statement) => format!(
                "outcome unknown: {statement}. Purchase {id}: ask again with `x402-dev pay --resume {id}`",
                id = entry.id
            ),
            Self::Unsent(why) => format!("nothing was sent: {why}; {what} was not paid"),
            Self::Void => format!("not paid: {what} was not settled, and cannot be any more"),
        }
    }
}

/// What was settled, where that is not what was signed.
fn settled(receipt: &Receipt, paid: &Authorized) -> Option<String> {
    let amount = receipt.amount.as_deref().filter(|amount| *amount != paid.amount).and_then(parse_atomic)?;
    let network = registry::networks().into_iter().find(|network| network.is_called(&paid.network));
    let asset = network.as_ref().and_then(|network| network.asset_by_address(&paid.asset));
    Some(price(amount, asset, &paid.asset))
}

impl Looked {
    const fn exit(&self) -> Exit {
        match self.why {
            Why::DryRun if self.chosen.is_some() || self.invoice.is_some() => Exit::Success,
            Why::DryRun | Why::NotAcceptable | Why::Declined => Exit::NotAcceptable,
        }
    }

    fn show(&self, story: Story) {
        let table = match &self.invoice {
            Some(invoice) => format!(
                "an invoice: {} {} to {} on {}, memo {}",
                invoice.amount, invoice.currency, invoice.recipient, invoice.network, invoice.memo
            ),
            None => table::offer(&self.candidates, self.chosen),
        };
        let text: Vec<String> = table.lines().map(super::story::safe).collect();
        match self.why {
            Why::DryRun => terminal::result(&text.join("\n")),
            Why::NotAcceptable => {
                story.say(&text.join("\n"));
                story.say("nothing of this is acceptable, and nothing was signed");
            }
            Why::Declined => story.say("declined; nothing was signed"),
        }
    }

    fn to_json(&self, exit: Exit) -> Value {
        let outcome = match self.why {
            Why::DryRun => "dry-run",
            Why::NotAcceptable => "not-acceptable",
            Why::Declined => "declined",
        };
        let offer: Vec<Value> = self.candidates.iter().map(|way| {
            json!({
                "requirements": way.entry, "price": way.price(), "network": way.network.as_ref().map(|network| &network.name),
                "asset": way.asset.as_ref().map(|asset| &asset.symbol), "objection": way.objection.as_ref().map(ToString::to_string),
            })
        }).collect();
        json!({ "outcome": outcome, "exit": exit.number(), "offer": offer, "chosen": self.chosen, "invoice": self.invoice })
    }
}
