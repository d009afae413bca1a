//! What a payer makes of requirements: an authorization, signed, in a payload.
//!
//! The other direction of [`claim`](super::claim). Source: TS 2.27 evm `exact/client/eip3009.ts` and
//! `exact/v1/client/scheme.ts`, core `x402Client.createPaymentPayload`; payloads are the same byte for byte.

use alloy_primitives::{Address, B256, U256, hex};
use x402_wire::amount::parse_atomic;
use x402_wire::document::Document;

use super::defect::{Defect, Spoil};
use crate::accounts::TestAccount;
use crate::networks::eip155::assets::v1_chain_id;
use crate::networks::eip155::eip712::{Authorization, Domain};
use crate::networks::eip155::permit2::Scheme;
use crate::networks::eip155::permit2::permit::{Permit, Witness};
use crate::networks::eip155::{self, checksum, parse_address, secp};
use crate::registry::Version;

/// How far before now an authorization of version 1 begins, in seconds.
const V1_HEAD_START: u64 = 600;

/// Requirements that can be signed for, as a client reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Their protocol version.
    pub version: Version,
    /// The requirements as they were written.
    pub requirements: Document,
    /// The chain.
    pub chain_id: u64,
    /// The asset's contract.
    pub asset: Address,
    pay_to: Address,
    amount: U256,
    lifetime: u64,
    name: String,
    domain_version: String,
    permit2: Option<ByPermit2>,
}

/// What is particular where the Permit2 contract moves the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByPermit2 {
    /// The scheme.
    pub scheme: Scheme,
    /// Who may move the money.
    pub spender: Address,
    /// Who may say how much moves; only in `upto`.
    pub facilitator: Option<Address>,
}

/// Why a client cannot sign for requirements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSignable {
    /// A member is missing or of another type.
    #[error("{key}: expected {expected}, found {found}")]
    Member {
        /// Its key.
        key: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Another scheme.
    #[error("scheme {found} is not signed here, only \"exact\" and, in version 2, \"upto\" are")]
    Scheme {
        /// What stands there.
        found: String,
    },
    /// A network of another family, or a name that no chain has.
    #[error("network {found} is no EVM network of version {}", version.number())]
    Network {
        /// What stands there.
        found: String,
        /// In which version.
        version: Version,
    },
    /// Another way to transfer than EIP-3009, and in version 2 Permit2.
    #[error(
        "it asks for the transfer method {found}, and only \"eip3009\" and, in version 2, \"permit2\" are signed here"
    )]
    Method {
        /// What stands there.
        found: String,
    },
    /// `upto` without a facilitator.
    #[error("upto scheme requires facilitatorAddress in paymentRequirements.extra")]
    Facilitator,
    /// A payment flow that no official client knows.
    #[error("it asks for the payment flow {found}, which no client knows")]
    Flow {
        /// What stands there.
        found: String,
    },
    /// The domain of the asset's signatures is not said.
    #[error(
        "EIP-712 domain parameters (name, version) are required in payment requirements for asset {}", checksum(*asset)
    )]
    Domain {
        /// The asset.
        asset: Address,
    },
}

/// When and how long an authorization is valid, and its nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The clock, in seconds.
    pub now: u64,
    /// How long it is valid, in seconds, if not as long as the requirements say.
    pub lifetime: Option<u64>,
    /// A number used once by the payer.
    pub nonce: B256,
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The address of the key.
    pub address: Address,
    /// The key. Those of the test accounts are public.
    pub key: [u8; 32],
}

/// What surrounds the requirements in an offer, and is repeated in the payload of version 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What is paid for.
    pub resource: Option<Document>,
    /// What extensions announce.
    pub extensions: Option<Document>,
}

/// A payment before it is signed. A defect may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The authorization.
    pub authorization: Authorization,
    /// Who signs.
    pub signer: Signer,
    /// The domain's name.
    pub name: String,
    /// The domain's version.
    pub domain_version: String,
    /// The domain's chain.
    pub chain_id: u64,
    /// The domain's contract.
    pub contract: Address,
    /// The requirements as the payload repeats them.
    pub accepted: Document,
    /// The protocol version.
    pub version: Version,
    /// The clock, in seconds.
    pub now: u64,
    /// What is particular where the Permit2 contract moves the money: the authorization is written as a permit then.
    pub permit2: Option<ByPermit2>,
}

