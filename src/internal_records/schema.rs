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

/// Fields in a row.
#[derive(Debug)]
pub struct Struct {
    /// Kafka's name of it, as its errors say it.
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
    /// None for a type that Kafka has given up, of which only tombstones are left.
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

/// Whether something that began with version `since` is there in `version`. What the first version has is there in
/// negative ones too, which only corrupt bytes have: Kafka's readers do not ask.
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
    #[must_use]
    pub const fn since(mut self, version: i16) -> Self {
        self.versions.0 = version;
        self
    }

    #[must_use]
    pub const fn until(mut self, version: i16) -> Self {
        self.versions.1 = version;
        self
    }

    #[must_use]
    pub const fn nullable(mut self, since: i16) -> Self {
        self.nullable = since;
        self
    }

    #[must_use]
    pub const fn tagged(mut self, tag: u32, since: i16) -> Self {
        self.tagged = Some((tag, since));
        self
    }

    #[must_use]
    pub const fn or_null(mut self) -> Self {
        self.default = Default::Null;
        self
    }

    #[must_use]
    pub const fn or(mut self, number: i64) -> Self {
        self.default = Default::Number(number);
        self
    }

    /// Whether `version` of the message has this field.
    pub const fn exists(&self, version: i16) -> bool {
        has_begun(self.versions.0, version) && version <= self.versions.1
    }

    /// The tag it travels under in `version`, if it does.
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
