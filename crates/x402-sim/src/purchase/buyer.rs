//! What a door knows about who buys what, and the keys by which attempts are told to be one purchase.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use alloy_primitives::Keccak256;
use x402_wire::facilitator::FacilitatorRequest;
use x402_wire::json::Json;
use x402_wire::payload::PaymentPayload;

use super::Grouping;
use crate::facilitator::said_payer;

/// The extension that names a purchase.
const EXTENSION: &str = "payment-identifier";

/// The longest header that names a purchase, in bytes.
const LONGEST_HEADER: usize = 255;

/// Who buys what, as a door sees it: one for each request.
#[derive(Clone, Debug)]
pub struct Buyer<'a> {
    /// What the buyer itself calls the purchase.
    pub name: Option<Name<'a>>,
    /// Who says to pay, as it was written.
    pub payer: Option<Cow<'a, str>>,
    /// What is bought.
    pub wanted: Wanted<'a>,
}

/// What a buyer calls its purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Where it says so.
    pub grouping: Grouping,
    /// What it says.
    pub text: Cow<'a, str>,
}

/// What is bought.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The answer to this very request: at the resource door.
    Request {
        /// Its method.
        method: &'a str,
        /// Its path and query.
        target: &'a str,
        /// Its body.
        body: BodyHash,
    },
    /// What payload and requirements say: at the facilitator's door.
    Stated {
        /// The request to the facilitator.
        request: &'a FacilitatorRequest<'a>,
        /// What is asked.
        step: Step,
    },
}

/// What a facilitator is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To verify.
    Verify,
    /// To settle.
    Settle,
}

/// The hash of a request's body; the default stands for no body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BodyHash(u64);

/// Hashes a body as it comes.
#[derive(Clone, Debug, Default)]
pub struct BodyHasher(Option<Box<Keccak256>>);

/// By what attempts are told to be one purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(u64);

impl<'a> Buyer<'a> {
    /// The buyer behind a request to the facilitator.
    pub fn of_request(request: &'a FacilitatorRequest<'a>, step: Step) -> Self {
        let (name, payer) = (Name::of(&request.payload, None), said_payer(&request.payload));
        Self { name, payer, wanted: Wanted::Stated { request, step } }
    }

    /// The key of the purchase that the buyer has named.
    pub(super) fn named_key(&self) -> Option<Key> {
        let Name { grouping, text } = self.name.as_ref()?;
        let mut hasher = self.hasher(*grouping);
        text.hash(&mut hasher);
        // Whoever counts its purchases `1`, `2`, `3` does so for each resource.
        if let (Grouping::Header, Wanted::Request { target, .. }) = (grouping, self.wanted) {
            path(target).hash(&mut hasher);
        }
        Some(Key(hasher.finish()))
    }

    /// The key by which the purchase is guessed.
    pub(super) fn guessed_key(&self) -> Key {
        let mut hasher = self.hasher(Grouping::Guess);
        match self.wanted {
            Wanted::Request { method, target, body } => (0_u8, method, target, body).hash(&mut hasher),
            Wanted::Stated { request, .. } => {
                (1_u8, resource(request)).hash(&mut hasher);
                for name in ["scheme", "network", "asset", "payTo", "amount", "maxAmountRequired"] {
                    request.requirements.get(name).and_then(Json::as_str).hash(&mut hasher);
                }
            }
        }
        Key(hasher.finish())
    }

    /// Whether this is at the resource's door.
    pub(super) const fn is_at_resource(&self) -> bool {
        matches!(self.wanted, Wanted::Request { .. })
    }

    /// The method and the resource, for people.
    pub(super) fn resource(&self) -> (Option<&str>, Option<Cow<'_, str>>) {
        match self.wanted {
            Wanted::Request { method, target, .. } => (Some(method), Some(Cow::Borrowed(target))),
            Wanted::Stated { request, .. } => (None, resource(request)),
        }
    }

    fn hasher(&self, grouping: Grouping) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        grouping.hash(&mut hasher);
        // An address has two cases. In pieces, since each costs more than its bytes.
        for piece in self.payer.as_deref().unwrap_or_default().as_bytes().chunks(64) {
            let mut lower = [0; 64];
            lower[..piece.len()].copy_from_slice(piece);
            lower.make_ascii_lowercase();
            hasher.write(&lower[..piece.len()]);
        }
        hasher.write_u8(0xff);
        hasher
    }
}

impl<'a> Name<'a> {
    /// What a payload or the headers of its request call the purchase. The payload's own word counts first.
    pub fn of(payload: &PaymentPayload<'_>, header: Option<&'a str>) -> Option<Self> {
        let said = payload.extension(EXTENSION).and_then(|said| {
            let id = said.get("info")?.get("id")?.as_str()?;
            is_id(id).then(|| Self { grouping: Grouping::Id, text: Cow::Owned(id.to_owned()) })
        });
        said.or_else(|| Self::of_header(header?))
    }

    /// What the value of a header calls the purchase.
    pub fn of_header(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let usable = !text.is_empty() && text.len() <= LONGEST_HEADER;
        usable.then_some(Self { grouping: Grouping::Header, text: Cow::Borrowed(text) })
    }
}

