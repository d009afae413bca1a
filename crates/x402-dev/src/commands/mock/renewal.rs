//! Reading the configuration again in a running server: all of it comes into force, or nothing does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{self, Loaded, Overrides};
use crate::context::Context;
use crate::doors::admin::Reloaded;
use crate::error::Error;
use crate::instance::hold::Hold;
use crate::instance::record::Setting;
use crate::lifetime::{Manager, Notice};
use crate::state::Current;
use crate::terminal::{Colour, Terminal};

/// What a running server cannot change.
const FIXED: [&str; 4] = ["server.host", "server.port", "server.facilitator", "seed"];

/// What is read again, where it comes into force, and who is told.
#[derive(Debug)]
pub struct Renewal {
    /// The surroundings of the start.
    pub context: Context,
    /// The flags of the start.
    pub overrides: Overrides,
    /// The configuration in force. Its lock makes one reload of two at one instant wait for the other.
    pub in_force: Mutex<Loaded>,
    /// The state of the server.
    pub current: Current,
    /// Where the outcome is said.
    pub terminal: Arc<Terminal>,
    /// The service manager.
    pub manager: Manager,
    /// The instance, whose record says what is in force.
    pub hold: Option<Arc<Mutex<Hold>>>,
}

impl Renewal {
    /// Reads the configuration again and puts it in force, or says why not.
    pub fn reload(&self) -> Reloaded {
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        self.manager.notify(Notice::Reloading);
        // On a signal it runs on the thread that waits for the end: a panic here must not be that.
        let renewed = catch_unwind(AssertUnwindSafe(|| self.renew(&in_force)));
        let bug = || Err("error: a bug in x402-dev: its log has the backtrace".to_owned());
        let outcome = match renewed.unwrap_or_else(|_| bug()) {
            Ok((loaded, changed)) => {
                self.terminal.set_log(loaded.config.log);
                self.record(&loaded);
                *in_force = loaded;
                Reloaded::Changed(changed)
            }
            Err(report) => Reloaded::Refused(report),
        };
        self.manager.notify(Notice::Ready);
        self.terminal.say(&words(&outcome));
        outcome
    }

    /// Reads the configuration again. `Err` is for people and changes nothing.
    fn renew(&self, old: &Loaded) -> Result<(Loaded, Vec<String>), String> {
        let refused = |error: Error| error.report(Colour::Off);
        let new = config::load(&self.context, &self.overrides).map_err(|error| refused(error.into()))?;
        let changed = changed_keys(old, &new);
        let fixed: Vec<_> = changed.iter().filter(|key| FIXED.contains(&key.as_str())).cloned().collect();
        if !fixed.is_empty() {
            return Err(format!(
                "error: {} cannot change while the server runs\nhint: use `x402-dev mock restart`",
                fixed.join(", ")
            ));
        }
        let state = self.current.get().renewed(&new.config).map_err(|error| refused(error.into()))?;
        self.current.set(state);
        Ok((new, changed))
    }

    /// Says in the record what is in force now. What cannot be written is said and changes nothing else.
    fn record(&self, loaded: &Loaded) {
        let Some(hold) = &self.hold else { return };
        let renewed = hold.lock().unwrap_or_else(PoisonError::into_inner).renew(settings(loaded));
        if let Err(error) = renewed {
            self.terminal.notice(&format!("warning: `mock env` and `mock status` tell the old configuration: {error}"));
        }
    }
}

/// What is in force, for the record.
pub fn settings(loaded: &Loaded) -> Vec<Setting> {
    let entries = loaded.effective.entries.iter();
    entries.map(|entry| (entry.key.clone(), entry.value.clone(), entry.origin.to_string())).collect()
}

fn changed_keys(old: &Loaded, new: &Loaded) -> Vec<String> {
    let pairs = old.effective.entries.iter().zip(&new.effective.entries);
    pairs.filter(|(old, new)| old.value != new.value).map(|(_, new)| new.key.clone()).collect()
}

fn words(outcome: &Reloaded) -> String {
    match outcome {
        Reloaded::Changed(keys) if keys.is_empty() => "reloaded: nothing has changed".to_owned(),
        Reloaded::Changed(keys) => format!("reloaded: {}", keys.join(", ")),
        Reloaded::Refused(why) => format!("reload refused, the old configuration holds\n{why}"),
    }
}
