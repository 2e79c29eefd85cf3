//! The names of pieces of the input in messages.

use super::Action;
use crate::input::chunks::Source;
use crate::input::splitter::PieceEnd;

/// The names of the pieces of one run.
#[derive(Debug)]
pub(super) enum PieceNames {
    Lines,
    /// Rows of a table, which may span several lines.
    Rows,
    /// Pieces that do not end with a line end.
    Records,
    /// Each piece is a file.
    Files(Vec<String>),
}

impl PieceNames {
    pub(super) fn of(action: &Action) -> Self {
        match &action.piece_end {
            PieceEnd::Delimiter(end) if end != b"\n" => Self::Records,
            PieceEnd::Delimiter(_) | PieceEnd::JavaLine => Self::Lines,
            PieceEnd::CsvRow => Self::Rows,
            PieceEnd::Whole => Self::Files(action.sources.iter().map(Source::name).collect()),
        }
    }

    /// The name of the piece `number`, from 1.
    pub(super) fn name(&self, number: u64) -> String {
        match self {
            Self::Lines => format!("line {number}"),
            Self::Rows => format!("row {number}"),
            Self::Records => format!("record {number}"),
            Self::Files(names) => {
                let place = usize::try_from(number).unwrap_or(0).checked_sub(1);
                match place.and_then(|place| names.get(place)) {
                    Some(name) => name.clone(),
                    None => format!("file {number}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_a_record_is_called_by_its_name() {
        let names = PieceNames::Files(vec!["a.xml".to_owned(), "-".to_owned()]);
        assert_eq!(names.name(1), "a.xml");
        assert_eq!(names.name(2), "-");
        assert_eq!(names.name(3), "file 3");
    }
}
