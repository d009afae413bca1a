//! The configured faults: what goes wrong on purpose from the start.

use x402_sim::accounts::book::Book;
use x402_sim::fault::model::FaultError;
use x402_sim::fault::table::LIMIT;
use x402_sim::fault::{Fault, read};
use x402_wire::shape::shorten;

use super::cursor::Cursor;
use super::error::Problem;
use super::json;
use super::networks::Enabled;
use super::parse::join;
use super::tree::Node;

/// Reads the list; no faults where nothing is said.
pub(super) fn read(list: Option<&Cursor<'_>>, enabled: &[Enabled]) -> Option<Vec<Fault>> {
    let Some(list) = list else { return Some(Vec::new()) };
    let mut faults = Vec::new();
    let mut complete = true;
    for item in list.list()? {
        match one(&item, enabled) {
            Some(read) => faults.extend(read),
            None => complete = false,
        }
    }
    if faults.len() > LIMIT {
        return list.refuse(list.problem(format!("there are {} faults, the limit is {LIMIT}", faults.len())));
    }
    complete.then_some(faults)
}

fn one(item: &Cursor<'_>, enabled: &[Enabled]) -> Option<Vec<Fault>> {
    let value = json::read(item)?;
    let faults = read::read(&value).and_then(|faults| {
        faults.iter().try_for_each(|fault| known(fault, enabled))?;
        Ok(faults)
    });
    match faults {
        Ok(faults) => Some(faults),
        Err(error) => item.refuse(problem(item, &error)),
    }
}

/// Whether the accounts and networks that a fault names are there.
fn known(fault: &Fault, enabled: &[Enabled]) -> Result<(), FaultError> {
    if let Some(payer) = &fault.matcher.payer
        && let Err(error) = Book::default().find(payer)
    {
        let hint = Some(error.hint().to_owned());
        return Err(FaultError { hint, ..FaultError::new("match.payer", error.to_string()) });
    }
    let Some(name) = &fault.matcher.network else { return Ok(()) };
    let is = |own: &&Enabled| own.network.id == *name || own.network.v1_name.as_ref() == Some(name);
    if enabled.iter().any(|own| is(&own)) {
        return Ok(());
    }
    let known = enabled.iter().map(|own| own.network.id.as_str()).collect::<Vec<_>>().join(", ");
    let hint = Some(format!("enabled are {known}"));
    Err(FaultError { hint, ..FaultError::new("match.network", format!("network `{}` is not enabled", shorten(name))) })
}

/// A problem at the part of the item that an error names.
fn problem(item: &Cursor<'_>, error: &FaultError) -> Problem {
    let place = if error.path.is_empty() { None } else { item.node.at(&error.path) };
    let place = place.unwrap_or(item.node) as &Node;
    let path = if error.path.is_empty() { item.path.clone() } else { join(&item.path, &error.path) };
    let message = error.message.split("; did you mean").next().unwrap_or_default();
    let problem = Problem::new(path, message, place.place.clone());
    match &error.hint {
        Some(hint) => problem.hinted(hint.clone()),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{loaded, problems};

    #[test]
    fn faults_and_presets_are_read() {
        let yaml = "
faults:
  - reorg
  - {preset: accept_then_timeout, match: {route: GET /weather, door: resources}}
  - {stage: settle, timing: after, match: {payer: alice, network: base-sepolia}, first: 2, effect: 'status:503,down'}
";
        let summaries: Vec<_> = loaded(yaml).config.faults.iter().map(x402_sim::fault::Fault::summary).collect();
        let expected = [
            "settle: reverted:10s",
            "settle: reverted:10s",
            "response: timeout",
            "settle, after commit: status:503,down",
        ];
        assert_eq!(summaries, expected);
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_drawn_where_it_stands() {
        let yaml = "faults:\n  - {stage: settle, effect: timout}\n  - {stage: setle, effect: hang}\n  - reogr\n  - {stage: verify, effect: hang, match: {payer: alicce}}\n  - {stage: verify, effect: hang, match: {network: base}}\n  - {stage: offer, effect: drain}\n  - {stage: verify, effect: hang, nht: 1}\n  - 5\n";
        insta::assert_snapshot!(problems(yaml), @r#"
        .x402dev.yaml:2:29: faults[0].effect: there is no effect `timout` [did you mean `timeout`?]
        .x402dev.yaml:3:13: faults[1].stage: there is no stage `setle` [did you mean `settle`?]
        .x402dev.yaml:4:5: faults[2].preset: there is no preset `reogr` [did you mean `reorg`?]
        .x402dev.yaml:5:50: faults[3].match.payer: no account is called "alicce" [give an index, a name that `x402-dev accounts` lists, or an address]
        .x402dev.yaml:6:52: faults[4].match.network: network `base` is not enabled [enabled are eip155:84532, eip155:2201, eip155:421614, eip155:181228, eip155:51, eip155:11142220, eip155:1328, eip155:31611, eip155:72344, solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1, solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z]
        .x402dev.yaml:7:28: faults[5].effect: `drain` does nothing at stage `offer`: it happens between verify and settle; use one of these stages
        .x402dev.yaml:8:40: faults[6].nht: there is no key `nht` [did you mean `nth`?]
        .x402dev.yaml:9:5: faults[7]: a fault is an object, or the name of a preset
        "#);
    }
}
