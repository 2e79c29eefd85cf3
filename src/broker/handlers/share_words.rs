//! What `ShareFetch` and `ShareAcknowledge` have in common: whose session it is, and the acknowledgements.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::GroupId;
use kafka_protocol::protocol::StrBytes;

use crate::broker::coordinator::share::StateKey;
use crate::broker::node::Node;
use crate::broker::share::acknowledge::Acknowledgement;
use crate::broker::share::acknowledge_type::AcknowledgeType;
use crate::broker::share::partition_manager::Refused;
use crate::broker::share::share_session::{PartitionId, SessionKey};
use crate::broker::timers::steady_ms;

/// One batch of acknowledgements in a request: the first and the last offset, and the types.
pub(super) type Batch = (i64, i64, Vec<i8>);

/// The outcome of the acknowledgements, by partition.
pub(super) type Outcomes = BTreeMap<PartitionId, Result<(), Refused>>;

/// The session that a request belongs to.
pub(super) fn session_key(
    group: Option<&GroupId>,
    member: Option<&StrBytes>,
) -> Result<SessionKey, ResponseError> {
    let member = member.map(ToString::to_string).unwrap_or_default();
    match group {
        Some(group) if !member.is_empty() => Ok(SessionKey {
            group: group.to_string(),
            member,
        }),
        _ => Err(ResponseError::InvalidRequest),
    }
}

/// The acknowledgements of one partition; `None` if they are invalid.
fn acknowledgements(batches: &[Batch], renews: bool) -> Option<Vec<Acknowledgement>> {
    let mut previous_last = -1;
    let mut all = Vec::with_capacity(batches.len());
    for (first, last, types) in batches {
        let count = last.checked_sub(*first)?.checked_add(1)?;
        let fits = types.len() == 1 || i64::try_from(types.len()) == Ok(count);
        if count < 1 || *first < previous_last || types.is_empty() || !fits {
            return None;
        }
        previous_last = *last;
        let types = types.iter().map(|number| AcknowledgeType::of(*number, renews));
        all.push(Acknowledgement {
            first: *first,
            last: *last,
            types: types.collect::<Option<_>>()?,
        });
    }
    Some(all)
}

/// Applies the acknowledgements of a request. `renews`: whether it may renew locks.
pub(super) fn acknowledge_all(
    node: &Arc<Node>,
    session: &SessionKey,
    partitions: &[(PartitionId, Vec<Batch>)],
    renews: bool,
) -> Outcomes {
    let outcomes = partitions.iter().map(|(id, batches)| {
        let outcome = acknowledge(node, session, *id, batches, renews);
        (*id, outcome)
    });
    outcomes.collect()
}

fn acknowledge(
    node: &Node,
    session: &SessionKey,
    id: PartitionId,
    batches: &[Batch],
    renews: bool,
) -> Result<(), Refused> {
    let (topic, partition) = id;
    if node.cluster.image().topic_by_id(topic).is_none() {
        return Err((ResponseError::UnknownTopicId, None));
    }
    let all = acknowledgements(batches, renews).ok_or((ResponseError::InvalidRequest, None))?;
    let renews_any = all.iter().any(|one| one.types.contains(&AcknowledgeType::Renew));
    if renews_any && !node.share.config_of(&session.group).renews {
        let words = "Renewing acquisition locks is not enabled for the group.";
        return Err((ResponseError::InvalidRecordState, Some(words.to_owned())));
    }
    let key = StateKey {
        group: session.group.clone(),
        topic,
        partition,
    };
    node.share.acknowledge(&key, &session.member, &all, steady_ms())
}
