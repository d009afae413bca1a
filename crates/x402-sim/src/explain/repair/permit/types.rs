//! The domains and types that a permit may have been signed under in place of Permit2's and the scheme's.

use alloy_primitives::{Address, B256, U256, keccak256};

use super::super::fit::types::{Value, hash_struct};
use super::super::fit::{Found, word};
use crate::explain::judge::Bench;
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY};
use crate::networks::eip155::{PERMIT2, checksum};

/// Domains other than Permit2's: of another contract, with a version, with another name, the token's own.
pub(super) fn domains(bench: &Bench, permit: &Permit) -> Vec<(B256, Found)> {
    let chain = word(U256::from(permit.chain_id));
    let hash = |of: &str, words: &[B256]| {
        let mut bytes = keccak256(of).to_vec();
        for word in words {
            bytes.extend(word.as_slice());
        }
        keccak256(bytes)
    };
    let without = |name: &str, contract: Address| {
        let of = "EIP712Domain(string name,uint256 chainId,address verifyingContract)";
        hash(of, &[keccak256(name), chain, contract.into_word()])
    };
    let with = |name: &str, version: &str, contract: Address| {
        let of = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        hash(of, &[keccak256(name), keccak256(version), chain, contract.into_word()])
    };
    let mut all = Vec::new();
    let mut add = |separator: B256, what: String| {
        all.push((separator, Found::new("permit2_domain", "domain", format!("a domain {what}"))));
    };
    let contracts = [
        (permit.token, "the token"),
        (EXACT_PROXY, "the x402 proxy of exact"),
        (UPTO_PROXY, "the x402 proxy of upto"),
        (permit.witness.to, "the payee"),
        (Address::ZERO, "the zero address"),
    ];
    for (contract, name) in contracts {
        let contract_text = checksum(contract);
        let right = checksum(PERMIT2);
        let tail = format!("whose verifyingContract is {contract_text} ({name}), and that of Permit2 is {right}");
        add(without("Permit2", contract), tail.clone());
        for version in ["1", "2"] {
            add(with("Permit2", version, contract), format!("with version \"{version}\", {tail}"));
        }
    }
    for version in ["1", "2", ""] {
        let tail = format!("with version \"{version}\", and that of Permit2 has none");
        add(with("Permit2", version, PERMIT2), tail);
    }
    for name in ["permit2", "Permit 2", "PERMIT2", "Uniswap Permit2", "x402", ""] {
        add(without(name, PERMIT2), format!("with name \"{name}\", and that of Permit2 is \"Permit2\""));
    }
    let own =
        bench.catalog().tokens().iter().find(|own| own.contract == permit.token && own.chain_id == permit.chain_id);
    if let Some(token) = own {
        let (name, version) = (&token.asset.name, &token.asset.version);
        add(token.separator, format!("that is the token's own (\"{name}\", \"{version}\"), and not Permit2's"));
        add(
            with(name, version, PERMIT2),
            format!("with the token's name \"{name}\" and version \"{version}\", and not Permit2's"),
        );
        add(without(name, PERMIT2), format!("with the token's name \"{name}\", and that of Permit2 is \"Permit2\""));
    }
    add(
        hash("EIP712Domain()", &[]),
        "of the type `EIP712Domain()`, without members: a wallet added an empty type".to_owned(),
    );
    all
}

const HEAD: &str = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)";
const PERMISSIONS: &str = "TokenPermissions(address token,uint256 amount)";

/// The types of a scheme.
pub(super) fn scheme_types(is_upto: bool) -> String {
    format!("{HEAD}{PERMISSIONS}{}", witness_of(is_upto))
}

const fn witness_of(is_upto: bool) -> &'static str {
    if is_upto {
        "Witness(address to,address facilitator,uint256 validAfter)"
    } else {
        "Witness(address to,uint256 validAfter)"
    }
}

