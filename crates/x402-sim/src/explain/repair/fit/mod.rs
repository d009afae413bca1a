//! What a signature fits where it is not the payer's over what should have been signed: other domains, other messages,
//! other types, other ways to make a digest.
//!
//! | room | what it tries |
//! |---|---|
//! | [`domain`] | the domain's parts, one by one, of other assets, of other types |
//! | [`message`] | other values, parties and times than are written |
//! | [`types`] | the same values under other types |
//! | [`digest`] | digests that are put together otherwise, and texts |

use std::cell::Cell;

use alloy_primitives::{Address, B256, U256};

use self::domain::Own;
use self::message::Message;
use super::Candidate;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::explain::step::step;
use crate::networks::eip155::checksum;
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::permit2::permit::typed;
use crate::networks::eip155::secp::Signers;

pub(super) mod digest;
pub(super) mod domain;
mod message;
pub(super) mod types;

/// At most so many digests are tried under one signature. A try costs less than half a recovery, about 14 us, so that a
/// forged payment costs at most a twentieth of a second.
const MOST_TRIES: usize = 3_500;

/// A signature, and whose it should be.
pub(super) struct Tries {
    signers: Signers,
    payer: Address,
    left: Cell<usize>,
}

impl Tries {
    pub(super) const fn new(signers: Signers, payer: Address) -> Self {
        Self { signers, payer, left: Cell::new(MOST_TRIES) }
    }

    /// Whether it is the payer's over a digest. Where all tries are used up, nothing fits.
    pub(super) fn fit(&self, digest: B256) -> bool {
        let Some(left) = self.left.get().checked_sub(1) else { return false };
        self.left.set(left);
        self.signers.over(digest) == Some(self.payer)
    }

    /// How many more may be made.
    #[cfg(test)]
    pub(super) const fn left(&self) -> usize {
        self.left.get()
    }

    /// Whose it is over a digest.
    pub(super) fn signer(&self, digest: B256) -> Option<Address> {
        self.signers.over(digest)
    }
}

/// What a signature fits.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: &'static str,
    pub(super) at: String,
    /// What was signed, and what should have been.
    pub(super) what: String,
    /// What was signed, by the pointers at which something else is written.
    pub(super) restore: Vec<(String, String)>,
}

impl Found {
    pub(super) fn new(id: &'static str, at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { id, at: at.into(), what: what.into(), restore: Vec::new() }
    }

    fn finding(&self) -> Finding {
        Finding::new(self.id).at(self.at.clone()).seen(format!("the signature fits {}", self.what))
    }

    /// The same, with what was signed besides at once.
    pub(super) fn candidate_with(
        mut self,
        besides: Option<Self>,
        bench: &Bench,
        attempt: &Attempt,
        payer: Address,
    ) -> Candidate {
        let Some(other) = besides else { return self.candidate("", bench, attempt, payer) };
        // What can be put back in one only does not make the signature fit.
        let is_whole = !self.restore.is_empty() && !other.restore.is_empty();
        self.restore = if is_whole { [&self.restore[..], &other.restore].concat() } else { Vec::new() };
        let mut candidate = self.candidate(&format!(" and {}", other.over()), bench, attempt, payer);
        candidate.also = Some(other.finding().seen("both were signed at once"));
        candidate
    }

    /// What was signed, without what should have been.
    fn over(&self) -> &str {
        self.what.split(", and ").next().unwrap_or_default()
    }

    /// The payment with what was signed, or signed again as it is written: whichever gets further, so that nothing is
    /// blamed which the mend itself has brought about.
    fn candidate(self, besides: &str, bench: &Bench, attempt: &Attempt, payer: Address) -> Candidate {
        let proof = format!("over {}{besides}, the signature recovers to the payer {}", self.over(), checksum(payer));
        let again = attempt.clone().again();
        let put = |next: Attempt, (pointer, value): &(String, String)| next.pay(pointer, value.clone());
        let restored = self.restore.iter().fold(attempt.clone(), put);
        let reached = |next: &Attempt| bench.judge(next).map_or_else(|failed| step(failed.code), |()| usize::MAX);
        let is_best = !self.restore.is_empty() && reached(&restored) >= reached(&again);
        Candidate::sure(self.finding(), if is_best { restored } else { again }, proof)
    }
}

/// What an authorization's signature fits: one thing that differs, then two of the likeliest, then two of the domain.
pub(super) fn authorization(
    bench: &Bench,
    attempt: &Attempt,
    written: &Authorization,
    own: &Own,
    tries: &Tries,
) -> Option<(Found, Option<Found>)> {
    let here = own.of().separator();
    let standard = types::authorization_hash(written);
    let fits = |separator: B256, message: B256| tries.fit(typed(separator, message));
    let parties = [(written.to, "the payee"), (written.from, "the payer")];
    let domains = domain::others(bench, own, &parties);
    if let Some(other) = domains.iter().find(|other| fits(other.separator, standard)) {
        return Some((other.found.clone(), None));
    }
    let messages = message::others(attempt, written);
    let fitting = messages.iter().find(|other| fits(here, other.hash)).map(|other| other.found.clone());
    let fitting = fitting.or_else(|| {
        let moments = message::moments(attempt, written);
        moments.into_iter().find(|other| fits(here, other.hash)).map(|other| other.found)
    });
    if let Some(found) = fitting.or_else(|| digest::others(here, standard, &texts(attempt), tries)) {
        return Some((found, None));
    }
    let likely = || messages.iter().filter(|other| other.likely);
    let pairs = domains.iter().filter(|other| other.likely).flat_map(|domain| likely().map(move |own| (domain, own)));
    let both = |(domain, message): &(&domain::Other, &Message)| fits(domain.separator, message.hash);
    let found = pairs.into_iter().find(both);
    if let Some((domain, message)) = found {
        return Some((domain.found.clone(), Some(message.found.clone())));
    }
    let twofold = domain::pairs(bench, own, &parties).into_iter().find(|(separator, ..)| fits(*separator, standard));
    twofold.map(|(_, one, other)| (one, Some(other)))
}

/// The authorization as the texts that a client may have signed in its place.
fn texts(attempt: &Attempt) -> Vec<String> {
    const KEYS: [&str; 6] = ["from", "to", "value", "validAfter", "validBefore", "nonce"];
    attempt.payload.pointer("/payload/authorization").map(|signed| digest::texts_of(signed, &KEYS)).unwrap_or_default()
}

/// A number of whole 32 bytes.
pub(super) fn word(number: U256) -> B256 {
    number.into()
}
