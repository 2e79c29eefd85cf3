//! Every group with its members and its offset in each partition, from all coordinators at once.
//!
//! A group is coordinated by the broker that lists it, so that no coordinator has to be looked up.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, DescribeGroupsRequest, OffsetFetchRequest, ShareGroupDescribeRequest,
};

use super::AdminClient;
use super::groups::{GroupListing, OFFSETS_OF_GROUPS, SHARE, group_id};
use super::offsets::LATEST;
use super::share_groups::{self, places_of};
use super::topics::is_unsupported;
use super::volumes::leaders;
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// Groups in one request: an answer with their members stays below the limit of a connection.
const AT_ONCE: usize = 500;

/// Where a group is in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub committed: Offset,
    /// The log end offset; `None` if the leader did not answer.
    pub end: Option<Offset>,
}

impl Place {
    /// Records that are not read yet; `None` if the end is unknown.
    pub fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed).max(0))
    }
}

/// A group, its number of members, and its offsets.
#[derive(Clone, Debug)]
pub struct GroupSummary {
    pub listing: GroupListing,
    /// `None` if the coordinator did not answer.
    pub members: Option<usize>,
    /// Partitions with a committed offset; `None` if the coordinator did not answer, and for share groups, which
    /// commit none.
    pub places: Option<BTreeMap<TopicPartition, Place>>,
    /// The lag that the coordinator reports itself, for share groups.
    pub stated_lag: Option<i64>,
}

impl GroupSummary {
    /// Records not read yet, in all partitions whose end is known; `None` for a group that is active and has committed
    /// nothing yet.
    pub fn lag(&self) -> Option<i64> {
        if self.stated_lag.is_some() {
            return self.stated_lag;
        }
        let places = self.places.as_ref()?;
        let lags: Vec<i64> = places.values().filter_map(Place::lag).collect();
        let is_unused = places.is_empty() && self.members.is_none_or(|members| members == 0);
        (is_unused || !lags.is_empty()).then(|| lags.iter().sum())
    }
}

/// The groups that each coordinator is asked about.
type Asked = BTreeMap<BrokerId, Vec<String>>;

impl AdminClient {
    /// The groups of the cluster, by name; with `names` only those.
    pub fn group_overview(&mut self, names: &[String]) -> Result<Vec<GroupSummary>> {
        let mut listed = self.list_groups()?;
        if !names.is_empty() {
            listed.retain(|group| names.contains(&group.id));
        }
        self.summaries_of(listed)
    }

    /// The members and offsets of these groups.
    pub fn summaries_of(&mut self, listed: Vec<GroupListing>) -> Result<Vec<GroupSummary>> {
        let members = self.count_members(&listed)?;
        let mut committed = self.committed_by(&listed)?;
        let ends = self.ends_of(committed.values().flat_map(BTreeMap::keys))?;
        let mut stated = self.lags_of_share_groups(&listed)?;
        let summary = |listing: GroupListing| {
            let offsets = committed.remove(&listing.id);
            let places = offsets.map(|offsets| {
                let place = |(partition, committed): (TopicPartition, Offset)| {
                    let end = ends.get(&partition).copied();
                    (partition, Place { committed, end })
                };
                offsets.into_iter().map(place).collect()
            });
            GroupSummary {
                members: members.get(&listing.id).copied(),
                places,
                stated_lag: stated.remove(&listing.id),
                listing,
            }
        };
        Ok(listed.into_iter().map(summary).collect())
    }

    /// The number of members of each group whose coordinator answers.
    pub fn count_members(&mut self, groups: &[GroupListing]) -> Result<BTreeMap<String, usize>> {
        let mut counts = BTreeMap::new();
        let mut asked: BTreeMap<&str, Asked> = BTreeMap::new();
        for group in groups {
            if group.state.eq_ignore_ascii_case("empty") {
                counts.insert(group.id.clone(), 0);
                continue;
            }
            let ids = asked
                .entry(group.kind.as_str())
                .or_default()
                .entry(group.coordinator);
            ids.or_default().push(group.id.clone());
        }
        for (kind, asked) in asked {
            for round in rounds(&asked) {
                match kind {
                    "consumer" => self.count_in_consumer_groups(&round, &mut counts)?,
                    "share" => self.count_in_share_groups(&round, &mut counts)?,
                    "classic" => self.count_in_classic_groups(&round, &mut counts)?,
                    _ => {}
                }
            }
        }
        Ok(counts)
    }

