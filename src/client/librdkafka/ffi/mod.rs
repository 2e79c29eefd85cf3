//! The calls into librdkafka: the one unsafe folder of this room, a safe handle around C pointers.
//!
//! Owns pointers and their lifetimes; owns no policy. Everything librdkafka has to say (delivery reports, errors, log
//! lines) is taken as events from a queue by the thread that owns the handle; what events do not carry is copied by the
//! interceptors in `overheard.rs`.
//!
//! Why it is sound:
//! - Every pointer that librdkafka gives away is owned by one value here, freed once in its `Drop`, and never
//!   leaves this folder. Queues and topics are dropped before the instance they belong to.
//! - Slices made from messages, events and metadata borrow from them and are handed to closures, which return
//!   before the message, event or metadata is freed.
//! - Keys and values are copied by librdkafka during the call (`RD_KAFKA_MSG_F_COPY`), so borrowed input is enough.
//! - Error codes inside structs are read as `i32`, because a broker may send codes that the bindings' enum does
//!   not name.
//! - A [`Handle`] is neither `Send` nor `Sync` (it holds raw pointers), so one thread makes all these calls.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands above")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

pub(super) use consuming::Incoming;
pub(super) use events::Event;
pub(super) use overheard::Overheard;
pub(super) use partitions::{Place, TopicMetadata};
pub(super) use producing::Outgoing;
use rdkafka_sys as sys;

use super::notices::plain_error;

mod consuming;
mod events;
mod memory;
mod overheard;
mod partitions;
mod producing;

/// Room for librdkafka's complaint about a setting or a new instance.
const ERROR_TEXT: usize = 512;
/// Records taken from librdkafka with one call.
const CONSUME_BATCH: usize = 1000;

/// An error code of librdkafka (negative) or of the broker (positive), as a number.
pub(super) type Code = i32;

pub(super) const TIMED_OUT: Code = -185;
pub(super) const QUEUE_FULL: Code = -184;
pub(super) const PARTITION_END: Code = -191;
pub(super) const UNKNOWN_PARTITION: Code = -190;
pub(super) const UNKNOWN_TOPIC: Code = -188;

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
    /// A thread of the instance hangs: ending it would wait for that thread for ever.
    is_stuck: bool,
    /// Dropped after the instance, which calls it.
    pub(super) overheard: Arc<Overheard>,
}

#[derive(Debug)]
struct Topic {
    name: String,
    pointer: NonNull<sys::rd_kafka_topic_t>,
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
        memory::share_one_heap();
        let mut conf = configuration(entries)?;
        let overheard = Arc::new(Overheard::default());
        let kind = match role {
            Role::Producer => sys::rd_kafka_type_t::RD_KAFKA_PRODUCER,
            Role::Reader | Role::Member => sys::rd_kafka_type_t::RD_KAFKA_CONSUMER,
        };
        let mut problem = [0; ERROR_TEXT];
        // SAFETY: a success takes the configuration over, which is why the guard forgets it; the queues are asked
        // of a live instance, and each counts its own references. What is overheard lives in the handle.
        unsafe {
            if role == Role::Producer {
                overheard.listen(conf.0);
            }
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
                is_stuck: false,
                overheard,
            })
        }
    }

    /// Gives the instance up as it is, threads and all: it is left to the end of the process.
    pub(super) fn abandon(&mut self) {
        if !std::mem::replace(&mut self.is_stuck, true) {
            std::mem::forget(Arc::clone(&self.overheard));
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.is_stuck
    }

    fn raw(&self) -> *mut sys::rd_kafka_t {
        self.instance.as_ptr()
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
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.is_stuck {
            return;
        }
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

/// # Safety
/// `start` is null or points to `count` values that outlive `'a`.
unsafe fn slice_at<'a, T>(start: *const T, count: c_int) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: as this function's own.
        Ok(count) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, count) },
        _ => &[],
    }
}
