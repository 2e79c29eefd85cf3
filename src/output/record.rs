//! A consumed record to bytes: what every form of output has in common.

use crate::client::record_source::ConsumedRecord;

/// Writes records in one form.
pub trait RecordFormatter {
    /// Appends a record. The error is what is wrong with the record; what was appended before it stays.
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String>;

    /// Whether it looks at headers, which cost a little on each record.
    fn wants_headers(&self) -> bool {
        true
    }
}

/// Appends a whole number.
pub(super) fn push_number(number: impl itoa_like::Number, out: &mut Vec<u8>) {
    number.push(out);
}

/// Decimal digits without the formatting machinery, which shows on millions of records.
pub(super) mod itoa_like {
    /// A number that knows its digits.
    pub(in crate::output) trait Number {
        fn push(self, out: &mut Vec<u8>);
    }

    impl Number for i64 {
        fn push(self, out: &mut Vec<u8>) {
            if self < 0 {
                out.push(b'-');
            }
            push_digits(self.unsigned_abs(), out);
        }
    }

    impl Number for i32 {
        fn push(self, out: &mut Vec<u8>) {
            i64::from(self).push(out);
        }
    }

    fn push_digits(mut number: u64, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let mut count = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            count += 1;
            if number == 0 {
                break;
            }
        }
        out.extend(digits.iter().skip(digits.len() - count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, -1, 10, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            push_number(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
