//! What people copy with a header in it: a command line, an assignment, a line of an object.

use super::body::is_form;
use super::header::{NAMES, looks_encoded_json, split};
use super::wrapping::within_data_url;

/// The header that a copied text holds, as `Name: value` or its value alone.
pub(super) fn carried(text: &str) -> Option<String> {
    if is_form(text) {
        return None;
    }
    let of_data = || within_data_url(text).map(str::to_owned);
    of_command(text).or_else(|| of_member(text)).or_else(|| of_assignment(text)).or_else(of_data)
}

/// The payment header of a command line of curl, wget or `HTTPie`.
fn of_command(text: &str) -> Option<String> {
    let text = ["$ ", "# ", "% "].iter().find_map(|prompt| text.strip_prefix(prompt)).unwrap_or(text);
    let program = text.split_whitespace().next()?;
    if !["curl", "curl.exe", "wget", "http", "https", "xh"].contains(&program) {
        return None;
    }
    let words = words(text);
    // `-H 'a: b'`, `-H'a: b'`, `--header=a: b`, and `a:b` of HTTPie.
    let bare = |word: &str| {
        ["--header=", "-H"].iter().find_map(|flag| word.strip_prefix(flag)).unwrap_or(word).trim().to_owned()
    };
    let fields: Vec<String> =
        words.iter().skip(1).map(|word| bare(word)).filter(|word| split(word).0.is_some()).collect();
    let by_name = |name: &&str| fields.iter().find(|field| split(field).0 == Some(*name)).cloned();
    let payment_first = ["PAYMENT-SIGNATURE", "X-PAYMENT"];
    let known = payment_first.iter().chain(&NAMES).find_map(by_name);
    known.or_else(|| fields.iter().find(|field| looks_encoded_json(split(field).1.trim())).cloned())
}

/// `"PAYMENT-SIGNATURE": "eyJ...",`, a line of an object.
fn of_member(text: &str) -> Option<String> {
    let line = text.trim_end_matches([',', ';']);
    let (name, value) = line.split_once(':')?;
    let unquoted = |text: &str| {
        let text = text.trim();
        ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).map(str::to_owned)
    };
    let name = unquoted(name)?;
    let known = NAMES.iter().any(|known| known.eq_ignore_ascii_case(&name));
    let value = unquoted(value)?;
    (known && !value.contains(['"', '\''])).then(|| format!("{name}: {value}"))
}

/// `PAYMENT-SIGNATURE=eyJ...`: a variable, a query, a form.
fn of_assignment(text: &str) -> Option<String> {
    let text = ["export ", "set ", "SET ", "$env:", "setx ", "const ", "let ", "var "]
        .iter()
        .find_map(|word| text.strip_prefix(word))
        .unwrap_or(text);
    let (name, value) = text.split_once('=')?;
    let name = name.trim().trim_start_matches('?');
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let value = value.trim().trim_end_matches(';');
    let quoted = ['"', '\'', '`'].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let value = quoted.unwrap_or(value).split('&').next().unwrap_or_default();
    let name = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name.replace('_', "-")));
    (is_name && looks_encoded_json(value)).then(|| match name {
        Some(name) => format!("{name}: {value}"),
        None => value.to_owned(),
    })
}

/// The words of a command line, as a shell parts them: with quotes, backslashes and lines that go on.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\t' | '\n' | '\r') => words.extend(word.take()),
            // `^` of Windows, `\` of others: the line goes on.
            (None, '\\' | '^') if chars.peek().is_none_or(|next| ['\n', '\r'].contains(next)) => {}
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == c => quote = None,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_found_in_what_is_copied() {
        for (text, header) in [
            ("curl -i -H 'PAYMENT-SIGNATURE: eyJ9' http://a/", "PAYMENT-SIGNATURE: eyJ9"),
            ("$ curl -H \"Accept: */*\" \\\n  -H \"x-payment: eyJ9\" \\\n  http://a/", "x-payment: eyJ9"),
            ("curl http://a/ --header='payment-signature: eyJ9'", "payment-signature: eyJ9"),
            ("curl ^\n -H\"PAYMENT-SIGNATURE: eyJ9\"", "PAYMENT-SIGNATURE: eyJ9"),
            ("http GET a.example PAYMENT-SIGNATURE:eyJ9", "PAYMENT-SIGNATURE:eyJ9"),
            ("curl -H 'X-Pay: eyJ9' http://a/", "X-Pay: eyJ9"),
            ("curl -H 'PAYMENT-SIGNATURE: ${P}' http://a/", "PAYMENT-SIGNATURE: ${P}"),
            ("PAYMENT-SIGNATURE=eyJ9", "PAYMENT-SIGNATURE: eyJ9"),
            ("export PAYMENT_SIGNATURE='eyJ9'", "PAYMENT-SIGNATURE: eyJ9"),
            ("const header = \"eyJ9\";", "eyJ9"),
            ("payment=eyJ9&b=c", "eyJ9"),
            ("\"PAYMENT-SIGNATURE\": \"eyJ9\",", "PAYMENT-SIGNATURE: eyJ9"),
            ("'X-PAYMENT': `eyJ9`", "X-PAYMENT: eyJ9"),
        ] {
            assert_eq!(carried(text).as_deref(), Some(header), "{text}");
        }
        for text in [
            "",
            "curl http://a/",
            "curl -H 'Accept: */*' http://a/",
            "a=b",
            "https://a.example/?b=eyJ9",
            "{\"a\": 1}",
            "eyJ9==",
        ] {
            assert_eq!(carried(text), None, "{text}");
        }
    }
}
