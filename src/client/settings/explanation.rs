//! Each setting with its origin, its effect, and what it replaced. Secrets are masked here, once.

use std::fmt::Write as _;

use super::super::config_providers::{asks_for, is_one_reference};
use super::super::mini_place::shown;
use super::super::setting_keys;
use super::{Origin, Setting, Settings};
use crate::wire::sasl::jaas::LoginModule;

/// Shown instead of a secret.
const HIDDEN: &str = "[hidden]";

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub key: String,
    pub given: Given,
    /// The effect of the setting.
    pub effect: String,
    /// The values that it replaces, the strongest first.
    pub overridden: Vec<Given>,
}

/// A value with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value, or what may be shown instead.
    pub value: String,
    /// The reference to a value stored elsewhere, as it is written.
    pub reference: Option<String>,
    pub is_secret: bool,
    /// A text for the user.
    pub origin: String,
    /// `flag`, `-X`, `environment`, `file`, `profile` or `default`.
    pub kind: &'static str,
}

impl Settings {
    /// Every given setting, in the order of the keys.
    pub fn explain(&self) -> Vec<Explained> {
        self.in_force()
            .map(|setting| {
                let mut others: Vec<&Setting> = self
                    .entries
                    .iter()
                    .filter(|other| other.key == setting.key && !other.is_same(setting))
                    .collect();
                others.reverse();
                others.sort_by_key(|other| std::cmp::Reverse(other.origin.rank()));
                Explained {
                    key: setting.key.clone(),
                    given: given(setting),
                    effect: setting_keys::effect(&setting.key),
                    overridden: others.into_iter().map(given).collect(),
                }
            })
            .collect()
    }
}

/// The value with secrets masked.
pub fn masked(key: &str, value: &str) -> String {
    match key {
        _ if !setting_keys::is_secret(key) || is_one_reference(value) => value.to_owned(),
        "sasl.jaas.config" => masked_login(value),
        _ => HIDDEN.to_owned(),
    }
}

fn given(setting: &Setting) -> Given {
    let is_secret = setting_keys::is_secret(&setting.key);
    let written = setting
        .reference
        .as_ref()
        .map(|reference| reference.text.as_str());
    let reference = written.filter(|text| !is_secret || is_one_reference(text));
    let value = match written {
        Some(text) if asks_for(text) => "(asked for when it is needed)".to_owned(),
        // The value of a reference is no reference itself, even if it looks like one.
        Some(_) if is_secret => HIDDEN.to_owned(),
        _ => masked(&setting.key, &setting.value),
    };
    let (kind, origin) = origin_of(setting);
    Given {
        value,
        reference: reference.map(str::to_owned),
        is_secret,
        origin,
        kind,
    }
}

fn origin_of(setting: &Setting) -> (&'static str, String) {
    match &setting.origin {
        Origin::Default => ("default", "default".to_owned()),
        Origin::Profile(place) => {
            let doubt = if place.is_trusted { "" } else { ", not trusted" };
            (
                "profile",
                format!("profile {} ({}{doubt})", place.profile, place.file_and_line()),
            )
        }
        Origin::File(file, line) => ("file", format!("{}:{line}", shown(file.as_ref()))),
        Origin::Environment(name) => ("environment", format!("environment {name}")),
        Origin::SetFlag => ("-X", "-X".to_owned()),
        Origin::Flag if setting.key == "bootstrap.servers" => ("flag", "--bootstrap-server".to_owned()),
        Origin::Flag => ("flag", "a flag".to_owned()),
    }
}

/// The class of a login module and the names of its options, but of their values only the user
/// name.
fn masked_login(text: &str) -> String {
    let Ok(module) = LoginModule::parse(text) else {
        return HIDDEN.to_owned();
    };
    let mut shown = module.simple_name().to_owned();
    for (name, value) in &module.options {
        let value = if name == "username" {
            value.reveal()
        } else {
            HIDDEN
        };
        let _ = write!(shown, " {name}={value}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::tests::of_file;
    use super::*;

    #[test]
    fn the_value_in_force_comes_with_those_it_replaces() {
        let mut settings = of_file("acks=0\nacks=1\nclient.id=x");
        settings.set("acks", "all", Origin::SetFlag);
        let explained = settings.explain();
        let [acks, client_id] = explained.as_slice() else {
            panic!("{explained:?}");
        };
        assert_eq!(
            (acks.given.value.as_str(), acks.given.origin.as_str()),
            ("all", "-X")
        );
        let replaced: Vec<_> = acks
            .overridden
            .iter()
            .map(|given| (given.value.as_str(), given.origin.as_str()))
            .collect();
        assert_eq!(
            replaced,
            [("1", "client.properties:2"), ("0", "client.properties:1")]
        );
        assert!(client_id.overridden.is_empty());
    }

    #[test]
    fn no_secret_is_shown_in_any_spelling() {
        let mut settings = of_file(
            "sasl.password=hunter2\nssl.key.pem=hunter2\nsasl.oauthbearer.token=hunter2\n\
             sasl.oauthbearer.config=principal=hunter2\nsasl.jaas.config=a.PlainLoginModule required username=\"me\" password=\"hunter2\";",
        );
        settings.set_unresolved(
            "ssl.key.password",
            "${env:X}hunter2",
            Origin::SetFlag,
            "".as_ref(),
        );
        settings.set_unresolved(
            "sasl.password",
            "${command:pass show kafka}",
            Origin::SetFlag,
            "".as_ref(),
        );
        let explained = settings.explain();
        let text = format!("{explained:?}");
        assert!(!text.contains("hunter2"), "{text}");
        let find = |key: &str| explained.iter().find(|found| found.key == key).unwrap();
        assert_eq!(
            find("sasl.jaas.config").given.value,
            "PlainLoginModule password=[hidden] username=me"
        );
        let password = &find("sasl.password").given;
        assert_eq!(password.reference.as_deref(), Some("${command:pass show kafka}"));
        assert_eq!(password.value, "(asked for when it is needed)");
    }
}
