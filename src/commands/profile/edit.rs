//! The steps of `profile edit`: a draft beside the file, the user's editor, and the file replaced by a valid draft.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Context, UserFile};
use crate::client::profile::{ConfigFile, store, text_of};
use crate::error::{Error, Result};
use crate::output::profile as output;

/// What a first file begins with.
const BLANK: &str = "\
# Profiles of kafkit: `kafkit help settings` has the format.
#
# default-profile = \"local\"
#
# [profile.local]
# bootstrap.servers = \"127.0.0.1:9092\"
";

pub(super) fn run(context: &mut Context) -> Result<()> {
    // The file is not parsed here: the user may want to mend an invalid one with the editor.
    let target = UserFile::path()?;
    let draft = target.with_extension("toml.draft");
    let before = text_of(&target)?.unwrap_or_default();
    if draft.exists() {
        context
            .printer
            .note(format_args!("going on with {}", output::shown(&draft)));
    } else {
        store::write(&draft, if before.is_empty() { BLANK } else { &before })?;
    }
    run_editor(&draft)?;
    let after = text_of(&draft)?.unwrap_or_default();
    let checked = ConfigFile::parse(&after, &draft).and_then(|file| file.check());
    checked.map_err(|problem| {
        let known = problem
            .hint_text()
            .map_or_else(String::new, |hint| format!("{hint} "));
        problem.hint(format!(
            "{known}nothing changed; `kafkit profile edit` goes on with your text"
        ))
    })?;
    let is_changed = after != before && !(before.is_empty() && after == BLANK);
    if is_changed {
        store::write(&target, &after)?;
    }
    fs::remove_file(&draft).map_err(|error| Error::from(error).context(draft.display()))?;
    let done = if is_changed { "changed" } else { "not changed" };
    context
        .printer
        .note(format_args!("{} {done}", output::shown(&target)));
    Ok(())
}

/// Runs `$VISUAL`, `$EDITOR` or vi, which may be a command with flags.
fn run_editor(draft: &Path) -> Result<()> {
    let set = |name| {
        env::var(name)
            .ok()
            .filter(|value: &String| !value.trim().is_empty())
    };
    let editor = set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned());
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(draft)
        .status()
        .map_err(|error| Error::from(error).context("sh"))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::failed(format!("the editor `{editor}` failed: {status}"))
        .hint("nothing changed; VISUAL or EDITOR names another"))
}
