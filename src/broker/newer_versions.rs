//! Versions of requests that are newer than kafka-protocol's, the crate with the messages: what happens to the fields
//! that it lacks.
//!
//! Clients infer the release of a broker from its highest versions. The bytes of the newer fields are cut out of a
//! request before it is decoded in an older version, and the handler finds them in
//! [`RequestContext::newer_fields`](super::call::RequestContext); those of an answer are put in after it was encoded.
//!
//! The shapes are those of `request_shape`, with the newer fields in braces; `+` is an empty string that only the
//! older version has. A newer version is one row of the table here.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ApiKey;
use uuid::Uuid;

use super::request_shape::split_group;
use crate::wire::primitives::{put_unsigned_varint, take_unsigned_varint};

/// A version that the crate with the messages does not have.
struct NewerVersion {
    api: ApiKey,
    version: i16,
    /// The version in which its request is decoded.
    request_as: i16,
    /// The version in which its answer is encoded.
    answer_as: i16,
    /// The shape of the request with its newer fields in braces; empty if it has none.
    request: &'static str,
    /// The same of the answer.
    answer: &'static str,
}

const NEWER_VERSIONS: &[NewerVersion] = &[
    // Whether a log dir is cordoned (KIP-1066).
    NewerVersion {
        api: ApiKey::DescribeLogDirs,
        version: 5,
        request_as: 4,
        answer_as: 4,
        request: "",
        answer: "42<2S<S<4881t>t>88{1}t>t",
    },
    // A special timestamp: -6 (KIP-1023).
    NewerVersion {
        api: ApiKey::ListOffsets,
        version: 11,
        request_as: 10,
        answer_as: 10,
        request: "",
        answer: "",
    },
    // Topics by id (KIP-848).
    NewerVersion {
        api: ApiKey::OffsetCommit,
        version: 10,
        request_as: 9,
        answer_as: 10,
        request: "S4SS<{88}+<484St>t>t",
        answer: "",
    },
    NewerVersion {
        api: ApiKey::OffsetFetch,
        version: 10,
        request_as: 9,
        answer_as: 10,
        request: "<SS4<{88}+<4>t>t>1t",
        answer: "",
    },
    // The version of the transaction protocol (KIP-1228).
    NewerVersion {
        api: ApiKey::WriteTxnMarkers,
        version: 2,
        request_as: 1,
        answer_as: 1,
        request: "<821<S<4>t>4{1}t>t",
        answer: "",
    },
    // Whether the answer may come before the change is committed (KIP-1186).
    NewerVersion {
        api: ApiKey::AddRaftVoter,
        version: 1,
        request_as: 0,
        answer_as: 0,
        request: "S4488<SS2t>{1}t",
        answer: "",
    },
    // How many records are acquired (KIP-1206), and whether locks are renewed (KIP-1222).
    NewerVersion {
        api: ApiKey::ShareFetch,
        version: 2,
        request_as: 1,
        answer_as: 1,
        request: "SS444444{11}<88<4<88<1>t>t>t><88<4>t>t",
        answer: "",
    },
    // Whether locks are renewed; the answer has their duration (KIP-1222).
    NewerVersion {
        api: ApiKey::ShareAcknowledge,
        version: 2,
        request_as: 1,
        answer_as: 1,
        request: "SS4{1}<88<4<88<1>t>t>t>t",
        answer: "42S{4}",
    },
    // How many records have been processed, for the lag (KIP-1226).
    NewerVersion {
        api: ApiKey::WriteShareGroupState,
        version: 1,
        request_as: 0,
        answer_as: 0,
        request: "S<88<4448{4}<8812t>t>t>t",
        answer: "",
    },
    NewerVersion {
        api: ApiKey::ReadShareGroupStateSummary,
        version: 1,
        request_as: 0,
        answer_as: 0,
        request: "",
        answer: "<88<42S448{4}t>t>t",
    },
    NewerVersion {
        api: ApiKey::DescribeShareGroupOffsets,
        version: 1,
        request_as: 0,
        answer_as: 0,
        request: "",
        answer: "4<S<S88<484{8}2St>t>2St>t",
    },
];

