//! What a payer signs for the Permit2 contract: a permit with a witness, whose digest binds payee and time as well.
//!
//! Source: TS 2.27 evm `constants.ts` (types, addresses), the deployed Permit2 and x402 proxies.

use std::cell::Cell;
use std::sync::LazyLock;

use alloy_primitives::{Address, B256, U256, address, keccak256};
use serde::{Deserialize, Serialize};

use crate::ledger::{Once, text};
use crate::networks::eip155::PERMIT2;

/// The proxy of `exact`: it moves the permitted amount, and nothing else.
pub const EXACT_PROXY: Address = address!("402085c248EeA27D92E8b30b2C58ed07f9E20001");

/// The proxy of `upto`: it moves what the signed facilitator says, up to the permitted amount.
pub const UPTO_PROXY: Address = address!("4020A4f3b7b90ccA423B9fabCc0CE57C6C240002");

/// A `PermitWitnessTransferFrom` for one of the x402 proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// The chain.
    pub chain_id: u64,
    /// The token's contract.
    #[serde(with = "text::address")]
    pub token: Address,
    /// How much may be moved at most, in atomic units.
    #[serde(with = "text::atomic")]
    pub amount: U256,
    /// Who may move it.
    #[serde(with = "text::address")]
    pub spender: Address,
    /// A number used once by the owner.
    #[serde(with = "text::atomic")]
    pub nonce: U256,
    /// Valid until this second.
    #[serde(with = "text::atomic")]
    pub deadline: U256,
    /// What else the owner signs.
    pub witness: Witness,
}

/// The witness of a permit. With a facilitator it is that of `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Who is paid.
    #[serde(with = "text::address")]
    pub to: Address,
    /// Who may say how much moves; only in `upto`.
    #[serde(with = "text::optional_address", default)]
    pub facilitator: Option<Address>,
    /// Valid from this second on.
    #[serde(with = "text::atomic")]
    pub valid_after: U256,
}

impl Permit {
    /// The digest that the owner signs.
    pub fn digest(&self) -> B256 {
        let permitted = hash_words(&[TYPES.permissions, self.token.into_word(), self.amount.into()]);
        let (type_hash, witness) = match self.witness.facilitator {
            None => (
                TYPES.exact,
                hash_words(&[TYPES.exact_witness, self.witness.to.into_word(), self.witness.valid_after.into()]),
            ),
            Some(facilitator) => {
                let (to, facilitator) = (self.witness.to.into_word(), facilitator.into_word());
                (TYPES.upto, hash_words(&[TYPES.upto_witness, to, facilitator, self.witness.valid_after.into()]))
            }
        };
        let (spender, nonce, deadline) = (self.spender.into_word(), self.nonce.into(), self.deadline.into());
        let message = hash_words(&[type_hash, permitted, spender, nonce, deadline, witness]);
        typed(separator(self.chain_id), message)
    }

    /// Its nonce, as something that its owner can use once.
    pub fn once(&self, owner: Address) -> Once {
        Once::Permit2 { chain: self.chain_id, owner: owner.into(), nonce: self.nonce }
    }
}

/// The domain separator of the Permit2 contract on a chain. It has no version.
pub fn separator(chain_id: u64) -> B256 {
    thread_local! {
        /// The last one: a server asks for the same again and again.
        static LAST: Cell<Option<(u64, B256)>> = const { Cell::new(None) };
    }
    if let Some((_, separator)) = LAST.get().filter(|(chain, _)| *chain == chain_id) {
        return separator;
    }
    let separator = hash_words(&[TYPES.domain, TYPES.name, U256::from(chain_id).into(), PERMIT2.into_word()]);
    LAST.set(Some((chain_id, separator)));
    separator
}

/// The digest of typed data.
pub fn typed(separator: B256, message: B256) -> B256 {
    let mut preimage = [0; 66];
    preimage[0] = 0x19;
    preimage[1] = 0x01;
    preimage[2..34].copy_from_slice(separator.as_slice());
    preimage[34..].copy_from_slice(message.as_slice());
    keccak256(preimage)
}

/// The hashes of the types.
struct Types {
    domain: B256,
    name: B256,
    permissions: B256,
    exact: B256,
    exact_witness: B256,
    upto: B256,
    upto_witness: B256,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let permissions = "TokenPermissions(address token,uint256 amount)";
    let exact_witness = "Witness(address to,uint256 validAfter)";
    let upto_witness = "Witness(address to,address facilitator,uint256 validAfter)";
    let permit = |witness: &str| {
        let head = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,\
                    uint256 deadline,Witness witness)";
        keccak256(format!("{head}{permissions}{witness}"))
    };
    Types {
        domain: keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
        name: keccak256("Permit2"),
        permissions: keccak256(permissions),
        exact: permit(exact_witness),
        exact_witness: keccak256(exact_witness),
        upto: permit(upto_witness),
        upto_witness: keccak256(upto_witness),
    }
});

/// The hash of 32-byte words, one after the other.
fn hash_words(words: &[B256]) -> B256 {
    let mut bytes = [0; 6 * 32];
    for (place, word) in bytes.chunks_exact_mut(32).zip(words) {
        place.copy_from_slice(word.as_slice());
    }
    keccak256(&bytes[..32 * words.len()])
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{b256, hex};

    use super::*;
    use crate::networks::eip155::secp;

    fn golden(spender: Address, facilitator: Option<Address>) -> Permit {
        Permit {
            chain_id: 84532,
            token: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
            amount: U256::from(1000),
            spender,
            nonce: U256::from(7),
            deadline: U256::from(2_000_000_000),
            witness: Witness {
                to: address!("209693Bc6afc0C5328bA36FaF03C514EF312287C"),
                facilitator,
                valid_after: U256::ZERO,
            },
        }
    }

    /// The golden vectors that the official SDK and viem made with the key 0x11.
    #[test]
    fn the_golden_vectors_have_these_digests_and_signatures() {
        let facilitator = address!("1563915e194D8CfBA1943570603F7606A3115508");
        for (permit, digest, signature) in [
            (
                golden(EXACT_PROXY, None),
                b256!("f9b097abd96782a0c204f1737f8b9e3b94d241d965d9cff619df5f764fa68c3c"),
                hex!(
                    "1189901be3257edaf21fecca736395d1e0a5e86b8466eb63ae03ef46cad5da3a"
                    "4410113e471bedcacd197175dd5e44e399588f05073b3bbeab529c6967d98d96"
                ),
            ),
            (
                golden(UPTO_PROXY, Some(facilitator)),
                b256!("508c8d3303b72e3155c8ee9ee44471cfa42ded9da6aba2be56afdece6b9cb2b6"),
                hex!(
                    "362c2165d9393a4231c978d8d21e9add862a091fee32c88956a56337629deef6"
                    "2d9eadd449b12e6ed5b07876b83db263687930044db3d3cd6e8cb0236160aded"
                ),
            ),
        ] {
            assert_eq!(permit.digest(), digest);
            assert_eq!(secp::sign(digest, &[0x11; 32]), (signature, 0));
        }
    }
}