/// A payment that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The payload.
    pub payload: Document,
    /// What was signed.
    pub digest: B256,
    /// Whose key signed it.
    pub signer: Address,
}

/// A defect that would change nothing in a payment of these terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` changes nothing here: {what} is what these requirements ask for")]
pub struct NoDefect {
    name: &'static str,
    what: &'static str,
}

impl Terms {
    /// Reads requirements as a client does.
    pub fn read(version: Version, requirements: &Document) -> Result<Self, NotSignable> {
        let text = |key| text(requirements, key);
        let scheme = match (text("scheme")?, version) {
            ("exact", _) => Scheme::Exact,
            ("upto", Version::V2) => Scheme::Upto,
            _ => return Err(NotSignable::Scheme { found: found(requirements.get("scheme")) }),
        };
        let network = text("network")?;
        let chain_id = match version {
            Version::V1 => v1_chain_id(network),
            Version::V2 => eip155::chain_id(network),
        };
        let no_network = || NotSignable::Network { found: found(requirements.get("network")), version };
        let extra = |key| requirements.get("extra").and_then(|extra| extra.get(key));
        let unless = |key, known: &[&str]| extra(key).filter(|said| !known.iter().any(|&own| said.text() == Some(own)));
        let chain_id = chain_id.ok_or_else(no_network)?;
        let methods: &[&str] = if version == Version::V2 { &["eip3009", "permit2"] } else { &["eip3009"] };
        if let Some(method) = unless("assetTransferMethod", methods) {
            return Err(NotSignable::Method { found: method.describe() });
        }
        let is_permit2 = extra("assetTransferMethod").and_then(Document::text) == Some("permit2");
        let permit2 = match scheme {
            Scheme::Exact => is_permit2.then(|| ByPermit2 { scheme, spender: scheme.proxy(), facilitator: None }),
            Scheme::Upto => {
                let facilitator = extra("facilitatorAddress").and_then(Document::text).and_then(parse_address);
                let facilitator = Some(facilitator.ok_or(NotSignable::Facilitator)?);
                Some(ByPermit2 { scheme, spender: scheme.proxy(), facilitator })
            }
        };
        if let Some(flow) = unless("paymentFlow", &["authorization", "upfront", "escrow"]) {
            return Err(NotSignable::Flow { found: flow.describe() });
        }
        let asset = address(requirements, "asset")?;
        let domain = |key| extra(key).and_then(Document::text).filter(|text| !text.is_empty());
        let (name, domain_version) = match (domain("name"), domain("version"), permit2) {
            // The domain is Permit2's own.
            (.., Some(_)) => ("", ""),
            (Some(name), Some(version), None) => (name, version),
            _ => return Err(NotSignable::Domain { asset }),
        };
        let seconds = requirements.get("maxTimeoutSeconds");
        let lifetime = seconds.and_then(Document::whole);
        Ok(Self {
            version,
            chain_id,
            asset,
            pay_to: address(requirements, "payTo")?,
            amount: amount(requirements, amount_key(version))?,
            lifetime: lifetime.ok_or_else(|| wrong("maxTimeoutSeconds", "a whole number of seconds", seconds))?,
            name: name.to_owned(),
            domain_version: domain_version.to_owned(),
            permit2,
            requirements: requirements.clone(),
        })
    }

    /// What an official client would sign.
    pub fn draft(&self, signer: Signer, occasion: &Occasion) -> Draft {
        let Occasion { now, lifetime, nonce } = *occasion;
        let valid_after = match self.version {
            Version::V1 => now.saturating_sub(V1_HEAD_START),
            Version::V2 => 0,
        };
        let authorization = Authorization {
            from: signer.address,
            to: self.pay_to,
            value: self.amount,
            valid_after: U256::from(valid_after),
            valid_before: U256::from(now) + U256::from(lifetime.unwrap_or(self.lifetime)),
            nonce,
        };
        Draft {
            authorization,
            signer,
            name: self.name.clone(),
            domain_version: self.domain_version.clone(),
            chain_id: self.chain_id,
            contract: self.asset,
            accepted: self.requirements.clone(),
            version: self.version,
            now,
            permit2: self.permit2,
        }
    }

    /// What is particular where the Permit2 contract moves the money.
    pub const fn by_permit2(&self) -> Option<ByPermit2> {
        self.permit2
    }
}

