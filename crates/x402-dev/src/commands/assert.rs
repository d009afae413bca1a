//! `assert`: whether something holds for a purchase. For tests in a shell: the exit code says it, with the evidence.

use serde_json::json;
use x402_sim::assert::{AssertError, Assertion};
use x402_sim::purchase::Listed;

use super::door::{Door, DoorError};
use super::mock::Form;
use super::purchases::{all, evidence, one};
use crate::context::Context;
use crate::doors::admin::client::Remote;
use crate::doors::admin::routes::purchases::Told;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

/// How many purchases for which it does not hold are shown.
const SHOWN: usize = 3;

/// A text that is no assertion, drawn with a caret.
#[derive(Debug, thiserror::Error)]
#[error("{error}\n{}", error.draw(source_text))]
pub struct BadAssertion {
    /// The text.
    pub source_text: String,
    /// What is wrong.
    pub error: AssertError,
}

/// What came of it for the purchases.
struct Outcome {
    /// For how many it was asked.
    asked: usize,
    /// Those for which it does not hold, each with why.
    failed: Vec<(Listed, String)>,
}

/// Asserts something of a purchase, of the newest (`last`), or of `all`.
pub fn run(context: &Context, door: &Door, expression: &str, wanted: &str) -> Result<Exit, Error> {
    door.run(|| {
        let assertion: Assertion = expression
            .parse()
            .map_err(|error| BadAssertion { source_text: expression.to_owned(), error })
            .map_err(DoorError::Assertion)?;
        let remote = door.open(context)?;
        let purchases = match wanted {
            "all" => all(&remote).map_err(DoorError::from)?.purchases,
            id => vec![one(&remote, id).map_err(DoorError::from)?.purchase],
        };
        let outcome = Outcome::of(&assertion, purchases);
        let told = outcome.evidence(&remote)?;
        terminal::result(&match door.form {
            Form::Text => text(&assertion, expression, &outcome, &told),
            Form::Json => {
                json!({ "holds": outcome.holds(), "asked": outcome.asked, "failed": outcome.failed.len(), "evidence": told })
                    .to_string()
            }
        });
        Ok(if outcome.holds() { Exit::Success } else { Exit::Failure })
    })
}

impl Outcome {
    fn of(assertion: &Assertion, purchases: Vec<Listed>) -> Self {
        let asked = purchases.len();
        let failed = purchases.into_iter().filter_map(|purchase| {
            let why = match assertion.holds(&purchase) {
                Ok(true) => return None,
                Ok(false) => told(assertion, &purchase),
                Err(incomparable) => incomparable.to_string(),
            };
            Some((purchase, why))
        });
        Self { asked, failed: failed.collect() }
    }

    /// Of nothing nothing holds: a test that saw no purchase has shown nothing.
    const fn holds(&self) -> bool {
        self.asked > 0 && self.failed.is_empty()
    }

    /// The first purchases for which it does not hold, with their events.
    fn evidence(&self, remote: &Remote) -> Result<Vec<Told>, Error> {
        let shown = self.failed.iter().take(SHOWN);
        let told = shown.map(|(purchase, _)| one(remote, &purchase.id).map_err(DoorError::from));
        Ok(told.collect::<Result<_, _>>()?)
    }
}

/// What the purchase says of what is asked: `settlements is 2`.
fn told(assertion: &Assertion, purchase: &Listed) -> String {
    let fields = assertion.fields();
    let told = fields.iter().map(|field| format!("{} is {}", field.name(), terminal::safe(&field.told(purchase))));
    told.collect::<Vec<_>>().join(", ")
}

fn text(assertion: &Assertion, expression: &str, outcome: &Outcome, evidence_of: &[Told]) -> String {
    let expression = terminal::safe(expression);
    if outcome.asked == 0 {
        return format!("failed: {expression}\nthere is no purchase yet; only a request with a payment makes one");
    }
    if outcome.holds() {
        let fields = assertion.fields().len();
        let of = if outcome.asked == 1 { String::new() } else { format!(" for {} purchases", outcome.asked) };
        debug_assert!(fields > 0, "every assertion asks for something");
        return format!("holds: {expression}{of}");
    }
    let mut lines = vec![format!("failed: {expression}")];
    for (purchase, why) in outcome.failed.iter().take(SHOWN) {
        lines.push(format!("{}: {why}", purchase.id));
    }
    if outcome.asked > 1 {
        lines.push(format!("it does not hold for {} of {} purchases", outcome.failed.len(), outcome.asked));
    }
    lines.extend(evidence_of.iter().map(|told| format!("\n{}", evidence(told))));
    lines.join("\n")
}
