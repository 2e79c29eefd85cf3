//! Durations in the format of ISO 8601, as `java.time.Duration` reads them.

/// The milliseconds of `PnDTnHnMn.nS`, as Java's `Duration` reads it; None if it is no such text, or is negative.
pub fn iso_8601_ms(text: &str) -> Option<i64> {
    let text = text.to_ascii_uppercase();
    let (days, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (text.strip_prefix('P')?, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = 0_i64;
    if !days.is_empty() {
        let days: i64 = days.strip_suffix('D')?.parse().ok()?;
        total = days.checked_mul(86_400_000)?;
    }
    let mut rest = time;
    for (unit, milliseconds) in [('H', 3_600_000_i64), ('M', 60_000)] {
        if let Some((number, after)) = rest.split_once(unit) {
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(milliseconds)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        total = total.checked_add(seconds_ms(rest.strip_suffix('S')?)?)?;
    }
    (total >= 0).then_some(total)
}

fn seconds_ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let seconds: i64 = whole.parse().ok()?;
    seconds.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_java_reads_them() {
        let read = iso_8601_ms;
        assert_eq!(read("PT1H"), Some(3_600_000));
        assert_eq!(read("P2DT3H4M5.25S"), Some(183_845_250));
        assert_eq!(read("P1D"), Some(86_400_000));
        assert_eq!(read("PT0.001S"), Some(1));
        assert_eq!(read("pt1h"), Some(3_600_000));
        for wrong in [
            "",
            "P",
            "PT",
            "1H",
            "PT1",
            "P1DT",
            "PT1.5H",
            "PT-1H",
            "PT1X",
            "P99999999999999D",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
