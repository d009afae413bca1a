//! What moved in the ledger, until the event that tells of it is recorded.

use alloy_primitives::U256;

use crate::event::PaymentId;
use crate::ledger::AssetId;

/// How many moves wait for their event. A door that never tells of them costs no more memory than this.
const LIMIT: usize = 1024;

/// An amount that moved, or moved back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// In which direction.
    pub direction: Direction,
    /// The asset.
    pub asset: AssetId,
    /// How much, in atomic units.
    pub value: U256,
}

/// In which direction money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the payer.
    Paid,
    /// Back to the payer: the transaction was undone.
    Returned,
}

/// What moved and was not counted yet.
#[derive(Clone, Debug, Default)]
pub struct Moves(Vec<(PaymentId, Move)>);

impl Moves {
    /// Notes that money moved for a payment.
    pub fn note(&mut self, payment: PaymentId, moved: Move) {
        // A payment that nobody named cannot be counted for a purchase.
        if payment == PaymentId::default() {
            return;
        }
        if self.0.len() == LIMIT {
            self.0.remove(0);
        }
        self.0.push((payment, moved));
    }

    /// Whether anything moved for a payment.
    pub fn any(&self, payment: PaymentId) -> bool {
        self.0.iter().any(|(own, _)| *own == payment)
    }

    /// Takes what moved for a payment.
    pub fn take(&mut self, payment: PaymentId) -> Vec<Move> {
        if !self.any(payment) {
            return Vec::new();
        }
        self.0.extract_if(.., |(own, _)| *own == payment).map(|(_, moved)| moved).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_taken_once_and_by_their_payment() {
        let mut moves = Moves::default();
        let one = Move { direction: Direction::Paid, asset: AssetId(1), value: U256::ONE };
        let (a, b) = (PaymentId([1; 8]), PaymentId([2; 8]));
        for payment in [a, b, a, PaymentId::default()] {
            moves.note(payment, one);
        }
        assert_eq!((moves.take(a), moves.take(a)), (vec![one; 2], vec![]));
        assert_eq!(moves.take(b), [one]);
        assert!(moves.0.is_empty());
        for _ in 0..2 * LIMIT {
            moves.note(a, one);
        }
        assert_eq!(moves.take(a).len(), LIMIT);
    }
}
