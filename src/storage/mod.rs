//! A log dir on disk, in Apache Kafka's own formats; shared by broker and dump-log. Owns every file name.

pub mod segment_scan;
