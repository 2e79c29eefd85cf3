//! The options that argparse4j suggests for an unknown one, by git's distance.

/// The largest distance of a suggestion.
const FARTHEST: usize = 7;
/// The costs of replacing a letter of the typed word, inserting one, and deleting one.
const REPLACE: usize = 2;
const INSERT: usize = 1;
const DELETE: usize = 4;

/// The names nearest to the typed one, sorted by name; empty if it is a single letter, or like none of them.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if typed.chars().nth(1).is_none() {
        return Vec::new();
    }
    let mut all: Vec<(usize, &str)> = names.map(|name| (distance_to(typed, name), name)).collect();
    all.sort_unstable();
    let least = all.first().map_or(usize::MAX, |(distance, _)| *distance);
    let alike = all
        .into_iter()
        .filter(|(distance, _)| *distance == least && least <= FARTHEST);
    alike.map(|(_, name)| name).collect()
}

fn distance_to(typed: &str, name: &str) -> usize {
    if name.starts_with(typed) {
        return 0;
    }
    let (typed, name): (Vec<char>, Vec<char>) = (typed.chars().collect(), name.chars().collect());
    cost_of_typing(&typed, &name)
}

/// The Damerau-Levenshtein distance, in which swapping two adjacent letters costs nothing.
fn cost_of_typing(typed: &[char], name: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=name.len()).map(|length| length * INSERT).collect();
    for (i, letter) in typed.iter().enumerate() {
        let mut next = vec![(i + 1) * DELETE];
        for (j, (wanted, pair)) in name.iter().zip(row.windows(2)).enumerate() {
            let replaced = pair.first().copied().unwrap_or(0) + if letter == wanted { 0 } else { REPLACE };
            let deleted = pair.last().copied().unwrap_or(0) + DELETE;
            let inserted = next.last().copied().unwrap_or(0) + INSERT;
            let swapped = swapped(typed, name, (i, j))
                .then(|| before.get(j - 1).copied())
                .flatten();
            let best = replaced.min(deleted).min(inserted);
            next.push(swapped.map_or(best, |swapped| swapped.min(best)));
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

/// Whether the two letters that end here are swapped.
fn swapped(typed: &[char], name: &[char], (i, j): (usize, usize)) -> bool {
    let pair = |letters: &[char], end: usize| Some((*letters.get(end.checked_sub(1)?)?, *letters.get(end)?));
    match (pair(typed, i), pair(name, j)) {
        (Some(typed), Some((before, last))) => typed == (last, before),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_those_of_apaches_tools() {
        let cluster = [
            "bootstrap-controller",
            "bootstrap-server",
            "command-config",
            "config",
            "help",
        ];
        for (typed, names) in [
            ("id", &["config", "help"][..]),
            ("i", &[]),
            ("nonsense", &[]),
            ("include-fenced-brokers", &[]),
        ] {
            assert_eq!(nearest(typed, cluster.into_iter()), names, "{typed}");
        }
        let quorum = ["help", "human-readable", "replication", "status"];
        assert_eq!(nearest("re", quorum.into_iter()), ["replication"]);
        let transactions = ["help", "transactionalId"];
        assert_eq!(
            nearest("transactional-id", transactions.into_iter()),
            ["transactionalId"]
        );
    }

    #[test]
    fn letters_that_changed_places_cost_nothing() {
        assert_eq!(distance_to("tpoic", "topic"), 0);
        assert_eq!(distance_to("topic", "topics"), 0, "it begins so");
        assert_eq!(distance_to("topics", "topic"), DELETE);
        assert_eq!(distance_to("topac", "topic"), REPLACE);
    }
}
