//! Partitions of a request that may name one twice: the last mention counts, at the position of the first.

use std::collections::HashMap;
use std::hash::Hash;

/// What a request asks of its partitions, by topic; each partition once.
#[derive(Debug)]
pub(super) struct Once<Topic, Wanted> {
    topics: Vec<(Topic, Vec<(i32, Wanted)>)>,
    /// The indexes of each partition in `topics`.
    places: HashMap<(Topic, i32), (usize, usize)>,
    topic_places: HashMap<Topic, usize>,
}

impl<Topic, Wanted> Default for Once<Topic, Wanted> {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            places: HashMap::new(),
            topic_places: HashMap::new(),
        }
    }
}

impl<Topic: Clone + Eq + Hash, Wanted> Once<Topic, Wanted> {
    pub(super) fn put(&mut self, topic: Topic, partition: i32, wanted: Wanted) {
        if let Some((topic, place)) = self.places.get(&(topic.clone(), partition)) {
            let partitions = self.topics.get_mut(*topic).map(|(_, partitions)| partitions);
            if let Some(known) = partitions.and_then(|partitions| partitions.get_mut(*place)) {
                known.1 = wanted;
            }
            return;
        }
        let at = *self
            .topic_places
            .entry(topic.clone())
            .or_insert(self.topics.len());
        if at == self.topics.len() {
            self.topics.push((topic.clone(), Vec::new()));
        }
        if let Some((_, partitions)) = self.topics.get_mut(at) {
            self.places.insert((topic, partition), (at, partitions.len()));
            partitions.push((partition, wanted));
        }
    }

    /// Topics and their partitions in the order in which they were first named.
    pub(super) fn into_topics(self) -> Vec<(Topic, Vec<(i32, Wanted)>)> {
        self.topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mention_counts_in_the_place_of_the_first() {
        let mut once = Once::default();
        for (topic, partition, wanted) in [("a", 0, 1), ("b", 0, 2), ("a", 1, 3), ("a", 0, 4)] {
            once.put(topic, partition, wanted);
        }
        assert_eq!(
            once.into_topics(),
            [("a", vec![(0, 4), (1, 3)]), ("b", vec![(0, 2)])]
        );
    }
}
