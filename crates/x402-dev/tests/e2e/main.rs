//! The built binary through its front door: real processes, real sockets, exact bytes.
//!
//! | room | what it holds |
//! |---|---|
//! | `harness` | `Test`, a builder whose guard is a real process; `Finished`, a run that has ended |
//! | `client` | an HTTP client that sends exactly the bytes it is given |
//! | `payer` | payments, really signed by the test accounts |
//! | all others | one group of tests each |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod harness;
mod payer;

mod config_cli;
mod delivery;
mod facilitator;
mod facilitator_input;
mod facilitator_reasons;
mod invoice;
mod logs;
mod modes;
mod negotiation;
mod offer;
mod pay_v1;
mod pay_v2;
mod pipes;
mod race;
mod ready;
mod reserved;
mod sign;
mod sign_input;
mod sockets;
mod targets;
