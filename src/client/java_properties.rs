//! Java's `.properties` syntax: escapes, line joins, and where each key stands.
