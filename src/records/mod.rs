//! The record batch as bytes; shared by storage, broker and dump-log. No file, no socket, no clock.
