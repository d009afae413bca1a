//! Prices that nobody means: those of another asset's decimals.

use alloy_primitives::U256;
use x402_wire::amount::{Decimal, parse_atomic};

use super::attempt::Attempt;
use super::explanation::Explanation;
use super::finding::Finding;
use crate::networks::Asset;
use crate::registry;

/// The most dollars that a stock client pays.
pub(super) const SPEND_LIMIT: u64 = 1;

/// So many dollars nobody asks for one request.
const DEAREST: u64 = 1_000_000;

/// A price that nobody asks, and that would be an ordinary one if the asset had the decimals of most others.
pub(super) fn other_decimals(amount: U256, asset: &Asset) -> Option<Finding> {
    let dollars = amount / U256::from(10).pow(U256::from(asset.decimals));
    if dollars < U256::from(DEAREST) {
        return None;
    }
    let ordinary = |decimals: u8| {
        let (whole, cent) = (U256::from(10).pow(U256::from(decimals)), U256::from(10).pow(U256::from(decimals - 6)));
        decimals > asset.decimals && (amount % cent).is_zero() && amount <= whole * U256::from(SPEND_LIMIT)
    };
    let decimals = [9, 18].into_iter().find(|decimals| ordinary(*decimals))?;
    let (price, meant) = (super::money_of(amount, asset), Decimal::from_atomic(amount, decimals));
    let seen = format!(
        "it asks {price}; with {decimals} decimals it would be {meant}, and {} has {}",
        asset.symbol, asset.decimals
    );
    let right = amount / U256::from(10).pow(U256::from(decimals - asset.decimals));
    Some(
        Finding::new("amount_decimals")
            .seen(seen)
            .fixed_by(format!("For {meant} {}, write \"{right}\".", asset.symbol)),
    )
}

/// Who lacks the money for a price that nobody means has no lack of money: the price comes first.
pub(super) fn before_funds(attempt: &Attempt, explanation: &mut Explanation) {
    let Some(place) = explanation.findings.iter().position(|finding| finding.id == "insufficient_balance") else {
        return;
    };
    let networks = registry::networks();
    let network = attempt.asked("/network").and_then(|said| networks.iter().find(|own| own.is_called(said)));
    let asset = network.zip(attempt.asked("/asset")).and_then(|(own, address)| own.asset_by_address(address));
    let amount = attempt.asked(attempt.amount_key()).and_then(parse_atomic);
    let found = amount.zip(asset.filter(|own| own.decimals >= 6)).and_then(|(amount, own)| other_decimals(amount, own));
    if let Some(finding) = found {
        let funds = explanation.findings.remove(place).doubted();
        explanation
            .findings
            .insert(place, finding.at(format!("paymentRequirements{}", attempt.amount_key().replace('/', "."))));
        explanation.findings.insert(place + 1, funds);
    }
}
