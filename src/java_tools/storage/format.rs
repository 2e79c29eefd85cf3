//! `kafka-storage format`: the files that make directories those of a broker.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::super::argparse::Namespace;
use super::config::ServerConfig;
use super::versions;
use crate::internal_records::cluster_metadata::encode_record;
use crate::internal_records::value::Value;
use crate::output::stdout_line;
use crate::records::BatchBuilder;
use crate::records::batch_builder::BatchOptions;
use crate::storage::file_name::BOOTSTRAP_CHECKPOINT;
use crate::storage::meta_properties::MetaProperties;
use crate::storage::partition_metadata::random_id;

/// The version of the metadata with the features beside it, by name.
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
        None => versions::LATEST,
    };
    check_quorum(config, given)?;
    let levels = levels(version, &given.values("feature"))?;
    if let Some(word) = given.values("add-scram").first() {
        return Err(scram_refusal(word));
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
    stdout_line(bootstrap_words(version, &levels));
    for directory in &empty {
        format(directory, config, cluster_id, version, &levels)?;
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
    if is_dynamic {
        return Err(
            "kafka-storage: a dynamic quorum is nothing that kafkit formats; use controller.quorum.voters"
                .to_owned(),
        );
    }
    let has_none = !config.has_static_voters && !given.has("no-initial-controllers");
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

/// The levels of the release, with those that were asked for.
fn levels(version: i16, words: &[&str]) -> Result<Levels, String> {
    let mut levels: Levels = versions::FEATURES
        .iter()
        .map(|feature| (feature.name, feature.level_at(version)))
        .collect();
    levels.sort_unstable();
    for word in words {
        let (name, level) = word
            .split_once('=')
            .ok_or_else(|| format!("Can't parse feature=level string {word}: equals sign not found."))?;
        let known = versions::FEATURES.iter().find(|feature| feature.name == name);
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
        if !(0..=known.max).contains(&level) {
            return Err(format!("No feature:{name} with feature level {level}"));
        }
        for (other, kept) in &mut levels {
            if *other == name {
                *kept = level;
            }
        }
    }
    // The quorum has its own level, and a feature at level 0 is none.
    levels.retain(|(name, level)| *name != "kraft.version" && *level > 0);
    Ok(levels)
}

/// What Java says of a credential that is none; of one that is right, that there are none here.
fn scram_refusal(word: &str) -> String {
    let Some((mechanism, fields)) = word.split_once('=') else {
        return format!("Failed to find equals sign in SCRAM argument '{word}'");
    };
    if !matches!(mechanism, "SCRAM-SHA-256" | "SCRAM-SHA-512") {
        return format!("The add-scram mechanism {mechanism} is not supported.");
    }
    let fields = fields.trim_start_matches('[').trim_end_matches(']');
    let has = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.split_once('='));
        fields.any(|(known, _)| known.trim() == name)
    };
    if !has("name") {
        "You must supply 'name' to add-scram".to_owned()
    } else if !has("password") && !has("saltedpassword") {
        "You must supply one of 'password' or 'saltedpassword' to add-scram".to_owned()
    } else {
        "kafka-storage: SCRAM users are made while the broker runs; see `kafkit users create`".to_owned()
    }
}

/// Directories with what their `meta.properties` say.
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

fn bootstrap_words(version: i16, levels: &Levels) -> String {
    let mut all = vec![("metadata.version", version)];
    all.extend(levels.iter().copied());
    let records: Vec<String> = all
        .iter()
        .map(|(name, level)| {
            format!(
                "ApiMessageAndVersion(FeatureLevelRecord(name='{name}', featureLevel={level}) at version 0)"
            )
        })
        .collect();
    format!(
        "Bootstrap metadata: BootstrapMetadata(records=[{}], metadataVersionLevel={version}, source=format command)",
        records.join(", ")
    )
}

fn format(
    directory: &str,
    config: &ServerConfig,
    cluster_id: &str,
    version: i16,
    levels: &Levels,
) -> Result<(), String> {
    let is_metadata = directory == config.metadata_dir;
    let kind = if is_metadata { "metadata" } else { "data" };
    let name = versions::name_of(version).unwrap_or_default();
    stdout_line(format_args!(
        "Formatting {kind} directory {directory} with metadata.version {name}."
    ));
    let path = Path::new(directory);
    let failed =
        |error: crate::error::Error| format!("Error while writing meta.properties file {directory}: {error}");
    fs::create_dir_all(path)
        .map_err(|error| format!("Unable to create storage directory {directory}: {error}"))?;
    fs::write(path.join(BOOTSTRAP_CHECKPOINT), bootstrap_bytes(version, levels))
        .map_err(|error| failed(error.into()))?;
    let meta = MetaProperties {
        cluster_id: Some(cluster_id.to_owned()),
        node_id: config.node_id,
        directory_id: Some(random_id().map_err(failed)?),
    };
    // Last, since a directory with it is formatted.
    meta.write(path, true).map_err(failed)
}

/// One batch with a record for each feature.
fn bootstrap_bytes(version: i16, levels: &Levels) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        partition_leader_epoch: 0,
        ..BatchOptions::default()
    });
    let first = [("metadata.version", version)];
    for (name, level) in first.iter().chain(levels) {
        let fields = [
            ("name", Value::Text((*name).into())),
            ("featureLevel", Value::Number((*level).into())),
        ];
        if let Some(record) = encode_record("FeatureLevelRecord", 0, fields) {
            builder.append(0, None, Some(&record), &[]);
        }
    }
    builder.finish_uncompressed()
}
