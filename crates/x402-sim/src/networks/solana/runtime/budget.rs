//! Compute units and fees.
//!
//! Source: agave `compute-budget-instruction`, the Compute Budget program's layout: 1 heap, 2 limit, 3 price, 4 loaded data.

use super::failure::{Failure, Wrong};
use crate::networks::solana::message::Instruction;
use crate::networks::solana::program::{self, Run};

/// What a signature costs, in lamports.
pub const LAMPORTS_PER_SIGNATURE: u64 = 5_000;
/// What an instruction may compute unless the transaction says more.
const UNITS_PER_INSTRUCTION: u64 = 200_000;
/// The most that a transaction may compute.
pub const MAX_UNITS: u64 = 1_400_000;

/// What an instruction computes, in units: about what the deployed programs use.
pub fn cost(instruction: &Instruction) -> u64 {
    let Some(program) = program::find(instruction.program) else { return 0 };
    let length = u64::try_from(instruction.data.len()).unwrap_or(u64::MAX);
    let signers = u64::try_from(instruction.accounts.len()).unwrap_or(u64::MAX);
    match (program.run, instruction.data.first()) {
        (Run::System | Run::Budget, _) => 150,
        (Run::Nothing, _) => 1_500,
        (Run::Token, Some(3)) => 4_645,
        (Run::Token, Some(7 | 14)) => 4_538,
        (Run::Token, _) if program.id == program::TOKEN_2022 => 7_700,
        (Run::Token, _) => 6_200,
        (Run::Associated, _) => 20_500,
        (Run::Memo, _) => {
            1_400_u64.saturating_add(length.saturating_mul(12)).saturating_add(signers.saturating_mul(12_000))
        }
    }
}

/// What a transaction may compute, and what it pays for a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In units.
    pub limit: u64,
    /// In millionths of a lamport for each unit.
    pub price: u64,
}

impl Budget {
    /// Reads the instructions of the compute budget.
    ///
    /// # Errors
    ///
    /// One that cannot be read, or the second one for the same thing.
    pub fn read(instructions: &[Instruction]) -> Result<Self, Failure> {
        let (mut limit, mut price, mut seen) = (None, 0, [false; 5]);
        for (place, instruction) in instructions.iter().enumerate() {
            if instruction.program != program::COMPUTE_BUDGET {
                continue;
            }
            let data = instruction.data.as_slice();
            let kind = data.first().copied().unwrap_or_default();
            let wrong = || Wrong::Data.because("no instruction of the compute budget").at(place);
            match (kind, data.get(1..).unwrap_or_default()) {
                (1 | 4, [_, _, _, _]) => {}
                (2, &[a, b, c, d]) => limit = Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
                (3, rest) => price = u64::from_le_bytes(rest.try_into().map_err(|_| wrong())?),
                _ => return Err(wrong()),
            }
            if std::mem::replace(&mut seen[usize::from(kind)], true) {
                return Err(Wrong::Duplicate.because("the compute budget is told the same thing twice").at(place));
            }
        }
        let others = instructions.iter().filter(|instruction| instruction.program != program::COMPUTE_BUDGET).count();
        let usual = UNITS_PER_INSTRUCTION.saturating_mul(u64::try_from(others).unwrap_or(u64::MAX));
        Ok(Self { limit: limit.unwrap_or(usual).min(MAX_UNITS), price })
    }

    /// The fee in lamports: for signatures, and for the units that may be computed.
    pub fn fee(&self, signatures: u64) -> u64 {
        let extra = u128::from(self.limit) * u128::from(self.price);
        let extra = u64::try_from(extra.div_ceil(1_000_000)).unwrap_or(u64::MAX);
        signatures.saturating_mul(LAMPORTS_PER_SIGNATURE).saturating_add(extra)
    }
}
