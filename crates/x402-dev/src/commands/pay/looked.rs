//! How an offer is told of that was looked at, and not paid.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::bill::Bill;
use super::buy::{Looked, Why};
use super::error::explained;
use super::objection::Objection;
use super::story::{Story, safe};
use super::table;
use crate::exit::Exit;
use crate::terminal;

impl Looked {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self.why {
            Why::DryRun if self.chosen.is_some() || self.bill.as_ref().is_some_and(|bill| bill.objection.is_none()) => {
                Exit::Success
            }
            Why::DryRun | Why::NotAcceptable | Why::Declined | Why::Unanswered => Exit::NotAcceptable,
        }
    }

    /// Why nothing is acceptable, on one line.
    pub fn objections(&self) -> String {
        let of_offer = self.candidates.iter().filter_map(|way| way.objection.as_ref());
        let of_bill = self.bill.iter().filter_map(|bill| bill.objection.as_ref());
        let said: BTreeSet<String> = of_offer.chain(of_bill).map(Objection::with_remedy).collect();
        let said: Vec<String> = said.into_iter().collect();
        format!("nothing acceptable is offered, and nothing was signed: {}", said.join("; "))
    }

    /// Shows it to people.
    pub fn show(&self, story: Story) {
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
                if self.candidates.iter().filter_map(|way| way.objection.as_ref()).any(Objection::blames_the_offer) {
                    story.say(&explained(&self.url));
                }
            }
            Why::Declined => story.say("declined; nothing was signed"),
            Why::Unanswered => story.say("nobody answered, as stdin has ended: that is a no, and nothing was signed"),
        }
    }

    /// The same for programs.
    pub fn to_json(&self, exit: Exit) -> Value {
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
