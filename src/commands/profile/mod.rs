//! The steps of `profile create`, `use`, `list`, `show`, `delete` and `trust`; the others are in files of their own.

mod edit;
mod import;
mod prompt;

use std::env;
use std::path::{Path, PathBuf};

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::profile::{
    self, COLOR, COMMAND_CONFIG, Catalog, ConfigFile, DESCRIPTION, changes, places, store, trust,
};
use crate::client::secrets::terminal;
use crate::error::{Error, Result};
use crate::output::{confirm, plural, profile as output};

pub use import::Importing;
pub use prompt::{Prompt, Shell};

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    Create(Creation),
    Use(String),
    List,
    /// The profile in use if `None`.
    Show(Option<String>),
    Edit,
    Delete(Deletion),
    Import(Importing),
    Prompt(Prompt),
    Trust(Trusting),
}

/// A profile to write.
#[derive(Debug)]
pub struct Creation {
    pub name: String,
    /// Keys and values as they are written to the file.
    pub settings: Vec<(String, String)>,
    /// Keys whose values are asked at the terminal.
    pub asked: Vec<String>,
    pub command_config: Option<PathBuf>,
    pub description: Option<String>,
    pub color: Option<String>,
    pub use_it: bool,
}

/// Profiles to delete.
#[derive(Debug)]
pub struct Deletion {
    pub names: Vec<String>,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
}

/// A project's file to trust, or not to trust any longer.
#[derive(Debug)]
pub struct Trusting {
    /// `None` for that of the working directory's project.
    pub file: Option<PathBuf>,
    pub revokes: bool,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Self::Create(creation) => create(creation, context),
            Self::Use(name) => use_profile(&name, context),
            Self::List => list(context),
            Self::Show(name) => show(name.as_deref(), context),
            Self::Edit => edit::run(context),
            Self::Delete(deletion) => delete(&deletion, context),
            Self::Import(importing) => import::run(&importing, context),
            Self::Prompt(prompt) => prompt::run(&prompt, context),
            Self::Trust(trusting) => trust_file(&trusting, context),
        }
    }
}

/// The user's configuration file, read and checked in full.
#[derive(Debug)]
struct UserFile {
    path: PathBuf,
    text: String,
    parsed: ConfigFile,
}

impl UserFile {
    fn path() -> Result<PathBuf> {
        places::user_file().ok_or_else(|| {
            Error::failed("there is no home directory to keep profiles in")
                .hint("set HOME or XDG_CONFIG_HOME")
        })
    }

    fn read() -> Result<Self> {
        let path = Self::path()?;
        let text = profile::text_of(&path)?.unwrap_or_default();
        let parsed = ConfigFile::parse(&text, &path)?;
        Ok(Self { path, text, parsed })
    }

    /// Writes another text, which must be valid.
    fn replace(&self, text: &str) -> Result<()> {
        ConfigFile::parse(text, &self.path)?;
        store::write(&self.path, text)
    }
}

fn create(creation: Creation, context: &mut Context) -> Result<()> {
    let file = UserFile::read()?;
    check_name(&creation.name)?;
    if file.parsed.profile(&creation.name).is_some() {
        let error = Error::failed(format!("there is a profile \"{}\" already", creation.name));
        return Err(error.hint("`kafkit profile edit` changes it"));
    }
    let name = creation.name.clone();
    let use_it = creation.use_it;
    let entries = entries_of(creation)?;
    let mut text = changes::with_profile(&file.text, &name, &entries);
    let fresh = ConfigFile::parse(&text, &file.path)?;
    fresh.check()?;
    if use_it {
        text = changes::with_default(&text, &name)?;
    }
    file.replace(&text)?;
    let place = output::shown(&file.path);
    context.printer.note(format_args!("profile {name} is in {place}"));
    if !use_it && file.parsed.default.is_none() && file.parsed.profiles.is_empty() {
        context.printer.note(format_args!(
            "`kafkit profile use {name}` selects it for all commands"
        ));
    }
    Ok(())
}

fn entries_of(creation: Creation) -> Result<Vec<(String, String)>> {
    let mut entries = Vec::new();
    let mut add =
        |key: &str, value: Option<String>| entries.extend(value.map(|value| (key.to_owned(), value)));
    add(DESCRIPTION, creation.description);
    add(COLOR, creation.color);
    if let Some(path) = creation.command_config {
        // A path relative to here must be valid from anywhere.
        let path = std::path::absolute(&path)?;
        add(COMMAND_CONFIG, Some(path.display().to_string()));
    }
    for (key, value) in creation.settings {
        add(&key, Some(value));
    }
    for key in creation.asked {
        if !terminal::is_there() {
            let error = Error::usage(format!("--ask {key}: there is no terminal to ask on"));
            return Err(error.hint(format!("-X '{key}=${{command:…}}' takes it from elsewhere")));
        }
        let value = terminal::ask_unseen(&format!("{key}: "))?;
        add(&key, Some(value));
    }
    // Of two entries with the same key the later counts, as for all settings.
    let mut seen = std::collections::BTreeSet::new();
    entries.reverse();
    entries.retain(|(key, _)| seen.insert(key.clone()));
    entries.reverse();
    Ok(entries)
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty()
        || name
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace())
    {
        return Err(Error::usage(
            "the name of a profile has no spaces and is not empty",
        ));
    }
    Ok(())
}

