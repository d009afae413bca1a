//! Every account that a world knows by a name: test accounts, personas, and those made while it runs.

use alloy_primitives::{Address, hex};
use imbl::Vector;
use serde::{Deserialize, Serialize};

use crate::accounts::{self, TestAccount};
use crate::catalog::solana_account;
use crate::ledger::Account;
use crate::networks::{Family, eip155, solana};

/// How long a name may be, in characters.
const NAME_LENGTH: usize = 32;

/// An account as people name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its number among the accounts that this world knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it does in the world: `payer`, `facilitator`, `merchant`, `persona`, `made` or `unknown`.
    pub role: String,
    /// Its address on `eip155` networks, with checksum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its address on Solana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solana_address: Option<String>,
    /// Its private key. Public: only test accounts have one here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The accounts that were made while the world runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    made: Vector<Made>,
}

/// An account that was made while the world runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub(crate) name: Option<String>,
    pub(crate) key: [u8; 32],
    address: Address,
}

/// No account can be named so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Nobody.
    #[error("no account is called \"{text}\"")]
    Unknown {
        /// What was asked for.
        text: String,
    },
    /// Taken.
    #[error("an account is called \"{name}\" already")]
    Taken {
        /// The name.
        name: String,
    },
    /// Not a name.
    #[error("\"{name}\" is no name: a small letter, then up to {} small letters, digits, `-` and `_`", NAME_LENGTH - 1)]
    BadName {
        /// The text.
        name: String,
    },
    /// An account without an address on the network.
    #[error("{who} has no address on {network}")]
    WrongFamily {
        /// The account.
        who: String,
        /// The network.
        network: String,
    },
}

impl AccountError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "give an index, a name that `x402-dev accounts` lists, or an address",
            Self::Taken { .. } | Self::BadName { .. } => "choose another name",
            Self::WrongFamily { .. } => "give an address of that network's family",
        }
    }
}

impl Book {
    /// The account that a text names: an index, a name, or any address.
    pub fn find(&self, text: &str) -> Result<Party, AccountError> {
        if let Some(known) = self.all().into_iter().find(|party| party.is_called(text)) {
            return Ok(known);
        }
        let stranger = Party {
            index: None,
            name: None,
            role: "unknown".to_owned(),
            address: eip155::parse_address(text).map(eip155::checksum),
            solana_address: solana::parse_address(text).map(|_| text.to_owned()),
            key: None,
        };
        if stranger.address.is_none() && stranger.solana_address.is_none() {
            return Err(AccountError::Unknown { text: x402_wire::shape::shorten(text) });
        }
        Ok(stranger)
    }

    /// Every account with a number, in their order.
    pub fn all(&self) -> Vec<Party> {
        let own = accounts::all().map(Party::from);
        own.chain(self.made.iter().enumerate().map(|(place, made)| made.party(place))).collect()
    }

    /// The account at an address, if it has a number.
    pub fn at(&self, account: Account) -> Option<Party> {
        self.all().into_iter().find(|party| party.accounts().contains(&account))
    }

    /// Adds an account with this key.
    ///
    /// # Errors
    ///
    /// A name that is taken or is none.
    pub(crate) fn add(&mut self, name: Option<String>, key: [u8; 32], address: Address) -> Result<Party, AccountError> {
        if let Some(name) = &name {
            if !is_name(name) {
                return Err(AccountError::BadName { name: x402_wire::shape::shorten(name) });
            }
            if self.all().iter().any(|party| party.is_called(name)) {
                return Err(AccountError::Taken { name: name.clone() });
            }
        }
        let made = Made { name, key, address };
        let party = made.party(self.made.len());
        self.made.push_back(made);
        Ok(party)
    }

    /// The accounts that were made, for an export.
    pub fn made(&self) -> impl Iterator<Item = &Made> {
        self.made.iter()
    }
}

impl FromIterator<Made> for Book {
    fn from_iter<T: IntoIterator<Item = Made>>(made: T) -> Self {
        Self { made: made.into_iter().collect() }
    }
}

impl Made {
    fn party(&self, place: usize) -> Party {
        Party {
            index: Some(accounts::all().count() + place),
            name: self.name.clone(),
            role: "made".to_owned(),
            address: Some(eip155::checksum(self.address)),
            solana_address: None,
            key: Some(hex::encode_prefixed(self.key)),
        }
    }
}

impl From<TestAccount> for Party {
    fn from(account: TestAccount) -> Self {
        Self {
            index: Some(account.index),
            name: account.persona().map(|persona| persona.name.to_owned()),
            role: account.role().to_owned(),
            address: Some(account.address.to_owned()),
            solana_address: Some(account.solana_address.to_owned()),
            key: Some(account.key.to_owned()),
        }
    }
}

impl Party {
    /// Whether a text names this account.
    pub fn is_called(&self, text: &str) -> bool {
        let is = |own: &Option<String>| own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(text));
        let number = self.index.is_some_and(|index| text.parse() == Ok(index));
        number || is(&self.name) || is(&self.address) || self.solana_address.as_deref() == Some(text)
    }

    /// The account on networks of a family.
    pub fn on(&self, family: Family) -> Option<Account> {
        match family {
            Family::Eip155 => eip155::parse_address(self.address.as_deref()?).map(Account::from),
            Family::Solana => solana_account(self.solana_address.as_deref()?),
        }
    }

    /// The account on every family where it has one.
    pub fn accounts(&self) -> Vec<Account> {
        [Family::Eip155, Family::Solana].into_iter().filter_map(|family| self.on(family)).collect()
    }

    /// What people call it: its name, else `account 3`, else its address.
    pub fn label(&self) -> String {
        let address = || self.address.clone().or_else(|| self.solana_address.clone()).unwrap_or_default();
        match (&self.name, self.index) {
            (Some(name), _) => name.clone(),
            (None, Some(index)) => format!("account {index}"),
            (None, None) => address(),
        }
    }
}

fn is_name(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    text.len() <= NAME_LENGTH
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_many_names_and_a_stranger_an_address() {
        let book = Book::default();
        for text in ["13", "dust", "DUST", "0x1cbd3b2770909d4e10f157cabc84c7264073c9ec"] {
            assert_eq!(book.find(text).unwrap().label(), "dust", "{text}");
        }
        assert_eq!(book.find("3").unwrap().label(), "account 3");
        let stranger = book.find("0x00000000000000000000000000000000000000Aa").unwrap();
        assert_eq!((stranger.index, stranger.role.as_str(), stranger.accounts().len()), (None, "unknown", 1));
        for text in ["", "nobody", "-1", "99", "0x12"] {
            assert!(matches!(book.find(text), Err(AccountError::Unknown { .. })), "{text}");
        }
    }

    #[test]
    fn a_made_account_needs_a_name_of_its_own() {
        let mut book = Book::default();
        let carol = book.add(Some("carol".to_owned()), [1; 32], Address::repeat_byte(1)).unwrap();
        assert_eq!((carol.index, book.find("20").unwrap()), (Some(20), carol));
        let add = |book: &mut Book, name: &str| book.add(Some(name.to_owned()), [2; 32], Address::repeat_byte(2));
        for taken in ["carol", "alice"] {
            assert!(matches!(add(&mut book, taken), Err(AccountError::Taken { .. })), "{taken}");
        }
        for bad in ["", "3", "Carol", "a b", "0x1", &"a".repeat(33)] {
            assert!(matches!(add(&mut book, bad), Err(AccountError::BadName { .. })), "{bad}");
        }
    }
}
