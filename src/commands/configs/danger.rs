//! Which changes of configs may cause loss of records, and how.

use crate::output::config::ChangedConfig;

/// What may be lost; `None` if nothing is.
pub(super) fn of(row: &ChangedConfig) -> Option<&'static str> {
    let name = row.name.strip_prefix("log.").unwrap_or(&row.name);
    let (old, new) = (row.old.as_deref(), row.new.as_deref());
    match name {
        "retention.ms" | "retention.bytes" if is_less(old, new) => {
            Some("records past the new limit are deleted")
        }
        "cleanup.policy" => {
            let gains = |policy: &str| has_policy(new, policy) && !has_policy(old, policy);
            if gains("compact") {
                Some("of each key only the last record is kept")
            } else if gains("delete") {
                Some("records past the topic's retention are deleted")
            } else {
                None
            }
        }
        "unclean.leader.election.enable" if new == Some("true") && old != Some("true") => {
            Some("a replica that lags may lead, and acknowledged records be lost")
        }
        "min.insync.replicas" if is_less(old, new) => Some("an acknowledged record may be on fewer replicas"),
        _ => None,
    }
}

fn has_policy(list: Option<&str>, policy: &str) -> bool {
    list.unwrap_or_default()
        .split(',')
        .any(|word| word.trim() == policy)
}

/// Whether a limit decreases; -1 is no limit. A value that cannot be parsed does not count.
fn is_less(old: Option<&str>, new: Option<&str>) -> bool {
    let limit = |text: Option<&str>| {
        let number: i64 = text?.trim().parse().ok()?;
        Some(if number < 0 { i64::MAX } else { number })
    };
    match (limit(old), limit(new)) {
        (Some(old), Some(new)) => new < old,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::admin::configs::ConfigSource;

    fn is_dangerous(name: &str, old: &str, new: &str) -> bool {
        of(&ChangedConfig {
            name: name.to_owned(),
            old: Some(old.to_owned()),
            new: Some(new.to_owned()),
            old_source: ConfigSource::Default,
            was_own: false,
            is_own_after: true,
            is_same: false,
            is_secret: false,
        })
        .is_some()
    }

    #[test]
    fn only_what_may_lose_records_is_dangerous() {
        for (name, old, new) in [
            ("retention.ms", "1000", "999"),
            ("retention.bytes", "-1", "5"),
            ("log.retention.ms", "1000", "1"),
            ("cleanup.policy", "delete", "compact"),
            ("cleanup.policy", "compact", "compact, delete"),
            ("unclean.leader.election.enable", "false", "true"),
            ("min.insync.replicas", "2", "1"),
        ] {
            assert!(is_dangerous(name, old, new), "{name} {old} {new}");
        }
        for (name, old, new) in [
            ("retention.ms", "1000", "-1"),
            ("retention.ms", "1000", "1001"),
            ("cleanup.policy", "compact,delete", "delete"),
            ("min.insync.replicas", "1", "2"),
            ("segment.bytes", "5000000", "2000000"),
        ] {
            assert!(!is_dangerous(name, old, new), "{name} {old} {new}");
        }
    }
}
