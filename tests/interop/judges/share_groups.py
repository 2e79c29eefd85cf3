"""Share groups (KIP-932): Java's share consumer, Apache Kafka's own tools for them, a crash, and the same directory on
Apache Kafka and back."""

import re
import signal

from harness import KAFKA_VERSION, ApacheKafka, MiniBroker, Program, equal, expect, kafka_tool, wait_until
from judges import java_clients
from judges.java_clients import JVM, SCRATCH, client_jars, java
from judges.one_directory_two_brokers import end, hand_over

TOOL = "kafka-share-groups"


def prepare():
    java_clients.prepare()


def reader(broker, group, topic):
    """A Java member that accepts every value and prints it once that is stored."""
    classpath = f"{SCRATCH / f'java-{KAFKA_VERSION}'}:{client_jars(KAFKA_VERSION)}/*"
    return Program("java", *JVM, "-cp", classpath, "ShareTour", broker.bootstrap, group, topic)


def make_topic(broker, topic, partitions=1):
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic, "--partitions", partitions)


def begin_early(broker, group):
    kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--alter", "--entity-type", "groups",
               "--entity-name", group, "--add-config", "share.auto.offset.reset=earliest")


def send(broker, topic, values):
    kafka_tool("kafka-console-producer", "--bootstrap-server", broker.bootstrap, "--topic", topic,
               stdin="".join(f"{value}\n" for value in values))


def described(broker, group, *more):
    return kafka_tool(TOOL, "--bootstrap-server", broker.bootstrap, "--describe", "--group", group, *more)


def check_java_members(broker):
    equal(java(KAFKA_VERSION, "ShareTour", broker.bootstrap, limit=400).split(), ["done"], "the tour")


def check_nothing_that_was_accepted_comes_again_after_the_broker_was_killed(broker):
    if not isinstance(broker, MiniBroker):
        return
    make_topic(broker, "outlives")
    begin_early(broker, "o")
    send(broker, "outlives", range(50))
    with reader(broker, "o", "outlives") as one, reader(broker, "o", "outlives") as two:
        both = lambda: one.lines + two.lines
        one.wait_for(lambda _: len(both()) == 50, "every record", limit=60)
        broker.restart(signal.SIGKILL)
        send(broker, "outlives", range(50, 100))
        one.wait_for(lambda _: len(set(both())) == 100, "every record after the restart", limit=60)
        equal(sorted(map(int, both())), list(range(100)), "each record once")


def check_a_group_goes_to_apache_kafka_and_back(broker):
    if not isinstance(broker, MiniBroker):
        return
    make_topic(broker, "handed")
    begin_early(broker, "h")
    send(broker, "handed", range(10))
    with reader(broker, "h", "handed") as one:
        one.wait_for(lambda lines: len(lines) == 10, "every record", limit=60)
    wait_until(lambda: "Empty" in described(broker, "h", "--state"), "the member leaves", limit=60)
    send(broker, "handed", range(10, 15))
    before = described(broker, "h").split()
    broker.stop()
    apache = hand_over(broker, "share_groups_handed")
    equal(described(apache, "h").split(), before, "the group on Apache Kafka")
    with reader(apache, "h", "handed") as one:
        one.wait_for(lambda lines: len(lines) >= 5, "what is left", limit=60)
        equal(sorted(map(int, one.lines)), list(range(10, 15)), "only what is left")
    wait_until(lambda: "Empty" in described(apache, "h", "--state"), "the member leaves", limit=60)
    after = described(apache, "h").split()
    end(apache)
    mini = MiniBroker("share_groups_back")
    mini.data_dir = apache.data_dir
    mini.start()
    equal(described(mini, "h").split(), after, "the group on the mini broker again")
    mini.stop()
    broker.start()


def check_the_tools_print_what_they_print_on_apache_kafka(broker):
    if not isinstance(broker, MiniBroker):
        return
    apache = ApacheKafka("share_groups")
    apache.start()
    try:
        for mine, theirs in zip(the_tools_on(broker), the_tools_on(apache), strict=True):
            equal(mine, theirs, "what a tool prints")
    finally:
        apache.stop()


def the_tools_on(broker):
    """One conversation, without what differs from one run to the next."""
    printed = []

    def tool(*argv, status=0, name=TOOL):
        text = kafka_tool(name, "--bootstrap-server", broker.bootstrap, *argv, status=status)
        text = text.replace(broker.bootstrap, "BROKER").replace(broker.bootstrap.split(":")[1], "PORT")
        text = re.sub(r"\b[\w-]{22}\b", "ID", text)
        if "--list" in argv:
            # Other checks left groups on this broker.
            text = "\n".join(line for line in text.splitlines() if line.startswith(("GROUP", "tg")))
        printed.append(" ".join(map(str, argv)) + "\n" + re.sub(r"[ \t]+", " ", text).strip())

    def reads(*argv):
        tool("--topic", "told", "--group", "tg", "--timeout-ms", 20000, *argv, name="kafka-console-share-consumer")

    make_topic(broker, "told")
    begin_early(broker, "tg")
    send(broker, "told", range(10))
    reads("--max-messages", 4)
    tool("--describe", "--group", "tg")
    reads("--max-messages", 6, "--reject")
    tool("--describe", "--group", "tg", "--offsets", "--verbose")
    tool("--describe", "--group", "tg", "--state", "--verbose")
    tool("--describe", "--group", "tg", "--members")
    tool("--list", "--state")
    tool("--list", "--state", "Stable")
    tool("--reset-offsets", "--group", "tg", "--topic", "told", "--to-earliest", "--dry-run")
    tool("--reset-offsets", "--group", "tg", "--topic", "told", "--to-earliest", "--execute")
    tool("--describe", "--group", "tg")
    send(broker, "told", range(10, 12))
    with reader(broker, "tg", "told") as one:
        one.wait_for(lambda lines: len(lines) == 12, "every record", limit=60)
        tool("--describe", "--group", "tg", "--members", "--verbose")
        tool("--describe", "--group", "tg", "--state")
        tool("--delete", "--group", "tg", status=None)
        tool("--delete-offsets", "--group", "tg", "--topic", "told", status=None)
        tool("--reset-offsets", "--group", "tg", "--topic", "told", "--to-latest", "--execute", status=None)
    wait_until(lambda: "Empty" in described(broker, "tg", "--state"), "the member leaves", limit=180)
    tool("--delete-offsets", "--group", "tg", "--topic", "told")
    tool("--delete-offsets", "--group", "tg", "--topic", "none", status=None)
    tool("--describe", "--group", "tg", status=None)
    tool("--delete", "--group", "tg")
    tool("--list")
    tool("--describe", "--group", "tg", status=None)
    expect(len(printed) > 15, "a conversation")
    return printed
