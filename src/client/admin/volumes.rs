//! How much lies in partitions: their first and next offsets, and the bytes of the leader's copy.

use std::collections::{BTreeSet, HashMap};

use kafka_protocol::messages::{
    DescribeLogDirsRequest, DescribeLogDirsResponse, ListOffsetsRequest, ListOffsetsResponse,
};

use super::AdminClient;
use super::fan_out::Question;
use super::led_partitions::{Asked, LedPartitions};
use super::log_dirs::{about, take_sizes};
use super::offsets::{Answer, EARLIEST, LATEST, question, take_offsets};
use super::topics::TopicDescription;
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::{Connection, WireError};

/// What lies in one partition; `None` for what could not be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub first: Option<Offset>,
    pub next: Option<Offset>,
    /// Bytes of segments at the leader.
    pub size: Option<i64>,
}

impl Volume {
    /// Offsets from the first to the next one. There are no more records than that, and fewer where compaction took
    /// some away or transactions wrote their markers.
    pub fn offsets(self) -> Option<i64> {
        Some(self.next? - self.first?)
    }
}

/// What lies in the partitions of some topics.
#[derive(Debug, Default)]
pub struct Volumes {
    /// By topic, then in the order of the partitions: a map with an entry a partition takes a cluster's worth of names.
    topics: HashMap<String, Vec<(i32, Volume)>>,
}

impl Volumes {
    /// `found` are those of the partitions that somebody leads, in the order of the topics.
    fn of(topics: &[TopicDescription], found: Vec<Volume>) -> Self {
        let mut found = found.into_iter();
        let of_topic = |topic: &TopicDescription| {
            let places = led(topic).map(|(partition, _)| partition).zip(found.by_ref());
            let mut places: Vec<(i32, Volume)> = places.collect();
            places.sort_unstable_by_key(|(partition, _)| *partition);
            (topic.name.clone(), places)
        };
        Self {
            topics: topics.iter().map(of_topic).collect(),
        }
    }

    /// What is known of a partition.
    pub fn get(&self, topic: &str, partition: i32) -> Volume {
        let places = self.topics.get(topic).map_or(&[][..], Vec::as_slice);
        let place = places.binary_search_by_key(&partition, |(partition, _)| *partition);
        let found = place.ok().and_then(|place| places.get(place));
        found.map_or_else(Volume::default, |(_, volume)| *volume)
    }
}

/// What a leader is asked in one turn, so that a silent one is waited for once and not once a question.
struct VolumeQuestion {
    first: ListOffsetsRequest,
    next: ListOffsetsRequest,
    sizes: DescribeLogDirsRequest,
}

struct VolumeAnswer {
    first: ListOffsetsResponse,
    next: ListOffsetsResponse,
    /// Nothing where the broker does not tell: sizes are worth less than the offsets, which stay known.
    sizes: Option<DescribeLogDirsResponse>,
}

impl Question for VolumeQuestion {
    type Answer = VolumeAnswer;

    /// The three answers of a broker in a large cluster take a megabyte.
    const AT_ONCE: usize = 12;

    fn ask(&self, connection: &mut Connection) -> Result<VolumeAnswer, WireError> {
        Ok(VolumeAnswer {
            first: connection.send(&self.first)?,
            next: connection.send(&self.next)?,
            sizes: match connection.send(&self.sizes) {
                Err(error) if error.is_passing() => return Err(error),
                answer => answer.ok(),
            },
        })
    }
}

impl AdminClient {
    /// The bytes in the partitions of these topics. What may not be asked, or has no leader, stays unknown.
    pub fn volumes(&mut self, topics: &[TopicDescription]) -> Result<Volumes> {
        self.note_lost(topics)?;
        let named = topics
            .iter()
            .flat_map(|topic| led(topic).map(|(partition, leader)| (topic.name.as_str(), partition, leader)));
        let led_partitions = LedPartitions::by_leader(named);
        let mut found = Found(vec![Volume::default(); topics.iter().flat_map(led).count()]);
        let (mut no_first, mut no_next) = (LedPartitions::default(), LedPartitions::default());
        self.send_in_turns(
            &led_partitions.leaders(),
            |leader| VolumeQuestion {
                first: question(led_partitions.topics_of(leader), EARLIEST),
                next: question(led_partitions.topics_of(leader), LATEST),
                sizes: about(led_partitions.topics_of(leader)),
            },
            |leader, answer: Result<VolumeAnswer>| {
                let VolumeAnswer { first, next, sizes } = answer?;
                take_offsets(&led_partitions, leader, first, &mut no_first, found.firsts());
                take_offsets(&led_partitions, leader, next, &mut no_next, found.nexts());
                if let Some(sizes) = sizes {
                    take_sizes(&led_partitions, leader, sizes, found.sizes());
                }
                Ok(())
            },
        )?;
        no_first.sort();
        self.ask_again(no_first, EARLIEST, found.firsts())?;
        no_next.sort();
        self.ask_again(no_next, LATEST, found.nexts())?;
        Ok(Volumes::of(topics, found.0))
    }

    /// A partition without a leader is on brokers that are down: only they know its size.
    pub fn note_lost(&mut self, topics: &[TopicDescription]) -> Result<()> {
        let partitions = topics.iter().flat_map(|topic| &topic.partitions);
        let lost = partitions.filter(|partition| partition.leader.is_none());
        let holders: BTreeSet<BrokerId> = lost
            .flat_map(|partition| partition.replicas.iter().copied())
            .collect();
        if holders.is_empty() {
            return Ok(());
        }
        let up: BTreeSet<BrokerId> = self.brokers()?.iter().map(|broker| broker.id).collect();
        holders.difference(&up).for_each(|broker| self.note_down(*broker));
        Ok(())
    }
}

/// What has been found, by the place of the partition in the list.
struct Found(Vec<Volume>);

impl Found {
    fn firsts(&mut self) -> impl FnMut(Asked<'_>, Answer) {
        self.offsets(|volume| &mut volume.first)
    }

    fn nexts(&mut self) -> impl FnMut(Asked<'_>, Answer) {
        self.offsets(|volume| &mut volume.next)
    }

    fn offsets(
        &mut self,
        part: impl Fn(&mut Volume) -> &mut Option<Offset>,
    ) -> impl FnMut(Asked<'_>, Answer) {
        move |asked, answer| {
            if let Some(volume) = self.0.get_mut(asked.place) {
                *part(volume) = answer.ok().map(|(offset, _)| offset);
            }
        }
    }

    fn sizes(&mut self) -> impl FnMut(Asked<'_>, i64) {
        |asked, size| {
            if let Some(volume) = self.0.get_mut(asked.place) {
                volume.size = Some(size);
            }
        }
    }
}

/// The partitions of a topic that somebody leads, each with its leader.
fn led(topic: &TopicDescription) -> impl Iterator<Item = (i32, BrokerId)> {
    let partitions = topic.partitions.iter();
    partitions.filter_map(|partition| Some((partition.partition, partition.leader?)))
}

/// The partitions that somebody leads.
pub fn leaders(topics: &[TopicDescription]) -> Vec<(TopicPartition, BrokerId)> {
    let of_topic = |topic: &TopicDescription| {
        let named = led(topic)
            .map(|(partition, leader)| (TopicPartition::new(topic.name.as_str(), partition), leader));
        named.collect::<Vec<_>>()
    };
    topics.iter().flat_map(of_topic).collect()
}
