//! Which records are wanted: expressions such as `.id == 7 and headers.source ~ "^web"`.
//!
//! Owns the language (`lexer`, `parser`, `expression`), what it means (`evaluation`) and paths into JSON (`json_path`).
//! An expression is parsed once; evaluation reads the record's bytes in place and looks at nothing that is not asked for.
//! Holds no clock: who parses says what a time in words is.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod evaluation;
mod expression;
pub mod json_path;
mod lexer;
mod number;
mod parser;

pub use evaluation::Fields;
pub use expression::{Comparison, Expression, Field, Literal, Operand, Pattern};
pub use number::Number;
pub use parser::{ParseError, parse, parse_field};
