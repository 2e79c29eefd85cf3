//! Members of the classic protocol in a group of the consumer protocol: their JoinGroup, SyncGroup and Heartbeat are
//! steps of the same reconciliation. The generation of such a member is its member epoch; `REBALANCE_IN_PROGRESS`
//! makes it join again, which takes the place of a heartbeat of the other protocol.
//!
//! How a group changes its protocol is in `conversion.rs`.

use kafka_protocol::ResponseError;

use super::group::{Change, ConsumerGroup, Refused, Step, Surroundings};
use super::member::{ClassicMember, ConsumerMember, MemberState, contains, without_epochs};
use crate::broker::coordinator::group::assignor::TopicPartitions;
use crate::broker::coordinator::group::consumer_protocol::{
    NamedPartitions, Subscription, read_subscription, write_assignment,
};
use crate::broker::coordinator::group::events::{
    JoinAnswer, JoinGroup, MemberIdentity, SyncAnswer, SyncGroup,
};
use crate::broker::coordinator::group::subscription::CONSUMER;

impl ConsumerGroup {
    /// Handles a JoinGroup, which never waits.
    pub fn join_classic(&mut self, around: Surroundings<'_>, request: &JoinGroup) -> (JoinAnswer, Change) {
        let mut id = request.member_id.clone();
        if id.is_empty() {
            id.clone_from(&request.fresh_member_id);
        }
        let (outcome, change) = self.happen(around, |group, step| group.join(step, request, &id));
        let answer = outcome.unwrap_or_else(|(error, _)| {
            let told = if error == ResponseError::MemberIdRequired {
                &id
            } else {
                &request.member_id
            };
            JoinAnswer::refused(told, error)
        });
        (answer, change)
    }

    fn join(&mut self, step: &mut Step<'_>, request: &JoinGroup, id: &str) -> Result<JoinAnswer, Refused> {
        self.check_size(step, id)?;
        self.check_protocols(request, id)?;
        if request.member_id.is_empty() && request.requires_known_member_id {
            return Err(refused(ResponseError::MemberIdRequired));
        }
        let dearest = request.protocols.first();
        let subscription = dearest.and_then(|protocol| read_subscription(&protocol.metadata));
        // Apache Kafka fails here as well.
        let subscription = subscription.ok_or_else(|| refused(ResponseError::UnknownServerError))?;
        let (before, replaced) = self.find_or_replace_classic(step, request, id)?;
        let owned = Self::by_id(step, &subscription.owned);
        let changed = self.take_classic_metadata(step, request, id, &before, subscription)?;
        self.update_epoch(step, changed);
        self.update_target(step);
        self.reconcile(step, id, Some(&owned), changed);
        let member = self.member(id).cloned().unwrap_or_default();
        self.sessions
            .insert(id.to_owned(), later(step, request.session_timeout_ms));
        // The time in which it has to ask for its assignment.
        self.classic_deadlines
            .insert(id.to_owned(), later(step, request.rebalance_timeout_ms));
        let answer = JoinAnswer {
            error: None,
            generation: member.current.epoch,
            protocol_type: Some(CONSUMER.to_owned()),
            protocol_name: dearest.map(|protocol| protocol.name.clone()),
            leader: String::new(),
            skip_assignment: false,
            member_id: id.to_owned(),
            members: Vec::new(),
        };
        if replaced {
            // The other members are not affected: no rebalance is needed.
            self.downgrade_if_all_are_classic(step, false);
        }
        Ok(answer)
    }

    /// Members of the classic protocol must have a protocol in common, in case the group is converted.
    fn check_protocols(&self, request: &JoinGroup, id: &str) -> Result<(), Refused> {
        let others = self.members.iter().filter(|(other, _)| *other != id);
        let others: Vec<&ClassicMember> = others
            .filter_map(|(_, member)| member.metadata.classic.as_ref())
            .collect();
        let is_common = |name: &str| {
            others
                .iter()
                .all(|other| other.protocols.iter().any(|(known, _)| known == name))
        };
        if request.protocol_type == CONSUMER
            && request.protocols.iter().any(|protocol| is_common(&protocol.name))
        {
            Ok(())
        } else {
            Err(refused(ResponseError::InconsistentGroupProtocol))
        }
    }

