//! Lines that users of other tools type, and their equivalents in kafkit.
//!
//! There are three cases: other names of commands and flags are accepted (`aliases`); a flag in another position is
//! moved (`Meant::is_taken`); and for any other form the message shows the line to type. Nothing is guessed: a line is
//! only suggested or run if clap accepts it.

use std::ffi::OsString;

use super::habit_tables::{ALIASES, FLAG_ALIASES, FLAGS, Flag, JAVA_VERBS, KCAT_GROUP, KCAT_MODES, WORDS};
use crate::completion::quoted;

/// The line in kafkit's words that another line probably meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meant {
    /// The program's name first.
    pub(super) argv: Vec<String>,
    /// Whether only the position of a flag differs, so that it may be run without a message.
    pub(super) is_taken: bool,
}

/// The other names of commands and flags, hidden in help and completion.
pub(super) fn with_aliases(command: clap::Command) -> clap::Command {
    let name = command.get_name().to_owned();
    let names: Vec<String> = command
        .get_subcommands()
        .map(|inner| inner.get_name().to_owned())
        .collect();
    command
        .mut_args(|argument| with_flag_aliases(argument, &name))
        .mut_subcommands(|inner| {
            let rows = ALIASES.iter().filter(|(within, command, _)| {
                *command == inner.get_name() && (within.is_empty() || *within == name)
            });
            // A name that another command has stays with that command.
            let aliases = rows.flat_map(|(_, _, aliases)| aliases.iter().copied());
            let free: Vec<&str> = aliases
                .filter(|alias| !names.iter().any(|name| name == alias))
                .collect();
            with_aliases(inner.aliases(free))
        })
}

fn with_flag_aliases(argument: clap::Arg, command: &str) -> clap::Arg {
    let long = argument.get_long().map(str::to_owned);
    let rows = FLAG_ALIASES
        .iter()
        .filter(|row| long.as_deref() == Some(row.flag) && (row.of.is_empty() || row.of == command));
    rows.fold(argument, |argument, row| {
        let argument = argument.aliases(row.aliases.iter().copied());
        match row.short {
            Some(short) => argument.short_alias(short),
            None => argument,
        }
    })
}

/// The line with ids of tokens that begin with a dash moved behind `--`, unless they are flags. Ids are 22 letters of
/// base64 for URLs, and some clusters make such ones.
pub(super) fn with_token_ids_last(argv: Vec<OsString>) -> Vec<OsString> {
    const LETTERS: usize = 22;
    let is_id = |word: &OsString| {
        let is_of_an_id = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        word.to_str().is_some_and(|word| {
            word.len() == LETTERS && word.starts_with('-') && word.chars().all(is_of_an_id)
        })
    };
    let names_ids = argv.get(1).is_some_and(|noun| noun == "tokens")
        && argv
            .get(2)
            .is_some_and(|verb| verb == "renew" || verb == "expire");
    if !names_ids || argv.iter().any(|word| word == "--") || !argv.iter().any(is_id) {
        return argv;
    }
    let (ids, mut line): (Vec<_>, Vec<_>) = argv.into_iter().partition(is_id);
    line.push("--".into());
    line.extend(ids);
    line
}

/// The line that a refused line probably meant; `parses` says whether clap accepts a line.
pub(super) fn meant(argv: &[String], parses: impl Fn(&[String]) -> bool) -> Option<Meant> {
    let (program, words) = argv.split_first()?;
    let with_program = |words: &[String]| [std::slice::from_ref(program), words].concat();
    let moved = flags_behind_the_command(words);
    let placed = replaced_flags(&moved);
    if placed != words && !has_told_flag(&moved) {
        let argv = with_program(&placed);
        if parses(&argv) {
            return Some(Meant { argv, is_taken: true });
        }
    }
    let mut renamed = of_kcat(words);
    if renamed.is_empty() {
        renamed.push(renamed_words(&moved).unwrap_or(moved));
    }
    let renamed = renamed.into_iter().map(canonical);
    for candidate in renamed.flat_map(|line| [replaced_flags(&line), line]) {
        let argv = with_program(&candidate);
        if candidate != words && parses(&argv) {
            return Some(Meant {
                argv,
                is_taken: false,
            });
        }
    }
    None
}

/// The same line with the word `typed` replaced by `near`.
pub(super) fn respelled(argv: &[String], typed: &str, near: &str) -> Vec<String> {
    let respell = |word: &String| match word.split_once('=') {
        _ if word == typed => near.to_owned(),
        Some((flag, value)) if flag == typed => format!("{near}={value}"),
        _ => word.clone(),
    };
    argv.iter().map(respell).collect()
}

/// A line for a message, in shell quoting; `None` if it is too long to read or may contain a secret.
pub(super) fn shown(argv: &[String]) -> Option<String> {
    const LONGEST: usize = 160;
    let has_secret = |word: &String| {
        let word = word.to_lowercase();
        ["password", "secret", "jaas", "token", "key="]
            .iter()
            .any(|part| word.contains(part))
    };
    if argv.iter().any(has_secret) {
        return None;
    }
    let words: Vec<String> = argv.iter().skip(1).map(|word| quoted(word)).collect();
    let line = format!("kafkit {}", words.join(" "));
    (line.chars().count() <= LONGEST).then_some(line)
}

/// Whether a flag names a cluster, so that it may precede the command. Each of them takes a value.
pub(super) fn is_of_connection(flag: &str) -> bool {
    matches!(
        flag,
        "-b" | "-X" | "--bootstrap-server" | "--brokers" | "--profile" | "--timeout" | "--command-config"
    )
}

