//! Does the client reach a broker the way it was told to, and no weaker? Held against scripted brokers, because a
//! real one does not misbehave on demand.

mod absent_broker;
mod bad_network;
mod connection;
mod direct_lane;
mod large_batches;
mod lost_leader;
mod retries;
mod scripted_broker;
mod security;
