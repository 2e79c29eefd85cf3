//! How a tool for groups ends when something fails: Java's exceptions, and what their messages become on the way up.

use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::java_tools::errors::{java_message, refusal_class, what_is_missing};
use crate::java_tools::option_parser::OptionError;
use crate::wire::error_codes;

/// Where Kafka's own exceptions are.
const PACKAGE: &str = "org.apache.kafka.common.errors";

/// What ends the tool.
#[derive(Debug)]
pub enum Failure {
    /// Java's `IllegalArgumentException`: the message and the table of options.
    Usage(String),
    /// Any other exception.
    Executing {
        /// Its message.
        message: String,
        /// The first line of its trace.
        trace: Option<String>,
        /// What neither says, in our own words.
        why: Option<String>,
    },
    /// The reader of stdout has gone.
    ClosedPipe,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An exception of Java's admin client.
#[derive(Clone, Debug)]
pub struct Thrown {
    /// With its package.
    class: String,
    message: String,
    /// Of a connection that is refused: what is missing, in our own words.
    why: Option<String>,
}

impl Thrown {
    /// A failure to reach the cluster, or its refusal; `call` is what Java's client names the call.
    pub fn asking(error: &Error, call: &str) -> Self {
        let class = match error.cause::<ApiError>() {
            Some(refusal) => refusal.java_class(),
            None if error.kind() == Kind::Denied => refusal_class(error),
            None => "TimeoutException",
        };
        Self {
            class: format!("{PACKAGE}.{class}"),
            message: java_message(error, call),
            why: what_is_missing(error),
        }
    }

    /// The failure to list groups, for which Java has another exception.
    pub fn listing(error: &Error) -> Self {
        match (error.cause::<ApiError>(), error.kind()) {
            (None, Kind::Unreachable) => Self {
                class: "org.apache.kafka.common.KafkaException".to_owned(),
                message: "Failed to find brokers to send ListGroups".to_owned(),
                why: None,
            },
            _ => Self::asking(error, "listGroups"),
        }
    }

    /// The refusal of a broker.
    pub fn refused(refusal: &ApiError) -> Self {
        Self::of_kafka(refusal.java_class(), refusal.java_message())
    }

    /// One of Kafka's own exceptions.
    pub fn of_kafka(class: &str, message: impl Into<String>) -> Self {
        Self {
            class: format!("{PACKAGE}.{class}"),
            message: message.into(),
            why: None,
        }
    }

    /// An exception of the Java runtime, with its package.
    pub fn of_java(class: &str, message: impl Into<String>) -> Self {
        Self {
            class: class.to_owned(),
            message: message.into(),
            why: None,
        }
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether it is one of Kafka's own exceptions, of this class.
    pub fn is(&self, class: &str) -> bool {
        self.simple_class() == Some(class)
    }

    /// What Kafka says of an exception of this class where a broker says nothing else.
    pub fn standard_message(&self) -> &str {
        self.row().map_or(self.message.as_str(), |row| row.text)
    }

    /// The name of the error code that has this exception.
    pub fn code_name(&self) -> &'static str {
        self.row().map_or("UNKNOWN_SERVER_ERROR", |row| row.name)
    }

    fn simple_class(&self) -> Option<&str> {
        self.class.strip_prefix(PACKAGE)?.strip_prefix('.')
    }

    fn row(&self) -> Option<&'static error_codes::ErrorCode> {
        error_codes::of_class(self.simple_class()?)
    }

    /// The exception itself is what the tool catches.
    pub fn bare(self) -> Failure {
        let trace = Some(self.to_string());
        let Self { message, why, .. } = self;
        Failure::Executing { message, trace, why }
    }

    /// The tool catches an exception of which this is the cause.
    pub fn as_cause(self) -> Failure {
        self.inside("java.util.concurrent.ExecutionException", self.to_string())
    }

    /// The tool catches an exception whose cause has this cause.
    pub fn as_cause_of_cause(self) -> Failure {
        let message = format!("java.util.concurrent.ExecutionException: {self}");
        self.inside("java.lang.RuntimeException", message)
    }

    fn inside(&self, class: &str, message: String) -> Failure {
        Failure::Executing {
            trace: Some(format!("{class}: {message}")),
            message,
            why: self.why.clone(),
        }
    }
}

impl std::fmt::Display for Thrown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl Failure {
    /// An exception with this message and nothing to add.
    pub fn executing(message: impl Into<String>) -> Self {
        Self::Executing {
            message: message.into(),
            trace: None,
            why: None,
        }
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        Self::executing(error.to_string())
    }
}

/// A failure to print.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::ClosedPipe => Self::ClosedPipe,
            _ => Self::executing(error.message()),
        }
    }
}

/// The admin client; `call` is what Java's client names the call that needs it.
pub fn admin<'a>(context: &'a mut Context, call: &str) -> Result<&'a mut AdminClient, Thrown> {
    context
        .client
        .admin()
        .map_err(|error| Thrown::asking(&error, call))
}
