//! CSV rows to records: the row, as a JSON object of its columns, is the value; one of the columns is the key.

use std::borrow::Cow;

use super::{BadInput, ParsedRecord, RecordParser};

/// Reads rows after a heading.
#[derive(Clone, Debug)]
pub struct CsvParser {
    /// The column whose field is the key.
    pub key_column: Option<String>,
    /// Where that column is, once the heading was read.
    position: Option<usize>,
    columns: Vec<String>,
    has_heading: bool,
}

impl CsvParser {
    pub fn new(key_column: Option<String>) -> Self {
        Self {
            key_column,
            position: None,
            columns: Vec::new(),
            has_heading: false,
        }
    }

    fn read_heading(&mut self, row: &[u8]) -> Result<(), BadInput> {
        self.has_heading = true;
        self.columns = fields(row)?;
        if let Some(wanted) = &self.key_column {
            self.position = self.columns.iter().position(|column| column == wanted);
            if self.position.is_none() {
                return Err(BadInput::new(format!(
                    "no column \"{wanted}\"; the columns are {}",
                    self.columns.join(", ")
                )));
            }
        }
        Ok(())
    }
}

impl RecordParser for CsvParser {
    fn parse<'a>(&'a mut self, text: &'a [u8], _number: u64) -> Result<Option<ParsedRecord<'a>>, BadInput> {
        if !self.has_heading {
            self.read_heading(text)?;
            return Ok(None);
        }
        if text.is_empty() {
            return Ok(None);
        }
        let row = fields(text)?;
        let key = match self.position {
            Some(position) => Some(row.get(position).cloned().ok_or_else(|| {
                let column = self.key_column.as_deref().unwrap_or_default();
                BadInput::new(format!("no column \"{column}\""))
            })?),
            None => None,
        };
        let mut value = serde_json::Map::with_capacity(row.len());
        if row.len() > self.columns.len() {
            return Err(BadInput::new(format!(
                "{} fields under {} headings",
                row.len(),
                self.columns.len()
            )));
        }
        for (column, field) in self.columns.iter().zip(row) {
            value.insert(column.clone(), field.into());
        }
        let value = serde_json::to_vec(&value).map_err(|error| BadInput::new(error.to_string()))?;
        Ok(Some(ParsedRecord {
            key: key.map(|key| Cow::Owned(key.into_bytes())),
            value: Some(Cow::Owned(value)),
            ..ParsedRecord::default()
        }))
    }
}

/// The fields of a row (RFC 4180), as text.
fn fields(row: &[u8]) -> Result<Vec<String>, BadInput> {
    let row = std::str::from_utf8(row).map_err(|_| BadInput::new("a CSV row that is not UTF-8"))?;
    let mut fields = vec![String::new()];
    let mut characters = row.chars().peekable();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if is_quoted || field.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    if is_quoted {
        return Err(BadInput::new("a quote that is never closed"));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_becomes_an_object_and_a_column_the_key() {
        let mut parser = CsvParser::new(Some("id".into()));
        assert_eq!(parser.parse(b"id,name", 1).unwrap(), None);
        let record = parser.parse(b"7,\"a, \"\"b\"\"\"", 2).unwrap().unwrap();
        assert_eq!(record.key.as_deref(), Some(&b"7"[..]));
        assert_eq!(
            record.value.as_deref(),
            Some(&br#"{"id":"7","name":"a, \"b\""}"#[..])
        );
        assert!(CsvParser::new(Some("nr".into())).parse(b"id,name", 1).is_err());
    }
}
