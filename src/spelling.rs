//! The name that the user perhaps meant: the nearest of those that exist.

/// The candidate that differs least from `word`, when it differs little: by letters that are inserted, left out, changed
/// or swapped with their neighbour. Capital letters do not count.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 3).clamp(1, 3);
    let lowercase = word.to_lowercase();
    // The distance takes time in proportion to the product of both lengths, and a word may be a whole file.
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| {
            let distance = strsim::osa_distance(&lowercase, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
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
