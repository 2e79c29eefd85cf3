//! The values of `auto.offset.reset` that the engine lacks: `none`, and `by_duration` (KIP-1106).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The prefix of a duration that says how far back to begin.
const BY_DURATION: &str = "by_duration:";

/// `by_duration:PT1H` as a time to begin at, in milliseconds since 1970; `None` for `earliest`, `latest` and `none`.
///
/// An error with the text of Java's `ConfigException` for any other value. For a member of a group a duration is an
/// error too: the engine can reset a member to the beginning or the end, but not to a time.
pub fn since(reset: &str, is_member: bool) -> Result<Option<i64>, String> {
    if ["earliest", "latest", "none"].contains(&reset) {
        return Ok(None);
    }
    let back = reset.strip_prefix(BY_DURATION).and_then(duration).ok_or_else(|| {
        format!(
            "Invalid value `{reset}` for configuration auto.offset.reset. The value must be either 'earliest', \
             'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
        )
    })?;
    if is_member {
        return Err(format!("auto.offset.reset={reset} is not supported with a group"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = now.saturating_sub(back).as_millis();
    Ok(Some(i64::try_from(at).unwrap_or(i64::MAX)))
}

/// The engine's value: `none` is `error` there, and a duration is looked up as a timestamp instead.
pub fn word(reset: String) -> String {
    if reset == "none" {
        "error".to_owned()
    } else if reset.starts_with(BY_DURATION) {
        "latest".to_owned()
    } else {
        reset
    }
}

/// `PnDTnHnMn.nS`, as `java.time.Duration` reads it; negative numbers are refused.
fn duration(text: &str) -> Option<Duration> {
    let text = text.to_ascii_uppercase();
    let text = text.strip_prefix('P')?;
    let (days, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let hours_and_less = [('H', 3600.0), ('M', 60.0), ('S', 1.0)];
    let mut seconds = 0.0;
    let mut count = 0;
    for (mut rest, units) in [(days, &[('D', 86400.0)][..]), (time, &hours_and_less)] {
        for (unit, size) in units {
            let Some((number, after)) = rest.split_once(*unit) else {
                continue;
            };
            let is_digit = |byte: u8| byte.is_ascii_digit() || (byte == b'.' && *unit == 'S');
            let number: f64 = number.parse().ok().filter(|_| number.bytes().all(is_digit))?;
            seconds += number * size;
            count += 1;
            rest = after;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|_| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_java_reads_them() {
        for (text, seconds) in [
            ("PT1H", 3600.0),
            ("P1DT2M", 86520.0),
            ("pt0.5s", 0.5),
            ("P2D", 172_800.0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "x", "P", "PT", "P1H", "PT1", "PT-1H", "PT1S1H", "PT1.5H"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_a_time_for_a_reader_without_a_group() {
        assert_eq!(since("earliest", false), Ok(None));
        assert!(matches!(since("by_duration:PT1H", false), Ok(Some(at)) if at > 0));
        assert!(since("by_duration:PT1H", true).is_err());
        assert!(since("by_duration:soon", false).is_err());
    }
}
