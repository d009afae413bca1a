//! Whether an assertion holds for a purchase.

use super::field::Field;
use super::money::Incomparable;
use super::{Assertion, CountOperand};
use crate::purchase::Listed;

impl Assertion {
    /// Whether it holds for a purchase.
    ///
    /// # Errors
    ///
    /// Amounts that cannot be compared.
    pub fn holds(&self, purchase: &Listed) -> Result<bool, Incomparable> {
        Ok(match self {
            Self::Or(left, right) => left.holds(purchase)? || right.holds(purchase)?,
            Self::And(left, right) => left.holds(purchase)? && right.holds(purchase)?,
            Self::Not(inner) => !inner.holds(purchase)?,
            Self::Counts(left, comparison, right) => comparison.allows(left.of(purchase).cmp(&right.of(purchase))),
            Self::Moved(comparison, money) => comparison.allows(money.compare(purchase)?),
            Self::Is(text, comparison, wanted) => {
                // Only equality is asked of texts.
                let order =
                    if text.is(purchase, wanted) { std::cmp::Ordering::Equal } else { std::cmp::Ordering::Less };
                comparison.allows(order)
            }
        })
    }

    /// What it asks for, each once, in the order of the text.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.collect(&mut fields);
        fields
    }

    fn collect(&self, fields: &mut Vec<Field>) {
        let mut add = |field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        match self {
            Self::Or(left, right) | Self::And(left, right) => {
                left.collect(fields);
                right.collect(fields);
            }
            Self::Not(inner) => inner.collect(fields),
            Self::Counts(left, _, right) => {
                for operand in [left, right] {
                    if let CountOperand::Field(count) = operand {
                        add(Field::Count(*count));
                    }
                }
            }
            Self::Moved(..) => add(Field::Moved),
            Self::Is(text, ..) => add(Field::Text(*text)),
        }
    }
}

impl CountOperand {
    const fn of(self, purchase: &Listed) -> u64 {
        match self {
            Self::Field(count) => count.of(purchase),
            Self::Number(number) => number,
        }
    }
}
