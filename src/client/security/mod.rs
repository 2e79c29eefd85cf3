//! From settings to TLS and SASL: stores, login modules, tokens.

pub mod jaas;
mod jks;
mod key_store;
