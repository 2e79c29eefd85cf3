//! Shows records to a visitor: a message of librdkafka, and the stored batches before one that it cannot
//! read.

use std::ops::ControlFlow;

use bytes::Bytes;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _, Timestamp};

use crate::client::batch_inspection::BATCH_LIMIT;
use crate::client::record_sink::HeaderView;
use crate::client::record_source::{ConsumedRecord, RecordVisitor, TimestampType};
use crate::error::{Error, Result};
use crate::records::{Batches, batch_header};
use crate::topic_partition::Offset;

/// Headers of a record that are shown without an allocation.
const INLINE_HEADERS: usize = 16;

/// Shows one record with its headers, which are on the stack unless they are many.
pub(super) fn show(
    message: &BorrowedMessage<'_>,
    visitor: &mut dyn RecordVisitor,
) -> Result<ControlFlow<()>> {
    const NONE: HeaderView<'static> = HeaderView {
        name: "",
        value: None,
    };
    let mut inline = [NONE; INLINE_HEADERS];
    let mut many = Vec::new();
    let mut count = 0;
    if let Some(headers) = message.headers().filter(|_| visitor.wants_headers()) {
        let views = headers.iter().map(|header| HeaderView {
            name: header.key,
            value: header.value,
        });
        count = headers.count();
        if count > INLINE_HEADERS {
            many.extend(views);
        } else {
            for (room, view) in inline.iter_mut().zip(views) {
                *room = view;
            }
        }
    }
    let headers = if many.is_empty() {
        inline.get(..count).unwrap_or_default()
    } else {
        &many
    };
    let (timestamp, timestamp_type) = match message.timestamp() {
        Timestamp::NotAvailable => (-1, TimestampType::None),
        Timestamp::CreateTime(time) => (time, TimestampType::CreateTime),
        Timestamp::LogAppendTime(time) => (time, TimestampType::LogAppendTime),
    };
    visitor.record(&ConsumedRecord {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp,
        timestamp_type,
        key: message.key(),
        value: message.payload(),
        headers,
    })
}

/// Shows the records of stored batches from an offset on; with `only_committed` none of transactions, since
/// their outcome is not known here.
pub(super) fn show_stored(
    batches: &[Bytes],
    (topic, partition, offset): (&str, i32, Offset),
    only_committed: bool,
    visitor: &mut dyn RecordVisitor,
) -> Result<()> {
    let mut scratch = Vec::new();
    for batch in batches.iter().flat_map(|bytes| Batches::new(bytes).take(1)) {
        let batch = batch?;
        if batch.header.is_control() || (only_committed && batch.header.is_transactional()) {
            continue;
        }
        let timestamp_type = match batch.header.timestamp_type() {
            batch_header::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
            batch_header::TimestampType::CreateTime => TimestampType::CreateTime,
            batch_header::TimestampType::NoTimestampType => TimestampType::None,
        };
        let records = batch
            .records(&mut scratch, BATCH_LIMIT)
            .map_err(Error::bad_data)?;
        for record in records {
            let record = record.map_err(Error::bad_data)?;
            if record.offset < offset {
                continue;
            }
            let headers: Vec<HeaderView<'_>> = record
                .headers
                .map(|header| HeaderView {
                    name: std::str::from_utf8(header.key).unwrap_or_default(),
                    value: header.value,
                })
                .collect();
            let flow = visitor.record(&ConsumedRecord {
                topic,
                partition,
                offset: record.offset,
                timestamp: record.timestamp,
                timestamp_type,
                key: record.key,
                value: record.value,
                headers: &headers,
            })?;
            if flow.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
