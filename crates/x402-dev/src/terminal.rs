//! All output. stdout holds results, stderr all the rest; neither can ever stall the server.
//!
//! Lines for stderr go through a bounded queue to a thread of their own. When nobody reads the pipe, the queue fills up,
//! further lines are counted and dropped, and the next line that finds room says how many are missing.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use x402_sim::event::{Event, Kind};

use crate::clock::{self, timestamp};
use crate::config::{Log, LogFormat, LogLevel};
use crate::context::Context;
use crate::instance::log::LogFile;

mod safe;

pub use safe::{safe, safe_json};

/// How many lines wait for a slow reader before the first is dropped.
const QUEUE: usize = 4096;

/// How long the end of the program waits for a slow reader.
const FLUSH: Duration = Duration::from_millis(200);

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// For a person at a terminal.
    On,
    /// For a file, a pipe, or under `NO_COLOR`.
    Off,
}

/// Where lines go.
#[derive(Debug)]
pub enum Sink {
    /// To stderr, with the time of day.
    Stderr,
    /// To a log file, with date and time.
    File(LogFile),
}

/// How a line says when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    TimeOfDay,
    Full,
}

/// Writes to stderr or a log file without ever waiting.
#[derive(Debug)]
pub struct Terminal {
    log: Mutex<Log>,
    colour: Colour,
    stamp: Stamp,
    lines: Mutex<Option<SyncSender<String>>>,
    drained: Mutex<Receiver<()>>,
    dropped: Arc<AtomicU64>,
}

impl Colour {
    /// Colours for a terminal, unless `NO_COLOR` is set.
    pub fn detect(context: &Context) -> Self {
        let wanted = context.variable("NO_COLOR").is_none() && io::stderr().is_terminal();
        if wanted { Self::On } else { Self::Off }
    }

