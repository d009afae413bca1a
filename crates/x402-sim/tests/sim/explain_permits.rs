//! Permits of Permit2 that were signed otherwise than they are written.

use alloy_primitives::{Address, B256, U256, keccak256};
use serde_json::{Value, json};
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::networks::eip155::permit2::permit::{EXACT_PROXY, Permit, UPTO_PROXY, Witness, separator};
use x402_sim::networks::eip155::{PERMIT2, checksum, parse_address};

use crate::explain_typed::{NOW, USDC, assert_found, digest, domain, hash, payer, requirements, signature, told, word};

/// A sound permit of either scheme.
pub(crate) fn permit(is_upto: bool) -> Permit {
    let facilitator = is_upto.then(|| accounts::facilitator().evm());
    Permit {
        chain_id: 84532,
        token: parse_address(USDC).unwrap(),
        amount: U256::from(10_000),
        spender: if is_upto { UPTO_PROXY } else { EXACT_PROXY },
        nonce: U256::from(77),
        deadline: U256::from(NOW + 300),
        witness: Witness { to: accounts::merchant().evm(), facilitator, valid_after: U256::from(NOW - 600) },
    }
}

/// A permit as it is written.
pub(crate) fn written(own: &Permit, from: Address) -> Value {
    let mut witness = json!({"to": checksum(own.witness.to), "validAfter": own.witness.valid_after.to_string()});
    if let Some(facilitator) = own.witness.facilitator {
        witness["facilitator"] = json!(checksum(facilitator));
    }
    json!({
        "from": checksum(from), "spender": checksum(own.spender), "nonce": own.nonce.to_string(),
        "permitted": {"token": checksum(own.token), "amount": own.amount.to_string()},
        "deadline": own.deadline.to_string(), "witness": witness,
    })
}

/// What a permit is asked for by.
pub(crate) fn asked(is_upto: bool) -> Value {
    let mut asked = requirements(if is_upto { "upto" } else { "exact" });
    asked["extra"]["assetTransferMethod"] = json!("permit2");
    asked
}

/// What is found in a sound permit with the signature of a digest.
fn permit_over(is_upto: bool, digest: B256) -> Explanation {
    let signed = written(&permit(is_upto), payer().evm());
    told(&json!({"signature": signature(digest), "permit2Authorization": signed}), &asked(is_upto))
}

#[test]
fn a_permit_that_was_signed_otherwise_is_found() {
    for is_upto in [false, true] {
        let own = permit(is_upto);
        assert!(permit_over(is_upto, own.digest()).findings.is_empty(), "{:#?}", permit_over(is_upto, own.digest()));
        let thousand = U256::from(1000);
        let witness = own.witness;
        let payer = payer().evm();
        for (other, id, part) in [
            (Permit { deadline: own.deadline * thousand, ..own }, "times_in_milliseconds", "in seconds"),
            (Permit { spender: accounts::facilitator().evm(), ..own }, "permit2_spender", "facilitator"),
            (Permit { spender: PERMIT2, ..own }, "permit2_spender", "the Permit2 contract"),
            (Permit { witness: Witness { to: payer, ..witness }, ..own }, "from_and_to_swapped", "the payer itself"),
            (Permit { chain_id: 8453, ..own }, "wrong_chain_id", "8453"),
            (Permit { amount: U256::ZERO, ..own }, "changed_after_signing", "the amount 0"),
        ] {
            assert_found(&permit_over(is_upto, other.digest()), id, part);
        }
    }
}

