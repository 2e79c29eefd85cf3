//! Checks one config value against its rule, with Kafka's messages about invalid values.

use super::{Kind, Rule, TopicConfig};

impl TopicConfig {
    /// Whether the value is valid for the config; the error is Kafka's message.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let trimmed = value.trim_matches(|character| character <= ' ');
        match self.kind {
            Kind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "true" | "false" => Ok(()),
                _ => Err(self.invalid(value, "Expected value to be either true or false")),
            },
            Kind::Int => match trimmed.parse::<i32>() {
                Ok(number) => self.check_number(number.into()),
                Err(_) => Err(self.not_a_number(value)),
            },
            Kind::Short => match trimmed.parse::<i16>() {
                Ok(number) => self.check_number(number.into()),
                Err(_) => Err(self.not_a_number(value)),
            },
            Kind::Long => match trimmed.parse::<i64>() {
                Ok(number) => self.check_number(number),
                Err(_) => Err(self.not_a_number(value)),
            },
            Kind::Double => match java_double(trimmed) {
                Some(number) => self.check_double(number),
                None => Err(self.not_a_number(value)),
            },
            Kind::String => self.check_word(trimmed),
            Kind::Class | Kind::Password => Ok(()),
            Kind::List if trimmed.is_empty() => Ok(()),
            Kind::List => self.check_list(trimmed),
        }
    }

    fn check_number(&self, number: i64) -> Result<(), String> {
        match self.rule {
            Rule::AtLeast(least) | Rule::Between(least, _) if number < least => {
                Err(self.invalid(number, &format!("Value must be at least {least}")))
            }
            Rule::Between(_, most) if number > most => {
                Err(self.invalid(number, &format!("Value must be no more than {most}")))
            }
            Rule::BetweenOr(least, most, other) if number != other && !(least..=most).contains(&number) => {
                Err(self.invalid(
                    number,
                    &format!("Value must be between {least} and {most} or equal to {other}"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Not-a-number breaks no rule, as in Java.
    fn check_double(&self, number: f64) -> Result<(), String> {
        match self.rule {
            Rule::Between(least, _) if number < least as f64 => Err(self.invalid(
                java_double_text(number),
                &format!("Value must be at least {least}"),
            )),
            Rule::Between(_, most) if number > most as f64 => Err(self.invalid(
                java_double_text(number),
                &format!("Value must be no more than {most}"),
            )),
            _ => Ok(()),
        }
    }

    fn check_word(&self, word: &str) -> Result<(), String> {
        match self.rule {
            Rule::OneOf(words) if !words.contains(&word) => {
                Err(self.invalid(word, &format!("String must be one of: {}", words.join(", "))))
            }
            _ => Ok(()),
        }
    }

    fn check_list(&self, list: &str) -> Result<(), String> {
        let words: Vec<&str> = list.split(',').map(str::trim).collect();
        match self.rule {
            Rule::OneOf(_) if words.contains(&"") => {
                Err(format!("Configuration '{}' values must not be empty.", self.name))
            }
            Rule::OneOf(_) => words.iter().try_for_each(|word| self.check_word(word)),
            Rule::ThrottledReplicas
                if words != ["*"] && !words.iter().all(|word| is_replica_or_empty(word)) =>
            {
                Err(self.invalid(
                    format_args!("[{}]", words.join(", ")),
                    &format!(
                        "{} must be the literal '*' or a list of replicas in the following format: \
                         [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                        self.name
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn not_a_number(&self, value: &str) -> String {
        let problem = format!("Not a number of type {}", self.kind.java_name());
        self.invalid(value, &problem)
    }

    fn invalid(&self, value: impl std::fmt::Display, problem: &str) -> String {
        format!("Invalid value {value} for configuration {}: {problem}", self.name)
    }
}

/// `partition:broker`, digits only; Kafka accepts an empty word.
fn is_replica_or_empty(word: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.is_empty()
        || word
            .split_once(':')
            .is_some_and(|(partition, broker)| is_digits(partition) && is_digits(broker))
}

/// Parses the texts that `Double.parseDouble` accepts, except hexadecimal notation: a trailing `f` or `d` is allowed,
/// the words are `NaN` and `Infinity`, and others that Rust would accept (`inf`, `nan`) are not.
pub fn java_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return text.parse().ok();
    }
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let last = number.bytes().last()?;
    (last.is_ascii_digit() || last == b'.')
        .then(|| number.parse().ok())
        .flatten()
}

/// `Double.toString`.
pub fn java_double_text(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN".to_owned()
        } else if number > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        };
    }
    if number == 0.0 || (1e-3..1e7).contains(&number.abs()) {
        return format!("{number:?}");
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}