    /// A text in bold, faint or a colour, by its SGR code.
    fn paint(self, code: u8, text: &str) -> String {
        match self {
            Self::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

impl Terminal {
    /// A terminal with a thread that writes.
    pub fn new(log: Log, colour: Colour, sink: Sink) -> Self {
        let stamp = if matches!(sink, Sink::File(_)) { Stamp::Full } else { Stamp::TimeOfDay };
        let (sender, lines) = mpsc::sync_channel::<String>(QUEUE);
        let (done, drained) = mpsc::channel();
        let dropped = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&dropped);
        std::thread::spawn(move || {
            sink.write_all(&lines, &missing);
            // The other end is gone when nobody waits for the last line.
            let _ = done.send(());
        });
        Self {
            log: Mutex::new(log),
            colour,
            stamp,
            lines: Mutex::new(Some(sender)),
            drained: Mutex::new(drained),
            dropped,
        }
    }

    /// Says something that is no event: banner, warnings. Silent when quiet.
    pub fn say(&self, text: &str) {
        if self.log().level != LogLevel::Quiet {
            self.notice(text);
        }
    }

    /// Says something that only those who look for a fault want to know.
    pub fn remark(&self, text: &str) {
        if self.log().level == LogLevel::Verbose {
            self.notice(text);
        }
    }

    /// Says something that must be said, also when quiet: a panic.
    pub fn notice(&self, text: &str) {
        self.send(match (self.log().format, self.stamp) {
            (LogFormat::Json, _) => json!({ "at": clock::now(), "kind": "note", "message": text }).to_string(),
            (LogFormat::Text, Stamp::TimeOfDay) => text.to_owned(),
            (LogFormat::Text, Stamp::Full) => format!("{} {text}", timestamp(clock::now())),
        });
    }

    /// Prints another amount in another form from now on.
    pub fn set_log(&self, log: Log) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = log;
    }

    fn log(&self) -> Log {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One line for an event, where its level asks for one, with a remark for people.
    pub fn event(&self, event: &Event, remark: Option<&str>) {
        if self.wants(event.kind) {
            self.send(match self.log().format {
                LogFormat::Json => serde_json::to_string(event).expect("events have string keys"),
                LogFormat::Text => self.line(event, remark),
            });
        }
    }

    /// Whether events of this kind are printed.
    pub fn wants(&self, kind: Kind) -> bool {
        match self.log().level {
            LogLevel::Quiet => false,
            LogLevel::Verbose => true,
            // What goes on after a payment as it should is said by its settlement.
            LogLevel::Normal => !matches!(kind, Kind::Verified | Kind::Delivered),
        }
    }

    /// Waits a moment for the last lines to be written. What is said afterwards is lost.
    pub fn close(&self) {
        drop(self.lines.lock().map(|mut lines| lines.take()));
        if let Ok(drained) = self.drained.lock() {
            let _ = drained.recv_timeout(FLUSH);
        }
    }

    fn send(&self, line: String) {
        let Ok(lines) = self.lines.lock() else { return };
        if lines.as_ref().is_some_and(|lines| lines.try_send(line).is_err()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn line(&self, event: &Event, remark: Option<&str>) -> String {
        let facts = &event.facts;
        let time = match self.stamp {
            Stamp::TimeOfDay => self.colour.paint(2, &time_of_day(event.at)),
            Stamp::Full => timestamp(event.at),
        };
        let request = match (&facts.method, &facts.path) {
            (Some(method), Some(path)) => format!("{method} {}", safe(path)),
            _ => "-".to_owned(),
        };
        let code = match event.kind {
            Kind::Settled | Kind::Delivered => 32,
            Kind::Offered | Kind::Verified | Kind::Changed => 36,
            Kind::Pending | Kind::Faulted => 33,
            Kind::Undecodable
            | Kind::Refused
            | Kind::SettleFailed
            | Kind::NotSettled
            | Kind::TimedOut
            | Kind::Undone
            | Kind::NotDelivered => 31,
        };
        let mut line = format!("{time} {request}  {}", self.colour.paint(code, event.kind.words()));
        let mut add = |label: &str, value: Option<&str>| {
            if let Some(value) = value {
                line.push_str("  ");
                line.push_str(label);
                line.push_str(&safe(value));
            }
        };
        add("", facts.amount.as_deref());
        add("from ", facts.payer.as_deref());
        add("tx ", facts.transaction.as_deref());
        add("", facts.reason.as_deref());
        add("- ", facts.message.as_deref());
        add("- ", remark);
        add("simulated: ", facts.simulated);
        line
    }
}

impl Sink {
    /// Writes lines until the queue is closed. A closed pipe or a full disk ends nothing: the queue is read on, so that
    /// it stays empty.
    fn write_all(self, lines: &Receiver<String>, dropped: &AtomicU64) {
        let mut sink = self;
        while let Ok(mut line) = lines.recv() {
            let missing = dropped.swap(0, Ordering::Relaxed);
            if missing > 0 {
                let note = format!("{missing} lines were dropped: nobody read them");
                line = if line.starts_with('{') {
                    format!("{}\n{line}", json!({ "kind": "note", "message": note }))
                } else {
                    format!("({note})\n{line}")
                };
            }
            line.push('\n');
            let _ = match &mut sink {
                Self::Stderr => io::stderr().lock().write_all(line.as_bytes()),
                Self::File(file) => file.write(&line),
            };
        }
    }
}

/// Whether a result could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes a result to stdout. A closed pipe is no error: its reader has seen enough. Whatever else goes wrong, such as a
/// full disk, is said once, and the program ends with a failure; see [`is_lost`].
pub fn result(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
    if let Err(cause) = written {
        lose(&cause);
    }
}

/// Why stdout took no more of a result: whether that is an error, and what is said of it, is told at [`result`].
pub fn lose(cause: &io::Error) {
    if cause.kind() != io::ErrorKind::BrokenPipe && !LOST.swap(true, Ordering::Relaxed) {
        error(&format!("error: cannot write the result: {cause}"));
    }
}

/// Whether a result could not be written, although somebody wanted it.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes an error to stderr, before or after the life of a [`Terminal`].
pub fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

/// `hh:mm:ss.mmm` in UTC.
fn time_of_day(milliseconds: u64) -> String {
    let (seconds, millis) = (milliseconds / 1000 % 86_400, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_told_to_the_millisecond() {
        assert_eq!(time_of_day(86_399_999), "23:59:59.999");
    }
}
