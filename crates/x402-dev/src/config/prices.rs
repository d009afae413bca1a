//! Prices, and what they are in atomic units of every asset that a resource takes.

use x402_sim::merchant::{Meter, Plan};
use x402_sim::networks::{Asset, Family, Network, Transfer};
use x402_wire::U256;
use x402_wire::amount::{self, Price};

use super::accepts::{Terms, find_asset};
use super::cursor::Cursor;
use super::keys;
use super::metering::Charge;
use super::model::{Accept, Response};
use super::networks;
use super::tree::Value;

/// A price as it was written, and where.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    amount: Amount,
    /// Whether the amount is the most that may be charged, and what is charged then.
    metered: Option<Metered<'a>>,
    cursor: Cursor<'a>,
}

#[derive(Clone, Debug)]
enum Metered<'a> {
    /// All of it is charged.
    Whole,
    /// This is charged.
    By(Charge<'a>),
}

#[derive(Clone, Debug)]
enum Amount {
    /// An amount in whole units, or nothing.
    Price(Price),
    /// An amount in atomic units of an asset by its symbol or address.
    Atomic { asset: String, amount: U256 },
}

impl Amount {
    /// Whether nobody would pay anything.
    fn is_nothing(&self) -> bool {
        match self {
            Self::Price(Price::Free) => true,
            Self::Price(Price::Money { amount, .. }) => amount.is_zero(),
            Self::Atomic { amount, .. } => amount.is_zero(),
        }
    }
}

impl<'a> Asked<'a> {
    /// Reads a price: a text, a number by its text, `{asset, amount}` or `{upto, charge}`.
    pub(super) fn read(cursor: &Cursor<'a>) -> Option<Self> {
        if let Value::Mapping(entries) = &cursor.node.value
            && entries.iter().any(|(key, _)| keys::METERED.contains(&key.text.as_str()))
        {
            return Self::metered(cursor);
        }
        let amount = match cursor.node.value {
            Value::Mapping(_) => atomic(cursor)?,
            _ => match Price::parse(cursor.text()?) {
                Ok(price) => Amount::Price(price),
                Err(error) => return cursor.refuse(cursor.problem(error.to_string())),
            },
        };
        Some(Self { amount, metered: None, cursor: cursor.clone() })
    }

    fn metered(cursor: &Cursor<'a>) -> Option<Self> {
        let fields = cursor.fields(keys::METERED)?;
        let most = fields.require("upto").and_then(|most| {
            let asked = Self::read(&most)?;
            if asked.metered.is_some() || asked.amount.is_nothing() {
                return most.refuse(most.problem("`upto` is the most that a payer signs for: a price above zero"));
            }
            Some(asked)
        });
        let charge = fields.get("charge");
        let metered = charge.map_or(Some(Metered::Whole), |charge| Charge::read(&charge).map(Metered::By));
        Some(Self { metered: Some(metered?), ..most? })
    }

    /// Refuses a charge that needs something of the content which the configured answer does not have.
    pub(super) fn suits(&self, response: Option<&Response>) -> Option<()> {
        match &self.metered {
            Some(Metered::By(charge)) => charge.suits(response),
            Some(Metered::Whole) | None => Some(()),
        }
    }

    /// The price for people.
    pub(super) fn text(&self) -> String {
        let most = if self.metered.is_some() { "up to " } else { "" };
        match &self.amount {
            Amount::Price(price) => format!("{most}{price}"),
            Amount::Atomic { asset, amount } => format!("{most}{amount} atomic units of {asset}"),
        }
    }

    /// The price put to every one of the terms; nothing where it is free.
    pub(super) fn put_to(&self, terms: &[Terms]) -> Option<Vec<Accept>> {
        if matches!(self.amount, Amount::Price(Price::Free)) {
            return Some(Vec::new());
        }
        // What nobody wrote, and this price cannot be asked on, is left out.
        let is_left_out = |terms: &&Terms| {
            terms.place.is_none()
                && terms.network.family != Family::Eip155
                && (self.metered.is_some() || !self.fits(terms))
        };
        let accepts: Vec<Option<Accept>> =
            terms.iter().filter(|terms| !is_left_out(terms)).map(|terms| self.accept(terms)).collect();
        accepts.into_iter().collect()
    }

    /// Whether the price can be asked in the asset of the terms.
    fn fits(&self, terms: &Terms) -> bool {
        let Ok(asset) = self.asset(terms) else { return false };
        let amount = match &self.amount {
            Amount::Price(Price::Free) => Some(U256::ZERO),
            Amount::Price(Price::Money { amount, .. }) => amount.to_atomic(asset.decimals).ok(),
            Amount::Atomic { amount, .. } => Some(*amount),
        };
        amount.is_some_and(|amount| counts(&terms.network, amount))
    }

