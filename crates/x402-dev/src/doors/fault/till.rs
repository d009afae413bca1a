//! A settlement with all that may go wrong, the same at both doors.

use x402_sim::event::{Facts, Kind, PaymentId};
use x402_sim::facilitator::{Approved, Refusal, address_only, facts_of};
use x402_sim::fault::effect::{Forge, Meanwhile, Wire};
use x402_sim::fault::{Effect, Sight, Stage, Timing};
use x402_sim::networks::eip155::PERMIT2;
use x402_sim::reason::{Code, Reason};
use x402_sim::registry::{Version, rarer_scheme};
use x402_sim::world::settlement::still_pending;
use x402_sim::world::{Commitment, Settled, Standing};
use x402_wire::facilitator::SettleResponse;

use super::script::{Cues, Script};
use crate::clock;

/// A settlement that was asked for.
#[derive(Debug)]
pub struct Till<'a> {
    /// The faults of the request.
    pub script: &'a Script<'a>,
    /// What is seen of the request.
    pub sight: &'a Sight<'a>,
    /// The payment.
    pub payment: PaymentId,
    /// The facts about the request for every event.
    pub request: &'a Facts,
    /// In which version's words.
    pub version: Version,
    /// Who pays, as the payload writes it.
    pub payer: Option<String>,
    /// The network, as the payload writes it.
    pub network: String,
}

/// The facilitator's answer, and what becomes of it on its way.
#[derive(Clone, Debug)]
pub struct Said {
    /// The answer.
    pub answer: SettleResponse,
    /// What it says wrong.
    pub forges: Vec<Forge>,
    /// What becomes of it.
    pub wire: Option<Wire>,
    /// Whether scripts of other origins cannot read it.
    pub cors_missing: bool,
    /// When what becomes of it begins, in milliseconds of the world's clock.
    pub at: u64,
}

