//! A Fetch response encoded by hand: everything but the records in memory, the records as ranges of their segments.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Fetch>

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::protocol::HeaderVersion;
use std::os::unix::fs::FileExt;
use uuid::Uuid;

use crate::broker::call::RequestContext;
use crate::broker::refusal::Refusal;
use crate::broker::response::{self, Answer, Piece};
use crate::storage::LogSlice;
use crate::storage::transaction_index::AbortedTransaction;
use crate::wire::primitives::put_unsigned_varint;

/// Shorter ranges are read into the response: that takes one system call less than sending them from the file.
const READ_BELOW: usize = 16 * 1024;

/// The answer for one partition.
#[derive(Debug)]
pub(in crate::broker) struct PartitionAnswer {
    pub(in crate::broker) partition: i32,
    pub(in crate::broker) error: i16,
    pub(in crate::broker) high_watermark: i64,
    pub(in crate::broker) last_stable_offset: i64,
    pub(in crate::broker) log_start_offset: i64,
    /// Whether the list of aborted transactions is sent, even if it is empty: only with `read_committed`; otherwise
    /// null.
    pub(in crate::broker) lists_aborted: bool,
    pub(in crate::broker) aborted: Vec<AbortedTransaction>,
    pub(in crate::broker) records: Option<LogSlice>,
    /// A replica nearer to the client; -1 if there is none.
    pub(in crate::broker) preferred_replica: i32,
    /// Leader and leader epoch, if the client's are outdated.
    pub(in crate::broker) current_leader: Option<(i32, i32)>,
    /// If the client's log diverges: the largest epoch that is not above the one of its last record, and that epoch's
    /// end.
    pub(in crate::broker) diverging_epoch: Option<(i32, i64)>,
}

/// The address of a broker in an answer.
#[derive(Clone, Debug)]
pub(in crate::broker) struct NodeAddress {
    pub(in crate::broker) id: i32,
    pub(in crate::broker) host: String,
    pub(in crate::broker) port: u16,
    pub(in crate::broker) rack: Option<String>,
}

impl PartitionAnswer {
    pub(in crate::broker) fn error(partition: i32, error: i16) -> Self {
        Self {
            partition,
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            lists_aborted: false,
            aborted: Vec::new(),
            records: None,
            preferred_replica: -1,
            current_leader: None,
            diverging_epoch: None,
        }
    }

    /// The size of the records in bytes.
    pub(in crate::broker) fn size(&self) -> usize {
        self.records.as_ref().map_or(0, |records| records.length)
    }
}

impl TopicAnswer {
    /// Whether this is the entry for the topic of this id, or of this name if there is no id.
    pub(in crate::broker) fn is_of(&self, id: Uuid, name: &str) -> bool {
        self.id == id && (!id.is_nil() || self.name == name)
    }
}

/// Consecutive partitions of one topic in the answer.
#[derive(Debug)]
pub(in crate::broker) struct TopicAnswer {
    pub(in crate::broker) name: String,
    pub(in crate::broker) id: Uuid,
    pub(in crate::broker) partitions: Vec<PartitionAnswer>,
}

/// Encodes the whole frame.
pub(in crate::broker) fn encode(
    context: &RequestContext,
    error: i16,
    session_id: i32,
    topics: Vec<TopicAnswer>,
    leaders: &[NodeAddress],
) -> Result<Answer, Refusal> {
    let version = context.version;
    let header = FetchResponse::header_version(version);
    let mut writer = Writer {
        head: response::start_frame(context.correlation_id, header, 256),
        pieces: Vec::new(),
        ranges: 0,
        flexible: version >= 12,
    };
    writer.head.put_i32(context.throttle.ms());
    if version >= 7 {
        writer.head.put_i16(error);
        writer.head.put_i32(session_id);
    }
    writer.length(topics.len());
    for topic in topics {
        if version >= 13 {
            writer.head.put_slice(topic.id.as_bytes());
        } else {
            writer.string(&topic.name);
        }
        writer.length(topic.partitions.len());
        for partition in topic.partitions {
            writer.partition(version, partition)?;
        }
        writer.no_tags();
    }
    writer.node_endpoints(version, leaders);
    writer.finish()
}

struct Writer {
    head: BytesMut,
    pieces: Vec<Piece>,
    /// The bytes in pieces that are ranges of files.
    ranges: usize,
    flexible: bool,
}

