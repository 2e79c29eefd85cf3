//! Why a partition cannot be written or read now, in a few words: leaders that are missing, down or silent.

use super::network::Node;
use super::session::Session;
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// Why a partition makes no progress, as far as known.
pub(super) fn trouble<T>(session: &Session<T>, topic: &str, partition: i32) -> String {
    if session
        .cluster
        .topic(topic)
        .is_some_and(|topic| topic.code == UNKNOWN_TOPIC_OR_PARTITION)
    {
        return "the topic is gone".to_owned();
    }
    let known = session.cluster.partition(topic, partition);
    let Some(leader) = known.and_then(|known| known.leader) else {
        let offline: Vec<String> = known
            .map(|known| known.offline.iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        return match offline.as_slice() {
            [] => "no leader".to_owned(),
            [one] => format!("no leader, and replica {one} is down"),
            several => format!("no leader, and replicas {} are down", several.join(", ")),
        };
    };
    match session.last_error(Node::Broker(leader)) {
        Some(error) => format!("its leader is broker {leader}: {error}"),
        None => format!("its leader, broker {leader}, does not answer"),
    }
}
