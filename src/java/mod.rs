//! Behaviour of the Java runtime that is visible in what Kafka's tools accept and print.

pub mod base64;
pub mod classes;
pub mod date_format;
pub mod hash_order;
pub mod hash_set_order;
pub mod json_refusal;
pub mod number;
pub mod re2;
pub mod regex;
pub mod scanner;
pub mod split;
pub mod time;
pub mod uuid;
