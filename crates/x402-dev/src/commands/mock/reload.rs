//! `mock reload`: the configuration again, without dropping a connection or the ledger.

use super::{Form, place, standing};
use crate::context::Context;
use crate::doors::admin::{Reloaded, client};
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::{InstanceName, Standing};
use crate::terminal;

/// Tells an instance to read its configuration again.
pub fn reload(context: &Context, name: &InstanceName, form: Form) -> Result<Exit, Error> {
    let Standing::Running(running) = standing(&place(context, name)?)? else {
        terminal::error("Server is not running");
        return Ok(Exit::Failure);
    };
    let Some(record) = &running.record else {
        terminal::error("Server does not listen yet: try again in a moment");
        return Ok(Exit::Failure);
    };
    let outcome = client::reload(record).map_err(|source| Error::State { name: name.clone(), source })?;
    if form == Form::Json {
        terminal::result(&serde_json::to_string(&outcome).expect("an outcome has string keys"));
    }
    Ok(match outcome {
        Reloaded::Changed(keys) => {
            if form == Form::Text {
                let what = if keys.is_empty() { "nothing has changed".to_owned() } else { keys.join(", ") };
                terminal::result(&format!("Configuration reloaded: {what}"));
            }
            Exit::Success
        }
        Reloaded::Refused(why) => {
            terminal::error(&format!("{why}\nThe old configuration is still in force."));
            Exit::Config
        }
    })
}
