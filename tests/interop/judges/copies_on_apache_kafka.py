"""`kafkit copy`, `backup` and `restore` on Apache Kafka: its own consumer and its own kafka-dump-log say what arrived."""

import json
import os
import re
import signal
import subprocess
import time

from harness import KAFKIT, SCRATCH, ApacheKafka, equal, expect, kafka_tool, run
from judges.kafkit_on_apache_kafka import java, kafkit, prepare  # noqa: F401 (prepare is the judge's)

BROKER = ApacheKafka
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
PROPERTIES = ["print.key=true", "print.headers=true", "print.timestamp=true", "print.partition=true"]


def records(count, partitions):
    """Records of every kind, as JSON lines."""
    lines = []
    for n in range(count):
        lines.append(json.dumps({
            "partition": n % partitions,
            "key": [None, "", f"k{n % 50}"][n % 3],
            "value": [None, "", f"value {n} " + "x" * (n % 90)][min(n % 7, 2)],
            "timestamp": int(time.time() * 1000) - n % 1000,
            "headers": [[], [{"name": "a", "value": "1"}, {"name": "a", "value": None}]][n % 2],
        }))
    return "\n".join(lines) + "\n"


def seen(broker, topic, *more):
    """What Apache Kafka's consumer prints of a topic, sorted: as many records as kafkit counts."""
    count = kafkit(broker, "topics", "count", topic, "-o", "tsv").split()[-1]
    formats = [word for value in PROPERTIES for word in ("--formatter-property", value)]
    printed = java(broker, "kafka-console-consumer", "--topic", topic, "--from-beginning", "--max-messages", count, "--timeout-ms", "90000",
                   "--formatter-property", "null.literal=<null>", *formats, *more, limit=180)
    return sorted(printed.splitlines())


def same(broker, source, target, *more):
    left, right = seen(broker, source, *more), seen(broker, target, *more)
    expect(len(left) > 0, f"{source} has no records")
    expect(left == right, f"{source} has {len(left)} records and {target} {len(right)}, which are not the same")


def check_every_codec_arrives_as_it_was(broker):
    for codec in CODECS:
        kafkit(broker, "topics", "create", f"of-{codec}", "-p", "3", "-q")
        run(KAFKIT, "produce", f"of-{codec}", "--json", "-q", "-b", broker.bootstrap, "-X", f"compression.type={codec}",
            "-X", "batch.size=2000" if codec == "snappy" else "batch.size=400000", stdin=records(9000, 3))
        kafkit(broker, "copy", f"of-{codec}", f"to-{codec}", "--create", "--verify", "-q")
    same(broker, "of-zstd", "to-zstd")
    same(broker, "of-snappy", "to-snappy")


def check_a_topic_with_append_time_keeps_it_and_one_that_sets_it_does(broker):
    kafkit(broker, "topics", "create", "stamped", "-q", "--config", "message.timestamp.type=LogAppendTime")
    run(KAFKIT, "produce", "stamped", "-q", "-b", broker.bootstrap, stdin="a\nb\nc\n")
    kafkit(broker, "topics", "create", "kept", "-q")
    kafkit(broker, "copy", "stamped", "kept", "--verify", "-q")
    strip = lambda lines: [re.sub(r"^(CreateTime|LogAppendTime)", "", line) for line in lines]  # noqa: E731
    equal(strip(seen(broker, "kept")), strip(seen(broker, "stamped")), "times")


def check_aborted_transactions_are_left_out(broker):
    kafkit(broker, "topics", "create", "paid", "-q")
    for round_, commits in enumerate([True, False, True]):
        lines = "".join(f"{round_} {n}\n" for n in range(2000))
        if commits:
            run(KAFKIT, "produce", "paid", "-q", "-b", broker.bootstrap, "--transactional-id", "t", stdin=lines)
        else:
            # A line that is too large spoils the transaction.
            run(KAFKIT, "produce", "paid", "-q", "-b", broker.bootstrap, "--transactional-id", "t",
                stdin=lines + "x" * 3_000_000 + "\n", status=None)
    kafkit(broker, "copy", "paid", "settled", "--create", "--verify", "-q")
    committed = ["--command-property", "isolation.level=read_committed"]
    equal(seen(broker, "settled"), seen(broker, "paid", *committed), "committed records")


