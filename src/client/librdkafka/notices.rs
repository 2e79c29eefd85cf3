//! librdkafka's errors and log lines as lines for a person: each once in a while, none twice in other words.

use std::time::{Duration, Instant};

use super::ffi::Event;
use crate::client::preflight::Preflight;
use crate::error::{Error, Kind};

/// The same line is not said again before this has passed.
const SILENCE: Duration = Duration::from_secs(30);
/// Log lines up to this syslog level (warnings) are shown.
const SHOWN_LEVEL: i32 = 4;
/// Different lines remembered.
const MEMORY: usize = 32;

const AUTHENTICATION: i32 = -169;
const SSL: i32 = -181;
const TRANSPORT: i32 = -195;
const ALL_BROKERS_DOWN: i32 = -187;

/// Lines waiting to be shown, and what was shown lately.
#[derive(Debug, Default)]
pub(super) struct Notices {
    lines: Vec<String>,
    shown: Vec<(String, Instant)>,
    /// Whether a connection failed.
    is_troubled: bool,
    /// A failure that no retry mends: wrong password, untrusted certificate.
    hopeless: Option<(Kind, String)>,
    /// What a broker last answered to records, or why it could not be reached, since something was last delivered.
    trouble: Option<String>,
}

impl Notices {
    /// Takes an event that is no delivery report.
    pub(super) fn take_event(&mut self, event: &Event<'_>) {
        match event {
            Event::Error { code, text } => self.take_error(*code, text),
            Event::Log {
                level,
                facility,
                text,
            } => {
                // Each failed connection comes as an error, too.
                let has_twin = matches!(*facility, "FAIL" | "ERROR" | "CLOSE");
                // A coordinator that has just begun is asked again at once: nothing a person could do.
                let is_passing = *facility == "GETPID" && text.contains("Coordinator load in progress");
                if *facility == "MSGSET" {
                    self.trouble = refusal(text).or(self.trouble.take());
                }
                if *level <= SHOWN_LEVEL && !has_twin && !is_passing {
                    self.say(plain(text));
                }
            }
            Event::TokenWanted | Event::Ended(_) => {}
        }
    }

    fn take_error(&mut self, code: i32, text: &str) {
        self.is_troubled |= matches!(code, AUTHENTICATION | SSL | TRANSPORT | ALL_BROKERS_DOWN);
        match code {
            AUTHENTICATION | SSL => {
                let text = plain(text);
                self.hopeless.get_or_insert((Kind::Denied, text));
            }
            ALL_BROKERS_DOWN => {}
            _ => {
                self.trouble = Some(plain(text));
                self.say(plain(text));
            }
        }
    }

    /// Why nothing was delivered lately, as far as a broker said it.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Notes that something was delivered.
    pub(super) fn forget_trouble(&mut self) {
        self.trouble = None;
    }

    /// Says a line, unless it was said a moment ago.
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

    /// The last line said, which tells why nothing works.
    pub(super) fn last(&self) -> Option<&str> {
        self.shown.last().map(|(line, _)| line.as_str())
    }

    /// Finds out in our own words why a connection failed, if one did; where every listener turns us away, that is the
    /// failure that ends all trying.
    pub(super) fn look_into(&mut self, preflight: &mut Preflight) {
        if !std::mem::take(&mut self.is_troubled) {
            return;
        }
        if let Some(refusal) = preflight.refusal() {
            self.hopeless = Some((refusal.kind(), refusal.to_string()));
            self.lines.clear();
        }
    }

    /// The failure that ends all trying.
    pub(super) fn hopeless(&self) -> Option<Error> {
        self.hopeless.as_ref().map(|(kind, text)| Error::new(*kind, text))
    }
}

/// librdkafka's text without its thread and instance names and its measurements, which change from try to try.
fn plain(text: &str) -> String {
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
    // `a:1: Connect to 127.0.0.1:1 failed: Connection refused` says the address twice.
    let parts = text.split_once(": Connect to ");
    match parts.and_then(|(place, rest)| Some((place, rest.split_once(" failed: ")?.1))) {
        Some((place, why)) => {
            // The node's number behind the address would make one trouble look like two.
            let address = place.split('/').next().unwrap_or(place);
            format!("{address}: {}", lower_first(why))
        }
        None => text,
    }
}

