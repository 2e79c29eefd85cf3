//! librdkafka's errors and log lines as messages for the user, without frequent repetition.

use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::reports::Report;
use crate::client::admin::ApiError;
use crate::client::preflight::Preflight;
use crate::error::{Error, Kind};
use crate::plain_words::{lower_first, of_refused_login};

/// The same line is not repeated within this time.
const SILENCE: Duration = Duration::from_secs(30);
/// Lines remembered at most.
const MEMORY: usize = 32;

/// Lines to be shown, and those that were shown recently.
#[derive(Debug, Default)]
pub(super) struct Notices {
    lines: Vec<String>,
    shown: Vec<(String, Instant)>,
    /// A connection failed since the listeners were last asked.
    is_troubled: bool,
    /// A permanent failure: wrong password, untrusted certificate.
    hopeless: Option<(Kind, String)>,
}

impl Notices {
    pub(super) fn take(&mut self, report: &Report) {
        match report {
            Report::Error { code, text } => self.take_error(*code, text),
            Report::NoToken(problem) => self.say(format!("no OAUTHBEARER token: {problem}")),
            Report::Log {
                level,
                facility,
                text,
            } => {
                // Each failed connection is also reported as an error, and each failed transaction by the call that
                // fails.
                let has_twin = matches!(
                    facility.as_str(),
                    "FAIL" | "ERROR" | "CLOSE" | "FATAL" | "TXNERR" | "ADDPARTS"
                );
                // A coordinator that is not ready is asked again at once; the user can do nothing about it.
                let is_passing = facility == "GETPID" && text.ends_with("retrying");
                if is_shown(*level) && !has_twin && !is_passing {
                    self.say(plain(text));
                }
            }
        }
    }

    fn take_error(&mut self, code: Code, text: &str) {
        self.is_troubled |= matches!(
            code,
            Code::Authentication | Code::SSL | Code::BrokerTransportFailure | Code::AllBrokersDown
        );
        match code {
            Code::Authentication | Code::SSL => {
                let text = plain(text);
                self.hopeless.get_or_insert((Kind::Denied, text));
            }
            // These end the run, which says why.
            Code::AllBrokersDown | Code::Fatal | Code::Fenced | Code::GroupAuthorizationFailed => {}
            _ => self.say(plain(text)),
        }
    }

    /// Adds a line unless the same one was shown a moment ago.
    pub(super) fn say(&mut self, line: String) {
        let now = Instant::now();
        self.shown.retain(|(_, when)| now.duration_since(*when) < SILENCE);
        if self.shown.iter().any(|(shown, _)| *shown == line) || self.shown.len() >= MEMORY {
            return;
        }
        self.shown.push((line.clone(), now));
        self.lines.push(line);
    }

    /// The lines to show now.
    pub(super) fn drain(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// The line added last, as the reason of a failure.
    pub(super) fn last(&self) -> Option<&str> {
        self.shown.last().map(|(line, _)| line.as_str())
    }

    /// If a connection failed, asks the listeners over our own connection for the reason. If every listener refuses us,
    /// that failure ends the run.
    pub(super) fn look_into(&mut self, preflight: &mut Preflight) {
        if !std::mem::take(&mut self.is_troubled) {
            return;
        }
        if let Some(refusal) = preflight.refusal() {
            self.hopeless = Some((refusal.kind(), refusal.to_string()));
            self.lines.clear();
        }
    }

    /// The failure that ends the run, if there is one.
    pub(super) fn hopeless(&self) -> Option<Error> {
        self.hopeless.as_ref().map(|(kind, text)| Error::new(*kind, text))
    }
}

/// Warnings and worse.
fn is_shown(level: RDKafkaLogLevel) -> bool {
    !matches!(
        level,
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug
    )
}

/// librdkafka's text without the names of its threads and instances, and without measurements, which differ between
/// tries.
pub(super) fn plain(text: &str) -> String {
    let mut text = text.trim();
    while let Some(rest) = text.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        text = rest.1;
    }
    let end = text.find(" (after ").unwrap_or(text.len());
    let text = text.get(..end).unwrap_or(text);
    let text = text.strip_suffix(['.', ':']).unwrap_or(text);
    let text = text
        .replace("ipv4#", "")
        .replace("ipv6#", "")
        .replace("/bootstrap: ", ": ");
    if let Some((place, why)) = text.split_once(": SASL authentication error: ") {
        return format!("{place}: authentication failed: {}", of_refused_login(why));
    }
    // `a:1: Connect to 127.0.0.1:1 failed: Connection refused` says the address twice.
    let parts = text.split_once(": Connect to ");
    match parts.and_then(|(place, rest)| Some((place, rest.split_once(" failed: ")?.1))) {
        Some((place, why)) => {
            // With the node id after the address, one failure would look like two.
            let address = place.split('/').next().unwrap_or(place);
            format!("{address}: {}", lower_first(why))
        }
        None => text,
    }
}

