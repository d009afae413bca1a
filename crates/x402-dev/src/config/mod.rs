//! The configuration: five layers merged key by key, then read into one typed and validated [`Config`].
//!
//! | room | what it holds |
//! |---|---|
//! | `layer` | which files are read; what the environment and the flags say |
//! | `parse`, `tree` | YAML to values that know their place; merging |
//! | `keys`, `schema` | the keys that exist, for the loader and as a JSON Schema |
//! | `cursor` | reading values, noting what is wrong with its path and place |
//! | `settings` | the whole; `networks`, `accepts`, `prices`, `resources`, `response`, `json` its parts |
//! | `error` | why a configuration is refused, drawn with carets |
//! | `effective`, `origin` | every value, and who said it |
//!
//! It must not know the command line (only [`Overrides`]), the server, or the world.

mod accepts;
mod cursor;
mod effective;
mod error;
mod faults;
mod json;
mod keys;
mod layer;
mod metering;
mod model;
mod networks;
mod origin;
mod overrides;
mod parse;
mod prices;
mod resources;
mod response;
#[cfg(test)]
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod tree;

pub use effective::{Effective, Entry};
pub use error::{ConfigError, Paint, Problem};
pub use model::{
    Accept, Accounts, Config, Dialect, ForwardedHeaders, Log, LogFormat, LogLevel, Resource, Response, Server,
    TestHeaders, UnknownAccounts, Verification,
};
pub use origin::Origin;
pub use overrides::Overrides;

pub(crate) use x402_sim::explain::nearest;

pub use crate::route::FacilitatorPaths;

use crate::context::Context;
use cursor::Problems;

/// The JSON Schema of a configuration file, for editors. A test makes it again, and compares.
pub const SCHEMA: &str = include_str!("schema.json");

/// A configuration and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every value with its origin.
    pub effective: Effective,
    /// What the user should know, each a sentence without its full stop.
    pub warnings: Vec<String>,
}

/// Reads every layer: defaults, global file, project file, environment, flags.
pub fn load(context: &Context, overrides: &Overrides) -> Result<Loaded, ConfigError> {
    let problems = Problems::new(&context.working_dir);
    let root = layer::merged(context, overrides, &problems)?;
    let read = settings::read(&root, &problems);
    let problems = problems.into_vec();
    match read {
        Some((config, warnings)) if problems.is_empty() => {
            Ok(Loaded { effective: Effective::new(&root, &config), config, warnings })
        }
        _ => Err(ConfigError::Invalid { problems }),
    }
}

impl Config {
    /// What is in force where nobody says anything: no file, no environment, no flag.
    pub fn defaults() -> Self {
        let nothing = Problems::default();
        let read = settings::read(&layer::defaults(), &nothing).map(|(config, _)| config);
        read.expect("the built-in defaults are valid, as a test shows")
    }
}
