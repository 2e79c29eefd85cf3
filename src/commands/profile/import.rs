//! The steps of `profile import`: read another program's file, report settings without equivalent, write profiles.

use std::fs;
use std::path::PathBuf;

use super::{Context, UserFile, check_name, folder_of};
use crate::client::profile::import::{self, Format, Import, Imported};
use crate::client::profile::{ConfigFile, changes};
use crate::client::settings::explanation::masked;
use crate::error::{Error, Result};
use crate::output::profile as output;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// What to import.
#[derive(Debug)]
pub struct Importing {
    pub file: PathBuf,
    /// The profile's name, if the file holds one profile.
    pub name: Option<String>,
    /// `None` to recognise it from the file.
    pub format: Option<Format>,
    /// Only these of the file's profiles; all if empty.
    pub only: Vec<String>,
    /// Whether profiles of the same names are replaced.
    pub replaces: bool,
    pub is_dry_run: bool,
}

pub(super) fn run(importing: &Importing, context: &mut Context) -> Result<()> {
    let place = output::shown(&importing.file);
    let imported = read(importing)?;
    for (line, problem) in &imported.notes {
        context.printer.warning(format_args!("{place}:{line}: {problem}"));
    }
    let file = UserFile::read()?;
    let profiles = named(importing, imported.profiles)?;
    let names: Vec<String> = profiles.iter().map(|(name, _)| name.clone()).collect();
    let there = names.iter().find(|name| file.parsed.profile(name).is_some());
    if let Some(name) = there.filter(|_| !importing.replaces) {
        let error = Error::failed(format!("there is a profile \"{name}\" already"));
        return Err(error.hint("--force replaces it; a NAME behind the file gives it another name"));
    }
    if importing.is_dry_run {
        return profiles.iter().try_for_each(|(name, entries)| {
            let masked: Vec<_> = entries
                .iter()
                .map(|(key, value)| (key.clone(), masked(key, value)))
                .collect();
            context.printer.text(changes::with_profile("", name, &masked))
        });
    }
    let mut text = file.text.clone();
    if there.is_some() {
        text = changes::without_profiles(&text, &names)?;
    }
    for (name, entries) in &profiles {
        text = changes::with_profile(&text, name, entries);
    }
    ConfigFile::parse(&text, &file.path)?.check()?;
    file.replace(&text)?;
    let target = output::shown(&file.path);
    context
        .printer
        .note(format_args!("imported {} into {target}", names.join(", ")));
    if let Some(current) = imported.current.filter(|current| names.contains(current)) {
        context.printer.note(format_args!(
            "`kafkit profile use {current}` selects the one that was in use"
        ));
    }
    Ok(())
}

fn read(importing: &Importing) -> Result<Import> {
    let path = &importing.file;
    let place = output::shown(path);
    let length = fs::metadata(path).map(|file| file.len());
    let length = length.map_err(|error| Error::from(error).context(&place))?;
    if length > LONGEST {
        return Err(Error::bad_data(format!(
            "{place}: this is no file of settings: it has {length} bytes"
        )));
    }
    let bytes = fs::read(path).map_err(|error| Error::from(error).context(&place))?;
    let format = importing
        .format
        .or_else(|| import::recognise(path, &bytes))
        .ok_or_else(|| {
            Error::usage(format!("{place}: it does not say whose file it is"))
                .hint("--format java, kcat, rpk or kafkactl says it")
        })?;
    let found = import::read(format, &bytes, &folder_of(path));
    let found = found.map_err(|problem| problem.context(&place))?;
    if found.profiles.iter().all(|profile| profile.entries.is_empty()) {
        let name = format.name();
        return Err(Error::bad_data(format!(
            "{place}: there are no settings in it that a file of {name} has"
        )));
    }
    Ok(found)
}

/// A name, and its settings.
type Named = (String, Vec<(String, String)>);

/// The selected profiles, each with its new name.
fn named(importing: &Importing, found: Vec<Imported>) -> Result<Vec<Named>> {
    let stem = importing
        .file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_else(|| "default".to_owned());
    let mut profiles: Vec<_> = found
        .into_iter()
        .map(|profile| (profile.name.unwrap_or_else(|| stem.clone()), profile.entries))
        .collect();
    for name in &importing.only {
        if !profiles.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = profiles.iter().map(|(name, _)| name.as_str()).collect();
            let error = Error::not_found(format!("there is no \"{name}\" in {}", importing.file.display()));
            return Err(error.hint(format!("there are {}", known.join(", "))));
        }
    }
    if !importing.only.is_empty() {
        profiles.retain(|(name, _)| importing.only.contains(name));
    }
    match (&importing.name, profiles.as_mut_slice()) {
        (None, _) => {}
        (Some(name), [(only, _)]) => only.clone_from(name),
        (Some(_), several) => {
            let error = Error::usage(format!("one name cannot be that of {} profiles", several.len()));
            return Err(error.hint("--only NAME takes one of them"));
        }
    }
    profiles.iter().try_for_each(|(name, _)| check_name(name))?;
    Ok(profiles)
}