    fn accept(&self, terms: &Terms) -> Option<Accept> {
        let resolved = self.asset(terms).and_then(|asset| {
            let amount = match &self.amount {
                Amount::Price(Price::Free) => U256::ZERO,
                Amount::Price(Price::Money { amount, .. }) => amount
                    .to_atomic(asset.decimals)
                    .map_err(|error| format!("{error}: {} on {}", asset.symbol, terms.network))?,
                Amount::Atomic { amount, .. } => *amount,
            };
            if !counts(&terms.network, amount) {
                return Err(format!(
                    "{} is counted in {} bits on {}, and the price is more",
                    asset.symbol,
                    terms.network.family.row().largest.bit_len(),
                    terms.network
                ));
            }
            Ok((asset.clone(), amount, self.instrument(terms, asset)?))
        });
        match resolved {
            Ok((asset, amount, instrument)) => Some(Accept {
                plan: match &self.metered {
                    None => Plan::Exact,
                    Some(Metered::Whole) => Plan::Upto(Meter::Whole),
                    Some(Metered::By(charge)) => Plan::Upto(charge.meter(&asset, amount)?),
                },
                network: terms.network.clone(),
                asset,
                pay_to: terms.pay_to.clone(),
                max_timeout_seconds: terms.max_timeout_seconds,
                amount,
                blockhash: terms.blockhash,
                extra: terms.extra.clone(),
                instrument,
            }),
            Err(message) => {
                let mut problem = self.cursor.problem(message);
                if let Some(place) = terms.place.as_ref().filter(|_| self.cursor.node.place.is_default()) {
                    problem = problem.at(place);
                }
                self.cursor.refuse(problem)
            }
        }
    }

    /// How the asset is moved.
    fn instrument(&self, terms: &Terms, asset: &Asset) -> Result<Transfer, String> {
        let network = &terms.network;
        match (terms.method, asset.transfer) {
            (Some(_), _) if network.family != Family::Eip155 => {
                Err(format!("`asset_transfer_method` is for EVM networks, not for {network}"))
            }
            _ if self.metered.is_some() && network.family != Family::Eip155 => {
                Err(format!("nothing can be metered on {network}: `upto` is played on EVM networks only"))
            }
            (Some(Transfer::Eip3009), Transfer::Permit2) => {
                Err(format!("{} on {network} has no EIP-3009: it moves by Permit2 only", asset.symbol))
            }
            (Some(Transfer::Eip3009), _) if self.metered.is_some() => {
                Err("a metered price is paid by Permit2: leave `asset_transfer_method` out".to_owned())
            }
            _ if self.metered.is_some() => Ok(Transfer::Permit2),
            (method, own) => Ok(method.unwrap_or(own)),
        }
    }

    /// The asset that is meant on the network of the terms.
    fn asset<'t>(&self, terms: &'t Terms) -> Result<&'t Asset, String> {
        let name = match &self.amount {
            Amount::Price(Price::Money { ticker: Some(ticker), .. }) => Some(ticker),
            Amount::Price(_) => None,
            Amount::Atomic { asset, .. } => Some(asset),
        };
        match (name.map(|name| find_asset(&terms.network, name)).transpose()?, &terms.asset) {
            (Some(priced), Some(accepted)) if priced != accepted => Err(format!(
                "the price is in {}, but the offer on {} takes {}",
                priced.symbol, terms.network, accepted.symbol
            )),
            (Some(asset), _) | (None, Some(asset)) => Ok(asset),
            (None, None) => {
                let first = terms.network.assets.iter().find(|asset| networks::is_payable(&terms.network, asset));
                first.ok_or_else(|| format!("nothing can pay on {}", terms.network))
            }
        }
    }
}

/// Whether a network can count so much of an asset.
fn counts(network: &Network, amount: U256) -> bool {
    amount <= network.family.row().largest
}