    /// The member before this JoinGroup, and whether it replaces a former static member.
    fn find_or_replace_classic(
        &mut self,
        step: &mut Step<'_>,
        request: &JoinGroup,
        id: &str,
    ) -> Result<(ConsumerMember, bool), Refused> {
        if let Some(instance_id) = &request.group_instance_id {
            match self.static_members.get(instance_id).cloned() {
                Some(former) if former != id && request.member_id.is_empty() => {
                    return Ok((self.take_over(step, id, &former), true));
                }
                None if request.member_id.is_empty() => {}
                _ => self.check_instance(instance_id, id)?,
            }
        }
        Ok((self.member(id).cloned().unwrap_or_default(), false))
    }

    /// Returns whether its subscription has changed.
    fn take_classic_metadata(
        &mut self,
        step: &mut Step<'_>,
        request: &JoinGroup,
        id: &str,
        before: &ConsumerMember,
        subscription: Subscription,
    ) -> Result<bool, Refused> {
        let mut metadata = before.metadata.clone();
        metadata.instance_id = request.group_instance_id.clone().or(metadata.instance_id);
        metadata.rack_id = subscription.rack.or(metadata.rack_id);
        metadata.client_id.clone_from(&request.client_id);
        metadata.client_host.clone_from(&request.client_host);
        metadata.topics = subscription.topics;
        metadata.regex = String::new();
        metadata.rebalance_timeout_ms = request.rebalance_timeout_ms;
        let protocols = request.protocols.iter();
        metadata.classic = Some(ClassicMember {
            session_timeout_ms: request.session_timeout_ms,
            protocols: protocols
                .map(|protocol| (protocol.name.clone(), protocol.metadata.clone()))
                .collect(),
        });
        let change = self.take_metadata(step, id, before, metadata)?;
        Ok(change.changed)
    }

    /// The partitions by topic id; those of topics that do not exist any more are left out.
    fn by_id(step: &Step<'_>, partitions: &NamedPartitions) -> TopicPartitions {
        let known = partitions.iter().filter_map(|(name, partitions)| {
            let topic = step.around.catalog.topic(name)?;
            Some((topic.id, partitions.iter().copied().collect()))
        });
        known.collect()
    }

    /// Handles a SyncGroup, which never waits.
    pub fn sync_classic(&mut self, around: Surroundings<'_>, request: &SyncGroup) -> SyncAnswer {
        match self.check_sync(request) {
            Ok((member, protocol, version)) => {
                self.classic_deadlines.remove(&request.member.member_id);
                self.renew_classic_session(around, &request.member.member_id);
                let assigned = without_epochs(&member.current.assigned);
                SyncAnswer {
                    error: None,
                    protocol_type: Some(CONSUMER.to_owned()),
                    protocol_name: Some(protocol),
                    assignment: write_assignment(version, named(around, &assigned)),
                }
            }
            Err(error) => SyncAnswer::refused(error),
        }
    }

