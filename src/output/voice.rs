//! What a face of the program says while records pass, where the faces differ in words but not in behaviour.
//!
//! A command that both faces run is given a [`Voice`] and asks it for every such line. The native voice is here; that
//! of the console tools is in `java_tools`. Words that only one face has are not in the trait: the caller of the
//! command prints them.

use std::fmt;
use std::time::Duration;

use super::grouped;
use crate::client::record_sink::DeliveryFailure;
use crate::wire::error::in_seconds;

/// After this time without an answer the user is told what is awaited.
pub const SOON: Duration = Duration::from_millis(1500);

/// The wording of one face. Each function gives one line without its line end.
pub trait Voice: fmt::Debug {
    /// Something that may be wrong: a setting that has no effect, a broker that cannot be reached.
    fn notice(&self, line: &str) -> String;

    /// The reason for waiting, and how long the wait may last.
    fn waiting(&self, trouble: &str, limit: Duration) -> String {
        self.notice(&format!("{trouble}; waiting up to {}", in_seconds(limit)))
    }

    /// Why a piece of the input, called `piece`, is not a record: the text of an error.
    fn bad_input(&self, piece: &str, message: &str) -> String;

    /// Why a record was not delivered to `topic`: the text of an error. `piece` is what it was in the input.
    fn not_delivered(&self, topic: &str, piece: &str, failure: &DeliveryFailure<'_>) -> String;

    /// The line on stderr about a record that was not delivered; `text` is from [`Voice::not_delivered`].
    fn failure(&self, text: &str) -> String;

    /// How many more records were not delivered than were listed.
    fn more_failures(&self, topic: &str, count: u64) -> String;

    /// A consumed record that cannot be printed and is passed over; `problem` begins with its place.
    fn passed_over(&self, problem: &str) -> String;

    /// A line that is printed once before records are typed, with or without a prompt for each; `None` for no line.
    fn before_typing(&self, prompts: bool) -> Option<&'static str>;

    /// Whether `produce` ends with a line that counts its records.
    fn sums_up(&self) -> bool;

    /// Whether notices are printed before the topic is known to exist. If not, the error that ends the run is enough.
    fn notices_before_topic(&self) -> bool;
}

/// kafkit's own wording.
#[derive(Clone, Copy, Debug)]
pub struct NativeVoice;

impl Voice for NativeVoice {
    fn notice(&self, line: &str) -> String {
        format!("kafkit: {line}")
    }

    fn bad_input(&self, piece: &str, message: &str) -> String {
        format!("{piece}: {message}")
    }

    fn before_typing(&self, prompts: bool) -> Option<&'static str> {
        Some(if prompts {
            "each line is a record; Ctrl-D ends"
        } else {
            "reading what is typed; Ctrl-D ends"
        })
    }

    fn not_delivered(&self, topic: &str, piece: &str, failure: &DeliveryFailure<'_>) -> String {
        let partition = failure
            .partition
            .map_or_else(String::new, |number| format!("-{number}"));
        format!("{piece}: not delivered to {topic}{partition}: {}", failure.reason)
    }

    fn failure(&self, text: &str) -> String {
        format!("kafkit: {text}")
    }

    fn more_failures(&self, topic: &str, count: u64) -> String {
        format!(
            "kafkit: {} more records to {topic} were not delivered",
            grouped(count)
        )
    }

    fn passed_over(&self, problem: &str) -> String {
        format!("kafkit: passing over {problem}")
    }

    fn sums_up(&self) -> bool {
        true
    }

    fn notices_before_topic(&self) -> bool {
        false
    }
}
