//! Signing, and recovering the signer: the two costs below which no payment can be.

use alloy_primitives::{B256, keccak256};
use x402_sim::networks::eip155::secp;

/// A digest and what one key signed over it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    digest: B256,
    compact: [u8; 64],
    parity: u8,
}

impl Signature {
    /// So many signatures over different digests.
    pub(crate) fn some(count: u32) -> Vec<Self> {
        digests(count).into_iter().map(Self::over).collect()
    }

    /// Signs.
    pub(crate) fn over(digest: B256) -> Self {
        let (compact, parity) = secp::sign(digest, &keccak256("the signer").0);
        Self { digest, compact, parity }
    }

    /// Recovers the signer's address: the costliest step of a verification.
    pub(crate) fn recover(&self) -> Option<alloy_primitives::Address> {
        secp::recover(self.digest, &self.compact, self.parity)
    }
}

/// So many digests.
pub(crate) fn digests(count: u32) -> Vec<B256> {
    (0..count).map(|number| keccak256(number.to_be_bytes())).collect()
}
