//! What payer and resource say, decoded and judged in nothing.

use std::borrow::Cow;

use alloy_primitives::{Address, U256};
use x402_wire::amount::parse_atomic;
use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::json::Json;
use x402_wire::shape::{Malformed, Shape};

use super::Scheme;
use super::permit::{Permit, Witness};
use crate::networks::eip155;
use crate::networks::eip155::eip3009::claim::{Asked, accepted, address, is_decimal};
use crate::networks::eip155::signature::Signature;
use crate::registry::Version;

/// A request to verify or settle, decoded. Addresses and numbers are well formed; nothing is compared yet.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The scheme of the order.
    pub scheme: Scheme,
    /// The scheme that the payer accepted.
    pub accepted_scheme: &'a str,
    /// The network that the payer accepted.
    pub accepted_network: &'a str,
    /// Who pays.
    pub owner: Address,
    /// What the payer signed. Its chain is that of the requirements.
    pub permit: Permit,
    /// Which number no client could have signed as typed data, if so: the signature cannot be right then.
    pub too_large: Option<String>,
    /// The signature.
    pub signature: Signature,
    /// What the resource asks.
    pub asked: Asked<'a>,
}

/// Why a request is no claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// The payload is not one of `upto` at all.
    OtherPayload(String),
    /// A part has the wrong form.
    Malformed(Malformed),
}

impl<'a> Claim<'a> {
    /// Decodes a request of protocol version 2.
    pub fn decode(scheme: Scheme, request: &'a FacilitatorRequest<'a>) -> Result<Self, NoClaim> {
        let payload = Shape::root("paymentPayload", request.payload.value());
        if scheme == Scheme::Upto {
            is_upto(&payload).map_err(|malformed| NoClaim::OtherPayload(malformed.to_string()))?;
        }
        Self::read(scheme, &payload, request).map_err(NoClaim::Malformed)
    }

    fn read(scheme: Scheme, payload: &Shape<'a, '_>, request: &'a FacilitatorRequest<'a>) -> Result<Self, Malformed> {
        let asked = Asked::decode(Version::V2, &Shape::root("paymentRequirements", &request.requirements))?;
        let (accepted_scheme, accepted_network) = accepted(payload)?;
        let body = payload.field("payload")?;
        let signed = body.field("permit2Authorization")?;
        let (permitted, witness) = (signed.field("permitted")?, signed.field("witness")?);
        let mut too_large = None;
        let facilitator = match scheme {
            Scheme::Exact => None,
            Scheme::Upto => Some(address(&witness.field("facilitator")?)?),
        };
        let permit = Permit {
            chain_id: eip155::chain_id(asked.network).unwrap_or_default(),
            token: address(&permitted.field("token")?)?,
            amount: number(&permitted.field("amount")?, &mut too_large)?,
            spender: address(&signed.field("spender")?)?,
            nonce: number(&signed.field("nonce")?, &mut too_large)?,
            deadline: number(&signed.field("deadline")?, &mut too_large)?,
            witness: Witness {
                to: address(&witness.field("to")?)?,
                facilitator,
                valid_after: number(&witness.field("validAfter")?, &mut too_large)?,
            },
        };
        let owner = address(&signed.field("from")?)?;
        let signature = Signature::parse(body.field("signature")?.text()?);
        Ok(Self { scheme, accepted_scheme, accepted_network, owner, permit, too_large, signature, asked })
    }
}

/// Who a payload says will pay, if it can be read.
pub fn said_owner<'p>(request: &'p FacilitatorRequest<'_>) -> Option<Cow<'p, str>> {
    let signed = request.payload.value().get("payload")?.get("permit2Authorization")?;
    signed.get("from").and_then(Json::as_str).map(Cow::Borrowed)
}

/// Whether every member that makes a payload one of `upto` is there, as a text.
///
/// Source: TS 2.27 `isUptoPermit2Payload`.
fn is_upto(payload: &Shape<'_, '_>) -> Result<(), Malformed> {
    let body = payload.field("payload")?;
    body.field("signature")?.text()?;
    let signed = body.field("permit2Authorization")?;
    for name in ["from", "spender", "nonce", "deadline"] {
        signed.field(name)?.text()?;
    }
    for (part, names) in
        [("permitted", ["token", "amount"].as_slice()), ("witness", &["facilitator", "to", "validAfter"])]
    {
        let part = signed.field(part)?;
        for name in names {
            part.field(name)?.text()?;
        }
    }
    Ok(())
}

fn number(shape: &Shape<'_, '_>, too_large: &mut Option<String>) -> Result<U256, Malformed> {
    let text = shape.text()?;
    if !is_decimal(text) {
        return Err(shape.malformed("a decimal integer, as a string"));
    }
    let number = parse_atomic(text);
    if number.is_none() {
        too_large.get_or_insert(format!("{} is larger than 2^256 - 1", shape.path()));
    }
    Ok(number.unwrap_or(U256::MAX))
}
