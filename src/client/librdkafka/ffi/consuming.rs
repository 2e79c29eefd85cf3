//! Records on their way in.
//!
//! Owns the reading of named partitions, membership in a group, and the messages until their visit is over.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands in ffi/mod.rs")]

use std::ffi::c_void;
use std::ops::ControlFlow;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka_sys as sys;

use super::partitions::{PartitionList, Place};
use super::{Code, Handle, code_at, milliseconds, slice_at, text_at};
use crate::client::record_sink::HeaderView;

/// A record that came in, or what came in its place.
#[derive(Debug)]
pub(in crate::client::librdkafka) struct Incoming<'a> {
    pub(in crate::client::librdkafka) code: Code,
    pub(in crate::client::librdkafka) topic: &'a str,
    pub(in crate::client::librdkafka) partition: i32,
    pub(in crate::client::librdkafka) offset: i64,
    pub(in crate::client::librdkafka) key: Option<&'a [u8]>,
    /// The value, or the text of an error.
    pub(in crate::client::librdkafka) value: Option<&'a [u8]>,
    /// Milliseconds, and librdkafka's type: 0 none, 1 create, 2 log append.
    pub(in crate::client::librdkafka) timestamp: (i64, i32),
    message: *const sys::rd_kafka_message_t,
}

impl Handle {
    /// Reads a partition from an offset on.
    pub(in crate::client::librdkafka) fn start(&mut self, place: &Place) -> Result<(), Code> {
        let (Some(queue), Ok(topic)) = (self.records, self.topic(&place.topic)) else {
            return Err(17);
        };
        let Some(topic) = self.topics.get(topic) else {
            return Err(17);
        };
        // SAFETY: topic and queue are live.
        let result = unsafe {
            sys::rd_kafka_consume_start_queue(
                topic.pointer.as_ptr(),
                place.partition,
                place.offset,
                queue.as_ptr(),
            )
        };
        if result == 0 {
            return Ok(());
        }
        // SAFETY: reads this thread's last error.
        Err(unsafe { sys::rd_kafka_last_error() } as Code)
    }

    /// Reads a partition no more; waits until nothing of it comes any more.
    pub(in crate::client::librdkafka) fn stop(&mut self, topic: &str, partition: i32) {
        if let Some(topic) = self.topics.iter().find(|known| known.name == topic) {
            // SAFETY: the topic is live. A partition that was never started is an error without effect.
            let _ = unsafe { sys::rd_kafka_consume_stop(topic.pointer.as_ptr(), partition) };
        }
    }

    /// Joins the group for these topics.
    pub(in crate::client::librdkafka) fn subscribe(&mut self, topics: &[String]) -> Result<(), Code> {
        let places: Vec<Place> = topics
            .iter()
            .map(|topic| Place {
                topic: topic.clone(),
                partition: -1,
                offset: -1001,
                leader_epoch: -1,
                code: 0,
            })
            .collect();
        let list = PartitionList::new(&places)?;
        // SAFETY: the list lives through the call, which copies it.
        match unsafe { sys::rd_kafka_subscribe(self.raw(), list.0.as_ptr()) } as Code {
            0 => Ok(()),
            code => Err(code),
        }
    }

    /// The partitions that the group gave to this member.
    pub(in crate::client::librdkafka) fn assignment(&mut self) -> Vec<(String, i32)> {
        let mut list: *mut sys::rd_kafka_topic_partition_list_t = ptr::null_mut();
        // SAFETY: a success gives a list to the guard, which has the length it states.
        unsafe {
            let _ = sys::rd_kafka_assignment(self.raw(), &raw mut list);
            let Some(list) = NonNull::new(list).map(PartitionList) else {
                return Vec::new();
            };
            let fields = &*list.0.as_ptr();
            slice_at(fields.elems, fields.cnt)
                .iter()
                .map(|entry| (text_at(entry.topic).to_owned(), entry.partition))
                .collect()
        }
    }

    /// Notes offsets for the next automatic commit.
    pub(in crate::client::librdkafka) fn store_offsets(&mut self, places: &[Place]) {
        if let Ok(list) = PartitionList::new(places) {
            // SAFETY: the list lives through the call. A partition that was taken away meanwhile is refused,
            // which is right: its new owner commits it.
            let _ = unsafe { sys::rd_kafka_offsets_store(self.raw(), list.0.as_ptr()) };
        }
    }

