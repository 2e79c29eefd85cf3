//! One node of a cluster: the replicas in its log dirs.
//!
//! Owns what a replica knows of its own log and its role. What is true of the whole cluster is in cluster/, the files
//! are storage's.

pub mod replica;
