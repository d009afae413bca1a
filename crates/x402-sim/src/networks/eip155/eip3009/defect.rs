//! The named defects of a payment: what each breaks, and what a facilitator and a paid resource say of it.
//!
//! One table. The end-to-end tests sign with every row and send it to a running server, in both protocol versions.

use alloy_primitives::{Address, B256, U256, address, hex};
use x402_wire::document::Document;

use super::draft::Draft;
use super::missigned;
use crate::accounts::test_accounts;
use crate::networks::eip155::checksum;
use crate::networks::eip155::permit2::Scheme;
use crate::networks::eip155::permit2::permit::{EXACT_PROXY, UPTO_PROXY};
use crate::order::Depth;
use crate::reason::Code;
use crate::registry::Version;

/// One thing that is wrong with a payment.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// Its name.
    pub name: &'static str,
    /// What is wrong, as a fragment.
    pub what: &'static str,
    /// What `/verify` says.
    verify: Verdict,
    /// What `/settle` says.
    settle: Verdict,
    /// What a paid resource says, in version 1 and in version 2.
    resource: [Verdict; 2],
    /// How it is done.
    pub(super) spoil: Spoil,
}

/// What is said of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is taken.
    Accepted,
    /// A reason.
    Refused(Code),
    /// It means none of the requirements that the resource offers.
    Unmatched,
    /// The resource does not know the protocol version.
    UnknownVersion,
}

/// At which step a payment is spoilt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spoil {
    /// Before it is signed: the signature fits.
    Draft(fn(&mut Draft)),
    /// Something else is signed than what is written.
    Signed(fn(&mut Draft)),
    /// Another digest is signed than that of the typed data.
    Digest(fn(&Draft) -> B256),
    /// The bytes of the signature.
    Signature(fn(&[u8]) -> Vec<u8>),
    /// What is written, after it was signed.
    Payload(fn(&mut Document)),
}

