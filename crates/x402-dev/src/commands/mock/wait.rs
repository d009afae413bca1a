//! `mock wait`: until an instance answers.

use std::time::{Duration, Instant};

use super::{Form, place, standing};
use crate::context::Context;
use crate::doors::admin::client;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::{InstanceName, Standing};
use crate::terminal;

/// How long to wait between two questions.
const STEP: Duration = Duration::from_millis(10);

/// Waits until an instance answers, up to a time.
pub fn wait(context: &Context, name: &InstanceName, time: Duration, form: Form) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let deadline = Instant::now() + time;
    loop {
        if let Standing::Running(running) = standing(&place)?
            && let Some(record) = &running.record
            && client::instance(record).is_ok()
        {
            let (url, pid) = (&record.url, running.identity.pid);
            terminal::result(&match form {
                Form::Json => serde_json::json!({ "url": url, "pid": pid }).to_string(),
                Form::Text => format!("Server is running on {url} (PID: {pid})"),
            });
            return Ok(Exit::Success);
        }
        if Instant::now() >= deadline {
            terminal::error(&format!("Server is not running after {} ms", time.as_millis()));
            return Ok(Exit::NotRunning);
        }
        std::thread::sleep(STEP);
    }
}
