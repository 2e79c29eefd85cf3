//! Tokens to an expression: `or` binds weakest, then `and`, then `not`.

use std::fmt;

use super::expression::{Comparison, Expression, Field, Literal, Operand, Pattern};
use super::lexer::{Problem, Token, tokens};
use super::number::Number;

/// How deep parentheses and `not` may be nested: parsing and evaluation recurse.
const DEEPEST: usize = 100;

/// The most conditions of one expression: `and` and `or` nest to the left.
const LONGEST: usize = 1000;

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The position, in letters from 1.
    pub column: usize,
    pub problem: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at column {}: {}", self.column, self.problem)
    }
}

impl std::error::Error for ParseError {}

/// Parses an expression. `time` converts a time in words to milliseconds since 1970.
pub fn parse(text: &str, time: &dyn Fn(&str) -> Result<i64, String>) -> Result<Expression, ParseError> {
    let problem_at = |problem| error_at(text, problem);
    let mut parser = Parser::new(text, time).map_err(problem_at)?;
    let expression = parser.either().map_err(problem_at)?;
    match parser.peek() {
        None => Ok(expression),
        Some(Token::Close) => Err(problem_at((parser.place(), "nothing was opened here".to_owned()))),
        Some(_) => Err(problem_at((
            parser.place(),
            "\"and\" or \"or\" is missing before this".to_owned(),
        ))),
    }
}

/// Parses the name of a field, such as `.user.id` or `headers.source`.
pub fn parse_field(text: &str) -> Result<Field, ParseError> {
    let problem_at = |problem| error_at(text, problem);
    let no_time = |_: &str| Err("no time is wanted here".to_owned());
    let mut parser = Parser::new(text, &no_time).map_err(problem_at)?;
    let field = parser.field("this").map_err(problem_at)?;
    match parser.peek() {
        None => Ok(field),
        Some(_) => Err(problem_at((
            parser.place(),
            "one field is wanted, and nothing behind it".to_owned(),
        ))),
    }
}

fn error_at(text: &str, (place, problem): Problem) -> ParseError {
    ParseError {
        column: text.get(..place).map_or(0, |before| before.chars().count()) + 1,
        problem,
    }
}

struct Parser<'t> {
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// The position after the last token.
    end: usize,
    depth: usize,
    conditions: usize,
    time: &'t dyn Fn(&str) -> Result<i64, String>,
}

