//! Presets: faults by the names of what they are in real life, with what is then expected.

use super::effect::Effect;
use super::model::{Fault, FaultError, Matcher, Occurrence, Per, Stage, Timing};
use crate::event::Door;

/// Faults under one name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name.
    pub name: &'static str,
    /// What goes wrong.
    pub what: &'static str,
    /// The faults at each door: stage, timing and effect as the header writes them.
    pub faults: &'static [(Door, &'static str)],
    /// How often.
    pub often: Often,
    /// How many settlements there are after one attempt to pay.
    pub once: u32,
    /// How many when a client that did not get what it wanted pays again, with a new authorization.
    pub again: u32,
    /// What a correct client or server does.
    pub correct: &'static str,
}

/// How often the faults of a preset are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// Always.
    Always,
    /// At the first attempt of each purchase.
    FirstAttempt,
}

use Door::{Facilitator, Resources};
use Often::{Always, FirstAttempt};

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "accept_then_timeout",
        what: "the payment settles, and who asked sees a timeout",
        faults: &[(Facilitator, "settle:after=timeout"), (Resources, "response=timeout")],
        often: FirstAttempt,
        once: 1,
        again: 2,
        correct: "A client takes a timeout after it has sent a payment for unknown: it sends the same payment again, or looks on the chain, and signs no new one before the old one has expired. A server settles the same payload again, and takes `nonce_already_used` for a sign that it was paid.",
    },
    Preset {
        name: "5xx_after_settle",
        what: "the payment settles, and the answer is 503",
        faults: &[(Facilitator, "settle:after=status:503"), (Resources, "response=status:503")],
        often: FirstAttempt,
        once: 1,
        again: 2,
        correct: "As for a timeout: 5xx says nothing about the money. The same payment is sent again, never a new one.",
    },
    Preset {
        name: "reset_after_settle",
        what: "the payment settles, and the connection is reset before the answer",
        faults: &[(Facilitator, "settle:after=reset_before"), (Resources, "response=reset_before")],
        often: FirstAttempt,
        once: 1,
        again: 2,
        correct: "As for a timeout: a broken connection says nothing about the money. HTTP libraries that repeat by themselves must repeat the same bytes.",
    },
    Preset {
        name: "lost_receipt",
        what: "the content comes without `PAYMENT-RESPONSE`, as behind a proxy that drops headers",
        faults: &[(Resources, "response=lost_receipt")],
        often: FirstAttempt,
        once: 1,
        again: 1,
        correct: "A client keeps the content, notes that it has no receipt, and does not pay again.",
    },
    Preset {
        name: "double_402",
        what: "the payment settles, and the answer asks for payment again",
        faults: &[
            (Facilitator, "settle:after=refuse:unexpected_settle_error"),
            (Resources, "response=refuse:Payment required"),
        ],
        often: FirstAttempt,
        once: 1,
        again: 2,
        correct: "A client that has sent a payment does not pay a second 402 for the same purchase without asking what became of the first.",
    },
    Preset {
        name: "slow_answer",
        what: "the payment settles, and the answer takes 30 s of the clock",
        faults: &[(Facilitator, "settle:after=delay:30s"), (Resources, "response=delay:30s")],
        often: FirstAttempt,
        once: 1,
        again: 1,
        correct: "A client waits for longer than a block takes. One that gives up before has the case of `accept_then_timeout`.",
    },
    Preset {
        name: "settlement_pending",
        what: "the settlement is `settlement_pending` once, then confirmed",
        faults: &[(Facilitator, "settle=pending:succeeds,1ask"), (Resources, "settle=pending:succeeds,1ask")],
        often: FirstAttempt,
        once: 1,
        again: 1,
        correct: "A resource server sends the same `/settle` once more; the facilitator waits for the transaction that it has and makes no second one.",
    },
    Preset {
        name: "pending_forever",
        what: "the settlement stays `settlement_pending`",
        faults: &[(Facilitator, "settle=pending:never"), (Resources, "settle=pending:never")],
        often: Always,
        once: 0,
        again: 0,
        correct: "A server withholds the content and says `settlement_pending` with the transaction. A client waits until the authorization has expired before it pays anew.",
    },
    Preset {
        name: "pending_then_failed",
        what: "the settlement is `settlement_pending`, then its transaction reverts",
        faults: &[(Facilitator, "settle=pending:fails,1ask"), (Resources, "settle=pending:fails,1ask")],
        often: FirstAttempt,
        once: 0,
        again: 1,
        correct: "A server withholds the content; pending is not success. A client may pay anew: nothing moved.",
    },
    Preset {
        name: "insufficient_funds",
        what: "verification says that the payer has too little",
        faults: &[
            (Facilitator, "verify=refuse:invalid_exact_evm_insufficient_balance"),
            (Resources, "verify=refuse:invalid_exact_evm_insufficient_balance"),
        ],
        often: Always,
        once: 0,
        again: 0,
        correct: "A client stops and tells its owner; it does not try again and again.",
    },
    Preset {
        name: "expired",
        what: "verification says that the authorization has expired",
        faults: &[
            (Facilitator, "verify=refuse:invalid_exact_evm_payload_authorization_valid_before"),
            (Resources, "verify=refuse:invalid_exact_evm_payload_authorization_valid_before"),
        ],
        often: FirstAttempt,
        once: 0,
        again: 1,
        correct: "A client signs one new authorization, and looks at its clock.",
    },
    Preset {
        name: "replayed",
        what: "verification says that the authorization was used",
        faults: &[
            (Facilitator, "verify=refuse:invalid_exact_evm_nonce_already_used"),
            (Resources, "verify=refuse:invalid_exact_evm_nonce_already_used"),
        ],
        often: FirstAttempt,
        once: 0,
        again: 1,
        correct: "A client looks whether it was its own payment that used it, before it signs a new one.",
    },
    Preset {
        name: "drained_between",
        what: "the payer's balance goes between verify and settle",
        faults: &[(Facilitator, "settle=drain"), (Resources, "settle=drain")],
        often: Always,
        once: 0,
        again: 0,
        correct: "A server delivers after settlement, not after verification, or bears the loss knowingly.",
    },
    Preset {
        name: "nonce_cancelled",
        what: "the payer cancels the authorization between verify and settle",
        faults: &[(Facilitator, "settle=cancel_nonce"), (Resources, "settle=cancel_nonce")],
        often: FirstAttempt,
        once: 0,
        again: 1,
        correct: "As for `drained_between`: verified is not paid.",
    },
    Preset {
        name: "reorg",
        what: "the payment settles, and 10 s of the clock later its transaction is undone",
        faults: &[(Facilitator, "settle=reverted:10s"), (Resources, "settle=reverted:10s")],
        often: FirstAttempt,
        once: 1,
        again: 1,
        correct: "A server that sells dear things waits for more blocks, or can take back what it gave.",
    },
    Preset {
        name: "noop_success",
        what: "the facilitator says success, and nothing moved",
        faults: &[(Facilitator, "settle=noop"), (Resources, "settle=noop")],
        often: Always,
        once: 0,
        again: 0,
        correct: "A server that does not trust its facilitator looks for the transfer on the chain.",
    },
    Preset {
        name: "double_settlement",
        what: "one authorization moves its amount twice; no real token does this (`breaks-ledger`)",
        faults: &[(Facilitator, "settle=double_settlement"), (Resources, "settle=double_settlement")],
        often: FirstAttempt,
        once: 2,
        again: 2,
        correct: "Books are compared with the chain: the payer sees two transfers for one purchase.",
    },
    Preset {
        name: "facilitator_down",
        what: "the facilitator cannot be reached",
        faults: &[
            (Facilitator, "verify=reset_before"),
            (Facilitator, "settle=reset_before"),
            (Facilitator, "supported=reset_before"),
            (Resources, "verify=reset_before"),
        ],
        often: Always,
        once: 0,
        again: 0,
        correct: "A server fails closed: no content without verification. A client does not take the 402 for a refusal of its payment.",
    },
    Preset {
        name: "redirect_308",
        what: "the facilitator's address redirects, without end",
        faults: &[
            (Facilitator, "verify=redirect"),
            (Facilitator, "settle=redirect"),
            (Facilitator, "supported=redirect"),
            (Resources, "verify=redirect"),
        ],
        often: Always,
        once: 0,
        again: 0,
        correct: "A server fails closed, and says at its start that `/supported` redirects.",
    },
    Preset {
        name: "html_502",
        what: "the settlement is answered by a proxy's page with 502; nothing moved",
        faults: &[(Facilitator, "settle=html"), (Resources, "settle=html")],
        often: FirstAttempt,
        once: 0,
        again: 1,
        correct: "A server withholds the content and sends the same `/settle` again: it cannot know that nothing moved.",
    },
    Preset {
        name: "rate_limited",
        what: "verification is answered 429 with `Retry-After: 1`",
        faults: &[
            (Facilitator, "verify=rate_limited:1"),
            (Facilitator, "supported=rate_limited:1"),
            (Resources, "verify=rate_limited:1"),
        ],
        often: FirstAttempt,
        once: 0,
        again: 1,
        correct: "A server waits as it is told and asks again, or answers 5xx; it does not call the payment invalid.",
    },
    Preset {
        name: "truncated",
        what: "the payment settles, and the answer breaks off in the middle",
        faults: &[(Facilitator, "settle:after=truncated"), (Resources, "response=truncated")],
        often: FirstAttempt,
        once: 1,
        again: 2,
        correct: "As for a timeout: the same payment is sent again, never a new one.",
    },
    Preset {
        name: "wrong_receipt",
        what: "the receipt names a transaction that does not exist",
        faults: &[(Facilitator, "settle=wrong_transaction"), (Resources, "response=wrong_transaction")],
        often: FirstAttempt,
        once: 1,
        again: 1,
        correct: "Who keeps books compares receipts with the chain.",
    },
    Preset {
        name: "price_bait",
        what: "who comes back to pay finds ten times the price",
        faults: &[(Resources, "offer=price_raised:10")],
        often: Always,
        once: 0,
        again: 1,
        correct: "A client compares a second offer with the first and stops, as at its limit for one payment. One that pays whatever is asked settles once, at ten times the price.",
    },
    Preset {
        name: "payee_swap",
        what: "the offer names another payee",
        faults: &[(Resources, "offer=payee_swapped")],
        often: Always,
        once: 1,
        again: 1,
        correct: "A client that knows its merchant pays nobody else. One that does not look settles once, with a stranger.",
    },
    Preset {
        name: "network_swap",
        what: "the offer asks for money on a main network",
        faults: &[(Resources, "offer=other_network")],
        often: Always,
        once: 0,
        again: 0,
        correct: "A client signs for the networks only that it was told to use.",
    },
    Preset {
        name: "fake_delivery",
        what: "paid, and the content is empty",
        faults: &[(Resources, "content=empty")],
        often: FirstAttempt,
        once: 1,
        again: 1,
        correct: "A client looks at what it bought, and counts it as paid and not delivered.",
    },
    Preset {
        name: "hostile_text",
        what: "the description of the offer talks to language models",
        faults: &[(Resources, "offer=hostile_text")],
        often: Always,
        once: 1,
        again: 1,
        correct: "An agent takes texts of an offer for data: it pays what the offer asks, and nobody else.",
    },
    Preset {
        name: "cacheable_content",
        what: "paid content says `Cache-Control: public`",
        faults: &[(Resources, "content=cacheable")],
        often: Always,
        once: 1,
        again: 1,
        correct: "A server says `private` or `no-store`; a cache in front of it must not give to others what one has paid for.",
    },
    Preset {
        name: "cors_missing",
        what: "no answer can be read by scripts of another origin",
        faults: &[
            (Facilitator, "verify=cors_missing"),
            (Facilitator, "settle=cors_missing"),
            (Facilitator, "supported=cors_missing"),
            (Resources, "offer=cors_missing"),
            (Resources, "response=cors_missing"),
        ],
        often: Always,
        once: 1,
        again: 1,
        correct: "A server exposes `PAYMENT-REQUIRED` and `PAYMENT-RESPONSE`, on the 402 too; a browser client says what is missing.",
    },
];

