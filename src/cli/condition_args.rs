//! The flags that select records, shared by the commands that read records.

use clap::Args;

use super::times::parse_time;
use crate::filter::{self, Comparison, Expression, Field, Literal, Operand, Pattern};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Only some of them")]
pub(super) struct ConditionArgs {
    /// Only records that meet this condition; `kafkit help where` has the language
    #[arg(long = "where", value_name = "CONDITION", value_parser = condition)]
    condition: Option<Expression>,

    /// Only records whose value matches this regular expression
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    grep: Option<Expression>,

    /// Only records with this header, or with this value of it; may be repeated
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = header)]
    header: Vec<Expression>,

    /// Only records with this key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl ConditionArgs {
    /// The condition of the flags; `None` without any.
    pub(super) fn into_expression(self) -> Option<Expression> {
        let key = self.key.map(|key| equal(Field::Key, &key));
        let conditions = self.condition.into_iter().chain(self.grep).chain(key);
        Expression::all(conditions.chain(self.header))
    }
}

fn condition(text: &str) -> Result<Expression, String> {
    filter::parse(text, &parse_time).map_err(|error| error.to_string())
}

fn pattern(text: &str) -> Result<Expression, String> {
    Ok(Expression::Matches(Field::Value, Pattern::new(text)?))
}

/// `NAME=VALUE`, or `NAME` alone for any value.
fn header(text: &str) -> Result<Expression, String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the name of the header is missing".to_owned()),
        Some((name, value)) => Ok(equal(Field::Header(name.to_owned()), value)),
        None => Ok(Expression::Exists(Field::Header(text.to_owned()))),
    }
}

fn equal(field: Field, text: &str) -> Expression {
    let text = Operand::Literal(Literal::Text(text.to_owned()));
    Expression::Compare(Operand::Field(field), Comparison::Equal, text)
}
