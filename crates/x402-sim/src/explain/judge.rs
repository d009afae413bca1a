//! Why a payment is refused: verification is run, a likely mistake is mended, verification is run again.
//!
//! What passes then, or goes on to a later check of the order, was that mistake. So of two mistakes both are found, the
//! one that an official facilitator meets first before the other.

use std::collections::BTreeSet;

use serde_json::Value;
use x402_wire::amount::Decimal;
use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

pub use super::attempt::{Attempt, Signed};
use super::bench_networks;
use super::explanation::{Explanation, Verdict};
use super::finding::Finding;
use super::repair::{self, Candidate};
use super::signature::NO_GUESS;
use super::step::step;
use crate::chain::Chain;
use crate::facilitator;
use crate::fault::Mode;
use crate::ledger::UnknownAccounts;
use crate::order::Depth;
use crate::reason::Code;
use crate::world::{Rules, Setup, World};

/// How many mistakes are looked for in one payment.
const MOST: usize = 8;

/// What everybody holds in the world that payments are tried in, in whole units: what people hold is not judged here.
const PLENTY: &str = "1000000000000";

/// A fresh world to try payments in: every known network is enabled, and nobody lacks money.
#[derive(Debug)]
pub struct Bench {
    chain: Chain,
    /// What had to be assumed.
    pub notes: Vec<String>,
    /// Whose refusal is explained.
    pub whose: Whose,
}

/// Whose refusal is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of an instance of this mock: its chains are the simulated ones, and nothing about them is assumed.
    Mock,
    /// Of whomever: the chain may be a real one.
    Unknown,
}

/// A mended payment that is better than before.
#[derive(Clone, Debug)]
struct Proven {
    /// What is proven; nothing where only something was assumed.
    finding: Option<Finding>,
    proof: String,
    next: Attempt,
    /// What verification says of it.
    later: Option<Failure>,
    /// What verification elsewhere says of the mistake.
    instead: Option<Failure>,
    /// What is proven together with it.
    also: Option<Finding>,
}

/// What verification says against a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code.
    pub code: Code,
    /// Its spelling.
    pub reason: &'static str,
    /// The sentence.
    pub detail: String,
}

impl Bench {
    /// A world in which these requirements can be met, if they can be met anywhere.
    ///
    /// # Panics
    ///
    /// Never: the grant fits every asset.
    pub fn new(requirements: &Value) -> Self {
        let (networks, notes) = bench_networks::around(requirements);
        let balance = Decimal::parse(PLENTY).expect("the grant is a number");
        let setup =
            Setup { networks, unknown: UnknownAccounts::Funded, balance, payees: Vec::new(), rules: Rules::default() };
        let world = World::new(&setup, 1).expect("assets of at most 24 decimals hold the grant");
        Self { chain: world.chain(), notes, whose: Whose::Unknown }
    }

    /// The same, for a refusal of somebody's.
    pub fn of(self, whose: Whose) -> Self {
        Self { whose, ..self }
    }

    /// The networks that are enabled, and their assets.
    pub fn catalog(&self) -> &crate::catalog::Catalog {
        &self.chain.catalog
    }

    /// Verifies a payment.
    pub fn judge(&self, attempt: &Attempt) -> Result<(), Failure> {
        let text = attempt.payload.to_string();
        let Ok(payload) = PaymentPayload::parse(&text) else {
            let detail = "the payload is empty".to_owned();
            return Err(Failure { code: Code::InvalidPayload, reason: "invalid_payload", detail });
        };
        let request = FacilitatorRequest { payload, requirements: Json::from(&attempt.requirements) };
        let mode = match attempt.signed {
            Signed::AsSent => Mode::Strict,
            Signed::Again => Mode::Accept,
        };
        let judged = facilitator::judge(&request, &self.chain, attempt.now, Depth::Verify, mode);
        judged.map(drop).map_err(|refusal| {
            let (code, reason, told) = (refusal.reason.code, refusal.spelled(), refusal.reason.told());
            // What is enabled in this world says nothing about any other.
            let unknown = told.split_once(" is not enabled here").filter(|_| code == Code::UnknownNetwork);
            let detail = unknown.map(|(network, _)| format!("{network} is in no table of this protocol version"));
            Failure { code, reason, detail: detail.unwrap_or(told) }
        })
    }

