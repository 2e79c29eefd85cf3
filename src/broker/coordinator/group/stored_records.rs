//! The records of `__consumer_offsets` for committed offsets and classic groups, in Kafka's schemas.
//!
//! Writes what Apache Kafka 4.3 writes (offset key 1 and value 4, group key 2 and value 3); reads every version that
//! Kafka has written. Records of other kinds (KIP-848 groups, share groups) have their own files.
//!
//! <https://github.com/apache/kafka/tree/trunk/group-coordinator/src/main/resources/common/message>

use bytes::{BufMut, Bytes};
use uuid::Uuid;

use crate::wire::primitives::{put_unsigned_varint, take_unsigned_varint};

/// The tagged field of an offset's value that names the topic's id.
const TOPIC_ID_TAG: u32 = 0;

/// No record of an offset or a classic group: it is of another kind, of a later version, or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnderstood;

/// A record's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StoredKey {
    /// A committed offset (versions 0 and 1).
    Offset {
        group: String,
        topic: String,
        partition: i32,
    },
    /// The metadata of a group (version 2).
    Group { group: String },
}

/// The value of an offset key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOffset {
    pub offset: i64,
    /// -1 if unknown.
    pub leader_epoch: i32,
    pub metadata: String,
    pub commit_timestamp_ms: i64,
    /// The expiry that the client set (value 1 only); -1 to follow the broker's retention.
    pub expire_timestamp_ms: i64,
    /// The topic's id when the offset was committed (value 4 only); nil if unknown.
    pub topic_id: Uuid,
}

/// The value of a group key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGroup {
    pub protocol_type: String,
    pub generation: i32,
    pub protocol_name: Option<String>,
    pub leader: Option<String>,
    /// When the group reached its state; -1 if unknown.
    pub state_since_ms: i64,
    pub members: Vec<StoredMember>,
}

/// A member in a [`StoredGroup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMember {
    pub id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// The metadata of the chosen protocol.
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl StoredKey {
    /// Encodes the key.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            StoredKey::Offset {
                group,
                topic,
                partition,
            } => {
                out.put_i16(1);
                put_string(&mut out, group);
                put_string(&mut out, topic);
                out.put_i32(*partition);
            }
            StoredKey::Group { group } => {
                out.put_i16(2);
                put_string(&mut out, group);
            }
        }
        out
    }

    /// Decodes a key.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotUnderstood> {
        let mut input = Input::new(bytes);
        match input.int16()? {
            0 | 1 => Ok(StoredKey::Offset {
                group: input.string()?,
                topic: input.string()?,
                partition: input.int32()?,
            }),
            2 => Ok(StoredKey::Group {
                group: input.string()?,
            }),
            _ => Err(NotUnderstood),
        }
    }
}

impl StoredOffset {
    /// Encodes the value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48 + self.metadata.len());
        if self.expire_timestamp_ms >= 0 {
            // Only version 1 has the expiry, and it has no epoch: Kafka chooses the same way.
            out.put_i16(1);
            out.put_i64(self.offset);
            put_string(&mut out, &self.metadata);
            out.put_i64(self.commit_timestamp_ms);
            out.put_i64(self.expire_timestamp_ms);
            return out;
        }
        out.put_i16(4);
        out.put_i64(self.offset);
        out.put_i32(self.leader_epoch);
        put_compact_string(&mut out, &self.metadata);
        out.put_i64(self.commit_timestamp_ms);
        if self.topic_id.is_nil() {
            put_unsigned_varint(&mut out, 0);
        } else {
            put_unsigned_varint(&mut out, 1);
            put_unsigned_varint(&mut out, TOPIC_ID_TAG);
            put_unsigned_varint(&mut out, 16);
            out.put_slice(self.topic_id.as_bytes());
        }
        out
    }

    /// Decodes a value.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotUnderstood> {
        let mut input = Input::versioned(bytes, 4)?;
        let mut offset = Self {
            offset: input.int64()?,
            leader_epoch: if input.version >= 3 { input.int32()? } else { -1 },
            metadata: input.string()?,
            commit_timestamp_ms: input.int64()?,
            expire_timestamp_ms: if input.version == 1 { input.int64()? } else { -1 },
            topic_id: Uuid::nil(),
        };
        input.tags(|tag, value| {
            if let (TOPIC_ID_TAG, Ok(id)) = (tag, Uuid::from_slice(value)) {
                offset.topic_id = id;
            }
        })?;
        Ok(offset)
    }
}

