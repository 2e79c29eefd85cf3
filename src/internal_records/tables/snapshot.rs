//! The schemas of producer snapshot files.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, NEVER, Struct, field};

const PRODUCER_SNAPSHOT_PRODUCER_ENTRY: Struct = Struct {
    name: "ProducerEntry",
    versions: (1, 1),
    fields: &[
        field("producerId", Kind::Int64).since(1),
        field("epoch", Kind::Int16).since(1),
        field("lastSequence", Kind::Int32).since(1),
        field("lastOffset", Kind::Int64).since(1),
        field("offsetDelta", Kind::Int32).since(1),
        field("timestamp", Kind::Int64).since(1),
        field("coordinatorEpoch", Kind::Int32).since(1),
        field("currentTxnFirstOffset", Kind::Int64).since(1),
    ],
};

pub(in crate::internal_records) const PRODUCER_SNAPSHOT: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ProducerSnapshot",
        versions: (1, 1),
        fields: &[
            field("crc", Kind::Uint32).since(1),
            field(
                "producerEntries",
                Kind::Array(&Kind::Struct(&PRODUCER_SNAPSHOT_PRODUCER_ENTRY)),
            )
            .since(1),
        ],
    },
};
