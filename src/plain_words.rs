//! What libraries say of invalid input, in words for the user: no library's names, one line.

use serde_json::error::Category;

/// Why a text is not JSON, or not the JSON that is wanted: follows `not JSON` or the name of a file.
pub fn of_json(error: &serde_json::Error) -> String {
    let place = match error.line() {
        0 | 1 => format!("at column {}", error.column()),
        line => format!("at line {line}, column {}", error.column()),
    };
    match error.classify() {
        Category::Eof => "it ends too early".to_owned(),
        Category::Io => "it cannot be read".to_owned(),
        Category::Syntax if error.to_string().starts_with("number out of range") => {
            format!("a number is too large {place}")
        }
        Category::Syntax if error.to_string().starts_with("recursion limit") => {
            format!("it is nested too deeply {place}")
        }
        Category::Syntax => format!("it makes no sense {place}"),
        Category::Data => format!("something else is expected {place}"),
    }
}

/// Why a text is not base64.
pub fn of_base64(error: &base64::DecodeError) -> String {
    use base64::DecodeError::{InvalidByte, InvalidLastSymbol, InvalidLength, InvalidPadding};
    match *error {
        InvalidByte(place, _) => format!("character {} cannot stand in it", place + 1),
        InvalidLastSymbol(..) | InvalidLength(_) => "its end is missing".to_owned(),
        InvalidPadding => "the equals signs at its end are missing or too many".to_owned(),
    }
}

/// Why a text is not a regular expression: the reason alone, without the copy of the pattern that libraries print.
pub fn of_pattern(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    let reason = reason.strip_prefix("Parsing error ").unwrap_or(reason);
    lower_first(reason)
}

/// Why a broker refuses a login: the reason alone, without the words "Authentication failed".
pub fn of_refused_login(text: &str) -> String {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("Authentication failed") else {
        return text.to_owned();
    };
    // `Authentication failed during authentication due to invalid credentials with SASL mechanism …`
    let reason = rest.split_once(" due to ").map_or(rest, |(_, reason)| reason);
    let end = reason.find(" with SASL mechanism ").unwrap_or(reason.len());
    let reason = reason.get(..end).unwrap_or(reason);
    lower_first(reason.trim_start_matches([':', ' ']))
}

/// The text as the end of a sentence, in lower case at its beginning, unless its first word has other capital letters.
pub fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some(first), rest) if rest.starts_with(char::is_lowercase) => {
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text.to_owned(),
    }
}

/// Why a text is not TOML; `wanted` is what to write instead.
pub fn of_toml(error: &toml_edit::TomlError, wanted: &str) -> String {
    if error.message().contains("duplicate") {
        "this name stands there twice".to_owned()
    } else {
        format!("it makes no sense; write {wanted}")
    }
}

/// The first three of many names with commas between, and how many more there are.
pub fn few(names: &[String]) -> String {
    const NAMED: usize = 3;
    let list = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

/// A word as a shell takes it: in quotes where it needs them.
pub fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn json_is_refused_with_its_place() {
        let words = |text: &str| of_json(&serde_json::from_str::<serde_json::Value>(text).unwrap_err());
        assert_eq!(words("{\"a\":"), "it ends too early");
        assert_eq!(words("nope"), "it makes no sense at column 2");
        assert_eq!(words("{\n  x}"), "it makes no sense at line 2, column 3");
        assert_eq!(words("1e999"), "a number is too large at column 5");
    }

    #[test]
    fn base64_is_refused_with_its_place() {
        let words = |text: &str| of_base64(&STANDARD.decode(text).unwrap_err());
        assert_eq!(words("ab!d"), "character 3 cannot stand in it");
        assert_eq!(
            words("abc"),
            "the equals signs at its end are missing or too many"
        );
    }

    #[test]
    fn a_pattern_is_refused_in_one_line() {
        let typed = ["a", "(b"].join("\n");
        let refusal = regex::Regex::new(&typed).unwrap_err();
        assert_eq!(of_pattern(&refusal), "unclosed group");
        let refusal = fancy_regex::Regex::new(typed.as_str()).unwrap_err();
        assert_eq!(of_pattern(&refusal).lines().count(), 1);
    }

    #[test]
    fn a_login_is_refused_in_one_sentence() {
        for (said, reason) in [
            (
                "Authentication failed: Invalid username or password",
                "invalid username or password",
            ),
            (
                "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256",
                "invalid credentials",
            ),
            ("Authentication failed", ""),
            ("{\"status\":\"invalid_token\"}", "{\"status\":\"invalid_token\"}"),
            ("SSL is wanted", "SSL is wanted"),
        ] {
            assert_eq!(of_refused_login(said), reason);
        }
        assert_eq!(lower_first("SASL is wanted"), "SASL is wanted");
    }

    #[test]
    fn a_word_for_a_shell_is_quoted_where_it_must_be() {
        for (word, quoted) in [
            ("retention.ms=5", "retention.ms=5"),
            ("a b", "'a b'"),
            ("", "''"),
            ("a'b", "'a'\\''b'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
