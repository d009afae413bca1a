//! The page that keeps the numbers: a hand-written text, and between two marks what was measured.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

const BEGIN: &str = "<!-- measured: begin; written by `cargo xtask bench --write` -->";
const END: &str = "<!-- measured: end -->";

/// Replaces what stands between the marks of a page.
pub(crate) fn write(page: &Path, measured: &str) -> Result<(), Failure> {
    let text = fs::read_to_string(page).map_err(Failure::while_at("docs/benchmarks.md"))?;
    let text = replaced(&text, measured)?;
    fs::write(page, text).map_err(Failure::while_at("docs/benchmarks.md"))
}

fn replaced(text: &str, measured: &str) -> Result<String, Failure> {
    let parts = text.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or_else(|| Failure::new(format!("docs/benchmarks.md lacks `{BEGIN}` or `{END}`")))?;
    Ok(format!("{head}{BEGIN}\n\n{}\n\n{END}{tail}", measured.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("intro\n{BEGIN}\nold\n{END}\nend\n");
        assert_eq!(replaced(&page, "new\n").unwrap(), format!("intro\n{BEGIN}\n\nnew\n\n{END}\nend\n"));
        assert!(replaced("intro", "new").is_err());
    }
}
