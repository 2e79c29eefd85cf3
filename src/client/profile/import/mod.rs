//! Settings of other programs as profiles: Java's properties, kcat's, rpk's and kafkactl's files.
//!
//! Pure: bytes in, profiles out, with a note for everything that has no counterpart here. Secrets are taken as
//! they are.

mod java;
mod kafkactl;
mod kcat;
mod rpk;
mod yaml;

use std::path::Path;

use super::super::setting_keys;
use crate::error::{Error, Result};
use yaml::Node;

/// The program whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Java,
    Kcat,
    Rpk,
    Kafkactl,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Kcat => "kcat",
            Self::Rpk => "rpk",
            Self::Kafkactl => "kafkactl",
        }
    }
}

/// A profile of another program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Its name in the file; `None` if the format has one profile without a name.
    pub name: Option<String>,
    pub entries: Vec<(String, String)>,
}

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    pub profiles: Vec<Imported>,
    /// The profile that is current in the file.
    pub current: Option<String>,
    /// What has no counterpart here: a line and the reason.
    pub notes: Vec<(usize, String)>,
}

/// The format of a file, by its name and content.
pub fn recognise(path: &Path, text: &[u8]) -> Option<Format> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("properties") => return Some(Format::Java),
        Some("conf") => return Some(Format::Kcat),
        _ => {}
    }
    let text = String::from_utf8_lossy(text);
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    if has("contexts:") {
        return Some(Format::Kafkactl);
    }
    (has("profiles:") || has("rpk:")).then_some(Format::Rpk)
}

/// Reads a file of this format. Relative paths in it begin at `folder`.
///
/// # Errors
///
/// It cannot be parsed. The message begins with the line.
pub fn read(format: Format, text: &[u8], folder: &Path) -> Result<Import> {
    let mut import = match format {
        Format::Java => java::read(text)?,
        Format::Kcat => kcat::read(&utf8(text)?),
        Format::Rpk => rpk::read(&tree(text)?),
        Format::Kafkactl => kafkactl::read(&tree(text)?),
    };
    for profile in &mut import.profiles {
        for (key, value) in &mut profile.entries {
            let is_relative = !value.is_empty() && !value.starts_with(['/', '~', '$']) && value != "probe";
            if is_relative && setting_keys::is_path(key) {
                *value = folder.join(&*value).display().to_string();
            }
        }
    }
    Ok(import)
}

fn utf8(text: &[u8]) -> Result<String> {
    let text = String::from_utf8(text.to_vec());
    text.map_err(|_| Error::bad_data("it is not UTF-8"))
}

fn tree(text: &[u8]) -> Result<Node> {
    yaml::parse(&utf8(text)?).map_err(|(line, problem)| Error::bad_data(format!("line {line}: {problem}")))
}

/// Takes a setting, or notes it if no client has one of its name.
fn take(import: &mut Import, profile: &mut Imported, line: usize, key: &str, value: &str) {
    let key = setting_keys::canonical(key);
    if !setting_keys::is_known(key) {
        import
            .notes
            .push((line, format!("{key} is no setting of a Kafka client")));
        return;
    }
    profile.entries.retain(|(known, _)| known != key);
    profile.entries.push((key.to_owned(), value.to_owned()));
}

/// A profile that is assembled from the parts of other programs.
#[derive(Debug, Default)]
struct Parts {
    entries: Vec<(String, String)>,
    has_tls: bool,
    has_sasl: bool,
}

impl Parts {
    fn set(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.entries.push((key.to_owned(), value.to_owned()));
        }
    }

    /// A list of brokers as one value.
    fn set_brokers(&mut self, brokers: Option<&Node>) {
        let brokers = brokers.map_or(&[][..], Node::items);
        let brokers: Vec<&str> = brokers.iter().filter_map(Node::text).collect();
        if !brokers.is_empty() {
            self.set("bootstrap.servers", Some(&brokers.join(",")));
        }
    }

    fn trust_everybody(&mut self) {
        self.set("enable.ssl.certificate.verification", Some("false"));
        self.set("ssl.endpoint.identification.algorithm", Some("none"));
    }

    fn into_profile(mut self, name: &str) -> Imported {
        let protocol = match (self.has_tls, self.has_sasl) {
            (false, false) => None,
            (true, false) => Some("SSL"),
            (false, true) => Some("SASL_PLAINTEXT"),
            (true, true) => Some("SASL_SSL"),
        };
        self.set("security.protocol", protocol);
        Imported {
            name: Some(name.to_owned()),
            entries: self.entries,
        }
    }
}

/// Notes the keys of a map that are not among `known`.
fn note_others(import: &mut Import, node: &Node, known: &[&str], whose: &str) {
    for (key, value) in node.entries() {
        let is_empty = value.text().is_none() && value.items().is_empty() && value.entries().is_empty();
        if !is_empty && !known.contains(&key.as_str()) {
            import
                .notes
                .push((value.line, format!("{whose}{key} has no place in a profile")));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_recognised_by_its_name_or_its_content() {
        for (name, text, format) in [
            ("client.properties", "", Some(Format::Java)),
            ("kcat.conf", "", Some(Format::Kcat)),
            ("rpk.yaml", "version: 6\nprofiles:\n", Some(Format::Rpk)),
            ("redpanda.yaml", "rpk:\n", Some(Format::Rpk)),
            ("config.yml", "contexts:\n", Some(Format::Kafkactl)),
            ("x", "a=b", None),
        ] {
            assert_eq!(recognise(Path::new(name), text.as_bytes()), format, "{name}");
        }
    }

    #[test]
    fn relative_paths_begin_at_the_file_s_folder() {
        let text = b"ssl.ca.location=ca.pem\nssl.key.location=/k\nclient.id=x\n";
        let import = read(Format::Kcat, text, Path::new("/f")).unwrap();
        let values: Vec<&str> = import.profiles[0]
            .entries
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(values, ["/f/ca.pem", "/k", "x"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, text in "[a-z.:=\\-\\\\#{}$\n ]{0,80}") {
            for format in [Format::Java, Format::Kcat, Format::Rpk, Format::Kafkactl] {
                let _ = read(format, &bytes, Path::new("/f"));
                for begin in ["", "profiles:\n- name: a\n  kafka_api:\n    ", "contexts:\n  a:\n    "] {
                    let _ = read(format, format!("{begin}{text}").as_bytes(), Path::new("/f"));
                }
            }
        }
    }
}
