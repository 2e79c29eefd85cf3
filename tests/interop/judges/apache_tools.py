"""Apache Kafka's own command-line tools: topics, records, groups, offsets; and its dump-log on the broker's files."""

import json
import re
import signal

from harness import HERE, SCRATCH, Program, bring_apache_kafka, equal, expect, kafka_tool, run


def prepare():
    bring_apache_kafka()


def tool(broker, name, *argv, **more):
    return kafka_tool(name, "--bootstrap-server", broker.bootstrap, *argv, **more)


def check_kafka_topics(broker):
    created = tool(broker, "kafka-topics", "--create", "--topic", "tools", "--partitions", 3, "--replication-factor", 1,
                   "--config", "retention.ms=86400000")
    equal(created.strip(), "Created topic tools.", "create")
    expect("tools" in tool(broker, "kafka-topics", "--list").split(), "the topic is not listed")
    described = tool(broker, "kafka-topics", "--describe", "--topic", "tools")
    expect(re.search(r"PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: .*retention.ms=86400000", described), described)
    equal(len(re.findall(r"Leader: 1\tReplicas: 1\tIsr: 1", described)), 3, "leader, replicas, ISR of each partition")
    tool(broker, "kafka-topics", "--alter", "--topic", "tools", "--partitions", 5)
    expect("PartitionCount: 5" in tool(broker, "kafka-topics", "--describe", "--topic", "tools"), "five partitions")


def check_console_producer_and_consumer(broker):
    lines = [f"key{i % 5}\tvalue {i}" for i in range(1000)]
    tool(broker, "kafka-console-producer", "--topic", "console", "--property", "parse.key=true", "--compression-codec",
         "lz4", stdin="".join(line + "\n" for line in lines))
    seen = tool(broker, "kafka-console-consumer", "--topic", "console", "--from-beginning", "--max-messages", 1000,
                "--property", "print.key=true", "--timeout-ms", 20000)
    equal([line for line in seen.splitlines() if "\t" in line], lines, "records")


def check_two_consumers_of_one_partition_both_see_every_line(broker):
    tool(broker, "kafka-topics", "--create", "--topic", "SmartCar", "--partitions", 1, "--replication-factor", 1)
    reader = [HERE / "apache-kafka", "run", "kafka-console-consumer", "--bootstrap-server", broker.bootstrap, "--topic",
              "SmartCar", "--partition", "0", "--from-beginning"]
    with Program(*reader) as first, Program(*reader) as second:
        for line in ["Hello! BigData!", "once more"]:
            tool(broker, "kafka-console-producer", "--topic", "SmartCar", stdin=line + "\n")
            for consumer in [first, second]:
                consumer.wait_for(lambda lines: lines[-1:] == [line], f"{line!r} does not come")
        first.stop(signal.SIGINT)
        second.stop(signal.SIGINT)


def check_kafka_consumer_groups(broker):
    group = lambda *argv, **more: tool(broker, "kafka-consumer-groups", *argv, **more)
    tool(broker, "kafka-topics", "--create", "--topic", "grouped", "--partitions", 2)
    tool(broker, "kafka-console-producer", "--topic", "grouped", stdin="".join(f"{i}\n" for i in range(50)))
    read = tool(broker, "kafka-console-consumer", "--topic", "grouped", "--group", "tools-g", "--from-beginning",
                "--max-messages", 50, "--timeout-ms", 20000)
    equal(sorted(map(int, read.split())), list(range(50)), "what the group reads")
    expect("tools-g" in group("--list").split(), "the group is not listed")
    expect(re.search(r"tools-g\s.*Empty", group("--list", "--state")), "the group is not listed as empty")
    rows = [line.split() for line in group("--describe", "--group", "tools-g").splitlines() if line.startswith("tools-g")]
    equal(sum(int(row[3]) for row in rows), 50, "committed offsets of all partitions")
    equal({row[5] for row in rows}, {"0"}, "lag")
    group("--reset-offsets", "--group", "tools-g", "--topic", "grouped", "--to-earliest", "--execute")
    rows = [line.split() for line in group("--describe", "--group", "tools-g").splitlines() if line.startswith("tools-g")]
    equal(sum(int(row[5]) for row in rows), 50, "lag after the reset")
    deleted = group("--delete-offsets", "--group", "tools-g", "--topic", "grouped")
    expect("Successful" in deleted, deleted)
    deleted = group("--delete", "--group", "tools-g")
    expect("Deletion of requested consumer groups ('tools-g') was successful." in deleted, deleted)
    expect("tools-g" not in group("--list").split(), "the group is still listed")


