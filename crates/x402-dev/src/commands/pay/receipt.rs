//! The receipt in an answer's headers.

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use x402_wire::header::{self, PAYMENT_RESPONSE, X_PAYMENT_RESPONSE};

use super::choice::same_account;
use super::finding::Finding;
use super::story::said;
use crate::journal::Authorized;

/// What a seller says of a settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Receipt {
    /// Whether it was settled.
    pub success: bool,
    /// The transaction; empty where there is none.
    pub transaction: String,
    /// On which network.
    pub network: String,
    /// Who has paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// How much was settled, in atomic units, where that is not what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Why it was not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

impl Receipt {
    /// The receipt in an answer's headers, of either version; an error where it cannot be read.
    pub fn read(headers: &HeaderMap) -> Option<Result<Self, String>> {
        let (name, value) = [PAYMENT_RESPONSE, X_PAYMENT_RESPONSE]
            .into_iter()
            .find_map(|name| headers.get(name).map(|value| (name.to_ascii_uppercase(), value)))?;
        let text = String::from_utf8_lossy(value.as_bytes());
        let lenient = |value: Value| {
            let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            value.is_object().then(|| Self {
                success: value.get("success") == Some(&Value::Bool(true)),
                transaction: text("transaction").unwrap_or_default(),
                network: text("network").unwrap_or_default(),
                payer: text("payer"),
                amount: text("amount"),
                error_reason: text("errorReason"),
                error_message: text("errorMessage"),
            })
        };
        let read = header::decode::<Value>(&text).map_err(|why| format!("{name}: {}", said(&why.to_string())));
        Some(read.and_then(|value| lenient(value).ok_or_else(|| format!("{name} holds no object"))))
    }

    /// All of it on one line, for people.
    pub fn words(&self) -> String {
        let success = if self.success { "success" } else { "no success" };
        let parts = [
            ("transaction", Some(&self.transaction)),
            ("payer", self.payer.as_ref()),
            ("network", Some(&self.network)),
            ("amount", self.amount.as_ref()),
            ("reason", self.error_reason.as_ref()),
        ];
        let parts =
            parts.iter().filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (name, value)));
        let parts = parts.map(|(name, value)| format!(", {name} {}", said(value)));
        format!("receipt: {success}{}", parts.collect::<String>())
    }

    /// That something was sent to a chain, as the rest of a sentence: it says that it was settled, or names a transaction
    /// that has failed, or that nobody waited for.
    pub fn claim(&self) -> Option<String> {
        match (self.success, self.transaction.as_str()) {
            (true, transaction) => Some(format!("says it was settled: {}", said(transaction))),
            (false, "") => None,
            (false, transaction) => Some(format!("names the transaction {}", said(transaction))),
        }
    }

    /// What it says that cannot be true of this authorization.
    pub fn contradictions(&self, paid: &Authorized) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut differ = |what: &str, named: &str, expected: &str| {
            let text = format!("the receipt names the {what} {}, not {}", said(named), said(expected));
            found.push(Finding::new("receipt_mismatch", text));
        };
        if let Some(payer) = self.payer.as_deref().filter(|payer| !same_account(payer, &paid.from)) {
            differ("payer", payer, &paid.from);
        }
        if self.success && self.network != paid.network {
            differ("network", &self.network, &paid.network);
        }
        let most = x402_wire::amount::parse_atomic(&paid.amount);
        if let (Some(amount), Some(most)) = (self.amount.as_deref().filter(|amount| !amount.is_empty()), most)
            && x402_wire::amount::parse_atomic(amount).is_none_or(|amount| amount > most)
        {
            differ("amount", amount, &paid.amount);
        }
        // A settlement of nothing, in scheme `upto`, has no transaction.
        if self.success && self.transaction.is_empty() && self.amount.as_deref() != Some("0") {
            found.push(Finding::new(
                "receipt_mismatch",
                "the receipt says that it was settled, and names no transaction".to_owned(),
            ));
        }
        found
    }
}
