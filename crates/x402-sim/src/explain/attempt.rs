//! A payment to be tried, and the same with a member changed.

use serde_json::Value;

use crate::registry::Version;

/// A payment to be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The payload.
    pub payload: Value,
    /// The requirements.
    pub requirements: Value,
    /// The clock, in seconds.
    pub now: u64,
    /// Whether signatures are looked at: a mistake in what was signed can be mended by the payer's key only.
    pub signed: Signed,
    /// This computer's clock in seconds, where the world's is another.
    pub real: Option<u64>,
}

/// Whether signatures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// They are.
    AsSent,
    /// It is taken as signed again.
    Again,
}

impl Attempt {
    /// A member of the payload, by its pointer.
    pub fn paid(&self, pointer: &str) -> Option<&str> {
        self.payload.pointer(pointer).and_then(Value::as_str)
    }

    /// A member of the requirements, by its pointer.
    pub fn asked(&self, pointer: &str) -> Option<&str> {
        self.requirements.pointer(pointer).and_then(Value::as_str)
    }

    /// The version that the payload says.
    pub fn version(&self) -> Option<Version> {
        self.payload.get("x402Version").and_then(Value::as_u64).and_then(Version::from_number)
    }

    /// The key of the amount in the requirements.
    pub fn amount_key(&self) -> &'static str {
        if self.version() == Some(Version::V1) { "/maxAmountRequired" } else { "/amount" }
    }

    /// The same, with another member in the payload.
    pub fn pay(&self, pointer: &str, value: impl Into<Value>) -> Self {
        let mut next = self.clone();
        set(&mut next.payload, pointer, value.into());
        next
    }

    /// The same, with another member in the requirements, and in what the payer accepted of them.
    pub fn ask(&self, pointer: &str, value: impl Into<Value>) -> Self {
        let (mut next, value) = (self.clone(), value.into());
        set(&mut next.requirements, pointer, value.clone());
        if next.payload.get("accepted").is_some() {
            set(&mut next.payload, &format!("/accepted{pointer}"), value);
        }
        next
    }

    /// The same, signed again.
    pub fn again(self) -> Self {
        Self { signed: Signed::Again, ..self }
    }

    /// The same at another time.
    pub fn at(self, now: u64) -> Self {
        Self { now, ..self }
    }
}

/// Sets a member, whose parent must be an object.
pub(super) fn set(root: &mut Value, pointer: &str, value: Value) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(parent)) = root.pointer_mut(parent) {
        parent.insert(key.to_owned(), value);
    }
}
