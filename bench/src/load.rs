//! The load generator: a process of its own, so that the CPU time of the server's process is the server's.
//!
//! It takes one job a line on stdin, prepares it, says `ready`, waits for `go`, and says how long it took.

use std::io::stdin;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::cores::Pinned;
use crate::failure::Failure;
use crate::kinds;
use crate::payments::{Signer, Till};
use crate::process::Helper;
use crate::terminal;

/// How many payers take turns.
const PAYERS: u32 = 1000;

/// How many requests a thread sends before a job counts, so that the processor's caches hold what a busy server's do.
const WARMING: u32 = 100;

/// What is to be sent, and which answer is right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The server's port on 127.0.0.1.
    pub(crate) port: u16,
    /// The request line without the version: `POST /verify`.
    pub(crate) request: String,
    /// What the requests carry.
    pub(crate) bodies: Bodies,
    /// How many requests are sent.
    pub(crate) count: u32,
    /// How many threads send. Each waits for all of its connections' answers before it sends again.
    pub(crate) threads: u32,
    /// How many connections a thread has.
    pub(crate) connections: u32,
    /// The status of a right answer.
    pub(crate) status: u16,
    /// A part of the body of a right answer.
    pub(crate) contains: String,
}

/// What requests carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bodies {
    /// Nothing.
    None,
    /// Good payments; the same ones in every job.
    Good,
    /// Good payments that were in no job before. They are verified before the job counts, as servers do before they settle.
    Verified,
    /// Payments that a stranger signed; the same ones in every job.
    Forged,
    /// Payments by Permit2 that were in no job before, of scheme `exact`.
    Permit2,
    /// The same of scheme `upto`.
    Upto,
    /// Payments on Solana that were in no job before.
    Solana,
    /// Questions for a balance, to the chain.
    Balance,
    /// Settlements that were in no job before, as raw transactions to the chain.
    Sent,
}

/// What the load generator says at the end of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Every answer was right. The time in nanoseconds.
    Done(u64),
    /// What went wrong.
    Failed(String),
}

/// The other process.
#[derive(Debug)]
pub(crate) struct Generator(Helper);

impl Generator {
    /// Starts it, on a core of its own where one is named.
    pub(crate) fn start(core: Option<usize>) -> Result<Self, Failure> {
        let core = core.map(|core| core.to_string());
        let words = ["load"].into_iter().chain(core.as_deref());
        Helper::of_this_program("the load generator", &words.collect::<Vec<_>>()).map(Self)
    }

    /// Sends a job's requests. `around` is called with the sending itself, after everything was prepared.
    pub(crate) fn send<T>(
        &mut self,
        job: &Job,
        around: impl FnOnce(&mut dyn FnMut()) -> T,
    ) -> Result<(T, Duration), Failure> {
        self.0.say(&serde_json::to_string(job).expect("jobs have string keys"))?;
        let ready = self.0.hear()?;
        if ready != "ready" {
            return Err(Failure::new(format!("`{}` was not prepared: {ready}", job.request)));
        }
        let mut outcome = Err(Failure::new("nothing was sent"));
        let measured = around(&mut || outcome = self.0.say("go").and_then(|()| self.0.hear_json()));
        match outcome? {
            Outcome::Done(nanoseconds) => Ok((measured, Duration::from_nanos(nanoseconds))),
            Outcome::Failed(why) => Err(Failure::new(format!("`{}`: {why}", job.request))),
        }
    }
}

