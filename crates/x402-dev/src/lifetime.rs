//! How long a server lives: signals, the process that it is bound to, and what a service manager is told.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::instance::os::{Here, Identity, Process, System};
use crate::instance::record::Cause;

/// What ends a server, or makes it read its configuration again.
#[derive(Debug)]
pub struct Lifetime {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    at_hang_up: AtHangUp,
    child: Option<Signal>,
    parent: Option<oneshot::Receiver<()>>,
}

/// A service manager, such as systemd, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    socket: Option<String>,
}

/// What SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtHangUp {
    /// There is no terminal to hang up: read the configuration again.
    Reload,
    /// The terminal has gone, and the server goes with it.
    End,
    /// The terminal has gone, and the server was started with `nohup`.
    Stay,
}

/// Why a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A signal of this name.
    Signal(&'static str),
    /// The process that it is bound to has ended.
    Parent,
}

/// What a service manager is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The server listens.
    Ready,
    /// It reads its configuration again.
    Reloading,
    /// It ends.
    Stopping,
}

impl End {
    /// For people.
    pub fn words(self) -> String {
        match self {
            Self::Signal(name) => format!("{name} was received"),
            Self::Parent => "the process that it was bound to has ended".to_owned(),
        }
    }

    /// For the record.
    pub fn cause(self) -> Cause {
        match self {
            Self::Signal(name) => Cause::Signal(name.to_owned()),
            Self::Parent => Cause::Parent,
        }
    }
}

impl Lifetime {
    /// Begins to listen for signals, and to watch the process that the server is bound to.
    pub fn begin(parent: Option<Identity>) -> io::Result<Self> {
        // To be asked now: a terminal that has been hung up is none any more.
        let at_hang_up = match (Here::has_terminal(), Here::ignores_hang_up()) {
            (false, _) => AtHangUp::Reload,
            (true, false) => AtHangUp::End,
            (true, true) => AtHangUp::Stay,
        };
        Ok(Self {
            at_hang_up,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            // The first process of a container inherits every orphan in it, and must take note of their ends.
            child: (std::process::id() == 1).then(|| signal(SignalKind::child())).transpose()?,
            parent: parent.map(watch),
        })
    }

    /// Waits for the end. A hang-up is one where there is a terminal to hang up, unless it was started with `nohup`;
    /// elsewhere it means `reload`.
    pub async fn end(&mut self, reload: &dyn Fn()) -> End {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return End::Signal("SIGINT"),
                _ = self.terminate.recv() => return End::Signal("SIGTERM"),
                () = maybe(&mut self.parent) => return End::Parent,
                _ = self.hang_up.recv() => match self.at_hang_up {
                    AtHangUp::End => return End::Signal("SIGHUP"),
                    AtHangUp::Stay => {}
                    AtHangUp::Reload => reload(),
                },
                () = orphans(&mut self.child) => reap(),
            }
        }
    }

    /// Waits for somebody at a terminal to insist. A second SIGTERM is no such thing: `mock stop` may be said twice while
    /// requests in flight are finished.
    pub async fn insisted(&mut self) {
        self.interrupt.recv().await;
    }
}

impl Manager {
    /// The manager that listens on a socket (`NOTIFY_SOCKET`).
    pub const fn new(socket: Option<String>) -> Self {
        Self { socket }
    }

    /// Tells it, if there is one.
    pub fn notify(&self, notice: Notice) {
        let text = match notice {
            Notice::Ready => "READY=1".to_owned(),
            Notice::Reloading => format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds()),
            Notice::Stopping => "STOPPING=1".to_owned(),
        };
        if let Some(socket) = &self.socket {
            // A manager that does not listen is not our trouble.
            let _ = send(socket, text.as_bytes());
        }
    }
}

async fn maybe(parent: &mut Option<oneshot::Receiver<()>>) {
    match parent {
        Some(ended) => {
            let _ = ended.await;
        }
        None => std::future::pending().await,
    }
}

async fn orphans(child: &mut Option<Signal>) {
    match child {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Takes note of every child that has ended.
fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

/// Tells when a process has ended; at once where it has ended already.
fn watch(parent: Identity) -> oneshot::Receiver<()> {
    let (ended, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        if let Some(process) = Here::open(&parent) {
            while !process.wait(Duration::from_hours(1)) {}
        }
        let _ = ended.send(());
    });
    receiver
}

fn send(socket: &str, text: &[u8]) -> io::Result<usize> {
    let datagram = UnixDatagram::unbound()?;
    match socket.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            datagram.send_to_addr(text, &std::os::unix::net::SocketAddr::from_abstract_name(name)?)
        }
        _ => datagram.send_to(text, socket),
    }
}

fn monotonic_microseconds() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

/// The socket that a service manager has opened for us (`LISTEN_FDS`), if there is one.
pub fn inherited_listener() -> Option<io::Result<TcpListener>> {
    let mut sockets = listenfd::ListenFd::from_env();
    let listener = sockets.take_tcp_listener(0).transpose()?;
    Some(listener.and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }))
}
