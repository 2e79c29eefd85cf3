//! Profiles: named settings in the user's configuration file and in the file of a project.
//!
//! Owns which profile is in force and which of its entries count. `settings` gives the entries their meaning and
//! resolves their references. `file` reads the text, `changes` alters it, `trust` decides what a project's file may do.

pub mod changes;
pub mod file;
pub mod import;
pub mod places;
pub mod store;
pub mod trust;

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::mini_place::shown;
use super::setting_keys;
use crate::error::{Error, Result};
use crate::spelling::closest;
pub use file::{COLOR, COMMAND_CONFIG, ConfigFile, DESCRIPTION, Entry, WrittenProfile};

/// The profile used when none is named and no file names one.
const DEFAULT: &str = "default";

/// All existing profiles.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    user: ConfigFile,
    project: Option<Project>,
    /// Notes for the user, one line each.
    pub notes: Vec<String>,
}

/// The file of a project, and whether it is trusted.
#[derive(Clone, Debug)]
struct Project {
    file: ConfigFile,
    is_trusted: bool,
}

/// A profile and its file.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    pub written: &'a WrittenProfile,
    pub file: &'a ConfigFile,
    /// Whether it is in the file of a project.
    pub is_of_project: bool,
    /// Whether everything in it counts.
    pub is_trusted: bool,
}

/// The place of a profile's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the profile.
    pub profile: String,
    pub file: PathBuf,
    pub line: usize,
    /// Whether it is the user's own, or from a project file that the user trusts.
    pub is_trusted: bool,
}

impl Place {
    /// The file and the line, as editors accept them.
    pub fn file_and_line(&self) -> String {
        format!("{}:{}", shown(&self.file), self.line)
    }
}

impl Catalog {
    /// Reads the user's file and that of the project the working directory is in; either may be missing.
    pub fn read() -> Result<Self> {
        let mut catalog = Self::default();
        if let Some(path) = places::user_file() {
            let text = text_of(&path)?.unwrap_or_default();
            catalog.user = ConfigFile::parse(&text, &path)?;
        }
        let here = env::current_dir().ok();
        if let Some(path) = here.and_then(|here| places::project_file(&here)) {
            catalog.read_project(&path)?;
        }
        Ok(catalog)
    }

    fn read_project(&mut self, path: &Path) -> Result<()> {
        let Some(text) = text_of(path)? else {
            return Ok(());
        };
        let is_trusted = trust::is_trusted(path, &text);
        if !is_trusted && !is_own(path)? {
            self.notes.push(format!(
                "{} is left aside: it belongs to another user (look at it, then `kafkit profile trust`)",
                path.display()
            ));
            return Ok(());
        }
        let file = ConfigFile::parse(&text, path)?;
        self.project = Some(Project { file, is_trusted });
        Ok(())
    }

    /// The user's own file.
    pub fn user_file(&self) -> &ConfigFile {
        &self.user
    }

    /// The project's file, if there is one that counts.
    pub fn project_file(&self) -> Option<&Path> {
        self.project.as_ref().map(|project| project.file.path.as_path())
    }

