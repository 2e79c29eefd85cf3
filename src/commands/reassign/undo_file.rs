//! The undo plan, written before the first move: `plan.undo.json` beside `plan.json`.

use std::path::{Path, PathBuf};

use super::checks::same_brokers;
use super::log_dir_moves::Wishes;
use crate::error::{Error, Result};
use crate::reassignment::Assignment;
use crate::reassignment::plan::{PartitionReplica, Plan, PlannedPartition};
use crate::reassignment::plan_json::{read_plan, write_readable};
use crate::topic_partition::{BrokerId, TopicPartition};

/// How many names are tried: `plan.undo.json`, `plan.undo.2.json`, …
const NAMES: usize = 1000;
const SUFFIX: &str = ".undo.json";

/// An undo file, and whether an earlier run of the same plan wrote it.
#[derive(Debug)]
pub(super) struct UndoFile {
    pub path: PathBuf,
    pub is_kept: bool,
}

/// The path of the undo file of `plan`; a plan from stdin has it in the working directory.
pub(super) fn path_for(plan: &Path) -> PathBuf {
    if plan == Path::new("-") {
        return PathBuf::from("plan.undo.json");
    }
    plan.with_extension("undo.json")
}

/// Whether the name says that it is an undo file.
pub(super) fn is_undo_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let numbered = |name: &str| {
        let stem = name
            .strip_suffix(".json")
            .and_then(|name| name.rsplit_once(".undo."));
        stem.is_some_and(|(_, number)| number.parse::<usize>().is_ok())
    };
    name.is_some_and(|name| name.ends_with(SUFFIX) || numbered(&name))
}

/// The plan that moves the partitions of `plan` back to `current`, and its replicas back to their log directories.
pub(super) fn undo_plan(plan: &Plan, current: &Assignment, log_dirs: &Wishes) -> Plan {
    let back = |planned: &PlannedPartition| {
        let replicas = current.get(&planned.topic_partition)?.clone();
        let log_dir = |broker: &BrokerId| {
            let replica = PartitionReplica {
                broker: *broker,
                topic_partition: planned.topic_partition.clone(),
            };
            log_dirs.get(&replica)?.was.current.clone()
        };
        Some(PlannedPartition {
            topic_partition: planned.topic_partition.clone(),
            log_dirs: replicas.iter().map(log_dir).collect(),
            replicas,
            was: Some(planned.replicas.clone()),
        })
    };
    Plan {
        partitions: plan.partitions.iter().filter_map(back).collect(),
    }
}

/// Chooses the name of the undo file, and whether the file exists: an earlier, interrupted run of the same plan knew
/// where the partitions came from, so its file stays. `origins` says where each partition has its data.
pub(super) fn choose(wanted: &Path, plan: &Plan, origins: &Assignment) -> Result<UndoFile> {
    for number in 1..NAMES {
        let path = match number {
            1 => wanted.to_owned(),
            number => numbered(wanted, number),
        };
        if !path.exists() {
            return Ok(UndoFile { path, is_kept: false });
        }
        if takes_back(&path, plan, origins) {
            return Ok(UndoFile { path, is_kept: true });
        }
    }
    Err(Error::failed(format!(
        "too many undo files like {}",
        wanted.display()
    )))
}

/// The undo files of a plan whose first one would be `first`, the one that was written last at the end.
pub(super) fn all_like(first: &Path) -> Vec<PathBuf> {
    let others = (2..NAMES).map(|number| numbered(first, number));
    let written = |path: PathBuf| Some((path.metadata().ok()?.modified().ok()?, path));
    let mut found: Vec<_> = std::iter::once(first.to_owned())
        .chain(others)
        .filter_map(written)
        .collect();
    found.sort_by_key(|(written, _)| *written);
    found.into_iter().map(|(_, path)| path).collect()
}

fn numbered(wanted: &Path, number: usize) -> PathBuf {
    let name = wanted
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = name.strip_suffix(".json").unwrap_or(&name);
    wanted.with_file_name(format!("{stem}.{number}.json"))
}

