//! A payment of another kind than it says it is, or than is asked for: of the other protocol version, of another kind of
//! network, of another instrument.

use serde_json::{Value, json};
use x402_wire::shape::shorten;

use super::{Candidate, address};
use crate::accounts;
use crate::explain::attempt::set;
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench};
use crate::networks::eip155::checksum;
use crate::networks::eip155::permit2::permit::UPTO_PROXY;
use crate::networks::{Family, Network, eip155};
use crate::registry::Version;

/// What the payer signs on EVM networks, and its name for people.
const EVM: [(&str, &str); 2] =
    [("authorization", "an EIP-3009 authorization"), ("permit2Authorization", "a permit of Permit2")];

/// The version whose shape a payment has: 2 with `accepted`, 1 with scheme and network at the top.
fn shaped(payload: &Value) -> Option<Version> {
    let has = |key: &str| payload.get(key).is_some_and(|member| !member.is_null());
    match (has("accepted"), has("scheme") && has("network")) {
        (true, false) => Some(Version::V2),
        // Where the network has the name of version 2, only the number may be right.
        (false, true) if payload.get("network").and_then(Value::as_str).is_some_and(|name| !name.contains(':')) => {
            Some(Version::V1)
        }
        _ => None,
    }
}

/// The version that a payment is read as: the one that it says, unless all of its shape is of the other.
pub(in crate::explain) fn is_version_1(attempt: &Attempt) -> bool {
    attempt.version() == Some(Version::V1) && shaped(&attempt.payload) != Some(Version::V2)
}

/// The same for a payment of which it is not known what it is for.
pub(in crate::explain) fn is_of_version_1_but_for_its_number(payload: &Value) -> bool {
    payload.get("x402Version").and_then(Value::as_u64) == Some(2) && shaped(payload) == Some(Version::V1)
}

/// The number alone is wrong: with the other one, all of the payment is of one version.
pub(super) fn version(attempt: &Attempt) -> Option<Candidate> {
    let (said, shape) = (attempt.version()?, shaped(&attempt.payload)?);
    let is_old =
        attempt.requirements.get("maxAmountRequired").is_some() && attempt.requirements.get("amount").is_none();
    let asked = if is_old { Version::V1 } else { Version::V2 };
    if said == shape || asked != shape {
        return None;
    }
    let why = match shape {
        Version::V2 => "it has `accepted`, and neither `scheme` nor `network` at the top",
        Version::V1 => "`scheme` and `network` stand at the top, and there is no `accepted`",
    };
    let (said, right) = (said.number(), shape.number());
    let finding = Finding::new("version_not_of_shape")
        .at("paymentPayload.x402Version")
        .seen(format!("x402Version is {said}, and the payment is one of version {right}: {why}"))
        .fixed_by(format!("Write \"x402Version\": {right}."));
    Some(Candidate::new(finding, attempt.pay("/x402Version", right), format!("with x402Version {right}")))
}

/// The payment is one of another kind of network than the requirements: nothing in it can be mended.
pub(super) fn family(bench: &Bench, attempt: &Attempt) -> Option<Candidate> {
    let network = address::network(bench, attempt)?;
    let body = attempt.payload.get("payload")?;
    let signed = EVM.iter().find(|(key, _)| body.get(*key).is_some());
    let (has, wants) = match (network.family, signed, body.get("transaction").is_some()) {
        (Family::Solana, Some((_, what)), false) => (*what, "a transaction in `payload.transaction`"),
        (Family::Eip155, None, true) => (
            "a `transaction`, as payments on Solana do",
            "a signed `payload.authorization` or `payload.permit2Authorization`",
        ),
        _ => return None,
    };
    let finding = Finding::new("payload_of_other_family")
        .at("paymentPayload.payload")
        .seen(format!("it holds {has}; on {} a payment is {wants}", network.name));
    let proof = format!("nothing but {wants} pays on {}, and there is none in it", network.id);
    Some(Candidate::sure(finding, attempt.clone(), proof))
}

/// Whether a payment holds what is signed on another kind of network than an entry of an offer is for.
pub(in crate::explain) fn is_signed_for_other_family(payload: &Value, entry: &Value) -> bool {
    let Some(body) = payload.get("payload") else { return false };
    // Any network of the kind stands for it.
    let signed = match (EVM.iter().any(|(key, _)| body.get(*key).is_some()), body.get("transaction").is_some()) {
        (true, false) => "eip155:84532",
        (false, true) => "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
        _ => return false,
    };
    entry.get("network").and_then(Value::as_str).is_some_and(|name| of_other_family(name, signed))
}

/// A permit that stands elsewhere than in `permit2Authorization`, the name by which it is told from an authorization:
/// under another name, or directly in `payload`.
pub(super) fn permit_by_another_name(attempt: &Attempt) -> Option<Candidate> {
    let body = attempt.payload.get("payload").filter(|body| body.get("permit2Authorization").is_none())?;
    let has = |own: &Value, key: &str| own.get(key).is_some_and(|member| !member.is_null());
    let is_permit = |own: &Value| has(own, "permitted") && (has(own, "spender") || has(own, "witness"));
    let (permit, seen, how) = if is_permit(body) {
        let mut permit = body.clone();
        permit.as_object_mut()?.remove("signature");
        let seen = "`permitted`, `spender` and `witness` stand directly in `payload`".to_owned();
        (permit, seen, "with the permit in `permit2Authorization`".to_owned())
    } else {
        let (key, permit) = body.as_object()?.iter().find(|(_, own)| is_permit(own))?;
        let name = shorten(key);
        let seen = format!(
            "`{name}` holds `permitted`, `spender` and `witness`, which are a permit's: call it `permit2Authorization`"
        );
        (permit.clone(), seen, format!("with `{name}` called `permit2Authorization`"))
    };
    let signature = body.get("signature").cloned().unwrap_or_default();
    let finding = Finding::new("permit2_not_named").at("paymentPayload.payload.permit2Authorization").seen(seen);
    let next = attempt.pay("/payload", json!({"signature": signature, "permit2Authorization": permit}));
    Some(Candidate::new(finding, next, how))
}

