//! Which versions of each API a release of Apache Kafka served: `--as-version` has the broker speak like that release.
//!
//! The ranges are those of the releases' own ApiVersions answers, with ZooKeeper and KRaft brokers taken together. The
//! smallest versions stay those of this broker: that Apache Kafka 4.0 dropped old ones (KIP-896) is not imitated.

use std::fmt;
use std::str::FromStr;

use kafka_protocol::messages::ApiKey;

/// A release: `2.8`, and `0.11` for 0.11.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    major: u16,
    minor: u16,
}

/// The oldest release that can be imitated: the first with the record batch of today (magic 2).
pub const OLDEST: Release = Release { major: 0, minor: 11 };
/// The release by default.
pub const NEWEST: Release = Release { major: 4, minor: 3 };
/// The first release whose ApiVersions lists the features of the cluster (KIP-584): ZooKeeper brokers had none that
/// clients know.
const FEATURES: Release = Release { major: 4, minor: 0 };

impl Release {
    /// The largest version of an API that the release served; `None` where it did not have the API.
    pub fn largest_version(self, api: ApiKey) -> Option<i16> {
        let (_, history) = HISTORY.iter().find(|(key, _)| *key == api)?;
        let mut largest = None;
        for step in history.split(' ') {
            let (since, version) = step.split_once(':')?;
            if since.parse::<Self>().ok()? > self {
                break;
            }
            largest = version.parse().ok();
        }
        largest
    }

    /// Whether its brokers list the features of the cluster in ApiVersions.
    pub fn tells_features(self) -> bool {
        self >= FEATURES
    }
}

impl FromStr for Release {
    type Err = String;

    /// Accepts `2.8`, `2.8.1` and `0.11.0.0`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split('.').map(str::parse::<u16>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if numbers.all(|number| number.is_ok()) => {
                Ok(Self { major, minor })
            }
            _ => Err(format!("a release looks like 2.8, not \"{text}\"")),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The largest version of each API, with the release that first served it.
