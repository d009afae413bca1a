//! The transactions of the facilitator's account: EIP-1559, really encoded, signed and hashed.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::{Encodable, Header};

use super::eip712::Authorization;
use super::permit2::Permit;
use super::secp;
use super::signature::Ecdsa;

/// `transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)`.
const TRANSFER_WITH_AUTHORIZATION: [u8; 4] = [0xe3, 0xee, 0x16, 0x0e];

/// `settle(((address,uint256),uint256,uint256),address,(address,uint256),bytes)` of the proxy of `exact`.
const SETTLE_EXACT: [u8; 4] = [0x13, 0xcd, 0x3b, 0x53];

/// `settle(((address,uint256),uint256,uint256),uint256,address,(address,address,uint256),bytes)` of the proxy of `upto`.
const SETTLE_UPTO: [u8; 4] = [0xff, 0x11, 0xe7, 0xb4];

/// What the facilitator offers for gas, in wei: 1 gwei, and 0.001 gwei of it as the tip.
const MAX_FEE_PER_GAS: u64 = 1_000_000_000;
const MAX_PRIORITY_FEE_PER_GAS: u64 = 1_000_000;

/// The gas limit of a settlement: what a deployed token uses for one, with room.
const GAS_LIMIT: u64 = 120_000;

/// At most so many bytes stand beside the calldata, the signature's among them.
const BESIDE: usize = 160;

/// A transaction before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The chain.
    pub chain_id: u64,
    /// How many transactions the sender has made before on this chain.
    pub nonce: u64,
    /// The contract.
    pub to: Address,
    /// The calldata.
    pub input: Bytes,
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The bytes that `eth_sendRawTransaction` takes.
    pub raw: Bytes,
    /// Its hash.
    pub hash: B256,
}

/// The calldata of the `v, r, s` overload of `transferWithAuthorization`.
pub fn transfer_calldata(authorization: &Authorization, signature: &Ecdsa) -> Bytes {
    let mut data = Vec::with_capacity(4 + 9 * 32);
    data.extend_from_slice(&TRANSFER_WITH_AUTHORIZATION);
    let Authorization { from, to, value, valid_after, valid_before, nonce } = authorization;
    let numbers = [value, valid_after, valid_before].map(|number| B256::from(*number));
    let v = B256::from(U256::from(signature.v));
    for word in [from.into_word(), to.into_word(), numbers[0], numbers[1], numbers[2], *nonce, v] {
        data.extend_from_slice(word.as_slice());
    }
    data.extend_from_slice(&signature.compact);
    data.into()
}

/// The calldata of a proxy's `settle`; that of `upto` says the amount.
pub fn settle_calldata(permit: &Permit, amount: U256, owner: Address, signature: &Ecdsa) -> Bytes {
    let Permit { token, amount: permitted, nonce, deadline, witness, .. } = *permit;
    let number = B256::from;
    let mut words = vec![token.into_word(), number(permitted), number(nonce), number(deadline)];
    let selector = if let Some(facilitator) = witness.facilitator {
        words.extend([number(amount), owner.into_word(), witness.to.into_word(), facilitator.into_word()]);
        SETTLE_UPTO
    } else {
        words.extend([owner.into_word(), witness.to.into_word()]);
        SETTLE_EXACT
    };
    words.push(number(witness.valid_after));
    // The signature stands behind the other arguments and its own place.
    words.push(number(U256::from(32 * (words.len() + 1))));
    words.push(number(U256::from(65)));
    let mut data = Vec::with_capacity(4 + 32 * (words.len() + 3));
    data.extend_from_slice(&selector);
    for word in &words {
        data.extend_from_slice(word.as_slice());
    }
    data.extend_from_slice(&signature.bytes());
    data.extend_from_slice(&[0; 31]);
    data.into()
}

