//! The one error of the program: what failed, why, what to try, and the exit code for it.
//!
//! Owns the exit codes of the native face. A Java face maps an [`Error`] to its tool's own habits.

use std::fmt;
use std::io;

use crate::plain_words::lower_first;

/// What went wrong, in the coarse classes that scripts distinguish by exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The operation failed, wholly or in part.
    Failed,
    /// The command line is invalid.
    Usage,
    /// The cluster cannot be reached, or did not answer in time.
    Unreachable,
    /// Not authenticated or not authorised.
    Denied,
    /// A topic, partition, group or file does not exist.
    NotFound,
    /// A record, a JSON file or a segment that is invalid.
    BadData,
    /// Ctrl-C.
    Interrupted,
    /// The reader of our stdout has closed its pipe: a quiet end, not a failure.
    ClosedPipe,
    /// A command that we ran for the user ended with this exit code, and has already printed why.
    CommandEnded(u8),
}

impl Kind {
    /// The native face's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::ClosedPipe => 0,
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 3,
            Kind::Denied => 4,
            Kind::NotFound => 5,
            Kind::BadData => 6,
            Kind::Interrupted => 130,
            Kind::CommandEnded(code) => code,
        }
    }
}

/// A failure on its way to the user: one line, lower case, with everything that is known.
pub struct Error {
    kind: Kind,
    cause: anyhow::Error,
    hint: Option<String>,
}

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure of `kind`; `message` says what failed, on what, and why.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            cause: anyhow::anyhow!("{message}"),
            hint: None,
        }
    }

    /// A failure whose cause is another error.
    pub fn from_cause(kind: Kind, cause: impl Into<anyhow::Error>) -> Self {
        Self {
            kind,
            cause: cause.into(),
            hint: None,
        }
    }

    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, message)
    }

    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn unreachable(message: impl fmt::Display) -> Self {
        Self::new(Kind::Unreachable, message)
    }

    pub fn denied(message: impl fmt::Display) -> Self {
        Self::new(Kind::Denied, message)
    }

    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, message)
    }

    pub fn bad_data(message: impl fmt::Display) -> Self {
        Self::new(Kind::BadData, message)
    }

    /// Ctrl-C without a message: the exit code says it all.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "")
    }

    /// Puts what was being done in front of the message: `context: message`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.cause = self.cause.context(context.to_string());
        self
    }

    /// What to try; shown in brackets after the message.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What to try; `None` where there is no advice.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The cause of type `T` below the context, if there is one: a Java face has its own words for some causes.
    pub fn cause<T: std::error::Error + Send + Sync + 'static>(&self) -> Option<&T> {
        self.cause.downcast_ref()
    }

    /// The cause itself, when it is a `T` without context; or else the error unchanged.
    pub fn downcast<T: std::error::Error + Send + Sync + 'static>(self) -> Result<T, Self> {
        let Self { kind, cause, hint } = self;
        cause.downcast().map_err(|cause| Self { kind, cause, hint })
    }

    /// The message without its hint, causes joined with `: `.
    pub fn message(&self) -> String {
        format!("{:#}", self.cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.cause)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => Kind::ClosedPipe,
            io::ErrorKind::NotFound => Kind::NotFound,
            io::ErrorKind::Interrupted => Kind::Interrupted,
            _ => Kind::Failed,
        };
        match error.get_ref() {
            // An error of our own on its way through a reader or writer.
            Some(_) => Self::from_cause(kind, error),
            None => Self::new(kind, io_words(&error)),
        }
    }
}

/// What went wrong with a file or a socket: the system's own words, without the number that Rust puts behind them.
pub fn io_words(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), error.kind()) {
        (_, io::ErrorKind::StorageFull) => "the disk is full".to_owned(),
        (_, io::ErrorKind::QuotaExceeded) => "the disk quota is used up".to_owned(),
        (Some(code), _) => lower_first(text.trim_end_matches(&format!(" (os error {code})"))),
        (None, io::ErrorKind::UnexpectedEof) => "it ends too early".to_owned(),
        (None, io::ErrorKind::InvalidData) if text.contains("UTF-8") => "it is not UTF-8".to_owned(),
        (None, _) => lower_first(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_without_its_number() {
        let error = Error::from(io::Error::from_raw_os_error(2)).context("/nowhere");
        assert_eq!(error.to_string(), "/nowhere: no such file or directory");
        assert_eq!(error.kind(), Kind::NotFound);
    }
}
