//! How the shells ask for completions, and what of clap's answer they are given.
//!
//! Owns the scripts; what is offered for a value belongs to `candidates`.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap_complete::Shell;
use clap_complete::env::{EnvCompleter, Shells};

use crate::error::{Error, Result};

/// The variable in which a shell asks for completions.
const ASKING: &str = "COMPLETE";
const NAME: &str = "kafkit";
/// What separates candidates where the shell does not say.
const LINE_END: &str = "\n";

/// Answers a shell's question for completions (the variable is set) and ends the program; else returns.
pub(super) fn complete_if_asked() {
    if std::env::var_os(ASKING).is_none() {
        return;
    }
    let builtins = Shells::builtins();
    let careful: Vec<Careful<'_>> = builtins.0.iter().map(|shell| Careful(*shell)).collect();
    let shells: Vec<&dyn EnvCompleter> = careful.iter().map(|shell| shell as &dyn EnvCompleter).collect();
    clap_complete::CompleteEnv::with_factory(super::nouns::command_tree)
        .var(ASKING)
        .shells(Shells(&shells))
        .complete();
}

/// A shell that is offered flags only where a flag is being typed: among values, what all flags begin with would be
/// put on the line as the beginning of a value.
struct Careful<'a>(&'a dyn EnvCompleter);

impl EnvCompleter for Careful<'_> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.0.write_registration(var, name, bin, completer, buf)
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        let index = std::env::var("_CLAP_COMPLETE_INDEX").ok();
        let index = index.and_then(|index| index.parse().ok());
        let typed = args.get(index.unwrap_or(args.len().saturating_sub(1)));
        let is_flag = typed.is_some_and(|word| word.to_string_lossy().starts_with('-'));
        let mut offered = Vec::new();
        self.0.write_complete(cmd, args, current_dir, &mut offered)?;
        if is_flag {
            return buf.write_all(&offered);
        }
        let separator = std::env::var("_CLAP_IFS").unwrap_or_else(|_| LINE_END.to_owned());
        let offered = String::from_utf8_lossy(&offered);
        let values: Vec<&str> = offered
            .split(separator.as_str())
            .filter(|candidate| !candidate.starts_with('-'))
            .collect();
        buf.write_all(values.join(&separator).as_bytes())
    }
}

/// The script that asks this program.
pub(super) fn script(shell: Shell) -> Result<Vec<u8>> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let completer = shells
        .completer(&name)
        .ok_or_else(|| Error::usage(format!("no live completions for {name}")).hint("add --static"))?;
    let mut script = Vec::new();
    completer.write_registration(ASKING, NAME, NAME, NAME, &mut script)?;
    let mut text = String::from_utf8_lossy(&script).into_owned();
    let changes: &[(&str, &str)] = match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        _ => &[],
    };
    for (theirs, ours) in changes {
        text = text.replacen(theirs, ours, 1);
    }
    Ok(text.into_bytes())
}

/// The script that works without this program.
pub(super) fn static_script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::nouns::command_tree(), NAME, &mut script);
    script
}

/// Bash cuts words at colons and equals signs. Words that touch on the line are put together again, and of what is
/// offered for such a word, the part that bash takes for other words is left out.
const BASH: &[(&str, &str)] = &[
    (
        r#"    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
"#,
        r#"    local words=() last=-1 before="" rest="$COMP_LINE" i word behind
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        behind="${rest#"${rest%%[![:space:]]*}"}"
        if ((i == 0)) || [[ "$behind" != "$rest" ]]; then
            ((++last))
        fi
        rest="${behind#"$word"}"
        if ((i == COMP_CWORD)) && ! [[ "$word" =~ ^[:=]+$ ]]; then
            word="$2"
        fi
        before="${words[last]-}"
        words[last]="$before$word"
        if [[ "$word" =~ ^[:=]+$ ]]; then
            before="${words[last]}"
        fi
    done
    _CLAP_COMPLETE_INDEX=$last
"#,
    ),
    (
        r"    if [[ $? != 0 ]]; then
        unset COMPREPLY
",
        r#"    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ -n "$before" ]]; then
        COMPREPLY=("${COMPREPLY[@]#"$before"}")
    fi
    if [[ -z "${COMPREPLY+set}" ]]; then
        return
"#,
    ),
];

/// No blank behind what goes on with a value.
const ZSH: &[(&str, &str)] = &[
    (
        r#"            else
                other+=("$completion")
"#,
        r#"            elif [[ "$value" == *= ]]; then
                names+=("$completion")
            else
                other+=("$completion")
"#,
    ),
    (
        "        local -a other=()\n",
        "        local -a other=()\n        local -a names=()\n",
    ),
    (
        "        [[ -n $other ]] && _describe -V 'values' other\n",
        "        [[ -n $names ]] && _describe -V 'values' names -S ''\n        [[ -n $other ]] && _describe -V 'values' other\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_still_have_what_is_changed_in_them() {
        for (shell, changes) in [(Shell::Bash, BASH), (Shell::Zsh, ZSH)] {
            let text = String::from_utf8(script(shell).unwrap()).unwrap();
            for (_, ours) in changes {
                assert!(text.contains(ours), "{text}");
            }
        }
    }
}
