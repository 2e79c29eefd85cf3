//! Splits changes of many things into several requests, so that each is answered in time and none is too large for a
//! controller.

use super::AdminClient;
use crate::error::Result;

/// The most things that one request changes.
pub const CHANGED_AT_ONCE: usize = 200;

/// The most records that the controller writes for one request. Apache Kafka refuses 10 000
/// (`QuorumController.MAX_RECORDS_PER_USER_OP`), and a slow disk is slow well below that.
const WEIGHT_AT_ONCE: usize = 4000;

/// The parts, one for each request; a thing that is too heavy gets its own part.
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
    /// Calls `ask` with one part at a time. An error states how many topics were answered before it.
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
