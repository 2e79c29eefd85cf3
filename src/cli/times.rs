//! Points in time as people type them: milliseconds, RFC 3339, dates and times of day, ages.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

const TOO_FAR: &str = "that time is too far away";

/// Milliseconds since 1970 for `2026-11-21T10:00:00Z`, `2026-11-21 10:00`, `2026-11-21`, `10m` (ago), `@SECONDS`,
/// `now`, or a number of milliseconds.
pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(Timestamp::now().as_millisecond());
    }
    if let Some(seconds) = text
        .strip_prefix('@')
        .and_then(|seconds| seconds.parse::<i64>().ok())
    {
        // Thirteen digits are milliseconds already.
        return Ok(if seconds >= 100_000_000_000 {
            seconds
        } else {
            seconds * 1000
        });
    }
    if text.len() >= 11
        && let Ok(milliseconds) = text.parse::<i64>()
    {
        return Ok(milliseconds);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    if let Ok(time) = text.parse::<Zoned>() {
        return Ok(time.timestamp().as_millisecond());
    }
    if let Ok(time) = text.parse::<DateTime>() {
        let zoned = time
            .to_zoned(TimeZone::system())
            .map_err(|_| TOO_FAR.to_owned())?;
        return Ok(zoned.timestamp().as_millisecond());
    }
    let age = text.strip_prefix('-').unwrap_or(text);
    if let Ok(span) = age.parse::<Span>() {
        let then = Zoned::now().checked_sub(span).map_err(|_| TOO_FAR.to_owned())?;
        return Ok(then.timestamp().as_millisecond());
    }
    Err("a time looks like 10m (ago), 2026-11-21, 2026-11-21T10:00:00Z, @1795255200 or 1795255200000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        for (text, time) in [
            ("2026-11-21T10:00:00Z", 1_795_255_200_000),
            ("2026-11-21T11:00:00+01:00", 1_795_255_200_000),
            ("@1795255200", 1_795_255_200_000),
            ("1795255200000", 1_795_255_200_000),
        ] {
            assert_eq!(parse_time(text), Ok(time), "{text}");
        }
        let now = Timestamp::now().as_millisecond();
        for (text, age) in [
            ("10m", 600_000),
            ("-1h", 3_600_000),
            ("2d", 172_800_000),
            ("90s", 90_000),
        ] {
            let difference = now - parse_time(text).unwrap() - age;
            assert!((-5_000..=5_000).contains(&difference), "{text}: {difference}");
        }
        assert!(parse_time("soon").is_err());
    }
}
