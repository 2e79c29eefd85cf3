//! `kafka-storage format`: writes the files that make directories usable for a broker.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::argparse::Namespace;
use super::config::ServerConfig;
use super::scram::Credential;
use super::versions;
use super::voters::{self, Voter};
use crate::error::Error;
use crate::internal_records::cluster_metadata::encode_record;
use crate::internal_records::value::Value;
use crate::java_tools::feature_levels::{FEATURES, LATEST, metadata_name};
use crate::output::stdout_line;
use crate::records::BatchBuilder;
use crate::records::batch_builder::BatchOptions;
use crate::storage::file_name::{BOOTSTRAP_CHECKPOINT, METADATA_TOPIC, metadata_snapshot, partition_folder};
use crate::storage::meta_properties::MetaProperties;
use crate::storage::partition_metadata::random_id;
use crate::topic_partition::TopicPartition;

/// 3.5-IV2, the first metadata version with SCRAM credentials.
const FIRST_WITH_SCRAM: i16 = 11;

/// The metadata version and the levels of other features, by name.
type Levels = Vec<(&'static str, i16)>;

pub(super) fn run(config: &ServerConfig, given: &Namespace) -> Result<ExitCode, String> {
    if config.roles.is_empty() {
        return Err(
            "The kafka configuration file appears to be for a legacy cluster. Formatting is only supported for clusters \
             in KRaft mode."
                .to_owned(),
        );
    }
    let version = match given.value("release-version") {
        Some(word) => versions::of_word(word, false)?,
        None => LATEST,
    };
    check_quorum(config, given)?;
    let voters = match given.value("initial-controllers") {
        Some(words) => Some(voters::parse(words)?),
        None if given.has("standalone") => Some(voters::standalone(config)?),
        None => None,
    };
    let plan = Plan {
        version,
        levels: levels(version, &given.values("feature"))?,
        users: given
            .values("add-scram")
            .into_iter()
            .map(Credential::parse)
            .collect::<Result<_, _>>()?,
        voters,
    };
    if !plan.users.is_empty() && version < FIRST_WITH_SCRAM {
        return Err("SCRAM is only supported in metadata.version 3.5-IV2 or later.".to_owned());
    }
    let cluster_id = given.value("cluster-id").unwrap_or_default();
    let (formatted, empty) = sorted_out(config)?;
    if let Some((directory, _)) = formatted.first()
        && !given.has("ignore-formatted")
    {
        return Err(format!(
            "Log directory {directory} is already formatted. Use --ignore-formatted to ignore this directory and format \
             the others."
        ));
    }
    for (directory, meta) in &formatted {
        let known = meta.cluster_id.as_deref().unwrap_or_default();
        if known != cluster_id {
            return Err(format!(
                "kafka-storage: {directory} belongs to the cluster {known}, not to {cluster_id}"
            ));
        }
    }
    if empty.is_empty() {
        return Ok(stdout_line("All of the log directories are already formatted."));
    }
    stdout_line(plan.words());
    for directory in &empty {
        plan.format(directory, config, cluster_id)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check_quorum(config: &ServerConfig, given: &Namespace) -> Result<(), String> {
    let is_dynamic = given.has("standalone") || given.has("initial-controllers");
    if is_dynamic && config.has_static_voters {
        return Err(
            "You cannot specify controller.quorum.voters and format the node with --initial-controllers or \
             --standalone. If you want to use dynamic quorum, please remove controller.quorum.voters and specify \
             controller.quorum.bootstrap.servers instead."
                .to_owned(),
        );
    }
    let is_asked = is_dynamic || given.has("no-initial-controllers");
    if is_asked && given.values("feature").contains(&"kraft.version=0") {
        return Err(
            "Cannot set kraft.version to 0 if controller.quorum.voters is empty and one of the flags --standalone, \
             --initial-controllers, or --no-initial-controllers is used. For dynamic controllers support, try removing the \
             --feature flag for kraft.version."
                .to_owned(),
        );
    }
    let has_none = !config.has_static_voters && !is_asked;
    if config.is_controller() && has_none {
        return Err(
            "Because controller.quorum.voters is not set on this controller, you must specify one of the following: \
             --standalone, --initial-controllers, or --no-initial-controllers."
                .to_owned(),
        );
    }
    if config.has_static_voters && given.has("no-initial-controllers") {
        return Err(
            "You cannot specify controller.quorum.voters and format the node with --no-initial-controllers"
                .to_owned(),
        );
    }
    Ok(())
}

/// The levels of the release, changed by those of the options.
fn levels(version: i16, words: &[&str]) -> Result<Levels, String> {
    let mut levels: Levels = FEATURES
        .iter()
        .map(|feature| (feature.name, feature.level_with(version)))
        .collect();
    levels.sort_unstable();
    for word in words {
        let (name, level) = word
            .split_once('=')
            .ok_or_else(|| format!("Can't parse feature=level string {word}: equals sign not found."))?;
        let known = FEATURES.iter().find(|feature| feature.name == name);
        let Some(known) = known else {
            let names: Vec<&str> = levels.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "Unsupported feature: {name}. Supported features are: {}",
                names.join(", ")
            ));
        };
        let level: i16 = level.trim().parse().map_err(|_| {
            format!("Can't parse feature=level string {word}: unable to parse {level} as a short.")
        })?;
        if !(0..=known.highest).contains(&level) {
            return Err(format!("No feature:{name} with feature level {level}"));
        }
        for (other, kept) in &mut levels {
            if *other == name {
                *kept = level;
            }
        }
    }
    // The quorum's level is written elsewhere, and a feature at level 0 is left out.
    levels.retain(|(name, level)| *name != "kraft.version" && *level > 0);
    Ok(levels)
}

/// Directories with the content of their `meta.properties`.
type Formatted = Vec<(String, MetaProperties)>;

/// The directories that are formatted, and those that are not; Java's order differs from run to run.
fn sorted_out(config: &ServerConfig) -> Result<(Formatted, Vec<String>), String> {
    let mut formatted = Vec::new();
    let mut empty = Vec::new();
    for directory in config.directories() {
        let meta = MetaProperties::read(Path::new(&directory));
        match meta.map_err(|error| format!("kafka-storage: {error}"))? {
            Some(meta) => formatted.push((directory, meta)),
            None => empty.push(directory),
        }
    }
    Ok((formatted, empty))
}

/// What is written to a directory.
struct Plan {
    version: i16,
    levels: Levels,
    users: Vec<Credential>,
    /// The voters of a dynamic quorum; `None` if they are in the properties, or are added later.
    voters: Option<Vec<Voter>>,
}

impl Plan {
    /// The metadata version and the levels of the other features.
    fn all_levels(&self) -> impl Iterator<Item = (&'static str, i16)> + '_ {
        let first = [("metadata.version", self.version)];
        first.into_iter().chain(self.levels.iter().copied())
    }

    fn words(&self) -> String {
        let levels = self.all_levels().map(|(name, level)| {
            format!(
                "ApiMessageAndVersion(FeatureLevelRecord(name='{name}', featureLevel={level}) at version 0)"
            )
        });
        let records: Vec<String> = levels.chain(self.users.iter().map(Credential::words)).collect();
        format!(
            "Bootstrap metadata: BootstrapMetadata(records=[{}], metadataVersionLevel={}, source=format command)",
            records.join(", "),
            self.version
        )
    }

    fn format(&self, directory: &str, config: &ServerConfig, cluster_id: &str) -> Result<(), String> {
        let is_metadata = directory == config.metadata_dir;
        let voters = self.voters.as_ref().filter(|_| is_metadata);
        let own = voters.and_then(|voters| voters.iter().find(|voter| voter.id == config.node_id));
        let kind = match (is_metadata, voters, own) {
            (_, _, Some(_)) => "dynamic metadata voter",
            (_, Some(_), None) => "dynamic metadata",
            (true, None, None) => "metadata",
            (false, None, None) => "data",
        };
        let name = metadata_name(self.version).unwrap_or_default();
        stdout_line(format_args!(
            "Formatting {kind} directory {directory} with metadata.version {name}."
        ));
        let path = Path::new(directory);
        let failed = |error: Error| format!("Error while writing meta.properties file {directory}: {error}");
        fs::create_dir_all(path)
            .map_err(|error| format!("Unable to create storage directory {directory}: {error}"))?;
        fs::write(path.join(BOOTSTRAP_CHECKPOINT), self.bootstrap_bytes())
            .map_err(|error| failed(error.into()))?;
        if let Some(voters) = voters {
            write_voters(path, config, voters).map_err(failed)?;
        }
        let meta = MetaProperties {
            cluster_id: Some(cluster_id.to_owned()),
            node_id: config.node_id,
            directory_id: Some(match own {
                Some(voter) => voter.directory_id,
                None => random_id().map_err(failed)?,
            }),
        };
        // Last, since a directory with this file counts as formatted.
        meta.write(path, true).map_err(failed)
    }

    /// One batch with a record for each feature and each user.
    fn bootstrap_bytes(&self) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions {
            partition_leader_epoch: 0,
            ..BatchOptions::default()
        });
        let levels = self.all_levels().filter_map(|(name, level)| {
            let fields = [
                ("name", Value::Text(name.into())),
                ("featureLevel", Value::Number(level.into())),
            ];
            encode_record("FeatureLevelRecord", 0, fields)
        });
        for record in levels.chain(self.users.iter().filter_map(Credential::record)) {
            builder.append(0, None, Some(&record), &[]);
        }
        builder.finish_uncompressed()
    }
}

/// Writes the first snapshot of the metadata log.
fn write_voters(path: &Path, config: &ServerConfig, voters: &[Voter]) -> crate::error::Result<()> {
    let folder = path.join(partition_folder(&TopicPartition::new(METADATA_TOPIC, 0)));
    fs::create_dir_all(&folder)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let bytes = voters::snapshot(&config.controller_listener, voters, now_ms)
        .ok_or_else(|| Error::failed("the voters cannot be written"))?;
    fs::write(folder.join(metadata_snapshot(0, 0)), bytes)?;
    Ok(())
}
