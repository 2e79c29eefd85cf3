//! The output of the console consumer for a record: Java's formatters and deserializers, to the letter.

pub mod coordinator_formatter;
pub mod default_formatter;
pub mod deserializer;
mod list_deserializer;
