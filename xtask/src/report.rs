//! A step with its time and outcome, and the table that closes a run.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::tally::Tally;
use crate::terminal;

/// A step that takes longer than this says that it is still at work, each time.
const PULSE: Duration = Duration::from_mins(1);

/// How a step that did not fail ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done; the text says how, and may be empty.
    Done(String),
    /// Not done, because of this.
    Skipped(String),
}

/// What a run has done so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    tally: Tally,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Row {
    step: &'static str,
    time: Duration,
    outcome: String,
}

impl Report {
    /// Takes a step: announces it, measures it, and keeps what came of it.
    pub(crate) fn step(
        &mut self,
        step: &'static str,
        work: impl FnOnce() -> Result<Outcome, Failure>,
    ) -> Result<(), Failure> {
        terminal::line(&format!("\n== {step}"));
        let pulse = Pulse::start(step);
        let end = self.take(step, work);
        drop(pulse);
        if let Some(row) = self.rows.last() {
            terminal::line(&row.outcome);
        }
        end
    }

    /// Takes a step that runs tests. One that ran none proves nothing, and is a failure.
    pub(crate) fn tests(
        &mut self,
        step: &'static str,
        work: impl FnOnce(&mut Tally) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut tally = Tally::default();
        let end = self.step(step, || {
            work(&mut tally)?;
            proven(tally)
        });
        self.tally.add(tally);
        end
    }

    /// Keeps a sentence that must not be overlooked: it is said again at the end.
    pub(crate) fn warn(&mut self, sentence: &str) {
        self.warnings.push(sentence.to_owned());
    }

    /// Prints the table, what must not be overlooked, and the sum of the tests as the last line.
    pub(crate) fn close(&self, end: &Result<(), Failure>) -> ExitCode {
        terminal::line(&format!("\n{}", self.table()));
        for warning in &self.warnings {
            terminal::line(warning);
        }
        if let Err(failure) = end {
            terminal::line(&format!("FAILED at {failure}."));
        }
        terminal::line(&self.tally.to_string());
        if end.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Measures a step, and keeps what came of it.
    fn take(&mut self, step: &'static str, work: impl FnOnce() -> Result<Outcome, Failure>) -> Result<(), Failure> {
        let start = Instant::now();
        let end = work();
        let outcome = match &end {
            Ok(Outcome::Done(how)) if how.is_empty() => "ok".to_owned(),
            Ok(Outcome::Done(how)) => format!("ok: {how}"),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Err(_) => "FAILED".to_owned(),
        };
        self.rows.push(Row { step, time: start.elapsed(), outcome });
        end.map(drop).map_err(|failure| Failure::new(format!("{step}: {failure}")))
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.step.len()).max().unwrap_or(0).max("step".len());
        let mut table = format!("{:width$}  {:>8}  outcome\n", "step", "seconds");
        for Row { step, time, outcome } in &self.rows {
            writeln!(table, "{step:width$}  {:>8.1}  {outcome}", time.as_secs_f64())
                .expect("writing to a string cannot fail");
        }
        let total: Duration = self.rows.iter().map(|row| row.time).sum();
        writeln!(table, "{:width$}  {:>8.1}", "total", total.as_secs_f64()).expect("writing to a string cannot fail");
        table
    }
}

fn proven(tally: Tally) -> Result<Outcome, Failure> {
    if tally.is_empty() {
        return Err(Failure::new("no test was run"));
    }
    Ok(Outcome::Done(tally.to_string()))
}

/// Says every [`PULSE`] that a step is still at work, until it is dropped.
struct Pulse {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    fn start(step: &'static str) -> Self {
        let (sender, receiver) = channel::<()>();
        let begun = Instant::now();
        let thread = std::thread::spawn(move || {
            while receiver.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                terminal::line(&format!("... {step}: at work for {} s", begun.elapsed().as_secs()));
            }
        });
        Self { stop: Some(sender), thread: Some(thread) }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_row_and_a_failure_names_its_step() {
        let mut report = Report::default();
        report.take("first", || Ok(Outcome::Done(String::new()))).unwrap();
        report.take("second", || Ok(Outcome::Skipped("nothing to do".to_owned()))).unwrap();
        let failure = report.take("third", || Err(Failure::new("it broke"))).unwrap_err();
        assert_eq!(failure.to_string(), "third: it broke");
        let outcomes: Vec<_> = report.rows.iter().map(|row| row.outcome.as_str()).collect();
        assert_eq!(outcomes, ["ok", "skipped: nothing to do", "FAILED"]);
        assert_eq!(report.table().lines().count(), 5);
    }

    #[test]
    fn no_test_at_all_is_a_failure() {
        let mut tally = Tally::default();
        assert!(proven(tally).is_err());
        tally.read_cargo("test result: ok. 2 passed; 0 failed; 0 ignored");
        assert_eq!(proven(tally).unwrap(), Outcome::Done("2 passed, 0 failed".to_owned()));
    }
}