/// Every defect.
pub static DEFECTS: &[Defect] = &[
    // Time.
    Defect::of("expired", "an authorization that ended a minute ago", Code::ValidBefore, Spoil::Draft(expired)),
    Defect::of("expiring", "an authorization that ends in 3 seconds", Code::ValidBefore, Spoil::Draft(expiring)),
    Defect::of("not-yet-valid", "an authorization that begins in an hour", Code::ValidAfter, Spoil::Draft(early)),
    Defect::accepted("giant-window", "an authorization until the year 9999", Spoil::Draft(endless)),
    Defect::of(
        "swapped-times",
        "validAfter and validBefore swapped",
        Code::ValidBefore,
        Spoil::Draft(missigned::times_swapped),
    ),
    Defect::of(
        "never-valid",
        "an authorization that ends at 0",
        Code::ValidBefore,
        Spoil::Draft(missigned::without_end),
    ),
    // The EIP-712 domain.
    Defect::of("wrong-domain", "signed for another name of the asset", Code::Signature, Spoil::Signed(other_name)),
    Defect::of(
        "wrong-domain-version",
        "signed for another version of the asset",
        Code::Signature,
        Spoil::Signed(other_version),
    ),
    Defect::of("wrong-chain", "signed for another chain", Code::Signature, Spoil::Signed(other_chain)),
    Defect::of("wrong-contract", "signed for another asset's contract", Code::Signature, Spoil::Signed(other_contract)),
    Defect::of(
        "wrong-network-domain",
        "signed for USDC on another network altogether",
        Code::Signature,
        Spoil::Signed(other_network_domain),
    ),
    // What is signed.
    Defect::of(
        "swapped-parties",
        "signed with payer and payee swapped",
        Code::Signature,
        Spoil::Signed(missigned::parties_swapped),
    ),
    Defect::of(
        "personal-sign",
        "the digest signed as a message",
        Code::Signature,
        Spoil::Digest(missigned::as_message),
    ),
    Defect::of("double-hash", "the digest hashed once more", Code::Signature, Spoil::Digest(missigned::hashed_twice)),
    // The signature.
    Defect::of("s-before-r", "a signature with s before r", Code::Signature, Spoil::Signature(missigned::s_before_r)),
    Defect::of("v-first", "a signature with v before r and s", Code::Signature, Spoil::Signature(missigned::v_first)),
    Defect::of(
        "wrong-parity",
        "a signature with the other v",
        Code::Signature,
        Spoil::Signature(missigned::other_parity),
    ),
    Defect::of("wrong-signer", "signed by another account's key", Code::Signature, Spoil::Signed(other_key)),
    Defect::of("tampered", "another amount than the one that was signed", Code::Signature, Spoil::Signed(other_value)),
    Defect::simulated("high-s", "the signature's other form, with a high s", Spoil::Signature(high_s)),
    Defect::simulated("low-v", "a signature whose v is 0 or 1", Spoil::Signature(low_v)),
    Defect::of("bad-v", "a signature whose v is 29 or 30", Code::Signature, Spoil::Signature(bad_v)),
    Defect::of("short-signature", "a signature of 64 bytes", Code::Signature, Spoil::Signature(drop_last)),
    Defect::of("long-signature", "a signature of 66 bytes", Code::Signature, Spoil::Signature(add_zero)),
    Defect::of("empty-signature", "a signature of no bytes", Code::Signature, Spoil::Signature(|_| Vec::new())),
    Defect::of(
        "wrapped-signature",
        "a smart wallet's signature (ERC-6492), of a factory that nobody allows",
        Code::FactoryNotAllowed,
        Spoil::Signature(wrap),
    ),
    Defect::of("checksum", "a payer's address with a wrong checksum", Code::Signature, Spoil::Payload(misspell)),
    // The parties and the amount.
    Defect::of("wrong-recipient", "a payment to the payer itself", Code::Recipient, Spoil::Draft(to_self)),
    Defect::of("underpaid", "one atomic unit too little", Code::Value, Spoil::Draft(underpaid)),
    Defect::of("overpaid", "one atomic unit too much", Code::Value, Spoil::Draft(overpaid)),
    Defect::of("zero-value", "an amount of zero", Code::Value, Spoil::Draft(zero)),
    // What the payload says that it accepts.
    Defect::of("wrong-scheme", "another scheme", Code::Scheme, Spoil::Draft(other_scheme))
        .at_resource(Verdict::Unmatched, Verdict::Unmatched),
    Defect::of("wrong-network", "another network", Code::NetworkMismatch, Spoil::Draft(other_network))
        .at_resource(Verdict::Unmatched, Verdict::Unmatched),
    Defect::of("wrong-asset", "another asset, and signed for it", Code::Signature, Spoil::Draft(other_asset))
        .at_resource(Verdict::Refused(Code::Signature), Verdict::Unmatched),
    Defect::of("wrong-version", "the protocol version 3", Code::UnknownVersion, Spoil::Payload(version_3))
        .at_resource(Verdict::UnknownVersion, Verdict::UnknownVersion),
    // The shape.
    Defect::of("missing-field", "no `validBefore`", Code::InvalidPayload, Spoil::Payload(no_valid_before)),
    Defect::of("missing-signature", "no `signature`", Code::InvalidPayload, Spoil::Payload(no_signature)),
    Defect::of("number-amount", "the amount as a JSON number", Code::InvalidPayload, Spoil::Payload(as_number)),
    Defect::of("hex-amount", "the amount in hexadecimal", Code::InvalidPayload, Spoil::Payload(as_hex)),
];

/// The defects that only a payment by Permit2 can have.
pub static PERMIT2_DEFECTS: &[Defect] = &[
    Defect::of(
        "wrong-spender",
        "Permit2: another spender than the scheme's proxy",
        Code::Permit2Spender,
        Spoil::Draft(other_spender),
    ),
    Defect::of(
        "wrong-witness",
        "Permit2: signed with the witness of the other scheme",
        Code::Permit2Signature,
        Spoil::Signed(other_witness),
    ),
    Defect::of(
        "wrong-facilitator",
        "upto: a witness that names another facilitator",
        Code::UptoFacilitator,
        Spoil::Draft(other_facilitator),
    ),
];

