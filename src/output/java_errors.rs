//! A failure in the words of Apache Kafka's Java clients, which the tools print and scripts look for.

use crate::client::admin::ApiError;
use crate::error::Error;
use crate::wire::WireError;
use crate::wire::tls::HUNG_UP;

/// What the message of Java's exception would be; `call` is the admin call's name there, `listTopics`.
pub fn java_message(error: &Error, call: &str) -> String {
    if let Some(refusal) = error.cause::<ApiError>() {
        return refusal.java_message().to_owned();
    }
    match error.cause::<WireError>().map(WireError::bare) {
        Some(WireError::Authentication { message, .. }) => message.clone(),
        Some(WireError::Refused | WireError::TimedOut(_) | WireError::Closed | WireError::Io(_)) => {
            format!("Timed out waiting for a node assignment. Call: {call}")
        }
        // Java tries again and again.
        Some(WireError::Tls(reason)) if reason == HUNG_UP => {
            format!("Timed out waiting for a node assignment. Call: {call}")
        }
        Some(WireError::Tls(_)) => "SSL handshake failed".to_owned(),
        _ => error.message(),
    }
}