    /// Hands on up to a batch of the records that are there, waiting up to `wait` for the first, and says how many
    /// there were. A break drops the rest of them.
    pub(in crate::client::librdkafka) fn consume(
        &mut self,
        wait: Duration,
        visit: &mut dyn FnMut(&Incoming<'_>) -> ControlFlow<()>,
    ) -> (usize, ControlFlow<()>) {
        let Some(queue) = self.records else {
            return (0, ControlFlow::Continue(()));
        };
        // SAFETY: the array has room for what is asked for; each message is destroyed once, after its visit.
        unsafe {
            let start = self.incoming.as_mut_ptr();
            let room = self.incoming.len();
            let mut count = sys::rd_kafka_consume_batch_queue(queue.as_ptr(), 0, start, room);
            if count == 0 && !wait.is_zero() {
                // A batch call with a wait would sit until the whole batch is full: ask for one record alone.
                count = sys::rd_kafka_consume_batch_queue(queue.as_ptr(), milliseconds(wait), start, 1);
            }
            let count = usize::try_from(count).unwrap_or(0);
            let messages = self.incoming.get(..count).unwrap_or_default();
            let mut flow = ControlFlow::Continue(());
            let mut last_topic: (*mut sys::rd_kafka_topic_t, &str) = (ptr::null_mut(), "");
            for message in messages.iter().copied() {
                if flow.is_continue() {
                    flow = visit(&incoming(message, &mut last_topic));
                }
            }
            for message in messages.iter().copied() {
                sys::rd_kafka_message_destroy(message);
            }
            (count, flow)
        }
    }

    /// Leaves the group, if there is one.
    pub(in crate::client::librdkafka) fn close_consumer(&mut self) {
        // SAFETY: the instance is live.
        let _ = unsafe { sys::rd_kafka_consumer_close(self.raw()) };
    }
}

/// The bytes at `start`; none for null, which is Kafka's null.
///
/// # Safety
/// `start` is null or points to `length` bytes that outlive `'a`.
unsafe fn bytes_at<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: as this function's own.
    Some(unsafe { std::slice::from_raw_parts(start.cast(), length) })
}

/// # Safety
/// `message` is live for `'a`, and so is the topic remembered in `last_topic`.
unsafe fn incoming<'a>(
    message: *mut sys::rd_kafka_message_t,
    last_topic: &mut (*mut sys::rd_kafka_topic_t, &'a str),
) -> Incoming<'a> {
    // SAFETY: all pointers belong to the message.
    unsafe {
        let fields = &*message;
        if fields.rkt != last_topic.0 {
            let name = if fields.rkt.is_null() {
                ptr::null()
            } else {
                sys::rd_kafka_topic_name(fields.rkt)
            };
            *last_topic = (fields.rkt, text_at(name));
        }
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        let timestamp = sys::rd_kafka_message_timestamp(message, &raw mut kind);
        Incoming {
            code: code_at(&raw const (*message).err),
            topic: last_topic.1,
            partition: fields.partition,
            offset: fields.offset,
            key: bytes_at(fields.key, fields.key_len),
            value: bytes_at(fields.payload, fields.len),
            timestamp: (timestamp, kind as i32),
            message,
        }
    }
}

impl Incoming<'_> {
    /// The text of an error that came in a record's place.
    pub(in crate::client::librdkafka) fn error_text(&self) -> &str {
        // SAFETY: the message is live as long as this value, and keeps its text.
        unsafe { text_at(sys::rd_kafka_message_errstr(self.message)) }
    }

    /// The epoch of the leader that took the record; -1 where nobody knows.
    pub(in crate::client::librdkafka) fn leader_epoch(&self) -> i32 {
        // SAFETY: the message is live as long as this value.
        unsafe { sys::rd_kafka_message_leader_epoch(self.message) }
    }

    /// Calls `visit` with each header, in order.
    pub(in crate::client::librdkafka) fn headers<'a>(&'a self, visit: &mut dyn FnMut(HeaderView<'a>)) {
        let mut list = ptr::null_mut();
        // SAFETY: the list belongs to the message, which is live as long as this value.
        unsafe {
            if sys::rd_kafka_message_headers(self.message, &raw mut list) as Code != 0 {
                return;
            }
            for position in 0.. {
                let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
                let result = sys::rd_kafka_header_get_all(
                    list,
                    position,
                    &raw mut name,
                    &raw mut value,
                    &raw mut length,
                );
                if result as Code != 0 {
                    return;
                }
                visit(HeaderView {
                    name: text_at(name),
                    value: bytes_at(value, length),
                });
            }
        }
    }
}
