//! Five hundred broken payments, made by the signer with fixed seeds: the right cause must come first, and of two
//! mistakes both must be found.

use std::fmt::Write as _;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use x402_sim::B256;
use x402_sim::accounts;
use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::read::read;
use x402_sim::networks::eip155::eip3009::Defect;
use x402_sim::networks::eip155::eip3009::defect::{DEFECTS, PERMIT2_DEFECTS};
use x402_sim::networks::eip155::eip3009::draft::{Occasion, Surroundings, Terms};
use x402_sim::networks::solana::exact::draft as svm;
use x402_sim::networks::solana::key::Key;
use x402_sim::networks::{Family, Network, Transfer, solana};
use x402_sim::registry::{self, Version};
use x402_wire::document::Document;
use x402_wire::header;

const NOW: u64 = 1_795_000_000;

/// The seed of the whole corpus. Another gives other payments, and must give the same result.
const SEED: u64 = 402_402_402;

/// What a defect of the signer must be found as, and where in the official sequence that is met.
fn expected(name: &str, version: Version) -> (&'static [&'static str], u8) {
    let matched = version == Version::V2;
    match name {
        "expired" | "expiring" => (&["expired"], 16),
        "not-yet-valid" => (&["not_yet_valid"], 17),
        "giant-window" => (&["lifetime_too_long"], 90),
        "wrong-domain" => (&["wrong_domain_name"], 14),
        "wrong-domain-version" => (&["wrong_domain_version"], 14),
        "wrong-chain" => (&["wrong_chain_id"], 14),
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

struct Dice(ChaCha12Rng);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.0.next_u64() % most as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn nonce(&mut self) -> B256 {
        let mut nonce = B256::ZERO;
        self.0.fill_bytes(nonce.as_mut_slice());
        nonce
    }
}

/// A payment that is broken in known ways.
struct Broken {
    header: String,
    requirements: Value,
    now: u64,
    /// What must be found, the first first.
    causes: Vec<&'static [&'static str]>,
    what: String,
}

fn networks(transfer: Transfer) -> Vec<Network> {
    let fits = |network: &Network| network.assets[0].transfer == transfer && network.family == Family::Eip155;
    registry::networks().into_iter().filter(|network| registry::is_payable(network) && fits(network)).collect()
}

