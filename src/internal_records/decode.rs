//! Bytes and a schema → a [`Value`], with Kafka's own words for what is wrong.
//!
//! Owns reading; no length in the bytes is trusted: an array takes memory for the elements that were read, not
//! for the stated count. Versions and types in front of the bytes belong to the modules of the topics.

use std::fmt;

use super::java_text;
use super::schema::{Field, Kind, Message, Struct};
use super::value::{StructValue, Value, default_of};

/// Why bytes are no such record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before the record does. Kafka has no message for it and prints `null`.
    Underflow,
    /// Anything else, in Kafka's words.
    Malformed(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Underflow => f.write_str("null"),
            DecodeError::Malformed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {}

type Result<T> = std::result::Result<T, DecodeError>;

/// A cursor over the bytes of one record.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self
            .bytes
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Underflow)?;
        self.bytes = tail;
        Ok(*head)
    }

    pub fn int8(&mut self) -> Result<i8> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    pub fn int16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub fn int32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub fn int64(&mut self) -> Result<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// At most five bytes, seven bits each, the lowest first.
    pub fn unsigned_varint(&mut self) -> Result<u32> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Malformed(format!(
            "Varint is too long, the most significant bit in the 5th byte is set, converted value: {value:x}"
        )))
    }

    /// The next `length` bytes; an error if it is negative or exceeds the bytes left.
    fn take(&mut self, length: i32) -> Result<&'a [u8]> {
        // For an array of negative size, Java's message is that size alone.
        let size = usize::try_from(length).map_err(|_| DecodeError::Malformed(length.to_string()))?;
        let Some((head, tail)) = self.bytes.split_at_checked(size) else {
            return Err(DecodeError::Malformed(format!(
                "Error reading byte array of {length} byte(s): only {} byte(s) available",
                self.bytes.len()
            )));
        };
        self.bytes = tail;
        Ok(head)
    }
}

/// Reads `version` of `message`. Bytes after it stay in `reader`.
pub fn decode<'a>(
    message: &'static Message,
    version: i16,
    reader: &mut Reader<'a>,
) -> Result<StructValue<'a>> {
    let flexible = message.is_flexible(version);
    Walk { version, flexible }.fields(&message.body, reader)
}

/// The properties of the message that is read.
#[derive(Clone, Copy)]
struct Walk {
    version: i16,
    flexible: bool,
}

impl Walk {
    fn fields<'a>(self, schema: &'static Struct, reader: &mut Reader<'a>) -> Result<StructValue<'a>> {
        let mut values = Vec::with_capacity(schema.fields.len());
        for field in schema.fields {
            let on_the_wire = field.exists(self.version) && field.tag(self.version).is_none();
            values.push(if on_the_wire {
                self.value(field, reader)?
            } else {
                default_of(field, self.version)
            });
        }
        let mut result = StructValue {
            schema,
            version: self.version,
            values,
        };
        if self.flexible {
            self.tagged_fields(&mut result, reader)?;
        }
        Ok(result)
    }

