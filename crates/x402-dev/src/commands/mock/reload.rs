//! `mock reload`: the configuration again, without dropping a connection or the ledger.

use serde_json::json;

use super::form::{absent, refuse};
use super::{Form, place, standing};
use crate::context::Context;
use crate::doors::admin::{Reloaded, client};
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::InstanceName;
use crate::terminal;

/// Tells an instance to read its configuration again.
pub fn reload(context: &Context, name: &InstanceName, form: Form) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let standing = standing(&place)?;
    let Some(record) = standing.record() else {
        return Ok(refuse(form, Exit::Failure, &absent(&place, &standing)));
    };
    let outcome = match client::reload(record) {
        Ok(outcome) => outcome,
        Err(error) => {
            let text = format!(
                "Server (PID: {}) does not answer on {}: {error}\nhint: see `x402-dev mock status` and `x402-dev mock \
                 logs`",
                record.identity.pid, record.url
            );
            return Ok(refuse(form, Exit::Failure, &text));
        }
    };
    Ok(match outcome {
        Reloaded::Changed(keys) => {
            terminal::result(&match form {
                Form::Json => json!({ "changed": keys }).to_string(),
                Form::Text if keys.is_empty() => "Configuration reloaded: nothing has changed".to_owned(),
                Form::Text => format!("Configuration reloaded: {}", keys.join(", ")),
            });
            Exit::Success
        }
        Reloaded::Refused(why) => {
            let exit = refuse(form, Exit::Config, &why);
            terminal::error("The old configuration is still in force.");
            exit
        }
    })
}