impl Till<'_> {
    /// Settles. `judged` is asked where no pending settlement is known.
    pub async fn settle(&self, judged: impl FnOnce() -> Result<Approved, Box<Refusal>>) -> Said {
        let state = self.script.state;
        let before = self.play(Timing::Before);
        before.delay(state).await;
        jump(state, &before);
        if let Some((reason, message)) = before.refusal() {
            return Self::said(self.refused(reason, message), &before, &Cues::default());
        }
        if before.wire().is_some() {
            let reason = Code::TransactionFailed.because("a fault was played: nothing was settled");
            return Self::said(self.failed(&reason), &before, &before);
        }
        let settled = match self.again() {
            Some(outcome) => outcome.map_err(|reason| Refusal { reason, ..self.refusal() }),
            None => self.execute(judged, &before),
        };
        match settled {
            Ok(answer) if answer.success => self.committed(answer, &before).await,
            Ok(answer) => Self::said(answer, &before, &Cues::default()),
            Err(refusal) => Self::said(refusal.to_settle_response(), &before, &Cues::default()),
        }
    }

    /// What happens after the ledger has committed.
    async fn committed(&self, answer: SettleResponse, before: &Cues) -> Said {
        let after = self.play(Timing::After);
        after.delay(self.script.state).await;
        let answer = match after.refusal() {
            Some((reason, message)) => self.refused_silently(reason, message),
            None => answer,
        };
        Self::said(answer, before, &after)
    }

    /// What became of a settlement that was pending when it was asked for before.
    fn again(&self) -> Option<Result<SettleResponse, Reason>> {
        let asked = self.script.state.act(|world, now| {
            // Nearly always.
            if world.may_be_asked() { world.ask_again(self.payment, now) } else { None }
        })?;
        Some(asked.map(|settled| self.answer(&settled)))
    }

    fn execute(
        &self,
        judged: impl FnOnce() -> Result<Approved, Box<Refusal>>,
        before: &Cues,
    ) -> Result<SettleResponse, Refusal> {
        let state = self.script.state;
        let judged = judged();
        let facts = facts_of(&judged);
        let approved = judged.map_err(|refusal| {
            self.record(Kind::SettleFailed, facts.clone());
            *refusal
        })?;
        interfere(state, before, &approved);
        let commitment = commitment(before);
        let settled = state.act(|world, now| {
            let settled = world.settle_as(&approved.charge, self.payment, commitment, now);
            match settled {
                Err(reason) if reason.code.is_replay() && before.has(&Effect::SuccessTwice) => {
                    Ok((world.settled_before(&approved.charge).ok_or(reason)?, Fresh::No))
                }
                Err(reason) => Err(reason),
                Ok(settled) => Ok((settled, Fresh::Yes)),
            }
        });
        match settled {
            Ok((settled, fresh)) => {
                let answer = self.answer(&settled);
                if fresh == Fresh::Yes {
                    self.tell(&settled, &answer, commitment, facts);
                }
                Ok(answer)
            }
            Err(reason) => {
                let refusal = Refusal::of_approved(&approved, reason);
                self.record(Kind::SettleFailed, refusal.facts());
                Err(refusal)
            }
        }
    }

    /// Tells what a settlement that was made is in truth.
    fn tell(&self, settled: &Settled, answer: &SettleResponse, commitment: Commitment, facts: Facts) {
        let facts = Facts { transaction: Some(answer.transaction.clone()), ..facts };
        match (settled.standing, commitment) {
            (Standing::Pending, _) => self.record(Kind::Pending, facts),
            (_, Commitment::Nothing) => {
                let message = Some("success was said, and nothing moved".to_owned());
                self.record(Kind::SettleFailed, Facts { message, ..facts });
            }
            (_, Commitment::Twice) => {
                self.record(Kind::Settled, facts.clone());
                let message = Some("the same authorization moved its amount again (breaks-ledger)".to_owned());
                self.record(Kind::Settled, Facts { message, transaction: None, ..facts });
            }
            _ => self.record(Kind::Settled, facts),
        }
    }

    /// The answer about a settlement that was made.
    fn answer(&self, settled: &Settled) -> SettleResponse {
        let transaction = settled.name();
        match settled.standing {
            Standing::Confirmed => SettleResponse {
                success: true,
                payer: self.payer.clone(),
                transaction,
                network: self.network.clone(),
                amount: settled.amount.map(|amount| amount.to_string()),
                ..SettleResponse::default()
            },
            Standing::Pending => SettleResponse { transaction, ..self.failed(&still_pending()) },
        }
    }

    fn failed(&self, reason: &Reason) -> SettleResponse {
        Refusal { reason: reason.clone(), ..self.refusal() }.to_settle_response()
    }

    fn refusal(&self) -> Refusal {
        let reason = Code::TransactionFailed.because("");
        Refusal { reason, version: self.version, payer: self.payer.clone(), network: self.network.clone() }
    }

    fn refused(&self, reason: String, message: Option<String>) -> SettleResponse {
        let answer = self.refused_silently(reason, message);
        let facts = Facts {
            reason: answer.error_reason.clone(),
            message: answer.error_message.clone(),
            payer: self.payer.as_deref().and_then(address_only),
            ..Facts::default()
        };
        self.record(Kind::SettleFailed, facts);
        answer
    }

    fn refused_silently(&self, reason: String, message: Option<String>) -> SettleResponse {
        SettleResponse {
            error_reason: Some(reason),
            error_message: message,
            ..self.failed(&Code::TransactionFailed.because(""))
        }
    }

    /// An answer, with what it says wrong by the faults before it, and what becomes of it on its way.
    fn said(answer: SettleResponse, before: &Cues, way: &Cues) -> Said {
        let cors_missing = before.has(&Effect::CorsMissing);
        Said { answer, forges: before.forges(), wire: way.wire(), cors_missing, at: way.over_at() }
    }

    fn play(&self, timing: Timing) -> Cues {
        self.script.play((Stage::Settle, timing), self.sight, Some(self.payment), self.request)
    }

    fn record(&self, kind: Kind, facts: Facts) {
        let Facts { method, path, dialect, simulated, .. } = self.request.clone();
        let scheme = facts.scheme.or_else(|| self.sight.scheme.and_then(rarer_scheme));
        let facts = Facts { method, path, dialect, scheme, simulated, ..facts };
        self.script.state.record(kind, self.script.door, Some(self.payment), facts);
    }
}

/// Whether a settlement was made now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fresh {
    Yes,
    No,
}

fn commitment(before: &Cues) -> Commitment {
    let mut effects = before.effects();
    let found = effects.find_map(|effect| match effect {
        Effect::Ledger(commitment) => Some(*commitment),
        _ => None,
    });
    found.unwrap_or_default()
}

/// Moves the clock, where a fault says so.
pub fn jump(state: &crate::state::State, cues: &Cues) {
    for meanwhile in cues.meanwhile() {
        if let Meanwhile::JumpClock(by) = meanwhile {
            state.act(|world, _| {
                // A clock that would stand beyond the year 9999 stays where it is.
                if let Ok(clock) = world.clock().advanced(by, clock::now()) {
                    world.set_clock(clock);
                }
            });
            // What has come due by that happens now.
            state.act(|_, _| ());
        }
    }
}

/// What a payer does between verify and settle.
pub fn interfere(state: &crate::state::State, cues: &Cues, approved: &Approved) {
    let charge = &approved.charge;
    let payer = charge.payer();
    for meanwhile in cues.meanwhile() {
        match meanwhile {
            Meanwhile::Drain => state.act(|world, _| world.set_balance(charge.asset(), payer, x402_sim::U256::ZERO)),
            Meanwhile::CancelNonce => state.act(|world, _| world.cancel(charge.once())),
            Meanwhile::RevokeAllowance => {
                state.act(|world, _| world.approve(charge.asset(), payer, PERMIT2.into(), x402_sim::U256::ZERO));
            }
            Meanwhile::JumpClock(_) => {}
        }
    }
}
