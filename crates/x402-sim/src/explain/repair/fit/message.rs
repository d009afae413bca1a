//! Other messages than the one that is written: another value, payee or time, both parties or both times swapped, and the
//! same values under other types.

use alloy_primitives::{Address, B256, U256, keccak256};

use super::super::{terms, times};
use super::{Found, types};
use crate::explain::judge::Attempt;
use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::permit2::permit::EXACT_PROXY;
use crate::networks::eip155::{PERMIT2, checksum, parse_address};

/// How far back a signature's moment is looked for, in seconds.
const RECENT: u64 = 600;

/// Two readings of a clock for one payment differ by fewer seconds.
const MOST_TICKS: u64 = 5;

/// So many permits a payer may have given before, at most.
const MOST_PERMITS: u64 = 10;

const PERMIT: &str = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";

const PART: &str = "/payload/authorization";
const SIGNED: &str = "paymentPayload.payload.authorization";
const CHANGED: &str = "changed_after_signing";

/// A message that may have been signed.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) hash: B256,
    pub(super) found: Found,
    /// Whether it is tried under another domain besides.
    pub(super) likely: bool,
}

impl Message {
    /// One in which a member was another.
    fn of(own: &Authorization, key: &str, value: String, what: String) -> Self {
        let mut found = Found::new(CHANGED, format!("{SIGNED}.{key}"), what);
        found.restore.push((format!("{PART}/{key}"), value));
        Self { hash: types::authorization_hash(own), found, likely: false }
    }

    /// One that is wrong in itself, so that nothing is put back.
    fn wrong(id: &'static str, key: &str, own: &Authorization, what: String) -> Self {
        let found = Found::new(id, format!("{SIGNED}.{key}"), what);
        Self { hash: types::authorization_hash(own), found, likely: false }
    }

    fn likely(self, likely: bool) -> Self {
        Self { likely, ..self }
    }
}

/// Every message that is tried, the likeliest first.
pub(super) fn others(attempt: &Attempt, written: &Authorization) -> Vec<Message> {
    let mut all = values(attempt, written);
    all.extend(parties(attempt, written));
    all.extend(bounds(attempt, written));
    all.extend(shifted(written));
    all.extend(permits(written));
    all.extend(types::others().into_iter().filter_map(|other| {
        let id = if other.is_primary { "wrong_primary_type" } else { "message_types" };
        let what = format!("the type {}, and the token's is {}", other.of, types::TRANSFER);
        let found = Found::new(id, "types", what);
        Some(Message { hash: types::hash_as(&other.of, written)?, found, likely: other.likely })
    }));
    all
}

fn values(attempt: &Attempt, written: &Authorization) -> Vec<Message> {
    let near = terms::amounts_near(attempt, written.value);
    let of = |(place, value): (usize, U256)| {
        let what = format!("value {value}, and {} is written", written.value);
        // What is asked comes first, nothing at all is what a price in decimals is rounded to.
        let likely = place < 2 || value.is_zero();
        Message::of(&Authorization { value, ..*written }, "value", value.to_string(), what).likely(likely)
    };
    near.into_iter().enumerate().map(of).collect()
}

fn parties(attempt: &Attempt, written: &Authorization) -> Vec<Message> {
    let said = [attempt.asked("/payTo"), attempt.paid("/accepted/payTo"), attempt.asked("/asset")];
    let said: Vec<Address> = said.into_iter().flatten().filter_map(parse_address).collect();
    let payees = said.iter().copied().chain([written.from, Address::ZERO]).filter(|to| *to != written.to);
    let paying = |to: Address| {
        let what = format!("the payee {}, and {} is written", checksum(to), checksum(written.to));
        Message::of(&Authorization { to, ..*written }, "to", checksum(to), what).likely(said.first() == Some(&to))
    };
    let mut all: Vec<Message> = payees.map(paying).collect();
    let swapped = Authorization { from: written.to, to: written.from, ..*written };
    let what =
        format!("from {} and to {}, and the payer is the other one", checksum(swapped.from), checksum(swapped.to));
    all.push(Message::wrong("from_and_to_swapped", "from", &swapped, what).likely(true));
    let others = said.iter().copied().chain([written.to, Address::ZERO]).filter(|from| *from != written.from);
    all.extend(others.map(|from| {
        let what = format!("the payer {}, and the key is that of {}", checksum(from), checksum(written.from));
        Message::wrong("wrong_key", "from", &Authorization { from, ..*written }, what)
    }));
    all
}

