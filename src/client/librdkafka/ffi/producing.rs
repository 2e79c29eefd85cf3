//! Records on their way out.
//!
//! Owns the calls that queue records, hurry them and give them up; the reports come as events.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands in ffi/mod.rs")]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::time::Duration;

use rdkafka_sys as sys;

use super::{Code, Handle, QUEUE_FULL, TIMED_OUT, code_at, milliseconds};
use crate::client::record_sink::HeaderView;

/// A record on its way out.
#[derive(Clone, Copy, Debug)]
pub(in crate::client::librdkafka) struct Outgoing<'a> {
    pub(in crate::client::librdkafka) key: Option<&'a [u8]>,
    pub(in crate::client::librdkafka) value: Option<&'a [u8]>,
    /// -1 leaves it to the partitioner.
    pub(in crate::client::librdkafka) partition: i32,
    pub(in crate::client::librdkafka) tag: u64,
}

impl Handle {
    /// Queues records of one topic in their order. `codes` gets one number a record, zero if it was taken;
    /// once one finds the queue full, so do all after it.
    pub(in crate::client::librdkafka) fn produce_batch<'a>(
        &mut self,
        topic: usize,
        batch: impl Iterator<Item = Outgoing<'a>>,
        codes: &mut Vec<Code>,
    ) {
        codes.clear();
        let Some(topic) = self.topics.get(topic) else {
            return;
        };
        self.outgoing.clear();
        self.outgoing.extend(batch.map(|record| {
            let (payload, len) = pointer_and_length(record.value);
            let (key, key_len) = pointer_and_length(record.key);
            sys::rd_kafka_message_t {
                err: sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR,
                rkt: ptr::null_mut(),
                partition: record.partition,
                payload,
                len,
                key,
                key_len,
                offset: 0,
                _private: ptr::without_provenance_mut(record.tag as usize),
            }
        }));
        // Records of one partition in a row cost one look-up together, and no look at the clock each.
        let runs = self
            .outgoing
            .chunk_by_mut(|left, right| left.partition == right.partition);
        for run in runs {
            if codes.last() == Some(&QUEUE_FULL) {
                codes.extend(run.iter().map(|_| QUEUE_FULL));
                continue;
            }
            let partition = run.first().map_or(-1, |message| message.partition);
            // SAFETY: the array and what it points to are borrowed for the call and copied by it.
            unsafe {
                sys::rd_kafka_produce_batch(
                    topic.pointer.as_ptr(),
                    partition,
                    sys::RD_KAFKA_MSG_F_COPY,
                    run.as_mut_ptr(),
                    c_int::try_from(run.len()).unwrap_or(c_int::MAX),
                );
                codes.extend(run.iter().map(|message| code_at(&raw const message.err)));
            }
        }
    }

    /// Queues one record that has headers or a time of its own. The number is zero if it was taken.
    pub(in crate::client::librdkafka) fn produce_one(
        &mut self,
        topic: usize,
        record: &Outgoing<'_>,
        headers: &[HeaderView<'_>],
        timestamp: Option<i64>,
    ) -> Code {
        let Some(topic) = self.topics.get(topic) else {
            return TIMED_OUT;
        };
        let (value, value_len) = pointer_and_length(record.value);
        let (key, key_len) = pointer_and_length(record.key);
        // SAFETY: each argument's union field is the one its type names; the header list is taken over by a
        // success and destroyed here otherwise; keys, values and headers are copied.
        unsafe {
            let list = header_list(headers);
            let mut arguments = [
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_RKT, |u| {
                    u.rkt = topic.pointer.as_ptr();
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_PARTITION, |u| {
                    u.i32_ = record.partition;
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_MSGFLAGS, |u| {
                    u.i = sys::RD_KAFKA_MSG_F_COPY;
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_OPAQUE, |u| {
                    u.ptr = ptr::without_provenance_mut(record.tag as usize);
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_VALUE, |u| {
                    u.mem.ptr = value;
                    u.mem.size = value_len;
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_KEY, |u| {
                    u.mem.ptr = key;
                    u.mem.size = key_len;
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TIMESTAMP, |u| {
                    u.i64_ = timestamp.unwrap_or(0);
                }),
                argument(sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_HEADERS, |u| {
                    u.headers = list;
                }),
            ];
            let error = sys::rd_kafka_produceva(self.raw(), arguments.as_mut_ptr(), arguments.len());
            if error.is_null() {
                return 0;
            }
            let code = sys::rd_kafka_error_code(error) as Code;
            sys::rd_kafka_error_destroy(error);
            sys::rd_kafka_headers_destroy(list);
            code
        }
    }

    /// Records queued, under way, or whose report was not taken yet.
    pub(in crate::client::librdkafka) fn in_flight(&self) -> usize {
        // SAFETY: the instance is live.
        usize::try_from(unsafe { sys::rd_kafka_outq_len(self.raw()) }).unwrap_or(0)
    }

    /// Sends what waits for more company, for so long.
    pub(in crate::client::librdkafka) fn hurry(&mut self, wait: Duration) {
        // SAFETY: the instance is live. The result only says whether all is delivered, which the reports say too.
        let _ = unsafe { sys::rd_kafka_flush(self.raw(), milliseconds(wait)) };
    }

    /// Gives up everything that is not delivered; each record's report follows.
    pub(in crate::client::librdkafka) fn purge(&mut self) {
        // SAFETY: the instance is live.
        let _ = unsafe {
            sys::rd_kafka_purge(
                self.raw(),
                sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT,
            )
        };
    }
}

fn pointer_and_length(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    match bytes {
        Some(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
        None => (ptr::null_mut(), 0),
    }
}

fn argument(
    kind: sys::rd_kafka_vtype_t,
    set: impl FnOnce(&mut sys::rd_kafka_vu_s__bindgen_ty_1),
) -> sys::rd_kafka_vu_t {
    let mut value = sys::rd_kafka_vu_s__bindgen_ty_1 { _pad: [0; 64] };
    set(&mut value);
    sys::rd_kafka_vu_t {
        vtype: kind,
        u: value,
    }
}

/// # Safety
/// The caller destroys the list or gives it to librdkafka.
unsafe fn header_list(headers: &[HeaderView<'_>]) -> *mut sys::rd_kafka_headers_t {
    // SAFETY: names and values are copied with the lengths given.
    unsafe {
        let list = sys::rd_kafka_headers_new(headers.len());
        for header in headers {
            let (value, length) = pointer_and_length(header.value);
            sys::rd_kafka_header_add(
                list,
                header.name.as_ptr().cast(),
                header.name.len() as isize,
                value,
                length as isize,
            );
        }
        list
    }
}
