//! The nearest known name of a misspelt one.

/// The known name that is nearest, if it is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let measured = known.into_iter().map(|candidate| {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        (distance(&name, &letters), letters.len().max(name.len()), candidate)
    });
    let near = measured.filter(|(distance, length, _)| distance * 3 <= length + 2);
    near.min_by_key(|(distance, ..)| *distance).map(|(.., candidate)| candidate)
}

/// How many letters must be changed, added, dropped or swapped with their neighbour.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, letter) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let change = above[j] + usize::from(letter != other);
            let swapped = i > 0 && j > 0 && left[i - 1] == *other && right[j - 1] == *letter;
            let swap = if swapped { before[j - 1] + 1 } else { usize::MAX };
            row.push(change.min(swap).min(above[j + 1] + 1).min(row[j] + 1));
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_or_none() {
        let known = ["port", "host", "pricing", "resources"];
        for (name, expected) in [
            ("prot", Some("port")),
            ("prices", Some("pricing")),
            ("Resource", Some("resources")),
            ("hots", Some("host")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
