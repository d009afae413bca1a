//! Two starts at one instant: exactly one server, in every one of 200 rounds.

use std::process::Stdio;

use serde_json::Value;

use crate::output::Run;
use crate::site::{Proc, Site, assert_ends};

/// How the two of a round are started.
#[derive(Clone, Copy, Debug)]
struct Round {
    stale: bool,
    same_port: bool,
    detached: [bool; 2],
}

impl Round {
    fn of(number: usize) -> Self {
        let bit = |place: usize| number >> place & 1 == 1;
        Self { stale: bit(0), same_port: bit(1), detached: [bit(2), bit(3)] }
    }
}

#[test]
fn exactly_one_of_two_starts_wins_first_quarter() {
    race(0..50);
}

#[test]
fn exactly_one_of_two_starts_wins_second_quarter() {
    race(50..100);
}

#[test]
fn exactly_one_of_two_starts_wins_third_quarter() {
    race(100..150);
}

#[test]
fn exactly_one_of_two_starts_wins_last_quarter() {
    race(150..200);
}

fn race(rounds: std::ops::Range<usize>) {
    let site = Site::new();
    // Ports that the system has just given away and taken back.
    let port = site.detach("").port();
    site.mock("stop").assert(0);
    for number in rounds {
        let round = Round::of(number);
        if round.stale {
            std::fs::write(site.pid_file(), "99999").unwrap();
        }
        let two = round.detached.map(|detached| start(&site, detached, if round.same_port { port } else { 0 }));
        let pid = one_of(&site, round, two);
        site.mock("stop").assert(0);
        assert_ends(pid);
    }
}

fn start(site: &Site, detached: bool, port: u16) -> Proc {
    let mut command = site.command(&["mock", "--json", "--port", &port.to_string()]);
    if detached {
        command.arg("-d");
    }
    Proc::over(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// One of the two is the server; the other has lost with the right words. Gives the server's PID.
fn one_of(site: &Site, round: Round, two: [Proc; 2]) -> u32 {
    let mut servers = Vec::new();
    let mut losers: Vec<Run> = Vec::new();
    for (process, detached) in two.into_iter().zip(round.detached) {
        if detached {
            let run = process.wait();
            if run.code == Some(0) {
                servers.push((run.up().pid, None));
            } else {
                losers.push(run);
            }
        } else {
            // A server in the foreground says where it is; a loser says why not, and ends.
            let line = process.out.wait_first_line();
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            match line["pid"].as_u64() {
                Some(pid) => servers.push((u32::try_from(pid).unwrap(), Some(process))),
                None => losers.push(process.wait()),
            }
        }
    }
    assert_eq!((servers.len(), losers.len()), (1, 1), "{round:?}: {servers:?} {losers:?}");
    let pid = servers[0].0;
    let already = format!("Server already running (PID: {pid})");
    losers[0].assert(3).complains(&[&already]);
    let status = site.json("status");
    assert_eq!(status["pid"], pid, "{round:?}");
    assert_eq!(site.pid_text(), Some(pid.to_string()), "{round:?}");
    if let Some(process) = servers.remove(0).1 {
        site.mock("stop").assert(0);
        process.wait().assert(0);
        // Stopped already: a new one for the round's end.
        return site.detach("").pid;
    }
    pid
}
