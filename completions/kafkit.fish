# Completions for fish of kafkit, and of Apache Kafka's tools by it: kafkit is asked at each press of the key.

function __kafkit_complete
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l lines (KAFKIT_COMPLETE=fish kafkit $before "$typed" < /dev/null 2> /dev/null)
    set -l mode (string split --max 2 \t -- "$lines[1]")
    switch "$mode[1]"
        case files
            for path in (__fish_complete_path "$mode[3]")
                printf '%s%s\n' "$mode[2]" "$path"
            end
        case directories
            for path in (__fish_complete_directories "$mode[3]")
                printf '%s%s\n' "$mode[2]" "$path"
            end
        case '*'
            set --erase lines[1]
            if set -q lines[1]
                printf '%s\n' $lines
            end
    end
end

for name in kafkit kafka-topics kafka-topics.sh kafka-console-producer kafka-console-producer.sh kafka-console-consumer kafka-console-consumer.sh kafka-reassign-partitions kafka-reassign-partitions.sh kafka-dump-log kafka-dump-log.sh kafka-get-offsets kafka-get-offsets.sh kafka-delete-records kafka-delete-records.sh kafka-log-dirs kafka-log-dirs.sh kafka-leader-election kafka-leader-election.sh kafka-consumer-groups kafka-consumer-groups.sh kafka-groups kafka-groups.sh kafka-share-groups kafka-share-groups.sh kafka-configs kafka-configs.sh kafka-features kafka-features.sh kafka-client-metrics kafka-client-metrics.sh kafka-cluster kafka-cluster.sh kafka-broker-api-versions kafka-broker-api-versions.sh kafka-acls kafka-acls.sh kafka-delegation-tokens kafka-delegation-tokens.sh kafka-transactions kafka-transactions.sh kafka-metadata-quorum kafka-metadata-quorum.sh kafka-storage kafka-storage.sh kafka-producer-perf-test kafka-producer-perf-test.sh kafka-consumer-perf-test kafka-consumer-perf-test.sh kafka-e2e-latency kafka-e2e-latency.sh kafka-verifiable-producer kafka-verifiable-producer.sh kafka-verifiable-consumer kafka-verifiable-consumer.sh kafka-server-start kafka-server-start.sh kafka-server-stop kafka-server-stop.sh zookeeper-server-start zookeeper-server-start.sh zookeeper-server-stop zookeeper-server-stop.sh
    complete --command $name --keep-order --no-files --arguments '(__kafkit_complete)'
end
