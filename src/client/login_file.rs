//! The JAAS file of `java.security.auth.login.config`: where Kafka's scripts find logins that are not in a
//! setting.
//!
//! Java gets its name as a system property, from one of the variables that those scripts and Java itself
//! read.

use std::env;
use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::wire::sasl::jaas::LoginFile;

/// The variables, in order of precedence.
const VARIABLES: [&str; 3] = ["KAFKA_OPTS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"];

const PROPERTY: &str = "java.security.auth.login.config";

/// The file, if a variable names one.
///
/// # Errors
///
/// It cannot be read or parsed. The message has none of its values.
pub fn read() -> Result<Option<LoginFile>> {
    let Some((variable, words)) = variables().find(|(_, words)| property(words, PROPERTY).is_some()) else {
        return Ok(None);
    };
    let name = property(&words, PROPERTY).unwrap_or_default();
    // A second equal sign means that no other file counts, and a file may be a URL.
    let name = name.strip_prefix('=').unwrap_or(name);
    let path = name.strip_prefix("file://").or(name.strip_prefix("file:"));
    let path = path.unwrap_or(name);
    let place = format!("{variable}: {PROPERTY}: {path}");
    let text = fs::read_to_string(Path::new(path)).map_err(|error| Error::from(error).context(&place))?;
    let wrong = |why: String| Error::bad_data(format!("{place}: {why}"));
    let mut file = LoginFile::parse(&text).map_err(wrong)?;
    file.expand(|name| system_property(&words, name)).map_err(wrong)?;
    Ok(Some(file))
}

/// The words of each variable that is set: the scripts split it at blanks, regardless of quotes.
fn variables() -> impl Iterator<Item = (&'static str, Vec<String>)> {
    VARIABLES.into_iter().filter_map(|name| {
        let value = env::var(name).ok()?;
        Some((name, value.split_whitespace().map(str::to_owned).collect()))
    })
}

/// `-Dname=value`, the last of them.
fn property<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let mut values = words.iter().rev().filter_map(|word| {
        let (known, value) = word.strip_prefix("-D")?.split_once('=')?;
        (known == name).then_some(value)
    });
    values.next()
}

fn system_property(words: &[String], name: &str) -> Option<String> {
    if let Some(value) = property(words, name) {
        return Some(value.to_owned());
    }
    match name {
        "/" | "file.separator" => Some("/".to_owned()),
        "user.home" => env::var("HOME").ok(),
        "user.name" => env::var("USER").ok(),
        "user.dir" => Some(env::current_dir().ok()?.display().to_string()),
        "java.io.tmpdir" => Some("/tmp".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_property_counts() {
        let words: Vec<String> = "-Xmx1g -Da.b=1 -Da.b==2 -Da.bc=3"
            .split(' ')
            .map(str::to_owned)
            .collect();
        assert_eq!(property(&words, "a.b"), Some("=2"));
        assert_eq!(property(&words, "a"), None);
        assert_eq!(system_property(&words, "a.bc").as_deref(), Some("3"));
        assert_eq!(system_property(&words, "/").as_deref(), Some("/"));
    }
}