    /// All profiles, the user's own first.
    pub fn profiles(&self) -> impl Iterator<Item = Profile<'_>> {
        let own = self
            .user
            .profiles
            .iter()
            .filter_map(|written| self.own(&written.name));
        let project = self.project.iter().flat_map(|project| &project.file.profiles);
        own.chain(project.filter_map(|written| self.of_project(&written.name)))
    }

    /// The profile of this name: the user's own, or else the project's.
    pub fn named(&self, name: &str) -> Result<Profile<'_>> {
        self.own(name)
            .or_else(|| self.of_project(name))
            .ok_or_else(|| self.unknown(name))
    }

    /// The profile in force: the one with `name`; else the default of the project's file, which the project itself may
    /// define; else the default of the user's file. `None` without any of these.
    pub fn select(&self, name: Option<&str>) -> Result<Option<Profile<'_>>> {
        if let Some(name) = name {
            return self.named(name).map(Some);
        }
        if let Some((name, line)) = self
            .project
            .as_ref()
            .and_then(|project| project.file.default.as_ref())
        {
            let found = self.of_project(name).or_else(|| self.own(name));
            return found.map(Some).ok_or_else(|| {
                let path = self.project_file().unwrap_or(Path::new("")).display();
                self.unknown(name).context(format!("{path}:{line}"))
            });
        }
        if let Some(found) = self.of_project(DEFAULT) {
            return Ok(Some(found));
        }
        match &self.user.default {
            Some((name, _)) => self.named(name).map(Some),
            None => Ok(self.own(DEFAULT)),
        }
    }

    fn own(&self, name: &str) -> Option<Profile<'_>> {
        self.user.profile(name).map(|written| Profile {
            written,
            file: &self.user,
            is_of_project: false,
            is_trusted: true,
        })
    }

    fn of_project(&self, name: &str) -> Option<Profile<'_>> {
        let project = self.project.as_ref()?;
        project.file.profile(name).map(|written| Profile {
            written,
            file: &project.file,
            is_of_project: true,
            is_trusted: project.is_trusted,
        })
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<&str> = self
            .profiles()
            .map(|profile| profile.written.name.as_str())
            .collect();
        let error = Error::usage(format!("no profile \"{name}\" in {}", self.user.path.display()));
        match closest(name, known.iter().copied()) {
            Some(meant) => error.hint(format!("did you mean {meant}?")),
            None if known.is_empty() => error.hint(format!("`kafkit profile create {name}` makes one")),
            None => error.hint(format!("there are {}", known.join(", "))),
        }
    }
}

impl Profile<'_> {
    /// Checks that each entry is known and, in a project's file, allowed.
    pub fn check(&self) -> Result<()> {
        self.file.check_profile(self.written)?;
        if self.is_trusted {
            return Ok(());
        }
        for entry in &self.written.entries {
            if let Some(why) = trust::needs_trust(entry) {
                let place = self.place(entry).file_and_line();
                let error = Error::usage(format!(
                    "{place}: {} {why}, which a project's file may do only when you trust it",
                    entry.key
                ));
                return Err(error.hint("look at it, then `kafkit profile trust`"));
            }
        }
        Ok(())
    }

    /// The client settings of the profile, with the place of each; relative paths begin at the file's folder.
    pub fn settings(&self) -> impl Iterator<Item = (&str, String, Place)> {
        let is_setting = |entry: &&Entry| ![COLOR, DESCRIPTION].contains(&entry.key.as_str());
        self.written.entries.iter().filter(is_setting).map(|entry| {
            let key = entry.key.as_str();
            let is_path = key == COMMAND_CONFIG || setting_keys::is_path(key);
            let value = match entry.value.as_str() {
                "" | "probe" => entry.value.clone(),
                path if is_path && !path.starts_with("${") => self.path(path).display().to_string(),
                value => value.to_owned(),
            };
            (key, value, self.place(entry))
        })
    }

    /// The folder that relative paths begin at.
    pub fn folder(&self) -> &Path {
        self.file.path.parent().unwrap_or(Path::new(""))
    }

    fn path(&self, path: &str) -> PathBuf {
        super::config_providers::from_folder(self.folder(), path)
    }

    fn place(&self, entry: &Entry) -> Place {
        Place {
            profile: self.written.name.clone(),
            file: self.file.path.clone(),
            line: entry.line,
            is_trusted: self.is_trusted,
        }
    }
}

/// The longest configuration file that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// The text of a configuration file; `None` when there is none.
pub fn text_of(path: &Path) -> Result<Option<String>> {
    match fs::File::open(path) {
        Ok(file) => super::secrets::text_of(file, &path.display().to_string(), LONGEST_FILE).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::from(error).context(path.display())),
    }
}

