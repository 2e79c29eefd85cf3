//! A decoded record: a tree of values that borrows texts and bytes from the record.
//!
//! Owns access by Kafka's field names, and what counts as a field's default. Owns no bytes and no JSON.

use std::borrow::Cow;

use super::schema::{Default, Field, Kind, Struct};

/// One value of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// Integers of every width.
    Number(i64),
    Float(f64),
    Uuid([u8; 16]),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    Array(Vec<Value<'a>>),
    Struct(StructValue<'a>),
}

/// The fields of a struct, in its schema's order.
#[derive(Clone, Debug)]
pub struct StructValue<'a> {
    pub schema: &'static Struct,
    pub version: i16,
    /// One for each field of the schema; a field that the version lacks has its default.
    pub values: Vec<Value<'a>>,
}

impl PartialEq for StructValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.schema, other.schema)
            && self.version == other.version
            && self.values == other.values
    }
}

impl<'a> StructValue<'a> {
    /// A struct of defaults, to be filled with [`StructValue::set`].
    pub fn new(schema: &'static Struct, version: i16) -> Self {
        let values = schema
            .fields
            .iter()
            .map(|field| default_of(field, version))
            .collect();
        Self {
            schema,
            version,
            values,
        }
    }

    /// The value of the field of this name.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let index = self.schema.fields.iter().position(|field| field.name == name)?;
        self.values.get(index)
    }

    /// Sets the field of this name; a name that the schema lacks is ignored.
    pub fn set(&mut self, name: &str, value: Value<'a>) {
        let index = self.schema.fields.iter().position(|field| field.name == name);
        if let Some(slot) = index.and_then(|index| self.values.get_mut(index)) {
            *slot = value;
        }
    }

    /// An empty element for the array of structs in the field of this name, to be filled; None if it is no such field.
    pub fn new_element(&self, name: &str) -> Option<StructValue<'a>> {
        let field = self.schema.fields.iter().find(|field| field.name == name)?;
        match field.kind {
            Kind::Array(Kind::Struct(schema)) => Some(StructValue::new(schema, self.version)),
            _ => None,
        }
    }

    /// An empty struct for the field of this name, to be filled; None if it is no struct.
    pub fn new_struct(&self, name: &str) -> Option<StructValue<'a>> {
        let field = self.schema.fields.iter().find(|field| field.name == name)?;
        match field.kind {
            Kind::Struct(schema) => Some(StructValue::new(schema, self.version)),
            _ => None,
        }
    }

    /// Makes it a value of another version, which only changes which fields are shown.
    pub fn show_as_version(&mut self, version: i16) {
        self.version = version;
        for value in &mut self.values {
            value.show_as_version(version);
        }
    }

    /// A whole number field, 0 when there is none.
    pub fn number(&self, name: &str) -> i64 {
        self.get(name).and_then(Value::as_number).unwrap_or_default()
    }

    /// A text field; None when it is null or there is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_text)
    }

    /// A bytes field; None when it is null or there is none.
    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        match self.get(name) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The elements of an array field; none when it is null or there is none.
    pub fn array(&self, name: &str) -> &[Value<'a>] {
        match self.get(name) {
            Some(Value::Array(elements)) => elements,
            _ => &[],
        }
    }

    /// Every field that this version has, with its schema, without tagged fields that have their default.
    pub fn present(&self) -> impl Iterator<Item = (&'static Field, &Value<'a>)> {
        let version = self.version;
        self.schema
            .fields
            .iter()
            .zip(&self.values)
            .filter(move |(field, value)| {
                field.exists(version) && (field.tag(version).is_none() || !is_default(field, value, version))
            })
    }
}

impl<'a> Value<'a> {
    fn show_as_version(&mut self, version: i16) {
        match self {
            Value::Struct(value) => value.show_as_version(version),
            Value::Array(values) => values.iter_mut().for_each(|value| value.show_as_version(version)),
            _ => {}
        }
    }

    /// A whole number, if it is one.
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_struct(&self) -> Option<&StructValue<'a>> {
        match self {
            Value::Struct(value) => Some(value),
            _ => None,
        }
    }
}

/// What `field` is when `version` does not have it, or when it was not written.
pub(super) fn default_of<'a>(field: &Field, version: i16) -> Value<'a> {
    match (field.default, field.kind) {
        (Default::Null, _) => Value::Null,
        (Default::Number(number), Kind::Bool) => Value::Bool(number != 0),
        (Default::Number(number), _) => Value::Number(number),
        (Default::Empty, kind) => empty(kind, version),
    }
}

fn empty<'a>(kind: Kind, version: i16) -> Value<'a> {
    match kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int8 | Kind::Int16 | Kind::Uint16 | Kind::Int32 | Kind::Uint32 | Kind::Int64 => {
            Value::Number(0)
        }
        Kind::Float64 => Value::Float(0.0),
        Kind::Uuid => Value::Uuid([0; 16]),
        Kind::Text => Value::Text(Cow::Borrowed("")),
        Kind::Bytes => Value::Bytes(&[]),
        Kind::Struct(schema) => Value::Struct(StructValue::new(schema, version)),
        Kind::Array(_) => Value::Array(Vec::new()),
    }
}

pub(super) fn is_default(field: &Field, value: &Value<'_>, version: i16) -> bool {
    *value == default_of(field, version)
}
