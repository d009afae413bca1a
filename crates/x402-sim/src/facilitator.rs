//! What a facilitator does with a request: find the pair, decode the claim, run the order.

use std::borrow::Cow;

use x402_wire::facilitator::{FacilitatorRequest, SettleResponse, VerifyResponse};
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;
use x402_wire::shape::shorten;

use crate::chain::Chain;
use crate::charge::Charge;
use crate::event::Facts;
use crate::fault::Mode;
use crate::ledger::Account;
use crate::networks;
use crate::networks::eip155::chain::Signatures;
use crate::order::Depth;
use crate::reason::{Code, Reason};
use crate::registry::{FAMILIES, PAIRS, Pair, Version, pair_for, rarer_scheme};

/// Why a payment is refused whatever it says.
pub const REJECTED: &str = "refused by simulation: `verification: reject`, or the header `X-Simulation-Mode: failure`";

/// A refused payment, with all that an answer must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// In which version's words.
    pub version: Version,
    /// Who would have paid, as the payload writes it.
    pub payer: Option<String>,
    /// The network, as the payload writes it.
    pub network: String,
}

/// A payment that passed its order.
#[derive(Clone, Debug)]
pub struct Approved {
    /// What will move.
    pub charge: Charge,
    /// The protocol version.
    pub version: Version,
    /// Who pays, as the payload writes it: an address, which was judged.
    pub payer: String,
    /// The network, as the payload writes it.
    pub network: String,
}

/// A request beside all that a pair judges it by.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The protocol version.
    pub version: Version,
    /// The request.
    pub request: &'a FacilitatorRequest<'a>,
    /// The state of the chain.
    pub chain: &'a Chain,
    /// The clock, in seconds.
    pub now: u64,
    /// How deep it is judged.
    pub depth: Depth,
    /// Whether signatures are looked at.
    pub signatures: Signatures,
}

/// What a pair makes of a request that passes its order.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What will move.
    pub charge: Charge,
    /// Who pays, as answers say it.
    pub payer: String,
}

/// Why a pair refuses a request.
#[derive(Clone, Debug)]
pub struct Denial {
    /// Why.
    pub reason: Reason,
    /// Who would have paid, as answers say it.
    pub payer: Option<String>,
}

/// Judges a request on a state of the chain, at a clock in seconds. Changes nothing.
pub fn judge(
    request: &FacilitatorRequest<'_>,
    chain: &Chain,
    now: u64,
    depth: Depth,
    mode: Mode,
) -> Result<Approved, Box<Refusal>> {
    let version = request.payload.version().and_then(Version::from_number);
    let refuse = |reason: Reason| Box::new(Refusal::of(request, version.unwrap_or(Version::V2), reason));
    let version = version.ok_or_else(|| refuse(unknown_version(request)))?;
    if mode == Mode::Reject {
        return Err(refuse(Code::Simulated.because(REJECTED)));
    }
    let pair = find_pair(version, request, chain).map_err(refuse)?;
    let signatures = if mode == Mode::Accept { Signatures::Trusted } else { Signatures::Checked };
    match (pair.judge)(&Trial { version, request, chain, now, depth, signatures }) {
        Ok(Judged { charge, payer }) => Ok(Approved { charge, version, payer, network: said_network(request) }),
        Err(Denial { reason, payer }) => {
            Err(Box::new(Refusal { reason, version, payer, network: said_network(request) }))
        }
    }
}

