//! The test accounts. Their keys are public: anybody can spend what they hold on a real chain.
//!
//! | room | what it holds |
//! |---|---|
//! | [`keys`] | the table of addresses and keys |
//! | [`personas`] | the accounts with a behaviour: `alice`, `broke`, `flaky` and the others |
//! | [`book`] | every account that a world knows by a name: these, and those made while it runs |

use alloy_primitives::{Address, hex};

use crate::ledger::Account;
use crate::networks::{eip155, solana};
use crate::registry::FAMILIES;
use personas::Persona;

pub mod book;
mod keys;
pub mod personas;

/// The mnemonic that the accounts come from.
pub const MNEMONIC: &str = "test test test test test test test test test test test junk";

/// The account that sends the facilitator's transactions.
pub const FACILITATOR: usize = 8;

/// The account that is paid unless the configuration names another.
pub const MERCHANT: usize = 9;

/// The index of the first persona.
pub const FIRST_PERSONA: usize = 10;

/// A test account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestAccount {
    /// Its index in the derivation path `m/44'/60'/0'/0/index`.
    pub index: usize,
    /// Its address on `eip155` networks, with checksum.
    pub address: &'static str,
    /// Its private key. Public.
    pub key: &'static str,
    /// Its address on Solana.
    pub solana_address: &'static str,
}

/// The ten test accounts: 0-7 pay, 8 is the facilitator, 9 the merchant.
pub fn test_accounts() -> impl Iterator<Item = TestAccount> {
    all().take(FIRST_PERSONA)
}

/// The ten test accounts and the ten personas.
pub fn all() -> impl Iterator<Item = TestAccount> {
    keys::EVM
        .iter()
        .zip(solana::TEST_ADDRESSES)
        .enumerate()
        .map(|(index, (&(address, key), solana_address))| TestAccount { index, address, key, solana_address })
}

/// The account that sends the facilitator's transactions.
///
/// # Panics
///
/// Never: it is in the table.
pub fn facilitator() -> TestAccount {
    all().nth(FACILITATOR).expect("account 8 is in the table")
}

/// The account that is paid unless the configuration names another.
///
/// # Panics
///
/// Never: it is in the table.
pub fn merchant() -> TestAccount {
    all().nth(MERCHANT).expect("account 9 is in the table")
}

/// The test account or persona that a text names: its index, its name, the role that it alone has, or its address on
/// either family.
pub fn find(text: &str) -> Option<TestAccount> {
    all().find(|account| {
        text.parse() == Ok(account.index)
            || account.persona().is_some_and(|persona| persona.name.eq_ignore_ascii_case(text))
            || is_sole_role(account.role(), text)
            || account.is_at(text)
    })
}

/// Whether a text is this role, and only one account has it: `facilitator` and `merchant` name somebody.
fn is_sole_role(role: &str, text: &str) -> bool {
    [facilitator().role(), merchant().role()].contains(&role) && role.eq_ignore_ascii_case(text)
}

impl TestAccount {
    /// What the account does in a world.
    pub const fn role(&self) -> &'static str {
        match self.index {
            FACILITATOR => "facilitator",
            MERCHANT => "merchant",
            FIRST_PERSONA.. => "persona",
            _ => "payer",
        }
    }

    /// The persona that it is.
    pub fn persona(&self) -> Option<&'static Persona> {
        personas::PERSONAS.get(self.index.checked_sub(FIRST_PERSONA)?)
    }

    /// Whether a text is its address on the networks of some family.
    pub fn is_at(&self, text: &str) -> bool {
        FAMILIES.iter().any(|row| (row.is_same)(&(row.address_of)(self), text))
    }

    /// The account that it is on the networks of each family.
    pub fn everywhere(self) -> impl Iterator<Item = Account> {
        FAMILIES.iter().filter_map(move |row| (row.account)(&(row.address_of)(&self)))
    }

    /// Its address on `eip155` networks.
    ///
    /// # Panics
    ///
    /// Never: the table is tested.
    pub fn evm(&self) -> Address {
        eip155::parse_address(self.address).expect("the table holds addresses")
    }

    /// Its private key on Solana: 32 bytes, from which the public key follows. Public as well.
    ///
    /// # Panics
    ///
    /// Never: the table is tested.
    pub fn solana_seed(&self) -> [u8; 32] {
        hex::const_decode_to_array(keys::SOLANA[self.index].as_bytes()).expect("the table holds keys")
    }

    /// Private and public key on Solana, as key files hold them: 64 bytes.
    pub fn solana_keypair(&self) -> [u8; 64] {
        let mut both = [0; 64];
        both[..32].copy_from_slice(&self.solana_seed());
        both[32..].copy_from_slice(&solana::key_of(self).0);
        both
    }

    /// The same in base58.
    pub fn solana_keypair_in_base58(&self) -> String {
        bs58::encode(self.solana_keypair()).into_string()
    }

    /// Its private key as bytes.
    ///
    /// # Panics
    ///
    /// Never: the table is tested.
    pub fn key_bytes(&self) -> [u8; 32] {
        hex::const_decode_to_array(self.key.as_bytes()).expect("the table holds keys")
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;
    use crate::networks::eip155::secp;

    #[test]
    fn every_key_belongs_to_its_address() {
        for account in all() {
            let digest = B256::repeat_byte(1);
            let (compact, parity) = secp::sign(digest, &account.key_bytes());
            assert_eq!(secp::recover(digest, &compact, parity), Some(account.evm()), "{}", account.index);
            assert_eq!(eip155::checksum(account.evm()), account.address);
        }
    }

    #[test]
    fn every_solana_key_belongs_to_its_address() {
        for account in all() {
            let key = solana::ed25519::key_of(&account.solana_seed());
            assert_eq!(key.to_string(), account.solana_address, "{}", account.index);
        }
    }

    #[test]
    fn an_account_is_found_by_index_name_and_address() {
        for account in all() {
            let names = [account.index.to_string(), account.address.to_lowercase(), account.solana_address.to_owned()];
            for name in names.into_iter().chain(account.persona().map(|persona| persona.name.to_owned())) {
                assert_eq!(find(&name), Some(account), "{name}");
            }
        }
        assert_eq!(find("Broke").map(|account| account.index), Some(12));
        assert_eq!(
            ["facilitator", "merchant"].map(|role| find(role).map(|own| own.index)),
            [Some(FACILITATOR), Some(MERCHANT)]
        );
        assert_eq!((find("20"), find("payer"), find("persona")), (None, None, None));
    }
}
