//! What is written about a purchase.

use serde::{Deserialize, Serialize};

use crate::secret::without_query;

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
    /// What was known last, while the end is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// What was known of a purchase when somebody looked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The outcome by its stable name: `unknown`, or `undelivered` for what is known to be paid.
    pub outcome: String,
    /// The same in words.
    pub words: String,
}

/// What was to be said about a seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    /// Its stable name.
    pub code: String,
    /// What it is, in a sentence.
    pub text: String,
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
    /// What was asked for, where redirects have led from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// What was asked for before redirects were followed. Its body is the one that is kept: a redirect keeps it or drops it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Where it went first.
    pub url: String,
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
    /// The scheme, `exact` or `upto`; empty where there is none, and in older journals.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scheme: String,
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
    /// Transactions that receipts have named, or that the payer has sent and seen on the chain.
    pub transactions: Vec<String>,
    /// What was found in the answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Noted>,
    /// Why it can never be used again, where that is proven.
    pub dead: Option<String>,
    /// A transaction that the payer sends to the chain, before its name is presented: of an invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
}

/// A transaction that its payer sends. The same bytes as often as need be: a chain takes them once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// Its bytes, in base64. Emptied at the end.
    pub wire: String,
    /// Its name on the chain: its signature, in base58.
    pub signature: String,
    /// The last block height at which it can come into a block.
    pub last_height: u64,
    /// The CAIP-2 id of its cluster.
    pub cluster: String,
    /// The JSON-RPC endpoint that it is sent to. Emptied at the end.
    pub rpc: String,
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
        let asked = entry.errand.asked.as_mut().map(|asked| &mut asked.url);
        for url in asked.into_iter().chain([&mut entry.errand.url]) {
            *url = without_query(url);
        }
        for authorized in &mut entry.authorizations {
            authorized.forget_secrets();
        }
        entry
    }

    /// Whether this account pays.
    pub fn is_of(&self, payer: &str) -> bool {
        self.last().is_some_and(|authorized| authorized.from.eq_ignore_ascii_case(payer))
    }
}

impl Authorized {
    /// Drops what it could be paid with.
    pub fn forget_secrets(&mut self) {
        self.headers.clear();
        if let Some(transfer) = &mut self.transfer {
            transfer.wire.clear();
            transfer.rpc.clear();
        }
    }

    /// Whether it dies with a blockhash, at no second that it could name.
    pub fn dies_with_its_blockhash(&self) -> bool {
        self.instrument == "solana" || self.transfer.is_some()
    }

    /// Whether its payer has seen the transaction that he sent on the chain.
    pub fn was_seen(&self) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| self.transactions.contains(&transfer.signature))
    }
}

impl Errand {
    /// Whether two requests are the same: at the end of their redirects, or at the beginning. Redirects may lead elsewhere
    /// each time, and to one place from several.
    ///
    /// `own` and `body` are what was asked for with each; a body that redirects have dropped is none at their end.
    pub fn is_same(&self, own: Option<&[u8]>, other: &Self, body: Option<&[u8]>) -> bool {
        let end = |errand: &Self| (errand.method.clone(), errand.url.clone());
        let beginning = |errand: &Self| {
            errand.asked.as_ref().map_or_else(|| end(errand), |asked| (asked.method.clone(), asked.url.clone()))
        };
        let at_end = |errand: &Self, body| if errand.body.is_some() { body } else { None };
        (end(self) == end(other) && at_end(self, own) == at_end(other, body))
            || (beginning(self) == beginning(other) && own == body)
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
