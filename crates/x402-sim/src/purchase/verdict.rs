//! What is said of a purchase: how it was grouped, what was seen of it, and the verdict.

use serde::{Deserialize, Serialize};

/// How the attempts of a purchase were told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// By the `payment-identifier` extension of the payload.
    Id,
    /// By `X-Purchase-Id` or `Idempotency-Key` of the request.
    Header,
    /// By payer and resource: a guess.
    Guess,
}

/// At which doors a purchase was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// At the resource and at the facilitator.
    Both,
    /// At the resource only.
    Resources,
    /// At the facilitator only.
    Facilitator,
}

/// Whether the buyer got the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// It was handed over to its last byte.
    #[serde(rename = "delivered")]
    Delivered,
    /// It was not.
    #[serde(rename = "not delivered")]
    NotDelivered,
    /// Nobody here can know: the facilitator does not see it, or it is on its way.
    #[serde(rename = "unknown")]
    Unknown,
}

/// What is to be said of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// Paid once and delivered.
    #[serde(rename = "clean")]
    Clean,
    /// Settled more than once: a fact.
    #[serde(rename = "paid twice")]
    PaidTwice,
    /// Settled, and the content did not arrive whole.
    #[serde(rename = "paid, not delivered")]
    PaidNotDelivered,
    /// The content was handed over, and no money moved in the end.
    #[serde(rename = "delivered, not paid")]
    DeliveredNotPaid,
    /// Every attempt was refused.
    #[serde(rename = "refused")]
    Refused,
    /// Nothing is decided yet.
    #[serde(rename = "pending")]
    Pending,
    /// Settled; whether it was delivered cannot be seen from here.
    #[serde(rename = "settled, delivery not seen")]
    DeliveryNotSeen,
    /// Settled more than once, if the guess is right that this is one purchase.
    #[serde(rename = "possibly paid twice")]
    PossiblyPaidTwice,
}

/// What the verdict depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) grouping: Grouping,
    pub(super) delivery: Delivery,
    pub(super) settlements: u64,
    pub(super) deliveries: u64,
    pub(super) pending: bool,
    pub(super) refused: bool,
    pub(super) faulted: bool,
}

impl Grouping {
    /// Every grouping with its name.
    pub const ALL: [(Self, &'static str); 3] = [(Self::Id, "id"), (Self::Header, "header"), (Self::Guess, "guess")];

    /// Its name.
    pub fn name(self) -> &'static str {
        name(&Self::ALL, self)
    }
}

impl Seen {
    /// Every value with its name.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Both, "both"), (Self::Resources, "resources"), (Self::Facilitator, "facilitator")];

    /// Its name.
    pub fn name(self) -> &'static str {
        name(&Self::ALL, self)
    }
}

impl Delivery {
    /// Every value with its name.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Delivered, "delivered"), (Self::NotDelivered, "not delivered"), (Self::Unknown, "unknown")];

    /// Its name.
    pub fn name(self) -> &'static str {
        name(&Self::ALL, self)
    }
}

impl Verdict {
    /// Every verdict with its name.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Clean, "clean"),
        (Self::PaidTwice, "paid twice"),
        (Self::PaidNotDelivered, "paid, not delivered"),
        (Self::DeliveredNotPaid, "delivered, not paid"),
        (Self::Refused, "refused"),
        (Self::Pending, "pending"),
        (Self::DeliveryNotSeen, "settled, delivery not seen"),
        (Self::PossiblyPaidTwice, "possibly paid twice"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        name(&Self::ALL, self)
    }

    pub(super) fn of(evidence: Evidence) -> Self {
        let Evidence { grouping, delivery, settlements, deliveries, pending, refused, faulted } = evidence;
        match settlements {
            0 if pending => Self::Pending,
            0 if deliveries > 0 => Self::DeliveredNotPaid,
            0 if refused => Self::Refused,
            0 => Self::Pending,
            1 => match delivery {
                Delivery::Delivered => Self::Clean,
                Delivery::NotDelivered => Self::PaidNotDelivered,
                Delivery::Unknown => Self::DeliveryNotSeen,
            },
            _ if grouping != Grouping::Guess => Self::PaidTwice,
            // Requests side by side: each got what it paid for, so nothing says that they were one purchase.
            _ if deliveries >= settlements && !faulted => Self::Clean,
            _ => Self::PossiblyPaidTwice,
        }
    }
}

fn name<T: PartialEq + Copy>(all: &[(T, &'static str)], value: T) -> &'static str {
    all.iter().find(|row| row.0 == value).map_or("", |row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_written() {
        for (verdict, name) in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), name);
        }
        for (delivery, name) in Delivery::ALL {
            assert_eq!(serde_json::to_value(delivery).unwrap(), name);
        }
        for (seen, name) in Seen::ALL {
            assert_eq!(serde_json::to_value(seen).unwrap(), name);
        }
        for (grouping, name) in Grouping::ALL {
            assert_eq!(serde_json::to_value(grouping).unwrap(), name);
        }
    }

    #[test]
    fn only_what_was_named_can_be_paid_twice_as_a_fact() {
        let evidence = |grouping, settlements, deliveries, faulted| Evidence {
            grouping,
            delivery: if deliveries > 0 { Delivery::Delivered } else { Delivery::NotDelivered },
            settlements,
            deliveries,
            pending: false,
            refused: true,
            faulted,
        };
        for settlements in 0..4 {
            for deliveries in 0..4 {
                for faulted in [false, true] {
                    let of = |grouping| Verdict::of(evidence(grouping, settlements, deliveries, faulted));
                    assert_ne!(of(Grouping::Guess), Verdict::PaidTwice);
                    for named in [Grouping::Id, Grouping::Header] {
                        assert_eq!(of(named) == Verdict::PaidTwice, settlements > 1);
                        assert_ne!(of(named), Verdict::PossiblyPaidTwice);
                    }
                }
            }
        }
    }
}