#[test]
fn a_permit_under_another_domain_or_of_another_type_is_found() {
    let own = permit(false);
    let here = separator(84532);
    let permissions = "TokenPermissions(address token,uint256 amount)";
    let witness = "Witness(address to,uint256 validAfter)";
    let head = "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)";
    let permitted = hash(permissions, &[own.token.into_word(), own.amount.into()]);
    let witnessed = |of: &str, more: &[B256]| {
        let words = [own.witness.to.into_word(), own.witness.valid_after.into()];
        hash(of, &[&words[..], more].concat())
    };
    let whole = |of: &str, witness: B256| {
        hash(of, &[permitted, own.spender.into_word(), own.nonce.into(), own.deadline.into(), witness])
    };
    let right = whole(&format!("{head}{permissions}{witness}"), witnessed(witness, &[]));
    assert_eq!(digest(here, right), own.digest());
    let plain = "EIP712Domain(string name,uint256 chainId,address verifyingContract)";
    let versioned = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let at = |contract: Address| [word(84532), contract.into_word()];
    let name = keccak256("Permit2");
    for (separator, part) in [
        (hash(plain, &[&[name], &at(own.token)[..]].concat()), "(the token)"),
        (hash(plain, &[&[name], &at(EXACT_PROXY)[..]].concat()), "(the x402 proxy of exact)"),
        (hash(versioned, &[&[name, keccak256("1")], &at(PERMIT2)[..]].concat()), "version \"1\""),
        (domain().separator(), "the token's own"),
        (hash(plain, &[&[keccak256("permit2")], &at(PERMIT2)[..]].concat()), "with name \"permit2\""),
    ] {
        assert_found(&permit_over(false, digest(separator, right)), "permit2_domain", part);
    }
    let bare = format!(
        "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline){permissions}"
    );
    let bare_hash = hash(&bare, &[permitted, own.spender.into_word(), own.nonce.into(), own.deadline.into()]);
    let older = "Witness(address to,uint256 validAfter,bytes extra)";
    let narrow = "Witness(address to,uint64 validAfter)";
    for (message, of) in [
        (bare_hash, bare.clone()),
        (
            whole(&format!("{head}{permissions}{older}"), witnessed(older, &[keccak256([])])),
            format!("{head}{permissions}{older}"),
        ),
        (
            whole(&format!("{head}{permissions}{narrow}"), witnessed(narrow, &[])),
            format!("{head}{permissions}{narrow}"),
        ),
        (
            whole(&format!("{head}{witness}{permissions}"), witnessed(witness, &[])),
            format!("{head}{witness}{permissions}"),
        ),
    ] {
        assert_found(&permit_over(false, digest(here, message)), "permit2_types", &of);
    }
    let personal = keccak256([b"\x19Ethereum Signed Message:\n32".as_slice(), own.digest().as_slice()].concat());
    assert_found(&permit_over(false, personal), "signed_as_message", "personal_sign");
    assert_found(&permit_over(false, keccak256([here, right].concat())), "digest_not_eip712", "without 0x1901");
}

/// Two mistakes of one signer are both named, and a permit that fits nothing costs no more than it may.
#[test]
fn two_mistakes_in_one_permit_are_found() {
    let (two, head) = (
        accounts::facilitator().evm(),
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)",
    );
    for is_upto in [false, true] {
        let own = permit(is_upto);
        let (milliseconds, witness) = (own.deadline * U256::from(1000), own.witness);
        let to_payer = Witness { to: payer().evm(), ..witness };
        for (other, ids) in [
            (Permit { chain_id: 8453, spender: two, ..own }, ["wrong_chain_id", "permit2_spender"]),
            (Permit { chain_id: 1, deadline: milliseconds, ..own }, ["wrong_chain_id", "times_in_milliseconds"]),
            (Permit { deadline: milliseconds, spender: PERMIT2, ..own }, ["permit2_spender", "times_in_milliseconds"]),
            (Permit { witness: to_payer, chain_id: 8453, ..own }, ["wrong_chain_id", "from_and_to_swapped"]),
            (Permit { amount: U256::ZERO, chain_id: 8453, ..own }, ["wrong_chain_id", "changed_after_signing"]),
        ] {
            let told = permit_over(is_upto, other.digest());
            let mut found: Vec<&str> = told.findings.iter().map(|own| own.id).collect();
            found.sort_unstable();
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            assert_eq!(found, ids, "{told:#?}");
            assert!(told.findings.iter().all(x402_sim::explain::Finding::is_proven), "{told:#?}");
        }
        let told = permit_over(is_upto, B256::repeat_byte(7));
        assert_eq!(told.findings[0].id, "signature_unexplained", "{told:#?}");
    }
    // A permit of another type and for another chain; one for the domain of the token and in milliseconds.
    let own = permit(false);
    let permissions = "TokenPermissions(address token,uint256 amount)";
    let (witness, narrow) = ("Witness(address to,uint256 validAfter)", "Witness(address to,uint64 validAfter)");
    let permitted = hash(permissions, &[own.token.into_word(), own.amount.into()]);
    let whole = |witness: &str, deadline: U256| {
        let witnessed = hash(witness, &[own.witness.to.into_word(), own.witness.valid_after.into()]);
        let of = format!("{head}{permissions}{witness}");
        hash(&of, &[permitted, own.spender.into_word(), own.nonce.into(), deadline.into(), witnessed])
    };
    let milliseconds = own.deadline * U256::from(1000);
    for (signed, ids) in [
        (digest(separator(8453), whole(narrow, own.deadline)), ["permit2_types", "wrong_chain_id"]),
        (digest(domain().separator(), whole(witness, milliseconds)), ["permit2_domain", "times_in_milliseconds"]),
    ] {
        let told = permit_over(false, signed);
        assert_eq!(told.findings.iter().map(|own| own.id).collect::<Vec<_>>(), ids, "{told:#?}");
    }
}
