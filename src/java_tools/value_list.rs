//! Options whose values are lists: joptsimple's `withValuesSeparatedBy(',')`.

/// The parts of all values. Empty parts are dropped, unless a value has nothing else.
pub(super) fn separated(values: &[String]) -> Vec<String> {
    let parts = |value: &String| {
        let parts: Vec<String> = value
            .split(',')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if parts.is_empty() {
            vec![value.clone()]
        } else {
            parts
        }
    };
    values.iter().flat_map(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_are_dropped() {
        let read = |values: &[&str]| separated(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(read(&["a,,b", "c,"]), ["a", "b", "c"]);
        assert_eq!(read(&[""]), [""]);
        assert!(read(&[]).is_empty());
    }
}
