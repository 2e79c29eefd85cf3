//! The topics that members of a classic consumer group subscribe to: the only part of their metadata that the
//! coordinator reads.

use super::classic_group::ClassicGroup;

/// The protocol type of consumers.
pub(super) const CONSUMER: &str = "consumer";

/// Every topic that a member subscribes to; `None` if that is unknown.
pub(super) fn topics(group: &ClassicGroup) -> Option<Vec<String>> {
    let protocol = group.protocol_name()?;
    let mut topics = Vec::new();
    for member in group.members() {
        topics.extend(member_topics(&member.metadata(protocol))?);
    }
    Some(topics)
}

/// In every version the topics come first: `version: int16, count: int32, (length: int16, name)…`.
fn member_topics(metadata: &[u8]) -> Option<Vec<String>> {
    let (_version, rest) = metadata.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut topics = Vec::new();
    for _ in 0..i32::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let (name, after) = after.split_at_checked(length)?;
        topics.push(String::from_utf8(name.to_vec()).ok()?);
        rest = after;
    }
    Some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_and_lies_are_not_believed() {
        let metadata = [0, 1, 0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c', 255, 255, 255, 255];
        assert_eq!(
            member_topics(&metadata),
            Some(vec!["a".to_owned(), "bc".to_owned()])
        );
        assert_eq!(member_topics(&[0, 1, 127, 255, 255, 255, 0, 1, b'a']), None);
        assert_eq!(member_topics(b""), None);
    }
}
