//! Times and durations as the Java runtime and Apache Kafka's tools parse them.
//!
//! Owns `java.time.Duration.parse` and Kafka's `Utils.getDateTime`. Owns no clock.

use std::sync::LazyLock;

use jiff::civil;
use jiff::tz::TimeZone;
use regex::{Captures, Regex};

/// The message of `DateTimeParseException` about an invalid duration.
const NO_DURATION: &str = "Text cannot be parsed to a Duration";

static DURATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?i)\A([-+]?)P(?:([-+]?[0-9]+)D)?(T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)(?:[.,]([0-9]{0,9}))?S)?)?\z";
    Regex::new(pattern).ok()
});

/// A zone of hours and minutes is tried first, then one of hours alone; what follows it is ignored.
static DATE_TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"\A(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)(?:(Z)|([-+])(\d{2}):(\d{2})|([-+])(\d{2}))";
    Regex::new(pattern).ok()
});

/// `PnDTnHnMn.nS` in milliseconds, which may be negative.
///
/// # Errors
///
/// The message of Java's exception.
pub fn duration_millis(text: &str) -> Result<i64, &'static str> {
    let found = DURATION.as_ref().and_then(|regex| regex.captures(text));
    let found = found.ok_or(NO_DURATION)?;
    let is_bare_time = found.get(3).is_some_and(|time| time.as_str().len() == 1);
    let has_part = [2, 4, 5, 6].iter().any(|group| found.get(*group).is_some());
    if is_bare_time || !has_part {
        return Err(NO_DURATION);
    }
    millis(&found).ok_or(NO_DURATION)
}

fn millis(found: &Captures<'_>) -> Option<i64> {
    let mut millis: i64 = 0;
    for (group, size) in [(2, 86_400_000), (4, 3_600_000), (5, 60_000), (6, 1000)] {
        let Some(number) = found.get(group) else { continue };
        let number: i64 = number.as_str().parse().ok()?;
        millis = millis.checked_add(number.checked_mul(size)?)?;
    }
    let fraction = found.get(7).map_or("", |digits| digits.as_str());
    let fraction: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let is_below_zero = found
        .get(6)
        .is_some_and(|seconds| seconds.as_str().starts_with('-'));
    millis = millis.checked_add(if is_below_zero { -fraction } else { fraction })?;
    match &found[1] {
        "-" => millis.checked_neg(),
        _ => Some(millis),
    }
}

/// `2026-01-31T12:00:00.000`, with a zone or in UTC, in milliseconds since 1970.
///
/// # Errors
///
/// The message of Java's `ParseException`.
pub fn date_time(text: &str) -> Result<i64, String> {
    let mut parts = text.split('T');
    let time = parts.nth(1).filter(|_| !text.trim_end_matches('T').is_empty());
    let Some(time) = time.filter(|time| !time.is_empty()) else {
        return Err(
            "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format".to_owned(),
        );
    };
    let text = if time.contains(['+', '-', 'Z']) {
        text.to_owned()
    } else {
        format!("{text}Z")
    };
    let found = DATE_TIME.as_ref().and_then(|regex| regex.captures(&text));
    found
        .and_then(|found| instant(&found))
        .ok_or_else(|| format!("Unparseable date: \"{text}\""))
}

fn instant(found: &Captures<'_>) -> Option<i64> {
    let number = |group: usize| found.get(group)?.as_str().parse::<i64>().ok();
    let date = civil::Date::new(
        number(1)?.try_into().ok()?,
        number(2)?.try_into().ok()?,
        number(3)?.try_into().ok()?,
    );
    let nanos: i32 = i32::try_from(number(7)?.checked_mul(1_000_000)?).ok()?;
    let time = civil::Time::new(
        number(4)?.try_into().ok()?,
        number(5)?.try_into().ok()?,
        number(6)?.try_into().ok()?,
        nanos,
    );
    let local = date.ok()?.to_datetime(time.ok()?);
    let utc = local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    let (sign, hours, minutes) = match (found.get(9), found.get(12)) {
        (Some(sign), _) => (sign.as_str(), number(10)?, number(11)?),
        (None, Some(sign)) => (sign.as_str(), number(13)?, 0),
        (None, None) => return Some(utc),
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = (hours * 60 + minutes) * 60_000;
    Some(if sign == "-" { utc + ahead } else { utc - ahead })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_may_be_negative_as_a_whole_and_in_parts() {
        for (text, millis) in [
            ("P1D", 86_400_000),
            ("PT1H30M", 5_400_000),
            ("-PT1H", -3_600_000),
            ("PT-1H", -3_600_000),
            ("pt0.5s", 500),
            ("PT-0.5S", -500),
            ("PT1.S", 1000),
            ("P1DT-24H", 0),
        ] {
            assert_eq!(duration_millis(text), Ok(millis), "{text}");
        }
        for text in [
            "",
            "1d",
            "P",
            "PT",
            "P1DT",
            "P1H",
            "PT1.5H",
            "PT1S1H",
            "P99999999999999999999D",
        ] {
            assert_eq!(duration_millis(text), Err(NO_DURATION), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_in_utc() {
        for (text, millis) in [
            ("1970-01-01T00:00:01.000", 1000),
            ("1970-01-01T00:00:01.5", 1005),
            ("1970-01-01T01:00:00.000+01:00", 0),
            ("1970-01-01T01:00:00.000+01", 0),
            // The minutes after a zone of hours are ignored.
            ("1970-01-01T01:00:00.000+0130", 0),
            ("1969-12-31T23:00:00.000-01:00", 0),
            ("1970-1-1T0:0:0.0Z and more", 0),
        ] {
            assert_eq!(date_time(text), Ok(millis), "{text}");
        }
        for text in [
            "1970-13-01T00:00:00.000Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00.1000Z",
        ] {
            assert_eq!(date_time(text), Err(format!("Unparseable date: \"{text}\"")));
        }
        assert!(date_time("yesterday").unwrap_err().contains("'T'"));
        assert!(date_time("2026-01-01T").unwrap_err().contains("'T'"));
    }
}