    fn count_in_classic_groups(&mut self, asked: &Asked, counts: &mut BTreeMap<String, usize>) -> Result<()> {
        let request = |ids: &Vec<String>| {
            DescribeGroupsRequest::default().with_groups(ids.iter().map(|id| group_id(id)).collect())
        };
        for answer in self.send_to_each(requests(asked, request))?.into_values() {
            let groups = answer?.groups.into_iter();
            let known = groups.filter(|group| group.error_code == 0);
            counts.extend(known.map(|group| (group.group_id.to_string(), group.members.len())));
        }
        Ok(())
    }

    fn count_in_consumer_groups(
        &mut self,
        asked: &Asked,
        counts: &mut BTreeMap<String, usize>,
    ) -> Result<()> {
        let request = |ids: &Vec<String>| {
            ConsumerGroupDescribeRequest::default()
                .with_group_ids(ids.iter().map(|id| group_id(id)).collect())
        };
        for answer in self.send_to_each(requests(asked, request))?.into_values() {
            let groups = answer?.groups.into_iter();
            let known = groups.filter(|group| group.error_code == 0);
            counts.extend(known.map(|group| (group.group_id.to_string(), group.members.len())));
        }
        Ok(())
    }

    fn count_in_share_groups(&mut self, asked: &Asked, counts: &mut BTreeMap<String, usize>) -> Result<()> {
        let request = |ids: &Vec<String>| {
            ShareGroupDescribeRequest::default().with_group_ids(ids.iter().map(|id| group_id(id)).collect())
        };
        for answer in self.send_to_each(requests(asked, request))?.into_values() {
            let groups = answer?.groups.into_iter();
            let known = groups.filter(|group| group.error_code == 0);
            counts.extend(known.map(|group| (group.group_id.to_string(), group.members.len())));
        }
        Ok(())
    }

    /// The lag of each share group whose coordinator states it for a partition.
    pub fn lags_of_share_groups(&mut self, groups: &[GroupListing]) -> Result<BTreeMap<String, i64>> {
        let mut lags = BTreeMap::new();
        let mut asked = Asked::new();
        for group in groups.iter().filter(|group| group.kind == SHARE) {
            asked.entry(group.coordinator).or_default().push(group.id.clone());
        }
        for round in rounds(&asked) {
            for answer in self
                .send_to_each(requests(&round, |ids| places_of(ids)))?
                .into_values()
            {
                // The first brokers with share groups did not report their offsets.
                if answer.as_ref().is_err_and(is_unsupported) {
                    continue;
                }
                for group in answer?.groups.into_iter().filter(|group| group.error_code == 0) {
                    let partitions = group.topics.iter().flat_map(|topic| &topic.partitions);
                    let known: Vec<i64> = partitions.filter_map(share_groups::lag).collect();
                    if !known.is_empty() {
                        lags.insert(group.group_id, known.iter().sum());
                    }
                }
            }
        }
        Ok(lags)
    }

