//! Words made into an assertion. Every type is checked here, so that an assertion can always be asked.

use std::str::FromStr;

use super::field::{FIELDS, Field, Text};
use super::money::Money;
use super::token::{Kind, Token, cut};
use super::{AssertError, Assertion, Comparison, CountOperand};
use crate::explain::nearest;

/// How deep parentheses may be.
const DEPTH: usize = 64;

/// The words of a text that are not read yet.
struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token],
    depth: usize,
}

/// A side of a comparison, and where it stands.
struct Operand {
    value: Value,
    at: usize,
    length: usize,
}

enum Value {
    Field(Field),
    Number(String),
    Money(String),
    Quoted(String),
}

impl FromStr for Assertion {
    type Err = AssertError;

    fn from_str(source: &str) -> Result<Self, AssertError> {
        let tokens = cut(source)?;
        let mut parser = Parser { source, tokens: &tokens, depth: 0 };
        let assertion = parser.either()?;
        match parser.tokens.first() {
            None => Ok(assertion),
            Some(Token { kind: Kind::Close, .. }) => Err(parser.wrong("a `)` that nothing opens", "remove it")),
            Some(_) => Err(parser.wrong("an `and` or `or` is missing here", "join two comparisons by `and` or `or`")),
        }
    }
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Assertion, AssertError> {
        let mut left = self.both()?;
        while self.takes(&Kind::Or) || self.takes_word("or") {
            left = Assertion::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Assertion, AssertError> {
        let mut left = self.one()?;
        while self.takes(&Kind::And) || self.takes_word("and") {
            left = Assertion::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Assertion, AssertError> {
        if self.depth == DEPTH {
            return Err(self.wrong("this is nested too deeply", "write it with fewer parentheses"));
        }
        self.depth += 1;
        let one = if self.takes(&Kind::Not) || self.takes_word("not") {
            self.one().map(|inner| Assertion::Not(Box::new(inner)))
        } else if self.takes(&Kind::Open) {
            self.inside()
        } else {
            self.comparison()
        };
        self.depth -= 1;
        one
    }

    fn inside(&mut self) -> Result<Assertion, AssertError> {
        let inner = self.either()?;
        if self.takes(&Kind::Close) { Ok(inner) } else { Err(self.wrong("a `)` is missing here", "close the `(`")) }
    }

    fn comparison(&mut self) -> Result<Assertion, AssertError> {
        let left = self.operand()?;
        let Some(Token { kind: Kind::Compare(comparison), .. }) = self.tokens.first() else {
            let hint = "compare it, by `==`, `!=`, `<`, `<=`, `>` or `>=`";
            return Err(self.wrong("a comparison is missing here", hint));
        };
        let comparison = *comparison;
        self.tokens = &self.tokens[1..];
        let right = self.operand()?;
        match (&left.value, &right.value) {
            (Value::Field(_), _) => compare(&left, comparison, &right),
            (_, Value::Field(_)) => compare(&right, comparison.mirrored(), &left),
            _ => Err(left.wrong("nothing of the purchase is compared here", hint_of_fields())),
        }
    }

    fn operand(&mut self) -> Result<Operand, AssertError> {
        let Some((token, rest)) = self.tokens.split_first() else {
            return Err(self.wrong("something is missing here", "write a comparison, such as `settlements == 1`"));
        };
        let Token { kind, at, mut length } = token.clone();
        self.tokens = rest;
        let value = match kind {
            Kind::Word(name) => match FIELDS.iter().find(|row| row.0 == name) {
                Some((_, field)) => Value::Field(*field),
                None => return Err(unknown_field(&name, at)),
            },
            Kind::Number(number) => match self.ticker() {
                Some((ticker, end)) => {
                    length = end - at;
                    Value::Money(format!("{number} {ticker}"))
                }
                None => Value::Number(number),
            },
            Kind::Dollars(number) => Value::Money(number),
            Kind::Quoted(text) => Value::Quoted(text),
            _ => {
                let hint = "write a comparison, such as `settlements == 1`".to_owned();
                let what = "something to compare is missing here".to_owned();
                return Err(AssertError { what, at, length, hint: Some(hint) });
            }
        };
        Ok(Operand { value, at, length })
    }

    /// The ticker after a number, and where it ends.
    fn ticker(&mut self) -> Option<(String, usize)> {
        let (token, rest) = self.tokens.split_first()?;
        let Kind::Word(word) = &token.kind else { return None };
        let other = ["and", "or", "not"].contains(&word.as_str()) || FIELDS.iter().any(|row| row.0 == word);
        if other {
            return None;
        }
        self.tokens = rest;
        Some((word.clone(), token.at + token.length))
    }

    fn takes(&mut self, kind: &Kind) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.kind == *kind);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.takes(&Kind::Word(word.to_owned()))
    }

    /// What is wrong with the next word, or with the end.
    fn wrong(&self, what: &str, hint: &str) -> AssertError {
        let place = self.tokens.first().map_or((self.source.len(), 1), |token| (token.at, token.length));
        AssertError { what: what.to_owned(), at: place.0, length: place.1, hint: Some(hint.to_owned()) }
    }
}

impl Operand {
    fn wrong(&self, what: &str, hint: String) -> AssertError {
        AssertError { what: what.to_owned(), at: self.at, length: self.length, hint: Some(hint) }
    }
}

/// A field compared with something else.
fn compare(field: &Operand, comparison: Comparison, other: &Operand) -> Result<Assertion, AssertError> {
    let Value::Field(own) = &field.value else { return Err(field.wrong("this is no field", hint_of_fields())) };
    match own {
        Field::Count(count) => {
            let left = CountOperand::Field(*count);
            let right = match &other.value {
                Value::Field(Field::Count(other)) => Some(CountOperand::Field(*other)),
                Value::Number(number) => number.parse().ok().map(CountOperand::Number),
                _ => None,
            };
            let hint = format!("compare `{}` with a whole number", own.name());
            right
                .map(|right| Assertion::Counts(left, comparison, right))
                .ok_or_else(|| other.wrong("this is no count", hint))
        }
        Field::Moved => {
            let money = match &other.value {
                Value::Number(text) | Value::Money(text) | Value::Quoted(text) => Money::parse(text),
                Value::Field(_) => None,
            };
            let hint = "compare `moved` with an amount: `$0.01`, or `\"0.01 USDC\"`".to_owned();
            money.map(|money| Assertion::Moved(comparison, money)).ok_or_else(|| other.wrong("this is no amount", hint))
        }
        Field::Text(text) => compare_text(*text, comparison, other),
    }
}

fn compare_text(text: Text, comparison: Comparison, other: &Operand) -> Result<Assertion, AssertError> {
    let name = Field::Text(text).name();
    let Value::Quoted(wanted) = &other.value else {
        return Err(other.wrong("this is no text", format!("compare `{name}` with a text in quotes")));
    };
    if !matches!(comparison, Comparison::Equal | Comparison::Unequal) {
        return Err(other.wrong("texts are not ordered", "compare texts by `==` or `!=`".to_owned()));
    }
    if let Some(values) = text.values().filter(|values| !values.contains(&wanted.as_str())) {
        let near = nearest(wanted, values.iter().copied()).map(|near| format!("did you mean \"{near}\"? "));
        let known = values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
        let hint = format!("{}{name} can be {known}", near.unwrap_or_default());
        return Err(other.wrong(&format!("there is no such {name}"), hint));
    }
    Ok(Assertion::Is(text, comparison, wanted.clone()))
}

fn unknown_field(name: &str, at: usize) -> AssertError {
    let near = nearest(name, FIELDS.iter().map(|row| row.0));
    let hint = near.map_or_else(hint_of_fields, |near| format!("did you mean `{near}`?"));
    AssertError { what: "a purchase has no such field".to_owned(), at, length: name.len(), hint: Some(hint) }
}

fn hint_of_fields() -> String {
    format!("a purchase has {}", FIELDS.map(|row| row.0).join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::listed::Moved;
    use crate::purchase::{Delivery, Grouping, Listed, Seen, Verdict};

    fn moved(symbol: &str, decimals: u8, atomic: &str) -> Moved {
        let (network, asset, amount) = ("n".to_owned(), "a".to_owned(), format!("some {symbol}"));
        Moved { network, asset, symbol: symbol.to_owned(), decimals, atomic: atomic.to_owned(), amount }
    }

    fn purchase() -> Listed {
        Listed {
            id: "pur_1".to_owned(),
            grouping: Grouping::Header,
            name: Some("order-1".to_owned()),
            seen: Seen::Resources,
            payer: crate::accounts::find("alice").map(|account| account.address.to_owned()),
            method: Some("GET".to_owned()),
            resource: Some("/a".to_owned()),
            attempts: 3,
            authorizations: 2,
            verifies: 3,
            settlements: 2,
            undone: 0,
            pending: 0,
            refused: 1,
            faults: 0,
            deliveries: 1,
            moved: vec![moved("USDC", 6, "20000"), moved("USDT", 18, "10000000000000000")],
            delivery: Delivery::Delivered,
            verdict: Verdict::PaidTwice,
            closed: false,
            payments: Vec::new(),
            opened_at: 0,
            changed_at: 0,
            first_event: 1,
            last_event: 9,
        }
    }

    fn holds(text: &str) -> bool {
        let assertion: Assertion =
            text.parse().unwrap_or_else(|error: AssertError| panic!("{error}\n{}", error.draw(text)));
        assertion.holds(&purchase()).unwrap()
    }

    #[test]
    fn what_is_true_holds() {
        for text in [
            "settlements == 2",
            "2 == settlements",
            "1 < settlements",
            "settlements <= authorizations",
            "attempts > settlements and refused >= 1",
            "verdict == \"paid twice\"",
            "verdict == 'paid twice' && delivery != \"unknown\"",
            "not settlements == 1",
            "!(settlements == 1 || settlements == 3)",
            "settlements == 1 and settlements == 1 or settlements == 2",
            "settlements == 2 or settlements == 1 and settlements == 1",
            "moved == $0.03",
            "moved == 0.03",
            "moved == \"0.02 USDC\"",
            "moved == 0.02 usdc and moved == 0.010 USDT",
            "moved <= $0.03 and moved < 1",
            "moved > 0",
            "moved == \"0 EURC\"",
            "payer == \"alice\"",
            "payer != \"bob\" and resource == '/a' and name == \"order-1\"",
            "grouping == \"header\" and seen == \"resources\"",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in
            ["settlements == 1", "moved == $0.02", "moved == 0.03 USDC", "payer == \"bob\"", "not settlements == 2"]
        {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, caret, what, hint) in [
            ("setlements == 1", "^^^^^^^^^^", "no such field", "`settlements`"),
            ("settlements = 1", "            ^", "single `=`", "`==`"),
            ("settlements", "           ^", "comparison is missing", "`!=`"),
            ("settlements ==", "              ^", "missing", "`settlements == 1`"),
            ("settlements == 1.5", "               ^^^", "no count", "whole number"),
            ("settlements == -1", "               ^", "begins nothing", "comparison"),
            ("settlements == $1", "               ^^", "no count", "whole number"),
            ("settlements == 1 USDC", "               ^^^^^^", "no count", "whole number"),
            ("settlements == 99999999999999999999", "               ^^^^^^^^^^^^^^^^^^^^", "no count", "whole number"),
            ("moved == \"some\"", "         ^^^^^^", "no amount", "$0.01"),
            ("moved == settlements", "         ^^^^^^^^^^^", "no amount", "$0.01"),
            ("verdict == clean", "           ^^^^^", "no such field", "a purchase has"),
            ("verdict == \"claen\"", "           ^^^^^^^", "no such verdict", "did you mean \"clean\"?"),
            ("verdict < \"clean\"", "          ^^^^^^^", "not ordered", "`==`"),
            ("verdict == 1", "           ^", "no text", "quotes"),
            ("1 == 1", "^", "nothing of the purchase", "a purchase has"),
            ("(settlements == 1", "                 ^", "`)` is missing", "close"),
            ("settlements == 1)", "                ^", "nothing opens", "remove"),
            ("settlements == 1 attempts == 1", "                 ^^^^^^^^", "is missing", "`and`"),
            ("settlements == 1 and", "                    ^", "missing", "comparison"),
            ("verdict == \"clean", "           ^", "not closed", "quote"),
            ("moved == $", "         ^", "without a number", "$0.01"),
            ("", "^", "missing", "comparison"),
            ("é == 1", "^", "begins nothing", "comparison"),
        ] {
            let error = text.parse::<Assertion>().unwrap_err();
            let drawn = error.draw(text);
            assert_eq!(drawn.lines().nth(1).map(|line| &line[2..]), Some(caret), "{text}: {error}");
            assert!(error.what.contains(what), "{text}: {error}");
            assert!(error.hint.as_deref().is_some_and(|own| own.contains(hint)), "{text}: {error:?}");
        }
    }

    #[test]
    fn depth_has_an_end() {
        for deep in ["(".repeat(100_000), "!".repeat(100_000), "not ".repeat(100_000)] {
            assert!(deep.parse::<Assertion>().unwrap_err().what.contains("too deeply"));
        }
        let fair = format!("{}settlements == 2{}", "(".repeat(60), ")".repeat(60));
        assert!(holds(&fair));
    }

    #[test]
    fn dollars_are_not_compared_with_what_is_none() {
        let odd = Listed { moved: vec![moved("EURC", 6, "1")], ..purchase() };
        let holds = |text: &str| text.parse::<Assertion>().unwrap().holds(&odd);
        assert_eq!(holds("moved == $1").unwrap_err().to_string(), "some EURC moved, which is not counted in dollars");
        assert_eq!(holds("moved == 0.000001 EURC"), Ok(true));
    }

    #[test]
    fn the_evidence_names_what_was_asked() {
        let assertion: Assertion = "settlements == 1 and moved == $1 or settlements > authorizations".parse().unwrap();
        let told: Vec<String> =
            assertion.fields().iter().map(|field| format!("{} {}", field.name(), field.told(&purchase()))).collect();
        assert_eq!(told, ["settlements 2", "moved some USDC + some USDT", "authorizations 2"]);
    }
}
