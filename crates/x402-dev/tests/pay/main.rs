//! `x402-dev pay` through its front door: real processes, against the mock and against sellers that lie.
//!
//! | room | what it holds |
//! |---|---|
//! | `buyer` | `Buyer`, a user with a home and a journal, who runs `pay` |
//! | `gate` | `Gate`, a door before a Solana cluster that holds calls back |
//! | `seller` | `Seller`, a server that says what a test wants it to say, and remembers what it heard |
//! | `client`, `harness`, `payer`, `fault_hand` | shared with the tests of the doors |
//! | all others | one group of tests each |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../e2e/client.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod client;
#[path = "../e2e/fault_hand.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod fault_hand;
#[path = "../e2e/harness.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod harness;
#[path = "../e2e/payer.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod payer;

mod buyer;
mod gate;
mod seller;

mod again;
mod bodies;
mod choosing;
mod crash;
mod crash_end;
mod crash_kinds;
mod declines;
mod dialects;
mod doubt;
mod invoices;
mod keys;
mod kinds;
mod lagging;
mod lies;
mod load;
mod presets;
mod redirects;
mod refusals;
mod shown;
mod solana;
mod told;
mod trouble;
mod twice;
mod ways;