/// 16 to 128 letters, digits, `-` and `_`: what the extension takes for an id.
fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (16..=128).contains(&text.len()) && text.bytes().all(allowed)
}

fn path(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// The address that the payload (version 2) or the requirements (version 1) name.
fn resource<'a>(request: &'a FacilitatorRequest<'a>) -> Option<Cow<'a, str>> {
    if let Some(stated) = request.requirements.get("resource").and_then(Json::as_str) {
        return Some(Cow::Borrowed(stated));
    }
    let stated = request.payload.resource()?;
    Some(Cow::Owned(stated.get("url")?.as_str()?.to_owned()))
}

impl BodyHasher {
    /// Takes in more bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_with(Box::default).update(bytes);
        }
    }

    /// The hash of all that was taken in.
    pub fn finish(self) -> BodyHash {
        let Some(hasher) = self.0 else { return BodyHash::default() };
        let mut number = [0; 8];
        number.copy_from_slice(&(*hasher).finalize()[..8]);
        BodyHash(u64::from_be_bytes(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(name: Option<&'a str>, payer: &'a str, method: &'a str, target: &'a str, body: &[u8]) -> Buyer<'a> {
        let mut hasher = BodyHasher::default();
        hasher.add(body);
        let wanted = Wanted::Request { method, target, body: hasher.finish() };
        Buyer { name: name.and_then(Name::of_header), payer: Some(payer.into()), wanted }
    }

    #[test]
    fn a_guess_tells_payer_method_address_and_body_apart() {
        let first = request(None, "0xAB", "GET", "/a?b=c", b"").guessed_key();
        assert_eq!(request(None, "0xab", "GET", "/a?b=c", b"").guessed_key(), first);
        for other in [
            request(None, "0xac", "GET", "/a?b=c", b""),
            request(None, "0xab", "POST", "/a?b=c", b""),
            request(None, "0xab", "GET", "/a?b=d", b""),
            request(None, "0xab", "GET", "/a", b""),
            request(None, "0xab", "GET", "/a?b=c", b"x"),
        ] {
            assert_ne!(other.guessed_key(), first, "{other:?}");
        }
    }

    #[test]
    fn a_header_names_a_purchase_of_one_payer_at_one_path() {
        let key = |name, payer, target| request(Some(name), payer, "GET", target, b"").named_key();
        let first = key("order-1", "0xab", "/a");
        assert!(first.is_some());
        assert_eq!(key(" order-1 ", "0xAB", "/a?retry=1"), first);
        for other in [key("order-2", "0xab", "/a"), key("order-1", "0xac", "/a"), key("order-1", "0xab", "/b")] {
            assert_ne!(other, first);
        }
        let long = "x".repeat(256);
        for nothing in ["", "  ", &long] {
            assert_eq!(key(nothing, "0xab", "/a"), None);
        }
    }

    #[test]
    fn the_payload_names_a_purchase_by_a_valid_id_and_before_any_header() {
        let name = |id: &str| {
            let text = format!(r#"{{"extensions": {{"payment-identifier": {{"info": {{"id": "{id}"}}}}}}}}"#);
            let payload = PaymentPayload::parse(&text).unwrap();
            Name::of(&payload, Some("order-1")).map(|name| (name.grouping, name.text.into_owned()))
        };
        let id = "pay_0123456789abcdef";
        assert_eq!(name(id), Some((Grouping::Id, id.to_owned())));
        for wrong in ["", "too-short", "pay_0123456789 abcdef", &"x".repeat(129)] {
            assert_eq!(name(wrong), Some((Grouping::Header, "order-1".to_owned())), "{wrong}");
        }
    }

    #[test]
    fn at_the_facilitator_payer_resource_and_requirements_make_the_guess() {
        let key = |from: &str, url: &str, amount: &str| {
            let text = format!(
                r#"{{"paymentPayload": {{"payload": {{"authorization": {{"from": "{from}"}}}}, "resource": {{"url": "{url}"}}}},
                    "paymentRequirements": {{"scheme": "exact", "amount": "{amount}"}}}}"#
            );
            let request = FacilitatorRequest::parse(text.as_bytes()).unwrap();
            Buyer::of_request(&request, Step::Verify).guessed_key()
        };
        let first = key("0xab", "http://a/", "1");
        assert_eq!(key("0xab", "http://a/", "1"), first);
        for other in [key("0xac", "http://a/", "1"), key("0xab", "http://b/", "1"), key("0xab", "http://a/", "2")] {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn a_body_is_hashed_whatever_its_pieces() {
        let hash = |pieces: &[&[u8]]| {
            let mut hasher = BodyHasher::default();
            for piece in pieces {
                hasher.add(piece);
            }
            hasher.finish()
        };
        assert_eq!(hash(&[b"ab", b"", b"c"]), hash(&[b"abc"]));
        assert_eq!(hash(&[b""]), BodyHash::default());
        assert_ne!(hash(&[b"abc"]), hash(&[b"abd"]));
    }
}
