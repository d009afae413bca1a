//! The header by which one request asks for faults: `X-402-Dev-Fault: settle:after=timeout; verify=delay:2s`.

use super::effect::Effect;
use super::model::{Fault, FaultError, Matcher, Stage, Timing};
use super::preset;

/// How many faults one request may ask for.
const LIMIT: usize = 16;

/// Reads the header's value: presets by their names, and `STAGE=EFFECT` or `STAGE:after=EFFECT`, separated by `;`.
///
/// # Errors
///
/// What is unknown, with what is known.
pub fn read(value: &str) -> Result<Vec<Fault>, FaultError> {
    let mut faults = Vec::new();
    for part in value.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((place, effect)) = part.split_once('=') else {
            faults.extend(preset::faults(part, &Matcher::default()).map_err(|_| unknown_preset(part))?);
            continue;
        };
        let (stage, timing) = place.split_once(':').unwrap_or((place, "before"));
        let fault =
            Fault::new(Stage::parse(stage.trim())?, Timing::parse(timing.trim())?, Effect::parse(effect.trim())?);
        fault.check()?;
        faults.push(fault);
    }
    if faults.len() > LIMIT {
        return Err(FaultError::new("", format!("one request can ask for {LIMIT} faults at most")));
    }
    Ok(faults)
}

fn unknown_preset(name: &str) -> FaultError {
    let known: Vec<_> = preset::PRESETS.iter().map(|preset| preset.name).collect();
    let name = x402_wire::shape::shorten(name);
    let text = format!("`{name}` is neither STAGE=EFFECT nor a preset; presets are {}", known.join(", "));
    FaultError::new("", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_faults_and_presets_can_be_asked_for() {
        let faults = read("settle:after=timeout:1s; verify=delay:2s;reorg;").unwrap();
        let summaries: Vec<_> = faults.iter().map(Fault::summary).collect();
        assert_eq!(
            summaries,
            ["settle, after commit: timeout:1s", "verify: delay:2s", "settle: reverted:10s", "settle: reverted:10s"]
        );
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_is_known() {
        let refused = |value: &str| read(value).unwrap_err().to_string();
        assert!(refused("reogr").contains("presets are accept_then_timeout, "));
        assert_eq!(refused("setle=hang"), "stage: there is no stage `setle`; did you mean `settle`?");
        assert_eq!(refused("settle=hnag"), "effect: there is no effect `hnag`; did you mean `hang`?");
        assert_eq!(refused("settle:late=hang"), "timing: there is no timing `late`");
        assert!(refused("offer=drain").contains("it happens between verify and settle"));
        assert!(refused(&"verify=hang;".repeat(17)).contains("16 faults at most"));
    }
}