/// The command for the kcat mode of this line.
pub(super) fn command_of_kcat(argv: &[OsString]) -> Option<String> {
    let words: Vec<String> = argv
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let line = of_kcat(&words).into_iter().next()?;
    let command: Vec<String> = line
        .into_iter()
        .take_while(|word| !word.starts_with('-'))
        .collect();
    Some(command.join(" "))
}

/// `-b HOST topics list` as `topics list -b HOST`.
fn flags_behind_the_command(words: &[String]) -> Vec<String> {
    let mut begin = 0;
    while let Some(word) = words.get(begin).filter(|word| word.starts_with('-')) {
        begin += if is_of_connection(word) { 2 } else { 1 };
    }
    let Some((flags, command)) = words.split_at_checked(begin) else {
        return words.to_vec();
    };
    let path = command.iter().take_while(|word| !word.starts_with('-')).count();
    match command.split_at_checked(path) {
        Some((path, rest)) if !path.is_empty() => [path, rest, flags].concat(),
        _ => words.to_vec(),
    }
}

/// Replaces other names of commands by their own.
fn canonical(mut words: Vec<String>) -> Vec<String> {
    let own = |within: &str, typed: &str| {
        let belongs =
            |row: &&(&str, &str, &[&str])| (row.0 == within || row.0.is_empty()) && row.2.contains(&typed);
        ALIASES
            .iter()
            .find(belongs)
            .map(|(_, name, _)| (*name).to_owned())
    };
    let mut within = "kafkit".to_owned();
    for word in words.iter_mut().take(2) {
        if let Some(name) = own(&within, word) {
            *word = name;
        }
        within.clone_from(word);
    }
    words
}

/// Replaces first words of other tools, including actions that are flags in Java's tools.
fn renamed_words(words: &[String]) -> Option<Vec<String>> {
    let with_rest = |new: &[&str], rest: &mut dyn Iterator<Item = &String>| {
        let new = new.iter().map(ToString::to_string);
        Some(new.chain(rest.cloned()).collect())
    };
    let (noun, rest) = words.split_first()?;
    let has_flag = |flag: &str| rest.iter().any(|word| word == flag);
    let verb = JAVA_VERBS
        .iter()
        .find(|row| row.nouns.contains(&noun.as_str()) && has_flag(row.flag));
    if let Some(row) = verb {
        return with_rest(row.command, &mut rest.iter().filter(|word| *word != row.flag));
    }
    let begins = |old: &[&str]| {
        let typed = words.get(..old.len()).unwrap_or_default();
        typed.len() == old.len() && typed.iter().zip(old).all(|(typed, old)| typed == old)
    };
    let longest = WORDS
        .iter()
        .filter(|(old, _)| begins(old))
        .max_by_key(|(old, _)| old.len());
    let (old, new) = longest?;
    with_rest(new, &mut words.iter().skip(old.len()))
}

/// kcat's modes: `-C -t TOPIC` and the like, with the letter in any position; returns the possible lines.
fn of_kcat(words: &[String]) -> Vec<Vec<String>> {
    let words = match words.split_first() {
        Some((first, rest)) if matches!(first.as_str(), "kcat" | "kafkacat") => rest,
        Some((first, _)) if first.starts_with('-') => words,
        _ => return Vec::new(),
    };
    let is_there = |mode: &str| words.iter().any(|word| word == mode);
    let modes = KCAT_MODES.iter().filter(|(mode, _)| is_there(mode));
    let line = |(mode, command): &(&str, &[&str])| {
        // The letter for a group is followed by the group's name, and is kept.
        let rest = words.iter().filter(|word| word != mode || *mode == KCAT_GROUP);
        let command = command.iter().map(ToString::to_string);
        command.chain(rest.cloned()).collect()
    };
    modes.map(line).collect()
}

/// The command of a line, by its first words.
fn command_of(words: &[String]) -> String {
    let path: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .take_while(|word| !word.starts_with('-'))
        .take(2)
        .collect();
    path.join(" ")
}

fn row_of(command: &str, flag: &str) -> Option<&'static Flag> {
    let fits = |row: &&Flag| row.old.contains(&flag) && row.of.iter().any(|of| command.starts_with(of));
    FLAGS.iter().find(fits)
}

fn has_told_flag(words: &[String]) -> bool {
    let command = command_of(words);
    words
        .iter()
        .any(|word| row_of(&command, flag_of(word).0).is_some_and(|row| row.is_told))
}

fn flag_of(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
        _ => (word, None),
    }
}

/// Replaces flags of other tools: a positional value goes directly after the command.
fn replaced_flags(words: &[String]) -> Vec<String> {
    let command = command_of(words);
    let path = words
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .count()
        .min(2);
    let mut line: Vec<String> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (flag, joined) = flag_of(word);
        let Some(row) = row_of(&command, flag).filter(|_| word.starts_with('-')) else {
            line.push(word.clone());
            continue;
        };
        let value = if row.takes_value {
            joined.map(str::to_owned).or_else(|| rest.next().cloned())
        } else {
            None
        };
        if row.new.is_empty() && row.takes_value {
            named.extend(value);
            continue;
        }
        for new in row.new {
            line.push(new.replace("{}", value.as_deref().unwrap_or_default()));
        }
    }
    // If the noun has no verbs, the value goes directly after it.
    let place = if WITHOUT_VERBS.iter().any(|noun| command.starts_with(noun)) {
        1
    } else {
        2
    };
    let place = place.min(path).min(line.len());
    line.splice(place..place, named);
    line
}

/// Nouns that are commands without verbs.
const WITHOUT_VERBS: [&str; 3] = ["consume", "produce", "offset"];
