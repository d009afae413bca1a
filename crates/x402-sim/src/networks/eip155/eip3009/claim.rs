//! What payer and resource say, decoded and judged in nothing.

use alloy_primitives::{Address, B256, U256};
use x402_wire::amount::parse_atomic;
use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::json::Json;
use x402_wire::shape::{Malformed, Shape};

use crate::networks::eip155::eip712::Authorization;
use crate::networks::eip155::signature::Signature;
use crate::networks::eip155::{self, bytes_of, parse_address};
use crate::registry::Version;

/// A request to verify or settle, decoded. Addresses and numbers are well formed; nothing is compared yet.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The protocol version of the payload.
    pub version: Version,
    /// The scheme that the payer accepted.
    pub accepted_scheme: &'a str,
    /// The network that the payer accepted.
    pub accepted_network: &'a str,
    /// `authorization.from` as it was written: answers echo it.
    pub payer: &'a str,
    /// What the payer signed.
    pub authorization: Authorization,
    /// Why no client could have signed this as typed data, if so: the signature cannot be right then.
    pub unsignable: Option<Unsignable>,
    /// The signature.
    pub signature: Signature,
    /// What the resource asks.
    pub asked: Asked<'a>,
}

/// Why no client could have signed an authorization as typed data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsignable {
    /// An address has a wrong checksum; it still names an account.
    Spelling(String),
    /// A number or the nonce does not fit its type: there is nothing that a token could be called with.
    Value(String),
}

/// The requirements.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The scheme.
    pub scheme: &'a str,
    /// The network.
    pub network: &'a str,
    /// The asset's contract.
    pub asset: Address,
    /// Who is paid.
    pub pay_to: Address,
    /// How much, in atomic units; `None` beyond 2^256 - 1.
    pub amount: Option<U256>,
    /// `extra.name`, where it is neither missing nor empty.
    pub name: Option<&'a Json<'a>>,
    /// `extra.version`, where it is neither missing nor empty.
    pub domain_version: Option<&'a Json<'a>>,
}

impl<'a> Claim<'a> {
    /// Decodes a request whose payload claims this version.
    pub fn decode(version: Version, request: &'a FacilitatorRequest<'a>) -> Result<Self, Malformed> {
        let payload = Shape::root("paymentPayload", request.payload.value());
        let requirements = Shape::root("paymentRequirements", &request.requirements);
        let asked = Asked::decode(version, &requirements)?;
        let (accepted_scheme, accepted_network) = match version {
            Version::V1 => (payload.field("scheme")?.text()?, payload.field("network")?.text()?),
            Version::V2 => accepted(&payload)?,
        };
        let body = payload.field("payload")?;
        let signed = body.field("authorization")?;
        let mut unsignable = None;
        let from = signed.field("from")?;
        let authorization = Authorization {
            from: signed_address(&from, &mut unsignable)?,
            to: signed_address(&signed.field("to")?, &mut unsignable)?,
            value: signed_number(&signed.field("value")?, &mut unsignable)?,
            valid_after: signed_number(&signed.field("validAfter")?, &mut unsignable)?,
            valid_before: signed_number(&signed.field("validBefore")?, &mut unsignable)?,
            nonce: signed_nonce(&signed.field("nonce")?, &mut unsignable)?,
        };
        let signature = Signature::parse(body.field("signature")?.text()?);
        let payer = from.text()?;
        Ok(Self { version, accepted_scheme, accepted_network, payer, authorization, unsignable, signature, asked })
    }
}

impl Unsignable {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Spelling(text) | Self::Value(text) => text,
        }
    }
}

impl<'a> Asked<'a> {
    pub(crate) fn decode(version: Version, requirements: &Shape<'a, '_>) -> Result<Self, Malformed> {
        let amount = requirements.field(match version {
            Version::V1 => "maxAmountRequired",
            Version::V2 => "amount",
        })?;
        if !is_decimal(amount.text()?) {
            return Err(amount.malformed("a decimal integer of atomic units, as a string"));
        }
        let extra = requirements.value().get("extra");
        let truthy = |key| extra.and_then(|extra| extra.get(key)).filter(|value| value.is_truthy());
        Ok(Self {
            scheme: requirements.field("scheme")?.text()?,
            network: requirements.field("network")?.text()?,
            asset: address(&requirements.field("asset")?)?,
            pay_to: address(&requirements.field("payTo")?)?,
            amount: parse_atomic(amount.text()?),
            name: truthy("name"),
            domain_version: truthy("version"),
        })
    }
}

pub(crate) fn accepted<'a>(payload: &Shape<'a, '_>) -> Result<(&'a str, &'a str), Malformed> {
    let accepted = payload.field("accepted")?;
    let both = (accepted.field("scheme")?.text()?, accepted.field("network")?.text()?);
    Ok(both)
}

pub(crate) fn address(shape: &Shape<'_, '_>) -> Result<Address, Malformed> {
    parse_address(shape.text()?).ok_or_else(|| shape.malformed("an address: 0x and 40 hexadecimal digits"))
}

/// An address that typed data holds: any spelling decodes, but no client signs one with a wrong checksum.
fn signed_address(shape: &Shape<'_, '_>, unsignable: &mut Option<Unsignable>) -> Result<Address, Malformed> {
    let (text, address) = (shape.text()?, address(shape)?);
    if !eip155::is_strict_spelling(text, address) {
        let right = eip155::checksum(address);
        let why = format!("{} has a wrong checksum: {text} is spelled {right}", shape.path());
        unsignable.get_or_insert(Unsignable::Spelling(why));
    }
    Ok(address)
}

fn signed_number(shape: &Shape<'_, '_>, unsignable: &mut Option<Unsignable>) -> Result<U256, Malformed> {
    let text = shape.text()?;
    if !is_decimal(text) {
        return Err(shape.malformed("a decimal integer, as a string"));
    }
    let number = parse_atomic(text);
    if number.is_none() {
        *unsignable = Some(Unsignable::Value(format!("{} is larger than 2^256 - 1", shape.path())));
    }
    Ok(number.unwrap_or(U256::MAX))
}

fn signed_nonce(shape: &Shape<'_, '_>, unsignable: &mut Option<Unsignable>) -> Result<B256, Malformed> {
    let text = shape.text()?;
    let bytes = bytes_of(text).ok_or_else(|| shape.malformed("0x and 64 hexadecimal digits"))?;
    if let Ok(nonce) = B256::try_from(bytes.as_slice()) {
        return Ok(nonce);
    }
    *unsignable = Some(Unsignable::Value(format!("{} has {} bytes, not 32", shape.path(), bytes.len())));
    Ok(B256::ZERO)
}

pub(crate) fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
