//! kcat's configuration file: librdkafka's properties, one a line, those of topics with `topic.` in front.

use super::{Import, Imported, take};

pub(super) fn read(text: &str) -> Import {
    let mut import = Import::default();
    let mut profile = Imported::default();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            import
                .notes
                .push((number, "no key and value with = between them".to_owned()));
            continue;
        };
        let key = key.trim();
        let key = key
            .strip_prefix("topic.")
            .filter(|_| !key.starts_with("topic.metadata."))
            .unwrap_or(key);
        // kcat accepts files with Java's escapes.
        let value = value.trim().replace("\\:", ":").replace("\\=", "=");
        take(&mut import, &mut profile, number, key, &value);
    }
    import.profiles.push(profile);
    import
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_property_a_line() {
        let import = read(
            "# c\n\nmetadata.broker.list = a:1,b:2\nsasl.password=x=y\ntopic.request.required.acks=1\n?\n",
        );
        let entries = &import.profiles[0].entries;
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            *entries,
            [
                pair("bootstrap.servers", "a:1,b:2"),
                pair("sasl.password", "x=y"),
                pair("request.required.acks", "1")
            ]
        );
        assert_eq!(import.notes[0].0, 6);
    }
}
