//! Broken payments on Solana by the dice.

use rand_chacha::rand_core::Rng;
use serde_json::json;
use x402_sim::accounts;
use x402_sim::networks::solana;
use x402_sim::networks::solana::exact::draft as svm;
use x402_sim::networks::solana::key::Key;
use x402_sim::registry::Version;
use x402_wire::document::Document;

use crate::explain_made::{Broken, Dice, NOW, broken};

/// One mistake, or two.
pub(crate) fn on_solana(dice: &mut Dice, twice: bool) -> Option<Broken> {
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
