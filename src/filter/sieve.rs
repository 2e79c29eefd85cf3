//! The bytes that every matching record contains, to be searched for in many records at once.
//!
//! A pattern is matched against a field alone, where `^` and `\b` see its ends; among other bytes they see something
//! else. The search is therefore wider: without such assertions, and for matches of bounded length, so that no search
//! runs on through later records. A result is a candidate, for which the condition itself decides.

use regex::bytes::Regex;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::expression::{Comparison, Expression, Field, Literal, Operand};

/// The longest match of the search, in bytes.
const LONGEST: usize = 1024;

/// Finds records that may match a condition.
#[derive(Clone, Debug)]
pub struct Sieve(Regex);

impl Sieve {
    /// The start of the first candidate among the bytes of records: a record that ends before it does not match the
    /// condition; `None` if no record matches.
    pub fn find(&self, records: &[u8]) -> Option<usize> {
        self.0.find(records).map(|found| found.start())
    }
}

impl Expression {
    /// The sieve of this condition; `None` if it says too little about the bytes of a match.
    pub fn sieve(&self) -> Option<Sieve> {
        let needle = needle_of(self)?;
        if needle.properties().minimum_len().is_none_or(|least| least == 0) {
            return None;
        }
        Regex::new(&needle.to_string()).ok().map(Sieve)
    }
}

fn needle_of(expression: &Expression) -> Option<Hir> {
    match expression {
        Expression::And(one, other) => better(needle_of(one), needle_of(other)),
        Expression::Or(one, other) => Some(Hir::alternation(vec![needle_of(one)?, needle_of(other)?])),
        Expression::Matches(Field::Value | Field::Key | Field::Header(_), pattern) => {
            let mut parser = ParserBuilder::new().utf8(false).build();
            needle(&parser.parse(pattern.0.as_str()).ok()?)
        }
        Expression::Compare(
            Operand::Field(Field::Value | Field::Key | Field::Header(_)),
            Comparison::Equal,
            Operand::Literal(Literal::Text(text)),
        ) => Some(Hir::literal(text.as_bytes())),
        _ => None,
    }
}

/// A part that every match contains.
fn needle(hir: &Hir) -> Option<Hir> {
    let wider = without_assertions(hir);
    if is_short(&wider) {
        return Some(wider);
    }
    match hir.kind() {
        HirKind::Capture(capture) => needle(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needle(&repetition.sub),
        HirKind::Alternation(branches) => {
            let needles: Option<Vec<Hir>> = branches.iter().map(needle).collect();
            needles.map(Hir::alternation).filter(is_short)
        }
        HirKind::Concat(parts) => {
            let runs = parts.chunk_by(|one, next| {
                is_short(&without_assertions(one)) && is_short(&without_assertions(next))
            });
            let needles = runs.map(|run| match run {
                [part] => needle(part),
                run => Some(Hir::concat(run.iter().map(without_assertions).collect())).filter(is_short),
            });
            needles.reduce(better).flatten()
        }
        _ => None,
    }
}

/// The part that excludes more.
fn better(one: Option<Hir>, other: Option<Hir>) -> Option<Hir> {
    let least = |hir: &Option<Hir>| hir.as_ref().and_then(|hir| hir.properties().minimum_len());
    if least(&other) > least(&one) { other } else { one }
}

fn is_short(hir: &Hir) -> bool {
    let longest = hir.properties().maximum_len();
    longest.is_some_and(|longest| longest <= LONGEST)
}

fn without_assertions(hir: &Hir) -> Hir {
    let all = |parts: &[Hir]| parts.iter().map(without_assertions).collect();
    match hir.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Capture(capture) => without_assertions(&capture.sub),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_assertions(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(branches) => Hir::alternation(all(branches)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::parse;

    fn sieve(condition: &str) -> Option<Sieve> {
        let expression = parse(condition, &|_| Err(String::new())).expect(condition);
        expression.sieve()
    }

    #[test]
    fn what_is_looked_for_is_the_longest_part_that_every_match_has() {
        for (condition, found, passed) in [
            ("value ~ 'user-12345[0-7]\\b'", "user-123457x", "user-12345x"),
            (
                "value ~ '^no such words$'",
                "say no such words twice",
                "no such word",
            ),
            ("value ~ 'user.*de'", "user and no more", "use de"),
            ("value ~ '[0-9]+abc'", "abc", "ab1"),
            ("value ~ '(?i)Zürich'", "zÜRICH", "Zurich"),
            ("value ~ '(one.*|two)'", "two", "on tw"),
            ("key == 'k1'", "k1", "k2"),
            ("key == 'k1' or value ~ 'late'", "late", "k"),
            ("partition == 3 and value ~ 'late'", "late", "lat"),
            ("value ~ 'a' and headers.h ~ 'longer'", "longer", "a"),
        ] {
            let sieve = sieve(condition).expect(condition);
            assert!(sieve.find(found.as_bytes()).is_some(), "{condition}");
            assert!(sieve.find(passed.as_bytes()).is_none(), "{condition}");
        }
    }

    #[test]
    fn conditions_that_say_nothing_about_bytes_have_none() {
        for condition in [
            "value ~ '^$'",
            "value ~ 'a*'",
            "value ~ '.*'",
            "value ~ 'a|'",
            "not value ~ 'a'",
            "key == ''",
            "key == 17",
            "value != 'a'",
            ".name ~ 'a'",
            ".name == 'a'",
            "value ~ 'a' or partition == 3",
        ] {
            assert!(sieve(condition).is_none(), "{condition}");
        }
    }

    /// Patterns of all kinds over few letters, so that they often match.
    fn pattern() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "b",
            "ab",
            "[ab]",
            ".",
            "^",
            "$",
            r"\b",
            r"\B",
            "(?m:^)",
            "(?m:$)",
            r"(?-u:[\x00-\xff])",
            r"\w",
            r"\W",
            "(?s:.)",
        ]);
        let pieces = prop::collection::vec(
            (
                piece,
                prop::sample::select(vec!["", "", "*", "+", "?", "{2,}", "*?"]),
            ),
            1..5,
        );
        let branch = pieces.prop_map(|pieces| {
            let pieces = pieces.iter().map(|(piece, times)| format!("(?:{piece}){times}"));
            pieces.collect::<Vec<_>>().concat()
        });
        prop::collection::vec(branch, 1..3).prop_map(|branches| branches.join("|"))
    }

    proptest! {
        #[test]
        fn no_value_that_matches_ends_before_the_first_candidate(
            pattern in pattern(),
            values in prop::collection::vec(prop::collection::vec(prop::sample::select(b"aab \n\xff".to_vec()), 0..6), 1..6),
        ) {
            let condition = Expression::Matches(Field::Value, super::super::expression::Pattern::new(&pattern).unwrap());
            let Expression::Matches(_, compiled) = &condition else { unreachable!() };
            if let Some(sieve) = condition.sieve() {
                let all = values.concat();
                let first = sieve.find(&all).unwrap_or(usize::MAX);
                let mut end = 0;
                for value in &values {
                    end += value.len();
                    prop_assert!(!compiled.0.is_match(value) || end > first, "{pattern} in {values:?}");
                }
            }
        }
    }
}