/// Whether the file is an undo of exactly this plan.
///
/// False if any partition has its data neither where the file would move it nor where the plan would: it has been moved
/// since, and needs another undo file.
fn takes_back(path: &Path, plan: &Plan, origins: &Assignment) -> bool {
    let Ok(undo) = read(path) else {
        return false;
    };
    let back = undo.assignment();
    let undoes: Assignment = undo
        .partitions
        .into_iter()
        .filter_map(|planned| Some((planned.topic_partition, planned.was?)))
        .collect();
    let is_between = |(name, is): (&TopicPartition, &Vec<BrokerId>)| {
        let ends = [back.get(name), undoes.get(name)];
        ends.into_iter().flatten().any(|end| same_brokers(is, end))
    };
    undoes == plan.assignment() && origins.iter().all(is_between)
}

fn read(path: &Path) -> Result<Plan> {
    let text = std::fs::read_to_string(path)?;
    read_plan(&text).map_err(Error::bad_data)
}

/// Writes the whole file or nothing: a truncated undo file would be worse than none.
pub(super) fn write(path: &Path, undo: &Plan) -> Result<()> {
    let named = |error: std::io::Error| Error::from(error).context(format!("undo file {}", path.display()));
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(named)?;
    std::io::Write::write_all(&mut file, write_readable(undo).as_bytes()).map_err(named)?;
    file.as_file().sync_all().map_err(named)?;
    file.persist_noclobber(path).map_err(|error| named(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_to(replicas: &[i32]) -> Plan {
        let name = TopicPartition::new("a", 0);
        Plan::from_assignment(
            &Assignment::from([(name.clone(), replicas.to_vec())]),
            &Assignment::from([(name, vec![1])]),
        )
    }

    #[test]
    fn the_file_that_was_written_last_comes_last_whatever_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let first = folder.path().join("plan.undo.json");
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let paths: Vec<PathBuf> = [3, 1, 2]
            .iter()
            .zip(0..)
            .map(|(number, minutes)| {
                let path = if *number == 1 {
                    first.clone()
                } else {
                    numbered(&first, *number)
                };
                let file = std::fs::File::create(&path).unwrap();
                file.set_modified(written + std::time::Duration::from_secs(60 * minutes))
                    .unwrap();
                path
            })
            .collect();
        assert_eq!(all_like(&first), paths);
    }

    #[test]
    fn names() {
        assert_eq!(
            path_for(Path::new("dir/plan.json")),
            Path::new("dir/plan.undo.json")
        );
        assert_eq!(path_for(Path::new("-")), Path::new("plan.undo.json"));
        for name in ["plan.undo.json", "x/plan.undo.2.json"] {
            assert!(is_undo_file(Path::new(name)), "{name}");
        }
        assert!(!is_undo_file(Path::new("plan.json")));
    }

    #[test]
    fn an_undo_file_is_kept_by_its_own_plan_only() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("plan.undo.json");
        let plan = plan_to(&[2]);
        let current = Assignment::from([(TopicPartition::new("a", 0), vec![1])]);
        write(&wanted, &undo_plan(&plan, &current, &Wishes::new())).unwrap();
        for under_way in [[1], [2]] {
            let here = Assignment::from([(TopicPartition::new("a", 0), under_way.to_vec())]);
            let again = choose(&wanted, &plan, &here).unwrap();
            assert!(again.is_kept && again.path == wanted);
        }
        let elsewhere = Assignment::from([(TopicPartition::new("a", 0), vec![3])]);
        assert!(
            !choose(&wanted, &plan, &elsewhere).unwrap().is_kept,
            "not the way back"
        );
        let other = choose(&wanted, &plan_to(&[3]), &current).unwrap();
        assert!(
            !other.is_kept && other.path.ends_with("plan.undo.2.json"),
            "{other:?}"
        );
        assert_eq!(read(&wanted).unwrap().assignment(), current);
        assert!(write(&wanted, &plan).is_err(), "never over another file");
    }
}
