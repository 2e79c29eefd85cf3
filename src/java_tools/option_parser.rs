//! The option rules of the library joptsimple 5, which Apache Kafka's tools use, driven by a table.
//!
//! Owns how words become options: `--name value`, `--name=value`, one dash as well as two, `--` as the end, stray words
//! ignored, no abbreviations, and errors about a value only when the value is converted. Owns no tool's own rules and
//! prints nothing.

use std::fmt;

use super::option_table::{Argument, OptionSpec};

/// An error in the options of a command line, with Java's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionError {
    /// An unknown option; its name as given, without dashes.
    Unrecognized(String),
    /// The last word is an option that needs a value.
    MissingArgument(&'static str),
    /// An option with one value was given several; detected when it is converted.
    MultipleArguments(&'static str),
    /// Options that are valid only together with others, which are missing.
    Unavailable(Vec<&'static str>),
    /// A value of the wrong type; detected when it is converted.
    CannotParse { option: &'static str, argument: String },
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecognized(name) => write!(f, "{name} is not a recognized option"),
            Self::MissingArgument(name) => write!(f, "Option {name} requires an argument"),
            Self::MultipleArguments(name) => write!(
                f,
                "Found multiple arguments for option {name}, but you asked for only one"
            ),
            Self::Unavailable(names) => write!(
                f,
                "Option(s) [{}] are unavailable given other options on the command line",
                names.join(", ")
            ),
            Self::CannotParse { option, argument } => {
                write!(f, "Cannot parse argument '{argument}' of option {option}")
            }
        }
    }
}

impl std::error::Error for OptionError {}

/// The options of one command line.
#[derive(Clone, Debug)]
pub struct Parsed {
    specs: &'static [OptionSpec],
    /// The occurrences and values of each option; as long as `specs`.
    found: Vec<Found>,
    /// The indexes of the options in `specs`, in the order of the command line.
    order: Vec<usize>,
    is_empty: bool,
}

#[derive(Clone, Debug, Default)]
struct Found {
    is_given: bool,
    values: Vec<String>,
}

/// Parses a command line (without the program's name) by the table.
pub fn parse(specs: &'static [OptionSpec], args: &[String]) -> Result<Parsed, OptionError> {
    let mut parsed = Parsed {
        specs,
        found: vec![Found::default(); specs.len()],
        order: Vec::new(),
        is_empty: args.is_empty(),
    };
    let mut words = args.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if !looks_like_an_option(word) {
            continue;
        }
        let body = word.strip_prefix("--").or(word.strip_prefix('-'));
        let body = body.unwrap_or(word);
        let (name, inline) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        let Some(position) = specs.iter().position(|spec| spec.name == name) else {
            return Err(unrecognized(word, name));
        };
        let value = match (specs.get(position).map(|spec| spec.argument), inline) {
            (None | Some(Argument::None), _) => None,
            (Some(_), Some(value)) => Some(value),
            (Some(Argument::Required(_)), None) => match words.next() {
                Some(value) => Some(value),
                None => return Err(missing_argument(specs, position)),
            },
            (Some(Argument::OptionalNumber(_)), None) => {
                // An empty word has no part that is no number.
                words.next_if(|next| next.is_empty() || next.parse::<i64>().is_ok())
            }
            (Some(Argument::Optional(_)), None) => {
                words.next_if(|next| *next == "--" || !looks_like_an_option(next))
            }
        };
        parsed.order.push(position);
        if let Some(found) = parsed.found.get_mut(position) {
            found.is_given = true;
            found.values.extend(value.map(str::to_owned));
        }
    }
    Ok(parsed)
}

fn looks_like_an_option(word: &str) -> bool {
    word.starts_with('-') && word != "-"
}

/// After one dash joptsimple takes an unknown word for a cluster of one-letter options, and reports the first.
fn unrecognized(word: &str, name: &str) -> OptionError {
    if word.starts_with("--") {
        return OptionError::Unrecognized(name.to_owned());
    }
    let first = word.chars().nth(1);
    OptionError::Unrecognized(first.map(String::from).unwrap_or_default())
}

fn missing_argument(specs: &'static [OptionSpec], position: usize) -> OptionError {
    OptionError::MissingArgument(specs.get(position).map_or("", |spec| spec.name))
}