fn find(api: ApiKey, version: i16) -> Option<&'static NewerVersion> {
    NEWER_VERSIONS
        .iter()
        .find(|newer| newer.api == api && newer.version == version)
}

/// The version in which a request is decoded; the handler still sees the version that was sent.
pub(super) fn request_as(api: ApiKey, version: i16) -> i16 {
    find(api, version).map_or(version, |newer| newer.request_as)
}

/// The version in which an answer is encoded.
pub(super) fn answer_as(api: ApiKey, version: i16) -> i16 {
    find(api, version).map_or(version, |newer| newer.answer_as)
}

/// Splits a well-formed request into the bytes of its older version, and its newer fields one after the other.
pub(super) fn split_request(api: ApiKey, version: i16, body: BytesMut) -> Option<(Bytes, Bytes)> {
    let shape = find(api, version).map_or("", |newer| newer.request);
    if shape.is_empty() {
        return Some((body.freeze(), Bytes::new()));
    }
    let mut walk = Walk {
        from: &body,
        out: BytesMut::with_capacity(body.len()),
        newer: Newer::Cut(BytesMut::new()),
    };
    walk.fields(shape.as_bytes())?;
    let Newer::Cut(newer) = walk.newer else {
        return None;
    };
    Some((walk.out.freeze(), newer.freeze()))
}

/// The newer fields of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddedFields<'a> {
    /// One after the other, as bytes.
    pub(super) bytes: &'a [u8],
    /// The byte of all fields behind those, of entries that were refused before the handler saw them: 0xff for -1.
    pub(super) others: Option<u8>,
}

/// Puts newer fields into an answer that was encoded in its older version. `None`: there are too few.
pub(super) fn join_answer(
    api: ApiKey,
    version: i16,
    body: &[u8],
    newer: AddedFields<'_>,
) -> Option<BytesMut> {
    let shape = find(api, version).map_or("", |newer| newer.answer);
    let mut walk = Walk {
        from: body,
        out: BytesMut::with_capacity(body.len() + newer.bytes.len()),
        newer: Newer::Put(newer),
    };
    walk.fields(shape.as_bytes())?;
    // What follows the last newer field is copied.
    walk.out.put_slice(walk.from);
    Some(walk.out)
}

/// What happens to newer fields.
enum Newer<'a> {
    /// They are taken out of the bytes.
    Cut(BytesMut),
    /// They are put into the bytes.
    Put(AddedFields<'a>),
}

struct Walk<'a> {
    from: &'a [u8],
    out: BytesMut,
    newer: Newer<'a>,
}

