//! Which records are wanted: expressions such as `.id == 7 and headers.source ~ "^web"`.
//!
//! Owns the language (`lexer`, `parser`, `expression`), its meaning (`evaluation`), paths into JSON (`json_path`) and
//! the search in many records at once (`sieve`). An expression is parsed once; evaluation reads the record's bytes in
//! place, and only the fields that are needed. Holds no clock: the caller of the parser converts times in words.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod evaluation;
mod expression;
pub mod json_path;
mod lexer;
mod number;
mod parser;
mod sieve;

pub use evaluation::Fields;
pub use expression::{Comparison, Expression, Field, Literal, Operand, Pattern};
pub use number::Number;
pub use parser::{ParseError, parse, parse_field};
pub use sieve::Sieve;
