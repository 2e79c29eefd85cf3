//! The volume of partitions: their first and next offsets, and the bytes of the leader's replica.

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

/// The volume of one partition; `None` for what is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub first: Option<Offset>,
    pub next: Option<Offset>,
    /// Bytes of segments at the leader.
    pub size: Option<i64>,
}

impl Volume {
    /// The number of offsets from the first to the next one. There are at most as many records, and fewer after
    /// compaction or with transaction markers.
    pub fn offsets(self) -> Option<i64> {
        Some(self.next? - self.first?)
    }
}

/// The volumes of the partitions of some topics.
#[derive(Debug, Default)]
pub struct Volumes {
    /// By topic, then in the order of the partitions: a map with an entry for each partition would hold each topic's
    /// name many times.
    topics: HashMap<String, Vec<(i32, Volume)>>,
}

impl Volumes {
    /// `found` are the volumes of the partitions with a leader, in the order of the topics.
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

    /// The volume of a partition, as far as known.
    pub fn get(&self, topic: &str, partition: i32) -> Volume {
        let places = self.topics.get(topic).map_or(&[][..], Vec::as_slice);
        let place = places.binary_search_by_key(&partition, |(partition, _)| *partition);
        let found = place.ok().and_then(|place| places.get(place));
        found.map_or_else(Volume::default, |(_, volume)| *volume)
    }
}

/// All questions to a leader in one turn, so that a silent one is waited for only once.
struct VolumeQuestion {
    first: ListOffsetsRequest,
    next: ListOffsetsRequest,
    sizes: DescribeLogDirsRequest,
}

struct VolumeAnswer {
    first: ListOffsetsResponse,
    next: ListOffsetsResponse,
    /// `None` if the broker does not answer it: the offsets are kept without sizes.
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
    /// The volumes of the partitions of these topics. Those without a leader, or without the right to ask, stay
    /// unknown.
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

    /// Notes the brokers of partitions without a leader as absent: only they know the size.
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

/// The volumes found, by the partition's index in the list.
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

/// The partitions of a topic that have a leader, each with it.
fn led(topic: &TopicDescription) -> impl Iterator<Item = (i32, BrokerId)> {
    let partitions = topic.partitions.iter();
    partitions.filter_map(|partition| Some((partition.partition, partition.leader?)))
}

/// The partitions that have a leader, each with it.
pub fn leaders(topics: &[TopicDescription]) -> Vec<(TopicPartition, BrokerId)> {
    let of_topic = |topic: &TopicDescription| {
        let named = led(topic)
            .map(|(partition, leader)| (TopicPartition::new(topic.name.as_str(), partition), leader));
        named.collect::<Vec<_>>()
    };
    topics.iter().flat_map(of_topic).collect()
}