impl Draft {
    /// Signs and writes the payment, spoilt by a defect if one is given.
    pub fn sign(self, around: Surroundings, defect: Option<&Defect>) -> Result<Signed, NoDefect> {
        let Some(defect) = defect else { return Ok(self.write(&self.signature(), around)) };
        let changed = |holds: bool| if holds { Ok(()) } else { Err(NoDefect { name: defect.name, what: defect.what }) };
        match defect.spoil {
            Spoil::Draft(spoil) => {
                let mut draft = self.clone();
                spoil(&mut draft);
                changed(draft != self)?;
                Ok(draft.write(&draft.signature(), around))
            }
            Spoil::Signed(spoil) => {
                let mut signed = self.clone();
                spoil(&mut signed);
                changed((signed.digest(), signed.signer) != (self.digest(), self.signer))?;
                let signature = signed.signature();
                let payload = self.write(&signature, around).payload;
                Ok(Signed { payload, digest: signed.digest(), signer: signed.signer.address })
            }
            Spoil::Digest(spoil) => {
                let digest = spoil(&self);
                let payload = self.write(&sign(digest, &self.signer), around).payload;
                Ok(Signed { payload, digest, signer: self.signer.address })
            }
            Spoil::Signature(spoil) => {
                let pristine = self.signature();
                let signature = spoil(&pristine);
                changed(signature != pristine)?;
                Ok(self.write(&signature, around))
            }
            Spoil::Payload(spoil) => {
                let pristine = self.write(&self.signature(), around);
                let mut payload = pristine.payload.clone();
                spoil(&mut payload);
                changed(payload != pristine.payload)?;
                Ok(Signed { payload, ..pristine })
            }
        }
    }

    /// The permit that the authorization is written as.
    fn permit(&self, by: ByPermit2) -> Permit {
        let Authorization { to, value, valid_after, valid_before, nonce, .. } = self.authorization;
        Permit {
            chain_id: self.chain_id,
            token: self.contract,
            amount: value,
            spender: by.spender,
            nonce: U256::from_be_bytes(nonce.0),
            deadline: valid_before,
            witness: Witness { to, facilitator: by.facilitator, valid_after },
        }
    }

    /// What is signed.
    pub(super) fn digest(&self) -> B256 {
        if let Some(by) = self.permit2 {
            return self.permit(by).digest();
        }
        let Self { name, domain_version: version, chain_id, contract, .. } = self;
        self.authorization.digest(Domain { name, version, chain_id: *chain_id, contract: *contract }.separator())
    }

    fn signature(&self) -> Vec<u8> {
        sign(self.digest(), &self.signer)
    }

    /// The payload, its members in the order in which official clients write them.
    fn write(&self, signature: &[u8], around: Surroundings) -> Signed {
        let payload = match self.permit2 {
            Some(by) => self.write_permit(self.permit(by), signature),
            None => self.write_authorization(signature),
        };
        let number = Document::from(self.version.number());
        let payload = match self.version {
            Version::V1 => {
                let said = |key| self.accepted.get(key).cloned().unwrap_or(Document::Null);
                let (scheme, network) = (said("scheme"), said("network"));
                Document::object([
                    ("x402Version", number),
                    ("scheme", scheme),
                    ("network", network),
                    ("payload", payload),
                ])
            }
            Version::V2 => {
                let mut members = vec![("x402Version", number), ("payload", payload)];
                members.extend(around.extensions.map(|extensions| ("extensions", extensions)));
                members.extend(around.resource.map(|resource| ("resource", resource)));
                members.push(("accepted", self.accepted.clone()));
                Document::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }
        };
        Signed { payload, digest: self.digest(), signer: self.signer.address }
    }

