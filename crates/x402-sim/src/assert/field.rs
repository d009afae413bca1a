//! What can be asked of a purchase.

use crate::accounts;
use crate::purchase::{Delivery, Grouping, Listed, Seen, Verdict};

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Requests with a payment.
    Attempts,
    /// Different authorizations.
    Authorizations,
    /// Verifications.
    Verifies,
    /// Transfers in the ledger.
    Settlements,
    /// Transfers that were undone.
    Undone,
    /// Settlements that are not confirmed yet.
    Pending,
    /// Refusals.
    Refused,
    /// Faults that were played.
    Faults,
    /// Deliveries of the content.
    Deliveries,
}

/// Something that is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The verdict.
    Verdict,
    /// Whether it was delivered.
    Delivery,
    /// How it was grouped.
    Grouping,
    /// At which doors it was seen.
    Seen,
    /// Who pays: an address, or the name of an account.
    Payer,
    /// The resource.
    Resource,
    /// The name that the buyer gave.
    Name,
}

/// Something that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A count.
    Count(Count),
    /// What moved.
    Moved,
    /// A text.
    Text(Text),
}

/// Everything that can be asked, by its name.
pub const FIELDS: [(&str, Field); 17] = [
    ("attempts", Field::Count(Count::Attempts)),
    ("authorizations", Field::Count(Count::Authorizations)),
    ("verifies", Field::Count(Count::Verifies)),
    ("settlements", Field::Count(Count::Settlements)),
    ("undone", Field::Count(Count::Undone)),
    ("pending", Field::Count(Count::Pending)),
    ("refused", Field::Count(Count::Refused)),
    ("faults", Field::Count(Count::Faults)),
    ("deliveries", Field::Count(Count::Deliveries)),
    ("moved", Field::Moved),
    ("verdict", Field::Text(Text::Verdict)),
    ("delivery", Field::Text(Text::Delivery)),
    ("grouping", Field::Text(Text::Grouping)),
    ("seen", Field::Text(Text::Seen)),
    ("payer", Field::Text(Text::Payer)),
    ("resource", Field::Text(Text::Resource)),
    ("name", Field::Text(Text::Name)),
];

impl Field {
    /// Its name.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|row| row.1 == self).map_or("", |row| row.0)
    }

    /// What it is for a purchase, for people.
    pub fn told(self, purchase: &Listed) -> String {
        match self {
            Self::Count(count) => count.of(purchase).to_string(),
            Self::Moved => purchase.moved_text(),
            Self::Text(text) => text.of(purchase).map_or_else(|| "nothing".to_owned(), |text| format!("\"{text}\"")),
        }
    }
}

impl Count {
    /// The count of a purchase.
    pub const fn of(self, purchase: &Listed) -> u64 {
        match self {
            Self::Attempts => purchase.attempts,
            Self::Authorizations => purchase.authorizations,
            Self::Verifies => purchase.verifies,
            Self::Settlements => purchase.settlements,
            Self::Undone => purchase.undone,
            Self::Pending => purchase.pending,
            Self::Refused => purchase.refused,
            Self::Faults => purchase.faults,
            Self::Deliveries => purchase.deliveries,
        }
    }
}

impl Text {
    /// The text of a purchase, if it has one.
    pub fn of(self, purchase: &Listed) -> Option<&str> {
        match self {
            Self::Verdict => Some(purchase.verdict.name()),
            Self::Delivery => Some(purchase.delivery.name()),
            Self::Grouping => Some(purchase.grouping.name()),
            Self::Seen => Some(purchase.seen.name()),
            Self::Payer => purchase.payer.as_deref(),
            Self::Resource => purchase.resource.as_deref(),
            Self::Name => purchase.name.as_deref(),
        }
    }

    /// Every value that it can have, where that is a list.
    pub fn values(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Verdict => Some(Verdict::ALL.map(|row| row.1).to_vec()),
            Self::Delivery => Some(Delivery::ALL.map(|row| row.1).to_vec()),
            Self::Grouping => Some(Grouping::ALL.map(|row| row.1).to_vec()),
            Self::Seen => Some(Seen::ALL.map(|row| row.1).to_vec()),
            Self::Payer | Self::Resource | Self::Name => None,
        }
    }

    /// Whether the text of a purchase is this one.
    pub fn is(self, purchase: &Listed, wanted: &str) -> bool {
        let Some(own) = self.of(purchase) else { return false };
        if self != Self::Payer {
            return own == wanted;
        }
        let named = accounts::find(wanted).is_some_and(|account| account.is_at(own));
        named || own.eq_ignore_ascii_case(wanted)
    }
}
