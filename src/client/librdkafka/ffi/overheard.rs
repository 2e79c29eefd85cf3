//! What only librdkafka's own threads see: the broker's words on records that it refused, and which broker owes an answer.
//!
//! The text behind a delivery report is freed before the report is read (librdkafka 2.12 keeps a pointer into a result that
//! its broker thread has destroyed), so it is copied here, by an interceptor that runs while the text is alive. Owns the
//! only functions that librdkafka calls; they copy and return, and hold one lock for a moment.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands in ffi/mod.rs")]

use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka_sys as sys;

use super::{Code, code_at, text_at};

/// Texts kept at most: more refusals than this are never named one by one.
const MAX_TEXTS: usize = 256;
/// Letters of one text at most.
const MAX_TEXT: usize = 1024;
/// The API key of Produce.
const PRODUCE: i16 = 0;
const NAME: &std::ffi::CStr = c"kafkit";
const OK: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// What was heard of a producer's brokers.
#[derive(Debug, Default)]
pub(in crate::client::librdkafka) struct Overheard(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    /// By the tag of the record.
    refusals: HashMap<u64, String>,
    /// By the number of the broker.
    debts: HashMap<i32, Debt>,
}

/// Produce requests that a broker has not answered.
#[derive(Debug)]
struct Debt {
    broker: String,
    requests: u32,
    since: Instant,
}

impl Overheard {
    /// Has an instance that is made of `conf` tell this value. The value must outlive the instance.
    ///
    /// # Safety
    /// `conf` is live.
    pub(super) unsafe fn listen(self: &Arc<Self>, conf: *mut sys::rd_kafka_conf_t) {
        let opaque = Arc::as_ptr(self).cast_mut().cast();
        // SAFETY: the name is static; the caller keeps the value alive as long as the instance.
        let _ =
            unsafe { sys::rd_kafka_conf_interceptor_add_on_new(conf, NAME.as_ptr(), Some(on_new), opaque) };
    }

    /// The broker's words on a record that it refused; given once.
    pub(in crate::client::librdkafka) fn take_refusal(&self, tag: u64) -> Option<String> {
        self.heard().refusals.remove(&tag)
    }

    /// The broker that has owed an answer to a Produce request for the longest time, and for how long.
    pub(in crate::client::librdkafka) fn silent_broker(&self) -> Option<(String, Duration)> {
        let heard = self.heard();
        let oldest = heard
            .debts
            .values()
            .filter(|debt| debt.requests > 0)
            .min_by_key(|debt| debt.since);
        oldest.map(|debt| (debt.broker.clone(), debt.since.elapsed()))
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_refusal(&self, tag: u64, text: &str) {
        let mut heard = self.heard();
        if heard.refusals.len() < MAX_TEXTS && !text.is_empty() {
            let text = text.chars().take(MAX_TEXT).collect();
            heard.refusals.insert(tag, text);
        }
    }

    fn note_request(&self, broker_id: i32, broker: &str) {
        let mut heard = self.heard();
        let debt = heard.debts.entry(broker_id).or_insert_with(|| Debt {
            broker: broker.to_owned(),
            requests: 0,
            since: Instant::now(),
        });
        if debt.requests == 0 {
            debt.since = Instant::now();
        }
        debt.requests = debt.requests.saturating_add(1);
    }

    fn note_answer(&self, broker_id: i32) {
        if let Some(debt) = self.heard().debts.get_mut(&broker_id) {
            debt.requests = debt.requests.saturating_sub(1);
            debt.since = Instant::now();
        }
    }
}

/// # Safety
/// `opaque` is what `listen` gave, and alive.
unsafe fn overheard<'a>(opaque: *mut c_void) -> &'a Overheard {
    // SAFETY: as this function's own; the value is only ever shared.
    unsafe { &*opaque.cast_const().cast::<Overheard>() }
}

unsafe extern "C" fn on_new(
    instance: *mut sys::rd_kafka_t,
    _conf: *const sys::rd_kafka_conf_t,
    opaque: *mut c_void,
    _problem: *mut c_char,
    _room: usize,
) -> sys::rd_kafka_resp_err_t {
    // SAFETY: the instance is being made, and no thread of it calls interceptors yet.
    unsafe {
        sys::rd_kafka_interceptor_add_on_acknowledgement(
            instance,
            NAME.as_ptr(),
            Some(on_acknowledgement),
            opaque,
        );
        sys::rd_kafka_interceptor_add_on_request_sent(instance, NAME.as_ptr(), Some(on_request), opaque);
        sys::rd_kafka_interceptor_add_on_response_received(
            instance,
            NAME.as_ptr(),
            Some(on_response),
            opaque,
        );
    }
    OK
}

unsafe extern "C" fn on_acknowledgement(
    _instance: *mut sys::rd_kafka_t,
    message: *mut sys::rd_kafka_message_t,
    opaque: *mut c_void,
) -> sys::rd_kafka_resp_err_t {
    // SAFETY: the message is live for this call, and here alone its text is, too.
    unsafe {
        let code: Code = code_at(&raw const (*message).err);
        if code != 0 {
            let text = text_at(sys::rd_kafka_message_produce_errstr(message));
            overheard(opaque).note_refusal((*message)._private.addr() as u64, text);
        }
    }
    OK
}

unsafe extern "C" fn on_request(
    _instance: *mut sys::rd_kafka_t,
    _socket: c_int,
    broker: *const c_char,
    broker_id: i32,
    api_key: i16,
    _version: i16,
    _correlation_id: i32,
    _size: usize,
    opaque: *mut c_void,
) -> sys::rd_kafka_resp_err_t {
    if api_key == PRODUCE {
        // SAFETY: the name lives for this call.
        unsafe { overheard(opaque).note_request(broker_id, text_at(broker)) };
    }
    OK
}

unsafe extern "C" fn on_response(
    _instance: *mut sys::rd_kafka_t,
    _socket: c_int,
    _broker: *const c_char,
    broker_id: i32,
    api_key: i16,
    _version: i16,
    _correlation_id: i32,
    _size: usize,
    _round_trip: i64,
    _code: sys::rd_kafka_resp_err_t,
    opaque: *mut c_void,
) -> sys::rd_kafka_resp_err_t {
    if api_key == PRODUCE {
        // SAFETY: `opaque` is what `listen` gave.
        unsafe { overheard(opaque).note_answer(broker_id) };
    }
    OK
}
