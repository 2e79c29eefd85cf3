//! `String.split` of the Java runtime.

/// The parts between separators: empty parts at the end are dropped, unless the text is empty.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut words: Vec<&str> = text.split(separator).collect();
    if words.len() > 1 {
        while words.last().is_some_and(|word| word.is_empty()) {
            words.pop();
        }
    }
    words
}