    /// The committed offsets of each group; a group whose coordinator does not answer is left out.
    pub fn committed_by(
        &mut self,
        groups: &[GroupListing],
    ) -> Result<BTreeMap<String, BTreeMap<TopicPartition, Offset>>> {
        let mut committed = BTreeMap::new();
        let commits = || groups.iter().filter(|group| group.kind != "share");
        if commits().next().is_none() {
            return Ok(committed);
        }
        if self.version_of::<OffsetFetchRequest>()? < OFFSETS_OF_GROUPS {
            for group in commits() {
                committed.insert(group.id.clone(), self.committed_offsets(&group.id)?);
            }
            return Ok(committed);
        }
        let mut asked = Asked::new();
        for group in commits() {
            asked.entry(group.coordinator).or_default().push(group.id.clone());
        }
        let request = |ids: &Vec<String>| {
            let wanted = |id: &String| {
                OffsetFetchRequestGroup::default()
                    .with_group_id(group_id(id))
                    .with_topics(None)
            };
            OffsetFetchRequest::default().with_groups(ids.iter().map(wanted).collect())
        };
        for round in rounds(&asked) {
            for answer in self.send_to_each(requests(&round, request))?.into_values() {
                for group in answer?.groups.into_iter().filter(|group| group.error_code == 0) {
                    let offsets = committed.entry(group.group_id.to_string()).or_default();
                    for topic in &group.topics {
                        let places = topic
                            .partitions
                            .iter()
                            .filter(|place| place.committed_offset >= 0);
                        offsets.extend(places.map(|place| {
                            let partition = TopicPartition::new(topic.name.as_str(), place.partition_index);
                            (partition, place.committed_offset)
                        }));
                    }
                }
            }
        }
        Ok(committed)
    }

    /// The log end offsets of the partitions whose leaders answer.
    fn ends_of<'a>(
        &mut self,
        partitions: impl Iterator<Item = &'a TopicPartition>,
    ) -> Result<BTreeMap<TopicPartition, Offset>> {
        let wanted: BTreeSet<&TopicPartition> = partitions.collect();
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let topics = self.topics_named(wanted.iter().map(|partition| partition.topic.as_str()))?;
        let mut led = leaders(&topics);
        led.retain(|(partition, _)| wanted.contains(partition));
        let ends = self.list_offsets(&led, LATEST)?.into_iter();
        Ok(ends
            .filter_map(|(partition, end)| Some((partition, end.ok()?)))
            .collect())
    }
}

/// The same question in parts of at most [`AT_ONCE`] groups a broker.
fn rounds(asked: &Asked) -> Vec<Asked> {
    let most = asked.values().map(Vec::len).max().unwrap_or(0);
    let round = |number: usize| -> Asked {
        let parts = asked.iter().filter_map(|(broker, ids)| {
            let part: Vec<String> = ids.iter().skip(number * AT_ONCE).take(AT_ONCE).cloned().collect();
            (!part.is_empty()).then_some((*broker, part))
        });
        parts.collect()
    };
    (0..most.div_ceil(AT_ONCE)).map(round).collect()
}

fn requests<R>(asked: &Asked, request: impl Fn(&Vec<String>) -> R) -> Vec<(BrokerId, R)> {
    asked
        .iter()
        .map(|(broker, ids)| (*broker, request(ids)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_asked_about_once() {
        let ids = |count: usize| (0..count).map(|id| id.to_string()).collect::<Vec<_>>();
        let asked = Asked::from([(1, ids(AT_ONCE * 2 + 1)), (2, ids(3))]);
        let rounds = rounds(&asked);
        let sizes: Vec<usize> = rounds
            .iter()
            .map(|round| round.values().map(Vec::len).sum())
            .collect();
        assert_eq!(sizes, [AT_ONCE + 3, AT_ONCE, 1]);
    }

    #[test]
    fn a_group_that_has_committed_nothing_has_no_lag() {
        let mut group = GroupSummary {
            listing: GroupListing::default(),
            members: None,
            places: Some(BTreeMap::new()),
            stated_lag: None,
        };
        assert_eq!(group.lag(), Some(0));
        group.members = Some(1);
        assert_eq!(group.lag(), None, "its members may have read anything");
        let place = |committed, end| Place { committed, end };
        let places = [(TopicPartition::new("t", 0), place(3, None))];
        group.places = Some(BTreeMap::from(places.clone()));
        assert_eq!(group.lag(), None, "no leader has said where the partition ends");
        let more = [(TopicPartition::new("t", 1), place(3, Some(10)))];
        group.places = Some(places.into_iter().chain(more).collect());
        assert_eq!(group.lag(), Some(7));
    }
}