    /// Source: TS 2.27 evm `shared/permit2.ts`, `upto/client/permit2.ts`.
    fn write_permit(&self, permit: Permit, signature: &[u8]) -> Document {
        let Permit { token, amount, spender, nonce, deadline, witness, .. } = permit;
        let number = |key, number: U256| (key, Document::from(number.to_string()));
        let address = |key, address: Address| (key, Document::from(checksum(address)));
        let mut witnessed = vec![address("to", witness.to)];
        witnessed.extend(witness.facilitator.map(|facilitator| address("facilitator", facilitator)));
        witnessed.push(number("validAfter", witness.valid_after));
        let witness = Document::Object(witnessed.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        let signed = Document::object([
            address("from", self.authorization.from),
            ("permitted", Document::object([address("token", token), number("amount", amount)])),
            address("spender", spender),
            number("nonce", nonce),
            number("deadline", deadline),
            ("witness", witness),
        ]);
        let signature = Document::from(hex::encode_prefixed(signature));
        Document::object([("signature", signature), ("permit2Authorization", signed)])
    }

    fn write_authorization(&self, signature: &[u8]) -> Document {
        let Authorization { from, to, value, valid_after, valid_before, nonce } = self.authorization;
        let number = |key, number: U256| (key, Document::from(number.to_string()));
        let authorization = Document::object([
            ("from", Document::from(checksum(from))),
            ("to", Document::from(checksum(to))),
            number("value", value),
            number("validAfter", valid_after),
            number("validBefore", valid_before),
            ("nonce", Document::from(nonce.to_string())),
        ]);
        let signature = Document::from(hex::encode_prefixed(signature));
        Document::object([("authorization", authorization), ("signature", signature)])
    }
}

/// `r`, `s` and `v` of a digest.
fn sign(digest: B256, signer: &Signer) -> Vec<u8> {
    let (compact, parity) = secp::sign(digest, &signer.key);
    [&compact[..], &[27 + parity]].concat()
}

impl From<TestAccount> for Signer {
    fn from(account: TestAccount) -> Self {
        Self { address: account.evm(), key: account.key_bytes() }
    }
}

/// Where requirements say how much they ask.
pub const fn amount_key(version: Version) -> &'static str {
    match version {
        Version::V1 => "maxAmountRequired",
        Version::V2 => "amount",
    }
}

fn text<'a>(requirements: &'a Document, key: &'static str) -> Result<&'a str, NotSignable> {
    let said = requirements.get(key);
    said.and_then(Document::text).ok_or_else(|| wrong(key, "a string", said))
}

fn address(requirements: &Document, key: &'static str) -> Result<Address, NotSignable> {
    let address = parse_address(text(requirements, key)?);
    address.ok_or_else(|| wrong(key, "an address: 0x and 40 hexadecimal digits", requirements.get(key)))
}

fn amount(requirements: &Document, key: &'static str) -> Result<U256, NotSignable> {
    let written = text(requirements, key)?;
    // A number that would be written otherwise would not be repeated as it is.
    let decimal = parse_atomic(written).filter(|amount| amount.to_string() == written);
    decimal.ok_or_else(|| wrong(key, "a decimal integer of atomic units, as a string", requirements.get(key)))
}

fn wrong(key: &'static str, expected: &'static str, value: Option<&Document>) -> NotSignable {
    NotSignable::Member { key, expected, found: found(value) }
}