    /// Looks for all that is wrong with a payment, and says what verification says first.
    pub fn examine(&self, attempt: &Attempt, explanation: &mut Explanation) -> Verdict {
        let (at, first) = (attempt.now, self.judge(attempt).err());
        let by = "verify in a fresh world".to_owned();
        let claimed = self.search(attempt.clone(), first.clone(), explanation);
        // A signature that is made anew for another mistake may have the same form again.
        for form in repair::form_beside(attempt, &explanation.findings) {
            explanation.find(form);
        }
        // What only another facilitator or another chain can know is no refusal.
        let first = if self.whose == Whose::Mock { first } else { claimed };
        Verdict {
            valid: first.is_none(),
            reason: first.as_ref().map(|failure| failure.reason.to_owned()),
            message: first.map(|failure| without_guess(&failure.detail).to_owned()).filter(|detail| !detail.is_empty()),
            at,
            by,
        }
    }

    /// Mends one mistake after the other. Gives the first refusal that is one, and no assumption.
    fn search(
        &self,
        mut attempt: Attempt,
        mut failure: Option<Failure>,
        explanation: &mut Explanation,
    ) -> Option<Failure> {
        let (mut met, mut claimed) = (BTreeSet::new(), None);
        // What nobody explained. Nothing behind it is proven: its fix leaves the payment refused where it was.
        let mut skipped = false;
        for _ in 0..MOST {
            let counts = |failed: &Failure| repair::is_said_beside(&explanation.findings, failed);
            let Some(failed) = failure.take().filter(counts) else { return claimed };
            if !met.insert((failed.code, failed.detail.clone())) {
                return claimed.or(Some(failed));
            }
            let candidates = repair::candidates(self, &attempt, &failed);
            let proven = candidates.into_iter().find_map(|candidate| self.prove(candidate, &failed));
            let (claim, next) = match proven {
                Some(Proven { finding: None, proof, next, later, .. }) => {
                    explanation.notes.push(format!("assumed: {proof}"));
                    (None, Some((next, later)))
                }
                Some(Proven { finding: Some(finding), proof, next, later, instead, also }) => {
                    let failed = instead.unwrap_or(failed);
                    let detail = if finding.evidence.is_empty() { without_guess(&failed.detail) } else { "" };
                    for finding in [Some(finding.seen(detail)), also].into_iter().flatten() {
                        explanation.find(if skipped { finding } else { finding.proven(proof.clone()) });
                    }
                    (Some(failed), Some((next, later)))
                }
                None => {
                    explanation.find(repair::unproven(&failed).seen(without_guess(&failed.detail)));
                    let next = repair::past(&attempt, &failed).map(|next| (next.clone(), self.judge(&next).err()));
                    skipped = true;
                    (Some(failed), next)
                }
            };
            claimed = claimed.or(claim);
            let Some((mended, later)) = next else { return claimed };
            (attempt, failure) = (mended, later);
        }
        claimed
    }

    /// What a mended payment shows: `None` where it is no better than before.
    fn prove(&self, candidate: Candidate, failed: &Failure) -> Option<Proven> {
        let Candidate { finding, next, how, sure, instead, also } = candidate;
        let later = self.judge(&next).err();
        let better = later.as_ref().is_none_or(|later| is_later(failed, later));
        if !better && sure.is_none() {
            return None;
        }
        let outcome = match &later {
            None => "verify passes".to_owned(),
            Some(later) if later.reason == failed.reason => format!("verify goes on, to {}", later.detail),
            Some(later) => format!("verify goes on to {}", later.reason),
        };
        let again = if next.signed == Signed::Again && sure.is_none() { ", signed again" } else { "" };
        let proof = sure.unwrap_or_else(|| format!("{how}{again}: {outcome}"));
        Some(Proven { finding, proof, next, later, instead, also })
    }
}

/// A refusal's sentence without the advice to ask here.
pub(super) fn without_guess(detail: &str) -> &str {
    detail.split_once(NO_GUESS).map_or(detail, |(known, _)| known)
}

/// The place that a sentence about a wrong shape begins with.
pub(super) fn place(detail: &str) -> &str {
    detail.split_once(": ").map_or("", |(place, _)| place)
}

/// Whether a failure is met later in the order than another.
fn is_later(before: &Failure, after: &Failure) -> bool {
    let (first, second) = (step(before.code), step(after.code));
    // Of one step, sentences about the shape begin with the place: another place is a later one.
    let (was, is) = (place(&before.detail), place(&after.detail));
    let of_shape = [was, is].iter().all(|place| place.starts_with("payment"));
    second > first || (first == second && before.code == after.code && of_shape && was != is)
}
