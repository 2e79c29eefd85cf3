//! The calls into librdkafka: the one unsafe file of this room, a safe handle around C pointers.
//!
//! Owns pointers and their lifetimes; owns no policy. Callbacks are never used: everything librdkafka has to say
//! (delivery reports, errors, log lines) is taken as events from a queue by the thread that owns the handle.
//!
//! Why it is sound:
//! - Every pointer that librdkafka gives away is owned by one value here, freed once in its `Drop`, and never
//!   leaves this file. Queues and topics are dropped before the instance they belong to.
//! - Slices made from messages, events and metadata borrow from them and are handed to closures, which return
//!   before the message, event or metadata is freed.
//! - Keys and values are copied by librdkafka during the call (`RD_KAFKA_MSG_F_COPY`), so borrowed input is enough.
//! - Error codes inside structs are read as `i32`, because a broker may send codes that the bindings' enum does
//!   not name.
//! - A [`Handle`] is neither `Send` nor `Sync` (it holds raw pointers), so one thread makes all these calls.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands above")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ops::ControlFlow;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka_sys as sys;

use super::notices::plain_error;
use crate::client::record_sink::HeaderView;

/// Room for librdkafka's complaint about a setting or a new instance.
const ERROR_TEXT: usize = 512;
/// Records taken from librdkafka with one call.
const CONSUME_BATCH: usize = 1000;

/// An error code of librdkafka (negative) or of the broker (positive), as a number.
pub(super) type Code = i32;

pub(super) const TIMED_OUT: Code = -185;
pub(super) const QUEUE_FULL: Code = -184;
pub(super) const PARTITION_END: Code = -191;

/// What a handle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Producer,
    /// Reads partitions it is told to, and talks to no coordinator.
    Reader,
    /// A member of a group.
    Member,
}

/// A librdkafka instance and its queues.
#[derive(Debug)]
pub(super) struct Handle {
    instance: NonNull<sys::rd_kafka_t>,
    events: NonNull<sys::rd_kafka_queue_t>,
    /// Where a consumer's records come; none of a producer.
    records: Option<NonNull<sys::rd_kafka_queue_t>>,
    topics: Vec<Topic>,
    /// Reused from call to call.
    outgoing: Vec<sys::rd_kafka_message_t>,
    incoming: Vec<*mut sys::rd_kafka_message_t>,
}

#[derive(Debug)]
struct Topic {
    name: String,
    pointer: NonNull<sys::rd_kafka_topic_t>,
}

/// A record on its way out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    /// -1 leaves it to the partitioner.
    pub(super) partition: i32,
    pub(super) tag: u64,
}

/// A record that came in, or what came in its place.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) code: Code,
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) key: Option<&'a [u8]>,
    /// The value, or the text of an error.
    pub(super) value: Option<&'a [u8]>,
    /// Milliseconds, and librdkafka's type: 0 none, 1 create, 2 log append.
    pub(super) timestamp: (i64, i32),
    message: *const sys::rd_kafka_message_t,
}

/// What librdkafka has to say.
#[derive(Debug)]
pub(super) enum Event<'a> {
    Delivered(Delivered<'a>),
    Error {
        code: Code,
        text: &'a str,
    },
    Log {
        level: i32,
        facility: &'a str,
        text: &'a str,
    },
    /// The token of OAUTHBEARER has run out.
    TokenWanted,
}

/// How the sending of one record ended.
#[derive(Debug)]
pub(super) struct Delivered<'a> {
    pub(super) code: Code,
    pub(super) tag: u64,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) key_bytes: usize,
    pub(super) value_bytes: usize,
    pub(super) text: Option<&'a str>,
}

/// What the cluster says of a topic.
#[derive(Clone, Debug)]
pub(super) struct TopicMetadata {
    pub(super) name: String,
    pub(super) code: Code,
    pub(super) partitions: Vec<i32>,
}

/// A partition with an offset (or Kafka's special numbers for one), and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) code: Code,
}

fn milliseconds(wait: Duration) -> c_int {
    c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX)
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("{text:?} has a zero byte in it"))
}

/// The text behind a C string that lives as long as `'a`.
///
/// # Safety
/// `text` is null or points to a string that ends in zero and outlives `'a`.
unsafe fn text_at<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    // SAFETY: as this function's own.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("")
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

