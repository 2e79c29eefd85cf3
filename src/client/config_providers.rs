//! References to values stored elsewhere: `${env:NAME}`, `${file:/path:key}`, `${directory:/path:name}`, as Kafka's
//! config providers (KIP-297, KIP-421) resolve them.
//!
//! In a properties file only providers that `config.providers` names are used, as in Java. A reference to a missing
//! value, or to a provider that is not named, is an error here; Java uses the reference itself as the value.
//!
//! Our own files and flags have more providers: `${file:/path}`, `${command:LINE}`, `${keyring:SERVICE:ACCOUNT}` and
//! `${prompt:QUESTION}`. None holds a closing brace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use regex::Regex;

use super::java_properties::{self, Property};
use super::secrets::{self, terminal};
use crate::error::Error;

/// Kafka's pattern of a reference: provider, optional path, key.
const REFERENCE: &str = r"\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}";

/// The most bytes of a value from a file or a command: a chain of certificates has less.
const MOST_BYTES: u64 = 1 << 20;

/// The providers in force, by the names that references use.
#[derive(Debug, Default)]
pub(super) struct ConfigProviders {
    providers: BTreeMap<String, Provider>,
    /// All providers are in force without a declaration, as in our own configuration file.
    are_all: bool,
    /// The folder that relative paths begin at.
    folder: PathBuf,
}

#[derive(Debug)]
enum Provider {
    /// Environment variables whose whole name matches.
    Environment(Option<Regex>),
    /// Keys of properties files below these folders (all, when none are named).
    File(Vec<PathBuf>),
    /// Files as values, below these folders.
    Directory(Vec<PathBuf>),
    /// A file as a value, or a key of a properties file.
    WholeFile,
    /// What a shell command prints.
    Command,
    /// A password of the desktop's keyring.
    Keyring,
    /// What the user types.
    Prompt,
}

impl ConfigProviders {
    /// The providers that a properties file declares.
    pub(super) fn declared_in(properties: &[Property]) -> Result<Self, String> {
        let value = |key: &str| {
            let found = properties.iter().rev().find(|property| property.key == key);
            found.map(|property| property.value.trim())
        };
        let mut providers = BTreeMap::new();
        for name in value("config.providers")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
        {
            if name.is_empty() {
                continue;
            }
            let class = value(&format!("config.providers.{name}.class")).ok_or_else(|| {
                format!("config.providers names \"{name}\", and config.providers.{name}.class is missing")
            })?;
            let parameter = |parameter: &str| value(&format!("config.providers.{name}.param.{parameter}"));
            let provider = match class.rsplit('.').next().unwrap_or(class) {
                "EnvVarConfigProvider" => {
                    Provider::Environment(name_pattern(parameter("allowlist.pattern"))?)
                }
                "FileConfigProvider" => Provider::File(folders(parameter("allowed.paths"))),
                "DirectoryConfigProvider" => Provider::Directory(folders(parameter("allowed.paths"))),
                _ => return Err(format!("the config provider {class} is not known here")),
            };
            providers.insert(name.to_owned(), provider);
        }
        Ok(Self {
            providers,
            ..Self::default()
        })
    }

    /// The providers of our own configuration file and flags: all of them, under Kafka's usual names. Relative paths
    /// begin at `folder`.
    pub(super) fn all(folder: &Path) -> Self {
        let providers = [
            ("env", Provider::Environment(None)),
            ("file", Provider::WholeFile),
            ("directory", Provider::Directory(Vec::new())),
            ("dir", Provider::Directory(Vec::new())),
            ("command", Provider::Command),
            ("keyring", Provider::Keyring),
            ("prompt", Provider::Prompt),
        ];
        Self {
            providers: providers
                .into_iter()
                .map(|(name, provider)| (name.to_owned(), provider))
                .collect(),
            are_all: true,
            folder: folder.to_owned(),
        }
    }

    /// The names that a properties file gives to Kafka's own providers, with the usual names, where the two differ.
    pub(super) fn usual_names(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.providers.iter().filter_map(|(name, provider)| {
            let usual = match provider {
                Provider::Environment(_) => "env",
                Provider::File(_) => "file",
                Provider::Directory(_) => "directory",
                _ => return None,
            };
            (name != usual).then_some((name.as_str(), usual))
        })
    }

