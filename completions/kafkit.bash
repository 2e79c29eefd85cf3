# Completions for bash of kafkit, and of Apache Kafka's tools by it: kafkit is asked at each press of the key.

_kafkit() {
    local mode='' line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $mode ]]; then
            mode=${line%%$'\t'*}
        else
            COMPREPLY+=("$line")
        fi
    done < <(KAFKIT_COMPLETE=bash kafkit "$2" "${COMP_LINE:0:COMP_POINT}" < /dev/null 2> /dev/null)
    case $mode in
        open) compopt -o nospace 2> /dev/null ;;
        files) compopt -o default 2> /dev/null ;;
        directories) compopt -o dirnames 2> /dev/null ;;
    esac
}

# The order is kafkit's where bash (4.4 and later) can keep it.
complete -o nosort -F _kafkit kafkit kafka-topics kafka-topics.sh kafka-console-producer kafka-console-producer.sh kafka-console-consumer kafka-console-consumer.sh kafka-reassign-partitions kafka-reassign-partitions.sh kafka-dump-log kafka-dump-log.sh kafka-get-offsets kafka-get-offsets.sh kafka-delete-records kafka-delete-records.sh kafka-log-dirs kafka-log-dirs.sh kafka-leader-election kafka-leader-election.sh kafka-consumer-groups kafka-consumer-groups.sh kafka-groups kafka-groups.sh kafka-share-groups kafka-share-groups.sh kafka-configs kafka-configs.sh kafka-features kafka-features.sh kafka-client-metrics kafka-client-metrics.sh kafka-cluster kafka-cluster.sh kafka-broker-api-versions kafka-broker-api-versions.sh kafka-acls kafka-acls.sh kafka-delegation-tokens kafka-delegation-tokens.sh kafka-transactions kafka-transactions.sh kafka-metadata-quorum kafka-metadata-quorum.sh kafka-storage kafka-storage.sh kafka-producer-perf-test kafka-producer-perf-test.sh kafka-consumer-perf-test kafka-consumer-perf-test.sh kafka-e2e-latency kafka-e2e-latency.sh kafka-verifiable-producer kafka-verifiable-producer.sh kafka-verifiable-consumer kafka-verifiable-consumer.sh kafka-server-start kafka-server-start.sh kafka-server-stop kafka-server-stop.sh zookeeper-server-start zookeeper-server-start.sh zookeeper-server-stop zookeeper-server-stop.sh 2> /dev/null ||
    complete -F _kafkit kafkit kafka-topics kafka-topics.sh kafka-console-producer kafka-console-producer.sh kafka-console-consumer kafka-console-consumer.sh kafka-reassign-partitions kafka-reassign-partitions.sh kafka-dump-log kafka-dump-log.sh kafka-get-offsets kafka-get-offsets.sh kafka-delete-records kafka-delete-records.sh kafka-log-dirs kafka-log-dirs.sh kafka-leader-election kafka-leader-election.sh kafka-consumer-groups kafka-consumer-groups.sh kafka-groups kafka-groups.sh kafka-share-groups kafka-share-groups.sh kafka-configs kafka-configs.sh kafka-features kafka-features.sh kafka-client-metrics kafka-client-metrics.sh kafka-cluster kafka-cluster.sh kafka-broker-api-versions kafka-broker-api-versions.sh kafka-acls kafka-acls.sh kafka-delegation-tokens kafka-delegation-tokens.sh kafka-transactions kafka-transactions.sh kafka-metadata-quorum kafka-metadata-quorum.sh kafka-storage kafka-storage.sh kafka-producer-perf-test kafka-producer-perf-test.sh kafka-consumer-perf-test kafka-consumer-perf-test.sh kafka-e2e-latency kafka-e2e-latency.sh kafka-verifiable-producer kafka-verifiable-producer.sh kafka-verifiable-consumer kafka-verifiable-consumer.sh kafka-server-start kafka-server-start.sh kafka-server-stop kafka-server-stop.sh zookeeper-server-start zookeeper-server-start.sh zookeeper-server-stop zookeeper-server-stop.sh
