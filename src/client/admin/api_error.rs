//! A broker's error: its code, with a text for users and the exact text of Kafka's Java tools.

use std::fmt;

use crate::error::{Error, Kind};
use crate::wire::error_codes::{self as code, ErrorCode};

/// A broker's answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Kafka's error code, <https://kafka.apache.org/protocol#protocol_error_codes>.
    pub code: i16,
    /// The broker's own text, where the response carries one.
    pub message: Option<String>,
}

impl ApiError {
    /// The error of a code and a text; `None` for code 0.
    pub fn of(code: i16, message: Option<impl Into<String>>) -> Option<Self> {
        let message = message.map(Into::into).filter(|text: &String| !text.is_empty());
        (code != 0).then_some(Self { code, message })
    }

    /// [`ApiError::of`] as a result: `ApiError::check(code, message)?`.
    pub fn check(code: i16, message: Option<impl Into<String>>) -> Result<(), Self> {
        Self::of(code, message).map_or(Ok(()), Err)
    }

    /// The constant's name as Kafka's documentation has it, `UNKNOWN_TOPIC_OR_PARTITION`.
    pub fn name(&self) -> &'static str {
        self.row().map_or("UNKNOWN_SERVER_ERROR", |row| row.name)
    }

    /// The message of Kafka's Java client: the broker's text, or else the standard text of the code.
    pub fn java_message(&self) -> &str {
        match &self.message {
            Some(message) => message,
            None => self.row().map_or("", |row| row.text),
        }
    }

    /// The Java class of the code, `UnknownTopicOrPartitionException`, without its package.
    pub fn java_class(&self) -> &'static str {
        self.row().map_or("UnknownServerException", |row| row.java_class)
    }

    /// Whether the same request may succeed a little later.
    pub fn is_retriable(&self) -> bool {
        self.row().is_some_and(|row| row.retriable)
    }

    /// The code's row; a code newer than the table counts as an unknown server error, as in Java's client.
    fn row(&self) -> Option<&'static ErrorCode> {
        code::find(self.code).or_else(|| code::find(-1))
    }

    fn kind(&self) -> Kind {
        match self.code {
            code::TOPIC_AUTHORIZATION_FAILED
            | code::GROUP_AUTHORIZATION_FAILED
            | code::CLUSTER_AUTHORIZATION_FAILED
            | code::UNSUPPORTED_SASL_MECHANISM
            | code::ILLEGAL_SASL_STATE
            | code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
            | code::SASL_AUTHENTICATION_FAILED
            | code::DELEGATION_TOKEN_OWNER_MISMATCH
            | code::DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
            | code::DELEGATION_TOKEN_AUTHORIZATION_FAILED => Kind::Denied,
            code::UNKNOWN_TOPIC_OR_PARTITION
            | code::LOG_DIR_NOT_FOUND
            | code::GROUP_ID_NOT_FOUND
            | code::RESOURCE_NOT_FOUND
            | code::DELEGATION_TOKEN_NOT_FOUND
            | code::UNKNOWN_TOPIC_ID
            | code::TRANSACTIONAL_ID_NOT_FOUND => Kind::NotFound,
            code::REQUEST_TIMED_OUT => Kind::Unreachable,
            _ => Kind::Failed,
        }
    }
}

impl fmt::Display for ApiError {
    /// For users: the broker's text or the code's standard one in lower case, and the name to search for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = without_the_request(self.java_message())
            .trim()
            .trim_end_matches('.');
        let mut letters = text.chars();
        let first = letters.next().unwrap_or('?');
        // A first word in capitals is a name and stays as it is.
        if letters
            .as_str()
            .starts_with(|c: char| c.is_ascii_lowercase() || c == ' ')
        {
            write!(f, "{}{}", first.to_lowercase(), letters.as_str())?;
        } else {
            f.write_str(text)?;
        }
        write!(f, " [{}", self.name())?;
        match code::find(self.code) {
            Some(_) => f.write_str("]"),
            None => write!(f, " {}]", self.code),
        }
    }
}

/// When a permission is missing, a controller's text begins with the whole request object; only the permission
/// is kept.
fn without_the_request(text: &str) -> &str {
    let permission = text.strip_prefix("Request Request(");
    permission
        .and_then(|request| request.rsplit_once(") "))
        .map_or(text, |(_, end)| end)
}

impl std::error::Error for ApiError {}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Error::from_cause(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i16) -> ApiError {
        ApiError::of(code, None::<String>).unwrap()
    }

    #[test]
    fn a_missing_permission_is_named_without_the_controllers_request() {
        // The answer of an Apache Kafka 4.3 controller to a user without rights, shortened in the middle.
        let text = "Request Request(processor=0, connectionId=127.0.0.1:31194-127.0.0.1:59158-0-6, session=org.apache.\
                    kafka.network.Session@1b24bbc5, buffer=java.nio.HeapByteBuffer[pos=23 lim=23 cap=45], envelope=Some(\
                    Request(processor=0, envelope=None))) needs DESCRIBE permission.";
        let error = ApiError::of(31, Some(text)).unwrap();
        assert_eq!(
            error.to_string(),
            "needs DESCRIBE permission [CLUSTER_AUTHORIZATION_FAILED]"
        );
        assert_eq!(error.java_message(), text);
    }

    #[test]
    fn names_and_classes_as_in_kafka() {
        for (code, name, class) in [
            (-1, "UNKNOWN_SERVER_ERROR", "UnknownServerException"),
            (
                3,
                "UNKNOWN_TOPIC_OR_PARTITION",
                "UnknownTopicOrPartitionException",
            ),
            (7, "REQUEST_TIMED_OUT", "TimeoutException"),
            (17, "INVALID_TOPIC_EXCEPTION", "InvalidTopicException"),
            (36, "TOPIC_ALREADY_EXISTS", "TopicExistsException"),
            (37, "INVALID_PARTITIONS", "InvalidPartitionsException"),
            (40, "INVALID_CONFIG", "InvalidConfigurationException"),
            (1234, "UNKNOWN_SERVER_ERROR", "UnknownServerException"),
        ] {
            assert_eq!((error(code).name(), error(code).java_class()), (name, class));
        }
    }

    #[test]
    fn the_broker_s_own_text_goes_first() {
        let refusal = ApiError::of(36, Some("Topic 'a' already exists.")).unwrap();
        assert_eq!(refusal.java_message(), "Topic 'a' already exists.");
        assert_eq!(
            refusal.to_string(),
            "topic 'a' already exists [TOPIC_ALREADY_EXISTS]"
        );
        assert_eq!(error(36).java_message(), "Topic with this name already exists.");
        assert_eq!(ApiError::of(36, Some("")).unwrap().message, None);
        assert!(ApiError::of(0, Some("fine")).is_none());
    }

    #[test]
    fn classes_for_exit_codes() {
        assert_eq!(Error::from(error(29)).kind(), Kind::Denied);
        assert_eq!(Error::from(error(3)).kind(), Kind::NotFound);
        assert_eq!(Error::from(error(36)).kind(), Kind::Failed);
    }
}
