//! `/_x402/api/accounts/{account}/balance` and `/fund`: what accounts hold.

use axum::Json;
use axum::extract::{Path, State as Extract};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use x402_sim::accounts::book::Party;
use x402_sim::world::money::{Currency, Funding, MoneyError};
use x402_sim::{U256, World};
use x402_wire::amount::{AmountError, Decimal, Price};

use super::accounts::{find, refuse};
use crate::doors::admin::input::{Asked, Input};
use crate::doors::admin::office::Office;
use crate::doors::admin::problem::{Code, Problem};

/// What an account holds of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// The network's CAIP-2 id.
    pub network: String,
    /// The asset's ticker.
    pub symbol: String,
    /// The asset's address.
    pub asset: String,
    /// The amount in whole units: `0.01`.
    pub amount: String,
    /// The amount in atomic units: `10000`.
    pub atomic: String,
}

/// What an account holds of some assets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Balances {
    /// What people call the account.
    pub account: String,
    /// What it holds.
    pub balances: Vec<Balance>,
}

/// Which assets are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wallet {
    /// Those of this network: a CAIP-2 id or a name of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// This asset: a ticker or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
}

/// Money out of nothing, or into nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    /// How much: `$5`, `5`, `5 USDC`; `-2` takes away.
    #[schema(pattern = r"^-?\$?[0-9]{1,78}(\.[0-9]{1,18})?( [A-Za-z][A-Za-z0-9.]{0,15})?$", example = "$5")]
    pub amount: String,
    /// Whether the amount is what the balance shall be, and not what is added.
    #[serde(default)]
    pub set: bool,
    /// The network, a CAIP-2 id or a name of version 1; without it, the first that is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The asset, a ticker or an address; without it, the first of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
}

serves!(balance, fund);

/// What an account holds.
#[utoipa::path(get, path = "/accounts/{account}/balance", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address."), Wallet), responses((status = 200, body = Balances)))]
async fn balance(
    Extract(office): Extract<Office>,
    Path(account): Path<String>,
    Asked(wallet): Asked<Wallet>,
) -> Result<Json<Balances>, Problem> {
    office.state().act(|world, _| {
        let party = find(world, &account)?;
        let balances = match (&wallet.network, &wallet.asset) {
            (None, None) => balances(world, &party),
            (network, asset) => {
                let currency = world.currency(network.as_deref(), asset.as_deref()).map_err(|error| money(&error))?;
                vec![hold(world, &currency, &party).map_err(|error| money(&error))?]
            }
        };
        Ok(Json(Balances { account: party.label(), balances }))
    })
}

/// Gives an account money out of nothing, or takes it away. A balance never goes below zero.
#[utoipa::path(post, path = "/accounts/{account}/fund", tag = "accounts", params(("account" = String, Path, description = "An index, a name or an address.")), request_body = Fund, responses((status = 200, description = "What it holds now.", body = Balances)))]
async fn fund(
    Extract(office): Extract<Office>,
    Path(account): Path<String>,
    Input(wish): Input<Fund>,
) -> Result<Json<Balances>, Problem> {
    let (sign, amount, ticker) = read(&wish.amount)?;
    office.change(|world, _| {
        let party = find(world, &account)?;
        let asset = wish.asset.as_deref().or(ticker.as_deref());
        let currency = world.currency(wish.network.as_deref(), asset).map_err(|error| money(&error))?;
        if let Some(ticker) = ticker.as_deref().filter(|ticker| !ticker.eq_ignore_ascii_case(&currency.symbol)) {
            let text = format!("the amount is in {ticker}, and the asset is {}", currency.symbol);
            return Err(Code::UnknownAsset.because(text).at("$.amount"));
        }
        let units = amount.to_atomic(currency.decimals).map_err(|error| does_not_fit(&error).at("$.amount"))?;
        let funding = match (wish.set, sign) {
            (true, Sign::Minus) => {
                return Err(Code::BalanceTooLow.because("a balance cannot be set below zero").at("$.amount"));
            }
            (true, Sign::Plus) => Funding::Set,
            (false, Sign::Plus) => Funding::Add,
            (false, Sign::Minus) => Funding::Take,
        };
        world.fund(&currency, &party, units, funding).map_err(|error| money(&error))?;
        let held = hold(world, &currency, &party).map_err(|error| money(&error))?;
        let sentence = format!("{} now holds {} {} on {}", party.label(), held.amount, held.symbol, held.network);
        Ok((Json(Balances { account: party.label(), balances: vec![held] }), sentence))
    })
}

