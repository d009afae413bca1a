//! When a request was made: by its own record, and not by the clock of whoever reads it later.

use serde_json::Value;
use x402_sim::explain::explanation::{Explanation, Verdict};
use x402_sim::explain::finding::Finding;
use x402_sim::explain::manual;
use x402_wire::header;

use super::exchange::{Exchange, mark};
use super::refusal;
use crate::clock;

/// Findings that come of the clock alone: later there is one of them about every payment.
const OF_AGE: [&str; 2] = ["expired", "stale_blockhash"];

/// Findings behind a reason that is about time.
const OF_TIME: [&str; 6] =
    ["expired", "not_yet_valid", "clock_skew", "stale_blockhash", "lifetime_too_short", "times_in_milliseconds"];

/// How long before its end a payment is judged whose time nobody knows, in seconds: facilitators refuse what ends within 6.
const BEFORE_END: u64 = 10;

/// Where a payment says until when it can be used, alone and within a facilitator's request.
const ENDS: [&str; 4] = [
    "/payload/authorization/validBefore",
    "/payload/permit2Authorization/deadline",
    "/paymentPayload/payload/authorization/validBefore",
    "/paymentPayload/payload/permit2Authorization/deadline",
];

/// The time by which a payment is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Its own, in seconds since 1970.
    At(u64),
    /// It is not known, and the answer gives this reason, if any.
    Unknown(Option<String>),
}

impl Moment {
    /// The moment of a request.
    pub fn of(own: &Exchange) -> Self {
        when(own).map_or_else(|| Self::Unknown(refusal::reason(own).map(str::to_owned)), Self::At)
    }

    /// Its time, where that is known.
    pub const fn known(&self) -> Option<u64> {
        if let Self::At(at) = self { Some(*at) } else { None }
    }

    /// Judges a payment again, shortly before its `end`, that is too old by the clock of now where the answer names
    /// another cause; and gives what is to be noted of that. Where this cannot be, what was said of its age is taken away.
    pub fn weigh(
        &self,
        by_now: bool,
        told: &mut Explanation,
        end: Option<u64>,
        again: impl FnOnce(u64) -> Explanation,
    ) -> Option<String> {
        let other = if by_now && is_too_old(told) { self.other_cause() } else { None };
        if let (Some(reason), Some(end)) = (other, end) {
            let earlier = again(end.saturating_sub(BEFORE_END));
            if !earlier.findings.iter().any(|finding| OF_TIME.contains(&finding.id)) {
                *told = earlier;
                return Some(format!(
                    "nothing says when it was sent, and it has expired by now: it is judged as {BEFORE_END} seconds before \
                     its end, as the answer names another cause, `{reason}`"
                ));
            }
        }
        self.temper(by_now, told)
    }

    /// The reason that an answer names, where nothing else says when the payment was sent, and it is none of time.
    fn other_cause(&self) -> Option<&str> {
        let Self::Unknown(reason) = self else { return None };
        reason.as_deref().filter(|reason| is_of_something_else(reason))
    }

    /// Takes from what was judged by the clock of now what it would say of every payment as old, and says so. `by_now`
    /// tells whether it was judged by that clock.
    fn temper(&self, by_now: bool, told: &mut Explanation) -> Option<String> {
        if self.known().is_some() || !by_now || !is_too_old(told) {
            return None;
        }
        let (of_age, others) = std::mem::take(&mut told.findings).into_iter().partition(|own| OF_AGE.contains(&own.id));
        told.findings = others;
        let Some(reason) = self.other_cause() else {
            let seen =
                "nothing says when it was sent, so that it is judged by the clock of now: `--at TIME` gives another";
            let doubted = |finding: Finding| Finding { fix: entry_fix(&finding), ..finding.doubted() }.seen(seen);
            told.findings.extend(of_age.into_iter().map(doubted));
            return None;
        };
        // Nobody has verified it at another time: there is no verdict on it.
        let holds = |own: &Verdict| own.valid || own.reason.as_deref().is_some_and(is_of_something_else);
        told.verdict = told.verdict.take().filter(holds);
        Some(format!(
            "nothing says when it was sent: that it has expired by now is no cause, as the answer names another, `{reason}`"
        ))
    }
}

