//! What was found, as tables in Markdown.

use std::fmt::Write as _;

use crate::spread::Spread;

/// Measurements of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    title: String,
    rows: Vec<Row>,
    note: Option<String>,
}

/// One measurement.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    name: String,
    unit: &'static str,
    spread: Spread,
    target: Option<Bound>,
}

/// What a median must not pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// Smaller is better.
    AtMost(f64),
    /// Larger is better.
    AtLeast(f64),
}

impl Section {
    /// A section with these rows.
    pub(crate) fn new(title: &str, rows: Vec<Row>) -> Self {
        Self { title: title.to_owned(), rows, note: None }
    }

    /// A section that could not be measured.
    pub(crate) fn without(title: &str, why: &str) -> Self {
        Self { title: title.to_owned(), rows: Vec::new(), note: Some(format!("Not measured: {why}.")) }
    }

    /// The names of the rows whose target was missed.
    pub(crate) fn missed(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|row| row.is_met() == Some(false)).map(|row| row.name.as_str())
    }

    /// The section in Markdown.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        if let Some(note) = &self.note {
            text += note;
            text.push('\n');
            return text;
        }
        text += "| measurement | median | min..max | target | met |\n|---|---:|---:|---:|---|\n";
        for row in &self.rows {
            text += &row.render();
        }
        text
    }
}

impl Row {
    /// A measurement without a target.
    pub(crate) fn new(name: &str, unit: &'static str, spread: Spread) -> Self {
        Self { name: name.to_owned(), unit, spread, target: None }
    }

    /// The same measurement with a target.
    pub(crate) fn with_target(self, target: Bound) -> Self {
        Self { target: Some(target), ..self }
    }

    fn is_met(&self) -> Option<bool> {
        Some(match self.target? {
            Bound::AtMost(most) => self.spread.median <= most,
            Bound::AtLeast(least) => self.spread.median >= least,
        })
    }

    fn render(&self) -> String {
        let Spread { median, min, max } = self.spread;
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        let range =
            if min.total_cmp(&max).is_eq() { "one".to_owned() } else { format!("{}..{}", short(min), short(max)) };
        let target = match self.target {
            None => String::new(),
            Some(Bound::AtMost(most)) => format!("<= {}{unit}", short(most)),
            Some(Bound::AtLeast(least)) => format!(">= {}{unit}", short(least)),
        };
        let met = match self.is_met() {
            None => "",
            Some(true) => "yes",
            Some(false) => "**no**",
        };
        let mut line = String::new();
        writeln!(line, "| {} | {}{unit} | {range} | {target} | {met} |", self.name, short(median))
            .expect("writing to a string cannot fail");
        line
    }
}

/// A number with three digits or more, and no more places than that asks for.
fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_target_is_met() {
        let spread = Spread { median: 2.25, min: 2.0, max: 130.4 };
        let row = Row::new("x", "us", spread);
        assert_eq!(row.render(), "| x | 2.25 us | 2.00..130 |  |  |\n");
        let met = row.clone().with_target(Bound::AtMost(10.0));
        assert_eq!(met.render(), "| x | 2.25 us | 2.00..130 | <= 10.0 us | yes |\n");
        let missed = row.with_target(Bound::AtLeast(20.0));
        assert_eq!(missed.render(), "| x | 2.25 us | 2.00..130 | >= 20.0 us | **no** |\n");
        let section = Section::new("t", vec![met, missed]);
        assert_eq!(section.missed().collect::<Vec<_>>(), ["x"]);
    }
}
