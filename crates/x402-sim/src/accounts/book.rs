//! Every account that a world knows by a name: test accounts, personas, and those made while it runs.

use alloy_primitives::{Address, hex};
use imbl::Vector;

use crate::accounts::{self, TestAccount};
use crate::ledger::Account;
use crate::networks::eip155;
use crate::networks::family::FamilyRow;
use crate::registry::{FAMILIES, Family};

/// How long a name may be, in characters.
const NAME_LENGTH: usize = 32;

/// An account as people name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Its number among the accounts that this world knows.
    pub index: Option<usize>,
    /// Its name.
    pub name: Option<String>,
    /// What it does in the world: `payer`, `facilitator`, `merchant`, `persona`, `made` or `unknown`.
    pub role: String,
    /// Its private key on `eip155` networks. Public: only test accounts have one here.
    pub key: Option<String>,
    /// Its address on the networks of each family, where it has one.
    addresses: [Option<String>; FAMILIES.len()],
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
        let addresses = FAMILIES.map(|row| (row.account)(text).map(row.written));
        let stranger = Party { role: "unknown".to_owned(), addresses, ..Party::default() };
        if stranger.addresses().next().is_none() {
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

    /// Whether an account that was made while the world runs has this address on `eip155` networks.
    pub fn made_at(&self, address: Address) -> bool {
        self.made.iter().any(|made| made.address == address)
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
            key: Some(hex::encode_prefixed(self.key)),
            addresses: FAMILIES.map(|row| (row.family == Family::Eip155).then(|| eip155::checksum(self.address))),
        }
    }
}

impl From<TestAccount> for Party {
    fn from(account: TestAccount) -> Self {
        Self {
            index: Some(account.index),
            name: account.persona().map(|persona| persona.name.to_owned()),
            role: account.role().to_owned(),
            key: Some(account.key.to_owned()),
            addresses: FAMILIES.map(|row| Some((row.address_of)(&account).into_owned())),
        }
    }
}

impl Party {
    /// Whether a text names this account.
    pub fn is_called(&self, text: &str) -> bool {
        let is = |own: &Option<String>| own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(text));
        let number = self.index.is_some_and(|index| text.parse() == Ok(index));
        let is_at =
            |(row, own): (&&FamilyRow, &Option<String>)| own.as_deref().is_some_and(|own| (row.is_same)(own, text));
        let named = is(&self.name) || accounts::is_sole_role(&self.role, text);
        number || named || FAMILIES.iter().zip(&self.addresses).any(is_at)
    }

    /// Its address on networks of a family.
    pub fn address_on(&self, family: Family) -> Option<&str> {
        self.addresses[family as usize].as_deref()
    }

    /// The account on networks of a family.
    pub fn on(&self, family: Family) -> Option<Account> {
        (family.row().account)(self.address_on(family)?)
    }

    /// The account on every family where it has one.
    pub fn accounts(&self) -> Vec<Account> {
        FAMILIES.iter().filter_map(|row| self.on(row.family)).collect()
    }

    /// Its address on every family where it has one.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().flatten().map(String::as_str)
    }

    /// What people call it: its name, else `account 3`, else its address.
    pub fn label(&self) -> String {
        let address = || self.addresses().next().unwrap_or_default().to_owned();
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
        assert_eq!(["facilitator", "Merchant"].map(|role| book.find(role).unwrap().index), [Some(8), Some(9)]);
        let stranger = book.find("0x00000000000000000000000000000000000000Aa").unwrap();
        assert_eq!((stranger.index, stranger.role.as_str(), stranger.accounts().len()), (None, "unknown", 1));
        for text in ["", "nobody", "-1", "99", "0x12", "payer", "persona", "unknown"] {
            assert!(matches!(book.find(text), Err(AccountError::Unknown { .. })), "{text}");
        }
    }

    #[test]
    fn a_made_account_needs_a_name_of_its_own() {
        let mut book = Book::default();
        let carol = book.add(Some("carol".to_owned()), [1; 32], Address::repeat_byte(1)).unwrap();
        assert_eq!((carol.index, book.find("20").unwrap()), (Some(20), carol));
        let add = |book: &mut Book, name: &str| book.add(Some(name.to_owned()), [2; 32], Address::repeat_byte(2));
        for taken in ["carol", "alice", "merchant"] {
            assert!(matches!(add(&mut book, taken), Err(AccountError::Taken { .. })), "{taken}");
        }
        for bad in ["", "3", "Carol", "a b", "0x1", &"a".repeat(33)] {
            assert!(matches!(add(&mut book, bad), Err(AccountError::BadName { .. })), "{bad}");
        }
    }
}
