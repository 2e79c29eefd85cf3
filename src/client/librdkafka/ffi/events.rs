//! What librdkafka has to say of its own accord: deliveries, errors, log lines, the wish for a token.
//!
//! Owns the taking of events from the queue; nothing of an event outlives its visit.
#![allow(unsafe_code, reason = "librdkafka is C; the proof stands in ffi/mod.rs")]

use std::ptr;
use std::time::Duration;

use rdkafka_sys as sys;

use super::{Code, Handle, code_at, milliseconds, text_at};

/// What librdkafka has to say.
#[derive(Debug)]
pub(in crate::client::librdkafka) enum Event<'a> {
    Ended(Ended),
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
pub(in crate::client::librdkafka) struct Ended {
    pub(in crate::client::librdkafka) code: Code,
    pub(in crate::client::librdkafka) tag: u64,
    pub(in crate::client::librdkafka) partition: i32,
    pub(in crate::client::librdkafka) key_bytes: usize,
    pub(in crate::client::librdkafka) value_bytes: usize,
}

impl Handle {
    /// Hands on what librdkafka has to say; waits for the first word, then takes what is there.
    pub(in crate::client::librdkafka) fn poll_events(
        &mut self,
        wait: Duration,
        visit: &mut dyn FnMut(Event<'_>),
    ) {
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
                visit(Event::Ended(Ended {
                    code,
                    tag: (*message)._private.addr() as u64,
                    partition: (*message).partition,
                    key_bytes: (*message).key_len,
                    value_bytes: (*message).len,
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
