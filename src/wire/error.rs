//! What can go wrong on a connection, and the messages for the user.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::ApiKey;

use super::frame::FrameError;
use super::host_port::HostPort;
use super::tls::TlsFailure;
use crate::error::{Error, Kind};
use crate::plain_words;

/// A failure on a connection. [`WireError::at`] puts the address in front.
#[derive(Clone, Debug)]
pub enum WireError {
    /// The host name cannot be resolved.
    Unresolvable(HostPort),
    /// Nothing listens there.
    Refused,
    /// No answer within this time.
    TimedOut(Duration),
    /// The peer closed the connection.
    Closed,
    /// Another failure of the socket.
    Io(Arc<io::Error>),
    /// The TLS handshake failed, or a certificate is not accepted.
    Tls(TlsFailure),
    /// The listener speaks TLS, and this connection has none.
    WantsTls,
    /// The listener wants SASL, and no credentials were given; these are its mechanisms, as far as it names
    /// them.
    WantsSasl(Vec<String>),
    /// The listener has no SASL, and this connection begins with this mechanism.
    HasNoSasl(String),
    /// The peer speaks another protocol, or plain text where TLS was expected.
    NotKafka(String),
    /// The broker refused the credentials: the broker's own text.
    Authentication { mechanism: String, message: String },
    /// The broker has no such API, or no version of it that we know.
    Unsupported(String),
    /// The request has a value that the version in use cannot express.
    Encode(String),
    /// The answer cannot be decoded, or does not fit the request.
    Garbled(String),
    /// A failure with the broker or brokers on which it happened.
    At { place: String, failure: Box<WireError> },
    /// The last failure of several tries.
    GaveUp {
        tries: u32,
        after: Duration,
        failure: Box<WireError>,
    },
}

impl WireError {
    pub(crate) fn encode(api_key: i16, version: i16, cause: &anyhow::Error) -> Self {
        Self::Encode(format!(
            "{} version {version} cannot say this: {cause}",
            api_name(api_key)
        ))
    }

    pub(crate) fn decode(api_key: i16, version: i16, cause: &dyn fmt::Display) -> Self {
        let cause = cause.to_string();
        Self::Garbled(format!(
            "{} version {version}: {}",
            api_name(api_key),
            cause.trim_end()
        ))
    }

    pub(crate) fn garbled(message: impl Into<String>) -> Self {
        Self::Garbled(message.into())
    }

    /// The same failure with the broker on which it happened.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        match self {
            Self::At { .. } | Self::GaveUp { .. } | Self::Unresolvable(_) => self,
            bare => Self::At {
                place: place.to_string(),
                failure: Box::new(bare),
            },
        }
    }

    /// The failure without its broker and its number of tries.
    pub fn bare(&self) -> &WireError {
        match self {
            Self::At { failure, .. } | Self::GaveUp { failure, .. } => failure.bare(),
            bare => bare,
        }
    }

    /// The address at which it happened, where that is known.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::At { place, .. } => Some(place.clone()),
            Self::Unresolvable(address) => Some(address.to_string()),
            Self::GaveUp { failure, .. } => failure.place(),
            _ => None,
        }
    }

    /// Whether a retry, on the same broker or another, may succeed.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.bare(),
            Self::Refused | Self::TimedOut(_) | Self::Closed | Self::Io(_)
        )
    }

    /// Whether the broker accepted the connection and then did not answer in time.
    pub fn is_silence(&self) -> bool {
        matches!(self.bare(), Self::TimedOut(_))
    }

    /// Whether no Kafka broker was found at the other end.
    fn is_unreachable(&self) -> bool {
        self.is_passing() || matches!(self.bare(), Self::NotKafka(_) | Self::Unresolvable(_))
    }
}

