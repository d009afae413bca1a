//! Payment headers that go on in lines of their own: no server can read such a head. hyper answers it with 400 and no
//! sentence, as official servers do; what was to be a payment is kept for whoever asks why.

use http::header;
use x402_sim::event::Door;
use x402_wire::header::{PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF};

use super::visit::is_host;
use crate::catalogue::Item;
use crate::secret;
use crate::state::{Refused, State};

/// A payment header whose value stands in several lines.
#[derive(Debug, PartialEq, Eq)]
struct Torn<'a> {
    method: &'a str,
    path: &'a str,
    host: &'a str,
    agent: Option<&'a str>,
    name: &'static str,
    lines: Vec<&'a str>,
}

/// Keeps the payment of a head that could not be read, if that is why, and gives the sentence about it.
pub fn keep(state: &State, head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let torn = Torn::find(&head)?;
    let why = format!(
        "the value of `{}` goes on in {} more lines without a colon: a header is one line, and base64 is wrapped after 64 \
         or 76 characters by some encoders. Nothing of such a request is read, here and by official servers",
        torn.name,
        torn.lines.len() - 1
    );
    let item = state.catalogue.find(torn.method, torn.path);
    let refused = Refused::at_door(Door::Resources, torn.path, "HTTP 400").because(Some(&why));
    let refused = refused.carried(torn.name, Some(&torn.value())).sent_by(torn.agent);
    state.keep_refused(match torn.accepts(&item) {
        Some(accepts) => refused.asked(serde_json::json!({ "accepts": accepts })),
        None => refused,
    });
    Some(why)
}

impl<'a> Torn<'a> {
    /// The value as it stood, in its lines; in one where that shows a secret, which is kept nowhere.
    fn value(&self) -> String {
        let whole = self.lines.concat();
        if secret::kept(&whole) == whole { self.lines.join("\n") } else { whole }
    }

    /// Reads as much of a head as can be read.
    fn find(head: &'a str) -> Option<Self> {
        let mut lines = head.split('\n').map(|line| line.trim_end_matches('\r'));
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?, first.next()?);
        // Nobody has looked at these bytes before.
        let is_plain = |text: &&str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let path = target.split('?').next().filter(|path| path.starts_with('/')).filter(is_plain)?;
        let mut own = Self { method, path, host: "", agent: None, name: "", lines: Vec::new() };
        let mut is_open = false;
        for line in lines.take_while(|line| !line.is_empty()) {
            let Some((name, value)) = field(line) else {
                if is_open {
                    own.lines.push(line.trim());
                }
                continue;
            };
            let carrier = [PAYMENT_SIGNATURE, X_PAYMENT, X_PAYMENT_PROOF].into_iter();
            let carrier = carrier.filter(|_| own.lines.len() < 2).find(|own| name.eq_ignore_ascii_case(own));
            is_open = carrier.is_some();
            if let Some(carrier) = carrier {
                (own.name, own.lines) = (carrier, vec![value]);
            } else if name.eq_ignore_ascii_case(header::HOST.as_str()) {
                own.host = value;
            } else if name.eq_ignore_ascii_case(header::USER_AGENT.as_str()) {
                own.agent = Some(value).filter(is_plain);
            }
        }
        (own.lines.len() > 1).then_some(own)
    }

    /// What the payment should have paid for.
    fn accepts(&self, item: &Item) -> Option<serde_json::Value> {
        match self.name {
            PAYMENT_SIGNATURE => Some(item.requirements.clone().into()),
            X_PAYMENT if is_host(self.host) => {
                serde_json::to_value(item.accepts_v1(&format!("http://{}{}", self.host, self.path))).ok()
            }
            _ => None,
        }
    }
}

/// The name and the value of a line that is a field.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_token)).then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn found(head: &str) -> Option<(&'static str, String, Option<&str>)> {
        Torn::find(head).map(|own| (own.name, own.lines.join("|"), own.agent))
    }

    #[test]
    fn a_key_in_several_lines_is_seen() {
        let pair = [[1; 32], x402_sim::networks::solana::ed25519::key_of(&[1; 32]).0].concat();
        let list = serde_json::to_string(&pair).unwrap();
        let payload = r#"{"x402Version":2,"payload":{"privateKey":"abcdefghijklmnopqrstuvwxyz abcdefghijklmnop"}}"#;
        for secret in [STANDARD.encode(&pair), STANDARD.encode(&list), STANDARD.encode(payload)] {
            for width in [64, 76] {
                let lines: Vec<&str> =
                    secret.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
                let head = format!("GET / HTTP/1.1\r\nX-PAYMENT: {}\r\n\r\n", lines.join("\n"));
                let value = Torn::find(&head).unwrap().value();
                assert_eq!(value, secret);
                assert_ne!(crate::secret::kept(&value), secret);
            }
        }
    }

    #[test]
    fn the_lines_of_a_payment_header_are_put_together_and_no_others() {
        let first = "GET /a?b HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8.5.0\r\n";
        let value = "Payment-Signature: eyJ4\nNDAy\nfQ==\r\n";
        let expected = Some((PAYMENT_SIGNATURE, "eyJ4|NDAy|fQ==".to_owned(), Some("curl/8.5.0")));
        assert_eq!(found(&format!("{first}{value}\r\n")), expected);
        assert_eq!(found(&format!("{first}{value}X-PAYMENT: a\r\nAccept: b\r\nnonsense\r\n\r\nbody")), expected);
        assert_eq!(
            found(&format!("{first}X-Payment: {{\n  \"x402Version\": 1\n}}\r\n\r\n")).map(|own| own.1).as_deref(),
            Some("{|\"x402Version\": 1|}")
        );
        for other in ["X-PAYMENT: eyJ4\r\n", "X-PAYMENT: eyJ4\r\nCookie: a\nb\r\n", "X-PAYMENT: eyJ4\r\n\r\nbody\n", ""]
        {
            assert_eq!(found(&format!("{first}{other}\r\n")), None, "{other}");
        }
        for no_head in ["", "\n\n", "GET\r\nX-PAYMENT: a\nb", "\u{16}\u{3}\u{1}", "PRI * HTTP/2.0\r\nX-PAYMENT: a\nb"] {
            assert_eq!(found(no_head), None, "{no_head}");
        }
    }
}