impl Defect {
    /// The defect of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|defect| defect.name == name)
    }

    /// Every defect, those of Permit2 last.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        DEFECTS.iter().chain(PERMIT2_DEFECTS)
    }

    /// The same defect in a payment by Permit2, with what is said of it then. Its name and what it does stay.
    pub fn by_permit2(&self, scheme: Scheme) -> Self {
        let say = |verdict: Verdict, door: Depth| match verdict {
            Verdict::Refused(code) => self.told_by_permit2(code, scheme, door),
            other => other,
        };
        let [v1, v2] = self.resource;
        let (verify, settle) = (say(self.verify, Depth::Verify), say(self.settle, Depth::Settle));
        Self { verify, settle, resource: [v1, say(v2, Depth::Verify)], ..*self }
    }

    /// What the facilitator says of it in a payment by Permit2.
    fn told_by_permit2(&self, code: Code, scheme: Scheme, door: Depth) -> Verdict {
        let upto = scheme == Scheme::Upto;
        Verdict::Refused(match (self.name, code) {
            // Permit2 takes any `s`, and any spelling of an address.
            ("high-s" | "checksum", _) => return Verdict::Accepted,
            ("low-v", _) if upto || door == Depth::Verify => Code::Permit2Simulation,
            ("wrong-asset", _) => Code::Permit2Token,
            ("missing-field" | "missing-signature" | "number-amount", _) if upto => Code::PayloadType,
            (_, Code::ValidBefore) => Code::Permit2Deadline,
            (_, Code::ValidAfter) => Code::Permit2NotYetValid,
            (_, Code::Signature | Code::FactoryNotAllowed | Code::SimulationFailed) => Code::Permit2Signature,
            (_, Code::Recipient) => Code::Permit2Recipient,
            // A settlement of `upto` compares no amounts: it asks for what was used.
            (_, Code::Value) if upto && door == Depth::Settle => return self.settled_otherwise(),
            (_, Code::Value) => Code::Permit2Amount,
            (_, Code::Scheme) if upto => Code::UptoScheme,
            (_, Code::Scheme) => Code::PayloadType,
            (_, Code::NetworkMismatch) if upto => Code::UptoNetwork,
            (_, code) => code,
        })
    }

    /// What a settlement of `upto` for the amount asked says where another amount was signed.
    fn settled_otherwise(&self) -> Verdict {
        match self.name {
            "overpaid" => Verdict::Accepted,
            // The proxy moves no zero, which the simulation finds.
            "zero-value" => Verdict::Refused(Code::Permit2Simulation),
            _ => Verdict::Refused(Code::UptoExceeds),
        }
    }

    /// What `/verify` says.
    pub const fn verify(&self) -> Verdict {
        self.verify
    }

    /// What `/settle` says.
    pub const fn settle(&self) -> Verdict {
        self.settle
    }

    /// What a paid resource says.
    pub const fn resource(&self, version: Version) -> Verdict {
        match version {
            Version::V1 => self.resource[0],
            Version::V2 => self.resource[1],
        }
    }

    /// Refused everywhere for one reason.
    const fn of(name: &'static str, what: &'static str, code: Code, spoil: Spoil) -> Self {
        let refused = Verdict::Refused(code);
        Self { name, what, verify: refused, settle: refused, resource: [refused; 2], spoil }
    }

    /// Taken everywhere.
    const fn accepted(name: &'static str, what: &'static str, spoil: Spoil) -> Self {
        let taken = Verdict::Accepted;
        Self { name, what, verify: taken, settle: taken, resource: [taken; 2], spoil }
    }

    /// The facilitator's own check takes it, the token does not: a simulation finds it on verify.
    const fn simulated(name: &'static str, what: &'static str, spoil: Spoil) -> Self {
        Self { settle: Verdict::Refused(Code::Signature), ..Self::of(name, what, Code::SimulationFailed, spoil) }
    }

    /// A resource says something else than its facilitator.
    const fn at_resource(self, v1: Verdict, v2: Verdict) -> Self {
        Self { resource: [v1, v2], ..self }
    }
}

impl Verdict {
    /// The text on the wire; `None` where it is taken.
    pub const fn spell(self, version: Version) -> Option<&'static str> {
        match (self, version) {
            (Self::Accepted, _) => None,
            (Self::Refused(code), _) => Some(code.spell(version)),
            (Self::Unmatched, Version::V1) => Some("Unable to find matching payment requirements"),
            (Self::Unmatched, Version::V2) => Some("No matching payment requirements"),
            (Self::UnknownVersion, _) => Some("Unsupported x402 version: 3"),
        }
    }
}

/// 9999-12-31T23:59:59Z.
const YEAR_9999: u64 = 253_402_300_799;

