//! A closed or full pipe never harms or stalls the server.

use rustix::process::Signal;

use crate::client::Request;
use crate::harness::{Mock, Stream, Test};
use crate::payer::{Payment, encoded};

/// Sends many unpaid requests over one connection, in batches, and reads every answer.
fn many_requests(mock: &Mock, number: usize) {
    let mut connection = mock.connect();
    let batch = Request::new("HEAD", "/a/path/that/fills/the/log").bytes().repeat(50);
    for _ in 0..number / 50 {
        connection.write(&batch);
        for _ in 0..50 {
            connection.read_head().assert_status(402);
        }
    }
}

fn sells(mock: &Mock) {
    let payment = encoded(&Payment::of(&mock.asked("/a")).v2());
    mock.send(&Request::get("/a").header("PAYMENT-SIGNATURE", payment)).assert_status(200);
    mock.assert_serves();
}

#[test]
fn a_closed_stdout_harms_nothing() {
    let mut mock = Test::new().arg("--json").stdout(Stream::Closed).start_without_json();
    sells(&mock);
    mock.stop(Signal::TERM);
}

#[test]
fn a_closed_stderr_harms_nothing() {
    let mut mock = Test::new().stderr(Stream::Closed).start();
    many_requests(&mock, 500);
    sells(&mock);
    mock.stop(Signal::TERM);
}

#[test]
fn a_full_stderr_that_nobody_reads_stalls_nothing() {
    let mut mock = Test::new().stderr(Stream::Unread).start();
    // 64 KiB of pipe and 4,096 lines of queue are full before the end.
    many_requests(&mock, 7_000);
    sells(&mock);
    mock.stop(Signal::TERM);
}

#[test]
fn a_full_terminal_in_verbose_json_stalls_nothing() {
    let mut mock = Test::new().arg("--verbose").arg("--log-format").arg("json").stderr(Stream::Unread).start();
    many_requests(&mock, 7_000);
    sells(&mock);
    mock.stop(Signal::INT);
}

#[test]
fn a_full_stdout_that_nobody_reads_keeps_nothing_from_its_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut mock = Test::new().arg("--json").stdout(Stream::Full).start_without_json();
        sells(&mock);
        mock.stop(signal);
    }
}

#[test]
fn events_that_nobody_can_keep_are_a_failure() {
    let mock = Test::new().start();
    mock.get("/a");
    for command in [&["events"][..], &["events", "--json"], &["events", "-f"]] {
        let run = Test::new().stdout(Stream::NoSpace).run(&[command, &["--url", &mock.url]].concat());
        assert_eq!(run.code, Some(1), "{command:?}: {run:?}");
        assert!(run.stderr.starts_with("error: cannot write the result: No space left"), "{command:?}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{command:?}: {run:?}");
        // Whoever has read enough is no failure.
        let run = Test::new().stdout(Stream::Closed).run(&[command, &["--url", &mock.url]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{command:?}");
    }
}
