//! A Java properties file as a profile. References to Kafka's config providers stay references.

use super::{Import, Imported, take};
use crate::client::config_providers::ConfigProviders;
use crate::client::java_properties;
use crate::error::{Error, Result};

pub(super) fn read(text: &[u8]) -> Result<Import> {
    let properties = java_properties::parse(text).map_err(Error::bad_data)?;
    let providers = ConfigProviders::declared_in(&properties).map_err(Error::bad_data)?;
    let mut import = Import::default();
    let mut profile = Imported::default();
    for property in &properties {
        // Our own file needs no classes of config providers.
        if property.key.starts_with("config.providers") {
            continue;
        }
        let mut value = property.value.clone();
        for (theirs, usual) in providers.usual_names() {
            value = value.replace(&format!("${{{theirs}:"), &format!("${{{usual}:"));
        }
        take(&mut import, &mut profile, property.line, &property.key, &value);
    }
    import.profiles.push(profile);
    Ok(import)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_and_references_stay() {
        let text = b"# c\nbootstrap.servers=a\\:1\nconfig.providers=f\n\
            config.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider\n\
            sasl.password=${f:/etc/s:p}\nmy.own=1\n";
        let import = read(text).unwrap();
        let entries = &import.profiles[0].entries;
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            *entries,
            [
                pair("bootstrap.servers", "a:1"),
                pair("sasl.password", "${file:/etc/s:p}")
            ]
        );
        assert_eq!(
            import.notes,
            [(6, "my.own is no setting of a Kafka client".to_owned())]
        );
        assert!(read(b"a=\\u12").is_err());
    }
}