/// The curve's order.
const ORDER: U256 = U256::from_be_bytes(hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));

/// What ends an ERC-6492 wrapper.
const WRAPPER_MAGIC: [u8; 32] = hex!("6492649264926492649264926492649264926492649264926492649264926492");

/// A factory of smart wallets.
const FACTORY: Address = address!("0BA5ED0c6AA8c49038F819E587E2633c4A9F428a");

/// A network that a payer may have meant instead.
struct Elsewhere {
    chain_id: u64,
    id: &'static str,
    v1_name: &'static str,
    usdc: Address,
}

/// The two networks that are confused most often.
const BASE: Elsewhere = Elsewhere {
    chain_id: 8453,
    id: "eip155:8453",
    v1_name: "base",
    usdc: address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
};
const BASE_SEPOLIA: Elsewhere = Elsewhere {
    chain_id: 84532,
    id: "eip155:84532",
    v1_name: "base-sepolia",
    usdc: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
};

fn elsewhere(draft: &Draft) -> Elsewhere {
    if draft.chain_id == BASE.chain_id { BASE_SEPOLIA } else { BASE }
}

fn expired(draft: &mut Draft) {
    draft.authorization.valid_before = U256::from(draft.now.saturating_sub(60));
}

fn expiring(draft: &mut Draft) {
    draft.authorization.valid_before = U256::from(draft.now) + U256::from(3);
}

fn early(draft: &mut Draft) {
    draft.authorization.valid_after = U256::from(draft.now) + U256::from(3600);
    draft.authorization.valid_before += U256::from(3600);
}

fn endless(draft: &mut Draft) {
    draft.authorization.valid_before = U256::from(YEAR_9999);
}

fn other_name(draft: &mut Draft) {
    draft.name = String::from(if draft.name == "USD Coin" { "USDC" } else { "USD Coin" });
}

fn other_version(draft: &mut Draft) {
    draft.domain_version = String::from(if draft.domain_version == "1" { "2" } else { "1" });
}

fn other_chain(draft: &mut Draft) {
    draft.chain_id = elsewhere(draft).chain_id;
}

fn other_contract(draft: &mut Draft) {
    draft.contract = elsewhere(draft).usdc;
}

/// Name, version, chain and contract of the other network's.
fn other_network_domain(draft: &mut Draft) {
    let other = elsewhere(draft);
    draft.name = String::from(if other.chain_id == BASE.chain_id { "USD Coin" } else { "USDC" });
    draft.domain_version = String::from("2");
    (draft.chain_id, draft.contract) = (other.chain_id, other.usdc);
}

fn other_key(draft: &mut Draft) {
    let own = draft.signer.address;
    draft.signer = test_accounts().find(|account| account.evm() != own).map_or(draft.signer, Into::into);
}

fn other_value(draft: &mut Draft) {
    draft.authorization.value = draft.authorization.value.wrapping_sub(U256::from(1));
}

/// The other signature of the same message: `s` in the upper half, `v` flipped.
fn high_s(signature: &[u8]) -> Vec<u8> {
    let (r_and_s, v) = signature.split_at(64);
    let s = ORDER - U256::from_be_slice(&r_and_s[32..]);
    [&r_and_s[..32], &s.to_be_bytes::<32>(), &[27 + (28 - v[0])]].concat()
}

fn low_v(signature: &[u8]) -> Vec<u8> {
    [&signature[..64], &[signature[64] - 27]].concat()
}

fn bad_v(signature: &[u8]) -> Vec<u8> {
    [&signature[..64], &[signature[64] + 2]].concat()
}

fn drop_last(signature: &[u8]) -> Vec<u8> {
    signature[..64].to_vec()
}

fn add_zero(signature: &[u8]) -> Vec<u8> {
    [signature, &[0]].concat()
}

/// `abi.encode(address factory, bytes calldata, bytes signature)` with no calldata, and the magic.
fn wrap(signature: &[u8]) -> Vec<u8> {
    let word = |number: usize| U256::from(number).to_be_bytes::<32>();
    let head = [FACTORY.into_word().0, word(96), word(128), word(0), word(signature.len())];
    let mut padded = signature.to_vec();
    padded.resize(signature.len().next_multiple_of(32), 0);
    [head.as_flattened(), &padded, &WRAPPER_MAGIC].concat()
}

