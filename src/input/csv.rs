//! CSV rows to records: the value is the row as a JSON object of its columns; one of the columns is the key.

use std::borrow::Cow;

use super::{BadInput, ParsedRecord, RecordParser, without_byte_order_mark};

/// Parses rows after a heading.
#[derive(Clone, Debug)]
pub struct CsvParser {
    /// The column whose field is the key.
    pub key_column: Option<String>,
    /// The index of that column, once the heading was read.
    position: Option<usize>,
    columns: Vec<String>,
    has_heading: bool,
    /// The separator of fields, if the user gave one; else a comma.
    delimiter: Option<char>,
    /// Whether numbers, true and false have these types in JSON, and empty fields are null.
    is_typed: bool,
}

/// Separators that are used in place of a comma, and their words for `--csv-delimiter`.
const OTHER_DELIMITERS: [(char, &str); 3] = [
    (
        ';',
        "this looks like ; between the columns: --csv-delimiter ';' (or ',' if it is one column)",
    ),
    (
        '\t',
        "this looks like tabs between the columns: --csv-delimiter tab (or ',' if it is one column)",
    ),
    (
        '|',
        "this looks like | between the columns: --csv-delimiter '|' (or ',' if it is one column)",
    ),
];

impl CsvParser {
    /// `key_column` names the column of the key; `delimiter` separates fields, a comma unless given.
    pub fn new(key_column: Option<String>, delimiter: Option<char>) -> Self {
        Self {
            key_column,
            delimiter,
            is_typed: false,
            position: None,
            columns: Vec::new(),
            has_heading: false,
        }
    }

    /// Whether fields get types: numbers, true, false, and null if they are empty.
    #[must_use]
    pub fn typed(mut self, is_typed: bool) -> Self {
        self.is_typed = is_typed;
        self
    }

    fn value(&self, field: String) -> serde_json::Value {
        if !self.is_typed {
            return field.into();
        }
        match field.as_str() {
            "" => serde_json::Value::Null,
            "true" => true.into(),
            "false" => false.into(),
            text => number(text).unwrap_or_else(|| field.into()),
        }
    }

    fn read_heading(&mut self, row: &[u8]) -> Result<(), BadInput> {
        self.has_heading = true;
        let row = without_byte_order_mark(row);
        if row.starts_with(b"\xff\xfe") || row.starts_with(b"\xfe\xff") {
            return Err(BadInput {
                message: "a CSV file in UTF-16".to_owned(),
                hint: Some("convert it first: iconv -f UTF-16 -t UTF-8"),
            });
        }
        self.columns = self.fields(row)?;
        if let (None, [only]) = (self.delimiter, self.columns.as_slice())
            && let Some((_, hint)) = OTHER_DELIMITERS.iter().find(|(other, _)| only.contains(*other))
        {
            return Err(BadInput {
                message: format!("the heading has a single column, {}", super::lines::excerpt(row)),
                hint: Some(hint),
            });
        }
        let mut earlier = self.columns.iter().enumerate();
        if let Some((_, twice)) =
            earlier.find(|(at, name)| self.columns.iter().take(*at).any(|known| known == *name))
        {
            return Err(BadInput::new(format!(
                "the heading has the column \"{twice}\" twice"
            )));
        }
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

    fn fields(&self, row: &[u8]) -> Result<Vec<String>, BadInput> {
        fields(row, self.delimiter.unwrap_or(','))
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
        let row = self.fields(text)?;
        let key = match self.position {
            Some(position) => Some(row.get(position).cloned().ok_or_else(|| {
                let column = self.key_column.as_deref().unwrap_or_default();
                BadInput::new(format!("no column \"{column}\""))
            })?),
            None => None,
        };
        let mut value = serde_json::Map::with_capacity(row.len());
        if row.len() != self.columns.len() {
            let plural = |count| if count == 1 { "" } else { "s" };
            let (fields, headings) = (row.len(), self.columns.len());
            return Err(BadInput::new(format!(
                "{fields} field{} under {headings} heading{}",
                plural(fields),
                plural(headings)
            )));
        }
        for (column, field) in self.columns.iter().zip(row) {
            value.insert(column.clone(), self.value(field));
        }
        let value = serde_json::to_vec(&value).map_err(|error| BadInput::new(error.to_string()))?;
        Ok(Some(ParsedRecord {
            key: key.map(|key| Cow::Owned(key.into_bytes())),
            value: Some(Cow::Owned(value)),
            ..ParsedRecord::default()
        }))
    }
}

/// A number that JSON can represent and that is written back unchanged: `007`, such as in a phone number, stays text.
fn number(text: &str) -> Option<serde_json::Value> {
    let number: serde_json::Number = text.parse().ok()?;
    (number.to_string() == text).then_some(number.into())
}

/// The fields of a row (RFC 4180), as text.
fn fields(row: &[u8], delimiter: char) -> Result<Vec<String>, BadInput> {
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
            other if other == delimiter && !is_quoted => fields.push(String::new()),
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
    fn typed_fields_are_numbers_truths_and_null() {
        let mut parser = CsvParser::new(None, None).typed(true);
        assert_eq!(parser.parse(b"a,b,c,d,e,f", 1).unwrap(), None);
        let record = parser.parse(b"7,-1.5,true,,007,x", 2).unwrap().unwrap();
        assert_eq!(
            record.value.as_deref(),
            Some(&br#"{"a":7,"b":-1.5,"c":true,"d":null,"e":"007","f":"x"}"#[..])
        );
    }

    #[test]
    fn the_row_becomes_an_object_and_a_column_the_key() {
        let mut parser = CsvParser::new(Some("id".into()), None);
        assert_eq!(parser.parse(b"id,name", 1).unwrap(), None);
        let record = parser.parse(b"7,\"a, \"\"b\"\"\"", 2).unwrap().unwrap();
        assert_eq!(record.key.as_deref(), Some(&b"7"[..]));
        assert_eq!(
            record.value.as_deref(),
            Some(&br#"{"id":"7","name":"a, \"b\""}"#[..])
        );
        assert!(
            CsvParser::new(Some("nr".into()), None)
                .parse(b"id,name", 1)
                .is_err()
        );
    }
}
