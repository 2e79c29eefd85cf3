//! `java.text.SimpleDateFormat`: times by a pattern, in the local time zone and in English.

use std::fmt::Write;

use jiff::Zoned;

/// `zoned` by a pattern.
///
/// # Errors
///
/// The message of Java's exception about an invalid pattern.
pub fn format(pattern: &str, zoned: &Zoned) -> Result<String, String> {
    let mut text = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' if letters.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => loop {
                match letters.next() {
                    Some('\'') if letters.next_if_eq(&'\'').is_some() => text.push('\''),
                    Some('\'') => break,
                    Some(quoted) => text.push(quoted),
                    None => return Err("Unterminated quote".to_owned()),
                }
            },
            letter if letter.is_ascii_alphabetic() => {
                let mut count = 1;
                while letters.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                field(letter, count, zoned, &mut text)?;
            }
            letter => text.push(letter),
        }
    }
    Ok(text)
}

fn field(letter: char, count: usize, zoned: &Zoned, text: &mut String) -> Result<(), String> {
    let mut number = |value: i64| {
        let _ = write!(text, "{value:0count$}");
    };
    let hour = i64::from(zoned.hour());
    match letter {
        'y' | 'Y' if count == 2 => number(i64::from(zoned.year()).rem_euclid(100)),
        'y' | 'Y' => number(i64::from(zoned.year())),
        'M' | 'L' if count < 3 => number(i64::from(zoned.month())),
        'd' => number(i64::from(zoned.day())),
        'D' => number(i64::from(zoned.day_of_year())),
        'H' => number(hour),
        'k' => number(if hour == 0 { 24 } else { hour }),
        'K' => number(hour % 12),
        'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => number(i64::from(zoned.minute())),
        's' => number(i64::from(zoned.second())),
        'S' => number(i64::from(zoned.millisecond())),
        'u' => number(i64::from(zoned.weekday().to_monday_one_offset())),
        _ => {
            let pattern = match (letter, count) {
                ('M' | 'L', 3) => "%b",
                ('M' | 'L', _) => "%B",
                ('E', ..=3) => "%a",
                ('E', _) => "%A",
                ('a', _) => "%p",
                ('z', _) => "%Z",
                ('Z', _) | ('X', 2) => "%z",
                ('X', _) => "%:z",
                ('G', _) => "AD",
                _ => return Err(format!("Illegal pattern character '{letter}'")),
            };
            let _ = write!(text, "{}", zoned.strftime(pattern));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_java_reads_them() {
        let zoned: Zoned = "2026-03-04T05:06:07.089[UTC]".parse().expect("a time");
        for (pattern, text) in [
            ("yyyy-MM-dd HH:mm:ss:SSS", "2026-03-04 05:06:07:089"),
            ("yy/M/d h:m a", "26/3/4 5:6 AM"),
            ("EEE, d MMM yyyy 'at' HH ''", "Wed, 4 Mar 2026 at 05 '"),
            ("", ""),
        ] {
            assert_eq!(format(pattern, &zoned).as_deref(), Ok(text), "{pattern}");
        }
        assert_eq!(
            format("b", &zoned),
            Err("Illegal pattern character 'b'".to_owned())
        );
        assert_eq!(format("'x", &zoned), Err("Unterminated quote".to_owned()));
    }
}
