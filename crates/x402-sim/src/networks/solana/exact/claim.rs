//! What payer and resource say, decoded and judged in nothing.

use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::json::Json;
use x402_wire::shape::{Malformed, Shape};

use crate::registry::Version;

/// A request to verify or settle. The transaction is a text still: that it cannot be decoded is a reason of its own.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The protocol version of the payload.
    pub version: Version,
    /// The scheme that the payer accepted.
    pub accepted_scheme: &'a str,
    /// The network that the payer accepted.
    pub accepted_network: &'a str,
    /// `payload.transaction`, where it is a text.
    pub transaction: Option<&'a str>,
    /// What the resource asks.
    pub asked: Asked<'a>,
}

/// The requirements.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The scheme.
    pub scheme: &'a str,
    /// The network.
    pub network: &'a str,
    /// The mint, as it is written.
    pub asset: &'a str,
    /// Who is paid, as it is written.
    pub pay_to: &'a str,
    /// How much, in atomic units: decimal digits.
    pub amount: &'a str,
    /// `extra.feePayer`, where it is a text and not empty.
    pub fee_payer: Option<&'a str>,
    /// `extra.memo`, where it is neither missing nor empty.
    pub memo: Option<&'a Json<'a>>,
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
        if !body.value().is_object() {
            return Err(body.malformed("an object"));
        }
        let transaction = body.value().get("transaction").and_then(Json::as_str);
        Ok(Self { version, accepted_scheme, accepted_network, transaction, asked })
    }
}

fn accepted<'a>(payload: &Shape<'a, '_>) -> Result<(&'a str, &'a str), Malformed> {
    let accepted = payload.field("accepted")?;
    let both = (accepted.field("scheme")?.text()?, accepted.field("network")?.text()?);
    Ok(both)
}

impl<'a> Asked<'a> {
    fn decode(version: Version, requirements: &Shape<'a, '_>) -> Result<Self, Malformed> {
        let amount = requirements.field(match version {
            Version::V1 => "maxAmountRequired",
            Version::V2 => "amount",
        })?;
        let digits = amount.text()?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(amount.malformed("a decimal integer of atomic units, as a string"));
        }
        let extra = requirements.value().get("extra");
        let truthy = |key| extra.and_then(|extra| extra.get(key)).filter(|value| value.is_truthy());
        Ok(Self {
            scheme: requirements.field("scheme")?.text()?,
            network: requirements.field("network")?.text()?,
            asset: requirements.field("asset")?.text()?,
            pay_to: requirements.field("payTo")?.text()?,
            amount: digits,
            fee_payer: truthy("feePayer").and_then(Json::as_str),
            memo: truthy("memo"),
        })
    }
}
