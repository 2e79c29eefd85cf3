//! What changes in partitions when brokers come and go, when a leader reports its ISR, and when a user wants another
//! leader or other replicas (Apache Kafka's `ReplicationControlManager`; KIP-455, KIP-460, KIP-497).
//!
//! Pure: the image goes in, and records come out. One change of a partition is in `partition_change`.

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::controller::{Refused, check_replicas};
use super::image::{ClusterImage, TopicImage};
use super::partition_change::{Changed, Election, PartitionChange, Rules};
use super::partition_image::{NO_LEADER, PartitionImage};
use super::records::Records;
use crate::broker::features::ELIGIBLE_LEADER_REPLICAS_VERSION;

/// How a broker leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Departure {
    /// It did not answer for too long, or is shutting down.
    Silent,
    /// It has ended without closing its logs: it may lack records that it had.
    Unclean,
}

/// The ISR that a leader requests (`AlterPartition`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct AlterPartition {
    pub(in crate::broker) topic: Uuid,
    pub(in crate::broker) partition: i32,
    /// The broker that requests it.
    pub(in crate::broker) leader: i32,
    pub(in crate::broker) leader_epoch: i32,
    pub(in crate::broker) partition_epoch: i32,
    pub(in crate::broker) isr: Vec<i32>,
    /// The replica that has caught up, and its broker's epoch at that time (KIP-903): a broker that has restarted
    /// since may have fewer records.
    pub(in crate::broker) joins: Option<(i32, i64)>,
}

/// The brokers and partitions of an image, except that one broker counts as gone or back already.
#[derive(Clone, Copy)]
pub(in crate::broker) struct Elections<'a> {
    image: &'a ClusterImage,
    gone: Option<i32>,
    back: Option<i32>,
}

impl<'a> Elections<'a> {
    pub(in crate::broker) fn new(image: &'a ClusterImage) -> Self {
        Self {
            image,
            gone: None,
            back: None,
        }
    }

    fn is_active(&self, id: i32) -> bool {
        self.gone != Some(id) && (self.back == Some(id) || self.image.is_active(id))
    }

