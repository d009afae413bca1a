//! The life of a server through the front door: real processes, each test with a home of its own, port 0.
//!
//! | room | what it holds |
//! |---|---|
//! | `site` | `Site`, a home whose servers end with it; `Proc`, a process that a test has started |
//! | `output` | what processes write, and how they end |
//! | `client`, `payer` | shared with the tests of the doors |
//! | `table`, `session` | the table of the issue: exit codes and texts |
//! | `strangers`, `truth`, `foreign` | PID files that lie, state files that lie, locks of others |
//! | `documents`, `shapes` | what help and documents promise |
//! | `race` | 200 rounds of two starts at one instant |
//! | all others | one group of tests each |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../e2e/client.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod client;
mod output;
#[path = "../e2e/payer.rs"]
#[expect(dead_code, reason = "the tests of the doors use the rest")]
mod payer;
mod site;

mod admin;
mod documents;
mod ending;
mod foreign;
mod homes;
mod logging;
mod parents;
mod race;
mod reload;
mod restart;
mod services;
mod session;
mod shapes;
mod strangers;
mod table;
mod truth;
mod users;
