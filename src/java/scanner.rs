//! What `java.util.Scanner` finds between the delimiters of a text.
//!
//! <https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Scanner.html>

use fancy_regex::{Match, Regex};

/// The parts of a text between matches of a delimiter. One delimiter is skipped before each part, so that two of them have
/// an empty part between them; at the end of the text there is none. Where searching takes too many steps, the rest is one
/// part.
pub fn tokens<'a>(text: &'a str, delimiter: &Regex) -> Vec<&'a str> {
    let find = |from: usize| delimiter.find_from_pos(text, from).ok().flatten();
    let mut tokens = Vec::new();
    let mut position = 0;
    loop {
        if let Some(skipped) = find(position).filter(|found| found.start() == position) {
            position = skipped.end();
        }
        let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) else {
            return tokens;
        };
        let is_empty = |found: &Match<'_>| found.end() == position;
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let next = match find(position) {
            Some(found) if is_empty(&found) => find(position + first),
            found => found,
        };
        let end = next.map_or(text.len(), |found| found.start());
        tokens.push(text.get(position..end).unwrap_or_default());
        position = end;
    }
}

#[cfg(test)]
mod tests {
    use super::super::regex::anywhere;
    use super::*;

    /// The answers are those of `Scanner` of Java 17.
    #[test]
    fn parts_are_those_of_javas_scanner() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("one\n\nthree\n", "\n", &["one", "", "three"]),
            ("\n\nlast", "\n", &["", "last"]),
            ("\n", "\n", &[]),
            ("abc", "", &["a", "b", "c"]),
            ("abc", ".", &["", ""]),
            ("a1b22c", "[0-9]+", &["a", "b", "c"]),
            ("äöü", "", &["ä", "ö", "ü"]),
            ("abc", "z", &["abc"]),
        ];
        for (text, delimiter, expected) in cases {
            let delimiter = anywhere(delimiter).expect("a pattern");
            assert_eq!(tokens(text, &delimiter), *expected, "{text:?} by {delimiter}");
        }
    }
}