/// Whether an amount is given or taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// Reads an amount as in the configuration, with a sign before it.
pub(super) fn read(text: &str) -> Result<(Sign, Decimal, Option<String>), Problem> {
    let wrong = || {
        Code::InvalidValue
            .because(format!("`{}` is no amount of money", x402_wire::shape::shorten(text)))
            .at("$.amount")
            .hint("write `$5`, `5`, `0.01` or `5 USDC`; `-2` takes away")
    };
    if !is_amount(text) {
        return Err(wrong());
    }
    let (sign, rest) = text.strip_prefix('-').map_or((Sign::Plus, text), |rest| (Sign::Minus, rest));
    match Price::parse(rest) {
        Ok(Price::Money { amount, ticker }) => Ok((sign, amount, ticker)),
        Ok(Price::Free) => Ok((sign, Decimal::from_atomic(U256::ZERO, 0), None)),
        Err(error @ AmountError::TooLarge { .. }) => Err(does_not_fit(&error).at("$.amount")),
        Err(_) => Err(wrong()),
    }
}

/// Whether a text has the form that the description promises ([`Fund::amount`]).
fn is_amount(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let text = text.strip_prefix('$').unwrap_or(text);
    let (number, ticker) = text.split_once(' ').map_or((text, None), |(number, ticker)| (number, Some(ticker)));
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
    let digits = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_ticker = |text: &str| {
        text.len() <= 16
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    digits(whole, 78) && fraction.is_none_or(|part| digits(part, 18)) && ticker.is_none_or(is_ticker)
}

/// What an account holds of every asset of its families.
pub(super) fn balances(world: &World, party: &Party) -> Vec<Balance> {
    world.currencies().iter().filter_map(|currency| hold(world, currency, party).ok()).collect()
}

fn hold(world: &World, currency: &Currency, party: &Party) -> Result<Balance, MoneyError> {
    let atomic = world.balance(currency, party)?;
    Ok(Balance {
        network: currency.network.clone(),
        symbol: currency.symbol.clone(),
        asset: currency.address.clone(),
        amount: Decimal::from_atomic(atomic, currency.decimals).to_string(),
        atomic: atomic.to_string(),
    })
}

pub(super) fn money(error: &MoneyError) -> Problem {
    let code = match error {
        MoneyError::Account(error) => return refuse(error),
        MoneyError::Amount(error) => return does_not_fit(error),
        MoneyError::Network { .. } => Code::UnknownNetwork,
        MoneyError::Asset { .. } => Code::UnknownAsset,
        MoneyError::TooLittle { .. } => Code::BalanceTooLow,
        MoneyError::TooMuch { .. } => Code::AmountTooLarge,
    };
    code.because(error.to_string())
}

pub(super) fn does_not_fit(error: &AmountError) -> Problem {
    let code = match error {
        AmountError::TooPrecise { .. } => Code::AmountTooPrecise,
        AmountError::TooLarge { .. } => Code::AmountTooLarge,
        AmountError::Malformed { .. } | AmountError::Negative { .. } => Code::InvalidValue,
    };
    code.because(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_in_the_configuration_and_may_have_a_sign() {
        for (text, sign, amount, ticker) in [
            ("5", Sign::Plus, "5", None),
            ("$5", Sign::Plus, "5", None),
            ("-$0.50", Sign::Minus, "0.5", None),
            ("5 USDC", Sign::Plus, "5", Some("USDC")),
            ("5 USD", Sign::Plus, "5", None),
            ("-0", Sign::Minus, "0", None),
            ("0 USDC", Sign::Plus, "0", Some("USDC")),
        ] {
            let read = read(text).unwrap();
            assert_eq!((read.0, read.1.to_string(), read.2.as_deref()), (sign, amount.to_owned(), ticker), "{text}");
        }
        for text in
            ["", "-", "free", "NaN", "1e3", "+1", "1.", ".5", "5  USDC", " 5", "5USDC", "0x10", "$-5", "--5", "٣"]
        {
            assert_eq!(read(text).unwrap_err().code.as_ref(), "invalid_value", "{text}");
        }
        assert_eq!(read(&"9".repeat(78)).unwrap_err().code.as_ref(), "amount_too_large");
    }
}