/// Times that may have been signed, without those that depend on the moment.
fn bounds(attempt: &Attempt, written: &Authorization) -> Vec<Message> {
    let (after, before) = (written.valid_after, written.valid_before);
    let lifetime = U256::from(times::lifetime(attempt).unwrap_or(300));
    let (made, thousand) = (before.saturating_sub(lifetime), U256::from(1000));
    let mut all = Vec::new();
    let swapped = Authorization { valid_after: before, valid_before: after, ..*written };
    let what = format!("validAfter {before} and validBefore {after}, and the earlier one must be validAfter");
    all.push(Message::wrong("times_swapped", "validBefore", &swapped, what));
    let in_milliseconds = [
        (Authorization { valid_before: before.saturating_mul(thousand), ..*written }, "validBefore"),
        (
            Authorization {
                valid_before: before.saturating_mul(thousand),
                valid_after: after.saturating_mul(thousand),
                ..*written
            },
            "validBefore",
        ),
        (Authorization { valid_after: after.saturating_mul(thousand), ..*written }, "validAfter"),
    ];
    for (own, key) in in_milliseconds.into_iter().filter(|(own, _)| own != written) {
        let (after, before) = (own.valid_after, own.valid_before);
        let what = format!("validAfter {after} and validBefore {before}, and in seconds both are written");
        all.push(Message::wrong("times_in_milliseconds", key, &own, what));
    }
    for valid_after in [U256::ZERO, made, made.saturating_sub(U256::from(600))] {
        let what = format!("validAfter {valid_after}, and {after} is written");
        let own = Authorization { valid_after, ..*written };
        all.push(Message::of(&own, "validAfter", valid_after.to_string(), what).likely(valid_after.is_zero()));
    }
    let ends = [after.saturating_add(lifetime), before / thousand, U256::MAX, U256::ZERO];
    all.extend(ends.into_iter().filter(|end| *end != before).map(|end| ending(written, end)));
    all
}

/// Both times read once more from a clock that has gone on, or on another machine: some seconds off, by the same.
fn shifted(written: &Authorization) -> Vec<Message> {
    let by = |seconds: u64, later: bool| {
        let seconds = U256::from(seconds);
        let (after, before) = (written.valid_after, written.valid_before);
        let moved = |time: U256| if later { time.checked_add(seconds) } else { time.checked_sub(seconds) };
        let own = Authorization { valid_after: moved(after)?, valid_before: moved(before)?, ..*written };
        let what = format!(
            "validAfter {} and validBefore {}, and what is written is {seconds} s {}: the times were made twice",
            own.valid_after,
            own.valid_before,
            if later { "earlier" } else { "later" },
        );
        let mut message = Message::of(&own, "validBefore", own.valid_before.to_string(), what);
        message.found.restore.push((format!("{PART}/validAfter"), own.valid_after.to_string()));
        Some(message)
    };
    (1..=MOST_TICKS).flat_map(|seconds| [by(seconds, false), by(seconds, true)]).flatten().collect()
}

/// Permits of EIP-2612 in place of a transfer, as examples of tokens make them: with a counter as nonce.
fn permits(written: &Authorization) -> Vec<Message> {
    let spenders = [
        (written.to, "the payee"),
        (crate::accounts::facilitator().evm(), "the mock's facilitator"),
        (PERMIT2, "Permit2"),
        (EXACT_PROXY, "x402's proxy"),
    ];
    let nonces = (0..MOST_PERMITS).map(U256::from).chain([U256::from_be_bytes(written.nonce.0)]);
    let ends = [written.valid_before, U256::MAX];
    let permit = |(spender, who): (Address, &str), nonce: U256, deadline: U256| {
        let what = format!("the type {PERMIT} with {who} as spender, and the token's is {}", types::TRANSFER);
        let words = [
            written.from.into_word(),
            spender.into_word(),
            super::word(written.value),
            super::word(nonce),
            super::word(deadline),
        ];
        let hash = keccak256([keccak256(PERMIT).as_slice(), words.concat().as_slice()].concat());
        Message { hash, found: Found::new("wrong_primary_type", "types", what), likely: false }
    };
    let each = spenders.into_iter().flat_map(|spender| nonces.clone().map(move |nonce| (spender, nonce)));
    each.flat_map(|(spender, nonce)| ends.map(|end| permit(spender, nonce, end))).collect()
}

fn ending(written: &Authorization, valid_before: U256) -> Message {
    let what = format!("validBefore {valid_before}, and {} is written", written.valid_before);
    Message::of(&Authorization { valid_before, ..*written }, "validBefore", valid_before.to_string(), what)
}

/// A lifetime from any moment of the last minutes on, the latest first.
pub(super) fn moments(attempt: &Attempt, written: &Authorization) -> Vec<Message> {
    let lifetime = times::lifetime(attempt).unwrap_or(300);
    let moments = (attempt.now.saturating_sub(RECENT)..attempt.now + 5).rev();
    let ends = moments.map(|made| U256::from(made.saturating_add(lifetime)));
    ends.filter(|end| *end != written.valid_before).map(|end| ending(written, end)).collect()
}
