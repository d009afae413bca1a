//! `x402-dev pay`: curl for paid resources. It pays what is asked, once.
//!
//! | room | what it holds |
//! |---|---|
//! | [`order`] | what is to be done |
//! | [`address`], [`dial`], [`exchange`], [`content`], [`shop`] | requests: where, by which connection, with which answer, along redirects |
//! | [`asked`], [`choice`], [`bill`], [`objection`], [`limit`], [`table`], [`confirm`] | the offer, and what of it is paid |
//! | [`key`], [`authorization`], [`transfer`], [`authorized`] | who pays; the two places that sign; what was signed |
//! | [`buy`], [`deal`], [`present`], [`resume`] | a purchase from its beginning, until it is clear, and after a crash |
//! | [`verdict`], [`weight`], [`receipt`], [`chain`], [`logs`], [`cluster`], [`endpoint`], [`finding`], [`end`] | what answers, receipts and chains say, and what it comes to |
//! | [`load`], [`tally`] | many purchases at once, measured |
//! | [`story`], [`har`], `echoes`, [`sink`], [`report`], `outcome`, `looked` | how it is told |
//!
//! An authorization is in the journal ([`crate::journal`]) before it is sent, and there is at most one that lives for each
//! purchase. What is not clear is asked with the same one.

use std::io;

use serde_json::json;

use crate::clock::timestamp;
use crate::commands::door::columns;
use crate::commands::mock::{Form, home};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::journal::{Authorized, Entry, Journal};
use crate::terminal::{self, Colour};

pub mod address;
pub mod asked;
pub mod authorization;
pub mod authorized;
pub mod bill;
pub mod buy;
pub mod chain;
pub mod choice;
pub mod cluster;
pub mod confirm;
pub mod content;
pub mod deal;
pub mod dial;
mod echoes;
pub mod end;
pub mod endpoint;
pub mod error;
pub mod exchange;
pub mod finding;
pub mod har;
pub mod key;
pub mod limit;
pub mod load;
pub mod logs;
mod looked;
pub mod objection;
pub mod order;
mod outcome;
pub mod present;
pub mod receipt;
pub mod report;
pub mod resume;
#[cfg(test)]
mod sample;
pub mod shop;
pub mod sink;
pub mod story;
pub mod table;
pub mod tally;
pub mod transfer;
pub mod verdict;
pub mod weight;

pub use error::PayError;
use har::Trace;
use order::{Manners, Order, Output};
use resume::{How, Resume};
use shop::Shop;
use sink::Sink;
use story::{Story, safe};

/// How many purchases that have ended are listed.
const LISTED: usize = 50;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Job {
    /// Buy.
    Buy(Box<Order>),
    /// Go on with a purchase.
    Resume(Box<Resume>),
    /// Buy many times, and measure.
    Load(Box<load::Load>),
    /// List the purchases.
    List(Form),
}

/// Does the job. In JSON, a failure is said on stdout, too.
pub fn run(context: &Context, job: &Job) -> Result<Exit, Error> {
    let form = match job {
        Job::Buy(order) => order.output.form,
        Job::Resume(job) => job.output.form,
        Job::Load(job) => job.order.output.form,
        Job::List(form) => *form,
    };
    let outcome = match job {
        Job::Buy(order) => {
            on(context, &order.manners, &order.output, async |shop: &mut Shop| buy::buy(shop, order, context).await)
        }
        Job::Resume(job) if job.how == How::Forget => forget(context, job),
        Job::Resume(job) => {
            on(context, &job.manners, &job.output, async |shop: &mut Shop| resume::resume(shop, job, context).await)
        }
        Job::Load(job) => measure(context, job),
        Job::List(form) => list(context, *form),
    };
    if let (Err(error), Form::Json) = (&outcome, form) {
        let failure = crate::commands::mock::form::failure(&error.report(Colour::Off), error.exit());
        terminal::result(&failure.to_string());
    }
    outcome
}

/// Runs a purchase, and tells what came of it.
fn on(
    context: &Context,
    manners: &Manners,
    output: &Output,
    purchase: impl AsyncFnOnce(&mut Shop) -> Result<buy::Bought, PayError>,
) -> Result<Exit, Error> {
    let sink = Sink::open(&context.working_dir, output.file.as_deref())?;
    let trace = output.trace.as_ref().map(|file| Trace::open(context.working_dir.join(file))).transpose()?;
    let trace = trace.unwrap_or_default();
    let mut shop = Shop::new(context, &home(context)?, manners.clone(), output.voice, trace)?;
    let bought = runtime()?.block_on(purchase(&mut shop));
    // What is only told of the purchase does not change what came of it.
    if let Err((file, cause)) = shop.trace.save() {
        shop.story.warn(&format!("cannot write the trace to {}: {cause}", file.display()));
    }
    Ok(report::tell(bought?, output, &sink, shop.story)?)
}

fn measure(context: &Context, job: &load::Load) -> Result<Exit, Error> {
    let Order { manners, output, .. } = &job.order;
    let shop = Shop::new(context, &home(context)?, manners.clone(), output.voice, Trace::default())?;
    Ok(runtime()?.block_on(load::load(&shop, job, context))?)
}

fn forget(context: &Context, job: &Resume) -> Result<Exit, Error> {
    let shop = Shop::new(context, &home(context)?, job.manners.clone(), job.output.voice, Trace::default())?;
    let Some(entry) = resume::forget(&shop, job)? else { return Ok(report::nothing_open(&job.output, shop.story)) };
    let words = outcome::given_up(&entry, shop.now() / 1000);
    match job.output.form {
        Form::Json => terminal::result(
            &json!({ "outcome": "forgotten", "exit": 0, "message": words, "purchase": entry }).to_string(),
        ),
        Form::Text => Story { voice: job.output.voice }.say(&words),
    }
    Ok(Exit::Success)
}

/// The open purchases, and the last that have ended.
fn list(context: &Context, form: Form) -> Result<Exit, Error> {
    let journal = Journal::new(home(context)?.root());
    let waiting = journal.open_purchases().map_err(PayError::from)?;
    let history = journal.history(LISTED).map_err(PayError::from)?;
    let open: Vec<Entry> = waiting.iter().map(Entry::without_secrets).collect();
    match form {
        Form::Json => terminal::result(&json!({ "open": open, "ended": history }).to_string()),
        Form::Text => {
            let head = ["ID", "BEGAN", "REQUEST", "PRICE", "STATE"].map(str::to_owned).to_vec();
            let rows = open.iter().chain(&history).map(row);
            terminal::result(&columns(&[head].into_iter().chain(rows).collect::<Vec<_>>()));
        }
    }
    Ok(Exit::Success)
}

fn row(entry: &Entry) -> Vec<String> {
    let request = format!("{} {}", entry.errand.method, entry.errand.url);
    let price = entry.last().map(Authorized::asked).unwrap_or_default();
    let state = match entry.ending {
        Some(ending) => ending.words().to_owned(),
        None => format!("open: {}", entry.last().map(buy::state).unwrap_or_default()),
    };
    [entry.id.clone(), timestamp(entry.began), request, price, state].map(|cell| safe(&cell)).to_vec()
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let made: io::Result<_> = tokio::runtime::Builder::new_current_thread().enable_all().build();
    made.map_err(|source| Error::System { what: "no event loop", source })
}
