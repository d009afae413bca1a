//! `events`: what happened, and what happens.

use std::io::{self, BufWriter, Write};

use http::Method;
use serde::Deserialize;
use x402_sim::event::Filter;

use super::door::{Door, DoorError};
use super::mock::Form;
use crate::clock::timestamp;
use crate::context::Context;
use crate::doors::admin::client::{Flow, Question, Remote};
use crate::doors::admin::routes::events::Page;
use crate::error::Error;
use crate::exit::Exit;
use crate::terminal;

/// How large a page is asked for.
const PAGE: u64 = 1_000;

/// Which events.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Filters: `kind=settled payer=alice`.
    pub filters: Vec<String>,
    /// Those after this sequence number.
    pub since: u64,
    /// Whether to go on as they happen.
    pub follow: Follow,
}

/// Whether to go on as events happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Until somebody ends it.
    Yes,
    /// What there is.
    No,
}

/// What a line for people needs of an event.
#[derive(Debug, Deserialize)]
struct Seen {
    sequence: u64,
    at: u64,
    summary: String,
}

/// What could not be told.
#[derive(Debug, Deserialize)]
struct Gap {
    missed: Option<u64>,
}

/// Prints events.
pub fn run(context: &Context, door: &Door, wish: &Wish) -> Result<Exit, Error> {
    door.run(|| {
        let query = query(&wish.filters).map_err(DoorError::Filter)?;
        let remote = door.open(context)?;
        match wish.follow {
            Follow::No => pages(&remote, door.form, wish.since, &query),
            Follow::Yes => follow(&remote, door.form, wish.since, &query),
        }
    })
}

fn query(filters: &[String]) -> Result<String, x402_sim::event::FilterError> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for filter in filters {
        query.extend_pairs(Filter::split(filter)?);
    }
    Ok(query.finish())
}

fn pages(remote: &Remote, form: Form, since: u64, query: &str) -> Result<Exit, Error> {
    let mut next = since;
    loop {
        let path = format!("/events?since={next}&limit={PAGE}&{query}");
        let page: Page = remote.get(path.trim_end_matches('&')).map_err(DoorError::from)?;
        if page.missed > 0 && next > 0 {
            tell_gap(Some(page.missed));
        }
        let printed = print(page.events.iter().map(|event| event.get()), form);
        if printed == Flow::Enough || page.next >= page.newest {
            return Ok(Exit::Success);
        }
        next = page.next;
    }
}

fn follow(remote: &Remote, form: Form, since: u64, query: &str) -> Result<Exit, Error> {
    let path = format!("/_x402/events?since={since}&{query}");
    let question = Question { method: Method::GET, path: path.trim_end_matches('&').to_owned(), body: None };
    let mut unread = Vec::new();
    let mut take = |bytes: &[u8]| {
        unread.extend_from_slice(bytes);
        // Half a line is read when it is whole.
        let whole = unread.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let rest = unread.split_off(whole);
        let lines = String::from_utf8_lossy(&unread).into_owned();
        unread = rest;
        Ok(speak(&lines, form))
    };
    remote.stream(question, &mut take).map_err(DoorError::from)?;
    Ok(Exit::Success)
}

/// Prints what came over the stream. A gap is data with another shape than an event's.
fn speak(lines: &str, form: Form) -> Flow {
    let data: Vec<&str> = lines.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    for gap in data.iter().filter(|data| !data.contains("\"sequence\":")) {
        tell_gap(serde_json::from_str::<Gap>(gap).ok().and_then(|gap| gap.missed));
    }
    print(data.into_iter().filter(|data| data.contains("\"sequence\":")), form)
}

fn tell_gap(missed: Option<u64>) {
    terminal::error(&match missed {
        Some(missed) => format!("({missed} events were missed: the server keeps only the newest)"),
        None => "(the server has begun anew: so have its events)".to_owned(),
    });
}

/// Prints events, as long as somebody listens: a closed pipe ends even what would go on for ever.
fn print<'a>(mut events: impl Iterator<Item = &'a str>, form: Form) -> Flow {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let printed = events.try_for_each(|event| match form {
        Form::Json => writeln!(stdout, "{event}"),
        Form::Text => writeln!(stdout, "{}", line(event)),
    });
    match printed.and_then(|()| stdout.flush()) {
        Ok(()) => Flow::More,
        Err(cause) => {
            terminal::lose(&cause);
            Flow::Enough
        }
    }
}

fn line(event: &str) -> String {
    match serde_json::from_str::<Seen>(event) {
        Ok(Seen { sequence, at, summary }) => {
            format!("{sequence:>6}  {}  {}", timestamp(at), terminal::safe(&summary))
        }
        Err(_) => event.to_owned(),
    }
}
