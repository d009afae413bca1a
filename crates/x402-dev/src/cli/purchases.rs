//! `x402-dev purchases` and `assert`.

use clap::Args;

use super::door::DoorArgs;

/// The flags of `purchases`.
#[derive(Debug, Args)]
pub struct PurchasesArgs {
    /// One purchase with its events: `last`, or an id.
    pub purchase: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
}

/// The flags of `assert`.
#[derive(Debug, Args)]
pub struct AssertArgs {
    /// What must hold: `settlements == 1 and verdict == "clean"`.
    ///
    /// Counts: attempts, authorizations, verifies, settlements, undone, pending, refused, faults, deliveries.
    /// An amount: moved (`moved == $0.01`, `moved <= "0.02 USDC"`).
    /// Texts: verdict, delivery, grouping, seen, payer, resource, name.
    #[arg(verbatim_doc_comment)]
    pub expression: String,
    /// Of which purchase: `last`, an id, or `all` that are kept.
    #[arg(long, value_name = "PURCHASE", default_value = "last")]
    pub purchase: String,
    /// Which server.
    #[command(flatten)]
    pub door: DoorArgs,
}