fn use_profile(name: &str, context: &mut Context) -> Result<()> {
    let catalog = Catalog::read()?;
    let profile = catalog.named(name)?;
    if profile.is_of_project {
        let place = output::shown(&profile.file.path);
        return Err(Error::usage(format!(
            "profile {name} is in {place}, which holds in its project alone"
        )));
    }
    profile.check()?;
    let file = UserFile::read()?;
    file.replace(&changes::with_default(&file.text, name)?)?;
    context
        .printer
        .note(format_args!("profile {name} is used where no other is named"));
    let stronger = env::var("KAFKIT_PROFILE")
        .ok()
        .filter(|other| !other.is_empty() && other != name);
    if let Some(other) = stronger {
        context
            .printer
            .warning(format_args!("KAFKIT_PROFILE={other} is stronger here"));
    } else if let Some(other) = catalog.select(None)?.filter(|other| other.is_of_project) {
        let place = output::shown(&other.file.path);
        context.printer.warning(format_args!("{place} is stronger here"));
    }
    Ok(())
}

/// The profile that the environment selects for this run.
fn name_in_environment() -> Option<String> {
    env::var("KAFKIT_PROFILE").ok().filter(|name| !name.is_empty())
}

fn list(context: &mut Context) -> Result<()> {
    let catalog = read_catalog(context)?;
    let current = catalog.select(name_in_environment().as_deref())?;
    let profiles: Vec<_> = catalog.profiles().collect();
    if profiles.is_empty() {
        context
            .printer
            .note("there are no profiles; `kafkit profile create NAME -b HOST:PORT` makes one");
    }
    output::list(&mut context.printer, &profiles, current.as_ref())
}

fn show(name: Option<&str>, context: &mut Context) -> Result<()> {
    let catalog = read_catalog(context)?;
    let environment = name_in_environment();
    let profile = catalog.select(name.or(environment.as_deref()))?.ok_or_else(|| {
        Error::not_found("no profile is in use")
            .hint("`kafkit profile use NAME` selects one, `kafkit profile list` shows all")
    })?;
    if let Err(problem) = profile.check() {
        context.printer.warning(&problem);
    }
    output::entries(&mut context.printer, &profile)
}

fn read_catalog(context: &mut Context) -> Result<Catalog> {
    let catalog = Catalog::read()?;
    for note in &catalog.notes {
        context.printer.warning(note);
    }
    Ok(catalog)
}

fn delete(deletion: &Deletion, context: &mut Context) -> Result<()> {
    let file = UserFile::read()?;
    let catalog = Catalog::read()?;
    for name in &deletion.names {
        let profile = catalog.named(name)?;
        if profile.is_of_project {
            let place = output::shown(&profile.file.path);
            return Err(Error::usage(format!(
                "profile {name} is in {place}: take it out there"
            )));
        }
    }
    let what = plural(deletion.names.len() as u64, "profile");
    let names = deletion.names.join(", ");
    if !deletion.is_sure {
        if !confirm::can_ask() {
            return Err(Error::usage(format!(
                "would delete {what} ({names}); without a terminal say --yes"
            )));
        }
        context.consent(&names, &format!("Delete {what}?"), "nothing deleted")?;
    }
    file.replace(&changes::without_profiles(&file.text, &deletion.names)?)?;
    context.printer.note(format_args!("deleted {names}"));
    Ok(())
}

fn trust_file(trusting: &Trusting, context: &mut Context) -> Result<()> {
    let path = match &trusting.file {
        Some(path) => {
            std::fs::canonicalize(path).map_err(|error| Error::from(error).context(path.display()))?
        }
        None => places::project_file(&env::current_dir()?).ok_or_else(|| {
            Error::not_found(format!("no project around here has a {}", places::PROJECT_FILE))
        })?,
    };
    let place = output::shown(&path);
    if trusting.revokes {
        let was_trusted = trust::revoke(&path)?;
        let done = if was_trusted {
            "is trusted no longer"
        } else {
            "was not trusted"
        };
        context.printer.note(format_args!("{place} {done}"));
        return Ok(());
    }
    let text = profile::text_of(&path)?.ok_or_else(|| Error::not_found(format!("{place} is not there")))?;
    let file = ConfigFile::parse(&text, &path)?;
    file.check()?;
    if !trusting.is_sure {
        ask_to_trust(&place, &file, context)?;
    }
    trust::trust(&path, &text)?;
    context.printer.note(format_args!("{place} is trusted as it is"));
    Ok(())
}

fn ask_to_trust(place: &str, file: &ConfigFile, context: &mut Context) -> Result<()> {
    if !confirm::can_ask() {
        return Err(Error::usage(format!(
            "would trust {place}; without a terminal say --yes"
        )));
    }
    let lines = output::written(file);
    let question = format!("Let {place} run commands, read files and use secrets as it says?");
    context.consent(&lines, &question, "nothing is trusted")
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.parent().map(Path::to_owned).unwrap_or_default()
}
