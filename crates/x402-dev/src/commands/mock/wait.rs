//! `mock wait`: until an instance answers.

use std::time::{Duration, Instant};

use super::form::{absent, refuse};
use super::{Form, place, standing};
use crate::banner;
use crate::context::Context;
use crate::doors::admin::client;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::{InstanceName, Standing};
use crate::terminal;

/// How long to wait between two questions.
const STEP: Duration = Duration::from_millis(10);

/// The least time in which an instance that is there may answer, also when nobody wants to wait.
const GLANCE: Duration = Duration::from_millis(100);

/// Waits until an instance answers, up to a time.
pub fn wait(context: &Context, name: &InstanceName, time: Duration, form: Form) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let deadline = Instant::now() + time;
    loop {
        let standing = standing(&place)?;
        if let Standing::Running(running) = &standing
            && let Some(record) = &running.record
            && client::instance_within(record, patience(deadline)).is_ok()
        {
            let (url, pid) = (&record.url, running.identity.pid);
            terminal::result(&match form {
                Form::Json => serde_json::json!({ "url": url, "rpc": banner::rpc(url), "pid": pid }).to_string(),
                Form::Text => format!("Server is running on {url} (PID: {pid})"),
            });
            return Ok(Exit::Success);
        }
        if Instant::now() >= deadline {
            let text = match &standing {
                Standing::Stopped(_) => format!("Server is not running after {} ms", time.as_millis()),
                Standing::Running(running) if running.record.is_some() => {
                    format!("Server (PID: {}) does not answer after {} ms", running.identity.pid, time.as_millis())
                }
                other => absent(&place, other),
            };
            return Ok(refuse(form, Exit::NotRunning, &text));
        }
        std::thread::sleep(STEP);
    }
}

/// How long the answer to one question may take.
fn patience(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(GLANCE)
}
