//! The message of a transaction: what its signers sign. Legacy and version 0.
//!
//! Source: `@solana/kit` 5.5.1 `transaction-messages` (what the official facilitator decodes), `SanitizedMessage` (what a
//! node accepts besides).

use std::collections::BTreeSet;

use super::key::Key;
use super::program;
use super::reader::{Ended, Reader, write_length};

/// Up to how many accounts are compared each with each.
const FEW: usize = 36;

/// A message that was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whether it says its version: version 0. Legacy messages do not.
    pub versioned: bool,
    /// How many of the accounts must sign; the first of them pays the fee.
    pub signers: u8,
    /// How many of those are only read.
    pub readonly_signers: u8,
    /// How many of the others are only read.
    pub readonly_others: u8,
    /// The accounts that it names itself.
    pub accounts: Vec<Key>,
    /// The blockhash that it is good with.
    pub blockhash: [u8; 32],
    /// What is to be done, in sequence.
    pub instructions: Vec<Compiled>,
    /// Accounts that it takes from lookup tables.
    pub lookups: Vec<Lookup>,
    /// Why a node would refuse it, if so: the official decoder lets it pass.
    pub irregular: Option<&'static str>,
}

/// An instruction whose accounts are given by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The place of the program.
    pub program: u8,
    /// The places of the accounts.
    pub accounts: Vec<u8>,
    /// What the program is told.
    pub data: Vec<u8>,
}

/// Accounts taken from a lookup table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The table.
    pub table: Key,
    /// The places in it of accounts that are written.
    pub writable: Vec<u8>,
    /// The places in it of accounts that are only read.
    pub readonly: Vec<u8>,
}

/// An instruction with its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The program.
    pub program: Key,
    /// The accounts; `None` for a place that the message does not have.
    pub accounts: Vec<Option<Meta>>,
    /// What the program is told.
    pub data: Vec<u8>,
}

/// An account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The account.
    pub key: Key,
    /// Whether it signed.
    pub signer: bool,
    /// Whether it may change.
    pub writable: bool,
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    /// Too few bytes.
    #[error("it ends too early: {0} bytes of a message")]
    Truncated(usize),
    /// A later version.
    #[error("it is a message of version {0}; version 0 and legacy messages are played, and version 1 is not yet")]
    Version(u8),
}

/// Why a message's accounts or instructions cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// Nobody pays.
    #[error("it names no account")]
    NoAccounts,
    /// A program that is nowhere.
    #[error("instruction {0} calls account number {1}, and there is none")]
    NoProgram(usize, u8),
    /// A table without the place.
    #[error("it takes entry {place} of lookup table {table}, which has {held}")]
    NoEntry {
        /// The table.
        table: Key,
        /// The entry.
        place: u8,
        /// How many there are.
        held: usize,
    },
}

