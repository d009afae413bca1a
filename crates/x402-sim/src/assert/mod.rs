//! Assertions about a purchase, for tests in a shell: `settlements == 1 and verdict == "clean"`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`token`] | a text cut into words, each with its place |
//! | [`parse`] | words made into an assertion; every type is checked here |
//! | [`field`] | what can be asked of a purchase |
//! | [`money`] | amounts, and how they compare |
//! | [`hold`] | whether it holds for a purchase |

pub mod field;
pub mod hold;
pub mod money;
pub mod parse;
pub mod token;

use field::{Count, Text};
use money::Money;

/// An assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assertion {
    /// One of the two holds.
    Or(Box<Self>, Box<Self>),
    /// Both hold.
    And(Box<Self>, Box<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A count compares so with a number or another count.
    Counts(CountOperand, Comparison, CountOperand),
    /// What moved compares so with an amount.
    Moved(Comparison, Money),
    /// A text is, or is not.
    Is(Text, Comparison, String),
}

/// A side of a comparison of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountOperand {
    /// A count of the purchase.
    Field(Count),
    /// A number.
    Number(u64),
}

/// How two things compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A text is no assertion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct AssertError {
    /// What is wrong, as a fragment.
    pub what: String,
    /// Where it begins, in bytes.
    pub at: usize,
    /// How long it is, in bytes.
    pub length: usize,
    /// What to do about it.
    pub hint: Option<String>,
}

impl AssertError {
    /// The text with a caret under what is wrong.
    pub fn draw(&self, source: &str) -> String {
        let wide = |text: &str| text.chars().count();
        let end = (self.at + self.length).min(source.len());
        let (before, wrong) = (source.get(..self.at).unwrap_or(source), source.get(self.at..end).unwrap_or_default());
        let plain: String = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("  {plain}\n  {}{}", " ".repeat(wide(before)), "^".repeat(wide(wrong).max(1)))
    }
}

impl Comparison {
    /// Every comparison with its sign. Of two signs with the same beginning, the longer comes first.
    pub const ALL: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::Unequal),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        (">", Self::More),
    ];

    /// The same seen from the other side.
    const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::AtMost => Self::AtLeast,
            Self::More => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }

    /// Whether an order of two things is so.
    const fn allows(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}