impl Writer {
    fn partition(&mut self, version: i16, answer: PartitionAnswer) -> Result<(), Refusal> {
        self.head.put_i32(answer.partition);
        self.head.put_i16(answer.error);
        self.head.put_i64(answer.high_watermark);
        self.head.put_i64(answer.last_stable_offset);
        if version >= 5 {
            self.head.put_i64(answer.log_start_offset);
        }
        match (answer.lists_aborted, self.flexible) {
            (true, _) => self.aborted(&answer.aborted),
            (false, true) => self.head.put_u8(0),
            (false, false) => self.head.put_i32(-1),
        }
        if version >= 11 {
            self.head.put_i32(answer.preferred_replica);
        }
        self.length(answer.size());
        if let Some(LogSlice {
            file: Some(file),
            position,
            length,
        }) = answer.records
        {
            if length < READ_BELOW {
                let start = self.head.len();
                self.head.resize(start + length, 0);
                file.read_exact_at(self.head.get_mut(start..).unwrap_or_default(), position)
                    .map_err(|error| Refusal::new(format!("records cannot be read: {error}")))?;
            } else {
                self.pieces.push(Piece::Bytes(self.head.split().freeze()));
                self.pieces.push(Piece::Range {
                    file,
                    position,
                    length,
                });
                self.ranges += length;
            }
        }
        if self.flexible {
            self.tags_of_partition(answer.diverging_epoch, answer.current_leader);
        }
        Ok(())
    }

    /// The tagged fields of a partition, in ascending order; each ends with an empty list of tagged fields of its own.
    fn tags_of_partition(&mut self, diverging_epoch: Option<(i32, i64)>, current_leader: Option<(i32, i32)>) {
        let count = u8::from(diverging_epoch.is_some()) + u8::from(current_leader.is_some());
        self.head.put_u8(count);
        if let Some((epoch, end_offset)) = diverging_epoch {
            self.head.put_slice(&[0, 13]);
            self.head.put_i32(epoch);
            self.head.put_i64(end_offset);
            self.head.put_u8(0);
        }
        if let Some((leader, epoch)) = current_leader {
            self.head.put_slice(&[1, 9]);
            self.head.put_i32(leader);
            self.head.put_i32(epoch);
            self.head.put_u8(0);
        }
    }

    /// The addresses of the leaders in the answer: its only tagged field, number 0.
    fn node_endpoints(&mut self, version: i16, leaders: &[NodeAddress]) {
        if version < 16 || leaders.is_empty() {
            return self.no_tags();
        }
        let mut field = Writer {
            head: BytesMut::new(),
            pieces: Vec::new(),
            ranges: 0,
            flexible: true,
        };
        field.length(leaders.len());
        for leader in leaders {
            field.head.put_i32(leader.id);
            field.string(&leader.host);
            field.head.put_i32(i32::from(leader.port));
            match &leader.rack {
                Some(rack) => field.string(rack),
                None => field.head.put_u8(0),
            }
            field.no_tags();
        }
        self.head.put_slice(&[1, 0]);
        put_unsigned_varint(&mut self.head, u32::try_from(field.head.len()).unwrap_or(0));
        self.head.put_slice(&field.head);
    }

    fn aborted(&mut self, transactions: &[AbortedTransaction]) {
        self.length(transactions.len());
        for transaction in transactions {
            self.head.put_i64(transaction.producer_id);
            self.head.put_i64(transaction.first_offset);
            self.no_tags();
        }
    }

    fn length(&mut self, length: usize) {
        if self.flexible {
            put_unsigned_varint(&mut self.head, length as u32 + 1);
        } else {
            self.head.put_i32(length as i32);
        }
    }

    fn string(&mut self, string: &str) {
        if self.flexible {
            put_unsigned_varint(&mut self.head, string.len() as u32 + 1);
        } else {
            self.head.put_i16(string.len() as i16);
        }
        self.head.put_slice(string.as_bytes());
    }

    fn no_tags(&mut self) {
        if self.flexible {
            self.head.put_u8(0);
        }
    }

    /// Writes the length at the front.
    fn finish(mut self) -> Result<Answer, Refusal> {
        if self.pieces.is_empty() {
            response::finish_frame(&mut self.head, 0)?;
            return Ok(Answer::Frame(self.head));
        }
        let in_memory = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Range { .. } => 0,
        };
        let total = self.pieces.iter().map(in_memory).sum::<usize>() + self.head.len() + self.ranges;
        if let Some(Piece::Bytes(first)) = self.pieces.first_mut() {
            let mut bytes = BytesMut::from(std::mem::take(first));
            let own = bytes.len();
            response::finish_frame(&mut bytes, total - own)?;
            *first = bytes.freeze();
        }
        if !self.head.is_empty() {
            self.pieces.push(Piece::Bytes(self.head.freeze()));
        }
        Ok(Answer::Pieces(self.pieces))
    }
}