fn atomic(cursor: &Cursor<'_>) -> Option<Amount> {
    let fields = cursor.fields(keys::PRICE)?;
    let asset = fields.require("asset").and_then(|asset| asset.text().map(str::to_owned));
    let amount = fields.require("amount").and_then(|amount| {
        let text = amount.text()?;
        amount::parse_atomic(text).or_else(|| {
            let problem = amount.problem(format!("`{text}` is no amount in atomic units"));
            amount.refuse(problem.hinted("write decimal digits only, at most 2^256 - 1"))
        })
    });
    Some(Amount::Atomic { asset: asset?, amount: amount? })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Project, loaded, problems};

    fn amounts(price: &str) -> String {
        let yaml =
            format!("networks: [base-sepolia, celo]\naccepts: [base-sepolia, celo]\npricing: {{default: {price}}}\n");
        let resource = loaded(&yaml).config.default_resource;
        let accepts = resource.accepts.iter().map(|accept| format!(" {} {}", accept.amount, accept.asset.symbol));
        format!("{}:{}", resource.price, accepts.collect::<String>())
    }

    #[test]
    fn prices_are_exact_in_every_spelling() {
        let prices =
            ["$0.01", "0.01", "'0.01'", "0.010000", "\"0.05 USDC\"", "0.1", "1", "100000000000000000000.000001"];
        insta::assert_snapshot!(prices.map(amounts).join("\n"), @r"
            $0.01: 10000 USDC 10000 USDC
            $0.01: 10000 USDC 10000 USDC
            $0.01: 10000 USDC 10000 USDC
            $0.01: 10000 USDC 10000 USDC
            0.05 USDC: 50000 USDC 50000 USDC
            $0.1: 100000 USDC 100000 USDC
            $1: 1000000 USDC 1000000 USDC
            $100000000000000000000.000001: 100000000000000000000000001 USDC 100000000000000000000000001 USDC
        ");
        let prices = [
            "{asset: USDC, amount: 7}",
            "{asset: usdc, amount: '115792089237316195423570985008687907853269984665640564039457584007913129639935'}",
            "0 USDC",
        ];
        insta::assert_snapshot!(prices.map(amounts).join("\n"), @r"
            7 atomic units of USDC: 7 USDC 7 USDC
            115792089237316195423570985008687907853269984665640564039457584007913129639935 atomic units of usdc: 115792089237316195423570985008687907853269984665640564039457584007913129639935 USDC 115792089237316195423570985008687907853269984665640564039457584007913129639935 USDC
            0 USDC: 0 USDC 0 USDC
        ");
        for free in ["free", "0", "$0.00"] {
            assert_eq!(amounts(free), "free:");
        }
    }

    #[test]
    fn prices_that_are_none_are_refused() {
        let huge = "1".repeat(73);
        let prices = [
            ".nan",
            ".inf",
            "NaN",
            "-1",
            "-$1",
            "0.0000001",
            &huge,
            "1e-3",
            "0x10",
            "''",
            "1,50",
            "0.05 EURC",
            "[1]",
            "true",
            "{asset: USDC}",
            "{asset: USDC, amount: 0x10}",
            "{asset: EURC, amount: 1}",
            "{amont: 1, asset: USDC}",
            "{asset: USDC, amount: 115792089237316195423570985008687907853269984665640564039457584007913129639936}",
        ];
        insta::assert_snapshot!(prices.map(|price| problems(&format!("pricing:\n  default: {price}\n"))).join("\n"), @r"
            .x402dev.yaml:2:12: pricing.default: `.nan` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: `.inf` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: `NaN` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: `-1` is negative; a price is zero or more
            .x402dev.yaml:2:12: pricing.default: `-$1` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: 0.0000001 has more than the 6 decimals that the asset can hold: USDC on Base Sepolia (eip155:84532)
            .x402dev.yaml:2:12: pricing.default: 1111111111111111111111111111111111111111111111111111111111111111111111111 is more than the asset can hold (2^256 - 1 atomic units): USDC on Base Sepolia (eip155:84532)
            .x402dev.yaml:2:12: pricing.default: `1e-3` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: `0x10` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: `` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: `1,50` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: there is no asset `EURC` on Base Sepolia (eip155:84532), which has `USDC`
            .x402dev.yaml:2:12: pricing.default: expected a text, found a list
            .x402dev.yaml:2:12: pricing.default: `true` is not a price; write `$0.01`, `0.01`, `0.05 USDC` or `free`
            .x402dev.yaml:2:12: pricing.default: the key `amount` is missing here
            .x402dev.yaml:2:34: pricing.default.amount: `0x10` is no amount in atomic units [write decimal digits only, at most 2^256 - 1]
            .x402dev.yaml:2:12: pricing.default: there is no asset `EURC` on Base Sepolia (eip155:84532), which has `USDC`
            .x402dev.yaml:2:12: pricing.default: the key `amount` is missing here
            .x402dev.yaml:2:13: pricing.default.amont: there is no key `amont` here [did you mean `amount`?]
            .x402dev.yaml:2:34: pricing.default.amount: `115792089237316195423570985008687907853269984665640564039457584007913129639936` is no amount in atomic units [write decimal digits only, at most 2^256 - 1]
        ");
    }

    #[test]
    fn a_price_must_fit_every_way_to_pay() {
        insta::assert_snapshot!(problems("networks: [celo]\naccepts: [{network: celo, asset: USDC}]\nresources: [{match: /a, price: 1 USDT}]\n"), @".x402dev.yaml:3:32: resources[0].price: the price is in USDT, but the offer on Celo (eip155:42220) takes USDC");
        insta::assert_snapshot!(problems("networks: [base-sepolia, celo]\naccepts: [base-sepolia, celo]\npricing: {default: 1 USDT}\n"), @".x402dev.yaml:3:20: pricing.default: there is no asset `USDT` on Base Sepolia (eip155:84532), which has `USDC`");
        let coarse = "networks: [{id: eip155:5, assets: [{address: '0x5FbDB2315678afecb367f032d93F642f64180aa3', symbol: T, name: T, version: 1, decimals: 1}]}]\n";
        insta::assert_snapshot!(problems(coarse), @".x402dev.yaml:1:12: pricing.default: 0.01 has more than the 1 decimals that the asset can hold: T on chain 5 (eip155:5)");
        insta::assert_snapshot!(Project::new().yaml(coarse).variable("X402_DEV_PRICING__DEFAULT", "1.25").problems(), @"X402_DEV_PRICING__DEFAULT: pricing.default: 1.25 has more than the 1 decimals that the asset can hold: T on chain 5 (eip155:5)");
    }
}