/// An error code in a struct, which may be one that the bindings do not name.
///
/// # Safety
/// `code` points to an initialised error code.
unsafe fn code_at(code: *const sys::rd_kafka_resp_err_t) -> Code {
    // SAFETY: the enum is `repr(i32)`; the memory is an initialised C int.
    unsafe { code.cast::<i32>().read() }
}

/// The text for an error code.
pub(super) fn error_text(code: Code) -> String {
    match sys::rd_kafka_resp_err_t::try_from(code) {
        // SAFETY: librdkafka returns a pointer to a static text for every code.
        Ok(code) => plain_error(unsafe { text_at(sys::rd_kafka_err2str(code)) }),
        Err(_) => format!("error {code}"),
    }
}

struct Configuration(*mut sys::rd_kafka_conf_t);

impl Drop for Configuration {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: not yet taken by an instance.
            unsafe { sys::rd_kafka_conf_destroy(self.0) }
        }
    }
}

fn configuration(entries: &[(String, String)]) -> Result<Configuration, String> {
    // SAFETY: the pointer is owned by the guard; names and values live through each call.
    unsafe {
        let conf = Configuration(sys::rd_kafka_conf_new());
        let mut problem = [0; ERROR_TEXT];
        for (name, value) in entries {
            let (c_name, c_value) = (c_string(name)?, c_string(value)?);
            let result = sys::rd_kafka_conf_set(
                conf.0,
                c_name.as_ptr(),
                c_value.as_ptr(),
                problem.as_mut_ptr(),
                problem.len(),
            );
            if result != sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
                return Err(text_at(problem.as_ptr()).to_owned());
            }
        }
        let wanted = sys::RD_KAFKA_EVENT_DR
            | sys::RD_KAFKA_EVENT_ERROR
            | sys::RD_KAFKA_EVENT_LOG
            | sys::RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH;
        sys::rd_kafka_conf_set_events(conf.0, wanted);
        Ok(conf)
    }
}

impl Handle {
    /// A new instance with these settings, in librdkafka's names. The error is librdkafka's text.
    pub(super) fn new(role: Role, entries: &[(String, String)]) -> Result<Self, String> {
        let mut conf = configuration(entries)?;
        let kind = match role {
            Role::Producer => sys::rd_kafka_type_t::RD_KAFKA_PRODUCER,
            Role::Reader | Role::Member => sys::rd_kafka_type_t::RD_KAFKA_CONSUMER,
        };
        let mut problem = [0; ERROR_TEXT];
        // SAFETY: a success takes the configuration over, which is why the guard forgets it; the queues are asked
        // of a live instance, and each counts its own references.
        unsafe {
            let instance = sys::rd_kafka_new(kind, conf.0, problem.as_mut_ptr(), problem.len());
            let Some(instance) = NonNull::new(instance) else {
                return Err(text_at(problem.as_ptr()).to_owned());
            };
            conf.0 = ptr::null_mut();
            let records = match role {
                Role::Producer => None,
                Role::Reader => NonNull::new(sys::rd_kafka_queue_new(instance.as_ptr())),
                Role::Member => NonNull::new(sys::rd_kafka_queue_get_consumer(instance.as_ptr())),
            };
            let Some(events) = NonNull::new(sys::rd_kafka_queue_get_main(instance.as_ptr())) else {
                return Err("librdkafka has no main queue".into());
            };
            sys::rd_kafka_set_log_queue(instance.as_ptr(), ptr::null_mut());
            Ok(Self {
                instance,
                events,
                records,
                topics: Vec::new(),
                outgoing: Vec::new(),
                incoming: vec![ptr::null_mut(); CONSUME_BATCH],
            })
        }
    }

    fn raw(&self) -> *mut sys::rd_kafka_t {
        self.instance.as_ptr()
    }