/// The pair of this version that is played for the requirements' scheme and network, and for this payload.
fn find_pair(version: Version, request: &FacilitatorRequest<'_>, chain: &Chain) -> Result<&'static Pair, Reason> {
    let text = |key: &str| {
        request
            .requirements
            .get(key)
            .and_then(Json::as_str)
            .ok_or_else(|| Code::InvalidPayload.because(format!("paymentRequirements.{key}: expected a string")))
    };
    let (scheme, network) = (text("scheme")?, text("network")?);
    let pairs = || PAIRS.iter().filter(|pair| pair.version == version && pair.scheme == scheme);
    if pairs().next().is_none() {
        let version = version.number();
        return Err(
            Code::UnknownScheme.because(format!("scheme \"{}\" is not played in version {version}", shorten(scheme)))
        );
    }
    let known = chain.catalog.network(version, network).filter(|network| pairs().any(|pair| pair.plays_on(network)));
    let found = known.and_then(|network| pair_for(version, scheme, network.family, request.payload.value()));
    if let Some(pair) = found {
        return Ok(pair);
    }
    let names = chain.catalog.networks().iter().filter_map(|network| match version {
        Version::V1 => network.v1_name.clone(),
        Version::V2 => Some(network.id.clone()),
    });
    let enabled = names.collect::<Vec<_>>().join(", ");
    Err(Code::UnknownNetwork
        .because(format!("network \"{}\" is not enabled here; enabled are {enabled}", shorten(network))))
}

fn unknown_version(request: &FacilitatorRequest<'_>) -> Reason {
    let version = match request.payload.value().get("x402Version") {
        Some(Json::Text(text)) => format!("the text \"{}\"", shorten(text)),
        Some(other) => shorten(&other.to_string()),
        None => "missing".to_owned(),
    };
    Code::UnknownVersion.because(format!("paymentPayload.x402Version is {version}; it must be the number 1 or 2"))
}

/// The network as the payload writes it: the official facilitator echoes it.
pub fn said_network(request: &FacilitatorRequest<'_>) -> String {
    let payload = request.payload.value();
    let places = [payload.get("accepted").unwrap_or(payload), payload, &request.requirements];
    let said = places.iter().find_map(|place| place.get("network").and_then(Json::as_str));
    said.unwrap_or_default().to_owned()
}

/// The scheme of the requirements, where it is one that is played and not `exact`.
pub fn said_scheme(request: &FacilitatorRequest<'_>) -> Option<&'static str> {
    request.requirements.get("scheme").and_then(Json::as_str).and_then(rarer_scheme)
}

/// What a judgement says in an event: who pays how much where, or why not.
pub fn facts_of(judged: &Result<Approved, Box<Refusal>>) -> Facts {
    match judged {
        Ok(approved) => {
            debug_assert!(address_only(&approved.payer).is_some(), "whoever pays has an address");
            Facts {
                network: Some(shorten(&approved.network)),
                amount: Some(approved.charge.written()),
                payer: Some(approved.payer.clone()),
                scheme: rarer_scheme(approved.charge.scheme()),
                ..Facts::default()
            }
        }
        Err(refusal) => refusal.facts(),
    }
}

/// A payer for an event, if it is an address: whatever else a client puts there, a key perhaps, is nobody's to log.
pub fn address_only(payer: &str) -> Option<String> {
    networks::any_account(payer).map(|_| payer.to_owned())
}

/// Who a payload says will pay, whatever it is paid with.
pub fn said_payer<'p>(payload: &'p PaymentPayload<'_>) -> Option<Cow<'p, str>> {
    let body = payload.value().get("payload")?;
    // What a payload holds beside what its own family reads says nothing.
    let (row, signed) = FAMILIES.iter().find_map(|row| (row.signed)(body).map(|signed| (row, signed)))?;
    (row.payer)(signed)
}

/// The account that a payload says will pay.
pub fn said_account(payload: &PaymentPayload<'_>) -> Option<Account> {
    networks::any_account(&said_payer(payload)?)
}

impl Refusal {
    fn of(request: &FacilitatorRequest<'_>, version: Version, reason: Reason) -> Self {
        let payer = said_payer(&request.payload).map(Cow::into_owned);
        Self { reason, version, payer, network: said_network(request) }
    }

    /// A refusal of an approved payment whose transfer reverted after all.
    pub fn of_approved(approved: &Approved, reason: Reason) -> Self {
        let Approved { version, payer, network, .. } = approved;
        Self { reason, version: *version, payer: Some(payer.clone()), network: network.clone() }
    }

    /// What it says in an event.
    pub fn facts(&self) -> Facts {
        Facts {
            network: Some(shorten(&self.network)),
            payer: self.payer.as_deref().and_then(address_only),
            reason: Some(self.spelled().to_owned()),
            message: Some(self.reason.detail.clone()).filter(|detail| !detail.is_empty()),
            ..Facts::default()
        }
    }

    /// The reason string on the wire.
    pub const fn spelled(&self) -> &'static str {
        self.reason.code.spell(self.version)
    }

    /// The answer to `/verify`.
    pub fn to_verify_response(&self) -> VerifyResponse {
        VerifyResponse {
            is_valid: false,
            invalid_reason: Some(self.spelled().to_owned()),
            invalid_message: Some(self.reason.told()),
            payer: self.payer.clone(),
        }
    }

    /// The answer to `/settle`.
    pub fn to_settle_response(&self) -> SettleResponse {
        SettleResponse {
            success: false,
            error_reason: Some(self.spelled().to_owned()),
            error_message: Some(self.reason.told()),
            payer: self.payer.clone(),
            transaction: String::new(),
            network: self.network.clone(),
            amount: None,
        }
    }
}

impl Approved {
    /// The answer to `/verify`.
    pub fn to_verify_response(&self) -> VerifyResponse {
        VerifyResponse { is_valid: true, payer: Some(self.payer.clone()), ..VerifyResponse::default() }
    }

    /// The answer to `/settle` once the transaction is made.
    pub fn to_settle_response(&self, transaction: String) -> SettleResponse {
        SettleResponse {
            success: true,
            payer: Some(self.payer.clone()),
            transaction,
            network: self.network.clone(),
            ..SettleResponse::default()
        }
    }
}
