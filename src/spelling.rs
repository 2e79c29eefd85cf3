//! The name that the user perhaps meant: the nearest of those that exist.

/// The candidate that differs least from `word`, when it differs little.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 3).clamp(1, 3);
    // The distance takes time in proportion to the product of both lengths, and a word may be a whole file.
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of letters to insert, leave out, change or swap with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let letters = |word: &str| word.to_lowercase().chars().collect::<Vec<char>>();
    let (from, to) = (letters(from), letters(to));
    let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
    let mut older: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let changed = at(&above, column) + usize::from(letter != other);
            let mut steps = changed.min(at(&above, column + 1) + 1).min(at(&line, column) + 1);
            let are_swapped = row > 0
                && column > 0
                && from.get(row - 1) == Some(other)
                && to.get(column - 1) == Some(letter);
            if are_swapped {
                steps = steps.min(at(&older, column - 1) + 1);
            }
            line.push(steps);
        }
        older = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let names = ["orders", "orders-dlq", "payments", "x"];
        for (word, meant) in [
            ("ordes", Some("orders")),
            ("oredrs", Some("orders")),
            ("Orders", None),
            ("payment", Some("payments")),
            ("clicks", None),
            ("y", Some("x")),
        ] {
            assert_eq!(closest(word, names.into_iter()), meant, "{word}");
        }
    }
}