impl StoredGroup {
    /// Encodes the value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_i16(3);
        put_string(&mut out, &self.protocol_type);
        out.put_i32(self.generation);
        put_nullable_string(&mut out, self.protocol_name.as_deref());
        put_nullable_string(&mut out, self.leader.as_deref());
        out.put_i64(self.state_since_ms);
        out.put_i32(self.members.len() as i32);
        for member in &self.members {
            put_string(&mut out, &member.id);
            put_nullable_string(&mut out, member.group_instance_id.as_deref());
            put_string(&mut out, &member.client_id);
            put_string(&mut out, &member.client_host);
            out.put_i32(member.rebalance_timeout_ms);
            out.put_i32(member.session_timeout_ms);
            put_bytes(&mut out, &member.subscription);
            put_bytes(&mut out, &member.assignment);
        }
        out
    }

    /// Decodes a value.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotUnderstood> {
        let mut input = Input::versioned(bytes, 4)?;
        let protocol_type = input.string()?;
        let generation = input.int32()?;
        let protocol_name = input.nullable_string()?;
        let leader = input.nullable_string()?;
        let state_since_ms = if input.version >= 2 { input.int64()? } else { -1 };
        let count = input.array_length()?;
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(StoredMember::decode(&mut input)?);
        }
        Ok(Self {
            protocol_type,
            generation,
            protocol_name,
            leader,
            state_since_ms,
            members,
        })
    }
}

impl StoredMember {
    fn decode(input: &mut Input<'_>) -> Result<Self, NotUnderstood> {
        let id = input.string()?;
        let group_instance_id = if input.version >= 3 {
            input.nullable_string()?
        } else {
            None
        };
        let client_id = input.string()?;
        let client_host = input.string()?;
        let rebalance_timeout_ms = if input.version >= 1 {
            Some(input.int32()?)
        } else {
            None
        };
        let session_timeout_ms = input.int32()?;
        let member = Self {
            id,
            group_instance_id,
            client_id,
            client_host,
            // Before version 1 the session timeout was also that of rebalances.
            rebalance_timeout_ms: rebalance_timeout_ms.unwrap_or(session_timeout_ms),
            session_timeout_ms,
            subscription: input.bytes()?,
            assignment: input.bytes()?,
        };
        input.tags(|_, _| ())?;
        Ok(member)
    }
}

/// The string, cut at a character to less than 32 768 bytes, Kafka's limit here.
fn storable(text: &str) -> &str {
    let mut length = text.len().min(i16::MAX as usize);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    text.get(..length).unwrap_or_default()
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    let text = storable(text);
    out.put_i16(text.len() as i16);
    out.put_slice(text.as_bytes());
}

fn put_compact_string(out: &mut Vec<u8>, text: &str) {
    let text = storable(text);
    put_unsigned_varint(out, text.len() as u32 + 1);
    out.put_slice(text.as_bytes());
}

fn put_nullable_string(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_string(out, text),
        None => out.put_i16(-1),
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_i32(bytes.len() as i32);
    out.put_slice(bytes);
}

/// Reads a key or value. From version 4 on values are flexible: compact lengths, tagged fields at the end.
struct Input<'a> {
    rest: &'a [u8],
    version: i16,
}

