//! Numbers as `Double.valueOf` reads them.
//!
//! <https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/lang/Double.html#valueOf(java.lang.String)>; hexadecimal
//! numbers are none here.

/// The number that a text is; the error is the message of Java's exception.
pub fn double(text: &str) -> Result<f64, String> {
    let trimmed = text.trim_matches(|letter: char| letter <= ' ');
    if trimmed.is_empty() {
        return Err("empty String".to_owned());
    }
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let number = match unsigned {
        "NaN" | "Infinity" => trimmed,
        // Java's literals end in the name of their type.
        _ => trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed),
    };
    // Rust has more words for what is no finite number.
    let is_number = unsigned == "NaN"
        || unsigned == "Infinity"
        || number.ends_with(|last: char| last.is_ascii_digit() || last == '.');
    let parsed = number.parse().ok().filter(|_| is_number);
    parsed.ok_or_else(|| format!("For input string: \"{trimmed}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbers_as_in_java() {
        for (text, number) in [
            ("1d", 1.0),
            (" 1.5F ", 1.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("+1e3", 1000.0),
            ("-0.5", -0.5),
        ] {
            assert_eq!(double(text), Ok(number), "{text}");
        }
        assert!(double("-NaN").is_ok_and(f64::is_nan));
        assert_eq!(double("Infinity"), Ok(f64::INFINITY));
        assert_eq!(double("1e999"), Ok(f64::INFINITY));
        for text in ["nan", "inf", "infinity", "1,5", "1dd", "d", ".", "1 2"] {
            assert_eq!(double(text), Err(format!("For input string: \"{text}\"")));
        }
        assert_eq!(double("  "), Err("empty String".to_owned()));
    }
}
