//! Broken payments by the dice: each with the causes that must be found.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use x402_sim::B256;
use x402_sim::accounts;
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::defect::{DEFECTS, PERMIT2_DEFECTS};
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Surroundings, Terms};
use x402_sim::networks::{Family, Network, Transfer};
use x402_sim::registry::{self, Version};
use x402_wire::document::Document;
use x402_wire::header;

pub(crate) const NOW: u64 = 1_795_000_000;

/// What a defect of the signer must be found as, and where in the official sequence that is met.
fn expected(name: &str, version: Version) -> (&'static [&'static str], u8) {
    let matched = version == Version::V2;
    match name {
        "expired" | "expiring" => (&["expired"], 16),
        "swapped-times" => (&["times_swapped"], 16),
        "never-valid" => (&["window_empty"], 16),
        "not-yet-valid" => (&["not_yet_valid"], 17),
        "giant-window" => (&["lifetime_too_long"], 90),
        "wrong-domain" => (&["wrong_domain_name"], 14),
        "wrong-domain-version" => (&["wrong_domain_version"], 14),
        "wrong-chain" => (&["wrong_chain_id"], 14),
        // The domain of Permit2 has no token, so that only its chain is another.
        "wrong-network-domain" => (&["wrong_network_domain", "wrong_chain_id"], 14),
        "swapped-parties" => (&["from_and_to_swapped"], 14),
        "personal-sign" => (&["signed_as_message"], 14),
        "double-hash" => (&["digest_not_eip712"], 14),
        "s-before-r" | "v-first" => (&["signature_order"], 14),
        "wrong-parity" => (&["signature_parity"], 14),
        "wrong-signer" => (&["wrong_key"], 14),
        "tampered" => (&["changed_after_signing"], 14),
        "high-s" => (&["signature_high_s"], 50),
        "low-v" => (&["signature_v"], 50),
        "bad-v" => (&["signature_v"], 14),
        "short-signature" => (&["signature_compact", "signature_length"], 14),
        "long-signature" => (&["signature_length"], 14),
        "empty-signature" => (&["signature_empty"], 14),
        "wrapped-signature" => (&["signature_wrapped"], 13),
        "checksum" => (&["address_checksum"], 14),
        "wrong-recipient" => (&["wrong_payee"], 15),
        "underpaid" | "overpaid" | "zero-value" => (&["amount_mismatch"], 18),
        "wrong-scheme" => (&["scheme_mismatch"], if matched { 2 } else { 10 }),
        "wrong-network" => (&["network_mismatch"], if matched { 2 } else { 12 }),
        "wrong-asset" if matched => (&["wrong_asset"], 2),
        "wrong-contract" | "wrong-asset" => (&["wrong_verifying_contract"], 14),
        "wrong-version" => (&["version_unknown"], 1),
        "missing-field" => (&["missing_field"], 4),
        "missing-signature" => (&["missing_field"], 6),
        "number-amount" => (&["number_not_text"], 4),
        "hex-amount" => (&["hex_number"], 4),
        "wrong-spender" => (&["permit2_spender"], 13),
        "wrong-witness" => (&["permit2_witness"], 20),
        "wrong-facilitator" => (&["upto_facilitator"], 15),
        other => panic!("{other} has no expectation"),
    }
}

/// Defects that are of the times, so that another time is no second mistake beside them.
const OF_TIME: [&str; 7] =
    ["expired", "expiring", "not-yet-valid", "missing-field", "giant-window", "swapped-times", "never-valid"];

/// Chance with a seed.
pub(crate) struct Dice(pub(crate) ChaCha12Rng);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.0.next_u64() % most as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn nonce(&mut self) -> B256 {
        let mut nonce = B256::ZERO;
        self.0.fill_bytes(nonce.as_mut_slice());
        nonce
    }
}

/// A payment that is broken in known ways.
pub(crate) struct Broken {
    pub(crate) header: String,
    pub(crate) requirements: Value,
    pub(crate) now: u64,
    /// What must be found, the first first.
    pub(crate) causes: Vec<&'static [&'static str]>,
    pub(crate) what: String,
}