/// Whether two names are of networks of different kinds.
pub(in crate::explain) fn of_other_family(left: &str, right: &str) -> bool {
    let networks = crate::registry::networks();
    let family = |name: &str| {
        let known = networks.iter().find(|own| own.is_called(name)).map(|own| own.family);
        known.or_else(|| eip155::chain_id(name).map(|_| Family::Eip155))
    };
    family(left).zip(family(right)).is_some_and(|(left, right)| left != right)
}

/// `upto` without a facilitator in the offer, or paid by an authorization that only `exact` knows.
pub(super) fn upto(attempt: &Attempt) -> Vec<Candidate> {
    if attempt.asked("/scheme") != Some("upto") {
        return Vec::new();
    }
    let own = accounts::facilitator().address;
    let said = attempt.requirements.pointer("/extra/facilitatorAddress");
    let has = said.and_then(Value::as_str).and_then(eip155::parse_address).is_some();
    let next = if has { attempt.clone() } else { with_facilitator(attempt, own) };
    let next = by_permit2(&next).unwrap_or(next).again();
    if !has {
        let what = match said {
            None | Some(Value::Null) => "extra.facilitatorAddress is missing".to_owned(),
            Some(other) => format!("extra.facilitatorAddress is {}, and no address", shorten(&other.to_string())),
        };
        let finding = Finding::new("upto_no_facilitator").at("paymentRequirements.extra.facilitatorAddress").seen(what);
        return vec![Candidate::new(finding, next, "with a facilitatorAddress, and a permit that names it")];
    }
    if attempt.payload.pointer("/payload/authorization").is_none() {
        return Vec::new();
    }
    let finding = Finding::new("upto_needs_permit2")
        .at("paymentPayload.payload.authorization")
        .seen("the scheme is `upto`, and the payload has an EIP-3009 authorization, which only `exact` knows");
    vec![Candidate::new(finding, next, "with a permit of Permit2 for the same payment")]
}

fn with_facilitator(attempt: &Attempt, facilitator: &str) -> Attempt {
    let extra = attempt.requirements.get("extra").filter(|extra| extra.is_object()).cloned();
    let mut extra = extra.unwrap_or_else(|| json!({}));
    extra["facilitatorAddress"] = json!(facilitator);
    let next = attempt.ask("/extra", extra);
    let place = "/payload/permit2Authorization/witness/facilitator";
    if next.payload.pointer(place).is_some() { next.pay(place, facilitator) } else { next }
}

/// The permit that says what an authorization says.
fn by_permit2(attempt: &Attempt) -> Option<Attempt> {
    let own = attempt.payload.pointer("/payload/authorization")?.clone();
    let said = |key: &str| own.get(key).cloned().unwrap_or_default();
    let permit = json!({
        "from": said("from"), "spender": checksum(UPTO_PROXY), "nonce": "7", "deadline": said("validBefore"),
        "permitted": {"token": attempt.requirements.get("asset"), "amount": said("value")},
        "witness": {
            "to": said("to"), "validAfter": said("validAfter"),
            "facilitator": attempt.requirements.pointer("/extra/facilitatorAddress"),
        },
    });
    let mut next = attempt.clone();
    let signature = attempt.payload.pointer("/payload/signature").cloned().unwrap_or_default();
    set(&mut next.payload, "/payload", json!({"signature": signature, "permit2Authorization": permit}));
    Some(next)
}

/// Every address of a Solana offer that is one of an EVM network, with the fee payer that the offer does not name: who
/// writes EVM addresses there has not come to the fee payer yet.
pub(super) fn evm_addresses(bench: &Bench, attempt: &Attempt) -> Option<Candidate> {
    let network: &Network = address::network(bench, attempt).filter(|own| own.family == Family::Solana)?;
    let places = ["asset", "payTo"].iter().filter_map(|key| Some((key, address::unreadable(bench, attempt, key)?)));
    let (mut next, mut finding) = (attempt.clone(), None::<Finding>);
    for (key, candidate) in places {
        let right = address::stand_in(network, key)?;
        next = super::anew(&next, &format!("/{key}"), &right.into());
        let own = candidate.finding?;
        finding = Some(match finding {
            Some(first) if first.id == own.id => own.evidence.into_iter().fold(first, Finding::seen),
            Some(first) => first,
            None => own,
        });
    }
    let mut extra =
        next.requirements.get("extra").filter(|extra| extra.is_object()).cloned().unwrap_or_else(|| json!({}));
    extra["feePayer"] = json!(accounts::facilitator().solana_address);
    let next = next.ask("/extra", extra);
    let mut candidate = Candidate::new(finding?, next, "with addresses of Solana, and a fee payer");
    candidate.also = Some(Finding::new("missing_fee_payer").at("paymentRequirements.extra.feePayer"));
    Some(candidate)
}
