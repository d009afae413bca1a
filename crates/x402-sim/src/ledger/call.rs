//! What a transaction called, beside the facilitator's own `transferWithAuthorization`: what the ledger keeps of each kind.

use std::hash::{DefaultHasher, Hash, Hasher};

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use super::text;
use crate::networks::eip155::permit2::Permit;
use crate::networks::eip155::permit2::permit::Witness;
use crate::networks::eip155::signature::Ecdsa;
use crate::networks::solana;

/// What a transaction called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a call is kept behind a pointer, whichever it is")]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// The facilitator called a proxy's `settle`: which one follows from the permit's witness.
    Permit2 {
        /// What the payer signed.
        permit: Permit,
        /// The payer's signature.
        #[serde(with = "text::signature")]
        signature: Ecdsa,
    },
    /// A transaction that somebody signed and sent to an `eip155` chain by its JSON-RPC.
    Raw {
        /// The chain id.
        chain: u64,
        /// Who signed it.
        #[serde(with = "text::address")]
        sender: Address,
        /// Its hash.
        #[serde(with = "text::word")]
        hash: B256,
        /// Whether it reverted: then it changed nothing but its sender's nonce.
        reverted: bool,
    },
    /// A transaction on Solana, whoever sent it.
    Svm {
        /// The cluster's CAIP-2 id.
        network: String,
        /// Its bytes, signatures and all.
        #[serde(with = "text::bytes")]
        wire: Vec<u8>,
        /// Whether this world's facilitator sent it, which refuses it again for a while.
        settled: bool,
        /// The error as a node says it, where it failed: then it changed nothing but what its fee payer has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<serde_json::Value>,
    },
}

impl Call {
    /// Whether this world's facilitator made it.
    pub(crate) const fn is_settlement(&self) -> bool {
        !matches!(self, Self::Raw { .. } | Self::Svm { settled: false, .. })
    }

    /// Whether the answer to its settlement says the amount: only `upto`'s does.
    pub(crate) const fn says_its_amount(&self) -> bool {
        matches!(self, Self::Permit2 { permit, .. } if permit.witness.facilitator.is_some())
    }

    /// The name of a transaction that says it itself: those that others signed, and all on Solana.
    pub(crate) fn own_name(&self) -> Option<B256> {
        match self {
            Self::Raw { hash, .. } => Some(*hash),
            Self::Svm { wire, .. } => solana::signature(wire)?.first_chunk().map(|half: &[u8; 32]| B256::from(*half)),
            Self::Permit2 { .. } => None,
        }
    }

    /// The same as people and answers write it, where it is no hash.
    pub(crate) fn own_text(&self) -> Option<String> {
        match self {
            Self::Svm { wire, .. } => {
                Some(solana::signature(wire).map(|signature| solana::signature_text(&signature)).unwrap_or_default())
            }
            Self::Permit2 { .. } | Self::Raw { .. } => None,
        }
    }

    /// Feeds all that its transaction is made of and that an entry does not say.
    pub(crate) fn fingerprint(&self, hasher: &mut DefaultHasher) {
        match self {
            Self::Permit2 { permit, signature } => {
                let Permit { chain_id, token, amount, spender, nonce, deadline, witness } = permit;
                let Witness { to, facilitator, valid_after } = witness;
                (chain_id, to, facilitator, valid_after.as_limbs()).hash(hasher);
                let (numbers, nonce) = ([amount, deadline, valid_after], B256::from(*nonce));
                hash_words([token, spender], numbers, nonce, &signature.bytes(), hasher);
            }
            Self::Raw { hash, .. } => hash.hash(hasher),
            // The signature is of all that the transaction holds.
            Self::Svm { network, wire, .. } => (network, solana::signature(wire)).hash(hasher),
        }
    }
}

/// Everything in one piece: a hasher is slow at many small ones.
pub(crate) fn hash_words(
    addresses: [&Address; 2],
    numbers: [&U256; 3],
    nonce: B256,
    signature: &[u8; 65],
    hasher: &mut DefaultHasher,
) {
    let mut bytes = [0; 2 * 20 + 3 * 32 + 32 + 65];
    let mut rest = bytes.as_mut_slice();
    let mut put = |piece: &[u8]| {
        let (place, behind) = std::mem::take(&mut rest).split_at_mut(piece.len());
        place.copy_from_slice(piece);
        rest = behind;
    };
    for address in addresses {
        put(address.as_slice());
    }
    for number in numbers {
        put(number.as_le_slice());
    }
    put(nonce.as_slice());
    put(signature);
    hasher.write(&bytes);
}
