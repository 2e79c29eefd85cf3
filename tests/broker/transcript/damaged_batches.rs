//! Batches that no client writes: damaged, lying about themselves, or compressed by halves; every one with a right
//! checksum. And the same good records in every way that a codec may frame them.

use std::io::{self, Write};

use kafkit::records::batch_header::{self, BatchHeader};
use kafkit::records::varint::put_i64;
use kafkit::records::{Codec, compression};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use zstd::zstd_safe::CParameter;

use super::conversation::TIMESTAMP;

/// A record field by field, so that each can lie.
pub(super) struct Fields {
    pub(super) attributes: u8,
    pub(super) timestamp: i64,
    pub(super) offset: i64,
    pub(super) key: (i64, &'static [u8]),
    pub(super) value: (i64, &'static [u8]),
    /// The count, and what follows it.
    pub(super) headers: (i64, Vec<u8>),
    /// Added to the true length.
    pub(super) length: i64,
}

impl Fields {
    pub(super) fn at(offset: i64) -> Self {
        Self {
            attributes: 0,
            timestamp: offset * 10,
            offset,
            key: (1, b"k"),
            value: (5, b"hello"),
            headers: (0, Vec::new()),
            length: 0,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut fields = vec![self.attributes];
        put_i64(&mut fields, self.timestamp);
        put_i64(&mut fields, self.offset);
        for (length, bytes) in [self.key, self.value] {
            put_i64(&mut fields, length);
            fields.extend(bytes);
        }
        put_i64(&mut fields, self.headers.0);
        fields.extend(&self.headers.1);
        let mut record = Vec::new();
        put_i64(&mut record, fields.len() as i64 + self.length);
        record.extend(fields);
        record
    }
}

/// The second of three records is this one.
pub(super) fn around(change: impl Fn(&mut Fields)) -> Vec<u8> {
    let mut second = Fields::at(1);
    change(&mut second);
    [Fields::at(0).bytes(), second.bytes(), Fields::at(2).bytes()].concat()
}

/// Each of three records is changed so.
pub(super) fn all(change: impl Fn(&mut Fields)) -> Vec<u8> {
    let records = (0..3).map(|offset| {
        let mut fields = Fields::at(offset);
        change(&mut fields);
        fields.bytes()
    });
    records.collect::<Vec<_>>().concat()
}

pub(super) fn good() -> Vec<u8> {
    around(|_| {})
}

pub(super) fn packed(codec: Codec, records: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    compression::compress(codec, records, &mut packed).unwrap();
    packed
}

fn header(key: (i64, &[u8]), value: (i64, &[u8])) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (length, field) in [key, value] {
        put_i64(&mut bytes, length);
        bytes.extend(field);
    }
    bytes
}

/// A whole batch; its header is what `change` makes of the true one.
pub(super) fn batch(body: &[u8], change: impl Fn(&mut BatchHeader)) -> Vec<u8> {
    let mut header = BatchHeader {
        base_offset: 0,
        batch_length: (49 + body.len()) as i32,
        partition_leader_epoch: -1,
        magic: 2,
        crc: 0,
        attributes: 0,
        last_offset_delta: 2,
        base_timestamp: TIMESTAMP,
        max_timestamp: TIMESTAMP + 20,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        records_count: 3,
    };
    change(&mut header);
    let mut bytes = Vec::new();
    bytes.extend(header.base_offset.to_be_bytes());
    bytes.extend(header.batch_length.to_be_bytes());
    bytes.extend(header.partition_leader_epoch.to_be_bytes());
    bytes.extend(header.magic.to_be_bytes());
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend(header.attributes.to_be_bytes());
    bytes.extend(header.last_offset_delta.to_be_bytes());
    bytes.extend(header.base_timestamp.to_be_bytes());
    bytes.extend(header.max_timestamp.to_be_bytes());
    bytes.extend(header.producer_id.to_be_bytes());
    bytes.extend(header.producer_epoch.to_be_bytes());
    bytes.extend(header.base_sequence.to_be_bytes());
    bytes.extend(header.records_count.to_be_bytes());
    bytes.extend(body);
    batch_header::set_crc(&mut bytes);
    bytes
}

pub(super) fn of_codec(codec: Codec) -> impl Fn(&mut BatchHeader) {
    move |header| header.attributes = codec.id()
}

/// Bodies of three records that are not what they say, whatever they are compressed with.
pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let cut = |by: usize| good()[..good().len() - by].to_vec();
    let behind = |bytes: &[u8]| [&good(), bytes].concat();
    let mut bodies = vec![
        ("good", good()),
        ("no records", Vec::new()),
        ("no record at all", b"not a record at all".to_vec()),
        (
            "one record is missing",
            [Fields::at(0).bytes(), Fields::at(1).bytes()].concat(),
        ),
        ("one record too many", behind(&Fields::at(3).bytes())),
        ("one byte missing", cut(1)),
        ("five bytes missing", cut(5)),
        (
            "cut behind a length",
            [Fields::at(0).bytes(), Fields::at(1).bytes(), vec![0x18]].concat(),
        ),
        ("a zero byte behind", behind(&[0])),
        ("junk behind", behind(b"junk")),
        ("zeros", vec![0; 100]),
        (
            "offsets from 1",
            [1, 2, 3].map(|n| Fields::at(n).bytes()).concat(),
        ),
        ("offsets all 0", all(|f| f.offset = 0)),
        ("offsets backwards", all(|f| f.offset = 2 - f.offset)),
        ("offsets with a gap", all(|f| f.offset *= 5)),
        ("a negative offset", around(|f| f.offset = -7)),
        ("an offset of 64 bits", around(|f| f.offset = 1 << 40)),
        ("earlier than the base", all(|f| f.timestamp = -1000 * f.offset)),
        ("time before 1970", around(|f| f.timestamp = -TIMESTAMP - 5)),
        ("time of -1", all(|f| f.timestamp = -TIMESTAMP - 1)),
        ("time beyond 64 bits", around(|f| f.timestamp = i64::MAX)),
        ("time far ahead", around(|f| f.timestamp = 1 << 50)),
        ("attributes of a record", all(|f| f.attributes = 0xff)),
    ];
    bodies.extend(lengths());
    bodies.extend(fields());
    bodies
}

fn lengths() -> Vec<(&'static str, Vec<u8>)> {
    let led_by = |length: &[u8]| [length, good().get(1..).unwrap()].concat();
    vec![
        ("length 1 too long", around(|f| f.length = 1)),
        ("length 1 too short", around(|f| f.length = -1)),
        (
            "length of the last 1 too long",
            [
                Fields::at(0).bytes(),
                Fields::at(1).bytes(),
                Fields {
                    length: 1,
                    ..Fields::at(2)
                }
                .bytes(),
            ]
            .concat(),
        ),
        (
            "length of the last 1 too short",
            [
                Fields::at(0).bytes(),
                Fields::at(1).bytes(),
                Fields {
                    length: -1,
                    ..Fields::at(2)
                }
                .bytes(),
            ]
            .concat(),
        ),
        ("length 0", led_by(&[0])),
        ("length -1", led_by(&[1])),
        ("length of 1 MB", around(|f| f.length = 1_000_000)),
        ("length of 1 GB", around(|f| f.length = 1_000_000_000)),
        ("largest length", led_by(&[0xfe, 0xff, 0xff, 0xff, 0x0f])),
        ("length of six bytes", led_by(&[0x98, 0x80, 0x80, 0x80, 0x80, 0])),
        (
            "length with bits to spare",
            led_by(&[0x98, 0x80, 0x80, 0x80, 0x70]),
        ),
        ("length without end", led_by(&[0xff; 12])),
        (
            "length of five bytes that goes on",
            led_by(&[0x98, 0x80, 0x80, 0x80, 0x80]),
        ),
        (
            "length padded to five bytes",
            led_by(&[0x98, 0x80, 0x80, 0x80, 0]),
        ),
        (
            "an empty record",
            around(|f| {
                f.key = (-1, b"");
                f.value = (-1, b"");
            }),
        ),
        (
            "a length alone",
            [Fields::at(0).bytes(), vec![0], Fields::at(2).bytes()].concat(),
        ),
    ]
}

fn fields() -> Vec<(&'static str, Vec<u8>)> {
    let one = |key: (i64, &[u8]), value: (i64, &[u8])| around(|f| f.headers = (1, header(key, value)));
    let timestamp = |bytes: &[u8]| {
        let mut record = vec![0];
        record.extend(bytes);
        record.extend([2, 1, 1, 0]);
        let length = [(record.len() * 2) as u8];
        [
            &Fields::at(0).bytes(),
            &length[..],
            &record,
            &Fields::at(2).bytes(),
        ]
        .concat()
    };
    vec![
        ("key length -1", around(|f| f.key = (-1, b""))),
        ("key length -2", around(|f| f.key = (-2, b""))),
        (
            "smallest key length",
            around(|f| f.key = (i64::from(i32::MIN), b"")),
        ),
        ("key beyond the record", around(|f| f.key = (12, b"k"))),
        ("key beyond the batch", around(|f| f.key = (1000, b"k"))),
        ("largest key", around(|f| f.key = (i64::from(i32::MAX), b"k"))),
        ("value length -1", around(|f| f.value = (-1, b""))),
        ("value length -2", around(|f| f.value = (-2, b""))),
        ("value 1 too short", around(|f| f.value = (4, b"hello"))),
        ("value 1 too long", around(|f| f.value = (6, b"hello"))),
        ("value beyond the batch", around(|f| f.value = (3000, b"hello"))),
        ("header count -1", around(|f| f.headers = (-1, Vec::new()))),
        (
            "a header that is missing",
            around(|f| f.headers = (1, Vec::new())),
        ),
        (
            "more headers than bytes",
            around(|f| f.headers = (1000, Vec::new())),
        ),
        (
            "largest header count",
            around(|f| f.headers = (i64::from(i32::MAX), Vec::new())),
        ),
        (
            "fewer headers than there are",
            around(|f| f.headers = (0, header((1, b"h"), (1, b"v")))),
        ),
        ("a header", one((1, b"h"), (1, b"v"))),
        ("a header without a key", one((-1, b""), (1, b"v"))),
        ("a header with an empty key", one((0, b""), (1, b"v"))),
        ("a header without a value", one((1, b"h"), (-1, b""))),
        ("header value length -2", one((1, b"h"), (-2, b""))),
        ("header key beyond the record", one((9, b"h"), (1, b"v"))),
        ("header value beyond the record", one((1, b"h"), (9, b"v"))),
        ("header value beyond the batch", one((1, b"h"), (900, b"v"))),
        ("header key not UTF-8", one((2, b"\xff\xfe"), (1, b"v"))),
        (
            "time of ten bytes",
            timestamp(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ),
        (
            "time with bits to spare",
            timestamp(&[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e]),
        ),
        (
            "time of eleven bytes",
            timestamp(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ),
    ]
}

/// Compressed bytes that are none, or not whole.
pub(super) fn half_compressed(codec: Codec) -> Vec<(&'static str, Vec<u8>)> {
    let whole = packed(codec, &good());
    let cut = |to: usize| whole[..to].to_vec();
    let behind = |bytes: &[u8]| [&whole, bytes].concat();
    let mut first_changed = whole.clone();
    first_changed[0] ^= 1;
    let mut last_changed = whole.clone();
    *last_changed.last_mut().unwrap() ^= 1;
    let long = all(|f| f.value = (2000, &[b'v'; 2000]));
    let long_whole = packed(codec, &long);
    vec![
        ("no bytes", Vec::new()),
        ("one byte", cut(1)),
        ("eight bytes", cut(8)),
        ("half", cut(whole.len() / 2)),
        ("without the last six", cut(whole.len() - 6)),
        ("without the last", cut(whole.len() - 1)),
        ("not compressed", good()),
        ("not compressed at all", b"not compressed at all".to_vec()),
        ("first byte changed", first_changed),
        ("last byte changed", last_changed),
        ("a zero behind", behind(&[0])),
        ("junk behind", behind(b"junk behind the frame")),
        ("twice", behind(&whole)),
        (
            "in two frames",
            [packed(codec, &good()[..20]), packed(codec, &good()[20..])].concat(),
        ),
        ("long", long_whole.clone()),
        ("long, half", long_whole[..long_whole.len() / 2].to_vec()),
    ]
}

fn lz4(change: impl Fn(FrameInfo) -> FrameInfo, records: &[u8]) -> Vec<u8> {
    let independent = FrameInfo::new().block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(change(independent), Vec::new());
    encoder.write_all(records).unwrap();
    encoder.finish().unwrap()
}

fn zstd(
    level: i32,
    records: &[u8],
    set: impl Fn(&mut zstd::Encoder<'_, Vec<u8>>) -> io::Result<()>,
) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level).unwrap();
    set(&mut encoder).unwrap();
    encoder.write_all(records).unwrap();
    encoder.finish().unwrap()
}

/// Gzip whose header has `flags` and the fields for them.
fn gzip(flags: u8, fields: &[u8]) -> Vec<u8> {
    let mut whole = packed(Codec::Gzip, &good());
    whole[3] = flags;
    [&whole[..10], fields, &whole[10..]].concat()
}

pub(super) type Framing = (Codec, &'static str, Vec<u8>);

/// Three records that take more than a block of LZ4.
fn long() -> Vec<u8> {
    all(|f| f.value = (40_000, Box::leak(vec![b'v'; 40_000].into())))
}

/// The same records in every way that a codec has to frame them.
pub(super) fn framings() -> Vec<Framing> {
    [
        framings_of_snappy(),
        framings_of_lz4(),
        framings_of_zstd(),
        framings_of_gzip(),
    ]
    .concat()
}

fn framings_of_snappy() -> Vec<Framing> {
    let raw = snap::raw::Encoder::new().compress_vec(&good()).unwrap();
    vec![
        (Codec::Snappy, "one bare block", raw.clone()),
        (Codec::Snappy, "a bare block, cut", raw[..raw.len() - 1].to_vec()),
        (
            Codec::Snappy,
            "a bare block, a byte behind",
            [&raw[..], &[0]].concat(),
        ),
    ]
}

fn framings_of_lz4() -> Vec<Framing> {
    let of_lz4 = |change: fn(FrameInfo) -> FrameInfo| lz4(change, &good());
    let long = long();
    vec![
        (
            Codec::Lz4,
            "blocks in a row",
            of_lz4(|info| info.block_mode(BlockMode::Linked)),
        ),
        (
            Codec::Lz4,
            "block checksums",
            of_lz4(|info| info.block_checksums(true)),
        ),
        (
            Codec::Lz4,
            "content checksum",
            of_lz4(|info| info.content_checksum(true)),
        ),
        (
            Codec::Lz4,
            "content size",
            of_lz4(|info| info.content_size(Some(39))),
        ),
        (
            Codec::Lz4,
            "blocks of 4 MB",
            of_lz4(|info| info.block_size(BlockSize::Max4MB)),
        ),
        (
            Codec::Lz4,
            "more blocks than one",
            lz4(|info| info.block_size(BlockSize::Max64KB), &long),
        ),
    ]
}

fn framings_of_zstd() -> Vec<Framing> {
    let (records, long) = (good(), long());
    let window = |log: u32| {
        zstd(3, &good(), move |encoder| {
            encoder.set_parameter(CParameter::WindowLog(log))
        })
    };
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let of_zstd = packed(Codec::Zstd, &records);
    vec![
        (
            Codec::Zstd,
            "a checksum",
            zstd(3, &records, |encoder| encoder.include_checksum(true)),
        ),
        (Codec::Zstd, "level 22", zstd(22, &records, |_| Ok(()))),
        (Codec::Zstd, "level 22, long", zstd(22, &long, |_| Ok(()))),
        (Codec::Zstd, "a window of 8 MB", window(23)),
        (Codec::Zstd, "a window of 128 MB", window(27)),
        (Codec::Zstd, "a window of 256 MB", window(28)),
        (
            Codec::Zstd,
            "a frame to skip before",
            [&skippable[..], &of_zstd].concat(),
        ),
        (
            Codec::Zstd,
            "a frame to skip behind",
            [&of_zstd[..], &skippable].concat(),
        ),
        (Codec::Zstd, "no frame but one to skip", skippable),
    ]
}

fn framings_of_gzip() -> Vec<Framing> {
    let records = good();
    let header_crc = crc32fast::hash(&gzip(2, &[])[..10]) as u16;
    vec![
        (Codec::Gzip, "a name", gzip(8, b"name\0")),
        (Codec::Gzip, "a name without end", gzip(8, &[])),
        (Codec::Gzip, "a comment and a name", gzip(24, b"name\0comment\0")),
        (Codec::Gzip, "an extra field", gzip(4, &[3, 0, 1, 2, 3])),
        (
            Codec::Gzip,
            "a header checksum",
            gzip(2, &header_crc.to_le_bytes()),
        ),
        (Codec::Gzip, "a wrong header checksum", gzip(2, &[1, 2])),
        (
            Codec::Gzip,
            "a member of nothing behind",
            [packed(Codec::Gzip, &records), packed(Codec::Gzip, &[])].concat(),
        ),
        (
            Codec::Gzip,
            "a member of nothing before",
            [packed(Codec::Gzip, &[]), packed(Codec::Gzip, &records)].concat(),
        ),
    ]
}

/// A record whose value is `megabytes` of zeros, compressed as it is made.
pub(super) fn inflating(megabytes: usize) -> Vec<u8> {
    let length = megabytes << 20;
    let mut start = vec![0, 0, 0, 1];
    put_i64(&mut start, length as i64);
    let mut head = Vec::new();
    put_i64(&mut head, (start.len() + length + 1) as i64);
    head.extend(start);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&head).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..megabytes {
        encoder.write_all(&zeros).unwrap();
    }
    // No headers.
    encoder.write_all(&[0]).unwrap();
    encoder.finish().unwrap()
}
