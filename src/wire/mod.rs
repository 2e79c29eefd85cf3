//! The Kafka protocol on a connection; shared by client and broker. Owns framing, headers, version choice, TLS and SASL; owns no messages (those are kafka-protocol's).
