//! The same values under other types: member types, their sequence and their names are all part of what is signed.

use alloy_primitives::{B256, U256, keccak256};

use crate::networks::eip155::checksum;
use crate::networks::eip155::eip712::Authorization;

/// The type that tokens know.
pub(super) const TRANSFER: &str = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";

/// Types of numbers that people write in place of `uint256`: an alias, smaller ones, a signed one, and a text.
const NUMBERS: [&str; 9] = ["uint", "uint64", "uint128", "uint32", "uint48", "uint40", "uint96", "int256", "string"];

/// Types that people write in place of `bytes32` for the nonce.
const NONCES: [&str; 4] = ["uint256", "bytes", "string", "uint"];

/// Members in another sequence than the token's.
const SEQUENCES: [&str; 7] = [
    "address to,address from,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce",
    "address from,address to,uint256 value,uint256 validBefore,uint256 validAfter,bytes32 nonce",
    "address from,address to,uint256 value,bytes32 nonce,uint256 validAfter,uint256 validBefore",
    "bytes32 nonce,address from,address to,uint256 value,uint256 validAfter,uint256 validBefore",
    "uint256 value,address from,address to,uint256 validAfter,uint256 validBefore,bytes32 nonce",
    "address from,bytes32 nonce,address to,uint256 validAfter,uint256 validBefore,uint256 value",
    "address from,uint256 value,address to,uint256 validAfter,uint256 validBefore,bytes32 nonce",
];

/// Members under other names.
const NAMES: [&str; 3] = [
    "address from,address to,uint256 value,uint256 valid_after,uint256 valid_before,bytes32 nonce",
    "address from,address to,uint256 amount,uint256 validAfter,uint256 validBefore,bytes32 nonce",
    "address from,address payTo,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce",
];

/// Other types of tokens, and names that the right one is given.
const PRIMARIES: [&str; 8] = [
    "ReceiveWithAuthorization",
    "transferWithAuthorization",
    "TransferAuthorization",
    "Authorization",
    "Transfer",
    "Payment",
    "PaymentAuthorization",
    "Message",
];

/// Types of tokens that are for something else than a transfer.
const OTHERS: [&str; 2] = [
    "CancelAuthorization(address authorizer,bytes32 nonce)",
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
];

/// A value as its word and as a text.
pub(in crate::explain::repair) type Value = (B256, String);

/// The hash of a struct: of its type, and of the values of its members. Types that it refers to stand behind it.
pub(in crate::explain::repair) fn hash_struct(of: &str, value: impl Fn(&str) -> Option<Value>) -> Option<B256> {
    let (_, rest) = of.split_once('(')?;
    let (members, _) = rest.split_once(')')?;
    let mut bytes = keccak256(of).to_vec();
    for member in members.split(',') {
        let (kind, name) = member.split_once(' ')?;
        let (word, text) = value(name)?;
        let word = match kind {
            "string" => keccak256(text),
            // A byte string without bytes has no text.
            "bytes" if text.is_empty() => keccak256([]),
            "bytes" => keccak256(word),
            _ => word,
        };
        bytes.extend_from_slice(word.as_slice());
    }
    Some(keccak256(bytes))
}

/// The members of an authorization by every name that they are given.
fn value_of(own: &Authorization, name: &str) -> Option<Value> {
    let number = |number: U256| (super::word(number), number.to_string());
    Some(match name {
        "from" | "authorizer" | "owner" => (own.from.into_word(), checksum(own.from)),
        "to" | "payTo" | "spender" => (own.to.into_word(), checksum(own.to)),
        "value" | "amount" => number(own.value),
        "validAfter" | "valid_after" => number(own.valid_after),
        "validBefore" | "valid_before" | "deadline" => number(own.valid_before),
        "nonce" => (own.nonce, own.nonce.to_string()),
        _ => return None,
    })
}

/// The hash of an authorization as a type.
pub(super) fn hash_as(of: &str, own: &Authorization) -> Option<B256> {
    hash_struct(of, |name| value_of(own, name))
}

/// The hash of an authorization as the token takes it.
pub(super) fn authorization_hash(own: &Authorization) -> B256 {
    hash_as(TRANSFER, own).unwrap_or_default()
}

/// A type that may have been signed in place of the token's, and whether it is another struct altogether.
pub(super) struct Other {
    pub(super) of: String,
    pub(super) is_primary: bool,
    pub(super) likely: bool,
}

/// The types that may have been signed, the likeliest first.
pub(super) fn others() -> Vec<Other> {
    let (_, members) = TRANSFER.split_once('(').unwrap_or_default();
    let renamed = PRIMARIES.iter().map(|name| (format!("{name}({members}"), true, *name == PRIMARIES[0]));
    let mut all: Vec<_> = renamed.collect();
    let with = |value: &str, after: &str, before: &str, nonce: &str| {
        format!(
            "TransferWithAuthorization(address from,address to,{value} value,{after} validAfter,{before} validBefore,{nonce} nonce)"
        )
    };
    let whole = "uint256";
    for kind in NUMBERS {
        let likely = kind == NUMBERS[0] || kind == NUMBERS[1];
        all.push((with(whole, kind, kind, "bytes32"), false, likely));
        all.push((with(kind, whole, whole, "bytes32"), false, likely));
        all.push((with(kind, kind, kind, "bytes32"), false, likely));
        all.push((with(whole, kind, whole, "bytes32"), false, false));
        all.push((with(whole, whole, kind, "bytes32"), false, false));
    }
    for nonce in NONCES {
        all.push((with(whole, whole, whole, nonce), false, nonce == NONCES[0]));
        for kind in &NUMBERS[..4] {
            all.push((with(whole, kind, kind, nonce), false, false));
            all.push((with(kind, kind, kind, nonce), false, false));
        }
    }
    let texts = members.replace("address ", "string ");
    all.push((format!("TransferWithAuthorization({texts}"), false, false));
    let listed = SEQUENCES.iter().chain(&NAMES);
    all.extend(listed.map(|members| (format!("TransferWithAuthorization({members})"), false, false)));
    all.extend(OTHERS.iter().map(|of| ((*of).to_owned(), true, false)));
    all.into_iter().map(|(of, is_primary, likely)| Other { of, is_primary, likely }).collect()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, b256};

    use super::*;
    use crate::networks::eip155::permit2::permit::typed;

    #[test]
    fn the_type_of_the_token_gives_the_digest_of_the_token() {
        let own = Authorization {
            from: Address::repeat_byte(1),
            to: Address::repeat_byte(2),
            value: U256::from(3),
            valid_after: U256::from(4),
            valid_before: U256::from(5),
            nonce: B256::repeat_byte(6),
        };
        let separator = b256!("02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f");
        assert_eq!(typed(separator, authorization_hash(&own)), own.digest(separator));
    }

    #[test]
    fn every_type_can_be_hashed_and_is_tried_once() {
        let own = Authorization {
            from: Address::ZERO,
            to: Address::ZERO,
            value: U256::ZERO,
            valid_after: U256::ZERO,
            valid_before: U256::ZERO,
            nonce: B256::ZERO,
        };
        let all = others();
        for (place, other) in all.iter().enumerate() {
            assert!(hash_as(&other.of, &own).is_some(), "{}", other.of);
            assert!(all[..place].iter().all(|own| own.of != other.of), "{}", other.of);
            assert_ne!(other.of, TRANSFER);
        }
        assert!((80..140).contains(&all.len()), "{}", all.len());
    }
}
