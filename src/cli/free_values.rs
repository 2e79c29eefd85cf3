//! Which options take a value that begins with a dash: those whose values are somebody's data, such as keys, patterns,
//! names and files. Completion and help know nothing of it.

use clap::{Arg, Command};

/// The names that help texts show for such values.
const DATA: &[&str] = &[
    "BYTES",
    "CHARACTER",
    "CONDITION",
    "DIR",
    "FIELD",
    "FILE",
    "GROUP",
    "ID",
    "KEY",
    "NAME",
    "NAME=VALUE",
    "NAME[=VALUE]",
    "PATTERN",
    "PRINCIPAL",
    "REGEX",
    "TEMPLATE",
    "TOPIC",
    "TOPIC[:P,P…]",
    "USER",
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
