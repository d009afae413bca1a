//! The flags of commands that ask a running server.

use clap::Args;
use http::Uri;

use crate::commands::door::Door;
use crate::commands::mock::Form;
use crate::instance::InstanceName;

/// Which server, and how its answer is printed.
#[derive(Debug, Args)]
pub struct DoorArgs {
    /// The instance.
    #[arg(long = "name", id = "instance", value_name = "INSTANCE", default_value_t, global = true)]
    instance: InstanceName,
    /// A server by its address, in place of an instance: `http://127.0.0.1:3402`.
    #[arg(long, value_name = "URL", value_parser = address, conflicts_with = "instance", global = true)]
    url: Option<Uri>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl From<DoorArgs> for Door {
    fn from(args: DoorArgs) -> Self {
        Self { name: args.instance, url: args.url, form: Form::of(args.json) }
    }
}

/// An address of a server: a scheme, a host, and a port.
fn address(text: &str) -> Result<Uri, String> {
    let wrong = || "write `http://HOST:PORT`".to_owned();
    let url: Uri = text.parse().map_err(|_| wrong())?;
    let bare = matches!(url.path_and_query().map(http::uri::PathAndQuery::as_str), None | Some("/"));
    let plain = url.scheme() == Some(&http::uri::Scheme::HTTP) && url.host().is_some_and(|host| !host.is_empty());
    if bare && plain { Ok(url) } else { Err(wrong()) }
}
