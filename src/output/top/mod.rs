//! The screen of `kafkit top`, and the same figures for a pipe.
//!
//! Owns layout, headings, JSON names and the terminal; the figures belong to `monitor`.

mod columns;
mod draw;
mod frame_lines;
mod grid;
mod help;
pub mod report;
pub mod screen;
#[cfg(test)]
mod tests;
