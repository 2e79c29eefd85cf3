//! Which options take a value that begins with a dash: those whose values are arbitrary data, such as keys and
//! patterns. Names and files hardly ever begin with one: in `--group -g` the value was more likely forgotten, and
//! `--group=-g` is unambiguous. Completion and help do not depend on it.

use clap::{Arg, Command};

/// The placeholders of such values in help texts.
const DATA: &[&str] = &[
    "BYTES",
    "CHARACTER",
    "CONDITION",
    "FIELD",
    "KEY",
    "NAME=VALUE",
    "NAME[=VALUE]",
    "PATTERN",
    "REGEX",
    "TEMPLATE",
];

/// The command in which every such option, also in its subcommands, takes the next word whatever it begins with.
pub(super) fn with_free_values(command: Command) -> Command {
    command.mut_args(free).mut_subcommands(with_free_values)
}

fn free(argument: Arg) -> Arg {
    let is_option = argument.get_long().is_some() || argument.get_short().is_some();
    // If the value is optional, a dash begins the next option.
    let needs_value = argument.get_action().takes_values()
        && argument.get_num_args().is_none_or(|count| count.min_values() > 0);
    let names = argument.get_value_names().unwrap_or_default();
    let is_data = names.iter().any(|name| DATA.contains(&name.as_str()));
    if is_option && needs_value && is_data {
        argument.allow_hyphen_values(true)
    } else {
        argument
    }
}
