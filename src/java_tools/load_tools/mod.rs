//! The common parts of the measuring tools: settings, events, and Java's random numbers.

pub mod events;
pub mod splittable_random;

use std::path::Path;

use super::console::unreadable;
use crate::client::settings::{Origin, Settings};

/// Reads a properties file; the error is the message of Java's exception.
pub fn read_file(settings: &mut Settings, file: &str) -> Result<(), String> {
    if let Err(error) = std::fs::read(file) {
        return Err(unreadable(file, &error).to_owned());
    }
    let read = settings.read_properties_file(Path::new(file));
    read.map_err(|error| error.message())
}

/// Sets the properties of `name=value` words; the error is the message of Java's exception.
pub fn set_properties(settings: &mut Settings, words: &[&str]) -> Result<(), String> {
    for word in words {
        let parts = crate::java::split::split(word, '=');
        let [name, value] = parts[..] else {
            return Err(format!("Invalid property: {word}"));
        };
        settings.set(name, value, Origin::SetFlag);
    }
    Ok(())
}
