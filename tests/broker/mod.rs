//! Does the broker answer right?

mod group_transcript;
mod groups;
mod talk;
