//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup: how members of the classic protocol join, stay and leave, also in
//! a group of the consumer protocol.

use kafka_protocol::ResponseError;

use super::classic_group::ClassicGroup;
use super::coordinator::GroupCoordinator;
use super::events::{
    GroupEvent, JoinAnswer, JoinGroup, LeavingMember, MemberIdentity, SyncAnswer, SyncGroup,
};
use super::group_kind::GroupKind;
use super::live_group::{LeaveOutcomes, LiveGroup};

/// The outcome of a JoinGroup.
enum Joined {
    At(JoinAnswer),
    Later(tokio::sync::oneshot::Receiver<JoinAnswer>),
}

impl GroupCoordinator {
    /// Joins `group`; returns when the rebalance is over.
    pub async fn join(&self, group: &str, now_ms: i64, request: JoinGroup) -> JoinAnswer {
        let member_id = request.member_id.clone();
        let timeouts = self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
        if group.is_empty() {
            return JoinAnswer::refused(member_id, ResponseError::InvalidGroupId);
        }
        if let Err(error) = self.check_owner(group) {
            return JoinAnswer::refused(member_id, error);
        }
        if !timeouts.contains(&request.session_timeout_ms) {
            return JoinAnswer::refused(member_id, ResponseError::InvalidSessionTimeout);
        }
        let enter = |group: &mut LiveGroup| {
            self.become_classic_group(group, now_ms)?;
            if group.kind.share().is_some() {
                return Err(ResponseError::InconsistentGroupProtocol);
            }
            if group.kind.consumer().is_some() {
                return Ok(Joined::At(self.join_consumer_group(group, now_ms, &request)));
            }
            let (ticket, answer) = group.join_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Join(ticket, request));
            Ok(Joined::Later(answer))
        };
        // A member with an id belongs to a group that exists.
        let answer = if member_id.is_empty() {
            Some(self.enter_or_create(group, now_ms, enter))
        } else {
            self.enter(group, enter)
        };
        match answer {
            None => JoinAnswer::refused(member_id, ResponseError::UnknownMemberId),
            Some(Err(error)) => JoinAnswer::refused(member_id, error),
            Some(Ok(Joined::At(answer))) => answer,
            Some(Ok(Joined::Later(answer))) => answer
                .await
                .unwrap_or_else(|_| JoinAnswer::refused(member_id, self.gave_up(group))),
        }
    }

    /// Gets the member's assignment; returns when the leader has sent it.
    pub async fn sync(&self, group: &str, now_ms: i64, request: SyncGroup) -> SyncAnswer {
        if group.is_empty() {
            return SyncAnswer::refused(ResponseError::InvalidGroupId);
        }
        if let Err(error) = self.check_owner(group) {
            return SyncAnswer::refused(error);
        }
        let answer = self.enter(group, |group| {
            if group.kind.share().is_some() {
                return Err(SyncAnswer::refused(ResponseError::InconsistentGroupProtocol));
            }
            if let Some(answer) = self.sync_consumer_group(group, now_ms, &request) {
                return Err(answer);
            }
            let (ticket, answer) = group.sync_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Sync(ticket, request));
            Ok(answer)
        });
        match answer {
            None => SyncAnswer::refused(ResponseError::UnknownMemberId),
            Some(Err(answer)) => answer,
            Some(Ok(answer)) => answer
                .await
                .unwrap_or_else(|_| SyncAnswer::refused(self.gave_up(group))),
        }
    }

    pub fn heartbeat(&self, group: &str, now_ms: i64, member: MemberIdentity) -> Result<(), ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        self.check_owner(group)?;
        let answer = self.enter(group, |group| {
            if group.kind.share().is_some() {
                return Ok(Some(ResponseError::UnknownMemberId));
            }
            if let Some(outcome) = self.heartbeat_consumer_group(group, now_ms, &member) {
                return Ok(outcome.err());
            }
            let (ticket, mut answer) = group.heartbeat_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Heartbeat(ticket, member));
            answer.try_recv()
        });
        match answer {
            None => Err(ResponseError::UnknownMemberId),
            Some(Ok(None)) => Ok(()),
            Some(Ok(Some(error))) => Err(error),
            Some(Err(_)) => Err(ResponseError::UnknownServerError),
        }
    }

    /// Removes members; one outcome for each.
    pub fn leave(
        &self,
        group: &str,
        now_ms: i64,
        leaving: Vec<LeavingMember>,
    ) -> Result<LeaveOutcomes, ResponseError> {
        if group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        self.check_owner(group)?;
        let names = leaving.clone();
        let answer = self.enter(group, |group| {
            if group.kind.share().is_some() {
                let unknown = |member| (member, Some(ResponseError::UnknownMemberId));
                return Ok(leaving.into_iter().map(unknown).collect());
            }
            if group.kind.consumer().is_some() {
                return Ok(self.leave_consumer_group(group, now_ms, leaving));
            }
            let (ticket, mut answer) = group.leave_ticket();
            group.handle(&self.writer, now_ms, GroupEvent::Leave(ticket, leaving));
            answer.try_recv()
        });
        match answer {
            Some(answer) => answer.map_err(|_| ResponseError::UnknownServerError),
            None => Ok(names
                .into_iter()
                .map(|name| (name, Some(ResponseError::UnknownMemberId)))
                .collect()),
        }
    }

    /// The error for a request that waited and was dropped.
    fn gave_up(&self, group: &str) -> ResponseError {
        let moved = self.check_owner(group).err();
        moved.unwrap_or(ResponseError::CoordinatorNotAvailable)
    }

    /// Turns an empty group of the consumer protocol into a classic one; its offsets are kept.
    fn become_classic_group(&self, live: &mut LiveGroup, now_ms: i64) -> Result<(), ResponseError> {
        let Some(group) = live.kind.consumer() else {
            return Ok(());
        };
        let Ok(records) = group.tombstones() else {
            return Ok(());
        };
        if live.kept {
            let records: Vec<_> = records.iter().map(|record| record.encode(&live.id)).collect();
            self.writer.append_encoded(&live.id, now_ms, &records)?;
        }
        live.kind = GroupKind::Classic(Box::new(ClassicGroup::new(self.limits(), now_ms)));
        Ok(())
    }

    /// LeaveGroup in a group of the consumer protocol.
    fn leave_consumer_group(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        leaving: Vec<LeavingMember>,
    ) -> LeaveOutcomes {
        let settings = self.consumer_settings(&live.id);
        let around = self.surroundings(now_ms, &settings);
        let outcomes = leaving.into_iter().map(|member| {
            let expelled = self.in_consumer_group(live, around, |group, around| group.expel(around, &member));
            (member, expelled.err().map(|(error, _)| error))
        });
        outcomes.collect()
    }
}
