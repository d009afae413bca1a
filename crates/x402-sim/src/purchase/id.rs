//! What purchases are called.

use std::fmt;

use serde::{Serialize, Serializer};

/// How its text begins.
const PREFIX: &str = "pur_";

/// What a purchase is called: `pur_1` is the first of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PurchaseId(pub u64);

impl PurchaseId {
    /// Reads `pur_` and a number.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse().ok().filter(|_| canonical).map(Self)
    }
}

impl fmt::Display for PurchaseId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}", self.0)
    }
}

impl Serialize for PurchaseId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        assert_eq!(PurchaseId::parse("pur_12"), Some(PurchaseId(12)));
        assert_eq!(PurchaseId(12).to_string(), "pur_12");
        for wrong in ["", "12", "pur_", "pur_0", "pur_01", "pur_+1", "pur_-1", "pur_1x", "pur_99999999999999999999"] {
            assert_eq!(PurchaseId::parse(wrong), None, "{wrong}");
        }
    }
}
