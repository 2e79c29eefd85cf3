//! Which options take a value that begins with a dash: those whose values are somebody's data, such as keys and patterns.
//! Of names and files, which hardly ever do, it is more often the value that was forgotten: `--group=-g` is one.
//! Completion and help know nothing of it.

use clap::{Arg, Command};

/// The names that help texts show for such values.
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

/// The command with every such option, of the commands below it too, taking the word behind it whatever it begins with.
pub(super) fn with_free_values(command: Command) -> Command {
    command.mut_args(free).mut_subcommands(with_free_values)
}

fn free(argument: Arg) -> Arg {
    let is_option = argument.get_long().is_some() || argument.get_short().is_some();
    // Where the value may be left out, a dash begins the next option.
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