    /// Replaces every reference to a provider in force.
    pub(super) fn resolve(&self, value: &str) -> Result<String, String> {
        if !value.contains("${") {
            return Ok(value.to_owned());
        }
        let pattern = Regex::new(REFERENCE).map_err(|_| "references cannot be read".to_owned())?;
        let mut resolved = String::new();
        let mut end = 0;
        for found in pattern.captures_iter(value) {
            let (Some(whole), Some(name), Some(key)) = (found.get(0), found.get(1), found.get(3)) else {
                continue;
            };
            let Some(provider) = self.providers.get(name.as_str()) else {
                self.check_unknown(name.as_str(), whole.as_str())?;
                continue;
            };
            let path = found.get(2).map(|path| path.as_str());
            resolved.push_str(&value[end..whole.start()]);
            let found = provider.value(path, key.as_str(), &self.folder);
            resolved.push_str(&found.map_err(|problem| format!("{}: {problem}", whole.as_str()))?);
            end = whole.end();
        }
        resolved.push_str(&value[end..]);
        Ok(resolved)
    }

    /// Refuses a reference to a provider that is not in force, since its text would become the value; a text that
    /// cannot be a provider's name is no reference.
    fn check_unknown(&self, name: &str, reference: &str) -> Result<(), String> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || !name.chars().all(is_name) {
            return Ok(());
        }
        if self.are_all {
            return Err(format!(
                "{reference}: there is no config provider \"{name}\", only env, file, directory, command, keyring and prompt"
            ));
        }
        let class = match name {
            "env" => "EnvVarConfigProvider",
            "file" => "FileConfigProvider",
            "dir" | "directory" => "DirectoryConfigProvider",
            _ => return Err(format!("{reference}: config.providers does not name \"{name}\"")),
        };
        Err(format!(
            "{reference} needs the lines config.providers={name} and \
             config.providers.{name}.class=org.apache.kafka.common.config.provider.{class}"
        ))
    }
}

impl Provider {
    fn value(&self, path: Option<&str>, key: &str, folder: &Path) -> Result<String, String> {
        let path_given = path.unwrap_or_default();
        match self {
            Self::Environment(_) if !path_given.is_empty() => {
                Err("a variable has neither a path nor a default".to_owned())
            }
            Self::File(_) | Self::Directory(_) if path_given.is_empty() => {
                Err("a path and a colon stand before the key".to_owned())
            }
            Self::Environment(pattern) => {
                let allowed = pattern.as_ref().is_none_or(|pattern| pattern.is_match(key));
                let value = allowed.then(|| env::var(key).ok()).flatten();
                value.ok_or_else(|| format!("the environment has no {key} to read"))
            }
            Self::File(folders) => key_of_file(&from_folder(folder, path_given), key, folders),
            Self::WholeFile => {
                if let Some(path) = path {
                    return key_of_file(&from_folder(folder, path), key, &[]);
                }
                let text = read(&from_folder(folder, key), &[])?;
                Ok(secrets::without_line_end(&text).to_owned())
            }
            Self::Directory(folders) => {
                let name = Path::new(key);
                if name.components().count() != 1 || key == ".." {
                    return Err(format!("\"{key}\" is no file's name"));
                }
                read(&from_folder(folder, path_given).join(name), folders)
            }
            Self::Command => {
                let line = path.map_or_else(|| key.to_owned(), |path| format!("{path}:{key}"));
                secrets::printed_by(&line, MOST_BYTES).map_err(|error| error.to_string())
            }
            Self::Keyring => {
                let service = path.ok_or("it takes SERVICE:ACCOUNT")?;
                secrets::from_keyring(service, key).map_err(|error| error.to_string())
            }
            Self::Prompt => typed(&path.map_or_else(|| key.to_owned(), |path| format!("{path}:{key}"))),
        }
    }
}

/// Whether a value of our own files and flags must be requested from a command, a keyring or the user.
pub(super) fn asks_for(value: &str) -> bool {
    ["${command:", "${keyring:", "${prompt:"]
        .iter()
        .any(|begin| value.contains(begin))
}

/// Whether the value as a whole is one reference, which may be shown where the value itself may not.
pub(super) fn is_one_reference(value: &str) -> bool {
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains('}') && inner.contains(':'))
}

/// A path of our own configuration file: `~/` is the home, and what is relative begins at `folder`.
pub(super) fn from_folder(folder: &Path, path: &str) -> PathBuf {
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => folder.join(path),
    }
}

fn key_of_file(path: &Path, key: &str, folders: &[PathBuf]) -> Result<String, String> {
    let text = read(path, folders)?;
    let place = path.display();
    let properties =
        java_properties::parse_text(&text).map_err(|malformed| format!("{place} {malformed}"))?;
    let found = properties.into_iter().rev().find(|property| property.key == key);
    found
        .map(|property| property.value)
        .ok_or_else(|| format!("{place} has no key \"{key}\""))
}

fn typed(question: &str) -> Result<String, String> {
    if !terminal::is_there() {
        return Err("there is no terminal to ask on".to_owned());
    }
    let question = match question.trim() {
        "" => "Password",
        question => question,
    };
    terminal::ask_unseen(&format!("{question}: ")).map_err(|error| match error.message().as_str() {
        "" => "interrupted".to_owned(),
        message => message.to_owned(),
    })
}

