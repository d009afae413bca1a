//! The server: our own accept loop, so that header timeouts, open connections and a quick stop are ours to decide.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::doors::Doors;
use crate::doors::admin::Admin;
use crate::doors::admin::office::Office;
use crate::doors::fault::line::{Cut, Line};
use crate::doors::parcel::Parcel;
use crate::doors::resources::torn;
use crate::error::Error;
use crate::instance::os::{Here, System};
use crate::state::{Counters, Current, Peer, State};
use crate::terminal::Terminal;

use self::in_place::InPlace;

mod in_place;

/// How long a client may take to send the head of a request, and how long a connection may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head that is read at all; a connection that sends more is closed.
const HEAD_BUFFER: usize = 256 * 1024;

/// How many header fields a head may have: as many as fit into the largest head that is taken, four bytes each.
const HEADER_FIELDS: usize = 4096;

/// How long an answer that was handed over may take to leave after the server was told to end.
const LINGER: Duration = Duration::from_millis(250);

/// The same for a stream of events, whose reader may not be reading at all.
const STREAM_LINGER: Duration = Duration::from_millis(30);

/// How long requests in flight may take after the server was told to end.
const GRACE: Duration = Duration::from_secs(10);

/// How long a connection hangs that a fault leaves without an answer. Sockets follow real time.
const HANG: Duration = Duration::from_mins(10);

/// A running server. It ends when told to, or when its runtime ends.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    current: Current,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts a server. It listens when this returns.
pub async fn spawn(config: &Config, seed: u64, terminal: Arc<Terminal>) -> Result<ServerHandle, Error> {
    let current = Current::new(Arc::new(State::new(config, seed, terminal)?));
    spawn_over(config, current, bind(config).await?, None)
}

/// The listening socket of a configuration: one that a service manager has passed to us, or a new one.
pub async fn bind(config: &Config) -> Result<TcpListener, Error> {
    let wanted = SocketAddr::new(config.server.host, config.server.port);
    TcpListener::bind(wanted).await.map_err(|source| refused(wanted, source))
}

/// Whether another server could listen where a configuration says. It is not kept: a moment later it may be taken.
pub fn check_free(config: &Config) -> Result<(), Error> {
    let wanted = SocketAddr::new(config.server.host, config.server.port);
    std::net::TcpListener::bind(wanted).map(drop).map_err(|source| refused(wanted, source))
}

/// Starts a server on a socket; `admin` is what an instance knows.
pub fn spawn_over(
    config: &Config,
    current: Current,
    listener: TcpListener,
    admin: Option<Admin>,
) -> Result<ServerHandle, Error> {
    let wanted = SocketAddr::new(config.server.host, config.server.port);
    let address = listener.local_addr().map_err(|source| refused(wanted, source))?;
    let keeper = current.get();
    let (stop, stopped) = watch::channel(());
    let (ending, rendered) = (stopped.clone(), Arc::default());
    let office = Office { current: current.clone(), address, admin, ending, rendered };
    let doors = Arc::new(Doors::new(office, config.server.facilitator));
    let accepting = current.clone();
    let task = tokio::spawn(async move {
        tokio::select! {
            () = accept(listener, doors, accepting, stopped) => {}
            // Never ends. The state of the start will do: every later one shares its world.
            () = keeper.keep_time() => {}
        }
    });
    Ok(ServerHandle { address, current, stop, task })
}

impl ServerHandle {
    /// Where the server listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its doors share now.
    pub fn state(&self) -> Arc<State> {
        self.current.get()
    }

