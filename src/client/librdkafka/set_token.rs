//! The one raw call into librdkafka: a token with SASL extensions (KIP-342), which the crate's own call lacks.

#![allow(
    unsafe_code,
    reason = "the crate has no call for a token with extensions; the proof stands at the call"
)]

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use rdkafka::bindings::rd_kafka_oauthbearer_set_token;
use rdkafka::client::{Client, ClientContext};
use rdkafka::types::RDKafkaRespErr;

use crate::wire::sasl::Token;

/// Room for librdkafka's reason of a refusal, in bytes.
const REASON_BYTES: usize = 512;

/// Gives a token to a client. The error says what librdkafka does not accept, without the token.
pub(super) fn set_token<C: ClientContext>(client: &Client<C>, token: &Token) -> Result<(), String> {
    let text = |text: &str| CString::new(text).map_err(|_| "a token cannot hold a zero byte".to_owned());
    let (value, principal) = (text(token.value.reveal())?, text(&token.principal)?);
    let mut extensions = Vec::new();
    for (name, value) in &token.extensions {
        extensions.push(text(name)?);
        extensions.push(text(value)?);
    }
    let mut pointers: Vec<*const c_char> = extensions.iter().map(|text| text.as_ptr()).collect();
    let mut reason = [0_u8; REASON_BYTES];
    // SAFETY: the client outlives the call, since it is borrowed. Every text is a `CString` that lives to the end of this
    // function, and librdkafka copies what it keeps; it only reads the array of pointers, whose length is given. It writes a
    // text that ends with a zero byte, of `reason.len()` bytes at most, to `reason`. The call may be made from any thread.
    let code = unsafe {
        rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            value.as_ptr(),
            token.expires_at_ms,
            principal.as_ptr(),
            if pointers.is_empty() {
                ptr::null_mut()
            } else {
                pointers.as_mut_ptr()
            },
            pointers.len(),
            reason.as_mut_ptr().cast(),
            reason.len(),
        )
    };
    if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let reason = CStr::from_bytes_until_nul(&reason).unwrap_or_default();
    Err(format!("the token is not taken: {}", reason.to_string_lossy()))
}