def check_get_offsets_and_delete_records(broker):
    tool(broker, "kafka-console-producer", "--topic", "cut", stdin="".join(f"{i}\n" for i in range(20)))
    equal(tool(broker, "kafka-get-offsets", "--topic", "cut").strip(), "cut:0:20", "end")
    plan = SCRATCH / "delete-records.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "cut", "partition": 0, "offset": 15}]}))
    tool(broker, "kafka-delete-records", "--offset-json-file", plan)
    equal(tool(broker, "kafka-get-offsets", "--topic", "cut", "--time", "earliest").strip(), "cut:0:15", "beginning")


def check_configs_log_dirs_and_api_versions(broker):
    tool(broker, "kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", "tools", "--add-config",
         "max.message.bytes=2000000")
    described = tool(broker, "kafka-configs", "--describe", "--entity-type", "topics", "--entity-name", "tools")
    expect("max.message.bytes=2000000" in described, described)
    sizes = tool(broker, "kafka-log-dirs", "--describe", "--topic-list", "console")
    logs = json.loads(sizes[sizes.index("{") :])
    partition = logs["brokers"][0]["logDirs"][0]["partitions"][0]
    expect(partition["partition"] == "console-0" and partition["size"] > 0, f"{partition}")
    versions = tool(broker, "kafka-broker-api-versions")
    for api in ["Produce(0)", "Fetch(1)", "JoinGroup(11)", "ApiVersions(18)", "DescribeTopicPartitions(75)"]:
        expect(f"{api}:" in versions and f"{api}: UNSUPPORTED" not in versions, f"{api}: {versions}")


def check_the_performance_tools(broker):
    kafka_tool("kafka-producer-perf-test", "--topic", "perf", "--num-records", 200_000, "--record-size", 100,
               "--throughput", -1, "--bootstrap-server", broker.bootstrap, limit=90)
    read = tool(broker, "kafka-consumer-perf-test", "--topic", "perf", "--num-records", 200_000, limit=90)
    expect(int(float(read.strip().splitlines()[-1].split(",")[4])) >= 200_000, read)


def check_everything_is_there_after_a_crash(broker):
    tool(broker, "kafka-console-consumer", "--topic", "console", "--group", "survivor", "--from-beginning",
         "--max-messages", 600, "--timeout-ms", 20000)
    broker.restart(signal.SIGKILL)
    seen = tool(broker, "kafka-console-consumer", "--topic", "console", "--group", "survivor", "--max-messages", 400,
                "--timeout-ms", 30000)
    equal([line for line in seen.splitlines() if line.startswith("value")], [f"value {i}" for i in range(600, 1000)],
          "what the group had not read before the crash")


def check_dump_log_finds_every_batch_valid(broker):
    broker.stop()
    logs = [path for path in broker.log_files(".log") if path.stat().st_size]
    names = {path.parent.name for path in logs}
    expect({"console-0", "perf-0", "SmartCar-0"} <= names, f"logs: {names}")
    expect(any(name.startswith("__consumer_offsets-") for name in names), f"no committed offsets among {names}")
    dumped = kafka_tool("kafka-dump-log", "--deep-iteration", "--files", ",".join(map(str, logs)), limit=120)
    batches = [line for line in dumped.splitlines() if line.startswith("baseOffset:")]
    expect(len(batches) > 100, f"only {len(batches)} batches")
    invalid = [line for line in batches if "isvalid: true" not in line]
    expect(not invalid, f"invalid batches: {invalid[:3]}")
    print(f"        ({len(batches)} batches in {len(logs)} logs)")
    indexes = [str(path) for suffix in (".index", ".timeindex") for path in broker.log_files(suffix)
               if path.stat().st_size and path.parent.name == "perf-0"]
    expect(indexes, "no index has an entry")
    for index in indexes:
        dumped = kafka_tool("kafka-dump-log", "--files", index)
        expect("Mismatches" not in dumped and "Found" not in dumped, f"{index}: {dumped}")
    offsets = [str(path) for path in logs if path.parent.name.startswith("__consumer_offsets-")]
    decoded = kafka_tool("kafka-dump-log", "--offsets-decoder", "--files", ",".join(offsets))
    expect('"group":"survivor"' in decoded and '"protocolType":"consumer"' in decoded, decoded)