/// Whether the owner of a file is the user or root.
fn is_own(path: &Path) -> Result<bool> {
    let owner = fs::metadata(path)
        .map_err(|error| Error::from(error).context(path.display()))?
        .uid();
    Ok(owner == 0 || owner == rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(user: &str, project: Option<(&str, bool)>) -> Catalog {
        let parse = |text: &str, path: &str| ConfigFile::parse(text, Path::new(path)).unwrap();
        Catalog {
            user: parse(user, "/u/config.toml"),
            project: project.map(|(text, is_trusted)| Project {
                file: parse(text, "/p/.kafkit.toml"),
                is_trusted,
            }),
            notes: Vec::new(),
        }
    }

    fn selected(catalog: &Catalog, name: Option<&str>) -> Option<(String, bool)> {
        let profile = catalog.select(name).unwrap()?;
        Some((profile.written.name.clone(), profile.is_of_project))
    }

    #[test]
    fn the_nearest_default_holds_and_names_mean_the_user_s_own_first() {
        let two = "default-profile = 'b'\n[profile.a]\nacks = 1\n[profile.b]\nacks = 2";
        let found = |name: &str, is_of_project| Some((name.to_owned(), is_of_project));
        assert_eq!(selected(&catalog("", None), None), None);
        assert_eq!(
            selected(&catalog("[profile.default]", None), None),
            found("default", false)
        );
        assert_eq!(selected(&catalog(two, None), None), found("b", false));
        assert_eq!(selected(&catalog(two, None), Some("a")), found("a", false));
        let project = |text| catalog(two, Some((text, false)));
        assert_eq!(
            selected(&project("default-profile = 'a'"), None),
            found("a", false)
        );
        assert_eq!(
            selected(&project("default-profile = 'a'\n[profile.a]"), None),
            found("a", true)
        );
        assert_eq!(
            selected(
                &project("default-profile = 'x'\n[profile.a]\n[profile.x]"),
                Some("a")
            ),
            found("a", false)
        );
        assert_eq!(selected(&project("[profile.x]"), Some("x")), found("x", true));
        assert_eq!(
            selected(&project("[profile.default]"), None),
            found("default", true)
        );
        assert_eq!(selected(&project("[profile.x]"), None), found("b", false));
    }

    #[test]
    fn a_profile_that_is_not_there_names_those_that_are() {
        let two = catalog("[profile.local]\n[profile.prod]", None);
        let refusal = |name: &str| two.select(Some(name)).unwrap_err().to_string();
        assert_eq!(
            refusal("test"),
            "no profile \"test\" in /u/config.toml (there are local, prod)"
        );
        assert_eq!(
            refusal("prd"),
            "no profile \"prd\" in /u/config.toml (did you mean prod?)"
        );
        let project = catalog("", Some(("\ndefault-profile = 'x'", false)));
        let refusal = project.select(None).unwrap_err().to_string();
        assert!(
            refusal.starts_with("/p/.kafkit.toml:2: no profile \"x\""),
            "{refusal}"
        );
    }

    #[test]
    fn a_project_s_file_does_more_only_when_it_is_trusted() {
        let text = "[profile.default]\nbootstrap.servers = 'a:1'\nsasl.password = '${command:id}'\n";
        let refusal = catalog("", Some((text, false)))
            .select(None)
            .unwrap()
            .unwrap()
            .check()
            .unwrap_err();
        assert!(
            refusal
                .to_string()
                .starts_with("/p/.kafkit.toml:3: sasl.password takes its value from elsewhere, which"),
            "{refusal}"
        );
        let trusted = catalog("", Some((text, true)));
        trusted.select(None).unwrap().unwrap().check().unwrap();
    }

    #[test]
    fn relative_paths_begin_at_the_file_s_folder() {
        let text = "[profile.default]\nssl.ca.location = 'ca.pem'\nssl.key.location = '/k'\nhttps.ca.location = 'probe'\n\
                    color = 'red'\ncommand-config = 'x/y'\nclient.id = 'z'";
        let catalog = catalog(text, None);
        let profile = catalog.select(None).unwrap().unwrap();
        let values: Vec<String> = profile.settings().map(|(_, value, _)| value).collect();
        assert_eq!(values, ["/u/ca.pem", "/k", "probe", "/u/x/y", "z"]);
    }
}