impl<'t> Parser<'t> {
    fn new(text: &str, time: &'t dyn Fn(&str) -> Result<i64, String>) -> Result<Self, Problem> {
        Ok(Self {
            tokens: tokens(text)?,
            next: 0,
            end: text.trim_end().len(),
            depth: 0,
            conditions: 0,
            time,
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(place, _)| *place)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.next += usize::from(is_it);
        is_it
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is_it = self.peek() == Some(token);
        self.next += usize::from(is_it);
        is_it
    }

    fn either(&mut self) -> Result<Expression, Problem> {
        let mut expression = self.both()?;
        while self.takes_word("or") {
            let other = self.both()?;
            expression = Expression::Or(Box::new(expression), Box::new(other));
        }
        Ok(expression)
    }

    fn both(&mut self) -> Result<Expression, Problem> {
        let mut expression = self.negation()?;
        while self.takes_word("and") {
            let other = self.negation()?;
            expression = Expression::And(Box::new(expression), Box::new(other));
        }
        Ok(expression)
    }

    fn negation(&mut self) -> Result<Expression, Problem> {
        let place = self.place();
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((place, "this is nested too deeply".to_owned()));
        }
        let expression = if self.takes_word("not") {
            Expression::Not(Box::new(self.negation()?))
        } else if self.takes(&Token::Open) {
            let inner = self.either()?;
            if !self.takes(&Token::Close) {
                return Err((self.place(), "a closing parenthesis is missing".to_owned()));
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn condition(&mut self) -> Result<Expression, Problem> {
        let place = self.place();
        self.conditions += 1;
        if self.conditions > LONGEST {
            return Err((place, "these are too many conditions".to_owned()));
        }
        if self.takes_word("exists") {
            return self.field("exists").map(Expression::Exists);
        }
        let left = self.operand()?;
        let sign_at = self.place();
        if let Some(Token::Sign(comparison)) = self.peek() {
            let comparison = *comparison;
            self.next += 1;
            let right = self.operand()?;
            return self.comparison((place, left), comparison, right);
        }
        let Operand::Field(field) = left else {
            return Err((sign_at, "a comparison is missing here".to_owned()));
        };
        if self.takes_word("exists") {
            return Ok(Expression::Exists(field));
        }
        if self.takes(&Token::Tilde) {
            return Ok(Expression::Matches(field, self.pattern()?));
        }
        if self.takes(&Token::NotTilde) {
            let matches = Expression::Matches(field, self.pattern()?);
            return Ok(Expression::Not(Box::new(matches)));
        }
        let is_negated = self.takes_word("not");
        if self.takes_word("in") {
            let within = Expression::In(field.clone(), self.literals(&field)?);
            return Ok(if is_negated {
                Expression::Not(Box::new(within))
            } else {
                within
            });
        }
        let wanted = "a comparison is missing here: ==, !=, <, <=, >, >=, ~, in or exists";
        Err((sign_at, wanted.to_owned()))
    }

    /// A comparison; texts are times if they are compared with a time.
    fn comparison(
        &self,
        (place, left): (usize, Operand),
        comparison: Comparison,
        right: Operand,
    ) -> Result<Expression, Problem> {
        let is_time = |operand: &Operand| *operand == Operand::Field(Field::Time);
        let (left, right) = match (is_time(&left), is_time(&right)) {
            (true, _) => (left, self.time_of(right, self.last_place())?),
            (_, true) => (self.time_of(left, place)?, right),
            _ => (left, right),
        };
        Ok(Expression::Compare(left, comparison, right))
    }

    fn last_place(&self) -> usize {
        let last = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or(self.end, |(place, _)| *place)
    }

    fn time_of(&self, operand: Operand, place: usize) -> Result<Operand, Problem> {
        match operand {
            Operand::Literal(Literal::Text(text)) => {
                let time = (self.time)(&text).map_err(|problem| (place, problem))?;
                Ok(Operand::Literal(Literal::Number(Number::Whole(time))))
            }
            operand => Ok(operand),
        }
    }

    fn operand(&mut self) -> Result<Operand, Problem> {
        let place = self.place();
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(*number),
            Some(Token::Word(word)) if word == "true" => Literal::Bool(true),
            Some(Token::Word(word)) if word == "false" => Literal::Bool(false),
            Some(Token::Word(word)) if word == "null" => Literal::Null,
            None => return Err((place, "something is missing at the end".to_owned())),
            Some(_) => return self.field("a comparison").map(Operand::Field),
        };
        self.next += 1;
        Ok(Operand::Literal(literal))
    }

    fn field(&mut self, wanted_by: &str) -> Result<Field, Problem> {
        let place = self.place();
        match self.take() {
            Some(Token::Path(path)) => Ok(Field::Path(path)),
            Some(Token::Header(name)) => Ok(Field::Header(name)),
            Some(Token::Word(word)) => field_named(&word).ok_or_else(|| {
                let problem = format!(
                    "\"{word}\" is no field; fields are .path (of the value's JSON), value, key, headers.NAME, topic, \
                     partition, offset and time, and a text stands in quotation marks"
                );
                (place, problem)
            }),
            _ => Err((place, format!("{wanted_by} wants a field here, such as .id or key"))),
        }
    }

    fn pattern(&mut self) -> Result<Pattern, Problem> {
        let place = self.place();
        let Some(Token::Text(text)) = self.take() else {
            return Err((
                place,
                "~ wants a regular expression in quotation marks".to_owned(),
            ));
        };
        Pattern::new(&text).map_err(|problem| (place, format!("this is no regular expression: {problem}")))
    }

    /// `(1, 2, 3)`.
    fn literals(&mut self, field: &Field) -> Result<Vec<Literal>, Problem> {
        if !self.takes(&Token::Open) {
            let problem = "in wants a list in parentheses, such as (1, 2, 3)";
            return Err((self.place(), problem.to_owned()));
        }
        let mut literals = Vec::new();
        loop {
            let place = self.place();
            let operand = self.operand()?;
            let operand = match field {
                Field::Time => self.time_of(operand, place)?,
                _ => operand,
            };
            let Operand::Literal(literal) = operand else {
                return Err((place, "a list holds numbers and texts".to_owned()));
            };
            literals.push(literal);
            if self.takes(&Token::Close) {
                return Ok(literals);
            }
            if !self.takes(&Token::Comma) {
                let problem = "a comma or a closing parenthesis is missing here";
                return Err((self.place(), problem.to_owned()));
            }
        }
    }
}

fn field_named(word: &str) -> Option<Field> {
    match word {
        "value" => Some(Field::Value),
        "key" => Some(Field::Key),
        "topic" => Some(Field::Topic),
        "partition" => Some(Field::Partition),
        "offset" => Some(Field::Offset),
        "time" | "timestamp" => Some(Field::Time),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Result<i64, String> {
        match text {
            "noon" => Ok(43_200_000),
            _ => Err(format!("\"{text}\" is no time")),
        }
    }

    fn printed(text: &str) -> String {
        parse(text, &time).map_or_else(|error| error.to_string(), |expression| expression.to_string())
    }

    #[test]
    fn a_field_stands_alone() {
        for (text, read) in [
            (".user.id", ".user.id"),
            ("headers.source", "headers.source"),
            (" key ", "key"),
            (
                ".a == 1",
                "at column 4: one field is wanted, and nothing behind it",
            ),
            ("", "at column 1: this wants a field here, such as .id or key"),
        ] {
            let found = parse_field(text);
            let found = found.map_or_else(|error| error.to_string(), |field| field.to_string());
            assert_eq!(found, read, "{text}");
        }
    }

    #[test]
    fn and_binds_stronger_than_or_and_not_strongest() {
        for (text, meaning) in [
            (
                ".a == 1 or .b == 2 and not .c == 3",
                "(.a == 1 or (.b == 2 and not .c == 3))",
            ),
            (
                "(.a<1 or .b>=2)and key!='x'",
                r#"((.a < 1 or .b >= 2) and key != "x")"#,
            ),
            (
                r#".id == 7 and headers.source ~ "^web""#,
                r#"(.id == 7 and headers.source ~ "^web")"#,
            ),
            ("exists .a or headers.b exists", "(exists .a or exists headers.b)"),
            (
                ".a not in (1, 'x', true, null)",
                r#"not .a in (1, "x", true, null)"#,
            ),
            (
                ".a !~ '^x' and value =~ 'y'",
                r#"(not .a ~ "^x" and value ~ "y")"#,
            ),
            ("time >= 'noon'", "time >= 43200000"),
            ("'noon' < time", "43200000 < time"),
            ("time in ('noon', 5)", "time in (43200000, 5)"),
            ("timestamp > -1.5", "time > -1.5"),
        ] {
            assert_eq!(printed(text), meaning, "{text}");
        }
    }

    #[test]
    fn an_error_points_at_the_place() {
        for (text, column) in [
            ("", 1),
            ("  ", 1),
            (".id", 4),
            (".id = 7", 5),
            (".id == ", 7),
            (".id == 7x", 8),
            (".ü == 1 and x == 2", 13),
            (".a == 1 .b == 2", 9),
            ("(.a == 1", 9),
            (".a == 1)", 8),
            (".a ~ '('", 6),
            (".a ~ 7", 6),
            (".a in 1", 7),
            (".a in (1 2)", 10),
            (".a in (.b)", 8),
            ("time > 'soon'", 8),
            ("exists 7", 8),
            (".a == 'x", 7),
            (".a && .b", 4),
            ("7", 2),
        ] {
            let error = parse(text, &time).expect_err(text);
            assert_eq!(error.column, column, "{text}: {error}");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let deep = |count| "(".repeat(count) + ".a == 1" + &")".repeat(count);
        assert!(parse(&deep(50), &time).is_ok());
        assert!(parse(&deep(100_000), &time).is_err());
        assert!(parse(&("not ".repeat(100_000) + ".a == 1"), &time).is_err());
        assert!(parse(&".a == 1 or ".repeat(100_000), &time).is_err());
    }
}