/// The message for an error code: ours for a broker's code, and for those of librdkafka's own that the user can fix.
pub(super) fn words(code: Code) -> String {
    if let Some(error) = broker_code(code).and_then(|code| ApiError::of(code, None::<String>)) {
        return error.to_string();
    }
    let ours = match code {
        Code::BrokerTransportFailure => "the connection to the broker was lost",
        Code::AllBrokersDown => "no broker can be reached",
        Code::MessageTimedOut => "no broker took it in time",
        Code::OperationTimedOut | Code::TimedOutQueue => "no answer in time",
        Code::PurgeQueue | Code::PurgeInflight => "given up",
        Code::Resolve => "the host's name is not known",
        Code::UnknownPartition => "no such partition",
        Code::UnknownTopic => "no such topic",
        Code::Fenced => "another producer with the same transactional.id has taken over",
        _ => {
            let text = code.to_string();
            let inner = text
                .split_once('(')
                .map_or(text.as_str(), |(_, rest)| rest.trim_end_matches(')'));
            return lower_first(inner.trim_start_matches("Local: "));
        }
    };
    ours.to_owned()
}

/// The number of an error that a broker sent; `None` for librdkafka's own.
pub(super) fn broker_code(code: Code) -> Option<i16> {
    i16::try_from(code as i32).ok().filter(|code| *code > 0)
}

/// The class of a failure.
pub(super) fn kind_of(code: Code) -> Kind {
    match code {
        Code::Authentication
        | Code::SSL
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::SaslAuthenticationFailed => Kind::Denied,
        Code::BrokerTransportFailure
        | Code::Resolve
        | Code::AllBrokersDown
        | Code::OperationTimedOut
        | Code::MessageTimedOut => Kind::Unreachable,
        Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicId => Kind::NotFound,
        Code::InvalidMessage
        | Code::MessageSizeTooLarge
        | Code::InvalidTopic
        | Code::InvalidRecord
        | Code::BadMessage
        | Code::BadCompression => Kind::BadData,
        _ => Kind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_is_reported_once_and_without_librdkafka_names() {
        let mut notices = Notices::default();
        for milliseconds in [0, 3] {
            let text = format!(
                "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: \
                 Connection refused (after {milliseconds}ms in state CONNECT)"
            );
            notices.take(&Report::Error {
                code: Code::BrokerTransportFailure,
                text: text.clone(),
            });
            notices.take(&Report::Log {
                level: RDKafkaLogLevel::Error,
                facility: "FAIL".to_owned(),
                text,
            });
        }
        assert_eq!(notices.last(), Some("127.0.0.1:1: connection refused"));
        assert_eq!(notices.drain(), ["127.0.0.1:1: connection refused"]);
        assert!(notices.hopeless().is_none());
    }

    #[test]
    fn a_refused_login_is_said_once() {
        let text = "[thrd:sasl_plaintext://a:1/bootstrap]: sasl_plaintext://a:1/bootstrap: SASL authentication error: \
                    Authentication failed: Invalid username or password (after 3ms in state AUTH_REQ)";
        assert_eq!(
            plain(text),
            "sasl_plaintext://a:1: authentication failed: invalid username or password"
        );
    }

    #[test]
    fn codes_in_our_words() {
        assert_eq!(words(Code::PurgeQueue), "given up");
        assert_eq!(words(Code::QueueFull), "queue full");
        assert_eq!(
            words(Code::UnknownTopicOrPartition),
            "this server does not host this topic-partition [UNKNOWN_TOPIC_OR_PARTITION]"
        );
        assert_eq!(broker_code(Code::UnknownTopicOrPartition), Some(3));
        assert_eq!(broker_code(Code::QueueFull), None);
    }
}
