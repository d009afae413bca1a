//! Five hundred broken payments, made by the signer with fixed seeds: the right cause must come first, and of two
//! mistakes both must be found.

use std::fmt::Write as _;

use x402_sim::explain::Explanation;
use x402_sim::explain::case::{Depth, Question, explain};
use x402_sim::explain::finding::{Finding, Severity};
use x402_sim::explain::read::read;
use x402_sim::networks::{Network, Transfer};
use x402_sim::registry::Version;

use crate::explain_made::{
    Broken, Dice, broken, double, networks, permit2, permit2_double, requirements, sign, single,
};
use crate::explain_solana::on_solana;

/// The seed of the whole corpus. Another gives other payments, and must give the same result.
const SEED: u64 = 402_402_402;

/// A second seed: the date on which it was chosen. Its payments were explained once before anything was mended for them:
/// 558 of 560 without a fault. The two others, double mistakes, were mended after that.
const UNSEEN: u64 = 20_261_123;

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

/// What is wrong with what was found: the right cause stands first, every other is found, each is proven unless it only
/// warns, and nothing else is said to be proven.
fn fault(own: &Broken, findings: &[Finding]) -> Option<String> {
    let found = |ids: &[&str]| findings.iter().find(|finding| ids.contains(&finding.id));
    if findings.first().is_none_or(|first| !own.causes[0].contains(&first.id)) {
        return Some("another cause is first".to_owned());
    }
    for ids in &own.causes {
        match found(ids) {
            None => return Some(format!("{ids:?} is not found")),
            Some(finding) if !finding.is_proven() && finding.severity == Severity::Error => {
                return Some(format!("{} is not proven", finding.id));
            }
            Some(_) => {}
        }
    }
    let extra =
        findings.iter().find(|finding| finding.is_proven() && own.causes.iter().all(|ids| !ids.contains(&finding.id)));
    extra.map(|finding| format!("{} is said to be proven as well", finding.id))
}

/// Draws until there are as many, and counts those that are explained without a fault.
fn part(name: &str, count: usize, dice: &mut Dice, mut make: impl FnMut(&mut Dice) -> Option<Broken>) -> Part {
    let mut wrong = Vec::new();
    let mut drawn = 0;
    while drawn < count {
        let Some(own) = make(dice) else { continue };
        drawn += 1;
        let findings = explained(&own).findings;
        if let Some(fault) = fault(&own, &findings) {
            let ids: Vec<&str> = findings.iter().map(|finding| finding.id).collect();
            wrong.push(format!("{name}: {}: {fault}: found {ids:?}, expected {:?}", own.what, own.causes));
        }
    }
    Part { name: name.to_owned(), count, wrong }
}

/// What came of one kind of payments.
struct Part {
    name: String,
    count: usize,
    wrong: Vec<String>,
}

#[expect(clippy::print_stdout, reason = "the counts are a result: `cargo test explain_generated -- --nocapture`")]
fn say(report: &str) {
    println!("{report}");
}

/// Draws 560 payments by a seed and explains them: in each part 95 % must be explained without a fault.
fn corpus(seed: u64) {
    let mut dice = Dice::of(seed);
    let dice = &mut dice;
    let parts = [
        part("EIP-3009, single", 150, dice, |dice| single(dice).map(|own| own.0)),
        part("EIP-3009, double", 150, dice, double),
        part("Permit2, single", 80, dice, permit2),
        part("Permit2, double", 60, dice, permit2_double),
        part("Solana, single", 60, dice, |dice| on_solana(dice, false)),
        part("Solana, double", 60, dice, |dice| on_solana(dice, true)),
    ];
    let mut report = String::new();
    for part in &parts {
        let _ = writeln!(report, "{}: {} of {}", part.name, part.count - part.wrong.len(), part.count);
    }
    let all_wrong: Vec<&str> = parts.iter().flat_map(|part| &part.wrong).map(String::as_str).collect();
    say(&format!("seed {seed}\n{report}{}", all_wrong.join("\n")));
    let low = parts.iter().any(|part| (part.count - part.wrong.len()) * 100 < part.count * 95);
    assert!(!low, "{report}\n{}", all_wrong.iter().take(40).copied().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_cause_comes_first_in_five_hundred_generated_payments() {
    corpus(SEED);
}

#[test]
fn the_cause_comes_first_in_five_hundred_more_of_a_second_seed() {
    corpus(UNSEEN);
}

#[test]
fn sound_payments_give_no_finding() {
    let mut dice = Dice::of(SEED + 1);
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
