//! The journal of purchases: what was signed, written down before anybody else could see it.
//!
//! A purchase that is not settled is a directory `purchases/ID` in the home, for this user only: `entry.json`, and `body`
//! where the request has one. Whoever works on it holds a lock on the directory, which the kernel lets go when the
//! process ends. Every change is on the disk before the next thing is done, and replaces the entry at once, so that whoever
//! only reads needs no lock. A purchase that has come to its end becomes
//! a line in `purchases/history.jsonl`, without signature, headers and body.
//!
//! | room | what it holds |
//! |---|---|
//! | [`entry`] | what is written about a purchase |
//! | [`store`] | the directory: open, find, take up |
//! | [`page`] | one purchase in it: change, close |

use std::fs::File;
use std::io::{self, Read};

pub mod entry;
pub mod page;
pub mod store;

pub use entry::{Asked, Authorized, Ending, Entry, Errand, Noted, Standing, Transfer};
pub use page::Page;
pub use store::{Journal, JournalError};

/// A name that nobody else has: `pay_` and 32 hexadecimal digits, as the extension `payment-identifier` wants it.
pub fn random_id() -> io::Result<String> {
    let bytes: [u8; 16] = random()?;
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("pay_{}", digits.concat()))
}

/// Bytes that nobody can guess.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
