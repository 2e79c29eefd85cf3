//! Questions about topics and partitions, and librdkafka's list of partitions.
//!
//! Owns the copies in both directions; no C structure leaves this file but as such a list.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands in ffi/mod.rs")]

use std::ffi::c_int;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka_sys as sys;

use super::{Code, Handle, c_string, code_at, milliseconds, slice_at, text_at};

/// What the cluster says of a topic.
#[derive(Clone, Debug)]
pub(in crate::client::librdkafka) struct TopicMetadata {
    pub(in crate::client::librdkafka) name: String,
    pub(in crate::client::librdkafka) code: Code,
    pub(in crate::client::librdkafka) partitions: Vec<i32>,
    /// Those of them that have a leader, by which they can be written.
    pub(in crate::client::librdkafka) led: Vec<i32>,
}

/// A partition with an offset (or Kafka's special numbers for one), and what became of it.
#[derive(Clone, Debug)]
pub(in crate::client::librdkafka) struct Place {
    pub(in crate::client::librdkafka) topic: String,
    pub(in crate::client::librdkafka) partition: i32,
    pub(in crate::client::librdkafka) offset: i64,
    /// Of the record before the offset; -1 where nobody knows.
    pub(in crate::client::librdkafka) leader_epoch: i32,
    pub(in crate::client::librdkafka) code: Code,
}

impl Handle {
    /// What the cluster says of one topic, or of all.
    pub(in crate::client::librdkafka) fn metadata(
        &mut self,
        topic: Option<&str>,
        wait: Duration,
    ) -> Result<Vec<TopicMetadata>, Code> {
        let only = match topic {
            Some(name) => match self.topic(name) {
                Ok(position) => self.topics.get(position).map(|topic| topic.pointer.as_ptr()),
                Err(_) => return Err(17),
            },
            None => None,
        };
        let mut metadata: *const sys::rd_kafka_metadata = ptr::null();
        // SAFETY: a success fills the pointer with a structure that stays until it is destroyed below; its arrays
        // have the lengths it states.
        unsafe {
            let result = sys::rd_kafka_metadata(
                self.raw(),
                c_int::from(only.is_none()),
                only.unwrap_or(ptr::null_mut()),
                &raw mut metadata,
                milliseconds(wait),
            );
            if result as Code != 0 || metadata.is_null() {
                return Err(result as Code);
            }
            let topics = slice_at((*metadata).topics, (*metadata).topic_cnt);
            let found = topics
                .iter()
                .map(|topic| TopicMetadata {
                    name: text_at(topic.topic).to_owned(),
                    code: code_at(&raw const topic.err),
                    partitions: slice_at(topic.partitions, topic.partition_cnt)
                        .iter()
                        .map(|partition| partition.id)
                        .collect(),
                    led: slice_at(topic.partitions, topic.partition_cnt)
                        .iter()
                        .filter(|partition| partition.leader >= 0)
                        .map(|partition| partition.id)
                        .collect(),
                })
                .collect();
            sys::rd_kafka_metadata_destroy(metadata);
            Ok(found)
        }
    }

    /// Replaces each place's number, a time in milliseconds or -1 (end) or -2 (beginning), by the offset there.
    pub(in crate::client::librdkafka) fn offsets_for_times(
        &mut self,
        places: &mut [Place],
        wait: Duration,
    ) -> Result<(), Code> {
        let list = PartitionList::new(places)?;
        // SAFETY: the list lives through the call.
        let result =
            unsafe { sys::rd_kafka_offsets_for_times(self.raw(), list.0.as_ptr(), milliseconds(wait)) };
        list.read_into(places);
        match result as Code {
            0 => Ok(()),
            code => Err(code),
        }
    }
}

impl Handle {
    /// Replaces each place's number by what the group committed there; -1001 where it has committed nothing.
    pub(in crate::client::librdkafka) fn committed(
        &mut self,
        places: &mut [Place],
        wait: Duration,
    ) -> Result<(), Code> {
        let list = PartitionList::new(places)?;
        // SAFETY: the list lives through the call.
        let result = unsafe { sys::rd_kafka_committed(self.raw(), list.0.as_ptr(), milliseconds(wait)) };
        list.read_into(places);
        match result as Code {
            0 => Ok(()),
            code => Err(code),
        }
    }
}

/// librdkafka's list of partitions.
pub(super) struct PartitionList(pub(super) NonNull<sys::rd_kafka_topic_partition_list_t>);

impl PartitionList {
    pub(super) fn new(places: &[Place]) -> Result<Self, Code> {
        let room = c_int::try_from(places.len()).unwrap_or(c_int::MAX);
        // SAFETY: the list copies the topic's name and is owned by the guard.
        unsafe {
            let list = sys::rd_kafka_topic_partition_list_new(room);
            let list = Self(NonNull::new(list).ok_or(-196)?);
            for place in places {
                let topic = c_string(&place.topic).map_err(|_| 17)?;
                let entry =
                    sys::rd_kafka_topic_partition_list_add(list.0.as_ptr(), topic.as_ptr(), place.partition);
                (*entry).offset = place.offset;
                sys::rd_kafka_topic_partition_set_leader_epoch(entry, place.leader_epoch);
            }
            Ok(list)
        }
    }

    /// Copies offsets and codes back; the order is that of `new`.
    fn read_into(&self, places: &mut [Place]) {
        // SAFETY: the list has the length it states.
        unsafe {
            let list = &*self.0.as_ptr();
            for (place, entry) in places.iter_mut().zip(slice_at(list.elems, list.cnt)) {
                place.offset = entry.offset;
                place.code = code_at(&raw const entry.err);
            }
        }
    }
}

impl Drop for PartitionList {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone.
        unsafe { sys::rd_kafka_topic_partition_list_destroy(self.0.as_ptr()) }
    }
}
