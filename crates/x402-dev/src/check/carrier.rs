//! Rules about the field that carries a payment: that it stands there once, and with one payment.

use serde_json::Value;
use x402_sim::explain::explanation::Explanation;
use x402_sim::explain::finding::Finding;
use x402_wire::header;

use super::exchange::{Exchange, mark};

/// Looks at the fields of a request that carry a payment; whether the one that counts stands there once.
pub fn is_alone(own: &Exchange, name: &str, explanation: &mut Explanation) -> bool {
    let all: Vec<(&str, &str)> = own.carriers().collect();
    let Some((first, _)) = all.first() else { return true };
    let times = all.iter().filter(|(other, _)| other == first).count();
    if times > 1 {
        let seen = format!("{name} has {first} {times} times; servers join them by a comma, or take one of them");
        explanation.find(Finding::new("header_repeated").seen(seen));
    }
    let other = all.iter().find(|(other, _)| other != first);
    let second = other.and_then(|(_, value)| header::decode::<Value>(value).ok());
    let second = second.as_ref().and_then(mark);
    if let (Some((other, _)), Some(second)) = (other, second)
        && own.mark() != Some(second)
    {
        let seen = format!("{name} has {first} and {other}, with two payments: whoever reads both can settle both");
        explanation.find(Finding::new("two_payments").seen(seen));
    }
    times == 1
}
