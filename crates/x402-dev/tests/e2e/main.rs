//! The built binary through its front door: real processes, real sockets, exact bytes.
//!
//! | room | what it holds |
//! |---|---|
//! | `harness` | `Test`, a builder whose guard is a real process; `Finished`, a run that has ended |
//! | `admin` | the admin door and its commands |
//! | `client` | an HTTP client that sends exactly the bytes it is given |
//! | `fault_hand` | faults and the clock, and how connections end |
//! | `payer` | payments, really signed by the test accounts |
//! | all others | one group of tests each |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admin;
mod client;
mod fault_hand;
mod harness;
mod payer;

mod admin_accounts;
mod admin_clock;
mod admin_events;
mod admin_guard;
mod admin_snapshots;
mod config_cli;
mod delivery;
mod facilitator;
mod facilitator_input;
mod facilitator_reasons;
mod fault_cells;
mod fault_presets;
mod fault_rules;
mod invoice;
mod logs;
mod metrics;
mod modes;
mod negotiation;
mod offer;
mod pay_v1;
mod pay_v2;
mod permit2;
mod permit2_faults;
mod pipes;
mod purchases;
mod race;
mod ready;
mod reserved;
mod rpc_cells;
mod rpc_chain;
mod rpc_hand;
mod rpc_input;
mod rpc_socket;
mod sign;
mod sign_input;
mod sockets;
mod solana_faults;
mod solana_pay;
mod solana_sign;
mod targets;
