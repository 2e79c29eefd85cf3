"""Compaction: the mini broker leaves the same batches of the same input as Apache Kafka, byte counts, offsets and delete
horizons included, and each goes on with a directory that the other has compacted."""

import difflib
import re
import time

from harness import HERE, KAFKA_VERSION, KAFKIT, ApacheKafka, MiniBroker, Program, bring_apache_kafka, equal, kafka_tool, run, wait_until
from judges.java_clients import client_jars
from judges.one_directory_two_brokers import end, hand_over, kafkit

BROKER = ApacheKafka
DELETE_RETENTION_MS = 15_000
ROUNDS = {}


def prepare():
    bring_apache_kafka()
    client_jars(KAFKA_VERSION)


def eager(broker):
    """From now on the broker looks for something to compact all the time."""
    kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--alter", "--entity-type", "brokers",
               "--entity-default", "--add-config", "log.cleaner.backoff.ms=100")


def cleaned_up_to(broker, topic):
    """How far the log is clean, as the broker's own checkpoint says."""
    checkpoint = broker.data_dir / "cleaner-offset-checkpoint"
    lines = checkpoint.read_text().splitlines() if checkpoint.exists() else []
    return next((int(line.split()[2]) for line in lines if line.startswith(f"{topic} 0 ")), 0)


def active(broker, topic):
    return max(int(path.stem) for path in (broker.data_dir / f"{topic}-0").glob("*.log"))


def dump(broker, topic):
    """What Apache Kafka's own tool reads in the segments that are not appended to any more, without times."""
    logs = sorted((broker.data_dir / f"{topic}-0").glob("*.log"))[:-1]
    text = kafka_tool("kafka-dump-log", "--files", ",".join(map(str, logs)), "--print-data-log", "--deep-iteration")
    text = re.sub(r"\d{13}", "TIME", re.sub(r"crc: \d+|position: \d+", "", text))
    lines = [line for line in text.splitlines() if line.startswith(("baseOffset", "|"))]
    # Other libraries compress to other sizes.
    lines = [line if "compresscodec: none" in line else re.sub(r" size: \d+", "", line) for line in lines]
    return [path.name for path in logs] + lines


def transaction_index(broker, topic):
    return [path.stat().st_size for path in sorted((broker.data_dir / f"{topic}-0").glob("*.txnindex"))]


def tour(broker, topic):
    """What is left after each round; the third comes after the delete horizons."""
    rounds = []
    program = HERE / "java" / "CompactionTour.java"
    classpath = f"{client_jars(KAFKA_VERSION)}/*"
    with Program("java", "-cp", classpath, program, broker.bootstrap, topic, DELETE_RETENTION_MS) as java:
        for number in (1, 2, 3):
            java.wait_for(lambda lines: f"round {number}" in lines, f"round {number} is sent", 60)
            wait_until(lambda: cleaned_up_to(broker, topic) == active(broker, topic), f"round {number} is compacted")
            rounds.append((dump(broker, topic), transaction_index(broker, topic)))
            if number == 2:
                time.sleep(DELETE_RETENTION_MS / 1000 + 1)
            java.write("\n")
        java.process.wait(30)
    return rounds


def last_values(broker, topic):
    """Of every key, in the order of the log, by a consumer of committed records."""
    text = run(KAFKIT, "consume", topic, "-e", "-q", "-b", broker.bootstrap, "-f", "%o %k=%s\n", status=None)
    return [line for line in text.splitlines() if " last=" not in line]


def check_both_leave_the_same_batches(broker):
    mini = MiniBroker("compaction")
    mini.start()
    try:
        eager(mini)
        ROUNDS["mini"] = tour(mini, "tour")
        ROUNDS["values"] = last_values(mini, "tour")
    finally:
        mini.stop()
    ROUNDS["directory"] = mini
    eager(broker)
    on_apache = tour(broker, "tour")
    for number, (ours, theirs) in enumerate(zip(ROUNDS["mini"], on_apache), start=1):
        equal("\n".join(difflib.unified_diff(theirs[0], ours[0], "Apache Kafka", "ours", n=0)), "", f"batches after round {number}")
        equal(ours[1], theirs[1], f"bytes of transaction indexes after round {number}")
    equal(ROUNDS["values"], last_values(broker, "tour"), "records for a consumer")


def compacts_further(broker, before):
    """A key gets a new value, and the log is clean beyond `before`."""
    eager(broker)
    kafkit(broker, "produce", "tour", "-K", ":", stdin="a:new\n")
    time.sleep(0.1)  # the segment's age decides when the next one begins
    kafkit(broker, "produce", "tour", "-K", ":", stdin="last:new\n")
    wait_until(lambda: cleaned_up_to(broker, "tour") == active(broker, "tour") > before, f"{broker} compacts further")
    values = last_values(broker, "tour")
    equal([value.split()[1] for value in values if " a=" in value], ["a=new"], "the last value")


def check_apache_kafka_goes_on_with_what_the_mini_broker_has_compacted(_broker):
    mini = ROUNDS["directory"]
    before = cleaned_up_to(mini, "tour")
    apache = hand_over(mini, "compacted")
    try:
        # Its leaders are elected a moment after it has begun to answer.
        wait_until(lambda: last_values(apache, "tour") == ROUNDS["values"],
                   lambda: f"records on Apache Kafka: {last_values(apache, 'tour')}")
        equal(cleaned_up_to(apache, "tour"), before, "how far it is clean")
        compacts_further(apache, before)
    finally:
        apache.stop()


def check_the_mini_broker_goes_on_with_what_apache_kafka_has_compacted(broker):
    values, before = last_values(broker, "tour"), cleaned_up_to(broker, "tour")
    end(broker)
    mini = MiniBroker("compacted_there")
    mini.data_dir = broker.data_dir
    mini.start()
    try:
        equal(last_values(mini, "tour"), values, "records on the mini broker")
        compacts_further(mini, before)
    finally:
        mini.stop()
