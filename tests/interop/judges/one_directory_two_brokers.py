"""One data directory, served by Apache Kafka and by the mini broker in turn: both find what the other has left."""

import os
import shutil

from harness import HERE, KAFKIT, ApacheKafka, MiniBroker, equal, expect, run, wait_until

BROKER = ApacheKafka


def prepare():
    expect(KAFKIT.exists(), f"{KAFKIT} is not built")


def kafkit(broker, *words, stdin=None):
    return run(KAFKIT, *words, "-q", "-b", broker.bootstrap, stdin=stdin)


def end(apache):
    """Its locks go with the process, not with the signal."""
    process = (apache.dir / "node1.pid").read_text().strip()
    apache.stop()
    wait_until(lambda: not os.path.exists(f"/proc/{process}"), "Apache Kafka ends")


def numbers(count):
    return "".join(f"{number}\n" for number in range(count))


def check_the_mini_broker_serves_what_apache_kafka_wrote(broker):
    kafkit(broker, "topics", "create", "shared", "-p", "2", "--config", "retention.ms=123456789")
    kafkit(broker, "produce", "shared", stdin=numbers(100))
    equal(len(kafkit(broker, "consume", "shared", "-e", "-g", "readers").splitlines()), 100, "records of Apache Kafka")
    end(broker)
    mini = MiniBroker("one_directory")
    mini.data_dir = broker.data_dir
    mini.start()
    try:
        expect("set on it: retention.ms=123456789" in kafkit(mini, "describe", "topic", "shared"), "the topic's config")
        equal(len(kafkit(mini, "consume", "shared", "-e").splitlines()), 100, "records on the mini broker")
        kafkit(mini, "produce", "shared", stdin=numbers(7))
        equal(len(kafkit(mini, "consume", "shared", "-e", "-g", "readers").splitlines()), 7, "what the group has left")
    finally:
        mini.stop()


def check_apache_kafka_goes_on_with_what_the_mini_broker_added(broker):
    broker.restart()
    equal(len(kafkit(broker, "consume", "shared", "-e").splitlines()), 107, "records on Apache Kafka")
    kafkit(broker, "produce", "shared", stdin=numbers(3))
    equal(len(kafkit(broker, "consume", "shared", "-e", "-g", "readers").splitlines()), 3, "what the group has left")


def check_apache_kafka_starts_on_a_directory_of_the_mini_broker(_broker):
    mini = MiniBroker("handed_over")
    mini.start()
    kafkit(mini, "topics", "create", "orders", "-p", "3", "--config", "retention.ms=123456789")
    kafkit(mini, "produce", "orders", stdin=numbers(50))
    equal(len(kafkit(mini, "consume", "orders", "-e", "-g", "readers").splitlines()), 50, "records on the mini broker")
    mini.stop()
    apache = ApacheKafka("handed_over")
    run(HERE / "apache-kafka", "format", apache.dir, 1, apache.port, limit=120)
    shutil.rmtree(apache.data_dir)
    shutil.copytree(mini.data_dir, apache.data_dir)
    try:
        run(HERE / "apache-kafka", "revive", apache.dir, 1, limit=120)
        expect("set on it: retention.ms=123456789" in kafkit(apache, "describe", "topic", "orders"), "the topic's config")
        equal(len(kafkit(apache, "consume", "orders", "-e").splitlines()), 50, "records on Apache Kafka")
        kafkit(apache, "produce", "orders", stdin=numbers(4))
        equal(len(kafkit(apache, "consume", "orders", "-e", "-g", "readers").splitlines()), 4, "what the group has left")
    finally:
        apache.stop()
