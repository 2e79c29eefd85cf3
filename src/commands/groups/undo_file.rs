//! The undo file: the offsets that a group had committed before a change, for `groups reset --to file:F`.
//!
//! The file is a JSON array with one object for each partition; offsets belong to the cluster that it names. The output
//! of `kafka-consumer-groups --export` (`topic,partition,offset`) is read as well.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::client::admin::groups::CommittedOffset;
use crate::commands::undo_name::write_new;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::topic_partition::TopicPartition;

/// The committed offset of each partition; `None` where there was none.
pub(super) type Commits = BTreeMap<TopicPartition, Option<CommittedOffset>>;

#[derive(Debug, Deserialize, Serialize)]
struct Row {
    /// The id of the cluster; `None` fits every cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// `None` fits every group.
    #[serde(default)]
    group: Option<String>,
    topic: String,
    partition: i32,
    offset: Option<i64>,
    #[serde(default = "no_epoch")]
    leader_epoch: i32,
    #[serde(default)]
    metadata: String,
}

fn no_epoch() -> i32 {
    -1
}

/// Writes a new file and returns its name. `wanted` must not exist; `None` makes a name of `what`, in the working
/// directory.
pub(super) fn write(
    wanted: Option<&Path>,
    what: &str,
    cluster: Option<&str>,
    groups: &BTreeMap<String, Commits>,
) -> Result<PathBuf> {
    let rows: Vec<Row> = groups
        .iter()
        .flat_map(|(group, commits)| {
            commits
                .iter()
                .map(|(partition, had)| row(cluster, group, partition, had.as_ref()))
        })
        .collect();
    let text = serde_json::to_string_pretty(&rows)
        .map_err(|error| Error::failed(error).context("cannot write the undo file"))?;
    write_new(wanted, what, &text)
}

fn row(cluster: Option<&str>, group: &str, partition: &TopicPartition, had: Option<&CommittedOffset>) -> Row {
    let epoch = had.map_or(-1, |had| had.leader_epoch);
    Row {
        cluster: cluster.map(ToOwned::to_owned),
        group: Some(group.to_owned()),
        topic: partition.topic.clone(),
        partition: partition.partition,
        offset: had.map(|had| had.offset),
        leader_epoch: epoch,
        metadata: had.map_or_else(String::new, |had| had.metadata.clone()),
    }
}

/// The offsets in a file for `group` on the cluster with this id.
pub(super) fn read(path: &Path, group: &str, cluster: Option<&str>) -> Result<Commits> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::from(error).context(format_args!("cannot read {}", path.display())))?;
    let rows = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|error| {
            Error::bad_data(format!("{}: {}", path.display(), plain_words::of_json(&error)))
        })?
    } else {
        csv_rows(&text).map_err(|line| {
            let wanted = "an undo file is a JSON array; other files have lines such as orders,0,42";
            Error::bad_data(format!("{}: line {line} makes no sense", path.display())).hint(wanted)
        })?
    };
    let mut clusters = rows
        .iter()
        .filter_map(|row: &Row| row.cluster.as_deref().zip(cluster));
    if let Some((there, here)) = clusters.find(|(there, here)| there != here) {
        let problem = format!(
            "{} has offsets of cluster {there}, and this is {here}",
            path.display()
        );
        return Err(Error::bad_data(problem).hint("a file without \"cluster\" is taken on any"));
    }
    let mut others: Vec<String> = rows.iter().filter_map(|row: &Row| row.group.clone()).collect();
    let mut commits = Commits::new();
    for row in rows {
        if row.group.as_deref().is_some_and(|named| named != group) {
            continue;
        }
        let partition = TopicPartition::new(row.topic, row.partition);
        if row.partition < 0 || row.offset.is_some_and(|offset| offset < 0) {
            let problem = format!("{}: {partition} has a negative number", path.display());
            return Err(Error::bad_data(problem));
        }
        let had = row.offset.map(|offset| CommittedOffset {
            offset,
            leader_epoch: row.leader_epoch,
            metadata: row.metadata,
        });
        commits.insert(partition, had);
    }
    if commits.is_empty() {
        others.dedup();
        let others = if others.is_empty() {
            String::new()
        } else {
            format!("; it has {}", others.join(", "))
        };
        return Err(Error::bad_data(format!(
            "{} holds no offsets of group {group}{others}",
            path.display()
        )));
    }
    Ok(commits)
}

/// Lines of topic, partition and offset, perhaps after the group; the error is the number of an invalid line.
fn csv_rows(text: &str) -> Result<Vec<Row>, usize> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line
            .split(',')
            .map(|field| field.trim().trim_matches('"'))
            .collect();
        let (group, topic, partition, offset) = match fields.as_slice() {
            [""] => continue,
            [topic, partition, offset] => (None, topic, partition, offset),
            [group, topic, partition, offset] => (Some((*group).to_owned()), topic, partition, offset),
            _ => return Err(index + 1),
        };
        let (Ok(partition), Ok(offset)) = (partition.parse(), offset.parse()) else {
            return Err(index + 1);
        };
        rows.push(Row {
            cluster: None,
            group,
            topic: (*topic).to_owned(),
            partition,
            offset: Some(offset),
            leader_epoch: no_epoch(),
            metadata: String::new(),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let commits = Commits::from([
            (TopicPartition::new("t", 0), Some(CommittedOffset::at(5))),
            (TopicPartition::new("t", 1), None),
        ]);
        let groups = BTreeMap::from([("a/b".to_owned(), commits.clone())]);
        let path = dir.path().join("undo.json");
        write(Some(&path), "", Some("here"), &groups).unwrap();
        assert_eq!(read(&path, "a/b", Some("here")).unwrap(), commits);
        assert_eq!(read(&path, "a/b", None).unwrap(), commits);
        assert!(
            write(Some(&path), "", None, &groups).is_err(),
            "nothing is overwritten"
        );
        let refusal = read(&path, "a/b", Some("there")).unwrap_err().to_string();
        assert!(
            refusal.contains("has offsets of cluster here, and this is there"),
            "{refusal}"
        );
        let refusal = read(&path, "c", None).unwrap_err().to_string();
        assert!(
            refusal.ends_with("holds no offsets of group c; it has a/b"),
            "{refusal}"
        );
    }

    #[test]
    fn what_kafkas_own_tool_exports_is_read() {
        // As `kafka-consumer-groups --reset-offsets … --export` of Apache Kafka 4.3 prints it for one group, and with the
        // group in front for several.
        let commit = |offset| Some(CommittedOffset::at(offset));
        let place = |partition| TopicPartition::new("orders", partition);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offsets.csv");
        std::fs::write(&path, "orders,0,7\norders,1,9\n\n").unwrap();
        let both = Commits::from([(place(0), commit(7)), (place(1), commit(9))]);
        assert_eq!(read(&path, "g", Some("here")).unwrap(), both);
        std::fs::write(&path, "g,orders,0,7\nh,\"orders\",1,9\n").unwrap();
        assert_eq!(
            read(&path, "h", None).unwrap(),
            Commits::from([(place(1), commit(9))])
        );
        for text in ["orders,0", "orders,x,1", "orders,0,-4", "{", "[{}]", ""] {
            std::fs::write(&path, text).unwrap();
            assert!(read(&path, "g", Some("here")).is_err(), "{text}");
        }
    }
}
