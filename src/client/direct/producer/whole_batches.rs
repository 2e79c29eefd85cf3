//! Takes whole batches, for example from another log: they are queued after the records that were given before.

use std::time::{Duration, Instant};

use super::DirectSink;
use super::identity::IdentityState;
use super::partition_queue::{Batch, Identity};
use super::tags::Tags;
use crate::client::produce_settings::Acks;
use crate::client::record_sink::{
    BatchSink, DeliveryFailure, DeliveryListener, OutgoingBatch, OutgoingBytes, TransactionalProducer,
};
use crate::error::{Kind, Result};
use crate::records::batch_header;

impl BatchSink for DirectSink {
    fn send_batch(&mut self, batch: OutgoingBatch<'_>, listener: &mut dyn DeliveryListener) -> Result<()> {
        if let Some((failure, reason)) = &self.fatal {
            let kind = failure.kind();
            let reason = reason.clone();
            refuse(&batch, kind, &reason, listener);
            return Ok(());
        }
        if self.memory >= self.settings.buffer_bytes {
            self.wait_for_memory(listener)?;
        }
        let topic = self.topic_of(batch.topic)?;
        let lanes = self.topics.get(topic).map(|topic| topic.lanes.as_slice());
        let lanes = lanes.unwrap_or_default();
        let index = usize::try_from(batch.partition).ok();
        let Some(place) = index.and_then(|index| lanes.get(index)).copied() else {
            let (name, partition, count) = (batch.topic, batch.partition, lanes.len());
            let reason = format!("topic \"{name}\" has no partition {partition}; it has {count}");
            refuse(&batch, Kind::NotFound, &reason, listener);
            return Ok(());
        };
        if self.lanes.get(place).is_some_and(|lane| lane.queue.is_stopped()) {
            refuse(&batch, Kind::Failed, "a record before it failed", listener);
            return Ok(());
        }
        self.queue_whole(place, batch);
        self.drive_io(Duration::ZERO, listener);
        Ok(())
    }

    fn is_answered(&self) -> bool {
        self.settings.acks != Acks::Nobody
    }

    fn bytes_in_flight(&self) -> usize {
        self.memory
    }

    fn produce_as(&mut self, producer: &TransactionalProducer) {
        self.transactional_id = Some(producer.transactional_id.clone());
        self.identity_state = IdentityState::Known(Identity {
            id: producer.id,
            epoch: producer.epoch,
        });
    }

    fn stop_partitions_at_failures(&mut self) {
        self.rules.stops_at_failure = true;
    }
}

impl DirectSink {
    fn queue_whole(&mut self, place: usize, batch: OutgoingBatch<'_>) {
        self.close_batch(place);
        let Some(lane) = self.lanes.get_mut(place) else {
            return;
        };
        let id = self.next_batch;
        self.next_batch += 1;
        let tags = Tags::run(batch.first_tag, u64::from(batch.records));
        self.memory += batch.bytes.len();
        self.outstanding += batch.records as usize;
        let mut queued = Batch::new(id, batch.records, tags, Instant::now(), batch.bytes.len());
        queued.is_sealed = matches!(batch.bytes, OutgoingBytes::Sealed(_));
        lane.queue.push(queued);
        match batch.bytes {
            OutgoingBytes::Sealed(bytes) => lane.queue.finish(id, bytes),
            OutgoingBytes::Open(mut bytes, compress) => {
                // A batch that is stamped gets its checksum then.
                if !self.rules.is_idempotent {
                    batch_header::set_crc(&mut bytes);
                }
                self.finish_batch(place, id, compress, bytes);
            }
        }
    }
}

/// Reports every record of a batch that is not taken.
fn refuse(batch: &OutgoingBatch<'_>, kind: Kind, reason: &str, listener: &mut dyn DeliveryListener) {
    for tag in (batch.first_tag..).take(batch.records as usize) {
        listener.failed(&DeliveryFailure {
            tag,
            partition: Some(batch.partition),
            reason,
            kind,
            key_bytes: 0,
            value_bytes: 0,
        });
    }
}
