//! Points in time as users type them (milliseconds, RFC 3339, dates and times of day, ages), and durations.

use std::time::Duration;

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
    if let Ok(milliseconds) = text.parse::<i64>() {
        return short_number(milliseconds);
    }
    let age = text.strip_prefix('-').unwrap_or(text);
    if let Ok(span) = age.parse::<Span>() {
        let then = Zoned::now().checked_sub(span).map_err(|_| TOO_FAR.to_owned())?;
        return Ok(then.timestamp().as_millisecond());
    }
    Err("a time looks like 10m (ago), 2026-11-21, 2026-11-21T10:00:00Z, @1795255200 or 1795255200000".into())
}

/// A number of few digits: milliseconds near 1970, unless the user more likely meant something else.
fn short_number(milliseconds: i64) -> Result<i64, String> {
    match milliseconds {
        1900..2200 => Err(format!(
            "is {milliseconds} a year? a date looks like {milliseconds}-01-01"
        )),
        -99_999_999..=99_999_999 => Ok(milliseconds),
        _ => Err(format!(
            "seconds are written @{milliseconds}, milliseconds {milliseconds}000"
        )),
    }
}

/// A duration with its unit: `500ms`, `10s`, `2m`. Zero is refused.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wanted = || "a time has a unit and is more than zero, as in 500ms, 10s or 2m".to_owned();
    let length: jiff::SignedDuration = text.trim().parse().map_err(|_| wanted())?;
    let length = Duration::try_from(length).map_err(|_| wanted())?;
    if length < Duration::from_millis(1) {
        return Err(wanted());
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, milliseconds) in [("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("1.5s", 1500)] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in ["", "10", "0s", "-3s", "soon", "1ns"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_as_people_write_them() {
        for (text, time) in [
            ("2026-11-21T10:00:00Z", 1_795_255_200_000),
            ("2026-11-21T11:00:00+01:00", 1_795_255_200_000),
            ("@1795255200", 1_795_255_200_000),
            ("1795255200000", 1_795_255_200_000),
            ("0", 0),
            ("-1", -1),
            ("-5", -5),
            ("-62135596800000", -62_135_596_800_000),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.995Z", -5),
            ("@-1", -1000),
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
        for text in ["soon", "2026", "1795255200", ""] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
