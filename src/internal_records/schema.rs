//! What a schema is: messages, structs and fields, with the versions they exist in.
//!
//! Owns the vocabulary of the tables; reads and writes no bytes.
//! <https://kafka.apache.org/protocol#protocol_details>, KIP-482 for flexible versions and tagged fields.

/// The `flexible` of a message that has no flexible version.
pub const NEVER: i16 = i16::MAX;

/// A record key or value: a struct of its own, after a version number.
#[derive(Debug)]
pub struct Message {
    /// The first version with compact lengths and tagged fields.
    pub flexible: i16,
    pub body: Struct,
}

/// A sequence of fields.
#[derive(Debug)]
pub struct Struct {
    /// Kafka's name of it, which its errors show.
    pub name: &'static str,
    /// The lowest and the highest version that has it.
    pub versions: (i16, i16),
    pub fields: &'static [Field],
}

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    Text,
    Bytes,
    Struct(&'static Struct),
    Array(&'static Kind),
}

/// The default of a field: tagged fields with this value are not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// 0, false, the empty text, no elements, a struct of defaults.
    Empty,
    Null,
    Number(i64),
}

/// A field of a struct.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    pub kind: Kind,
    /// The first and the last version that has it.
    pub versions: (i16, i16),
    /// The first version in which it may be null.
    pub nullable: i16,
    /// Its tag and the first version in which it is tagged.
    pub tagged: Option<(u32, i16)>,
    pub default: Default,
}

/// A kind of record in a coordinator's topic: the number in front of its key decides.
#[derive(Debug)]
pub struct RecordType {
    /// The number in front of the key.
    pub id: i16,
    pub key: &'static Message,
    /// `None` for a type that Kafka no longer writes, except as tombstones.
    pub value: Option<&'static Message>,
}

/// A field of every version, never null, not tagged.
pub const fn field(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        versions: (0, i16::MAX),
        nullable: NEVER,
        tagged: None,
        default: Default::Empty,
    }
}

/// Whether something that exists since version `since` exists in `version`. What version 0 has also exists in
/// negative versions, which only corrupt bytes have: Kafka's readers do not check.
const fn has_begun(since: i16, version: i16) -> bool {
    since <= 0 || since <= version
}

impl Struct {
    /// Whether Kafka reads `version` of it inside of another.
    pub const fn is_readable(&self, version: i16) -> bool {
        has_begun(self.versions.0, version) && version <= self.versions.1
    }
}

impl Field {
    /// Exists from `version` on.
    #[must_use]
    pub const fn since(mut self, version: i16) -> Self {
        self.versions.0 = version;
        self
    }

    /// Exists up to `version`, inclusive.
    #[must_use]
    pub const fn until(mut self, version: i16) -> Self {
        self.versions.1 = version;
        self
    }

    /// May be null from version `since` on.
    #[must_use]
    pub const fn nullable(mut self, since: i16) -> Self {
        self.nullable = since;
        self
    }

    /// Tagged from version `since` on (KIP-482).
    #[must_use]
    pub const fn tagged(mut self, tag: u32, since: i16) -> Self {
        self.tagged = Some((tag, since));
        self
    }

    /// Has null as its default.
    #[must_use]
    pub const fn or_null(mut self) -> Self {
        self.default = Default::Null;
        self
    }

    /// Has `number` as its default.
    #[must_use]
    pub const fn or(mut self, number: i64) -> Self {
        self.default = Default::Number(number);
        self
    }

    /// Whether `version` of the message has this field.
    pub const fn exists(&self, version: i16) -> bool {
        has_begun(self.versions.0, version) && version <= self.versions.1
    }

    /// Its tag in `version`; `None` where it is not tagged.
    pub const fn tag(&self, version: i16) -> Option<u32> {
        match self.tagged {
            Some((tag, since)) if has_begun(since, version) => Some(tag),
            _ => None,
        }
    }

    pub const fn is_nullable(&self, version: i16) -> bool {
        has_begun(self.nullable, version)
    }
}

impl Message {
    pub const fn is_flexible(&self, version: i16) -> bool {
        has_begun(self.flexible, version)
    }

    /// Whether Kafka 4.3 knows `version` of it.
    pub const fn supports(&self, version: i16) -> bool {
        self.body.versions.0 <= version && version <= self.body.versions.1
    }
}
