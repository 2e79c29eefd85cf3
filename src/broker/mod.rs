//! Socket to response: the mini broker.
