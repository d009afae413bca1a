//! The simulation, from its front door: recorded official answers, properties, the registry, explanations.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and prints its census"
)]

mod departures;
mod differential;
mod explain;
mod explain_accidents;
mod explain_bodies;
mod explain_causes;
mod explain_charges;
mod explain_drawn;
mod explain_encoded;
mod explain_errors;
mod explain_evidence;
mod explain_fuzz;
mod explain_generated;
mod explain_kinds;
mod explain_made;
mod explain_permits;
mod explain_rewritten;
mod explain_signatures;
mod explain_slips;
mod explain_solana;
mod explain_transactions;
mod explain_typed;
mod explain_windows;
mod faults;
mod payment;
mod permit2;
mod properties;
mod purchases;
mod registry;
mod snapshots;
mod solana;
mod solana_answers;
mod solana_differential;
mod solana_money;
mod solana_rpc;
