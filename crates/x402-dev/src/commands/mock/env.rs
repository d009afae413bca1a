//! `mock env`: how to reach an instance, as variables of a shell.

use serde_json::{Map, Value};
use x402_sim::accounts::test_accounts;

use super::form::{absent, refuse};
use super::{Form, place, standing};
use crate::banner;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::instance::{InstanceName, Record};
use crate::terminal;

/// For which reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `export NAME='value'`.
    Sh,
    /// `set -gx NAME 'value'`.
    Fish,
    /// One JSON object.
    Json,
}

/// Prints the variables of an instance.
pub fn env(context: &Context, name: &InstanceName, shell: Shell) -> Result<Exit, Error> {
    let place = place(context, name)?;
    let standing = standing(&place)?;
    let Some(record) = standing.record() else {
        let form = Form::of(shell == Shell::Json);
        return Ok(refuse(form, Exit::NotRunning, &absent(&place, &standing)));
    };
    let lines = variables(record).into_iter().map(|(name, value)| match shell {
        Shell::Sh => format!("export {name}='{}'", value.replace('\'', "'\\''")),
        Shell::Fish => format!("set -gx {name} '{}'", value.replace('\\', "\\\\").replace('\'', "\\'")),
        Shell::Json => String::new(),
    });
    terminal::result(&match shell {
        Shell::Sh | Shell::Fish => lines.collect::<Vec<_>>().join("\n"),
        Shell::Json => {
            let members: Map<String, Value> =
                variables(record).into_iter().map(|(name, value)| (name, Value::from(value))).collect();
            Value::Object(members).to_string()
        }
    });
    Ok(Exit::Success)
}

/// The JSON-RPC of the network that is paid on first, and of every network: `X402_RPC_URL_EIP155_84532`.
fn rpc_urls<'a>(
    url: &str,
    first: Option<&str>,
    networks: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (String, String)> {
    let rpc = banner::rpc(url);
    let main = first.map(|id| ("X402_RPC_URL".to_owned(), format!("{rpc}/{id}")));
    let named = networks.map(move |id| {
        // Solana's ids tell letters apart by their case.
        let name = match id.split_once(':') {
            Some((family, reference)) => format!("{}_{reference}", family.to_ascii_uppercase()),
            None => id.to_owned(),
        };
        let name: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        (format!("X402_RPC_URL_{name}"), format!("{rpc}/{id}"))
    });
    main.into_iter().chain(named.collect::<Vec<_>>())
}

fn variables(record: &Record) -> Vec<(String, String)> {
    let value = |key: &str| record.configuration.iter().find(|(known, _, _)| known == key).map(|(_, value, _)| value);
    let network = value("accepts").and_then(|accepts| accepts.get(0)).map(|first| match first {
        Value::String(name) => name.clone(),
        other => other.get("network").and_then(Value::as_str).unwrap_or_default().to_owned(),
    });
    let prefixed = value("server.facilitator").and_then(Value::as_str) == Some("prefixed");
    let facilitator = if prefixed { format!("{}/facilitator", record.url) } else { record.url.clone() };
    let mut variables = vec![
        ("X402_FACILITATOR_URL".to_owned(), facilitator),
        ("X402_RESOURCE_URL".to_owned(), record.url.clone()),
        ("X402_NETWORK".to_owned(), network.clone().unwrap_or_default()),
    ];
    let networks = value("networks").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    variables.extend(rpc_urls(&record.url, network.as_deref(), networks));
    for account in test_accounts() {
        match account.index {
            0 => {
                variables.push(("X402_TEST_ADDRESS".to_owned(), account.address.to_owned()));
                variables.push(("X402_TEST_PRIVATE_KEY".to_owned(), account.key.to_owned()));
            }
            9 => variables.push(("X402_TEST_PAYEE".to_owned(), account.address.to_owned())),
            _ => {}
        }
    }
    variables
}
