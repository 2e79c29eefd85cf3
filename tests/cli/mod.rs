//! Does each command do what it says?

mod version;
