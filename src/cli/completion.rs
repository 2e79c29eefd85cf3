//! Completions on a line in the native spelling, and the scripts for shells that only clap supports.
//!
//! clap's engine determines the kind of the word being typed; the candidates belong to `completion/`.

use std::ffi::OsString;
use std::sync::Arc;

use clap::ValueHint;
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;

use super::candidates::wanted;
use super::invocation::JavaNames;
use super::nouns::{command_tree, tree_for};
use crate::completion::{self, Candidate, Line, Offer, Paths, Wanted};
use crate::error::{Error, Result};

/// The variable in which a shell asks for completions by clap's own script.
const ASKING: &str = "COMPLETE";
const NAME: &str = "kafkit";
/// Placeholders among candidates for the shell's own list of paths.
const FILES: &str = "\u{1}";
const DIRECTORIES: &str = "\u{2}";

/// The completions of the word being typed.
pub fn offer(line: &Line, java: &JavaNames) -> Offer {
    if line.is_redirected {
        return Offer::of_paths(Paths::Files, "");
    }
    let mut words: Vec<OsString> = line.words.iter().map(OsString::from).collect();
    let mut tree = match words.len() {
        1 => command_tree(),
        _ => tree_for(&words),
    };
    words.push(OsString::from(&line.typed));
    let shared = Arc::new(line.clone());
    tree = with_completers(tree, &|wanted| completer(wanted, Arc::clone(&shared)));
    let place = words.len() - 1;
    let found = engine::complete(&mut tree, words, place, None).unwrap_or_default();
    let typed_flag = line.typed.starts_with('-');
    let found = found
        .into_iter()
        .filter(|candidate| typed_flag || !is_flag(candidate));
    of_clap(found, java_names(line, java))
}

/// Names of Apache Kafka's tools as the first word, once it begins like one.
fn java_names<'a>(line: &'a Line, java: &JavaNames) -> impl Iterator<Item = Candidate> + use<'a> {
    let is_begun = line.words.len() == 1 && line.typed.starts_with(['k', 'z']);
    let names = if is_begun { (java.links)() } else { Vec::new() };
    names
        .into_iter()
        .filter(|name| name.starts_with(&line.typed) && name.strip_suffix(".sh").is_none())
        .map(Candidate::new)
}

/// Whether a candidate is a flag, which must not be offered among values.
fn is_flag(candidate: &CompletionCandidate) -> bool {
    candidate.get_id().is_some_and(|id| id.starts_with("arg::"))
}

fn of_clap(found: impl Iterator<Item = CompletionCandidate>, more: impl Iterator<Item = Candidate>) -> Offer {
    let mut candidates = Vec::new();
    for candidate in found {
        let value = candidate.get_value().to_string_lossy().into_owned();
        for (mark, paths) in [(FILES, Paths::Files), (DIRECTORIES, Paths::Directories)] {
            if let Some(before) = value.strip_suffix(mark) {
                return Offer::of_paths(paths, before);
            }
        }
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let first_line = help.lines().next().unwrap_or_default();
        candidates.push(Candidate::with_help(value, first_line));
    }
    Offer::of(candidates.into_iter().chain(more))
}

/// The tree with a completer on each argument whose kind of value is known.
fn with_completers(tree: clap::Command, completer: &dyn Fn(Wanted) -> ArgValueCompleter) -> clap::Command {
    let name = tree.get_name().to_owned();
    tree.mut_args(|argument| match wanted(&argument, &name) {
        Some(wanted) => argument.add(completer(wanted)),
        None => argument,
    })
    .mut_subcommands(|inner| with_completers(inner, completer))
}

fn completer(wanted: Wanted, line: Arc<Line>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &std::ffi::OsStr| {
        let offer = completion::offer_of(wanted, &typed.to_string_lossy(), &line);
        if let Some((paths, before)) = offer.paths() {
            let mark = if paths == Paths::Files { FILES } else { DIRECTORIES };
            return vec![CompletionCandidate::new(format!("{before}{mark}"))];
        }
        let candidates = offer.candidates().iter();
        candidates
            .map(|Candidate { value, help }| {
                let help = (!help.is_empty()).then(|| help.as_str().to_owned().into());
                CompletionCandidate::new(value).help(help)
            })
            .collect()
    })
}

/// Answers a request of a script of clap's (if the variable is set) and ends the program; else returns.
pub(super) fn complete_if_asked() {
    if std::env::var_os(ASKING).is_some() {
        clap_complete::CompleteEnv::with_factory(tree_for_clap)
            .var(ASKING)
            .complete();
    }
}

/// The tree for clap's own scripts, which list paths by themselves.
fn tree_for_clap() -> clap::Command {
    let mut words: Vec<String> = std::env::args().skip_while(|word| word != "--").skip(1).collect();
    let typed = words.pop().unwrap_or_default();
    let line = Arc::new(Line::new(words, typed));
    with_hints(with_completers(command_tree(), &|wanted| {
        completer(wanted, Arc::clone(&line))
    }))
}

fn with_hints(tree: clap::Command) -> clap::Command {
    let name = tree.get_name().to_owned();
    tree.mut_args(|argument| {
        let hint = match wanted(&argument, &name) {
            Some(Wanted::Files) => ValueHint::AnyPath,
            Some(Wanted::Directories) => ValueHint::DirPath,
            _ => return argument,
        };
        argument
            .add(ArgValueCompleter::new(engine::PathCompleter::any()))
            .value_hint(hint)
    })
    .mut_subcommands(with_hints)
}

/// The script that calls this program, and completes `others` as well.
pub(super) fn script(shell: clap_complete::Shell, others: &[String]) -> Result<Vec<u8>> {
    let name = shell.to_string();
    if let Some(shell) = completion::Shell::of_name(&name) {
        return Ok(completion::script(shell, others).into_bytes());
    }
    let shells = Shells::builtins();
    let completer = shells
        .completer(&name)
        .ok_or_else(|| Error::usage(format!("no live completions for {name}")).hint("add --static"))?;
    let mut script = Vec::new();
    completer.write_registration(ASKING, NAME, NAME, NAME, &mut script)?;
    Ok(script)
}

/// The script that works without this program.
pub(super) fn static_script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_tree(), NAME, &mut script);
    script
}