/// Runs the load generator until its stdin ends, on a core where one is named.
pub(crate) fn run(core: Option<usize>) -> Result<(), Failure> {
    let _pinned = core.map(Pinned::to);
    let mut till = Till::new(PAYERS);
    let (mut good, mut forged) = (Vec::new(), Vec::new());
    let mut words = stdin().lines().map_while(Result::ok);
    while let Some(line) = words.next() {
        let job: Job = serde_json::from_str(&line).map_err(Failure::while_at("a job"))?;
        let count = job.count + WARMING * job.threads;
        let bodies = match job.bodies {
            Bodies::None => vec![String::new()],
            Bodies::Good => kept(&mut good, &mut till, Signer::Payer, count),
            Bodies::Forged => kept(&mut forged, &mut till, Signer::Stranger, count),
            fresh => (0..count).map(|_| make(fresh, &mut till)).collect(),
        };
        let requests: Vec<Vec<u8>> = bodies.iter().map(|body| render(&job, body)).collect();
        let opened = (0..job.threads).map(|_| (0..job.connections).map(|_| Connection::open(job.port)).collect());
        let mut lanes: Vec<Vec<Connection>> = opened.collect::<Result<_, _>>()?;
        let verified = if job.bodies == Bodies::Verified { verify(&job, &bodies, &mut lanes) } else { Ok(()) };
        let warmed = verified.and_then(|()| send(&job, (0, WARMING), &requests, &mut lanes));
        terminal::line("ready");
        if words.next().as_deref() != Some("go") {
            break;
        }
        let begun = Instant::now();
        let share = (WARMING * job.threads, job.count / job.threads.max(1));
        let outcome = match warmed.and_then(|()| send(&job, share, &requests, &mut lanes)) {
            Ok(()) => Outcome::Done(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)),
            Err(failure) => Outcome::Failed(failure.to_string()),
        };
        terminal::line(&serde_json::to_string(&outcome).expect("outcomes have string keys"));
    }
    Ok(())
}

/// A body that was in no job before.
fn make(bodies: Bodies, till: &mut Till) -> String {
    match bodies {
        Bodies::Permit2 => kinds::permit2("exact", till.number()),
        Bodies::Upto => kinds::permit2("upto", till.number()),
        Bodies::Solana => kinds::on_solana(till.number()),
        Bodies::Balance => kinds::balance(till.number()),
        Bodies::Sent => kinds::sent(till),
        _ => till.body(Signer::Payer),
    }
}

/// The first `count` bodies of those that are kept, after making the missing ones.
fn kept(bodies: &mut Vec<String>, till: &mut Till, signer: Signer, count: u32) -> Vec<String> {
    let count = usize::try_from(count).expect("a count fits");
    while bodies.len() < count {
        bodies.push(till.body(signer));
    }
    bodies[..count].to_vec()
}

/// Asks the facilitator about all payments of a job.
fn verify(job: &Job, bodies: &[String], lanes: &mut [Vec<Connection>]) -> Result<(), Failure> {
    let (request, contains) = ("POST /verify".to_owned(), r#""isValid":true"#.to_owned());
    let job = Job { request, contains, status: 200, ..job.clone() };
    let requests: Vec<Vec<u8>> = bodies.iter().map(|body| render(&job, body)).collect();
    let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
    send(&job, (0, count / job.threads.max(1)), &requests, lanes)
}

fn render(job: &Job, body: &str) -> Vec<u8> {
    let Job { request, port, .. } = job;
    let content = if job.bodies == Bodies::None {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
    };
    let head = format!("{request} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: */*\r\nuser-agent: x402-bench\r\n");
    format!("{head}{content}\r\n{body}").into_bytes()
}

/// Sends so many requests on each thread, from the one with number `first` on.
fn send(
    job: &Job,
    (first, share): (u32, u32),
    requests: &[Vec<u8>],
    lanes: &mut [Vec<Connection>],
) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let started: Vec<_> = lanes
            .iter_mut()
            .zip(0..)
            .map(|(lane, number)| scope.spawn(move || send_share(job, requests, lane, first + number * share, share)))
            .collect();
        let ended = started.into_iter().map(|thread| thread.join().expect("a sending thread does not panic"));
        ended.collect()
    })
}

/// Sends `count` requests, from the one with number `first` on. The requests start again where they end.
fn send_share(job: &Job, requests: &[Vec<u8>], lane: &mut [Connection], first: u32, count: u32) -> Result<(), Failure> {
    let skipped = usize::try_from(first).expect("a count fits");
    let mut wanted = requests.iter().cycle().skip(skipped).take(usize::try_from(count).expect("a count fits"));
    loop {
        let mut sent = 0;
        for (connection, request) in lane.iter_mut().zip(wanted.by_ref()) {
            connection.send(request)?;
            sent += 1;
        }
        if sent == 0 {
            return Ok(());
        }
        for connection in &mut lane[..sent] {
            connection.receive(job.status, &job.contains)?;
        }
    }
}