impl Transaction {
    /// Signs with the facilitator's key.
    pub fn sign(&self, key: &[u8; 32]) -> Signed {
        let fields = self.fields();
        let unsigned = envelope(&fields);
        let (compact, parity) = secp::sign(keccak256(&unsigned), key);
        let mut signed = fields;
        parity.encode(&mut signed);
        U256::from_be_slice(&compact[..32]).encode(&mut signed);
        U256::from_be_slice(&compact[32..]).encode(&mut signed);
        let raw = envelope(&signed);
        Signed { hash: keccak256(&raw), raw: raw.into() }
    }

    /// The members of the transaction, without the list's header.
    fn fields(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.input.len() + BESIDE);
        self.chain_id.encode(&mut out);
        self.nonce.encode(&mut out);
        MAX_PRIORITY_FEE_PER_GAS.encode(&mut out);
        MAX_FEE_PER_GAS.encode(&mut out);
        GAS_LIMIT.encode(&mut out);
        self.to.as_slice().encode(&mut out);
        0u8.encode(&mut out);
        self.input.as_ref().encode(&mut out);
        encode_list(&[], &mut out);
        out
    }
}

/// The type of the transaction before its list.
fn envelope(fields: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(fields.len() + 8);
    out.push(0x02);
    encode_list(fields, &mut out);
    out
}

fn encode_list(payload: &[u8], out: &mut Vec<u8>) {
    Header { list: true, payload_length: payload.len() }.encode(out);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, b256, hex};

    use super::*;
    use crate::networks::eip155::permit2::permit::{EXACT_PROXY, UPTO_PROXY, Witness};

    /// Made with viem's `signTransaction` by the key 0x22.
    #[test]
    fn encoding_and_hash_are_those_of_an_ethereum_library() {
        let transaction = Transaction {
            chain_id: 84532,
            nonce: 7,
            to: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
            input: Bytes::from_static(&[0xe3, 0xee, 0x16, 0x0e, 0x00]),
        };
        let signed = transaction.sign(&[0x22; 32]);
        assert_eq!(hex::encode(&signed.raw), RAW);
        assert_eq!(hex::encode(signed.hash), HASH);
    }

    /// The hashes are of what viem's `encodeFunctionData` makes with the official ABIs.
    #[test]
    fn settlements_by_permit2_are_encoded_as_by_the_official_abis() {
        let witness = Witness {
            to: address!("209693Bc6afc0C5328bA36FaF03C514EF312287C"),
            facilitator: None,
            valid_after: U256::ZERO,
        };
        let exact = Permit {
            chain_id: 84532,
            token: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
            amount: U256::from(1000),
            spender: EXACT_PROXY,
            nonce: U256::from(7),
            deadline: U256::from(2_000_000_000),
            witness,
        };
        let facilitator = Some(address!("1563915e194D8CfBA1943570603F7606A3115508"));
        let upto = Permit { witness: Witness { facilitator, ..witness }, spender: UPTO_PROXY, ..exact };
        let owner = address!("19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");
        let signature = Ecdsa::from_bytes(&[0xab; 65]);
        for (permit, expected) in [
            (exact, b256!("8fa22c3bb61ab8f33c4aaadb4fa6cd7ccd74855969644ba05b7abca6693783c3")),
            (upto, b256!("e18cf1cb64f59ddbc32d6420439ac18b4143983c7c1256b9bde72d50d22419fa")),
        ] {
            assert_eq!(keccak256(settle_calldata(&permit, U256::from(500), owner, &signature)), expected);
        }
    }

    const RAW: &str = "02f87283014a3407830f4240843b9aca008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e8085e3ee160e\
        00c080a0121f741173ca926a91008d96c48718b40981432ff836a2cd417839329512e9b8a029d67f5f4bea6d41ed8149\
        5a5356eb8cb4037b0043ab80cda9b7972c4ce9e480";
    const HASH: &str = "7a36136aa0bd94546402648a90751b93dac645db9b3da784d9f04ed39f9c1db8";
}
