//! What is written about a purchase.

use serde::{Deserialize, Serialize};

/// The form of the file.
pub const FORM: u32 = 1;

/// A purchase: one request that is paid once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The form of this file: 1.
    pub form: u32,
    /// Its name: `pay_` and 32 hexadecimal digits.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub began: u64,
    /// What is bought.
    pub errand: Errand,
    /// What was signed for it, the newest last. Only the last can be alive.
    pub authorizations: Vec<Authorized>,
    /// What is known of the end; `null` while it is not known.
    pub ending: Option<Ending>,
}

/// The request that is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Errand {
    /// Its method.
    pub method: String,
    /// Where it goes.
    pub url: String,
    /// Its header fields. Emptied at the end.
    pub headers: Vec<(String, String)>,
    /// How long its body is, in bytes; `null` where there is none.
    pub body: Option<u64>,
}

/// Something that was signed, and may be alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorized {
    /// When it was signed, in seconds since 1970.
    pub at: u64,
    /// How the asset is moved: `eip3009`, `permit2`, `solana`, `invoice`.
    pub instrument: String,
    /// On which network.
    pub network: String,
    /// The asset's address.
    pub asset: String,
    /// Who pays.
    pub from: String,
    /// Who is paid.
    pub to: String,
    /// How much at most, in atomic units.
    pub amount: String,
    /// The same for people: `0.01 USDC`.
    pub price: String,
    /// The number that is used once.
    pub nonce: Option<String>,
    /// Until when it can be used, in seconds since 1970; `null` where it does not say.
    pub valid_before: Option<u64>,
    /// The header fields that carry it. Emptied at the end.
    pub headers: Vec<(String, String)>,
    /// How often it may have been presented.
    pub presented: u32,
    /// What came back, each time that it is known.
    pub answers: Vec<String>,
    /// Transactions that receipts have named.
    pub transactions: Vec<String>,
    /// Why it can never be used again, where that is proven.
    pub dead: Option<String>,
}

/// How a purchase has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Paid, and the content came.
    Delivered,
    /// The seller said no.
    Refused,
    /// Nothing was ever sent.
    Unsent,
    /// It can never be settled, and was not.
    Void,
    /// Its owner does not want to know any more.
    Forgotten,
}

impl Entry {
    /// What was signed last.
    pub fn last(&self) -> Option<&Authorized> {
        self.authorizations.last()
    }

    /// What was signed last, to be changed.
    pub fn last_mut(&mut self) -> Option<&mut Authorized> {
        self.authorizations.last_mut()
    }

    /// The same purchase without what is nobody's business once it has ended.
    pub fn without_secrets(&self) -> Self {
        let mut entry = self.clone();
        entry.errand.headers.clear();
        for authorized in &mut entry.authorizations {
            authorized.headers.clear();
        }
        entry
    }

    /// Whether this is the same request, paid by the same account.
    pub fn is_for(&self, errand: &Errand, payer: &str) -> bool {
        let own = &self.errand;
        let same = own.method == errand.method && own.url == errand.url && own.body == errand.body;
        same && self.last().is_some_and(|authorized| authorized.from.eq_ignore_ascii_case(payer))
    }
}

impl Ending {
    /// The same in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Delivered => "paid and delivered",
            Self::Refused => "refused",
            Self::Unsent => "never sent",
            Self::Void => "not paid, and cannot be any more",
            Self::Forgotten => "given up",
        }
    }
}
