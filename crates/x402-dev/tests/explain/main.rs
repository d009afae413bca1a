//! `x402-dev explain` and `decode` through their front door: the corpus of broken payments, and a running mock.
//!
//! | room | what it holds |
//! |---|---|
//! | `asker` | `Asker`, a user who runs the commands in a directory of their own |
//! | `client`, `harness`, `payer` | shared with the tests of the doors |
//! | all others | one group of tests each |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../e2e/client.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod client;
#[path = "../e2e/harness.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod harness;

mod asker;

mod ages;
mod asked_urls;
mod astray;
mod blame;
mod bought;
mod corpus;
mod fixes;
mod hands;
mod instance;
mod invoices;
mod keys;
mod last;
mod last_unpaid;
mod logs;
mod paid;
mod past;
mod records;
mod records_answers;
mod records_fuzz;
mod records_offers;
mod records_ways;
mod sides;
mod stand_in;
mod stray;
mod told;
mod unanswered;
