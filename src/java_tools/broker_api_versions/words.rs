//! The output of `kafka-broker-api-versions` about a broker, to the letter.

use crate::client::admin::registration::ServedApi;

/// Key, name, lowest and highest version in Java's client 4.3.1 of the APIs that clients use.
#[rustfmt::skip]
const CLIENT_APIS: &[(i16, &str, i16, i16)] = &[
    (0, "Produce", 0, 13),
    (1, "Fetch", 4, 18),
    (2, "ListOffsets", 1, 11),
    (3, "Metadata", 0, 13),
    (8, "OffsetCommit", 2, 10),
    (9, "OffsetFetch", 1, 10),
    (10, "FindCoordinator", 0, 6),
    (11, "JoinGroup", 0, 9),
    (12, "Heartbeat", 0, 4),
    (13, "LeaveGroup", 0, 5),
    (14, "SyncGroup", 0, 5),
    (15, "DescribeGroups", 0, 6),
    (16, "ListGroups", 0, 5),
    (17, "SaslHandshake", 0, 1),
    (18, "ApiVersions", 0, 4),
    (19, "CreateTopics", 2, 7),
    (20, "DeleteTopics", 1, 6),
    (21, "DeleteRecords", 0, 2),
    (22, "InitProducerId", 0, 5),
    (23, "OffsetForLeaderEpoch", 2, 4),
    (24, "AddPartitionsToTxn", 0, 5),
    (25, "AddOffsetsToTxn", 0, 4),
    (26, "EndTxn", 0, 5),
    (27, "WriteTxnMarkers", 1, 2),
    (28, "TxnOffsetCommit", 0, 5),
    (29, "DescribeAcls", 1, 3),
    (30, "CreateAcls", 1, 3),
    (31, "DeleteAcls", 1, 3),
    (32, "DescribeConfigs", 1, 4),
    (33, "AlterConfigs", 0, 2),
    (34, "AlterReplicaLogDirs", 1, 2),
    (35, "DescribeLogDirs", 1, 5),
    (36, "SaslAuthenticate", 0, 2),
    (37, "CreatePartitions", 0, 3),
    (38, "CreateDelegationToken", 1, 3),
    (39, "RenewDelegationToken", 1, 2),
    (40, "ExpireDelegationToken", 1, 2),
    (41, "DescribeDelegationToken", 1, 3),
    (42, "DeleteGroups", 0, 2),
    (43, "ElectLeaders", 0, 2),
    (44, "IncrementalAlterConfigs", 0, 1),
    (45, "AlterPartitionReassignments", 0, 1),
    (46, "ListPartitionReassignments", 0, 0),
    (47, "OffsetDelete", 0, 0),
    (48, "DescribeClientQuotas", 0, 1),
    (49, "AlterClientQuotas", 0, 1),
    (50, "DescribeUserScramCredentials", 0, 0),
    (51, "AlterUserScramCredentials", 0, 0),
    (55, "DescribeQuorum", 0, 2),
    (57, "UpdateFeatures", 0, 2),
    (60, "DescribeCluster", 0, 2),
    (61, "DescribeProducers", 0, 0),
    (64, "UnregisterBroker", 0, 0),
    (65, "DescribeTransactions", 0, 0),
    (66, "ListTransactions", 0, 2),
    (68, "ConsumerGroupHeartbeat", 0, 1),
    (69, "ConsumerGroupDescribe", 0, 1),
    (71, "GetTelemetrySubscriptions", 0, 0),
    (72, "PushTelemetry", 0, 0),
    (74, "ListConfigResources", 0, 1),
    (75, "DescribeTopicPartitions", 0, 0),
    (76, "ShareGroupHeartbeat", 1, 1),
    (77, "ShareGroupDescribe", 1, 1),
    (78, "ShareFetch", 1, 2),
    (79, "ShareAcknowledge", 1, 2),
    (80, "AddRaftVoter", 0, 1),
    (81, "RemoveRaftVoter", 0, 0),
    (83, "InitializeShareGroupState", 0, 0),
    (84, "ReadShareGroupState", 0, 0),
    (85, "WriteShareGroupState", 0, 1),
    (86, "DeleteShareGroupState", 0, 0),
    (87, "ReadShareGroupStateSummary", 0, 1),
    (88, "StreamsGroupHeartbeat", 0, 0),
    (89, "StreamsGroupDescribe", 0, 0),
    (90, "DescribeShareGroupOffsets", 0, 1),
    (91, "AlterShareGroupOffsets", 0, 0),
    (92, "DeleteShareGroupOffsets", 0, 0),
];

/// The lines of one broker: each API with the versions it serves and the one that a client would use.
pub(super) fn versions(node: &str, served: &[ServedApi]) -> String {
    let mut lines: Vec<(i16, String)> = served.iter().map(|api| (api.key, line(*api))).collect();
    for (key, name, ..) in CLIENT_APIS {
        if !served.iter().any(|api| api.key == *key) {
            lines.push((*key, format!("{name}({key}): UNSUPPORTED")));
        }
    }
    lines.sort_by_key(|(key, _)| *key);
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| format!("\t{line}")).collect();
    format!("{node} -> (\n{}\n)", lines.join(",\n"))
}

fn line(api: ServedApi) -> String {
    let ServedApi { key, min, max } = api;
    let range = if min == max {
        min.to_string()
    } else {
        format!("{min} to {max}")
    };
    let Some((_, name, least, most)) = CLIENT_APIS.iter().find(|(known, ..)| *known == key) else {
        return format!("UNKNOWN({key}): {range}");
    };
    let use_of_it = if max < *least {
        "unusable: node too old".to_owned()
    } else if min > *most {
        "unusable: node too new".to_owned()
    } else {
        format!("usable: {}", max.min(*most))
    };
    format!("{name}({key}): {range} [{use_of_it}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(key: i16, min: i16, max: i16) -> String {
        line(ServedApi { key, min, max })
    }

    #[test]
    fn versions_that_only_one_side_knows_are_told() {
        assert_eq!(served(0, 0, 13), "Produce(0): 0 to 13 [usable: 13]");
        assert_eq!(served(1, 0, 3), "Fetch(1): 0 to 3 [unusable: node too old]");
        assert_eq!(
            served(47, 9, 12),
            "OffsetDelete(47): 9 to 12 [unusable: node too new]"
        );
        assert_eq!(served(18, 0, 99), "ApiVersions(18): 0 to 99 [usable: 4]");
        assert_eq!(served(1234, 2, 2), "UNKNOWN(1234): 2");
    }
}
