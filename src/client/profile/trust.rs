//! Which project files the user trusts: by path and content, so that a changed file must be trusted again.
//!
//! A project's file comes with a repository that anybody may have written. Without trust it may only name the
//! cluster of the project: see [`needs_trust`].

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use openssl::hash::{MessageDigest, hash};

use super::super::{mini_place, setting_keys};
use super::file::{COLOR, DESCRIPTION, Entry};
use super::{places, store};
use crate::error::{Error, Result};

/// Why an entry of a project's file needs a trusted file; `None` if it is harmless.
///
/// An entry that runs a command, reads a secret or a file, or decides how a connection is secured could send
/// the user's secrets to an attacker.
pub(super) fn needs_trust(entry: &Entry) -> Option<&'static str> {
    let key = setting_keys::canonical(&entry.key);
    if entry.value.contains("${") {
        return Some("takes its value from elsewhere");
    }
    if [COLOR, DESCRIPTION].contains(&key) {
        return None;
    }
    if key == "bootstrap.servers" {
        let value = entry.value.trim();
        let is_folder = value != mini_place::MINI
            && !value.is_empty()
            && !matches!(mini_place::directory_named(value), Ok(None));
        return is_folder.then_some("names a folder to write to");
    }
    if !setting_keys::is_known(key) || setting_keys::is_of_security(key) {
        return Some("decides about files or secrets");
    }
    None
}

/// Whether the user trusts this file with this content.
pub(super) fn is_trusted(path: &Path, content: &str) -> bool {
    let Some(line) = line_for(path, content) else {
        return false;
    };
    known().contains(&line)
}

/// Trusts the file as it is.
pub fn trust(path: &Path, content: &str) -> Result<()> {
    let line = line_for(path, content).ok_or_else(|| Error::failed("this path is no UTF-8"))?;
    let mut lines = without(path);
    lines.push(line);
    write(&lines)
}

/// Removes the trust in the file, with any content. Returns whether it was trusted.
pub fn revoke(path: &Path) -> Result<bool> {
    let lines = without(path);
    let was_there = lines.len() < known().len();
    if was_there {
        write(&lines)?;
    }
    Ok(was_there)
}

fn without(path: &Path) -> Vec<String> {
    let path = path.to_string_lossy();
    let is_other = |line: &String| line.split_once("  ").is_none_or(|(_, known)| known != path);
    known().into_iter().filter(is_other).collect()
}

/// SHA-256 and path, as `sha256sum` prints them.
fn line_for(path: &Path, content: &str) -> Option<String> {
    let digest = hash(MessageDigest::sha256(), content.as_bytes()).ok()?;
    let mut line = String::new();
    for byte in digest.iter() {
        let _ = write!(line, "{byte:02x}");
    }
    let path = path.to_str().filter(|path| !path.contains('\n'))?;
    let _ = write!(line, "  {path}");
    Some(line)
}

/// The lines of the list; none if it cannot be read.
fn known() -> Vec<String> {
    let text = places::trust_file().and_then(|path| fs::read_to_string(path).ok());
    text.unwrap_or_default().lines().map(str::to_owned).collect()
}

fn write(lines: &[String]) -> Result<()> {
    let path: PathBuf =
        places::trust_file().ok_or_else(|| Error::failed("there is no home directory to keep this in"))?;
    let mut text = lines.join("\n");
    text.push('\n');
    store::write(&path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_untrusted_file_may_say() {
        let entry = |key: &str, value: &str| Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            line: 1,
        };
        for (key, value) in [
            ("bootstrap.servers", "a:1,b:2"),
            ("metadata.broker.list", "a:1"),
            ("bootstrap.servers", "mini"),
            ("client.id", "x"),
            ("acks", "1"),
            ("color", "red"),
        ] {
            assert_eq!(needs_trust(&entry(key, value)), None, "{key}={value}");
        }
        for (key, value) in [
            ("bootstrap.servers", "mini:/home/x"),
            ("bootstrap.servers", "${env:HOME}:1"),
            ("client.id", "${command:id}"),
            ("description", "${command:id}"),
            ("command-config", "x"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.mechanisms", "PLAIN"),
            ("ssl.ca.location", "x"),
            ("https.ca.location", "x"),
            ("security.protocol", "PLAINTEXT"),
            ("enable.ssl.certificate.verification", "false"),
            ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
            ("config.providers", "env"),
            ("config.providers.env.class", "x"),
            ("debug", "all"),
        ] {
            assert!(needs_trust(&entry(key, value)).is_some(), "{key}={value}");
        }
    }
}