fn requirements(dice: &mut Dice, network: &Network, version: Version) -> Value {
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

fn sign(dice: &mut Dice, version: Version, asked: &Value, defect: Option<&Defect>) -> Option<Value> {
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

fn broken(version: Version, payload: &Value, requirements: Value, what: String) -> Broken {
    let header = format!("{}: {}", name_of(version), header::encode(payload));
    Broken { header, requirements, now: NOW, causes: Vec::new(), what }
}

/// One mistake of the signer's.
fn single(dice: &mut Dice) -> Option<(Broken, u8, &'static str, Version, Value)> {
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
fn double(dice: &mut Dice) -> Option<Broken> {
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
            (&["nonce_format"], 5)
        }
        3 if step > 4 && version == Version::V1 => {
            payload["network"] = json!("base-sepolia-mainnet");
            (&["network_mismatch"], 12)
        }
        4 if !["expired", "expiring", "not-yet-valid", "missing-field", "giant-window"].contains(&name) => {
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

fn permit2(dice: &mut Dice) -> Option<Broken> {
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
    let (causes, _) = expected(defect.name, Version::V2);
    let scheme = asked["scheme"].as_str().unwrap().to_owned();
    let mut own = broken(Version::V2, &payload, asked, format!("{} by Permit2, {scheme}", defect.name));
    own.causes.push(if defect.name == "wrapped-signature" { &["signature_wrapped"] } else { causes });
    Some(own)
}

fn on_solana(dice: &mut Dice, twice: bool) -> Option<Broken> {
    let version = *dice.pick(&[Version::V1, Version::V2]);
    let network = solana::known().into_iter().find(|own| own.id == solana::DEVNET).unwrap();
    let asset = &network.assets[0];
    let shop = accounts::test_accounts().nth(8 + dice.below(2)).unwrap();
    let payer = accounts::test_accounts().nth(dice.below(8)).unwrap();
    let (key, name) = match version {
        Version::V1 => ("maxAmountRequired", network.v1_name.clone()?),
        Version::V2 => ("amount", network.id.clone()),
    };
    let mut asked = json!({
        "scheme": "exact", "network": name, "asset": asset.address, "payTo": shop.solana_address,
        "maxTimeoutSeconds": 60, "extra": {"feePayer": accounts::facilitator().solana_address, "memo": "order-1"},
    });
    asked[key] = json!((1_000 + dice.below(900_000)).to_string());
    let mut terms = svm::Terms::read(version, &Document::parse(asked.to_string().as_bytes()).unwrap()).unwrap();
    let mut now = NOW;
    let mut causes: Vec<(u8, &'static [&'static str])> = Vec::new();
    let hash = solana::blockhash::make(&network.id, solana::blockhash::slot(NOW * 1000), dice.0.next_u64());
    let occasion = svm::Occasion {
        blockhash: hash,
        memo: String::new(),
        decimals: 6,
        token_program: solana::assets::token_program(&asset.address),
    };
    let mistakes = if twice { vec![dice.below(9), dice.below(9)] } else { vec![dice.below(9)] };
    if twice && mistakes[0] == mistakes[1] {
        return None;
    }
    let mut late: Vec<usize> = Vec::new();
    for mistake in &mistakes {
        match mistake {
            0 => {
                terms.amount *= 1_000_000;
                causes.push((16, &["amount_decimals"]));
            }
            1 => {
                terms.memo = Some("order-2".to_owned());
                causes.push((18, &["memo_mismatch"]));
            }
            2 => {
                let other = accounts::test_accounts().nth(dice.below(8)).unwrap();
                terms.pay_to = solana::key_of(&other);
                causes.push((15, &["wrong_payee"]));
            }
            3 => {
                now = NOW + 600;
                causes.push((19, &["stale_blockhash"]));
            }
            4 => {
                late.push(4);
                causes.push((11, &["compute_budget"]));
            }
            5 => {
                late.push(5);
                causes.push((12, &["compute_price_too_high"]));
            }
            6 => {
                late.push(6);
                causes.push((17, &["extra_instruction"]));
            }
            7 => {
                late.push(7);
                causes.push((8, &["solana_signature"]));
            }
            _ => {
                asked["extra"].as_object_mut().unwrap().remove("feePayer");
                causes.push((3, &["missing_fee_payer"]));
            }
        }
    }
    let mut draft = terms.draft(solana::key_of(&payer), &occasion);
    for mistake in &late {
        match mistake {
            4 => draft.instructions.swap(0, 1),
            5 if !late.contains(&4) => draft.instructions[1] = svm::price(9_000_000),
            5 => return None,
            6 => {
                let strange = x402_sim::networks::solana::message::Instruction {
                    program: Key([9; 32]),
                    accounts: Vec::new(),
                    data: vec![1],
                };
                draft.instructions.insert(3, strange);
            }
            _ => {}
        }
    }
    let transaction = if late.contains(&7) { draft.sign(&[]) } else { draft.sign_by(&payer) };
    let mut asked_terms = terms.clone();
    asked_terms.requirements = Document::parse(asked.to_string().as_bytes()).unwrap();
    let payload = svm::payload(&asked_terms, &transaction.to_base64(), None, None);
    let payload = serde_json::to_value(payload).unwrap();
    causes.sort_by_key(|(step, _)| *step);
    let what = format!("Solana, version {}: {causes:?}", version.number());
    let mut own = broken(version, &payload, asked, what);
    own.now = now;
    own.causes = causes.into_iter().map(|(_, ids)| ids).collect();
    Some(own)
}

fn explained(own: &Broken) -> Explanation {
    explain(&Question {
        reading: read(&own.header),
        requirements: Some(own.requirements.clone()),
        now: own.now,
        real: None,
        record: None,
        depth: Depth::Judge,
    })
}

/// Draws until there are as many, and counts those whose causes are found.
fn part(
    name: &str,
    count: usize,
    dice: &mut Dice,
    mut make: impl FnMut(&mut Dice) -> Option<Broken>,
) -> (usize, Vec<String>) {
    let (mut first, mut wrong) = (0, Vec::new());
    let mut drawn = 0;
    while drawn < count {
        let Some(own) = make(dice) else { continue };
        drawn += 1;
        let findings: Vec<&str> = explained(&own).findings.iter().map(|finding| finding.id).collect();
        let right = findings.first().is_some_and(|id| own.causes[0].contains(id));
        let rest = own.causes[1..].iter().all(|ids| findings.iter().any(|id| ids.contains(id)));
        first += usize::from(right && rest);
        if !(right && rest) {
            wrong.push(format!("{name}: {}: found {findings:?}, expected {:?}", own.what, own.causes));
        }
    }
    (first, wrong)
}

#[expect(clippy::print_stdout, reason = "the counts are a result: `cargo test explain_generated -- --nocapture`")]
fn say(report: &str) {
    println!("{report}");
}

#[test]
fn the_cause_comes_first_in_five_hundred_generated_payments() {
    let mut dice = Dice(ChaCha12Rng::seed_from_u64(SEED));
    let parts = [
        ("EIP-3009, single", 150, part("EIP-3009, single", 150, &mut dice, |dice| single(dice).map(|own| own.0))),
        ("EIP-3009, double", 150, part("EIP-3009, double", 150, &mut dice, double)),
        ("Permit2, single", 80, part("Permit2, single", 80, &mut dice, permit2)),
        ("Solana, single", 60, part("Solana, single", 60, &mut dice, |dice| on_solana(dice, false))),
        ("Solana, double", 60, part("Solana, double", 60, &mut dice, |dice| on_solana(dice, true))),
    ];
    let mut report = String::new();
    let mut all_wrong = Vec::new();
    let mut low = false;
    for (name, count, (right, wrong)) in parts {
        let _ = writeln!(report, "{name}: {right} of {count}");
        low |= right * 100 < count * 95;
        all_wrong.extend(wrong);
    }
    say(&report);
    assert!(!low, "{report}\n{}", all_wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn sound_payments_give_no_finding() {
    let mut dice = Dice(ChaCha12Rng::seed_from_u64(SEED + 1));
    for round in 0..100 {
        let version = if round % 2 == 0 { Version::V1 } else { Version::V2 };
        let all = networks(Transfer::Eip3009);
        let all: Vec<Network> = all.into_iter().filter(|own| version == Version::V2 || own.v1_name.is_some()).collect();
        let asked = requirements(&mut dice, &all[round % all.len()], version);
        let payload = sign(&mut dice, version, &asked, None).unwrap();
        let own = broken(version, &payload, asked, String::new());
        let explanation = explained(&own);
        assert!(explanation.findings.is_empty(), "{}: {:?}", own.header, explanation.findings);
        assert!(explanation.verdict.is_some_and(|verdict| verdict.valid));
    }
}
