//! An invoice that a server asks to be paid: whether anybody can.

use alloy_primitives::U256;
use x402_wire::amount::Decimal;
use x402_wire::shape::shorten;

use super::explanation::Explanation;
use super::finding::Finding;
use crate::networks::Family;
use crate::networks::{eip155, solana};
use crate::registry;

/// The parts that every invoice has.
const PARTS: [&str; 5] = ["recipient", "amount", "currency", "memo", "network"];

/// The longest memo that fits into a transaction beside a transfer, in bytes.
const LONGEST_MEMO: usize = 900;

/// Looks at the parameters of an invoice's challenge.
pub(super) fn examine(parameters: &[(String, String)], explanation: &mut Explanation) {
    let get = |name: &str| parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let wrong = |part: &str, seen: String| Finding::new("invoice_unpayable").at(part).seen(seen);
    let mut found = Vec::new();
    for part in PARTS {
        match get(part).map(str::trim) {
            None => found.push(wrong(part, format!("it has no `{part}`"))),
            Some("") => found.push(wrong(part, format!("its `{part}` is empty"))),
            Some(_) => {}
        }
    }
    let written = |name: &str| get(name).map(str::trim).filter(|value| !value.is_empty());
    if let Some(network) = written("network").filter(|network| !is_cluster(network)) {
        let seen = format!("its `network` is \"{}\", and no cluster of Solana is called so", shorten(network));
        found.push(wrong("network", seen));
    }
    if let Some(recipient) = written("recipient").filter(|own| solana::parse_address(own).is_none()) {
        let seen = format!("its `recipient` is {}", shorten(recipient));
        found.push(if eip155::parse_address(recipient).is_some() {
            let finding = Finding::new("address_of_other_family").at("recipient");
            finding.seen(format!("{seen}, an address of EVM networks; an invoice is paid on Solana"))
        } else {
            wrong("recipient", format!("{seen}: that is no address of Solana"))
        });
    }
    if let Some(amount) = written("amount") {
        let is_some = |own: Decimal| own.to_atomic(18).is_ok_and(|atomic| atomic > U256::ZERO);
        if !Decimal::parse(amount).is_ok_and(is_some) {
            found.push(wrong("amount", format!("its `amount` is \"{}\", and no decimal above zero", shorten(amount))));
        }
    }
    if let Some(memo) = written("memo").filter(|memo| memo.len() > LONGEST_MEMO) {
        found.push(wrong(
            "memo",
            format!("its `memo` has {} bytes, and a transaction takes {LONGEST_MEMO}", memo.len()),
        ));
    }
    if found.is_empty() {
        explanation.notes.push(
            "an invoice is paid by a transaction on Solana with its amount, recipient and memo, whose signature is given as \
             X-Payment-Proof: `x402-dev pay --dialect invoice` does that, and stock x402 clients do not"
                .to_owned(),
        );
    }
    // Each part has a place of its own.
    explanation.findings.extend(merged(found));
}

/// Findings of one kind as one: its first place, and all that was seen.
fn merged(found: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in found {
        match all.iter_mut().find(|own| own.id == finding.id) {
            Some(own) => own.evidence.extend(finding.evidence),
            None => all.push(finding),
        }
    }
    all
}

/// Whether a word names a cluster of Solana, as invoices and their clients write them.
fn is_cluster(name: &str) -> bool {
    let v1 = match name {
        "devnet" | "testnet" => format!("solana-{name}"),
        "mainnet" | "mainnet-beta" => "solana".to_owned(),
        other => other.to_owned(),
    };
    // One of somebody's own machine is known to nobody else.
    ["localnet", "localhost"].contains(&name)
        || registry::networks().iter().any(|network| network.is_called(&v1) && network.family == Family::Solana)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts;
    use crate::explain::kind::Kind;

    fn ids(change: (&str, Option<&str>)) -> Vec<&'static str> {
        let mut parts = vec![
            ("recipient", accounts::merchant().solana_address),
            ("amount", "0.01"),
            ("currency", "USDC"),
            ("memo", "req-00000000-0000-4000-8000-000000000000"),
            ("network", "devnet"),
        ];
        parts.retain(|(name, _)| *name != change.0);
        parts.extend(change.1.map(|value| (change.0, value)));
        let parameters: Vec<_> = parts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut explanation = Explanation::new(Kind::Invoice, "");
        examine(&parameters, &mut explanation);
        explanation.findings.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn an_invoice_that_nobody_can_pay_is_told_of_and_a_good_one_is_not() {
        assert!(ids(("currency", Some("USDC"))).is_empty());
        assert!(ids(("memo", Some("anything else"))).is_empty());
        assert!(ids(("network", Some("mainnet-beta"))).is_empty());
        for (change, id) in [
            (("memo", None), "invoice_unpayable"),
            (("memo", Some("")), "invoice_unpayable"),
            (("amount", Some("-5")), "invoice_unpayable"),
            (("amount", Some("0")), "invoice_unpayable"),
            (("amount", Some("1e4")), "invoice_unpayable"),
            (("network", Some("base")), "invoice_unpayable"),
            (("recipient", Some("me")), "invoice_unpayable"),
            (("recipient", Some("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720")), "address_of_other_family"),
        ] {
            assert_eq!(ids(change), [id], "{change:?}");
        }
    }
}