impl Parsed {
    /// Whether the command line has no word at all, which the tools treat like `--help`.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The names of the options in the order of the command line.
    pub fn given(&self) -> Vec<&'static str> {
        let specs = self.order.iter().filter_map(|position| self.specs.get(*position));
        specs.map(|spec| spec.name).collect()
    }

    /// Whether the option is on the command line.
    pub fn has(&self, name: &str) -> bool {
        self.found(name).is_some_and(|(_, found)| found.is_given)
    }

    /// Whether the option has a value (one with an optional value may have none).
    pub fn has_argument(&self, name: &str) -> bool {
        !self.values(name).is_empty()
    }

    /// Every value of an option, in the order given.
    pub fn values(&self, name: &str) -> &[String] {
        self.found(name).map_or(&[], |(_, found)| &found.values)
    }

    /// The one value of an option.
    pub fn value(&self, name: &str) -> Result<Option<&str>, OptionError> {
        match self.found(name) {
            Some((spec, found)) => match found.values.as_slice() {
                [] => Ok(None),
                [value] => Ok(Some(value)),
                _ => Err(OptionError::MultipleArguments(spec.name)),
            },
            None => Ok(None),
        }
    }

    /// The one value of an option whose values are Java `Integer`s.
    pub fn integer(&self, name: &str) -> Result<Option<i32>, OptionError> {
        self.number(name, |text| java_digits(text)?.parse().ok())
    }

    /// Every value of an option whose values are Java `Long`s.
    pub fn longs(&self, name: &str) -> Result<Vec<i64>, OptionError> {
        self.numbers(name, |text| java_digits(text)?.parse().ok())
    }

    /// The one value of an option whose values are Java `Long`s.
    pub fn long(&self, name: &str) -> Result<Option<i64>, OptionError> {
        self.number(name, |text| java_digits(text)?.parse().ok())
    }

    /// Java converts every value before it refuses several.
    fn number<N>(&self, name: &str, convert: impl Fn(&str) -> Option<N>) -> Result<Option<N>, OptionError> {
        let mut numbers = self.numbers(name, convert)?;
        match self.found(name) {
            Some((spec, _)) if numbers.len() > 1 => Err(OptionError::MultipleArguments(spec.name)),
            _ => Ok(numbers.pop()),
        }
    }

    fn numbers<N>(&self, name: &str, convert: impl Fn(&str) -> Option<N>) -> Result<Vec<N>, OptionError> {
        let Some((spec, found)) = self.found(name) else {
            return Ok(Vec::new());
        };
        let mut numbers = Vec::with_capacity(found.values.len());
        for value in &found.values {
            let number = convert(value).ok_or_else(|| OptionError::CannotParse {
                option: spec.name,
                argument: value.clone(),
            })?;
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn found(&self, name: &str) -> Option<(&'static OptionSpec, &Found)> {
        let position = self.specs.iter().position(|spec| spec.name == name);
        debug_assert!(position.is_some(), "{name} is not in the option table");
        position.and_then(|position| self.specs.get(position).zip(self.found.get(position)))
    }
}

/// The texts that `Integer.valueOf` and `Long.valueOf` accept: a sign and ASCII digits, nothing around them.
fn java_digits(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(text)
}

/// `[name]`, as Java prints an option.
fn shown(name: &str) -> String {
    format!("\"[{name}]\"")
}

/// joptsimple's `availableIf`: each of the options is valid only together with one of those named with it. Checked when
/// the command line is parsed, except with `--help` or `--version`.
pub fn check_available(
    parsed: &Parsed,
    rules: &[(&'static str, &'static [&'static str])],
) -> Result<(), OptionError> {
    let is_alone =
        |option: &str, beside: &[&str]| parsed.has(option) && !beside.iter().any(|other| parsed.has(other));
    let unavailable: Vec<&str> = rules
        .iter()
        .filter(|(option, beside)| is_alone(option, beside))
        .map(|(option, _)| *option)
        .collect();
    if unavailable.is_empty() || parsed.has("help") || parsed.has("version") {
        return Ok(());
    }
    Err(OptionError::Unavailable(unavailable))
}

/// The error about the first of `required` that is missing.
pub fn check_required(parsed: &Parsed, required: &[&str]) -> Result<(), String> {
    match required.iter().find(|name| !parsed.has(name)) {
        Some(name) => Err(format!("Missing required argument {}", shown(name))),
        None => Ok(()),
    }
}

/// The error about the first of `invalid` that is given together with `used`; none without `used`.
pub fn check_invalid(parsed: &Parsed, used: &str, invalid: &[&str]) -> Result<(), String> {
    if !parsed.has(used) {
        return Ok(());
    }
    match invalid.iter().find(|name| parsed.has(name)) {
        Some(name) => Err(format!(
            "Option {} can't be used with option {}",
            shown(used),
            shown(name)
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::java_tools::option_table::{flag, optional, optional_number, value};

    const SPECS: &[OptionSpec] = &[
        flag("list", "lists"),
        value("topic", "NAME", "a topic"),
        value("partitions", "COUNT", "how many"),
        value("config", "NAME=VALUE", "a config").repeats(),
        optional("codec", "NAME", "a codec"),
        optional_number("wait", "MS", "a time"),
    ];

    fn read(words: &[&str]) -> Result<Parsed, OptionError> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        parse(SPECS, &words)
    }

    #[test]
    fn one_dash_two_dashes_and_equals_signs_are_the_same() {
        for words in [
            &["--topic", "a"][..],
            &["--topic=a"],
            &["-topic", "a"],
            &["-topic=a"],
        ] {
            assert_eq!(read(words).unwrap().value("topic"), Ok(Some("a")));
        }
        assert_eq!(read(&["--topic="]).unwrap().value("topic"), Ok(Some("")));
        assert_eq!(read(&["--config", "a=b=c"]).unwrap().values("config"), ["a=b=c"]);
    }

    #[test]
    fn a_value_is_the_next_word_whatever_it_is() {
        let parsed = read(&["--topic", "--partitions", "3"]).unwrap();
        assert_eq!(parsed.value("topic"), Ok(Some("--partitions")));
        assert!(!parsed.has("partitions"));
        assert_eq!(
            read(&["--partitions", "-1"]).unwrap().integer("partitions"),
            Ok(Some(-1))
        );
    }

    #[test]
    fn an_optional_value_is_never_a_word_with_a_dash() {
        let parsed = read(&["--codec", "--list"]).unwrap();
        assert!(parsed.has("codec") && !parsed.has_argument("codec") && parsed.has("list"));
        assert_eq!(
            read(&["--codec", "zstd"]).unwrap().value("codec"),
            Ok(Some("zstd"))
        );
    }

    #[test]
    fn an_optional_number_may_be_negative() {
        assert_eq!(read(&["--wait", "-1"]).unwrap().long("wait"), Ok(Some(-1)));
        let parsed = read(&["--wait", "--list"]).unwrap();
        assert!(!parsed.has_argument("wait") && parsed.has("list"));
        assert!(!read(&["--wait", "soon"]).unwrap().has_argument("wait"));
    }

    #[test]
    fn stray_words_and_everything_after_two_dashes_are_ignored() {
        let parsed = read(&["stray", "--list", "-", "--", "--nonsense"]).unwrap();
        assert!(parsed.has("list"));
        assert!(
            read(&["--list=yes"]).unwrap().has("list"),
            "a flag's value is ignored"
        );
    }

    #[test]
    fn unknown_options_are_named_as_java_names_them() {
        for (words, name) in [
            (&["--nonsense"][..], "nonsense"),
            (&["--top", "x"], "top"),
            (&["--top=x"], "top"),
            (&["-nonsense"], "n"),
            (&["-5"], "5"),
        ] {
            assert_eq!(
                read(words).unwrap_err(),
                OptionError::Unrecognized(name.into()),
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_bad_value_is_noticed_when_it_is_read() {
        let parsed = read(&["--partitions", "three", "--topic", "a", "--topic", "b"]).unwrap();
        assert_eq!(
            parsed.integer("partitions").unwrap_err().to_string(),
            "Cannot parse argument 'three' of option partitions"
        );
        assert_eq!(
            parsed.value("topic").unwrap_err().to_string(),
            "Found multiple arguments for option topic, but you asked for only one"
        );
        assert_eq!(
            read(&["--topic"]).unwrap_err().to_string(),
            "Option topic requires an argument"
        );
        for (text, number) in [("+7", Some(7)), ("2147483648", None), (" 7", None), ("", None)] {
            let read = read(&["--partitions", text]).unwrap();
            assert_eq!(read.integer("partitions").ok().flatten(), number, "{text}");
        }
    }

    #[test]
    fn checks_name_options_in_brackets() {
        let parsed = read(&["--list", "--topic", "a"]).unwrap();
        assert_eq!(
            check_required(&parsed, &["list", "config"]).unwrap_err(),
            "Missing required argument \"[config]\""
        );
        assert_eq!(
            check_invalid(&parsed, "topic", &["config", "list"]).unwrap_err(),
            "Option \"[topic]\" can't be used with option \"[list]\""
        );
        assert_eq!(check_invalid(&parsed, "config", &["list"]), Ok(()));
    }
}