/// Until when a payment says that it can be used, in seconds since 1970.
pub fn end_of(payment: &Value) -> Option<u64> {
    let end = ENDS.iter().find_map(|pointer| payment.pointer(pointer))?;
    end.as_u64().or_else(|| end.as_str()?.parse().ok())
}

/// Whether something is said that a clock says of every payment later.
fn is_too_old(told: &Explanation) -> bool {
    told.findings.iter().any(|finding| OF_AGE.contains(&finding.id))
}

/// What is always to be done about it: how long ago it was is no difference of clocks.
fn entry_fix(finding: &Finding) -> String {
    Finding::new(finding.id).fix
}

/// Whether a reason is known, and none of time.
fn is_of_something_else(reason: &str) -> bool {
    let page = manual::page(reason).or_else(|| manual::within(reason));
    page.is_some_and(|page| !page.findings.iter().any(|id| OF_TIME.contains(&id.as_str())))
}

/// When a request was made, in seconds since 1970: as its record says, or by the clock of the server that answered. What
/// came out of a cache is as much older as its `Age` says.
pub fn when(own: &Exchange) -> Option<u64> {
    let answered = || {
        let date = clock::parse_date(own.response.get("date")?)? / 1000;
        let age = own.response.get("age").and_then(|age| age.parse::<u64>().ok()).unwrap_or(0);
        date.checked_add(age)
    };
    own.at.or_else(answered)
}

/// The time of the line in a log that holds a payload, or a facilitator's request with it; or of the last one before it
/// that has a time: in seconds since 1970.
pub fn of_part(text: &str, payload: &Value) -> Option<u64> {
    let inner = payload.get("paymentPayload").unwrap_or(payload);
    let mark = mark(inner)?;
    let encodes = |word: &str| word.starts_with("ey") && header::decode::<Value>(word).is_ok_and(|own| own == *inner);
    let words = |line: &str| line.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=-_".contains(c))).any(encodes);
    of_log(text, |line| line.contains(mark) || words(line))
}

/// The time of a line in a log, or of the last one before it that has a time.
fn of_log(text: &str, is_it: impl Fn(&str) -> bool) -> Option<u64> {
    let mut last = None;
    for line in text.lines() {
        last = stamp(line).or(last);
        if is_it(line) {
            break;
        }
    }
    last.map(|milliseconds| milliseconds / 1000)
}