    /// Ends the server: no new connections, idle ones closed, requests in flight finished up to a grace of 10 seconds.
    pub async fn shutdown(self) {
        // Nobody listens only when the task has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

fn refused(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortInUse { address, holder: Here::listener(address.port()) },
        _ => Error::Listen { address, source },
    }
}

async fn accept(listener: TcpListener, doors: Arc<Doors>, current: Current, stopped: watch::Receiver<()>) {
    // Every connection holds one end: when all have ended, the other one tells.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let mut told = stopped.clone();
    loop {
        tokio::select! {
            connection = listener.accept() => match connection {
                Ok((stream, peer)) => {
                    let connection = converse(stream, Peer(peer.ip()), Arc::clone(&doors), stopped.clone());
                    let (open, current) = (open.clone(), current.clone());
                    tokio::spawn(async move {
                        if let Some(unread) = connection.await {
                            unread.tell(&current.get(), peer);
                        }
                        drop(open);
                    });
                }
                // Out of file descriptors, or a connection that was reset before it was taken.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            _ = told.changed() => break,
        }
    }
    drop((listener, open));
    // Nothing is ever sent: this ends with the last connection, or with the grace.
    let _ = tokio::time::timeout(GRACE, all_closed.recv()).await;
}

/// How HTTP is spoken.
pub fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BUFFER)
        .max_headers(HEADER_FIELDS)
        // A client may say that it will send no more and still wait for its answer.
        .half_close(true);
    http
}

/// Serves one connection to its end. After the stop, it ends with the request that it is answering.
///
/// Gives what could not be read where the client did not speak HTTP as it must.
async fn converse(
    stream: TcpStream,
    peer: Peer,
    doors: Arc<Doors>,
    mut stopped: watch::Receiver<()>,
) -> Option<Unread> {
    // Without it, small answers would wait for an acknowledgement. A socket that refuses still works.
    let _ = stream.set_nodelay(true);
    let here = Arc::new(Counters::default());
    let (line, reset) = Line::over(stream);
    // One thing to share with every answer, and not one each.
    let shared = Arc::new((doors, Arc::clone(&here), reset, line.outbox()));
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move {
            let (doors, counted, reset, outbox) = &*shared;
            let mut answer = doors.answer(peer, request, counted).await;
            let parcel = Parcel::take(&mut answer);
            let cut = answer.extensions().get::<Cut>().copied();
            reset.store(matches!(cut, Some(Cut::Before | Cut::Reset)), Ordering::Relaxed);
            match cut {
                Some(Cut::Before) => Err(io::Error::other("a fault cut the connection")),
                Some(Cut::Hang) => {
                    // Nobody waits for it when the server ends.
                    drop(answer);
                    tokio::time::sleep(HANG).await;
                    Err(io::Error::other("a fault left the connection without an answer"))
                }
                Some(Cut::Reset) | None => Ok(match parcel {
                    Some(parcel) => answer.map(|body| body.with_parcel(parcel, outbox.clone())),
                    None => answer,
                }),
            }
        }
    });
    let mut own = http().serve_connection(TokioIo::new(line), service).with_upgrades();
    let mut connection = InPlace::new(Pin::new(&mut own));
    tokio::select! {
        // A connection that breaks concerns nobody but its client.
        ended = &mut connection => {
            let error = ended.err().filter(hyper::Error::is_parse)?;
            let head = own.into_parts().map(|parts| parts.read_buf).unwrap_or_default();
            return Some(Unread { error, head });
        }
        _ = stopped.changed() => connection.inner().graceful_shutdown(),
    }
    wind_down(&mut connection, &here).await;
    None
}

/// Waits for the answers that are on their way. A client that has sent half a head, or nothing yet, is not waited for.
async fn wind_down(connection: &mut (impl Future + Unpin), here: &Counters) {
    loop {
        let streams = here.streams.load(Ordering::Relaxed) > 0;
        tokio::select! {
            _ = &mut *connection => return,
            () = tokio::time::sleep(if streams { STREAM_LINGER } else { LINGER }) => {}
        }
        if here.in_flight.load(Ordering::Relaxed) == 0 {
            return;
        }
    }
}

/// A request that was no HTTP/1.1: its client has an answer without a sentence, or none at all.
#[derive(Debug)]
struct Unread {
    error: hyper::Error,
    /// What had been read of its head.
    head: Bytes,
}

impl Unread {
    /// Says in the log what was wrong, and keeps what it holds of a payment: its client has no other word about it.
    fn tell(&self, state: &State, peer: SocketAddr) {
        let what = format!("connection from {}: bad request: {}", peer.ip(), self.error);
        match torn::keep(state, &self.head) {
            Some(why) => state.terminal.say(&format!("{what}: {why}")),
            None => state.terminal.remark(&what),
        }
    }
}
