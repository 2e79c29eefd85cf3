"""Groups of the consumer protocol (KIP-848): Java's consumer, Apache Kafka's own tool for groups, and a restart."""

import re
import signal

from harness import (KAFKA_VERSION, ApacheKafka, MiniBroker, Program, equal, expect, kafka_tool, wait_until)
from judges import java_clients
from judges.java_clients import JVM, SCRATCH, client_jars, java
from judges.one_directory_two_brokers import end, hand_over

TOOL = "kafka-consumer-groups"


def prepare():
    java_clients.prepare()


def reader(broker, group, topic):
    """A Java member that prints every value it reads."""
    classpath = f"{SCRATCH / f'java-{KAFKA_VERSION}'}:{client_jars(KAFKA_VERSION)}/*"
    return Program("java", *JVM, "-cp", classpath, "ConsumerProtocolTour", broker.bootstrap, group, topic)


def make_topic(broker, topic, partitions):
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic, "--partitions", partitions)


def send(broker, topic, values):
    kafka_tool("kafka-console-producer", "--bootstrap-server", broker.bootstrap, "--topic", topic,
               stdin="".join(f"{value}\n" for value in values))


def check_java_members(broker):
    equal(java(KAFKA_VERSION, "ConsumerProtocolTour", broker.bootstrap, limit=400).split(), ["done"], "the tour")


def check_members_go_on_after_the_broker_was_killed(broker):
    if not isinstance(broker, MiniBroker):
        return
    make_topic(broker, "outlives", 4)
    send(broker, "outlives", range(50))
    with reader(broker, "o", "outlives") as one, reader(broker, "o", "outlives") as two:
        both = lambda: one.lines + two.lines
        one.wait_for(lambda _: len(both()) == 50, "every record", limit=60)
        wait_until(lambda: "Stable" in described(broker, "o", "--state"), "the group comes to rest", limit=60)
        epoch = group_epoch(broker, "o")
        broker.restart(signal.SIGKILL)
        send(broker, "outlives", range(50, 100))
        one.wait_for(lambda _: len(set(both())) == 100, "every record after the restart", limit=60)
        equal(group_epoch(broker, "o"), epoch, "nobody had to join again")


def check_a_group_with_members_goes_to_apache_kafka_and_back(broker):
    if not isinstance(broker, MiniBroker):
        return
    make_topic(broker, "handed", 3)
    send(broker, "handed", range(10))
    with reader(broker, "h", "handed") as one:
        one.wait_for(lambda lines: len(lines) == 10, "every record", limit=60)
        # Before its session is over.
        before = without_address(broker, "h")
        broker.stop()
        apache = hand_over(broker, "consumer_protocol_handed")
        equal(without_address(apache, "h"), before, "the group on Apache Kafka")
        end(apache)
        mini = MiniBroker("consumer_protocol_back")
        mini.data_dir = apache.data_dir
        mini.start()
        equal(without_address(mini, "h"), before, "the group on the mini broker again")
        mini.stop()
    broker.start()


def without_address(broker, group):
    told = described(broker, group, "--members", "--verbose") + described(broker, group, "--state", "--verbose")
    return told.replace(broker.bootstrap, "BROKER").split()


def described(broker, group, *more):
    return kafka_tool(TOOL, "--bootstrap-server", broker.bootstrap, "--describe", "--group", group, *more)


def group_epoch(broker, group):
    return described(broker, group, "--state", "--verbose").split()[-3]


def check_the_tool_prints_what_it_prints_on_apache_kafka(broker):
    if not isinstance(broker, MiniBroker):
        return
    apache = ApacheKafka("consumer_protocol")
    apache.start()
    try:
        equal(the_tool_on(broker), the_tool_on(apache), "what the tool prints")
    finally:
        apache.stop()


def the_tool_on(broker):
    """One conversation, without what differs from one run to the next."""
    printed = []

    def tool(*argv, status=0):
        text = kafka_tool(TOOL, "--bootstrap-server", broker.bootstrap, *argv, status=status)
        text = text.replace(broker.bootstrap, "BROKER").replace(broker.bootstrap.split(":")[1], "PORT")
        text = re.sub(r"\b[\w-]{22}\b", "ID", text)
        if "--list" in argv:
            # Other checks left groups on this broker.
            text = "\n".join(line for line in text.splitlines() if line.startswith(("GROUP", "tg")))
        printed.append(" ".join(argv) + "\n" + re.sub(r"[ \t]+", " ", text).strip())

    make_topic(broker, "told", 3)
    send(broker, "told", range(10))
    with reader(broker, "tg", "told") as one:
        one.wait_for(lambda lines: len(lines) == 10, "every record", limit=60)
        tool("--describe", "--group", "tg", "--members", "--verbose")
        tool("--describe", "--group", "tg", "--members")
        tool("--describe", "--group", "tg", "--state", "--verbose")
        tool("--list", "--type", "--state")
        tool("--list", "--type", "consumer")
        tool("--list", "--type", "classic")
        tool("--delete", "--group", "tg", status=None)
        tool("--delete-offsets", "--group", "tg", "--topic", "told", status=None)
    wait_until(lambda: "Empty" in described(broker, "tg", "--state"), "the member leaves", limit=90)
    tool("--describe", "--group", "tg", "--state", "--verbose")
    tool("--reset-offsets", "--group", "tg", "--topic", "told:0", "--to-offset", "0", "--execute")
    tool("--delete-offsets", "--group", "tg", "--topic", "told")
    tool("--delete", "--group", "tg")
    tool("--list", "--type")
    tool("--describe", "--group", "tg", status=None)
    expect(len(printed) > 10, "a conversation")
    return printed
