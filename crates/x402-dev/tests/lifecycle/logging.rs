//! `mock logs`, and the log file under load.

use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::client::Request;
use crate::site::{Proc, Site, Up, eventually, exists};

/// Sends numbered unpaid requests and reads every answer.
fn ask(up: &Up, numbers: std::ops::Range<usize>, filler: &str) {
    let mut connection = up.connect();
    let numbers: Vec<_> = numbers.collect();
    for batch in numbers.chunks(40) {
        let requests = batch.iter().map(|number| Request::new("HEAD", format!("/n{number}/{filler}")).bytes());
        connection.write(&requests.collect::<Vec<_>>().concat());
        for _ in batch {
            connection.read_head().assert_status(402);
        }
    }
}

#[test]
fn a_log_that_nobody_can_keep_is_a_failure() {
    let site = Site::new();
    let up = site.detach("");
    ask(&up, 0..3, "");
    for command in ["logs", "logs --json", "logs -f"] {
        let run = site.shell(&format!("exec \"$BIN\" mock {command} > /dev/full"));
        run.assert(1);
        assert!(run.err.starts_with("error: cannot write the result: No space left"), "{command}: {run:?}");
    }
    // Whoever has read enough is no failure.
    assert_eq!(site.shell("(\"$BIN\" mock logs; echo $? >&2) | true").err.trim(), "0");
}

#[test]
fn a_log_is_shown_by_number_and_by_age() {
    let site = Site::new();
    let up = site.detach("");
    ask(&up, 0..300, "");
    eventually("the last line is written", || site.mock("logs -n 1").out.contains("/n299/"));
    assert_eq!(site.mock("logs").assert(0).out.lines().count(), 100);
    let last = site.mock("logs -n 3");
    last.assert(0).says(&["/n297/", "/n298/", "/n299/"]);
    assert_eq!(last.out.lines().count(), 3);
    assert_eq!(site.mock("logs -n 0").assert(0).out, "");
    let all = site.mock("logs -n 100000");
    all.assert(0).says(&["is listening on", "curl ", "/n0/", "/n299/"]);
    assert_eq!(site.mock("logs -n 100000 --since 1h").assert(0).out, all.out);
    assert_eq!(site.mock("logs --since 0ms").assert(0).out, "");
    // The log outlives its server.
    site.mock("stop").assert(0);
    site.mock("logs -n 1").assert(0).says(&["stopping: SIGTERM was received"]);
}

#[test]
fn in_json_every_line_is_an_object() {
    let site = Site::new();
    for format in ["text", "json"] {
        let up = site.detach(&format!("--log-format {format}"));
        ask(&up, 0..5, "");
        site.mock("stop").assert(0);
        let run = site.mock("logs -n 6 --json");
        for line in run.assert(0).out.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["text"].is_string() || line["at"].is_u64(), "{line}");
        }
        assert!(!site.mock("logs -n 6 --since 1h").assert(0).out.is_empty(), "{format}");
        assert_eq!(site.mock("logs -n 6 --since 0ms").assert(0).out, "", "{format}");
    }
}

#[test]
fn a_followed_log_ends_with_its_reader() {
    let site = Site::new();
    let up = site.detach("");
    let started = Instant::now();
    let mut command = site.program("sh");
    command.args(["-c", r#""$BIN" mock logs -f -n 0 | head -n 1"#]);
    let follower = Proc::spawn(command);
    let done = std::sync::atomic::AtomicBool::new(false);
    let run = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) && started.elapsed() < Duration::from_secs(15) {
                ask(&up, 0..1, "");
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        let run = follower.wait();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        run
    });
    run.assert(0).says(&["/n0/"]);
}

#[test]
fn under_load_no_line_is_lost_or_split_also_by_a_follower() {
    const ASKED: usize = 14_000;
    let site = Site::new();
    let up = site.detach("");
    let follower = Proc::spawn(site.command(&["mock", "logs", "-f", "-n", "0"]));
    // It follows once it shows a line.
    let mut first = 0;
    eventually("the follower follows", || {
        ask(&up, 1_000_000 + first..1_000_001 + first, "");
        first += 1;
        follower.out.now().contains("/n10000")
    });
    // Some 800 bytes a line, so that 10 MiB are passed.
    let filler = "x".repeat(780);
    std::thread::scope(|scope| {
        for client in 0..2 {
            let (up, filler) = (&up, &filler);
            scope.spawn(move || ask(up, client * ASKED / 2..(client + 1) * ASKED / 2, filler));
        }
    });
    eventually("the log was rotated", || exists(&site.home().join("mock-server.log.1")));
    assert!(site.home().join("mock-server.log.1").metadata().unwrap().len() <= 10 * 1024 * 1024);
    ask(&up, 2_000_000..2_000_001, "");
    follower.out.line("/n2000000/", &follower.err);
    follower.signal(Signal::TERM);
    let heard = follower.wait().out;
    let kept = site.mock("logs -n 1000000").assert(0).out.clone();
    for (what, text) in [("kept", &kept), ("followed", &heard)] {
        assert!(
            !text.contains("lines were dropped"),
            "{what}: {}",
            text.lines().filter(|line| line.contains("dropped")).count()
        );
        let mut seen = vec![0; ASKED];
        for line in text.lines().filter(|line| line.contains(&filler)) {
            let whole = line.starts_with("20") && line.contains("  payment required");
            assert!(whole, "{what}: {line}");
            let number = line.split("/n").nth(1).unwrap().split('/').next().unwrap();
            seen[number.parse::<usize>().unwrap()] += 1;
        }
        let wrong = seen.iter().filter(|times| **times != 1).count();
        assert_eq!(wrong, 0, "{what}: {wrong} of {ASKED} lines are missing or doubled");
    }
}

#[test]
fn a_log_that_was_removed_by_hand_does_not_end_logging() {
    let site = Site::new();
    let up = site.detach("");
    std::fs::remove_file(site.log_file()).unwrap();
    site.mock("logs").assert(1).complains(&["Server has no log"]);
    // The file that nobody sees any more is full at last, and the next one is in its place.
    ask(&up, 0..14_000, &"x".repeat(780));
    eventually("there is a log again", || site.mock("logs -n 1").out.contains("/n13999/"));
    std::fs::remove_file(site.log_file()).unwrap();
    site.mock("restart").assert(0);
    site.mock("logs").assert(0).says(&["is listening on"]);
}

#[test]
fn five_rotated_logs_are_kept() {
    let site = Site::new();
    std::fs::create_dir_all(site.home()).unwrap();
    let rotated = |number: usize| site.home().join(format!("mock-server.log.{number}"));
    // Each is full when the next server comes: it says who wrote it, and the rest is a hole.
    for round in 0..8_usize {
        let log = std::fs::File::create(site.log_file()).unwrap();
        (&log).write_all(format!("round {round}\n").as_bytes()).unwrap();
        log.set_len(10 * 1024 * 1024).unwrap();
        site.detach("");
        site.mock("stop").assert(0);
        let first = |path: &std::path::Path| {
            let mut line = String::new();
            BufReader::new(std::fs::File::open(path).unwrap()).read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        assert!(first(&site.log_file()).contains("is listening on"), "{round}");
        for number in 1..=5 {
            let kept = exists(&rotated(number)).then(|| first(&rotated(number)));
            let expected = (round + 1).checked_sub(number).map(|round| format!("round {round}"));
            assert_eq!(kept, expected, "round {round}: .{number}");
        }
        assert!(!exists(&rotated(6)));
    }
}