def check_a_compacted_topic_is_copied_without_gaps(broker):
    kafkit(broker, "topics", "create", "users", "-q", "--config", "cleanup.policy=compact", "--config", "segment.ms=500",
           "--config", "min.cleanable.dirty.ratio=0.01", "--config", "max.compaction.lag.ms=500")
    for round_ in range(3):
        run(KAFKIT, "produce", "users", "-q", "-b", broker.bootstrap, "-K", ":",
            stdin="".join(f"k{n % 100}:{round_} {n}\n" for n in range(5000)))
        time.sleep(1)
    time.sleep(16)
    run(KAFKIT, "produce", "users", "-q", "-b", broker.bootstrap, "-K", ":", stdin="last:1\n")
    time.sleep(16)
    kafkit(broker, "copy", "users", "users-copy", "--create", "--verify", "-q")
    counts = json.loads(kafkit(broker, "topics", "count", "users", "users-copy", "-o", "json"))
    equal(counts[0]["records"], counts[1]["records"], "records")


def killed(broker, *words, times=5):
    """Begins a copy and kills it, some times over, then lets one end."""
    argv = [str(KAFKIT), "copy", *words, "-q", "-b", broker.bootstrap]
    for round_ in range(times):
        copy = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.15 + 0.1 * round_)
        os.kill(copy.pid, signal.SIGKILL)
        copy.wait()
    run(*argv, "--timeout", "60s", limit=180)


def check_a_million_records_arrive_once_although_the_copy_is_killed(broker):
    kafkit(broker, "topics", "create", "million", "-p", "4", "-q")
    run(KAFKIT, "produce", "million", "-q", "-b", broker.bootstrap, "-X", "batch.size=50000",
        stdin="".join(f"{n} some more text\n" for n in range(1_000_000)), limit=120)
    kafkit(broker, "topics", "create", "million-once", "-p", "4", "-q")
    killed(broker, "million", "million-once", "--checkpoint", str(SCRATCH / "million.json"))
    kafkit(broker, "diff", "million", "million-once", "--records", limit=120)
    kafkit(broker, "topics", "create", "million-exactly", "-p", "4", "-q")
    killed(broker, "million", "million-exactly", "--exactly-once")
    kafkit(broker, "diff", "million", "million-exactly", "--records", limit=120)
    counted = kafkit(broker, "topics", "count", "million-exactly", "-o", "tsv")
    equal(counted.split()[-1], "1000000", "committed records")
    groups = java(broker, "kafka-consumer-groups", "--list")
    expect("kafkit-copy-million-" in groups, groups)


def check_a_group_goes_on_in_the_copy(broker):
    kafkit(broker, "topics", "create", "read", "-p", "2", "-q")
    for round_ in range(3):
        # Each transaction leaves a marker, an offset that the copy does not have.
        run(KAFKIT, "produce", "read", "-q", "-b", broker.bootstrap, "--transactional-id", "t",
            stdin="".join(f"{round_ * 500 + n}\n" for n in range(500)))
    first = kafkit(broker, "consume", "read", "-g", "readers", "-o", "earliest", "-n", "700", "-q").split()
    kafkit(broker, "copy", "read", "read-copy", "--create", "-q", "--groups", "readers")
    rest = java(broker, "kafka-console-consumer", "--topic", "read-copy", "--group", "readers", "--timeout-ms", "20000", limit=60).split()
    equal(sorted(map(int, first + rest)), list(range(1500)), "what the group has read here and there")


def check_a_backup_is_read_by_apaches_dump_log_and_comes_back(broker):
    folder = SCRATCH / "backup"
    kafkit(broker, "backup", folder, "of-lz4", "users", "paid", "--verify", "-q", limit=120)
    for segment in sorted(folder.glob("*/*.log")):
        dumped = kafka_tool("kafka-dump-log", "--files", segment, "--deep-iteration")
        expect("isvalid: false" not in dumped, segment)
    # A log of less than index.interval.bytes has an empty index, about which the tool says nothing.
    for index in (path for path in sorted(folder.glob("*/*.index")) if path.stat().st_size > 0):
        expect("passed sanity check" in kafka_tool("kafka-dump-log", "--files", index, "--index-sanity-check"), index)
    kafkit(broker, "restore", folder, "of-lz4", "--as", "back", "--verify", "-q", limit=120)
    same(broker, "of-lz4", "back")


def check_topics_that_are_exported_and_applied_are_the_same_to_apaches_tools(broker):
    kafkit(broker, "topics", "create", "shape", "-p", "5", "-q", "--config", "retention.ms=12345", "--config",
           "cleanup.policy=compact,delete")
    described = lambda: re.sub(r"TopicId: \S+", "", java(broker, "kafka-topics", "--describe", "--topic", "shape"))  # noqa: E731
    before = described()
    file = SCRATCH / "shape.toml"
    file.write_text(kafkit(broker, "topics", "export", "shape"))
    kafkit(broker, "topics", "delete", "shape", "--yes", "-q")
    kafkit(broker, "topics", "apply", "-f", file, "-q")
    equal(described(), before, "the topic")