/// The name of an API as the protocol's documentation has it.
pub(crate) fn api_name(api_key: i16) -> String {
    match ApiKey::try_from(api_key) {
        Ok(key) => format!("{key:?}"),
        Err(()) => format!("api {api_key}"),
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolvable(address) => write!(
                f,
                "cannot reach {address}: the name \"{}\" is unknown",
                address.host
            ),
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut(after) => write!(f, "no answer in {}", in_seconds(*after)),
            Self::Closed => f.write_str("the broker closed the connection"),
            Self::Io(cause) => f.write_str(&crate::error::io_words(cause)),
            Self::Tls(failure) => write!(f, "{failure}"),
            Self::WantsTls => f.write_str("the listener speaks TLS, and this connection has none"),
            Self::WantsSasl(mechanisms) => {
                f.write_str("the listener wants SASL, and no credentials are given")?;
                match mechanisms.as_slice() {
                    [] => Ok(()),
                    offered => write!(f, "; it offers {}", offered.join(", ")),
                }
            }
            Self::HasNoSasl(_) => f.write_str("the listener has no SASL, and credentials are given"),
            Self::NotKafka(message) | Self::Unsupported(message) | Self::Encode(message) => {
                f.write_str(message)
            }
            Self::Garbled(message) => write!(f, "an answer that makes no sense: {message}"),
            Self::Authentication { mechanism, message } => {
                let reason = plain_words::of_refused_login(message);
                let colon = if reason.is_empty() { "" } else { ": " };
                write!(f, "authentication failed ({mechanism}){colon}{reason}")
            }
            Self::At { place, failure } if failure.is_unreachable() => {
                write!(f, "cannot reach {place}: {failure}")
            }
            Self::At { place, failure } => write!(f, "{place}: {failure}"),
            Self::GaveUp {
                tries,
                after,
                failure,
            } => {
                write!(f, "{failure} after {tries} tries in {}", in_seconds(*after))
            }
        }
    }
}

impl std::error::Error for WireError {}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(Arc::new(error)),
        }
    }
}

impl From<FrameError> for WireError {
    fn from(error: FrameError) -> Self {
        match error.speaks() {
            Some("TLS") => Self::WantsTls,
            Some(protocol) => Self::NotKafka(format!("it speaks {protocol}, not Kafka")),
            None => Self::Garbled(error.to_string()),
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        let (kind, hint) = advice(error.bare());
        let error = Error::from_cause(kind, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// The class of a failure and what to try.
fn advice(error: &WireError) -> (Kind, Option<&'static str>) {
    match error {
        WireError::Unresolvable(_) => (Kind::Unreachable, Some("is the name spelled right?")),
        WireError::Refused => (Kind::Unreachable, Some("is the broker up?")),
        WireError::TimedOut(_) => (
            Kind::Unreachable,
            Some("is this the right address, and does no firewall stand between?"),
        ),
        WireError::Closed => (
            Kind::Unreachable,
            Some(
                "a broker that stops or has too many connections closes like this; is security.protocol right?",
            ),
        ),
        WireError::Tls(failure) => (Kind::Denied, failure.hint()),
        WireError::WantsTls => (
            Kind::Denied,
            Some("try -X security.protocol=SSL, or SASL_SSL with credentials"),
        ),
        WireError::WantsSasl(_) => (
            Kind::Denied,
            Some(
                "set security.protocol to SASL_PLAINTEXT or SASL_SSL, with sasl.mechanism and sasl.jaas.config",
            ),
        ),
        WireError::HasNoSasl(_) => (Kind::Denied, Some("try -X security.protocol=PLAINTEXT, or SSL")),
        WireError::Authentication { .. } => (
            Kind::Denied,
            Some("are user name, password and sasl.mechanism right?"),
        ),
        WireError::Io(_) | WireError::NotKafka(_) => (Kind::Unreachable, None),
        WireError::Unsupported(_) | WireError::Encode(_) | WireError::Garbled(_) => (Kind::Failed, None),
        WireError::At { failure, .. } | WireError::GaveUp { failure, .. } => advice(failure),
    }
}

/// A time for a message: `250 ms`, `5 s`, `1.5 s`.
pub(crate) fn in_seconds(time: Duration) -> String {
    let millis = match time.as_millis() {
        few @ 0..100 => few,
        // Rounded to 10 ms: 499 ms that are left of half a second are shown as 500 ms.
        more => (more + 5) / 10 * 10,
    };
    if millis < 1000 {
        return format!("{millis} ms");
    }
    match (millis + 50) / 100 {
        tenths if tenths % 10 == 0 => format!("{} s", tenths / 10),
        tenths => format!("{}.{} s", tenths / 10, tenths % 10),
    }
}