/// The time that a line of a log begins with, whatever brackets and names stand before it. Without a zone it is nobody's.
fn stamp(line: &str) -> Option<u64> {
    let head: String = line.chars().take(120).collect();
    let begins = |(place, _): &(usize, &str)| !head[..*place].ends_with(|c: char| c.is_ascii_alphanumeric());
    let places = head.match_indices("20").filter(begins).take(8);
    places.map(|(place, _)| &head[place..]).find_map(|rest| {
        let end = rest.char_indices().skip(11).find(|(_, c)| !(c.is_ascii_digit() || "Zz:.,+-".contains(*c)));
        let own = &rest[..end.map_or(rest.len(), |(end, _)| end)];
        clock::parse(&own.replace(',', ".")).filter(|_| own.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use x402_sim::explain::kind::Kind;

    use super::*;

    #[test]
    fn the_time_of_a_line_is_read_where_it_has_a_zone() {
        let time = Some(1_795_459_018_000);
        for (line, wanted) in [
            ("2026-11-23T18:36:58Z sending", time),
            ("[2026-11-23 18:36:58.000Z] x402: sending", time),
            ("{\"level\":30,\"time\":\"2026-11-23T19:36:58+01:00\",\"m\":\"x\"}", time),
            ("app-1  | 2026-11-23T18:36:58,000Z sending", time),
            ("2026-11-23 18:36:58 sending", None),
            ("20 payments", None),
            ("€2026-11-23", None),
            ("", None),
        ] {
            assert_eq!(stamp(line), wanted, "{line}");
        }
        let log = "2026-11-23T18:36:58Z a\nb\nc\n2027-11-23T18:36:58Z d";
        assert_eq!(of_log(log, |line| line == "c"), time.map(|own| own / 1000));
    }

    #[test]
    fn what_is_old_by_now_is_no_cause_where_another_is_named() {
        let old = || {
            let mut told = Explanation::new(Kind::PaymentV2, "");
            told.find(Finding::new("expired").fixed_by("Set the clock.").proven("so"));
            told
        };
        let tempered = |reason: Option<&str>, by_now| {
            let mut told = old();
            let note = Moment::Unknown(reason.map(str::to_owned)).temper(by_now, &mut told);
            (told, note.is_some())
        };
        for reason in ["invalid_exact_evm_nonce_already_used", "Payment required"] {
            let (told, is_noted) = tempered(Some(reason), true);
            assert!(told.findings.is_empty() && is_noted, "{reason}: {told:?}");
        }
        for reason in [None, Some("who knows"), Some("invalid_exact_evm_payload_authorization_valid_before")] {
            let (told, _) = tempered(reason, true);
            assert!(!told.findings[0].is_proven() && !told.findings[0].fix.contains("Set the clock"), "{told:?}");
        }
        assert_eq!(tempered(Some("invalid_exact_evm_nonce_already_used"), false).0, old());
        let mut told = old();
        assert_eq!(Moment::At(1).temper(true, &mut told), None);
        assert_eq!(told, old());
    }

    #[test]
    fn what_was_not_verified_at_another_time_is_not_called_valid() {
        let verdict = |valid, reason: &str, at| {
            let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
            Some(Verdict { valid, reason, message: None, at, by: "verify in a fresh world".to_owned() })
        };
        let old = || {
            let mut told = Explanation::new(Kind::PaymentV2, "");
            told.find(Finding::new("expired"));
            told.verdict = verdict(false, "invalid_exact_evm_payload_authorization_valid_before", 2000);
            told
        };
        let moment = Moment::Unknown(Some("invalid_exact_evm_nonce_already_used".to_owned()));
        let weighed = |end: Option<u64>, again: &dyn Fn(u64) -> Explanation| {
            let mut told = old();
            let note = moment.weigh(true, &mut told, end, again);
            (told, note.unwrap())
        };
        let (told, note) = weighed(None, &|_| panic!("it has no end"));
        assert!(told.verdict.is_none() && told.findings.is_empty() && note.contains("is no cause"), "{told:?} {note}");
        // Verified again, it is what verify says, valid or not.
        for is_valid in [true, false] {
            let (told, note) = weighed(Some(1000), &|at| {
                let mut again = Explanation::new(Kind::PaymentV2, "");
                again.verdict = verdict(is_valid, if is_valid { "" } else { "invalid_exact_evm_signature" }, at);
                again
            });
            let verdict = told.verdict.unwrap();
            assert_eq!((verdict.valid, verdict.at), (is_valid, 990));
            assert!(note.contains("10 seconds before its end"), "{note}");
        }
        // As old then too, it has no verdict.
        assert!(weighed(Some(1000), &|_| old()).0.verdict.is_none());
        let request =
            serde_json::json!({"paymentPayload": {"payload": {"permit2Authorization": {"deadline": "1000"}}}});
        assert_eq!(end_of(&request), Some(1000));
        assert_eq!(end_of(&serde_json::json!({"payload": {"authorization": {"validBefore": "soon"}}})), None);
    }

    #[test]
    fn an_answer_tells_its_time() {
        let with = |fields: &[(&str, &str)], at| {
            let mut own = Exchange { at, ..Exchange::default() };
            own.response.fields =
                fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            when(&own)
        };
        let date = ("date", "Mon, 23 Nov 2026 18:36:58 GMT");
        assert_eq!(with(&[date], None), Some(1_795_459_018));
        assert_eq!(with(&[date, ("age", "17")], None), Some(1_795_459_035));
        assert_eq!(with(&[date], Some(1)), Some(1));
        assert_eq!(with(&[("date", "yesterday")], None), None);
    }
}
