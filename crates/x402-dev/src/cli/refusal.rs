//! What is said of a command line that is wrong, without the secrets that may stand in it.

use clap::error::{ContextKind, ContextValue};

use crate::secret::{cleaned, is_like_a_key};

/// What stands in place of a value that may be a secret.
const HIDDEN: &str = "<not shown>";

/// How many characters the longest name of an account has: an address of Solana. Keys and their words are longer.
const ACCOUNT: usize = 44;

/// From how many characters on a value is looked for in the rest of the text: a shorter one is a part of words.
const TELLING: usize = 8;

/// What clap says, without keys, passwords and what a user says to a server in confidence.
pub fn text(mut error: clap::Error) -> String {
    let said = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let argument = said(ContextKind::InvalidArg).unwrap_or_default();
    let value = said(ContextKind::InvalidValue).filter(|value| hides(&argument, value));
    // A word that stands where none is expected may be a value of any kind.
    let word = Some(argument.clone()).filter(|word| hides("", word));
    let secrets = [(ContextKind::InvalidValue, value), (ContextKind::InvalidArg, word)];
    for (kind, _) in secrets.iter().filter(|(_, secret)| secret.is_some()) {
        error.insert(*kind, ContextValue::String(HIDDEN.to_owned()));
    }
    let text = error.render().to_string();
    // Hints and the reasons of our own parsers may repeat it.
    let long = secrets.into_iter().filter_map(|(_, secret)| secret).filter(|secret| secret.len() >= TELLING);
    long.fold(text, |text, secret| text.replace(&secret, HIDDEN))
}

fn hides(argument: &str, value: &str) -> bool {
    argument.starts_with("--header")
        || (argument.starts_with("--as") && value.chars().count() > ACCOUNT)
        || is_like_a_key(value)
        || value.contains('@')
        || cleaned(value) != value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_hidden_and_a_slip_is_not() {
        let key = "1".repeat(64);
        for (argument, value, hidden) in [
            ("--as <ACCOUNT>", key.as_str(), true),
            ("--as <ACCOUNT>", "one two three four five six seven eight nine ten", true),
            ("--as <ACCOUNT>", "alcie", false),
            ("--as <ACCOUNT>", "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720", false),
            ("--header <FIELD>", "a", true),
            ("[URL]", "user:password@host", true),
            ("[URL]", "ftp://host/?token=x", true),
            ("[URL]", "ftp://host/?page=x", false),
            ("--max-time <SECONDS>", "soon", false),
            ("", &format!("0x{key}"), true),
        ] {
            assert_eq!(hides(argument, value), hidden, "{argument} {value}");
        }
    }
}
