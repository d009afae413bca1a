//! The server: our own accept loop, so that header timeouts, open connections and a quick stop are ours to decide.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::doors::Doors;
use crate::error::Error;
use crate::state::{Current, Peer, State};
use crate::terminal::Terminal;

/// How long a client may take to send the head of a request, and how long a connection may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head that is read at all; beyond it the answer is a bare 431.
const HEAD_BUFFER: usize = 64 * 1024;

/// How many header fields a head may have.
const HEADER_FIELDS: usize = 1024;

/// How long requests in flight may take after the server was told to end.
const GRACE: Duration = Duration::from_secs(5);

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
    let wanted = SocketAddr::new(config.server.host, config.server.port);
    let listener = TcpListener::bind(wanted).await.map_err(|source| refused(wanted, source))?;
    let address = listener.local_addr().map_err(|source| refused(wanted, source))?;
    let doors = Doors::new(current.clone(), config.server.facilitator, address);
    let (stop, stopped) = watch::channel(());
    let task = tokio::spawn(accept(listener, doors, stopped));
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

    /// Ends the server: no new connections, idle ones closed, requests in flight finished up to a grace of 5 seconds.
    pub async fn shutdown(self) {
        // Nobody listens only when the task has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

fn refused(address: SocketAddr, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortInUse { address },
        _ => Error::Listen { address, source },
    }
}

async fn accept(listener: TcpListener, doors: Doors, mut stopped: watch::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            connection = listener.accept() => match connection {
                Ok((stream, peer)) => serve(stream, Peer(peer.ip()), &doors, &graceful),
                // Out of file descriptors, or a connection that was reset before it was taken.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
}

fn serve(stream: TcpStream, peer: Peer, doors: &Doors, graceful: &GracefulShutdown) {
    // Without it, small answers would wait for an acknowledgement. A socket that refuses still works.
    let _ = stream.set_nodelay(true);
    let doors = doors.clone();
    let service = service_fn(move |request| {
        let doors = doors.clone();
        async move { Ok::<_, std::convert::Infallible>(doors.answer(peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BUFFER)
        .max_headers(HEADER_FIELDS)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        // A broken connection concerns nobody but its client.
        let _ = watched.await;
    });
}
