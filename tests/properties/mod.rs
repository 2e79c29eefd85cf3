//! Properties: what must hold for every input, checked with random ones.

mod broker_against_model;
mod compaction_against_model;
mod dump_log;
mod failing_disk;
mod filter;
mod group_state_machine;
mod log_against_model;
mod record_batch_roundtrip;
mod record_json_roundtrip;
mod segment_scan;
mod transaction_state_machine;
