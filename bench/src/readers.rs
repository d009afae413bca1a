//! Whether readers of events slow settlements down: the release binary at a fixed rate, with and without them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::payments::{Signer, Till};
use crate::process::Helper;
use crate::report::{Bound, Row, Section};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::terminal;
use crate::throughput::Ready;

/// Readers of the event stream.
const READERS: usize = 10;

/// Settlements a second.
const RATE: u32 = 1000;

/// Connections that take turns, so that one slow answer does not hold up the next settlement.
const LANES: u32 = 8;

/// What the event of a settlement has at least, in bytes.
const EVENT_SIZE: usize = 200;

/// How many payers take turns.
const PAYERS: u32 = 1000;

/// How long one settlement took, in the middle and at the 99th percentile, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Latency {
    median: f64,
    p99: f64,
}

/// Measures, round after round.
pub(crate) fn measure(settings: Settings, empty: &Path) -> Result<Section, Failure> {
    let server = Helper::mock(empty)?;
    let port = server.hear_json::<Ready>()?.port()?;
    let mut till = Till::new(PAYERS);
    let (mut alone, mut read, mut bytes) = (Vec::new(), Vec::new(), 0);
    for round in 0..=settings.starts {
        let without = settle(port, &mut till)?;
        let readers = (0..READERS).map(|_| Reader::open(port)).collect::<Result<Vec<_>, _>>()?;
        let with = settle(port, &mut till)?;
        let heard: Vec<usize> = readers.into_iter().map(Reader::close).collect::<Result<_, _>>()?;
        if heard.iter().any(|heard| *heard < RATE as usize * EVENT_SIZE) {
            return Err(Failure::new(format!("a reader heard too little of {RATE} settlements: {heard:?} bytes")));
        }
        // The first round warms up.
        if round > 0 {
            alone.push(without);
            read.push(with);
            bytes += heard.iter().sum::<usize>();
        }
    }
    terminal::note(&format!("readers done: they heard {bytes} bytes"));
    let of = |latencies: &[Latency], what: fn(&Latency) -> f64| Spread::of(latencies.iter().map(what));
    let ratios = read.iter().zip(&alone).map(|(with, without)| with.p99 / without.p99);
    let rows = vec![
        Row::new("nobody reads: median", "us", of(&alone, |it| it.median)),
        Row::new("nobody reads: 99th percentile", "us", of(&alone, |it| it.p99)),
        Row::new(&format!("{READERS} readers: median"), "us", of(&read, |it| it.median)),
        Row::new(&format!("{READERS} readers: 99th percentile"), "us", of(&read, |it| it.p99)),
        Row::new("99th percentile, with readers / without", "", Spread::of(ratios)).with_target(Bound::AtMost(1.1)),
    ];
    Ok(Section::new(&format!("`POST /settle` at {RATE} a second, and readers of the events"), rows))
}

/// Settles for one second, evenly. How long each took, from its sending to its answer.
fn settle(port: u16, till: &mut Till) -> Result<Latency, Failure> {
    let bodies: Vec<String> = (0..RATE).map(|_| till.body(Signer::Payer)).collect();
    let lanes = (0..LANES).map(|_| Connection::open(port)).collect::<Result<Vec<_>, _>>()?;
    let begin = Instant::now() + Duration::from_millis(20);
    let times: Vec<Vec<Duration>> = std::thread::scope(|scope| {
        let bodies = &bodies;
        let started: Vec<_> = lanes
            .into_iter()
            .zip(0..)
            .map(|(lane, first)| scope.spawn(move || share(port, bodies, lane, first, begin)))
            .collect();
        let ended = started.into_iter().map(|thread| thread.join().expect("a sending thread does not panic"));
        ended.collect::<Result<_, _>>()
    })?;
    let mut times: Vec<f64> = times.into_iter().flatten().map(|time| time.as_secs_f64() * 1e6).collect();
    times.sort_by(f64::total_cmp);
    Ok(Latency { median: times[times.len() / 2], p99: times[times.len() * 99 / 100] })
}

/// Sends every eighth body, each when its time has come.
fn share(
    port: u16,
    bodies: &[String],
    mut lane: Connection,
    first: u32,
    begin: Instant,
) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::new();
    for number in (first..RATE).step_by(LANES as usize) {
        let body = &bodies[number as usize];
        let length = body.len();
        let request = format!(
            "POST /settle HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\ncontent-length: \
             {length}\r\n\r\n{body}"
        );
        sleep((begin + Duration::from_secs(1) * number / RATE).saturating_duration_since(Instant::now()));
        let sent = Instant::now();
        lane.send(request.as_bytes())?;
        lane.receive(200, r#""success":true"#)?;
        times.push(sent.elapsed());
    }
    Ok(times)
}

/// A client of the event stream that reads whatever comes and counts its bytes.
struct Reader {
    stream: TcpStream,
    thread: JoinHandle<usize>,
}

impl Reader {
    fn open(port: u16) -> Result<Self, Failure> {
        let open = || {
            let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
            stream.write_all(format!("GET /_x402/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n").as_bytes())?;
            let reading = stream.try_clone()?;
            Ok((stream, reading))
        };
        let (stream, mut reading) =
            open().map_err(|cause: std::io::Error| Failure::new(format!("a reader: {cause}")))?;
        // The head has come when the stream is subscribed.
        let mut head = [0; 4096];
        reading.read(&mut head).map_err(Failure::while_at("a reader"))?;
        let thread = std::thread::spawn(move || {
            let (mut size_heard, mut buffer) = (0, vec![0; 64 * 1024]);
            while let Ok(size @ 1..) = reading.read(&mut buffer) {
                size_heard += size;
            }
            size_heard
        });
        Ok(Self { stream, thread })
    }

    /// Ends it. How many bytes it has heard.
    fn close(self) -> Result<usize, Failure> {
        // What was settled last is on its way.
        sleep(Duration::from_millis(100));
        self.stream.shutdown(Shutdown::Both).map_err(Failure::while_at("a reader"))?;
        Ok(self.thread.join().expect("a reading thread does not panic"))
    }
}
