//! A failure with the message of Apache Kafka's Java clients, which the tools print and scripts match.

use crate::client::admin::ApiError;
use crate::error::{Error, Kind};
use crate::wire::WireError;
use crate::wire::tls::TlsFailure;

/// The message of Java's exception; `call` is the admin call's name in Java, `listTopics`.
pub fn java_message(error: &Error, call: &str) -> String {
    if let Some(refusal) = error.cause::<ApiError>() {
        return refusal.java_message().to_owned();
    }
    match error.cause::<WireError>().map(WireError::bare) {
        Some(WireError::Authentication { message, .. }) => message.clone(),
        // Java retries all of these until its time-out.
        Some(
            WireError::Refused
            | WireError::TimedOut(_)
            | WireError::Closed
            | WireError::Io(_)
            | WireError::WantsTls
            | WireError::WantsSasl(_)
            | WireError::Tls(TlsFailure::NotTls),
        ) => {
            format!("Timed out waiting for a node assignment. Call: {call}")
        }
        // In TLS 1.3 the broker checks a client's certificate after the handshake.
        Some(WireError::Tls(TlsFailure::NoClientCertificate | TlsFailure::ClientCertificateRefused(_))) => {
            "Failed to process post-handshake messages".to_owned()
        }
        Some(WireError::Tls(_)) => "SSL handshake failed".to_owned(),
        Some(WireError::HasNoSasl(mechanism)) => {
            format!(
                "Unexpected handshake request with client mechanism {mechanism}, enabled mechanisms are []"
            )
        }
        _ => error.message(),
    }
}

/// The class of Java's exception if the connection is refused, by the cluster or by our own checks.
pub fn refusal_class(error: &Error) -> &'static str {
    match error.cause::<WireError>().map(WireError::bare) {
        Some(WireError::Tls(TlsFailure::NotTls) | WireError::WantsTls | WireError::WantsSasl(_)) => {
            "TimeoutException"
        }
        Some(WireError::Tls(_)) => "SslAuthenticationException",
        Some(WireError::HasNoSasl(_)) => "IllegalSaslStateException",
        _ => "SaslAuthenticationException",
    }
}

/// What is missing for a refused connection, in our own words: Java's message does not say it.
pub fn what_is_missing(error: &Error) -> Option<String> {
    let is_told_by_java = matches!(
        error.cause::<WireError>().map(WireError::bare),
        Some(WireError::Authentication { .. }) | None
    );
    (error.kind() == Kind::Denied && !is_told_by_java).then(|| error.to_string())
}
