//! One look at a cluster: which brokers are sent which requests, and how their answers are combined.
//!
//! Committed offsets are requested before ends, so that a lag is never negative.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::client::admin::groups::{GroupListing, SHARE};
use crate::client::admin::offsets::{EARLIEST, LATEST, Offsets};
use crate::client::admin::volumes::leaders;
use crate::error::Result;
use crate::monitor::sample::{DiskSpace, Disks, GroupPlaces, Layout, Sample};
use crate::monitor::schedule::{Due, Schedule};
use crate::monitor::top_state::Interest;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// For how many share groups the lag is requested in one look: each takes a request.
const SHARE_GROUPS: usize = 20;

/// A cluster, and what is remembered between looks.
#[derive(Debug)]
pub(super) struct Lookout {
    client: Client,
    schedule: Schedule,
    interest: Option<Interest>,
    /// Partitions and their leaders.
    led: Vec<(TopicPartition, BrokerId)>,
    brokers: usize,
    partitions: usize,
    groups: Vec<GroupListing>,
    /// How many requests the current look has sent.
    requests: usize,
    looks: u64,
}

impl Lookout {
    pub(super) fn new(client: Client, every: Duration) -> Self {
        Self {
            client,
            schedule: Schedule::new(every, Instant::now()),
            interest: None,
            led: Vec::new(),
            brokers: 0,
            partitions: 0,
            groups: Vec::new(),
            requests: 0,
            looks: 0,
        }
    }

