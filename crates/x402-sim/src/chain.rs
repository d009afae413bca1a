//! A read-only state of the world, cheap to take: what checks may look at.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::ledger::View;

/// The catalog and one state of the ledger.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The enabled networks and their tokens.
    pub catalog: Arc<Catalog>,
    /// The ledger as it was when the state was taken.
    pub view: View,
    /// By how much the world's time is ahead of real time, in milliseconds; negative where it is behind. No verdict
    /// depends on it: it is told to whoever signs with another clock.
    pub skew: i64,
}