#[rustfmt::skip]
const HISTORY: &[(ApiKey, &str)] = &[
    (ApiKey::Produce, "0.11:3 1.0:5 2.0:6 2.1:7 2.4:8 2.8:9 3.7:10 3.8:11 4.0:12 4.1:13"),
    (ApiKey::Fetch, "0.11:5 1.0:6 1.1:7 2.0:8 2.1:10 2.3:11 2.7:12 3.1:13 3.5:15 3.7:16 3.9:17 4.1:18"),
    (ApiKey::ListOffsets, "0.11:2 2.0:3 2.1:4 2.2:5 2.8:6 3.0:7 3.5:8 3.9:9 4.0:10 4.2:11"),
    (ApiKey::Metadata, "0.11:4 1.0:5 2.0:6 2.1:7 2.3:8 2.4:9 2.8:11 3.1:12 4.0:13"),
    (ApiKey::OffsetCommit, "0.11:3 2.0:4 2.1:6 2.3:7 2.4:8 3.7:9 4.2:10"),
    (ApiKey::OffsetFetch, "0.11:3 2.0:4 2.1:5 2.4:6 2.5:7 3.0:8 3.7:9 4.2:10"),
    (ApiKey::FindCoordinator, "0.11:1 2.0:2 2.4:3 3.0:4 3.8:5 3.9:6"),
    (ApiKey::JoinGroup, "0.11:2 2.0:3 2.2:4 2.3:5 2.4:6 2.5:7 3.2:9"),
    (ApiKey::Heartbeat, "0.11:1 2.0:2 2.3:3 2.4:4"),
    (ApiKey::LeaveGroup, "0.11:1 2.0:2 2.4:4 3.2:5"),
    (ApiKey::SyncGroup, "0.11:1 2.0:2 2.3:3 2.4:4 2.5:5"),
    (ApiKey::DescribeGroups, "0.11:1 2.0:2 2.3:3 2.4:5 4.0:6"),
    (ApiKey::ListGroups, "0.11:1 2.0:2 2.4:3 2.6:4 3.8:5"),
    (ApiKey::SaslHandshake, "0.11:0 1.0:1"),
    (ApiKey::ApiVersions, "0.11:1 2.0:2 2.4:3 3.9:4"),
    (ApiKey::CreateTopics, "0.11:2 2.0:3 2.4:5 2.7:6 2.8:7"),
    (ApiKey::DeleteTopics, "0.11:1 2.0:2 2.1:3 2.4:4 2.7:5 2.8:6"),
    (ApiKey::DeleteRecords, "0.11:0 2.0:1 2.6:2"),
    (ApiKey::InitProducerId, "0.11:0 2.0:1 2.4:2 2.5:3 2.7:4 3.8:5"),
    (ApiKey::OffsetForLeaderEpoch, "0.11:0 2.0:1 2.1:2 2.3:3 2.8:4"),
    (ApiKey::AddPartitionsToTxn, "0.11:0 2.0:1 2.7:2 2.8:3 3.6:4 3.8:5"),
    (ApiKey::AddOffsetsToTxn, "0.11:0 2.0:1 2.7:2 2.8:3 3.8:4"),
    (ApiKey::EndTxn, "0.11:0 2.0:1 2.7:2 2.8:3 3.8:4 4.0:5"),
    (ApiKey::WriteTxnMarkers, "0.11:0 2.8:1 4.2:2"),
    (ApiKey::TxnOffsetCommit, "0.11:0 2.0:1 2.1:2 2.5:3 3.8:4 4.0:5"),
    (ApiKey::DescribeAcls, "0.11:0 2.0:1 2.5:2 3.3:3"),
    (ApiKey::CreateAcls, "0.11:0 2.0:1 2.5:2 3.3:3"),
    (ApiKey::DeleteAcls, "0.11:0 2.0:1 2.5:2 3.3:3"),
    (ApiKey::DescribeConfigs, "0.11:0 1.1:1 2.0:2 2.6:3 2.8:4"),
    (ApiKey::AlterConfigs, "0.11:0 2.0:1 2.8:2"),
    (ApiKey::AlterReplicaLogDirs, "1.0:0 2.0:1 2.8:2"),
    (ApiKey::DescribeLogDirs, "1.0:0 2.0:1 2.6:2 3.2:3 3.3:4 4.3:5"),
    (ApiKey::SaslAuthenticate, "1.0:0 2.2:1 2.5:2"),
    (ApiKey::CreatePartitions, "1.0:0 2.0:1 2.5:2 2.7:3"),
    (ApiKey::CreateDelegationToken, "1.1:0 2.0:1 2.4:2 3.3:3"),
    (ApiKey::RenewDelegationToken, "1.1:0 2.0:1 2.5:2"),
    (ApiKey::ExpireDelegationToken, "1.1:0 2.0:1 2.5:2"),
    (ApiKey::DescribeDelegationToken, "1.1:0 2.0:1 2.5:2 3.3:3"),
    (ApiKey::DeleteGroups, "1.1:0 2.0:1 2.4:2"),
    (ApiKey::ElectLeaders, "2.2:0 2.4:2"),
    (ApiKey::IncrementalAlterConfigs, "2.3:0 2.4:1"),
    (ApiKey::AlterPartitionReassignments, "2.4:0 4.1:1"),
    (ApiKey::ListPartitionReassignments, "2.4:0"),
    (ApiKey::OffsetDelete, "2.4:0"),
    (ApiKey::DescribeClientQuotas, "2.6:0 2.8:1"),
    (ApiKey::AlterClientQuotas, "2.6:0 2.8:1"),
    (ApiKey::DescribeUserScramCredentials, "2.7:0"),
    (ApiKey::AlterUserScramCredentials, "2.7:0"),
    (ApiKey::DescribeQuorum, "3.3:1 3.9:2"),
    (ApiKey::UpdateFeatures, "2.7:0 3.3:1 4.0:2"),
    (ApiKey::DescribeCluster, "2.8:0 3.7:1 4.0:2"),
    (ApiKey::DescribeProducers, "2.8:0"),
    (ApiKey::UnregisterBroker, "3.3:0"),
    (ApiKey::DescribeTransactions, "3.0:0"),
    (ApiKey::ListTransactions, "3.0:0 3.8:1 4.1:2"),
    (ApiKey::ConsumerGroupHeartbeat, "3.7:0 4.0:1"),
    (ApiKey::ConsumerGroupDescribe, "3.8:0 4.0:1"),
    (ApiKey::GetTelemetrySubscriptions, "3.7:0"),
    (ApiKey::PushTelemetry, "3.7:0"),
    (ApiKey::ListConfigResources, "3.7:0 4.1:1"),
    (ApiKey::DescribeTopicPartitions, "3.8:0"),
    (ApiKey::ShareGroupHeartbeat, "4.1:1"),
    (ApiKey::ShareGroupDescribe, "4.1:1"),
    (ApiKey::ShareFetch, "4.1:1 4.2:2"),
    (ApiKey::ShareAcknowledge, "4.1:1 4.2:2"),
    (ApiKey::AddRaftVoter, "3.9:0 4.2:1"),
    (ApiKey::RemoveRaftVoter, "3.9:0"),
    (ApiKey::InitializeShareGroupState, "4.1:0"),
    (ApiKey::ReadShareGroupState, "4.1:0"),
    (ApiKey::WriteShareGroupState, "4.1:0 4.2:1"),
    (ApiKey::DeleteShareGroupState, "4.1:0"),
    (ApiKey::ReadShareGroupStateSummary, "4.1:0 4.2:1"),
    (ApiKey::DescribeShareGroupOffsets, "4.1:0 4.2:1"),
    (ApiKey::AlterShareGroupOffsets, "4.1:0"),
    (ApiKey::DeleteShareGroupOffsets, "4.1:0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_people_write_them() {
        for (text, read) in [
            ("2.8", "2.8"),
            ("2.8.1", "2.8"),
            ("0.11.0.0", "0.11"),
            ("4.0", "4.0"),
        ] {
            assert_eq!(text.parse::<Release>().unwrap().to_string(), read);
        }
        for text in ["", "2", "v2.8", "2.x", "2.8.x", "-1.2", "99999999.1"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }

    #[test]
    fn histories_ascend() {
        for (api, history) in HISTORY {
            let steps: Vec<(Release, i16)> = history
                .split(' ')
                .map(|step| {
                    let (since, version) = step.split_once(':').unwrap();
                    (since.parse().unwrap(), version.parse().unwrap())
                })
                .collect();
            assert!(
                steps.is_sorted_by(|one, two| one.0 < two.0 && one.1 < two.1),
                "{api:?}"
            );
            assert!(
                steps.iter().all(|(since, _)| (OLDEST..=NEWEST).contains(since)),
                "{api:?}"
            );
        }
    }

    /// The newest release against Apache Kafka 4.3.1's own ApiVersions answer.
    #[test]
    fn the_newest_is_as_recorded_from_apache_kafka() {
        let recorded = include_str!("../../tests/golden/broker-api-versions/versions.txt");
        let rows = regex::Regex::new(r"(?m)^1\|\t\w+\((\d+)\): (?:\d+ to )?(\d+) \[").unwrap();
        let mut seen = 0;
        for row in rows.captures_iter(recorded) {
            let Ok(api) = ApiKey::try_from(row[1].parse::<i16>().unwrap()) else {
                continue;
            };
            let known = HISTORY.iter().any(|(key, _)| *key == api);
            if known {
                assert_eq!(NEWEST.largest_version(api), row[2].parse().ok(), "{api:?}");
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen} rows");
    }

    #[test]
    fn an_old_release_has_no_new_api() {
        let release: Release = "2.8".parse().unwrap();
        assert_eq!(release.largest_version(ApiKey::Fetch), Some(12));
        assert_eq!(release.largest_version(ApiKey::ConsumerGroupHeartbeat), None);
        assert!(!release.tells_features());
    }
}