    /// Hands on what librdkafka has to say; waits for the first word, then takes what is there.
    pub(super) fn poll_events(&mut self, wait: Duration, visit: &mut dyn FnMut(Event<'_>)) {
        let mut wait = milliseconds(wait);
        // SAFETY: an event is destroyed after the closure has returned; nothing of it is kept.
        unsafe {
            loop {
                let event = sys::rd_kafka_queue_poll(self.events.as_ptr(), wait);
                if event.is_null() {
                    return;
                }
                wait = 0;
                visit_event(event, visit);
                sys::rd_kafka_event_destroy(event);
            }
        }
    }

    /// The place of a topic in this handle's table; made when it is new.
    pub(super) fn topic(&mut self, name: &str) -> Result<usize, String> {
        if let Some(position) = self.topics.iter().rposition(|topic| topic.name == name) {
            return Ok(position);
        }
        let c_name = c_string(name)?;
        // SAFETY: the instance is live, the name lives through the call; a null configuration means the default.
        let pointer = unsafe { sys::rd_kafka_topic_new(self.raw(), c_name.as_ptr(), ptr::null_mut()) };
        let Some(pointer) = NonNull::new(pointer) else {
            // SAFETY: reads this thread's last error.
            return Err(error_text(unsafe { sys::rd_kafka_last_error() } as Code));
        };
        self.topics.push(Topic {
            name: name.to_owned(),
            pointer,
        });
        Ok(self.topics.len() - 1)
    }

    /// Queues records of one topic in their order. `codes` gets one number a record, zero if it was taken;
    /// once one finds the queue full, so do all after it.
    pub(super) fn produce_batch<'a>(
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
        // SAFETY: the array and what it points to are borrowed for the call and copied by it.
        unsafe {
            sys::rd_kafka_produce_batch(
                topic.pointer.as_ptr(),
                -1,
                sys::RD_KAFKA_MSG_F_COPY | sys::RD_KAFKA_MSG_F_PARTITION,
                self.outgoing.as_mut_ptr(),
                c_int::try_from(self.outgoing.len()).unwrap_or(c_int::MAX),
            );
            codes.extend(
                self.outgoing
                    .iter()
                    .map(|message| code_at(&raw const message.err)),
            );
        }
    }

