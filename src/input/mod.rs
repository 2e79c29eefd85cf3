//! Text to records: separators, JSON lines, line numbers of bad input.
