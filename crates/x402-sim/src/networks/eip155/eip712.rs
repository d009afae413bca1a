//! Typed data: domains and digests of EIP-712.

use alloy_primitives::{Address, B256, U256, keccak256};

/// What a token's signatures are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain<'a> {
    /// The token's `name()`.
    pub name: &'a str,
    /// The token's `version()`.
    pub version: &'a str,
    /// The chain.
    pub chain_id: u64,
    /// The token's address.
    pub contract: Address,
}

/// The message of EIP-3009's `TransferWithAuthorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// How much, in atomic units.
    pub value: U256,
    /// Valid only after this second.
    pub valid_after: U256,
    /// Valid only before this second.
    pub valid_before: U256,
    /// A number used once by `from`.
    pub nonce: B256,
}

impl Domain<'_> {
    /// The domain separator.
    pub fn separator(&self) -> B256 {
        hash_words([
            DOMAIN_TYPE_HASH,
            keccak256(self.name),
            keccak256(self.version),
            B256::from(U256::from(self.chain_id)),
            self.contract.into_word(),
        ])
    }
}

impl Authorization {
    /// The digest that the payer signs.
    pub fn digest(&self, separator: B256) -> B256 {
        let message = hash_words([
            TYPE_HASH,
            self.from.into_word(),
            self.to.into_word(),
            self.value.into(),
            self.valid_after.into(),
            self.valid_before.into(),
            self.nonce,
        ]);
        let mut preimage = [0; 66];
        preimage[0] = 0x19;
        preimage[1] = 0x01;
        preimage[2..34].copy_from_slice(separator.as_slice());
        preimage[34..].copy_from_slice(message.as_slice());
        keccak256(preimage)
    }
}

/// The hash of `EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)`.
const DOMAIN_TYPE_HASH: B256 =
    alloy_primitives::b256!("8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");

/// The hash of the message's type, as the deployed tokens hold it in `TRANSFER_WITH_AUTHORIZATION_TYPEHASH`.
const TYPE_HASH: B256 = alloy_primitives::b256!("7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267");

/// The hash of 32-byte words, one after the other.
fn hash_words<const N: usize>(words: [B256; N]) -> B256 {
    let bytes: [[u8; 32]; N] = words.map(|word| word.0);
    keccak256(bytes.as_flattened())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, b256};

    use super::*;
    use crate::networks::eip155::secp;

    #[test]
    fn the_type_hashes_are_the_hashes_of_the_types() {
        let text = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,\
                    uint256 validBefore,bytes32 nonce)";
        assert_eq!(keccak256(text), TYPE_HASH);
        let domain = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        assert_eq!(keccak256(domain), DOMAIN_TYPE_HASH);
    }

    /// The golden vector that the official SDK and viem made.
    #[test]
    fn the_golden_vector_has_this_digest_and_this_signature() {
        let domain = Domain {
            name: "USDC",
            version: "2",
            chain_id: 84532,
            contract: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        };
        let authorization = Authorization {
            from: address!("19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"),
            to: address!("209693Bc6afc0C5328bA36FaF03C514EF312287C"),
            value: U256::from(1000),
            valid_after: U256::ZERO,
            valid_before: U256::from(2_000_000_000),
            nonce: B256::repeat_byte(0xab),
        };
        let digest = authorization.digest(domain.separator());
        assert_eq!(digest, b256!("7590bdc769d938437fa5a6a8bb58d62ce68fed6a4ce9fe075fa24cb45f1cb4e0"));
        let (compact, parity) = secp::sign(digest, &[0x11; 32]);
        assert_eq!(
            alloy_primitives::hex::encode(compact),
            "cae8ac94c429d67dfe487cb002be6a2fea21c98160360242e9e94848abcde0eb\
             56b2e00767a96d4d65a43a3f0b83eda20a037793d4d2b2f94dddcd1f8a704798"
        );
        assert_eq!(parity, 0);
        assert_eq!(secp::recover(digest, &compact, parity), Some(authorization.from));
    }
}