    /// Makes one change of a partition; `None` if nothing changes.
    fn change(
        &self,
        topic: &TopicImage,
        before: &PartitionImage,
        set: impl FnOnce(&mut PartitionChange<'_>),
    ) -> Option<Changed> {
        let is_active = |id| self.is_active(id);
        let rules = Rules {
            is_active: &is_active,
            min_isr: self.image.min_insync_replicas(topic),
            remembers_eligible: self.image.feature_level(&ELIGIBLE_LEADER_REPLICAS_VERSION) > 0,
        };
        let mut change = PartitionChange::new(before, rules);
        if self.image.allows_unclean_election(topic) {
            change.election = Election::Unclean;
        }
        set(&mut change);
        change.finish(|id| self.image.directory(id))
    }

    /// The same for every partition for which `concerns` holds.
    fn change_all(
        &self,
        concerns: impl Fn(&PartitionImage) -> bool,
        set: impl Fn(&mut PartitionChange<'_>),
    ) -> Records {
        let mut records = Records::new();
        for topic in self.image.topics() {
            for (index, before) in topic
                .partitions
                .iter()
                .filter(|(_, partition)| concerns(partition))
            {
                let changed = self.change(topic, before, &set);
                records.extend(changed.and_then(|changed| changed.to_record(topic.id, *index, before)));
            }
        }
        records
    }

    /// A broker goes: it leaves every ISR, and leads nothing.
    pub(in crate::broker) fn broker_gone(mut self, id: i32, departure: Departure) -> Records {
        self.gone = Some(id);
        let concerns = |partition: &PartitionImage| {
            partition.leader == id || partition.isr.contains(&id) || partition.eligible.contains(&id)
        };
        self.change_all(concerns, |change| {
            change.isr.retain(|known| *known != id);
            if departure == Departure::Unclean {
                change.stopped_uncleanly.push(id);
            }
        })
    }

    /// A broker is back: it may lead partitions without a leader.
    pub(in crate::broker) fn broker_back(mut self, id: i32) -> Records {
        self.back = Some(id);
        let concerns =
            |partition: &PartitionImage| partition.leader == NO_LEADER && partition.replicas.contains(&id);
        self.change_all(concerns, |_| {})
    }

    /// Elects leaders for partitions without one, after `unclean.leader.election.enable` was changed or at a start.
    pub(in crate::broker) fn leaderless(self) -> Records {
        self.change_all(|partition| partition.leader == NO_LEADER, |_| {})
    }

    /// The ISR that a leader requests, if it is allowed.
    ///
    /// # Errors
    ///
    /// Those with which Apache Kafka answers the leader.
    pub(in crate::broker) fn alter_partition(
        &self,
        wanted: &AlterPartition,
    ) -> Result<Records, ResponseError> {
        let topic = self.image.topic_by_id(wanted.topic);
        let topic = topic.ok_or(ResponseError::UnknownTopicId)?;
        let before = topic.partition(wanted.partition);
        let before = before.ok_or(ResponseError::UnknownTopicOrPartition)?;
        if wanted.leader_epoch > before.leader_epoch || wanted.partition_epoch > before.partition_epoch {
            return Err(ResponseError::NotController);
        }
        if wanted.leader_epoch < before.leader_epoch {
            return Err(ResponseError::FencedLeaderEpoch);
        }
        if wanted.leader != before.leader {
            return Err(ResponseError::InvalidRequest);
        }
        if wanted.partition_epoch < before.partition_epoch {
            return Err(ResponseError::InvalidUpdateVersion);
        }
        let is_replica = |id: &i32| before.replicas.contains(id);
        if !wanted.isr.iter().all(is_replica) || !wanted.isr.contains(&wanted.leader) {
            return Err(ResponseError::InvalidRequest);
        }
        let is_as_it_was = |(id, epoch): (i32, i64)| self.image.broker_epoch(id) == epoch;
        if !wanted.isr.iter().all(|id| self.is_active(*id)) || !wanted.joins.is_none_or(is_as_it_was) {
            return Err(ResponseError::IneligibleReplica);
        }
        let changed = self.change(topic, before, |change| change.isr.clone_from(&wanted.isr));
        let record = changed.and_then(|changed| changed.to_record(topic.id, wanted.partition, before));
        Ok(record.into_iter().collect())
    }

    /// Elects another leader for a partition, as a user has requested.
    ///
    /// # Errors
    ///
    /// No election is needed, or no replica can be elected; with Kafka's messages.
    pub(in crate::broker) fn elect(
        &self,
        topic: &TopicImage,
        index: i32,
        election: Election,
    ) -> Result<Records, Refused> {
        let refused = |error, words: &str| Err((error, words.to_owned()));
        let Some(before) = topic.partition(index) else {
            let words = format!("No such partition as {}-{index}", topic.name);
            return Err((ResponseError::UnknownTopicOrPartition, words));
        };
        let is_needed = match election {
            Election::Preferred => before.replicas.first() != Some(&before.leader),
            _ => before.leader == NO_LEADER,
        };
        if !is_needed {
            let words = "Leader election not needed for topic partition.";
            return refused(ResponseError::ElectionNotNeeded, words);
        }
        let changed = self.change(topic, before, |change| change.election = election);
        match changed.and_then(|changed| changed.to_record(topic.id, index, before)) {
            Some(record) => Ok(vec![record]),
            None if election == Election::Preferred => refused(
                ResponseError::PreferredLeaderNotAvailable,
                "The preferred leader was not available.",
            ),
            None => refused(
                ResponseError::EligibleLeadersNotAvailable,
                "Eligible topic partition leaders are not available.",
            ),
        }
    }

    /// Every partition that is not led by its preferred replica.
    pub(in crate::broker) fn not_led_by_preferred(&self) -> Vec<(String, i32)> {
        let mut found = Vec::new();
        for topic in self.image.topics() {
            let all = topic.partitions.iter();
            let others = all.filter(|(_, partition)| partition.replicas.first() != Some(&partition.leader));
            found.extend(others.map(|(index, _)| (topic.name.clone(), *index)));
        }
        found
    }

    /// Begins to move a partition to other replicas; `None` cancels the reassignment in progress. `may_resize`:
    /// whether the number of replicas may change.
    ///
    /// # Errors
    ///
    /// Those of Kafka, some of which have no message.
    pub(in crate::broker) fn reassign(
        &self,
        topic: &TopicImage,
        index: i32,
        target: Option<&[i32]>,
        may_resize: bool,
    ) -> Result<Records, Refused> {
        let Some(before) = topic.partition(index) else {
            let words = format!("Unable to find partition {}:{index}.", topic.name);
            return Err((ResponseError::UnknownTopicOrPartition, words));
        };
        let changed = match target {
            None if before.adding.is_empty() && before.removing.is_empty() => {
                return Err((ResponseError::NoReassignmentInProgress, String::new()));
            }
            None => self.cancel(topic, before)?,
            Some(target) => {
                check_replicas(self.image, target, None)?;
                let stays = |id: &&i32| !before.adding.contains(id);
                let size = before.replicas.iter().filter(stays).count();
                if !may_resize && size != target.len() {
                    let words = format!(
                        "The replication factor is changed from {size} to {}",
                        target.len()
                    );
                    return Err((ResponseError::InvalidReplicationFactor, words));
                }
                self.change(topic, before, |change| move_to(change, before, target))
            }
        };
        let record = changed.and_then(|changed| changed.to_record(topic.id, index, before));
        Ok(record.into_iter().collect())
    }

    fn cancel(&self, topic: &TopicImage, before: &PartitionImage) -> Result<Option<Changed>, Refused> {
        let stays = |id: &i32| !before.adding.contains(id);
        let isr: Vec<i32> = before.isr.iter().copied().filter(stays).collect();
        if isr.is_empty() && !self.image.allows_unclean_election(topic) {
            let words =
                "The reassignment cannot be cancelled because none of the original replicas are in sync.";
            return Err((ResponseError::InvalidReplicaAssignment, words.to_owned()));
        }
        Ok(self.change(topic, before, |change| {
            change.replicas.retain(stays);
            change.isr = isr;
            change.adding.clear();
            change.removing.clear();
        }))
    }
}

/// The replicas that `target` lacks stay until those that it adds are in sync.
fn move_to(change: &mut PartitionChange<'_>, before: &PartitionImage, target: &[i32]) {
    let lacks = |list: &[i32], of: &[i32]| {
        let mut lacked: Vec<i32> = of.iter().copied().filter(|id| !list.contains(id)).collect();
        lacked.sort_unstable();
        lacked
    };
    let (removing, adding) = (lacks(target, &before.replicas), lacks(&before.replicas, target));
    change.replicas = [target, &removing].concat();
    // The same reassignment may be requested again: replicas that it has added already still count as added.
    if !removing.is_empty() {
        change.removing = removing;
    }
    if !adding.is_empty() {
        change.adding = adding;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::cluster::image::BrokerImage;
    use crate::broker::cluster::records;
    use crate::broker::config::effective_config::Configs;

    const TOPIC: Uuid = Uuid::from_u128(1);

    fn cluster(min_isr: &str) -> ClusterImage {
        let mut image = ClusterImage::default();
        for id in 1..=4 {
            image.register(BrokerImage::new(id, None, Uuid::from_u128(id as u128)));
        }
        let configs = Configs::from([("min.insync.replicas".to_owned(), min_isr.to_owned())]);
        let partitions = [
            (0, image.new_partition(&[1, 2, 3])),
            (1, image.new_partition(&[2, 3, 1])),
        ];
        image.apply_all(&records::topic("t", TOPIC, &partitions, &configs));
        image
    }

    fn partition(image: &ClusterImage, index: i32) -> (i32, i32, Vec<i32>) {
        let partition = image.partition("t", index).unwrap();
        (partition.leader, partition.leader_epoch, partition.isr.clone())
    }

    fn go(image: &mut ClusterImage, id: i32, departure: Departure) {
        let records = Elections::new(image).broker_gone(id, departure);
        image.apply_all(&records);
        image.set_fenced(id, true);
    }

    fn back(image: &mut ClusterImage, id: i32) {
        let records = Elections::new(image).broker_back(id);
        image.apply_all(&records);
        image.set_fenced(id, false);
    }

    #[test]
    fn a_broker_that_goes_leads_nothing_and_comes_back_as_a_follower() {
        let mut image = cluster("1");
        go(&mut image, 1, Departure::Silent);
        assert_eq!(partition(&image, 0), (2, 1, vec![2, 3]));
        assert_eq!(partition(&image, 1), (2, 0, vec![2, 3]));
        back(&mut image, 1);
        assert_eq!(partition(&image, 0), (2, 1, vec![2, 3]));
        let wanted = AlterPartition {
            topic: TOPIC,
            partition: 0,
            leader: 2,
            leader_epoch: 1,
            partition_epoch: 1,
            isr: vec![2, 3, 1],
            joins: None,
        };
        let records = Elections::new(&image).alter_partition(&wanted).unwrap();
        image.apply_all(&records);
        assert_eq!(partition(&image, 0), (2, 1, vec![2, 3, 1]));
        let topic = image.topic("t").unwrap().clone();
        let records = Elections::new(&image)
            .elect(&topic, 0, Election::Preferred)
            .unwrap();
        image.apply_all(&records);
        assert_eq!(partition(&image, 0), (1, 2, vec![2, 3, 1]));
        let refused = Elections::new(&image)
            .elect(&topic, 1, Election::Preferred)
            .unwrap_err();
        assert_eq!(refused.0, ResponseError::ElectionNotNeeded);
    }

    #[test]
    fn nobody_leads_when_all_are_gone_and_the_last_in_sync_leads_when_it_is_back() {
        let mut image = cluster("2");
        for id in [2, 3, 1] {
            go(&mut image, id, Departure::Silent);
        }
        assert_eq!(partition(&image, 0), (NO_LEADER, 1, vec![]));
        // 2 left the ISR while two others were in sync: it may lack records committed since.
        back(&mut image, 2);
        assert_eq!(partition(&image, 0).0, NO_LEADER);
        back(&mut image, 3);
        assert_eq!(partition(&image, 0), (3, 2, vec![3]));
        let topic = image.topic("t").unwrap().clone();
        let refused = Elections::new(&image)
            .elect(&topic, 0, Election::Preferred)
            .unwrap_err();
        assert_eq!(refused.0, ResponseError::PreferredLeaderNotAvailable);
    }

    #[test]
    fn reports_of_an_isr_are_checked_as_apache_kafka_does() {
        let mut image = cluster("1");
        go(&mut image, 4, Departure::Unclean);
        let good = AlterPartition {
            topic: TOPIC,
            partition: 0,
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
            isr: vec![1, 2],
            joins: None,
        };
        let outcome = |set: &dyn Fn(&mut AlterPartition)| {
            let mut wanted = good.clone();
            set(&mut wanted);
            Elections::new(&image)
                .alter_partition(&wanted)
                .map(|records| records.len())
        };
        assert_eq!(outcome(&|_| {}), Ok(1));
        assert_eq!(outcome(&|wanted| wanted.isr = vec![1, 2, 3]), Ok(0));
        let epoch = image.broker_epoch(2);
        assert_eq!(outcome(&|wanted| wanted.joins = Some((2, epoch))), Ok(1));
        assert_eq!(
            outcome(&|wanted| wanted.joins = Some((2, epoch - 1))),
            Err(ResponseError::IneligibleReplica)
        );
        assert_eq!(
            outcome(&|wanted| wanted.leader_epoch = 1),
            Err(ResponseError::NotController)
        );
        assert_eq!(
            outcome(&|wanted| wanted.leader = 2),
            Err(ResponseError::InvalidRequest)
        );
        assert_eq!(
            outcome(&|wanted| wanted.leader_epoch = -1),
            Err(ResponseError::FencedLeaderEpoch)
        );
        assert_eq!(
            outcome(&|wanted| wanted.partition_epoch = -1),
            Err(ResponseError::InvalidUpdateVersion)
        );
        assert_eq!(
            outcome(&|wanted| wanted.isr = vec![2]),
            Err(ResponseError::InvalidRequest)
        );
        assert_eq!(
            outcome(&|wanted| wanted.isr = vec![1, 4]),
            Err(ResponseError::InvalidRequest)
        );
    }

    #[test]
    fn a_reassignment_adds_first_and_can_be_cancelled() {
        let mut image = cluster("1");
        let topic = image.topic("t").unwrap().clone();
        let records = Elections::new(&image)
            .reassign(&topic, 0, Some(&[4, 2, 3]), true)
            .unwrap();
        image.apply_all(&records);
        let topic = image.topic("t").unwrap().clone();
        let again = Elections::new(&image).reassign(&topic, 0, Some(&[4, 2, 3]), true);
        assert_eq!(again, Ok(Vec::new()));
        let moving = image.partition("t", 0).unwrap().clone();
        assert_eq!(moving.replicas, [4, 2, 3, 1]);
        assert_eq!((moving.adding, moving.removing), (vec![4], vec![1]));
        assert_eq!(moving.directories[0], Uuid::from_u128(4));
        let topic = image.topic("t").unwrap().clone();
        let records = Elections::new(&image).reassign(&topic, 0, None, true).unwrap();
        image.apply_all(&records);
        let cancelled = image.partition("t", 0).unwrap();
        assert_eq!(
            (&cancelled.replicas[..], cancelled.leader_epoch),
            (&[2, 3, 1][..], 1)
        );
        let refused = Elections::new(&image)
            .reassign(&topic, 1, None, true)
            .unwrap_err();
        assert_eq!(refused.0, ResponseError::NoReassignmentInProgress);
        let refused = Elections::new(&image)
            .reassign(&topic, 1, Some(&[1]), false)
            .unwrap_err();
        assert_eq!(refused.0, ResponseError::InvalidReplicationFactor);
    }
}