fn found(value: Option<&Document>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Document::describe)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, b256};

    use super::*;
    use crate::networks::eip155::eip3009::defect::DEFECTS;

    const V2: &str = r#"{"scheme":"exact","network":"eip155:84532","amount":"1000","payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","extra":{"version":"2","name":"USDC"}}"#;
    const V1: &str = r#"{"scheme":"exact","network":"base-sepolia","maxAmountRequired":"1000","payTo":"0x209693bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":60,"asset":"0x036cbd53842c5426634e7929541ec2318f3dcf7e","extra":{"name":"USDC","version":"2"}}"#;

    fn golden() -> (Signer, Occasion) {
        let signer = Signer { address: address!("19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"), key: [0x11; 32] };
        (signer, Occasion { now: 1_999_999_940, lifetime: None, nonce: B256::repeat_byte(0xab) })
    }

    fn terms(version: Version, text: &str) -> Result<Terms, NotSignable> {
        Terms::read(version, &Document::parse(text.as_bytes()).unwrap())
    }

    /// The golden vector that the official SDK and viem made, in the payload that the official client writes.
    #[test]
    fn the_golden_vector_is_written_as_the_official_client_writes_it() {
        let (payer, occasion) = golden();
        let around = Surroundings {
            resource: Some(Document::object([("url", Document::from("http://a/b"))])),
            extensions: Some(Document::Object(Vec::new())),
        };
        let signed = terms(Version::V2, V2).unwrap().draft(payer, &occasion).sign(around, None).unwrap();
        assert_eq!(signed.digest, b256!("7590bdc769d938437fa5a6a8bb58d62ce68fed6a4ce9fe075fa24cb45f1cb4e0"));
        assert_eq!(signed.signer, payer.address);
        let nonce = B256::repeat_byte(0xab);
        let signature = "0xcae8ac94c429d67dfe487cb002be6a2fea21c98160360242e9e94848abcde0eb\
                         56b2e00767a96d4d65a43a3f0b83eda20a037793d4d2b2f94dddcd1f8a7047981b";
        let authorization = format!(
            r#"{{"from":"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A","to":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","value":"1000","validAfter":"0","validBefore":"2000000000","nonce":"{nonce}"}}"#
        );
        let expected = format!(
            r#"{{"x402Version":2,"payload":{{"authorization":{authorization},"signature":"{signature}"}},"extensions":{{}},"resource":{{"url":"http://a/b"}},"accepted":{V2}}}"#
        );
        assert_eq!(signed.payload.to_json(), expected);
    }

    #[test]
    fn version_1_begins_ten_minutes_ago_and_names_scheme_and_network() {
        let (payer, occasion) = golden();
        let occasion = Occasion { lifetime: Some(7), ..occasion };
        let draft = terms(Version::V1, V1).unwrap().draft(payer, &occasion);
        assert_eq!(draft.authorization.valid_after, U256::from(1_999_999_340));
        assert_eq!(draft.authorization.valid_before, U256::from(1_999_999_947));
        let payload = draft.sign(Surroundings::default(), None).unwrap().payload;
        assert_eq!(payload.keys().collect::<Vec<_>>(), ["x402Version", "scheme", "network", "payload"]);
        assert_eq!(payload.get("network").and_then(Document::text), Some("base-sepolia"));
    }

    #[test]
    fn what_no_client_signs_for_is_refused_with_the_place() {
        for (from, to, part) in [
            ("\"exact\"", "\"batch-settlement\"", "scheme \"batch-settlement\""),
            ("\"exact\"", "\"upto\"", "requires facilitatorAddress"),
            ("\"exact\"", "7", "scheme: expected a string, found the number 7"),
            ("eip155:84532", "solana:x", "network \"solana:x\" is no EVM network of version 2"),
            ("eip155:84532", "base-sepolia", "network \"base-sepolia\""),
            ("\"1000\"", "1000", "amount: expected a string, found the number 1000"),
            ("\"1000\"", "\"0x10\"", "found \"0x10\""),
            ("\"1000\"", "\"010\"", "found \"010\""),
            ("\"1000\"", "\"-1\"", "found \"-1\""),
            ("0x209693Bc", "0x", "payTo: expected an address"),
            ("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "asset: expected an address"),
            ("\"name\":\"USDC\"", "\"name\":\"\"", "EIP-712 domain parameters"),
            ("\"extra\"", "\"other\"", "EIP-712 domain parameters"),
            ("{\"version\"", "{\"assetTransferMethod\":\"magic\",\"version\"", "\"magic\""),
            ("{\"version\"", "{\"paymentFlow\":\"later\",\"version\"", "\"later\""),
            (":60", ":1.5", "maxTimeoutSeconds: expected a whole number of seconds, found the number 1.5"),
            (":60", ":\"60\"", "maxTimeoutSeconds"),
            (":60", ":-1", "maxTimeoutSeconds"),
        ] {
            let text = V2.replacen(from, to, 1);
            assert_ne!(text, V2);
            let error = terms(Version::V2, &text).unwrap_err().to_string();
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        assert!(terms(Version::V1, V2).is_err() && terms(Version::V2, V1).is_err());
    }

    #[test]
    fn every_defect_changes_the_payload_and_only_what_it_names() {
        let (payer, occasion) = golden();
        for (version, text) in [(Version::V2, V2), (Version::V1, V1)] {
            let draft = terms(version, text).unwrap().draft(payer, &occasion);
            let good = draft.clone().sign(Surroundings::default(), None).unwrap();
            for defect in DEFECTS {
                let bad = draft.clone().sign(Surroundings::default(), Some(defect)).unwrap();
                assert_ne!(bad.payload, good.payload, "{}", defect.name);
                assert_eq!(draft.clone().sign(Surroundings::default(), Some(defect)), Ok(bad), "{}", defect.name);
            }
        }
    }

    #[test]
    fn a_defect_that_changes_nothing_is_refused() {
        let (payer, occasion) = golden();
        let free = terms(Version::V2, &V2.replacen("\"1000\"", "\"0\"", 1)).unwrap();
        for name in ["underpaid", "zero-value"] {
            let defect = DEFECTS.iter().find(|defect| defect.name == name).unwrap();
            let error = free.draft(payer, &occasion).sign(Surroundings::default(), Some(defect)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
