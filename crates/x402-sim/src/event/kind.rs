//! What happened, through which door, and whether that is good news.

use serde::{Serialize, Serializer};

/// What happened. A line of [`KINDS`] each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An unpaid request got an offer.
    Offered,
    /// A payment header could not be decoded.
    Undecodable,
    /// A payment would settle.
    Verified,
    /// A payment was refused before settlement.
    Refused,
    /// Money moved, or so it was said.
    Settled,
    /// A settlement failed.
    SettleFailed,
    /// The content failed, so that nothing was settled.
    NotSettled,
    /// A payment timed out by simulation.
    TimedOut,
    /// A transaction is broadcast, and not confirmed yet.
    Pending,
    /// A transaction did not happen after all.
    Undone,
    /// A fault was played.
    Faulted,
    /// Content was handed over to its last byte.
    Delivered,
    /// Content was not handed over whole: the client left, or a fault cut it off.
    NotDelivered,
    /// Somebody changed the world from outside: accounts, clock, snapshots, faults.
    Changed,
}

/// What kind of news an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A step of a payment went well.
    Success,
    /// A step of a payment failed.
    Failure,
    /// An unpaid request was told the price.
    Offer,
    /// Nobody knows yet.
    Pending,
    /// A fault was played.
    Fault,
    /// Somebody changed the world.
    Change,
}

/// Through which door something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A paid resource.
    Resources,
    /// The facilitator.
    Facilitator,
    /// The chain itself, at its own time.
    Chain,
    /// A chain's JSON-RPC.
    Rpc,
    /// The hand of the tester.
    Admin,
}

/// A kind, its name, what kind of news it is, and what happened, for people.
pub type KindRow = (Kind, &'static str, Outcome, &'static str);

/// Every kind.
pub const KINDS: &[KindRow] = &[
    (Kind::Offered, "offered", Outcome::Offer, "payment required"),
    (Kind::Undecodable, "undecodable", Outcome::Failure, "payment header cannot be decoded"),
    (Kind::Verified, "verified", Outcome::Success, "verified"),
    (Kind::Refused, "refused", Outcome::Failure, "refused"),
    (Kind::Settled, "settled", Outcome::Success, "settled"),
    (Kind::SettleFailed, "settle_failed", Outcome::Failure, "settlement failed"),
    (Kind::NotSettled, "not_settled", Outcome::Failure, "content failed, not settled"),
    (Kind::TimedOut, "timed_out", Outcome::Failure, "timed out"),
    (Kind::Pending, "pending", Outcome::Pending, "settlement pending"),
    (Kind::Undone, "undone", Outcome::Failure, "settlement undone"),
    (Kind::Faulted, "faulted", Outcome::Fault, "fault"),
    (Kind::Delivered, "delivered", Outcome::Success, "delivered"),
    (Kind::NotDelivered, "not_delivered", Outcome::Failure, "not delivered"),
    (Kind::Changed, "changed", Outcome::Change, "changed"),
];

/// Every outcome with its name.
pub const OUTCOMES: &[(Outcome, &str)] = &[
    (Outcome::Success, "success"),
    (Outcome::Failure, "failure"),
    (Outcome::Offer, "offer"),
    (Outcome::Pending, "pending"),
    (Outcome::Fault, "fault"),
    (Outcome::Change, "change"),
];

/// Every door with its name.
pub const DOORS: &[(Door, &str)] = &[
    (Door::Resources, "resources"),
    (Door::Facilitator, "facilitator"),
    (Door::Chain, "chain"),
    (Door::Rpc, "rpc"),
    (Door::Admin, "admin"),
];

impl Kind {
    /// Its line of the table.
    const fn row(self) -> &'static KindRow {
        // The table has the order of the kinds; a test compares them.
        &KINDS[self as usize]
    }

    /// Its name in events and filters.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// What kind of news it is.
    pub const fn outcome(self) -> Outcome {
        self.row().2
    }

    /// What happened, for people.
    pub const fn words(self) -> &'static str {
        self.row().3
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Door {
    /// Its name in events and filters.
    pub fn name(self) -> &'static str {
        DOORS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_a_line_for_each() {
        for (place, (kind, name, ..)) in KINDS.iter().enumerate() {
            assert_eq!(*kind as usize, place);
            assert_eq!(kind.name(), *name);
        }
        assert_eq!(Kind::Changed as usize + 1, KINDS.len());
        for (door, name) in DOORS {
            assert_eq!(serde_json::to_value(door).unwrap(), *name);
            assert_eq!(door.name(), *name);
        }
    }
}
