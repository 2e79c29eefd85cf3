//! Socket to response: the mini broker.

pub mod group;
