//! Failures of a tool for groups: Java's exceptions, and how their messages change on the way up.

use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Kind};
use crate::java_tools::errors::{java_message, refusal_class, what_is_missing};
use crate::java_tools::option_parser::OptionError;
use crate::wire::error_codes;

/// The package of Kafka's own exceptions.
const PACKAGE: &str = "org.apache.kafka.common.errors";

/// Why the tool ends.
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
        /// What is missing in both, in our own words.
        why: Option<String>,
    },
    /// The reader of stdout has gone.
    ClosedPipe,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An exception of Java's admin client.
#[derive(Clone, Debug)]
pub struct Thrown {
    /// The class with its package.
    class: String,
    message: String,
    /// Of a refused connection: what is missing, in our own words.
    why: Option<String>,
}

impl Thrown {
    /// A failure to reach the cluster, or a refusal; `call` is the name of the call in Java's client.
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

    /// A failure to list groups, for which Java has a different exception.
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

    /// A refusal by a broker.
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

    /// Whether it is Kafka's own exception with this class.
    pub fn is(&self, class: &str) -> bool {
        self.simple_class() == Some(class)
    }

    /// Kafka's default message for an exception of this class.
    pub fn standard_message(&self) -> &str {
        self.row().map_or(self.message.as_str(), |row| row.text)
    }

    /// The name of the error code with this exception.
    pub fn code_name(&self) -> &'static str {
        self.row().map_or("UNKNOWN_SERVER_ERROR", |row| row.name)
    }

    fn simple_class(&self) -> Option<&str> {
        self.class.strip_prefix(PACKAGE)?.strip_prefix('.')
    }

    fn row(&self) -> Option<&'static error_codes::ErrorCode> {
        error_codes::of_class(self.simple_class()?)
    }

    /// The failure if the tool catches the exception itself.
    pub fn bare(self) -> Failure {
        let trace = Some(self.to_string());
        let Self { message, why, .. } = self;
        Failure::Executing { message, trace, why }
    }

    /// The failure if the tool catches an exception whose cause is this one.
    pub fn as_cause(self) -> Failure {
        self.inside("java.util.concurrent.ExecutionException", self.to_string())
    }

    /// The failure if the tool catches an exception whose cause has this cause.
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
    /// A failure with this message and no more details.
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

/// The admin client; `call` is the name in Java's client of the call that needs it.
pub fn admin<'a>(context: &'a mut Context, call: &str) -> Result<&'a mut AdminClient, Thrown> {
    context
        .client
        .admin()
        .map_err(|error| Thrown::asking(&error, call))
}