fn read(path: &Path, folders: &[PathBuf]) -> Result<String, String> {
    let unreadable = |cause: io::Error| format!("{}: {}", path.display(), Error::from(cause));
    let real = fs::canonicalize(path).map_err(unreadable)?;
    if !folders.is_empty() && !folders.iter().any(|folder| real.starts_with(folder)) {
        return Err(format!(
            "{} is outside of the config provider's allowed.paths",
            path.display()
        ));
    }
    let file = fs::File::open(&real).map_err(unreadable)?;
    secrets::text_of(file, &path.display().to_string(), MOST_BYTES).map_err(|error| error.to_string())
}

fn name_pattern(pattern: Option<&str>) -> Result<Option<Regex>, String> {
    let whole = |pattern| Regex::new(&format!("^(?:{pattern})$"));
    pattern
        .map(whole)
        .transpose()
        .map_err(|_| "allowlist.pattern is no regular expression".to_owned())
}

fn folders(paths: Option<&str>) -> Vec<PathBuf> {
    let paths = paths
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|path| !path.is_empty());
    paths
        .map(|path| fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Result<ConfigProviders, String> {
        ConfigProviders::declared_in(&java_properties::parse(text.as_bytes()).unwrap())
    }

    const FILE: &str = "config.providers=f\nconfig.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider\n";

    #[test]
    fn keys_of_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.properties");
        fs::write(&file, "password=gr\u{fc}n\\ \nother=1").unwrap();
        let providers = declared(FILE).unwrap();
        let reference = format!("user=\"a\" password=\"${{f:{}:password}}\";", file.display());
        assert_eq!(
            providers.resolve(&reference).unwrap(),
            "user=\"a\" password=\"gr\u{fc}n \";"
        );
        let nowhere = providers
            .resolve(&format!("${{f:{}:nothing}}", file.display()))
            .unwrap_err();
        assert!(nowhere.ends_with("has no key \"nothing\""), "{nowhere}");
    }

    #[test]
    fn files_as_values_and_only_where_allowed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "abc").unwrap();
        let reference = format!("${{directory:{}:token}}", folder.path().display());
        assert_eq!(
            ConfigProviders::all(Path::new("")).resolve(&reference).unwrap(),
            "abc"
        );
        let text = "config.providers=directory\n\
             config.providers.directory.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\n\
             config.providers.directory.param.allowed.paths=/usr";
        assert!(
            declared(text)
                .unwrap()
                .resolve(&reference)
                .unwrap_err()
                .contains("allowed.paths")
        );
        let escape = format!("${{directory:{}:../token}}", folder.path().display());
        assert!(ConfigProviders::all(Path::new("")).resolve(&escape).is_err());
    }

    #[test]
    fn our_own_files_know_more_places() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "abc\n").unwrap();
        let providers = ConfigProviders::all(folder.path());
        for (reference, value) in [
            ("${file:token}", "abc"),
            ("<${command:echo a:b:c}>", "<a:b:c>"),
            ("${command:printf '%s' '${x'}", "${x"),
        ] {
            assert_eq!(providers.resolve(reference).as_deref(), Ok(value), "{reference}");
        }
        assert!(asks_for("a ${prompt:b}") && !asks_for("${env:A}"));
        assert!(is_one_reference("${env:A}") && !is_one_reference("${env:A}${env:B}"));
        assert!(!is_one_reference("hunter2") && !is_one_reference("${hunter2}"));
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_refused() {
        let none = ConfigProviders::default();
        for literal in ["${x}", "${}", "$env:HOME", "${ a: b }", "{env:HOME}", "${:x}"] {
            assert_eq!(none.resolve(literal).as_deref(), Ok(literal));
        }
        for reference in [
            "${env:HOME}",
            "a ${env:HOME} b",
            "${file:/a:b}",
            "${dir:/a:b}",
            "${vault:a:b}",
        ] {
            assert!(none.resolve(reference).is_err(), "{reference}");
        }
        for reference in [
            "${env:HOME:default}",
            "${keyring:x}",
            "${command:exit 1}",
            "${directory:x}",
            "${vault:a:b}",
        ] {
            assert!(
                ConfigProviders::all(Path::new("")).resolve(reference).is_err(),
                "{reference}"
            );
        }
        assert!(
            ConfigProviders::all(Path::new(""))
                .resolve("${env:KAFKIT_NO_SUCH_VARIABLE}")
                .is_err()
        );
        assert!(declared("config.providers=vault\nconfig.providers.vault.class=com.example.Vault").is_err());
        assert!(declared("config.providers=vault").is_err());
    }
}