/// The faults of a preset, for what a matcher means: all that work at its door.
///
/// # Errors
///
/// An unknown name, or a door at which the preset does nothing.
pub fn faults(name: &str, matcher: &Matcher) -> Result<Vec<Fault>, FaultError> {
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        return Err(FaultError::unknown("preset", name, PRESETS.iter().map(|preset| preset.name)));
    };
    let wanted = |door: &Door| matcher.door.is_none_or(|own| own == *door);
    let mut faults = Vec::new();
    for (door, text) in preset.faults.iter().filter(|(door, _)| wanted(door)) {
        let (place, effect) = text.split_once('=').unwrap_or((text, ""));
        let (stage, timing) = place.split_once(':').unwrap_or((place, "before"));
        let fault = Fault::new(Stage::parse(stage)?, Timing::parse(timing)?, Effect::parse(effect)?);
        let matcher = Matcher { door: Some(*door), ..matcher.clone() };
        let occurrence = match preset.often {
            Often::Always => Occurrence::default(),
            Often::FirstAttempt => Occurrence { first: Some(1), per: Per::Purchase, ..Occurrence::default() },
        };
        faults.push(Fault { name: Some(name.to_owned()), matcher, occurrence, ..fault });
    }
    if faults.is_empty() {
        return Err(FaultError::new("match.door", format!("the preset `{name}` does nothing at this door")));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_can_be_played() {
        assert_eq!(PRESETS.len(), 30);
        for preset in PRESETS {
            let faults = faults(preset.name, &Matcher::default()).unwrap();
            assert_eq!(faults.len(), preset.faults.len());
            for fault in faults {
                fault.check().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            }
        }
    }
}