    fn check_sync(&self, request: &SyncGroup) -> Result<(ConsumerMember, String, i16), ResponseError> {
        let (member, classic) = self.check_classic(&request.member)?;
        let (name, metadata) = classic.protocols.first().ok_or(ResponseError::UnknownMemberId)?;
        let differs = |sent: &Option<String>, ours: &str| sent.as_ref().is_some_and(|sent| sent != ours);
        if differs(&request.protocol_type, CONSUMER) || differs(&request.protocol_name, name) {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        // A member that has to revoke partitions has joined already, and learns here which it keeps.
        if self.epoch.epoch > member.current.epoch && member.current.state != MemberState::UnrevokedPartitions
        {
            return Err(ResponseError::RebalanceInProgress);
        }
        let version = read_subscription(metadata).map_or(0, |subscription| subscription.version);
        Ok((member.clone(), name.clone(), version))
    }

    /// Handles a Heartbeat of the classic protocol. It also checks for changed topics: if all members use that
    /// protocol, no other request does.
    pub fn heartbeat_classic(
        &mut self,
        around: Surroundings<'_>,
        identity: &MemberIdentity,
    ) -> (Result<(), ResponseError>, Change) {
        let (outcome, change) = self.happen(around, |group, step| {
            let rebalance_timeout_ms = match group.check_classic(identity) {
                Ok((member, _)) => member.metadata.rebalance_timeout_ms,
                Err(error) => return Ok(Err(error)),
            };
            group.update_epoch(step, false);
            group.renew_classic_session(step.around, &identity.member_id);
            if !group.must_join(&identity.member_id) {
                return Ok(Ok(()));
            }
            let at_ms = later(step, rebalance_timeout_ms);
            group
                .classic_deadlines
                .entry(identity.member_id.clone())
                .or_insert(at_ms);
            Ok(Err(ResponseError::RebalanceInProgress))
        });
        (outcome.unwrap_or_else(|(error, _)| Err(error)), change)
    }

    /// Whether the member can take a step of its reconciliation, or is behind the group's epoch.
    fn must_join(&self, id: &str) -> bool {
        let Some(current) = self.member(id).map(|member| &member.current) else {
            return false;
        };
        let can_go_on = match current.state {
            MemberState::UnrevokedPartitions => true,
            MemberState::UnreleasedPartitions => self.has_free_partition(id),
            MemberState::Stable | MemberState::Unknown => false,
        };
        can_go_on || self.epoch.epoch > current.epoch
    }

    /// Whether the member waits for a partition that has no owner any more.
    fn has_free_partition(&self, id: &str) -> bool {
        let target = self.target(id);
        let assigned = self
            .member(id)
            .map(|member| without_epochs(&member.current.assigned));
        let assigned = assigned.unwrap_or_default();
        let mut wanted = target
            .iter()
            .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)));
        wanted.any(|(topic, partition)| {
            !contains(&assigned, topic, partition) && !self.holders.contains_key(&(topic, partition))
        })
    }

    fn check_classic(
        &self,
        identity: &MemberIdentity,
    ) -> Result<(&ConsumerMember, &ClassicMember), ResponseError> {
        if let Some(instance_id) = &identity.group_instance_id {
            self.check_instance(instance_id, &identity.member_id)
                .map_err(|(error, _)| error)?;
        }
        let member = self.member(&identity.member_id);
        let found = member.and_then(|member| Some((member, member.metadata.classic.as_ref()?)));
        let (member, classic) = found.ok_or(ResponseError::UnknownMemberId)?;
        if identity.generation == member.current.epoch {
            Ok((member, classic))
        } else {
            Err(ResponseError::IllegalGeneration)
        }
    }

    fn renew_classic_session(&mut self, around: Surroundings<'_>, id: &str) {
        let classic = self
            .member(id)
            .and_then(|member| member.metadata.classic.as_ref());
        let session_ms = classic.map_or(0, |classic| i64::from(classic.session_timeout_ms));
        self.sessions
            .insert(id.to_owned(), around.now_ms.saturating_add(session_ms));
    }
}

/// The partitions by topic name; those of topics that do not exist any more are left out.
pub(super) fn named(around: Surroundings<'_>, partitions: &TopicPartitions) -> NamedPartitions {
    let known = partitions.iter().filter_map(|(topic, partitions)| {
        let name = around.catalog.topic_name(*topic)?;
        Some((name, partitions.iter().copied().collect()))
    });
    known.collect()
}

fn later(step: &Step<'_>, milliseconds: i32) -> i64 {
    step.around.now_ms.saturating_add(i64::from(milliseconds))
}

fn refused(error: ResponseError) -> Refused {
    (error, String::new())
}