/// Types that may have been signed in place of the scheme's: without a witness, with other members or another sequence in
/// it, with the types behind the head in another sequence, and permits of another kind.
pub(super) fn other_types(is_upto: bool) -> Vec<String> {
    const WITNESSES: [&str; 19] = [
        "Witness(address to,uint256 validAfter,bytes extra)",
        "Witness(bytes extra,address to,uint256 validAfter)",
        "Witness(uint256 validAfter,address to)",
        "Witness(address to)",
        "Witness(address to,uint validAfter)",
        "Witness(address to,uint64 validAfter)",
        "Witness(address to,uint48 validAfter)",
        "Witness(address payTo,uint256 validAfter)",
        "Witness(address to,uint256 valid_after)",
        "Witness(address facilitator,address to,uint256 validAfter)",
        "Witness(address to,uint256 validAfter,address facilitator)",
        "Witness(address facilitator,uint256 validAfter,address to)",
        "Witness(uint256 validAfter,address to,address facilitator)",
        "Witness(uint256 validAfter,address facilitator,address to)",
        "Witness(address facilitator,uint256 validAfter)",
        "Witness(address to,address facilitator,uint64 validAfter)",
        "Witness(address to,address facilitator,uint validAfter)",
        "Witness(address to,address facilitator)",
        "Witness(address facilitator)",
    ];
    let witness = witness_of(is_upto);
    let mut all = vec![
        format!(
            "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline){PERMISSIONS}"
        ),
        format!("{HEAD}{witness}{PERMISSIONS}"),
        HEAD.to_owned(),
        format!("{HEAD}{PERMISSIONS}"),
        format!(
            "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness){PERMISSIONS}{witness}"
        ),
        format!(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline){PERMISSIONS}"
        ),
        format!(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,{})",
            members_of(witness)
        ),
    ];
    for kind in ["uint", "uint48", "uint64"] {
        let head = HEAD.replace("uint256 deadline", &format!("{kind} deadline"));
        all.push(format!("{head}{PERMISSIONS}{witness}"));
        all.push(format!("{}{PERMISSIONS}{witness}", head.replace("uint256 nonce", &format!("{kind} nonce"))));
    }
    for amount in ["uint160 amount", "uint amount", "uint128 amount", "uint256 value"] {
        all.push(format!("{HEAD}TokenPermissions(address token,{amount}){witness}"));
    }
    all.push(format!("{}{PERMISSIONS}{witness}", HEAD.replace("uint256 nonce", "bytes32 nonce")));
    all.extend(WITNESSES.iter().map(|own| format!("{HEAD}{PERMISSIONS}{own}")));
    // The same witness by another name.
    for name in ["X402Witness", "TransferWitness", "PaymentWitness"] {
        let (head, own) =
            (HEAD.replace("Witness witness", &format!("{name} witness")), witness.replacen("Witness", name, 1));
        all.push(format!("{head}{PERMISSIONS}{own}"));
    }
    all
}

/// The members in a type.
fn members_of(of: &str) -> &str {
    of.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or_default()
}

/// The hash of a permit as a type, with the types that stand behind it.
pub(super) fn hash_as(of: &str, permit: &Permit) -> Option<B256> {
    // What a type does not say, whoever signed it took from somewhere: the SDK's types are the likeliest.
    let part = |name: &str| of.find(&format!("){name}(")).map(|place| &of[place + 1..]);
    let alone = |text: &str| text.split_once(')').map(|(own, _)| format!("{own})"));
    let nested = |name: &str| part(name).and_then(alone);
    hash_struct(of, |name| match name {
        "permitted" => {
            let of = nested("TokenPermissions").unwrap_or_else(|| PERMISSIONS.to_owned());
            Some((hash_struct(&of, |name| value_of(permit, name))?, String::new()))
        }
        "witness" => {
            let named =
                ["Witness", "X402Witness", "TransferWitness", "PaymentWitness"].iter().find_map(|name| nested(name));
            let of = named.unwrap_or_else(|| witness_of(permit.witness.facilitator.is_some()).to_owned());
            Some((hash_struct(&of, |name| value_of(permit, name))?, String::new()))
        }
        name => value_of(permit, name),
    })
}

fn value_of(permit: &Permit, name: &str) -> Option<Value> {
    let number = |number: U256| (word(number), number.to_string());
    let address = |own: Address| (own.into_word(), checksum(own));
    Some(match name {
        "token" => address(permit.token),
        "amount" | "value" => number(permit.amount),
        "spender" => address(permit.spender),
        "nonce" => number(permit.nonce),
        "deadline" => number(permit.deadline),
        "to" | "payTo" => address(permit.witness.to),
        "facilitator" => address(permit.witness.facilitator.unwrap_or_default()),
        "validAfter" | "valid_after" => number(permit.witness.valid_after),
        // Nothing stood in it.
        "extra" => (B256::ZERO, String::new()),
        _ => return None,
    })
}