/// The broker and its answer in a log line about records that it refused and that are sent again; none for other lines.
fn refusal(text: &str) -> Option<String> {
    let (place, answer) = plain(text)
        .split_once(" encountered error: Broker: ")
        .map(|(place, answer)| {
            let broker = place.split(['/', ' ']).next().unwrap_or_default();
            (broker.trim_end_matches(':').to_owned(), answer.to_owned())
        })?;
    let answer = answer.split(" (actions ").next().unwrap_or_default();
    Some(format!("broker {place} answers: {}", plain_error(answer)))
}

/// librdkafka's text for an error code, in our manner: no origin in front, no capital, and plain words for what a user
/// can do something about.
pub(super) fn plain_error(text: &str) -> String {
    let text = text
        .strip_prefix("Local: ")
        .or_else(|| text.strip_prefix("Broker: "))
        .unwrap_or(text);
    let ours = match text {
        "Disk error when trying to access log file on disk" => {
            "it cannot write to its disk, is the disk full? (KAFKA_STORAGE_ERROR)"
        }
        "Broker transport failure" => "the connection to the broker was lost",
        "All broker connections are down" => "no broker can be reached",
        "Message timed out" => "no broker took it in time",
        "Timed out" => "no answer in time",
        "Purged in queue" | "Purged in flight" => "given up",
        "Host resolution failure" => "the host's name is not known",
        "Unknown partition" => "no such partition",
        "Unknown topic" => "no such topic",
        _ => return lower_first(text),
    };
    ours.to_owned()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some(first), rest) if rest.starts_with(char::is_lowercase) => {
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text.to_owned(),
    }
}

/// Why `servers` cannot be reached: the last trouble, without the address if it is the only one.
pub(super) fn reason_for(servers: &str, trouble: &str) -> String {
    let rest = trouble
        .strip_prefix(servers)
        .and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(trouble).to_owned()
}

/// The class of a failure by its code.
pub(super) fn kind_of(code: i32) -> Kind {
    match code {
        AUTHENTICATION | SSL | 29 | 30 | 31 | 53 | 58 => Kind::Denied,
        -195 | -193 | ALL_BROKERS_DOWN | -185 | -192 => Kind::Unreachable,
        3 | -188 | -190 | 100 => Kind::NotFound,
        2 | 10 | 17 | 87 | -199 | -198 => Kind::BadData,
        _ => Kind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_is_told_once_and_without_librdkafka_names() {
        let mut notices = Notices::default();
        for milliseconds in [0, 3] {
            let text = format!(
                "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: \
                 Connection refused (after {milliseconds}ms in state CONNECT)"
            );
            notices.take_event(&Event::Error {
                code: -195,
                text: &text,
            });
            notices.take_event(&Event::Log {
                level: 3,
                facility: "FAIL",
                text: &text,
            });
        }
        assert_eq!(notices.trouble(), Some("127.0.0.1:1: connection refused"));
        assert_eq!(notices.drain(), ["127.0.0.1:1: connection refused"]);
        assert!(notices.hopeless().is_none());
    }

    #[test]
    fn what_a_broker_answers_to_records_is_kept_and_not_said_at_once() {
        let mut notices = Notices::default();
        notices.take_event(&Event::Log {
            level: 7,
            facility: "MSGSET",
            text: "[thrd:127.0.0.1:1/2]: 127.0.0.1:1/2: t [0]: MessageSet with 1 message(s) (MsgId 1, BaseSeq 0) \
                   encountered error: Broker: Disk error when trying to access log file on disk (actions Refresh,Retry)",
        });
        assert!(notices.drain().is_empty());
        assert_eq!(
            notices.trouble(),
            Some(
                "broker 127.0.0.1:1 answers: it cannot write to its disk, is the disk full? (KAFKA_STORAGE_ERROR)"
            )
        );
    }
}
