//! Which topic names are legal, with Kafka's messages for those that are not.

/// The longest name, in characters: a folder of the log dir has to hold it.
const MAX_LENGTH: usize = 249;

/// Checks a name. The error is Kafka's own message.
pub fn validate(name: &str) -> Result<(), String> {
    let invalid = |why: String| Err(format!("Topic name is invalid: {why}"));
    if name.is_empty() {
        return invalid("the empty string is not allowed".to_owned());
    }
    if name == "." || name == ".." {
        return invalid(format!("'{name}' is not allowed"));
    }
    if name.encode_utf16().count() > MAX_LENGTH {
        return invalid(format!(
            "the length of '{name}' is longer than the max allowed length {MAX_LENGTH}"
        ));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !name.bytes().all(legal) {
        return invalid(format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::validate;

    #[test]
    fn refusals_are_in_kafkas_words() {
        for (name, words) in [
            ("", "Topic name is invalid: the empty string is not allowed"),
            ("..", "Topic name is invalid: '..' is not allowed"),
            (
                "a b",
                "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
            ),
        ] {
            assert_eq!(validate(name).unwrap_err(), words);
        }
        let long = "a".repeat(250);
        assert!(
            validate(&long)
                .unwrap_err()
                .ends_with("is longer than the max allowed length 249")
        );
        assert_eq!(validate("Orders.v1_x-2"), Ok(()));
        assert_eq!(validate(&"a".repeat(249)), Ok(()));
    }
}
