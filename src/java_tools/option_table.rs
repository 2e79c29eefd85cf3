//! The table that describes a Java tool's options, once for the parser, the help and the compatibility list.
//!
//! Owns the type of an option; each tool's file owns its own table.

/// What follows an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    None,
    /// A value must follow; the word is its placeholder in the help.
    Required(&'static str),
    /// A value may follow, unless it begins with a dash.
    Optional(&'static str),
    /// A whole number may follow; any other word does not belong to the option.
    OptionalNumber(&'static str),
}

/// How an option compares with that of Apache Kafka's tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// The same in every observable way.
    Same,
    /// Behaves differently on purpose; the text says how and why.
    Differs(&'static str),
    /// Accepted or refused, but without effect; the text says why.
    NotHere(&'static str),
    /// Not an option of Apache Kafka 4.3.1, but still accepted; the text says what it does.
    OldSpelling(&'static str),
}

/// One option of a Java tool.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Without dashes.
    pub name: &'static str,
    pub argument: Argument,
    /// Whether the values of several occurrences are collected; else a second one is an error once the value is
    /// converted.
    pub repeats: bool,
    /// Its description in the usage text; mentions no option that the tool does not have.
    pub help: &'static str,
    pub compatibility: Compatibility,
}

/// A Java tool: its name without `.sh`, and its options in the order of the help.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    pub name: &'static str,
    pub options: &'static [OptionSpec],
}

/// An option that takes no value.
pub const fn flag(name: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec {
        name,
        argument: Argument::None,
        repeats: false,
        help,
        compatibility: Compatibility::Same,
    }
}

/// An option with a value; `word` is its placeholder in the help.
pub const fn value(name: &'static str, word: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec {
        argument: Argument::Required(word),
        ..flag(name, help)
    }
}

/// An option with an optional value.
pub const fn optional(name: &'static str, word: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec {
        argument: Argument::Optional(word),
        ..flag(name, help)
    }
}

/// An option with an optional whole number.
pub const fn optional_number(name: &'static str, word: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec {
        argument: Argument::OptionalNumber(word),
        ..flag(name, help)
    }
}

impl OptionSpec {
    /// May be given several times.
    #[must_use]
    pub const fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Differs from Java; `because` is printed in the table of flags.
    #[must_use]
    pub const fn differs(mut self, because: &'static str) -> Self {
        self.compatibility = Compatibility::Differs(because);
        self
    }

    /// Has no effect here; `because` is printed in the table of flags.
    #[must_use]
    pub const fn not_here(mut self, because: &'static str) -> Self {
        self.compatibility = Compatibility::NotHere(because);
        self
    }

    /// From an older Kafka: accepted, but not in the usage text; `meaning` is printed in the table of flags.
    #[must_use]
    pub const fn old_spelling(mut self, meaning: &'static str) -> Self {
        self.compatibility = Compatibility::OldSpelling(meaning);
        self
    }

    /// Whether the usage text shows it.
    pub fn is_shown(&self) -> bool {
        !matches!(self.compatibility, Compatibility::OldSpelling(_))
    }
}
