//! Lines that are wider than the screen, cut where it does not hurt: between columns, or else between words.
//!
//! A terminal cuts in the middle of a word, so that neither eye nor search finds it. Only text for a terminal is folded.

/// Blanks before what belongs to the line above.
const INDENT: usize = 2;
/// Blanks between columns.
const GUTTER: usize = 2;

/// The text in lines of at most `width` columns, except for single words that are longer. Lines without an empty one
/// between them are a table if all have blanks in the same places.
pub(super) fn fold(text: &str, width: usize) -> String {
    let mut folded = Vec::new();
    for paragraph in paragraphs(text) {
        if paragraph.iter().all(|line| line.len() <= width) {
            folded.extend(paragraph.into_iter().map(String::from_iter));
            continue;
        }
        let gutters = gutters(&paragraph);
        let longest = paragraph.iter().map(Vec::len).max().unwrap_or(0);
        let cuts = cuts(&gutters, longest, width);
        for line in &paragraph {
            if paragraph.len() > 1 && !gutters.is_empty() {
                folded.extend(at_columns(line, &cuts));
            } else {
                folded.extend(between_words(line, width));
            }
        }
    }
    folded.join("\n")
}

/// Runs of lines that are not empty, and empty lines by themselves.
fn paragraphs(text: &str) -> Vec<Vec<Vec<char>>> {
    let mut all: Vec<Vec<Vec<char>>> = Vec::new();
    let mut was_empty = true;
    for line in text.lines() {
        let line: Vec<char> = line.chars().collect();
        let is_empty = line.is_empty();
        match all.last_mut() {
            Some(paragraph) if !is_empty && !was_empty => paragraph.push(line),
            _ => all.push(vec![line]),
        }
        was_empty = is_empty;
    }
    all
}

/// The places where columns begin: behind at least two columns of blanks that go through all lines.
fn gutters(lines: &[Vec<char>]) -> Vec<usize> {
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0);
    let is_blank = |place: usize| {
        lines
            .iter()
            .all(|line| line.get(place).is_none_or(|letter| *letter == ' '))
    };
    let mut found = Vec::new();
    let mut blanks = 0;
    for place in 0..longest {
        if is_blank(place) {
            blanks += 1;
        } else {
            if blanks >= GUTTER && place > blanks {
                found.push(place);
            }
            blanks = 0;
        }
    }
    found
}

/// Where to cut all lines of a table, the longest of which has `longest` characters: at gutters, as far right as fits.
fn cuts(gutters: &[usize], longest: usize, width: usize) -> Vec<usize> {
    let mut cuts: Vec<usize> = Vec::new();
    let mut last_gutter = 0;
    for next in gutters.iter().copied().chain([longest + GUTTER]) {
        let start = cuts.last().copied().unwrap_or(0);
        let indent = if start == 0 { 0 } else { INDENT };
        // The blanks before the next column need no room.
        if next - GUTTER - start + indent > width && last_gutter > start {
            cuts.push(last_gutter);
        }
        last_gutter = next;
    }
    cuts
}

/// The line in pieces that end at the cuts.
fn at_columns(line: &[char], cuts: &[usize]) -> Vec<String> {
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([usize::MAX]);
    let pieces = starts.zip(ends).map(|(start, end)| {
        let text: String = line.iter().take(end).skip(start).collect();
        let indent = if start == 0 { 0 } else { INDENT };
        format!("{:indent$}{}", "", text.trim_end())
    });
    pieces.filter(|piece| !piece.trim().is_empty()).collect()
}

/// The line in pieces of whole words; runs of several blanks between two words are kept.
fn between_words(line: &[char], width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut is_first = true;
    for word in line.split_inclusive(|letter| *letter == ' ') {
        let word: String = word.iter().collect();
        let length = piece.chars().count() + word.trim_end().chars().count();
        if length > width && !piece.trim().is_empty() {
            pieces.push(piece.trim_end().to_owned());
            piece = " ".repeat(INDENT);
            is_first = false;
        }
        if is_first || !word.trim().is_empty() || !piece.trim().is_empty() {
            piece.push_str(&word);
        }
    }
    pieces.push(piece.trim_end().to_owned());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = "\
PARTITION  LEADER  REPLICAS  ISR  FIRST  NEXT   SIZE  STATUS
        0       1  1,2,3     1        0     5  105 B  UNDER-REPLICATED
        1       2  2,3       2,3      0     5  105 B";

    #[test]
    fn columns_stay_whole_and_in_line() {
        assert_eq!(fold(TABLE, 80), TABLE);
        assert_eq!(
            fold(TABLE, 60),
            "\
PARTITION  LEADER  REPLICAS  ISR  FIRST  NEXT   SIZE
  STATUS
        0       1  1,2,3     1        0     5  105 B
  UNDER-REPLICATED
        1       2  2,3       2,3      0     5  105 B"
        );
        let narrow = fold(TABLE, 30);
        assert!(narrow.lines().all(|line| line.len() <= 30), "{narrow}");
        assert!(narrow.contains("UNDER-REPLICATED"));
    }

    #[test]
    fn sentences_are_cut_between_words() {
        assert_eq!(
            fold("hello   1 partition, 1 replica, 5 offsets\n\nnext", 24),
            "hello   1 partition, 1\n  replica, 5 offsets\n\nnext"
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-z \n-]{0,200}", width in 1_usize..60) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let mut before = words(&text);
            let mut after = words(&fold(&text, width));
            before.sort();
            after.sort();
            prop_assert_eq!(before, after);
        }
    }
}
