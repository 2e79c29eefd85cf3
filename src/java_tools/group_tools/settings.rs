//! How a tool for groups connects to its cluster: `--command-config`, `--bootstrap-server`, `--timeout`.

use std::path::Path;

use super::failure::{Failure, Result};
use crate::client::settings::{Origin, Settings};
use crate::java_tools::console::check_admin_client;
use crate::java_tools::option_parser::Parsed;

/// The settings of the admin client, converted and checked in Java's order.
pub fn settings(parsed: &Parsed) -> Result<Settings> {
    let mut settings = Settings::default();
    if let Some(file) = parsed.value("command-config")? {
        read(file, &mut settings)?;
    }
    let servers = parsed.value("bootstrap-server")?.unwrap_or_default().to_owned();
    check_admin_client(&settings, &servers).map_err(|message| refused(&message))?;
    settings.set("bootstrap.servers", servers, Origin::Flag);
    Ok(settings)
}

fn read(file: &str, settings: &mut Settings) -> Result<()> {
    if let Err(error) = std::fs::read(file) {
        return Err(Failure::executing(match error.kind() {
            std::io::ErrorKind::IsADirectory => "java.io.IOException: Is a directory".to_owned(),
            _ => format!("java.nio.file.NoSuchFileException: {file}"),
        }));
    }
    let read = settings.read_properties_file(Path::new(file));
    read.map_err(|error| Failure::executing(error.message()))
}

/// The message of an exception, with its cause.
fn refused(message: &str) -> Failure {
    let (message, why) = match message.split_once("\nCaused by: ") {
        Some((message, cause)) => (message, Some(cause.to_owned())),
        None => (message, None),
    };
    Failure::Executing {
        message: message.to_owned(),
        trace: None,
        why,
    }
}
