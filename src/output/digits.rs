//! Decimal digits into a byte buffer, without the formatting machinery: a dump writes ten numbers a record.
//!
//! Owns digits only.

const PAIRS: &[u8; 200] = b"00010203040506070809101112131415161718192021222324252627282930313233343536373839\
404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// Appends a number in decimal.
#[inline]
pub fn push_i64(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    push_u64(number.unsigned_abs(), out);
}

/// Appends a number in decimal.
#[inline]
pub fn push_i32(number: i32, out: &mut Vec<u8>) {
    push_i64(i64::from(number), out);
}

/// Appends a number in decimal.
#[inline]
pub fn push_u64(mut number: u64, out: &mut Vec<u8>) {
    if number < 10 {
        out.push(b'0' + number as u8);
        return;
    }
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    while number >= 100 {
        start -= 2;
        put_pair(&mut digits, start, (number % 100) as usize);
        number /= 100;
    }
    if number >= 10 {
        start -= 2;
        put_pair(&mut digits, start, number as usize);
    } else {
        start -= 1;
        if let Some(digit) = digits.get_mut(start) {
            *digit = b'0' + number as u8;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

#[inline]
fn put_pair(digits: &mut [u8; 20], start: usize, pair: usize) {
    if let (Some(place), Some(two)) = (
        digits.get_mut(start..start + 2),
        PAIRS.get(pair * 2..pair * 2 + 2),
    ) {
        place.copy_from_slice(two);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(number in any::<i64>(), small in -1000_i64..1000) {
            for number in [number, small, i64::MIN, i64::MAX] {
                let mut out = Vec::new();
                push_i64(number, &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
            }
        }
    }
}