    /// How long to wait before the next look.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.schedule.wait(now)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.interest.as_ref().is_some_and(|interest| interest.is_paused)
    }

    /// How many looks have succeeded.
    pub(super) fn looks(&self) -> u64 {
        self.looks
    }

    /// Sets the subject of the next looks; the next one is soon if another group is opened.
    pub(super) fn set_interest(&mut self, interest: Interest, now: Instant) {
        self.schedule.set_every(interest.every, now);
        let before = self.interest.replace(interest);
        if self.interest.as_ref().map(|now| &now.opened) != before.as_ref().map(|before| &before.opened) {
            self.schedule.refresh_soon(now);
        }
    }

    /// Looks at everything that is due.
    pub(super) fn look(&mut self) -> Result<Sample> {
        let now = Instant::now();
        let due = self.schedule.due(now, self.partitions);
        let groups = match (&self.interest, due.groups) {
            (_, true) => None,
            (Some(interest), false) => Some(interest.groups.clone()),
            (None, false) => Some(Vec::new()),
        };
        self.look_at(due, groups.as_deref())
    }

    /// Looks at everything, whether or not it is due.
    pub(super) fn look_at_all(&mut self) -> Result<Sample> {
        let all = Due {
            layout: true,
            disks: self.looks == 0,
            groups: true,
        };
        self.look_at(all, None)
    }

    /// `groups`: the groups whose offsets are requested; `None` for all.
    fn look_at(&mut self, due: Due, groups: Option<&[String]>) -> Result<Sample> {
        self.requests = 0;
        let mut sample = Sample::default();
        let outcome = self.fill(&mut sample, due, groups);
        let now = Instant::now();
        self.schedule.spent(self.requests, self.brokers, now);
        match outcome {
            Ok(()) => self.looks += 1,
            Err(error) => {
                self.schedule.failed(now);
                return Err(error);
            }
        }
        let absent = self.client.admin()?.take_absent();
        if !absent.is_empty() {
            self.schedule.layout_is_stale(now);
        }
        sample.complaints.extend(absent.into_values());
        Ok(sample)
    }

    fn fill(&mut self, sample: &mut Sample, due: Due, groups: Option<&[String]>) -> Result<()> {
        if due.layout || self.brokers == 0 {
            sample.layout = Some(self.layout()?);
        }
        if due.groups {
            match self.client.admin()?.list_groups() {
                Ok(listed) => {
                    self.groups.clone_from(&listed);
                    sample.groups = Some(listed);
                }
                Err(error) => sample.complaints.push(format!("groups: {}", error.message())),
            }
            self.requests += self.brokers;
        }
        let wanted: Vec<GroupListing> = match groups {
            None => self.groups.clone(),
            Some(names) => {
                let is_wanted = |group: &&GroupListing| names.contains(&group.id);
                self.groups.iter().filter(is_wanted).cloned().collect()
            }
        };
        match self.places(&wanted, due.groups) {
            Ok(places) => sample.places = places,
            Err(error) => sample.complaints.push(format!("groups: {}", error.message())),
        }
        let ends = self.offsets(LATEST)?;
        if ends.values().any(Result::is_err) {
            self.schedule.layout_is_stale(Instant::now());
        }
        sample.ends = Some(known(ends));
        if due.disks {
            sample.disks = Some(self.disks()?);
        }
        Ok(())
    }

    fn layout(&mut self) -> Result<Layout> {
        self.requests += 1;
        let admin = self.client.admin()?;
        let topics = admin.all_topics()?;
        let layout = Layout {
            cluster_id: admin.cluster_id()?.map(str::to_owned),
            controller: admin.controller_id()?,
            brokers: admin.brokers()?.to_vec(),
            topics,
        };
        self.led = leaders(&layout.topics);
        self.brokers = layout.brokers.len();
        self.partitions = layout.topics.iter().map(|topic| topic.partitions.len()).sum();
        Ok(layout)
    }

    /// One offset of every partition, with one request for each leader.
    fn offsets(&mut self, timestamp: i64) -> Result<Offsets> {
        let brokers: BTreeSet<BrokerId> = self.led.iter().map(|(_, leader)| *leader).collect();
        self.requests += brokers.len();
        self.client.admin()?.list_offsets_once(&self.led, timestamp)
    }

    /// The bytes on disks; empty for a user without the right to see them.
    fn disks(&mut self) -> Result<Disks> {
        let firsts = known(self.offsets(EARLIEST)?);
        let led: BTreeMap<&TopicPartition, BrokerId> =
            self.led.iter().map(|(name, leader)| (name, *leader)).collect();
        let admin = self.client.admin()?;
        let brokers: Vec<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
        self.requests += brokers.len();
        let mut disks = Disks {
            firsts,
            ..Disks::default()
        };
        for (broker, dirs) in admin.describe_log_dirs(&brokers)? {
            let Ok(dirs) = dirs else { continue };
            let mut space = DiskSpace {
                used: 0,
                free: dirs.iter().map(|dir| dir.usable_bytes).sum(),
            };
            for replica in dirs.into_iter().flat_map(|dir| dir.replicas) {
                space.used += replica.size;
                if !replica.is_future && led.get(&replica.partition) == Some(&broker) {
                    disks.sizes.insert(replica.partition, replica.size);
                }
            }
            disks.brokers.insert(broker, space);
        }
        Ok(disks)
    }

    /// The offsets of groups; `with_members`: their numbers of members, too.
    fn places(
        &mut self,
        groups: &[GroupListing],
        with_members: bool,
    ) -> Result<BTreeMap<String, GroupPlaces>> {
        if groups.is_empty() {
            return Ok(BTreeMap::new());
        }
        let coordinators: BTreeSet<BrokerId> = groups.iter().map(|group| group.coordinator).collect();
        let admin = self.client.admin()?;
        self.requests += coordinators.len();
        let mut committed = admin.committed_by(groups)?;
        let members = if with_members {
            self.requests += coordinators.len();
            admin.count_members(groups)?
        } else {
            BTreeMap::new()
        };
        let share: Vec<GroupListing> = groups
            .iter()
            .filter(|group| group.kind == SHARE)
            .take(SHARE_GROUPS)
            .cloned()
            .collect();
        self.requests += share.len();
        let stated = admin.lags_of_share_groups(&share)?;
        let mut places = BTreeMap::new();
        for group in groups {
            let looked = GroupPlaces {
                committed: committed.remove(&group.id),
                members: members.get(&group.id).copied(),
                stated_lag: stated.get(&group.id).copied(),
                assigned: None,
            };
            places.insert(group.id.clone(), looked);
        }
        let opened = self
            .interest
            .as_ref()
            .and_then(|interest| interest.opened.clone());
        if let Some(place) = opened.as_ref().and_then(|name| places.get_mut(name)) {
            place.assigned = self.assigned(&opened.unwrap_or_default())?;
        }
        Ok(places)
    }

    /// The client that reads each partition of a group; `None` where the coordinator does not report it.
    fn assigned(&mut self, group: &str) -> Result<Option<BTreeMap<TopicPartition, String>>> {
        // One request for each type of group that it may be, and FindCoordinator.
        self.requests += 2;
        let Ok(described) = self.client.admin()?.describe_group(group)? else {
            return Ok(None);
        };
        let partitions = described.members.into_iter().flat_map(|member| {
            let client = member.client_id;
            let assigned = member.assignment.into_iter();
            assigned.map(move |partition| (partition, client.clone()))
        });
        Ok(Some(partitions.collect()))
    }
}

/// The offsets that leaders returned.
fn known(offsets: Offsets) -> BTreeMap<TopicPartition, Offset> {
    let answers = offsets.into_iter();
    answers
        .filter_map(|(partition, offset)| Some((partition, offset.ok()?)))
        .collect()
}
