//! Changes of many things go in several requests: each is answered in time, and none is larger than a controller takes.

use super::AdminClient;
use crate::error::Result;

/// Things that one request changes at most.
pub const CHANGED_AT_ONCE: usize = 200;

/// What the things in one request come to at most, in records that the controller writes. Apache Kafka refuses 10 000
/// (`QuorumController.MAX_RECORDS_PER_USER_OP`), and a slow disk needs its time long before.
const WEIGHT_AT_ONCE: usize = 4000;

/// The things in parts of one request each; one that is too heavy has a part of its own.
fn parts<T>(all: &[T], weight: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut parts = Vec::new();
    let (mut rest, mut count, mut sum) = (all, 0, 0);
    for thing in all {
        let heavy = weight(thing);
        if count > 0 && (count == CHANGED_AT_ONCE || sum + heavy > WEIGHT_AT_ONCE) {
            let (part, behind) = rest.split_at(count);
            parts.push(part);
            (rest, count, sum) = (behind, 0, 0);
        }
        count += 1;
        sum = sum.saturating_add(heavy);
    }
    parts.extend((!rest.is_empty()).then_some(rest));
    parts
}

impl AdminClient {
    /// Asks about all things, a part at a time. An error says for how many topics an answer came before it.
    pub(super) fn in_parts<T, O>(
        &mut self,
        all: &[T],
        weight: impl Fn(&T) -> usize,
        mut ask: impl FnMut(&mut Self, &[T]) -> Result<Vec<O>>,
    ) -> Result<Vec<O>> {
        let mut outcomes = Vec::with_capacity(all.len());
        for part in parts(all, weight) {
            let before = outcomes.len();
            let answered = ask(self, part);
            outcomes.extend(answered.map_err(|error| match before {
                0 => error,
                _ => error.context(format_args!("after the first {before} topics")),
            })?);
        }
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(weights: &[usize]) -> Vec<usize> {
        let parts = parts(weights, |weight| *weight);
        assert_eq!(parts.concat(), weights, "none is lost and none is moved");
        parts.iter().map(|part| part.len()).collect()
    }

    #[test]
    fn a_part_is_neither_long_nor_heavy() {
        assert!(lengths(&[]).is_empty());
        assert_eq!(lengths(&[1; 5]), [5]);
        assert_eq!(lengths(&[1; 401]), [200, 200, 1]);
        assert_eq!(lengths(&[1000; 10]), [4, 4, 2]);
        assert_eq!(lengths(&[1, 9000, 1]), [1, 1, 1]);
    }
}
