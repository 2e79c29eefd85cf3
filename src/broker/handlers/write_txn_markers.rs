//! WriteTxnMarkers, versions 1–2: writes transaction markers to partitions for another coordinator or an
//! administrator (`kafka-transactions abort`). v2 has the version of the transaction protocol (KIP-1228); an epoch
//! that is too old is refused in either.
//!
//! <https://kafka.apache.org/protocol#The_Messages_WriteTxnMarkers>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::write_txn_markers_request::WritableTxnMarker;
use kafka_protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use kafka_protocol::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};

use super::transaction_words::producer;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::transaction::events::Markers;
use crate::broker::node::Node;
use crate::broker::timers::now_ms;
use crate::topic_partition::TopicPartition;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: WriteTxnMarkersRequest,
) -> WriteTxnMarkersResponse {
    let markers = request.markers.iter().map(|marker| write(node, marker));
    WriteTxnMarkersResponse::default().with_markers(markers.collect())
}

fn write(node: &Node, wanted: &WritableTxnMarker) -> WritableTxnMarkerResult {
    let markers = Markers {
        producer: producer(wanted.producer_id, wanted.producer_epoch),
        commits: wanted.transaction_result,
        raises_epoch: false,
        partitions: BTreeSet::new(),
    };
    let topics = wanted.topics.iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| {
            let partition = TopicPartition::new(topic.name.as_str(), *index);
            let written = if wanted.producer_id.0 < 0 {
                // Apache Kafka fails where it makes the marker.
                Err(ResponseError::UnknownServerError)
            } else {
                node.transactions
                    .write_marker(&markers, &partition, wanted.coordinator_epoch, now_ms())
            };
            WritableTxnMarkerPartitionResult::default()
                .with_partition_index(*index)
                .with_error_code(written.err().map_or(0, |error| error.code()))
        });
        WritableTxnMarkerTopicResult::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    WritableTxnMarkerResult::default()
        .with_producer_id(wanted.producer_id)
        .with_topics(topics.collect())
}
