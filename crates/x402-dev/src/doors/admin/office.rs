//! What the routes of the door share.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use x402_sim::World;
use x402_sim::event::{Door, Facts, Kind};

use super::Reloaded;
use super::problem::{Code, Problem};
use super::rendered::Rendered;
use crate::state::{Current, State};

/// What the routes of the door share.
#[derive(Clone, Debug)]
pub struct Office {
    /// The state of the server.
    pub current: Current,
    /// Where it listens.
    pub address: SocketAddr,
    /// What only an instance has; `None` for a server without one.
    pub admin: Option<Admin>,
    /// Changes when the server is told to end: what would wait ends then.
    pub ending: watch::Receiver<()>,
    /// The newest events as the stream sends them.
    pub rendered: Arc<Rendered>,
}

/// What an instance knows besides its state.
#[derive(Clone)]
pub struct Admin {
    /// What strangers must present: `Authorization: Bearer <token>`.
    pub token: String,
    /// When the server began to listen, in milliseconds since 1970.
    pub started_at: u64,
    /// Reads the configuration again.
    pub reload: Reload,
}

/// Reads the configuration again and puts it in force, or says why not.
pub type Reload = Arc<dyn Fn() -> Reloaded + Send + Sync>;

impl std::fmt::Debug for Admin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the token.
        out.debug_struct("Admin").field("started_at", &self.started_at).finish_non_exhaustive()
    }
}

impl Office {
    /// The state of now: taken once for each request.
    pub fn state(&self) -> Arc<State> {
        self.current.get()
    }

    /// Changes the world from outside: all or nothing. `what` gives a sentence about what it did, which becomes an event.
    ///
    /// # Errors
    ///
    /// Whatever `what` refuses; nothing may have changed then.
    pub fn change<T>(&self, what: impl FnOnce(&mut World, u64) -> Result<(T, String), Problem>) -> Result<T, Problem> {
        self.state().act(|world, now| {
            let (result, sentence) = what(world, now)?;
            // What it did may have moved the clock, and then more has come due.
            let now = world.clock().at(crate::clock::now());
            let facts = Facts { message: Some(sentence), ..Facts::default() };
            world.record(now, Kind::Changed, Door::Admin, None, facts);
            world.catch_up(now);
            Ok(result)
        })
    }

    /// What only an instance has.
    ///
    /// # Errors
    ///
    /// This server runs without an instance.
    pub fn instance(&self) -> Result<&Admin, Problem> {
        self.admin.as_ref().ok_or_else(|| {
            Code::NoInstance
                .because("this server was started with --no-instance and has no token")
                .hint("start it without --no-instance, or let it listen on 127.0.0.1")
        })
    }
}