    fn tagged_fields<'a>(self, into: &mut StructValue<'a>, reader: &mut Reader<'a>) -> Result<()> {
        // Java's count is signed; a negative one means no fields.
        for _ in 0..reader.unsigned_varint()? as i32 {
            let tag = reader.unsigned_varint()?;
            let size = reader.unsigned_varint()?;
            let mut fields = into.schema.fields.iter().enumerate();
            let known = fields.find(|(_, field)| field.tagged.is_some_and(|(of_field, _)| of_field == tag));
            let Some((index, field)) = known else {
                reader.take(size as i32)?;
                continue;
            };
            if field.tag(self.version).is_none() {
                let message = format!("Tag {tag} is not valid for version {}", self.version);
                return Err(DecodeError::Malformed(message));
            }
            // As in Kafka, the stated size of a known field does not limit what is read.
            let value = self.value(field, reader)?;
            if let Some(slot) = into.values.get_mut(index) {
                *slot = value;
            }
        }
        Ok(())
    }

    fn value<'a>(self, field: &'static Field, reader: &mut Reader<'a>) -> Result<Value<'a>> {
        let nullable = field.is_nullable(self.version);
        match field.kind {
            Kind::Array(element) => {
                let count = if self.flexible {
                    reader.unsigned_varint()?.wrapping_sub(1) as i32
                } else {
                    reader.int32()?
                };
                if count < 0 {
                    return null(nullable, field.name, "");
                }
                self.elements(field, element, count as usize, reader)
            }
            Kind::Struct(_) if nullable && self.is_null_struct(field, reader)? => Ok(Value::Null),
            kind => self.single(field.name, "", kind, nullable, reader),
        }
    }

    /// A struct that may be null has a byte in front, or a varint where the field is tagged.
    fn is_null_struct(self, field: &Field, reader: &mut Reader<'_>) -> Result<bool> {
        Ok(match field.tag(self.version) {
            Some(_) => (reader.unsigned_varint()? as i32) <= 0,
            None => reader.int8()? < 0,
        })
    }

    fn elements<'a>(
        self,
        field: &Field,
        kind: &'static Kind,
        count: usize,
        reader: &mut Reader<'a>,
    ) -> Result<Value<'a>> {
        let remaining = reader.remaining();
        if count > remaining {
            return Err(DecodeError::Malformed(format!(
                "Tried to allocate a collection of size {count}, but there are only {remaining} bytes remaining."
            )));
        }
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(self.single(field.name, " element", *kind, false, reader)?);
        }
        Ok(Value::Array(elements))
    }

    fn single<'a>(
        self,
        name: &str,
        suffix: &str,
        kind: Kind,
        nullable: bool,
        reader: &mut Reader<'a>,
    ) -> Result<Value<'a>> {
        Ok(match kind {
            Kind::Bool => Value::Bool(reader.int8()? != 0),
            Kind::Int8 => Value::Number(reader.int8()?.into()),
            Kind::Int16 => Value::Number(reader.int16()?.into()),
            Kind::Uint16 => Value::Number((reader.int16()? as u16).into()),
            Kind::Int32 => Value::Number(reader.int32()?.into()),
            Kind::Uint32 => Value::Number((reader.int32()? as u32).into()),
            Kind::Int64 => Value::Number(reader.int64()?),
            Kind::Float64 => Value::Float(f64::from_be_bytes(reader.array()?)),
            Kind::Uuid => Value::Uuid(reader.array()?),
            Kind::Text => {
                let length = if self.flexible {
                    reader.unsigned_varint()?.wrapping_sub(1) as i32
                } else {
                    reader.int16()?.into()
                };
                if length < 0 {
                    return null(nullable, name, suffix);
                }
                if length > i32::from(i16::MAX) {
                    let message = format!("string field {name}{suffix} had invalid length {length}");
                    return Err(DecodeError::Malformed(message));
                }
                Value::Text(java_text::decode(reader.take(length)?))
            }
            Kind::Bytes => {
                let length = if self.flexible {
                    reader.unsigned_varint()?.wrapping_sub(1) as i32
                } else {
                    reader.int32()?
                };
                if length < 0 {
                    return null(nullable, name, suffix);
                }
                Value::Bytes(reader.take(length)?)
            }
            Kind::Struct(schema) => Value::Struct(self.nested(schema, reader)?),
            // No schema of Kafka has arrays of arrays.
            Kind::Array(_) => return Err(DecodeError::Malformed(format!("array field {name} of arrays"))),
        })
    }

    fn nested<'a>(self, schema: &'static Struct, reader: &mut Reader<'a>) -> Result<StructValue<'a>> {
        if !schema.is_readable(self.version) {
            let message = format!("Can't read version {} of {}", self.version, schema.name);
            return Err(DecodeError::Malformed(message));
        }
        self.fields(schema, reader)
    }
}

fn null<'a>(nullable: bool, name: &str, suffix: &str) -> Result<Value<'a>> {
    if nullable {
        return Ok(Value::Null);
    }
    let message = format!("non-nullable field {name}{suffix} was serialized as null");
    Err(DecodeError::Malformed(message))
}
