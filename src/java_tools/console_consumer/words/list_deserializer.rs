//! Java's `ListDeserializer` (KIP-466), as far as it shows in output: `[a, null, b]`.
//!
//! Owns the layout of a serialized list; its elements belong to `deserializer`.

use std::collections::HashSet;

use super::deserializer::{Charset, Deserializer, SERIALIZATION};

/// List classes that can be instantiated and have the same `toString`.
const LISTS: &[&str] = &[
    "ArrayList",
    "LinkedList",
    "Stack",
    "Vector",
    "concurrent.CopyOnWriteArrayList",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListDeserializer {
    element: Deserializer,
    /// The bytes of an element, if all have the same size.
    element_size: Option<usize>,
    /// The class of the list, if it cannot be instantiated.
    bad_class: Option<String>,
}

impl ListDeserializer {
    /// The deserializer of the settings `default.list.{key,value}.serde.{type,inner}`; `setting` looks one up by its
    /// last part. `None` if Java does not find the class.
    pub(super) fn new(setting: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let class = setting("serde.type")?;
        let java_class = class.strip_prefix("java.util.")?;
        let inner = setting("serde.inner")?;
        let name = inner.strip_prefix(SERIALIZATION)?.strip_prefix("Serdes$")?;
        let name = name.strip_suffix("Serde")?;
        let element = Deserializer::of_name(name, Some(Charset::Utf8))?;
        Some(Self {
            element_size: match element {
                Deserializer::Short => Some(2),
                Deserializer::Integer | Deserializer::Float => Some(4),
                Deserializer::Long | Deserializer::Double => Some(8),
                Deserializer::Uuid(_) => Some(36),
                _ => None,
            },
            element,
            bad_class: (!LISTS.contains(&java_class)).then_some(class),
        })
    }

    /// Appends the elements as `AbstractCollection.toString` does.
    pub(super) fn write(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let mut rest = bytes;
        let [strategy] = take(&mut rest)?;
        let (size, nulls) = match strategy {
            0 => {
                let count = length(&mut rest)?;
                let mut nulls = HashSet::new();
                for _ in 0..count {
                    nulls.insert(i32::from_be_bytes(take(&mut rest)?));
                }
                (self.element_size, nulls)
            }
            1 => (None, HashSet::new()),
            _ => return Err("Invalid serialization strategy flag value".to_owned()),
        };
        let count = length(&mut rest)?;
        if let Some(class) = &self.bad_class {
            return Err(format!("Failed to construct list instance of type {class}"));
        }
        if strategy == 0 && size.is_none() && count > 0 {
            return Err("the elements of the list are of no fixed size".to_owned());
        }
        let begin = out.len();
        let told = self.write_elements(rest, count, size, &nulls, out);
        if told.is_err() {
            out.truncate(begin);
        }
        told
    }

    /// Writes the elements; `size` is that of each, where the list does not contain sizes.
    fn write_elements(
        &self,
        mut rest: &[u8],
        count: i32,
        size: Option<usize>,
        nulls: &HashSet<i32>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        out.push(b'[');
        for index in 0..count {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            let length = match size {
                _ if nulls.contains(&index) => None,
                Some(size) => Some(size),
                None => match i32::from_be_bytes(take(&mut rest)?) {
                    -1 => None,
                    length => Some(usize::try_from(length).map_err(|_| length.to_string())?),
                },
            };
            let Some(length) = length else {
                out.extend_from_slice(b"null");
                continue;
            };
            // At the very end Java does not even find an empty element.
            if rest.is_empty() || rest.len() < length {
                return Err("End of the stream was reached prematurely".to_owned());
            }
            let (element, after) = rest.split_at(length);
            self.element.write(element, out)?;
            rest = after;
        }
        out.push(b']');
        Ok(())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (bytes, after) = rest
        .split_first_chunk::<N>()
        .ok_or("Unable to deserialize into a List")?;
    *rest = after;
    Ok(*bytes)
}

/// The number of elements; Java cannot make a list if it is negative.
fn length(rest: &mut &[u8]) -> Result<i32, String> {
    let count = i32::from_be_bytes(take(rest)?);
    if count < 0 {
        return Err(format!("Illegal Capacity: {count}"));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(inner: &str, bytes: &[u8]) -> Result<String, String> {
        let setting = |name: &str| {
            Some(match name {
                "serde.type" => "java.util.ArrayList".to_owned(),
                _ => format!("{SERIALIZATION}Serdes${inner}Serde"),
            })
        };
        let mut out = Vec::new();
        ListDeserializer::new(&setting).unwrap().write(bytes, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    // The output of Apache Kafka 4.3.1's console consumer for these bytes.
    #[test]
    fn lists_of_elements_of_one_size_and_of_any() {
        let constant = b"\0\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x02abcdefgh";
        assert_eq!(
            printed("Long", constant).unwrap(),
            "[4294967298, 7017280452245743464]"
        );
        assert_eq!(printed("Integer", constant).unwrap(), "[1, 2]");
        assert_eq!(printed("Short", constant).unwrap(), "[0, 1]");
        assert!(printed("String", constant).is_err());
        let empty = b"\x01\0\0\0\0\0\0\0\x02\0\0\0\x02ab\0\0\0\x02cd";
        assert_eq!(printed("String", empty).unwrap(), "[]");
        let any = b"\x01\0\0\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\x01c";
        assert_eq!(printed("String", any).unwrap(), "[ab, null, c]");
        let nulls = b"\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\x07";
        assert_eq!(printed("Short", nulls).unwrap(), "[null, 7]");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bytes in [
            &b""[..],
            b"a",
            b"\x01",
            b"\x01\xff\xff\xff\xff",
            b"\x01\x7f\xff\xff\xff\0\0\0\x01",
        ] {
            assert!(printed("String", bytes).is_err(), "{bytes:?}");
        }
    }
}