impl Walk<'_> {
    fn fields(&mut self, mut shape: &[u8]) -> Option<()> {
        while let Some((field, after)) = shape.split_first() {
            shape = after;
            match field {
                b'1' | b'2' | b'4' | b'8' => self.copy(usize::from(field - b'0'))?,
                b'S' | b'B' => {
                    let length = self.varint()?;
                    self.copy(usize::try_from(length).ok()?.saturating_sub(1))?;
                }
                b't' => {
                    for _ in 0..self.varint()? {
                        self.varint()?;
                        let size = self.varint()?;
                        self.copy(usize::try_from(size).ok()?)?;
                    }
                }
                b'+' => self.out.put_u8(1),
                b'<' => {
                    let (element, after) = split_group(shape)?;
                    shape = after;
                    for _ in 1..self.varint()? {
                        self.fields(element)?;
                    }
                }
                b'{' => {
                    let end = shape.iter().position(|letter| *letter == b'}')?;
                    let size = shape
                        .get(..end)?
                        .iter()
                        .map(|digit| usize::from(digit - b'0'))
                        .sum();
                    shape = shape.get(end + 1..)?;
                    self.newer(size)?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn newer(&mut self, size: usize) -> Option<()> {
        match &mut self.newer {
            Newer::Cut(cut) => {
                cut.put_slice(self.from.get(..size)?);
                self.from = self.from.get(size..)?;
            }
            Newer::Put(fields) => {
                if let Some((field, rest)) = fields.bytes.split_at_checked(size) {
                    self.out.put_slice(field);
                    fields.bytes = rest;
                } else {
                    self.out.put_bytes(fields.others?, size);
                }
            }
        }
        Some(())
    }

    fn copy(&mut self, length: usize) -> Option<()> {
        self.out.put_slice(self.from.get(..length)?);
        self.from = self.from.get(length..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u32> {
        let value = take_unsigned_varint(&mut self.from)?;
        put_unsigned_varint(&mut self.out, value);
        Some(value)
    }
}

/// Reads newer fields in their order. A field that is missing is 0 or `None`.
#[derive(Clone, Debug)]
pub(super) struct NewerFields(Bytes);

impl NewerFields {
    pub(super) fn new(fields: &Bytes) -> Self {
        Self(fields.clone())
    }

    pub(super) fn int8(&mut self) -> i8 {
        self.0.try_get_i8().unwrap_or_default()
    }

    pub(super) fn bool(&mut self) -> bool {
        self.int8() != 0
    }

    pub(super) fn int32(&mut self) -> Option<i32> {
        self.0.try_get_i32().ok()
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        Uuid::from_u128(self.0.try_get_u128().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::apis;
    use super::*;

    /// The shape in the table of APIs is the one with the newer fields.
    #[test]
    fn the_shapes_agree_with_the_table() {
        for newer in NEWER_VERSIONS.iter().filter(|newer| !newer.request.is_empty()) {
            let api = apis::find(newer.api as i16, newer.version).expect("it is served");
            let plain: String = newer
                .request
                .chars()
                .filter(|letter| !"{}+".contains(*letter))
                .collect();
            assert_eq!(api.shape(newer.version), plain, "{:?}", newer.api);
            assert_eq!(api.decoded().into_inner().1, newer.version, "{:?}", newer.api);
        }
    }

    #[test]
    fn a_topic_id_is_cut_out_of_a_commit() {
        let id = Uuid::from_u128(7);
        // Group g, epoch -1, no member, no instance; one topic with partition 0 at offset 5; no tags.
        let mut body = BytesMut::from(&[2, b'g', 255, 255, 255, 255, 1, 0, 2][..]);
        body.put_slice(id.as_bytes());
        body.put_slice(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0]);
        let (older, newer) = split_request(ApiKey::OffsetCommit, 10, body).expect("a request");
        assert_eq!(NewerFields::new(&newer).uuid(), id);
        assert_eq!(
            older.get(..10),
            Some(&[2, b'g', 255, 255, 255, 255, 1, 0, 2, 1][..])
        );
        assert_eq!(older.get(10), Some(&2));
    }

    #[test]
    fn a_field_is_put_into_an_answer() {
        let answer = [0, 0, 0, 0, 0, 42, 0, 1, 1, 0];
        let joined = |bytes: &[u8], others| {
            join_answer(
                ApiKey::ShareAcknowledge,
                2,
                &answer,
                AddedFields { bytes, others },
            )
        };
        let expected = [0, 0, 0, 0, 0, 42, 0, 0, 0, 0x75, 0x30, 1, 1, 0];
        assert_eq!(
            joined(&30_000_i32.to_be_bytes(), None).as_deref(),
            Some(&expected[..])
        );
        let refused = [0, 0, 0, 0, 0, 42, 0, 255, 255, 255, 255, 1, 1, 0];
        assert_eq!(joined(&[], Some(0xff)).as_deref(), Some(&refused[..]));
        assert_eq!(joined(&[], None), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(row in 0_usize..NEWER_VERSIONS.len(), body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let newer = &NEWER_VERSIONS[row];
            let _ = split_request(newer.api, newer.version, BytesMut::from(&body[..]));
            let _ = join_answer(newer.api, newer.version, &body, AddedFields { bytes: &body, others: None });
        }
    }
}