    /// Queues one record that has headers or a time of its own. The number is zero if it was taken.
    pub(super) fn produce_one(
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
    pub(super) fn in_flight(&self) -> usize {
        // SAFETY: the instance is live.
        usize::try_from(unsafe { sys::rd_kafka_outq_len(self.raw()) }).unwrap_or(0)
    }

    /// Sends what waits for more company, for so long.
    pub(super) fn hurry(&mut self, wait: Duration) {
        // SAFETY: the instance is live. The result only says whether all is delivered, which the reports say too.
        let _ = unsafe { sys::rd_kafka_flush(self.raw(), milliseconds(wait)) };
    }

    /// Gives up everything that is not delivered; each record's report follows.
    pub(super) fn purge(&mut self) {
        // SAFETY: the instance is live.
        let _ = unsafe {
            sys::rd_kafka_purge(
                self.raw(),
                sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT,
            )
        };
    }

    /// What the cluster says of one topic, or of all.
    pub(super) fn metadata(
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
                })
                .collect();
            sys::rd_kafka_metadata_destroy(metadata);
            Ok(found)
        }
    }

    /// Replaces each place's number, a time in milliseconds or -1 (end) or -2 (beginning), by the offset there.
    pub(super) fn offsets_for_times(&mut self, places: &mut [Place], wait: Duration) -> Result<(), Code> {
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

    /// Reads a partition from an offset on.
    pub(super) fn start(&mut self, place: &Place) -> Result<(), Code> {
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
    pub(super) fn stop(&mut self, topic: &str, partition: i32) {
        if let Some(topic) = self.topics.iter().find(|known| known.name == topic) {
            // SAFETY: the topic is live. A partition that was never started is an error without effect.
            let _ = unsafe { sys::rd_kafka_consume_stop(topic.pointer.as_ptr(), partition) };
        }
    }

    /// Joins the group for these topics.
    pub(super) fn subscribe(&mut self, topics: &[String]) -> Result<(), Code> {
        let places: Vec<Place> = topics
            .iter()
            .map(|topic| Place {
                topic: topic.clone(),
                partition: -1,
                offset: -1001,
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
    pub(super) fn assignment(&mut self) -> Vec<(String, i32)> {
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
    pub(super) fn store_offsets(&mut self, places: &[Place]) {
        if let Ok(list) = PartitionList::new(places) {
            // SAFETY: the list lives through the call. A partition that was taken away meanwhile is refused,
            // which is right: its new owner commits it.
            let _ = unsafe { sys::rd_kafka_offsets_store(self.raw(), list.0.as_ptr()) };
        }
    }

    /// Hands on the records that are there, waiting up to `wait` for the first. A break drops the rest of them.
    pub(super) fn consume(
        &mut self,
        wait: Duration,
        visit: &mut dyn FnMut(&Incoming<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(queue) = self.records else {
            return ControlFlow::Continue(());
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
            flow
        }
    }

    /// Gives librdkafka an OAUTHBEARER token: value, end of life in milliseconds since 1970, principal, extensions.
    pub(super) fn set_token(
        &mut self,
        (value, expires_at, principal, extensions): (&str, i64, &str, &[(String, String)]),
    ) -> Result<(), String> {
        let (value, principal) = (c_string(value)?, c_string(principal)?);
        let mut texts = Vec::with_capacity(extensions.len() * 2);
        for (name, value) in extensions {
            texts.push(c_string(name)?);
            texts.push(c_string(value)?);
        }
        let mut pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        let mut problem = [0; ERROR_TEXT];
        // SAFETY: all texts live through the call, which copies them.
        unsafe {
            let result = sys::rd_kafka_oauthbearer_set_token(
                self.raw(),
                value.as_ptr(),
                expires_at,
                principal.as_ptr(),
                pointers.as_mut_ptr(),
                pointers.len(),
                problem.as_mut_ptr(),
                problem.len(),
            );
            if result as Code == 0 {
                Ok(())
            } else {
                Err(text_at(problem.as_ptr()).to_owned())
            }
        }
    }

    /// Tells librdkafka that there is no token; it asks again later.
    pub(super) fn refuse_token(&mut self, problem: &str) {
        if let Ok(problem) = c_string(problem) {
            // SAFETY: the text lives through the call, which copies it.
            let _ = unsafe { sys::rd_kafka_oauthbearer_set_token_failure(self.raw(), problem.as_ptr()) };
        }
    }

    /// Leaves the group, if there is one.
    pub(super) fn close_consumer(&mut self) {
        // SAFETY: the instance is live.
        let _ = unsafe { sys::rd_kafka_consumer_close(self.raw()) };
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: topics and queues hold references to the instance and go first; nothing is used afterwards.
        unsafe {
            for topic in &self.topics {
                sys::rd_kafka_topic_destroy(topic.pointer.as_ptr());
            }
            if let Some(records) = self.records {
                sys::rd_kafka_queue_destroy(records.as_ptr());
            }
            sys::rd_kafka_queue_destroy(self.events.as_ptr());
            sys::rd_kafka_destroy_flags(self.raw(), sys::RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        }
    }
}

fn pointer_and_length(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    match bytes {
        Some(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
        None => (ptr::null_mut(), 0),
    }
}

/// # Safety
/// `start` is null or points to `count` values that outlive `'a`.
unsafe fn slice_at<'a, T>(start: *const T, count: c_int) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: as this function's own.
        Ok(count) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, count) },
        _ => &[],
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

/// # Safety
/// `event` is live and stays so until this returns.
unsafe fn visit_event(event: *mut sys::rd_kafka_event_t, visit: &mut dyn FnMut(Event<'_>)) {
    // SAFETY: everything read here belongs to the event.
    unsafe {
        match sys::rd_kafka_event_type(event) {
            sys::RD_KAFKA_EVENT_DR => loop {
                let message = sys::rd_kafka_event_message_next(event);
                if message.is_null() {
                    return;
                }
                let code = code_at(&raw const (*message).err);
                visit(Event::Delivered(Delivered {
                    code,
                    tag: (*message)._private.addr() as u64,
                    partition: (*message).partition,
                    offset: (*message).offset,
                    key_bytes: (*message).key_len,
                    value_bytes: (*message).len,
                    text: (code != 0).then(|| text_at(sys::rd_kafka_message_produce_errstr(message))),
                }));
            },
            sys::RD_KAFKA_EVENT_ERROR => visit(Event::Error {
                code: sys::rd_kafka_event_error(event) as Code,
                text: text_at(sys::rd_kafka_event_error_string(event)),
            }),
            sys::RD_KAFKA_EVENT_LOG => {
                let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
                sys::rd_kafka_event_log(event, &raw mut facility, &raw mut text, &raw mut level);
                visit(Event::Log {
                    level,
                    facility: text_at(facility),
                    text: text_at(text),
                });
            }
            sys::RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH => visit(Event::TokenWanted),
            _ => {}
        }
    }
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
    pub(super) fn error_text(&self) -> &str {
        // SAFETY: the message is live as long as this value, and keeps its text.
        unsafe { text_at(sys::rd_kafka_message_errstr(self.message)) }
    }

    /// Calls `visit` with each header, in order.
    pub(super) fn headers<'a>(&'a self, visit: &mut dyn FnMut(HeaderView<'a>)) {
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

/// librdkafka's list of partitions.
struct PartitionList(NonNull<sys::rd_kafka_topic_partition_list_t>);

impl PartitionList {
    fn new(places: &[Place]) -> Result<Self, Code> {
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