pub(crate) fn networks(transfer: Transfer) -> Vec<Network> {
    let fits = |network: &Network| network.assets[0].transfer == transfer && network.family == Family::Eip155;
    registry::networks().into_iter().filter(|network| registry::is_payable(network) && fits(network)).collect()
}

pub(crate) fn requirements(dice: &mut Dice, network: &Network, version: Version) -> Value {
    let asset = &network.assets[0];
    let amount = (1_000 + dice.below(900_000)).to_string();
    let payee = accounts::test_accounts().nth(dice.below(10)).unwrap();
    let (key, name) = match version {
        Version::V1 => ("maxAmountRequired", network.v1_name.clone().unwrap()),
        Version::V2 => ("amount", network.id.clone()),
    };
    let mut own = json!({
        "scheme": "exact", "network": name, "asset": asset.address, "payTo": payee.address,
        "maxTimeoutSeconds": 60 + dice.below(240), "extra": {"name": asset.name, "version": asset.version},
    });
    own[key] = json!(amount);
    own
}

pub(crate) fn sign(dice: &mut Dice, version: Version, asked: &Value, defect: Option<&Defect>) -> Option<Value> {
    let terms = Terms::read(version, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let to = asked["payTo"].as_str().unwrap();
    let payer = accounts::test_accounts().take(8).filter(|account| account.address != to).nth(dice.below(7)).unwrap();
    let occasion = Occasion { now: NOW, lifetime: None, nonce: dice.nonce() };
    let resource = Document::object([("url", Document::from("https://api.example/report"))]);
    let around = Surroundings { resource: Some(resource), extensions: None };
    let signed = terms.draft(payer.into(), &occasion).sign(around, defect).ok()?;
    Some(serde_json::to_value(&signed.payload).unwrap())
}

fn name_of(version: Version) -> &'static str {
    if version == Version::V1 { "X-PAYMENT" } else { "PAYMENT-SIGNATURE" }
}

pub(crate) fn broken(version: Version, payload: &Value, requirements: Value, what: String) -> Broken {
    let header = format!("{}: {}", name_of(version), header::encode(payload));
    Broken { header, requirements, now: NOW, causes: Vec::new(), what }
}

/// One mistake of the signer's.
pub(crate) fn single(dice: &mut Dice) -> Option<(Broken, u8, &'static str, Version, Value)> {
    let version = *dice.pick(&[Version::V1, Version::V2, Version::V2]);
    let all = networks(Transfer::Eip3009);
    let all: Vec<Network> = all.into_iter().filter(|own| version == Version::V2 || own.v1_name.is_some()).collect();
    let network = dice.below(all.len());
    let asked = requirements(dice, &all[network], version);
    let defect = dice.pick(DEFECTS);
    let payload = sign(dice, version, &asked, Some(defect))?;
    let (causes, step) = expected(defect.name, version);
    let mut own = broken(version, &payload, asked, format!("{} in version {}", defect.name, version.number()));
    own.causes.push(causes);
    Some((own, step, defect.name, version, payload))
}

/// A second mistake, of another kind: in the header, in the requirements that have changed meanwhile, in the times.
pub(crate) fn double(dice: &mut Dice) -> Option<Broken> {
    let (own, step, name, version, mut payload) = single(dice)?;
    let Broken { requirements, what, mut causes, .. } = own;
    let mut header = None;
    let (second, at): (&'static [&'static str], u8) = match dice.below(5) {
        0 => {
            let other = if version == Version::V1 { "PAYMENT-SIGNATURE" } else { "X-PAYMENT" };
            let name = if version == Version::V1 { "v1_payload_in_v2_header" } else { "v1_header_name" };
            // What says version 3 is told by its shape.
            header = Some(other);
            (if name == "v1_header_name" { &["v1_header_name"] } else { &["v1_payload_in_v2_header"] }, 0)
        }
        1 if version == Version::V2 && !["wrong-asset", "wrong-network"].contains(&name) => {
            payload["accepted"]["maxTimeoutSeconds"] = json!(7777);
            (&["timeout_altered"], 2)
        }
        2 if !["missing-field", "checksum"].contains(&name) => {
            let nonce = payload.pointer("/payload/authorization/nonce")?.as_str()?.trim_start_matches("0x").to_owned();
            payload["payload"]["authorization"]["nonce"] = json!(nonce);
            (&["hex_prefix"], 5)
        }
        3 if step > 4 && version == Version::V1 => {
            payload["network"] = json!("base-sepolia-mainnet");
            (&["network_mismatch"], 12)
        }
        4 if !OF_TIME.contains(&name) => {
            let before = payload.pointer_mut("/payload/authorization/validBefore")?;
            // The signature is of the old time.
            let unsigned = ["missing-signature", "empty-signature"].contains(&name);
            let other = json!((NOW + 86).to_string());
            if step == 14 || step == 13 || step == 50 || unsigned || *before == other {
                return None;
            }
            *before = other;
            (&["changed_after_signing"], 14)
        }
        _ => return None,
    };
    if at == step {
        return None;
    }
    if at < step {
        causes.insert(0, second);
    } else {
        causes.push(second);
    }
    let name = header.unwrap_or_else(|| name_of(version));
    let header = format!("{name}: {}", header::encode(&payload));
    Some(Broken { header, requirements, now: NOW, causes, what: format!("{what}, and {}", second[0]) })
}

