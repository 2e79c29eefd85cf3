//! One file an API: request in, response out.