fn to_self(draft: &mut Draft) {
    draft.authorization.to = draft.authorization.from;
}

fn underpaid(draft: &mut Draft) {
    draft.authorization.value = draft.authorization.value.saturating_sub(U256::from(1));
}

fn overpaid(draft: &mut Draft) {
    draft.authorization.value = draft.authorization.value.saturating_add(U256::from(1));
}

fn zero(draft: &mut Draft) {
    draft.authorization.value = U256::ZERO;
}

fn other_scheme(draft: &mut Draft) {
    let is_upto = draft.permit2.is_some_and(|by| by.scheme == Scheme::Upto);
    set(&mut draft.accepted, &["scheme"], Document::from(if is_upto { "exact" } else { "upto" }));
}

fn other_spender(draft: &mut Draft) {
    if let Some(by) = &mut draft.permit2 {
        by.spender = if by.spender == EXACT_PROXY { UPTO_PROXY } else { EXACT_PROXY };
    }
}

fn other_witness(draft: &mut Draft) {
    let merchant = draft.authorization.to;
    if let Some(by) = &mut draft.permit2 {
        by.facilitator = if by.facilitator.is_some() { None } else { Some(merchant) };
    }
}

fn other_facilitator(draft: &mut Draft) {
    let payer = draft.authorization.from;
    if let Some(facilitator) = draft.permit2.as_mut().and_then(|by| by.facilitator.as_mut()) {
        *facilitator = payer;
    }
}

fn other_network(draft: &mut Draft) {
    let Elsewhere { id, v1_name, .. } = elsewhere(draft);
    let name = match draft.version {
        Version::V1 => v1_name,
        Version::V2 => id,
    };
    set(&mut draft.accepted, &["network"], Document::from(name));
}

fn other_asset(draft: &mut Draft) {
    other_contract(draft);
    set(&mut draft.accepted, &["asset"], Document::from(checksum(draft.contract)));
}

fn version_3(payload: &mut Document) {
    set(payload, &["x402Version"], Document::from(3));
}

/// Turns the case of the first letter.
fn misspell(payload: &mut Document) {
    change(payload, "from", |address| {
        let mut digits: Vec<char> = address.chars().collect();
        if let Some(letter) = digits.iter_mut().skip(2).find(|digit| digit.is_ascii_alphabetic()) {
            *letter =
                if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        }
        Document::Text(digits.into_iter().collect())
    });
}

fn no_valid_before(payload: &mut Document) {
    for (member, end) in [("authorization", "validBefore"), ("permit2Authorization", "deadline")] {
        if let Some(signed) = payload.at_mut(&["payload", member]) {
            signed.remove(end);
        }
    }
}

fn no_signature(payload: &mut Document) {
    if let Some(payload) = payload.at_mut(&["payload"]) {
        payload.remove("signature");
    }
}

fn as_number(payload: &mut Document) {
    change(payload, "value", |digits| Document::Number(digits.to_owned()));
}

fn as_hex(payload: &mut Document) {
    change(payload, "value", |digits| {
        let number: U256 = digits.parse().unwrap_or_default();
        Document::Text(format!("0x{number:x}"))
    });
}

fn set(document: &mut Document, way: &[&str], value: Document) {
    if let Some(place) = document.at_mut(way) {
        *place = value;
    }
}

/// Writes a member of the authorization anew.
fn change(payload: &mut Document, key: &str, write: impl FnOnce(&str) -> Document) {
    let of_permit: &[&str] = match key {
        "value" => &["payload", "permit2Authorization", "permitted", "amount"],
        key => &["payload", "permit2Authorization", key],
    };
    let own = ["payload", "authorization", key];
    let way = if payload.at_mut(&own).is_some() { &own } else { of_permit };
    if let Some(place) = payload.at_mut(way)
        && let Some(text) = place.text()
    {
        *place = write(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_can_be_typed() {
        for (index, defect) in DEFECTS.iter().enumerate() {
            assert!(DEFECTS[..index].iter().all(|other| other.name != defect.name), "{}", defect.name);
            assert!(
                defect.name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-".contains(&byte)),
                "{}",
                defect.name
            );
            assert_eq!(Defect::find(defect.name).map(|found| found.what), Some(defect.what));
        }
        assert!(Defect::find("nonsense").is_none());
    }
}