impl<'a> Input<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            version: 0,
        }
    }

    /// Reads the version, which must be at most `highest`.
    fn versioned(bytes: &'a [u8], highest: i16) -> Result<Self, NotUnderstood> {
        let mut input = Self::new(bytes);
        input.version = input.int16()?;
        if (0..=highest).contains(&input.version) {
            Ok(input)
        } else {
            Err(NotUnderstood)
        }
    }

    fn flexible(&self) -> bool {
        self.version >= 4
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], NotUnderstood> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(NotUnderstood)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotUnderstood> {
        self.take(N)?.try_into().map_err(|_| NotUnderstood)
    }

    fn int16(&mut self) -> Result<i16, NotUnderstood> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    fn int32(&mut self) -> Result<i32, NotUnderstood> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    fn int64(&mut self) -> Result<i64, NotUnderstood> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn unsigned_varint(&mut self) -> Result<u32, NotUnderstood> {
        take_unsigned_varint(&mut self.rest).ok_or(NotUnderstood)
    }

    /// Reads a length; `None` for null.
    fn length(
        &mut self,
        classic: fn(&mut Self) -> Result<i32, NotUnderstood>,
    ) -> Result<Option<usize>, NotUnderstood> {
        let length = if self.flexible() {
            i64::from(self.unsigned_varint()?) - 1
        } else {
            i64::from(classic(self)?)
        };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| NotUnderstood),
        }
    }

    fn nullable_string(&mut self) -> Result<Option<String>, NotUnderstood> {
        let Some(length) = self.length(|input| input.int16().map(i32::from))? else {
            return Ok(None);
        };
        String::from_utf8(self.take(length)?.to_vec())
            .map(Some)
            .map_err(|_| NotUnderstood)
    }

    fn string(&mut self) -> Result<String, NotUnderstood> {
        self.nullable_string()?.ok_or(NotUnderstood)
    }

    fn bytes(&mut self) -> Result<Bytes, NotUnderstood> {
        let length = self.length(Self::int32)?.unwrap_or(0);
        Ok(Bytes::copy_from_slice(self.take(length)?))
    }

    fn array_length(&mut self) -> Result<usize, NotUnderstood> {
        Ok(self.length(Self::int32)?.unwrap_or(0))
    }

    /// Passes every tagged field to `see`.
    fn tags(&mut self, mut see: impl FnMut(u32, &[u8])) -> Result<(), NotUnderstood> {
        if self.flexible() {
            for _ in 0..self.unsigned_varint()? {
                let tag = self.unsigned_varint()?;
                let length = self.unsigned_varint()?;
                see(
                    tag,
                    self.take(usize::try_from(length).map_err(|_| NotUnderstood)?)?,
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_written_as_kafka_writes_it() {
        let key = StoredKey::Offset {
            group: "g".into(),
            topic: "t".into(),
            partition: 2,
        };
        assert_eq!(key.encode(), [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 2]);
        let mut value = StoredOffset {
            offset: 5,
            leader_epoch: -1,
            metadata: "m".into(),
            commit_timestamp_ms: 7,
            expire_timestamp_ms: -1,
            topic_id: Uuid::nil(),
        };
        let bytes = [
            0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 255, 255, 255, 255, 2, b'm', 0, 0, 0, 0, 0, 0, 0, 7, 0,
        ];
        assert_eq!(value.encode(), bytes);
        assert_eq!(StoredOffset::decode(&bytes).as_ref(), Ok(&value));
        value.topic_id = Uuid::from_bytes([9; 16]);
        let (last, body) = bytes.split_last().unwrap();
        assert_eq!(*last, 0);
        let with_id = [body, &[1, 0, 16], &[9; 16]].concat();
        assert_eq!(value.encode(), with_id);
        assert_eq!(StoredOffset::decode(&with_id).as_ref(), Ok(&value));
        // Only version 1 has a client's own expiry.
        value.expire_timestamp_ms = 8;
        value.topic_id = Uuid::nil();
        assert_eq!(value.encode()[..2], [0, 1]);
        assert_eq!(StoredOffset::decode(&value.encode()).as_ref(), Ok(&value));
    }

    #[test]
    fn a_value_of_older_kafka_is_read() {
        let bytes = [
            0, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 1, b'm', 0, 0, 0, 0, 0, 0, 0, 7,
        ];
        let value = StoredOffset::decode(&bytes).unwrap();
        assert_eq!(
            (value.offset, value.leader_epoch, value.metadata.as_str()),
            (5, 2, "m")
        );
    }

    #[test]
    fn the_flexible_versions_are_read() {
        let bytes = [
            0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 2, b'm', 0, 0, 0, 0, 0, 0, 0, 7, 0,
        ];
        let value = StoredOffset::decode(&bytes).unwrap();
        assert_eq!(
            (value.offset, value.leader_epoch, value.metadata.as_str()),
            (5, 1, "m")
        );
    }

    #[test]
    fn a_group_comes_back_as_it_was() {
        let group = StoredGroup {
            protocol_type: "consumer".into(),
            generation: 3,
            protocol_name: Some("range".into()),
            leader: Some("a".into()),
            state_since_ms: 9,
            members: vec![StoredMember {
                id: "a".into(),
                group_instance_id: None,
                client_id: "c".into(),
                client_host: "/127.0.0.1".into(),
                rebalance_timeout_ms: 1,
                session_timeout_ms: 2,
                subscription: Bytes::from_static(b"s"),
                assignment: Bytes::from_static(b"as"),
            }],
        };
        assert_eq!(StoredGroup::decode(&group.encode()), Ok(group));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = (StoredKey::decode(&bytes), StoredOffset::decode(&bytes), StoredGroup::decode(&bytes));
        }
    }
}