impl Message {
    /// Decodes a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoMessage> {
        let versioned = match bytes.first() {
            Some(first) if first & 0x80 != 0 => {
                let version = first & 0x7f;
                if version > 0 {
                    return Err(NoMessage::Version(version));
                }
                true
            }
            _ => false,
        };
        let mut reader = Reader::new(&bytes[usize::from(versioned)..]);
        let decoded = Self::read(&mut reader, versioned).map_err(|Ended| NoMessage::Truncated(bytes.len()))?;
        let irregular = reader.irregular.or((!reader.rest().is_empty()).then_some("bytes follow its end"));
        Ok(Self { irregular: irregular.or_else(|| decoded.insane()), ..decoded })
    }

    fn read(reader: &mut Reader<'_>, versioned: bool) -> Result<Self, Ended> {
        let [signers, readonly_signers, readonly_others] = reader.array()?;
        let accounts = reader.list(|reader| reader.array().map(Key))?;
        let blockhash = reader.array()?;
        let instructions = reader.list(|reader| {
            Ok(Compiled { program: reader.byte()?, accounts: reader.bytes()?, data: reader.bytes()? })
        })?;
        let lookups = if versioned { reader.list(lookup)? } else { Vec::new() };
        let message = Self {
            versioned,
            signers,
            readonly_signers,
            readonly_others,
            accounts,
            blockhash,
            instructions,
            lookups,
            irregular: None,
        };
        Ok(message)
    }

    /// What a node would not accept of a message that can be decoded.
    ///
    /// Source: `v0::Message::sanitize`, `legacy::Message::sanitize`.
    fn insane(&self) -> Option<&'static str> {
        let count = self.accounts.len();
        if usize::from(self.signers) + usize::from(self.readonly_others) > count {
            return Some("its header counts more accounts than it names");
        }
        if self.readonly_signers >= self.signers {
            return Some("its fee payer is not writable");
        }
        let taken = |lookup: &Lookup| lookup.writable.len() + lookup.readonly.len();
        if self.lookups.iter().any(|lookup| taken(lookup) == 0) {
            return Some("it names a lookup table and takes nothing from it");
        }
        let all = count + self.lookups.iter().map(taken).sum::<usize>();
        if all > 256 {
            return Some("it has more than 256 accounts");
        }
        let is_place = |place: u8| usize::from(place) < all;
        for instruction in &self.instructions {
            if usize::from(instruction.program) >= count {
                return Some("an instruction calls a program that is not among its own accounts");
            }
            if instruction.program == 0 {
                return Some("an instruction calls the fee payer as a program");
            }
            if !instruction.accounts.iter().copied().all(is_place) {
                return Some("an instruction names an account that is not there");
            }
        }
        None
    }

    /// The bytes that its signers sign.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        if self.versioned {
            out.push(0x80);
        }
        out.extend([self.signers, self.readonly_signers, self.readonly_others]);
        write_length(&mut out, self.accounts.len());
        self.accounts.iter().for_each(|key| out.extend(key.0));
        out.extend(self.blockhash);
        write_length(&mut out, self.instructions.len());
        for instruction in &self.instructions {
            out.push(instruction.program);
            write_bytes(&mut out, &instruction.accounts);
            write_bytes(&mut out, &instruction.data);
        }
        if self.versioned {
            write_length(&mut out, self.lookups.len());
            for lookup in &self.lookups {
                out.extend(lookup.table.0);
                write_bytes(&mut out, &lookup.writable);
                write_bytes(&mut out, &lookup.readonly);
            }
        }
        out
    }

    /// Who pays the fee.
    pub fn fee_payer(&self) -> Option<Key> {
        self.accounts.first().copied()
    }

    /// The accounts that must sign, the fee payer first.
    pub fn signers(&self) -> &[Key] {
        &self.accounts[..usize::from(self.signers).min(self.accounts.len())]
    }

    /// The texts of its memos.
    pub fn memos(&self) -> Vec<String> {
        let is_memo = |own: &&Compiled| self.accounts.get(usize::from(own.program)) == Some(&program::MEMO);
        let memos = self.instructions.iter().filter(is_memo);
        memos.map(|own| String::from_utf8_lossy(&own.data).into_owned()).collect()
    }

    /// Whether an account is named twice.
    pub fn repeats_an_account(&self) -> bool {
        // A packet has room for 36. To compare those with each other costs less than to put them in order.
        if self.accounts.len() > FEW {
            let mut seen = BTreeSet::new();
            return !self.accounts.iter().all(|key| seen.insert(*key));
        }
        self.accounts.iter().enumerate().any(|(place, key)| self.accounts[..place].contains(key))
    }

    /// Every account that its instructions can name, in the order in which they count them.
    ///
    /// Source: kit `decompile-message.ts` `getAccountMetas`, `getAddressLookupMetas`.
    pub fn metas<T: AsRef<[Key]>>(&self, table: impl Fn(Key) -> T) -> Result<Vec<Option<Meta>>, Unresolved> {
        if self.accounts.is_empty() {
            return Err(Unresolved::NoAccounts);
        }
        let (signers, readonly) = (usize::from(self.signers), usize::from(self.readonly_signers));
        let others = self.accounts.len().saturating_sub(signers).saturating_sub(usize::from(self.readonly_others));
        let roles = [
            (signers.saturating_sub(readonly), true, true),
            (readonly, true, false),
            (others, false, true),
            (usize::from(self.readonly_others), false, false),
        ];
        let mut metas: Vec<Option<Meta>> = Vec::with_capacity(self.accounts.len());
        for (count, signer, writable) in roles {
            for _ in 0..count {
                metas.push(self.accounts.get(metas.len()).map(|key| Meta { key: *key, signer, writable }));
            }
        }
        for writable in [true, false] {
            for lookup in &self.lookups {
                let entries = table(lookup.table);
                let entries = entries.as_ref();
                for place in if writable { &lookup.writable } else { &lookup.readonly } {
                    let entry = entries.get(usize::from(*place));
                    let missing = || Unresolved::NoEntry { table: lookup.table, place: *place, held: entries.len() };
                    let key = *entry.ok_or_else(missing)?;
                    metas.push(Some(Meta { key, signer: false, writable }));
                }
            }
        }
        Ok(metas)
    }

    /// Its instructions with their accounts, of the accounts that [`Message::metas`] gave.
    pub fn instructions(&self, metas: &[Option<Meta>]) -> Result<Vec<Instruction>, Unresolved> {
        let at = |place: u8| metas.get(usize::from(place)).copied().flatten();
        let mut whole = Vec::with_capacity(self.instructions.len());
        for (index, compiled) in self.instructions.iter().enumerate() {
            let program = at(compiled.program).ok_or(Unresolved::NoProgram(index, compiled.program))?;
            let accounts = compiled.accounts.iter().map(|place| at(*place)).collect();
            whole.push(Instruction { program: program.key, accounts, data: compiled.data.clone() });
        }
        Ok(whole)
    }
}

fn lookup(reader: &mut Reader<'_>) -> Result<Lookup, Ended> {
    let table = Key(reader.array()?);
    Ok(Lookup { table, writable: reader.bytes()?, readonly: reader.bytes()? })
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_length(out, bytes.len());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_named_twice_is_noticed_among_few_and_many() {
        for count in [1, 2, 7, 36, 37, 250] {
            let accounts: Vec<Key> = (0..count).map(|number| Key([number; 32])).collect();
            let mut message = Message::decode(&[[1, 0, 0, 0].as_slice(), &[0; 33]].concat()).unwrap();
            message.accounts.clone_from(&accounts);
            assert!(!message.repeats_an_account(), "{count}");
            for place in [0, usize::from(count / 2), usize::from(count) - 1] {
                message.accounts.clone_from(&accounts);
                message.accounts.push(accounts[place]);
                assert!(message.repeats_an_account(), "{place} of {count}");
            }
        }
    }
}