/// One mistake of a signer for Permit2, and the payment.
fn by_permit2(dice: &mut Dice) -> Option<(Broken, u8, Value)> {
    let all = networks(*dice.pick(&[Transfer::Eip3009, Transfer::Permit2]));
    let network = &all[dice.below(all.len())];
    let mut asked = requirements(dice, network, Version::V2);
    let upto = dice.below(2) == 1;
    asked["extra"]["assetTransferMethod"] = json!("permit2");
    if upto {
        asked["scheme"] = json!("upto");
        asked["extra"]["facilitatorAddress"] = json!(accounts::facilitator().address);
    }
    let defects: Vec<&Defect> = DEFECTS.iter().chain(PERMIT2_DEFECTS).collect();
    let defect = *dice.pick(&defects);
    // Permit2 has a domain of its own, and takes any `s` and any spelling.
    let same = ["wrong-domain", "wrong-domain-version", "wrong-contract", "high-s", "checksum", "short-signature"];
    if same.contains(&defect.name) {
        return None;
    }
    let payload = sign(dice, Version::V2, &asked, Some(defect))?;
    let (causes, step) = expected(defect.name, Version::V2);
    // What makes a payload one of `upto` is looked for before any number is read, and the signature first of it.
    let step = if upto && defect.name == "missing-signature" { 3 } else { step };
    let scheme = asked["scheme"].as_str().unwrap().to_owned();
    let mut own = broken(Version::V2, &payload, asked, format!("{} by Permit2, {scheme}", defect.name));
    own.causes.push(if defect.name == "wrapped-signature" { &["signature_wrapped"] } else { causes });
    Some((own, step, payload))
}

pub(crate) fn permit2(dice: &mut Dice) -> Option<Broken> {
    by_permit2(dice).map(|(own, ..)| own)
}

/// Two mistakes in a payment by Permit2: the second in the header, in what was accepted, in the spelling of a number.
pub(crate) fn permit2_double(dice: &mut Dice) -> Option<Broken> {
    let (own, step, mut payload) = by_permit2(dice)?;
    let Broken { requirements, what, mut causes, .. } = own;
    let mut name = "PAYMENT-SIGNATURE";
    let (second, at): (&'static [&'static str], u8) = match dice.below(3) {
        0 => {
            name = "X-PAYMENT";
            (&["v1_header_name"], 0)
        }
        1 => {
            payload["accepted"]["maxTimeoutSeconds"] = json!(7777);
            (&["timeout_altered"], 2)
        }
        _ => {
            let deadline = payload.pointer_mut("/payload/permit2Authorization/deadline")?;
            *deadline = json!(deadline.as_str()?.parse::<u64>().ok()?);
            (&["number_not_text"], 4)
        }
    };
    if at == step {
        return None;
    }
    causes.insert(usize::from(at > step), second);
    let header = format!("{name}: {}", header::encode(&payload));
    Some(Broken { header, requirements, now: NOW, causes, what: format!("{what}, and {}", second[0]) })
}
