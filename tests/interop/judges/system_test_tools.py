"""What Apache Kafka's own system tests use: verifiable producer and consumer, and the copier of transactions; here the
broker is killed meanwhile."""

import json
import signal

from harness import HERE, Program, bring_apache_kafka, equal, expect, kafka_tool, run

RECORDS = 6000


def prepare():
    bring_apache_kafka()


def start(tool, *argv):
    return Program(HERE / "apache-kafka", "run", tool, *argv)


def create(broker, topic, partitions):
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic, "--partitions", partitions)


def events(program, name):
    told = (json.loads(line) for line in program.lines if line.startswith("{"))
    return [event for event in told if event["name"] == name]


def end_offsets(broker, topic):
    """The sum over the partitions."""
    ends = kafka_tool("kafka-get-offsets", "--bootstrap-server", broker.bootstrap, "--topic", topic)
    return sum(int(row.split(":")[2]) for row in ends.split())


def committed(broker, topic, count):
    said = kafka_tool("kafka-console-consumer", "--bootstrap-server", broker.bootstrap, "--topic", topic, "--from-beginning",
                      "--max-messages", count, "--timeout-ms", 30000, "--isolation-level", "read_committed")
    return sorted(int(value) for value in said.split() if value.isdigit())


def check_what_the_verifiable_producer_was_acknowledged_the_verifiable_consumer_reads(broker):
    create(broker, "verifiable", 3)
    with start("kafka-verifiable-producer", "--bootstrap-server", broker.bootstrap, "--topic", "verifiable", "--max-messages",
               RECORDS, "--throughput", 3000) as producer:
        producer.wait_for(lambda lines: len(lines) > 1000, "no acknowledgements")
        broker.restart(signal.SIGKILL)
        producer.wait_for(lambda lines: any("shutdown_complete" in line for line in lines[-2:]), "no end", 90)
    # It never sends a record again, so that the kill may have cost it some.
    sent = events(producer, "producer_send_success")
    equal(len(sent) + len(events(producer, "producer_send_error")), RECORDS, "answers")
    acknowledged = {(event["partition"], event["offset"]): event["value"] for event in sent}
    equal(len(acknowledged), len(sent), "offsets")
    there = end_offsets(broker, "verifiable")
    for protocol in ["classic", "consumer"]:
        with start("kafka-verifiable-consumer", "--bootstrap-server", broker.bootstrap, "--topic", "verifiable", "--group-id",
                   f"verifiable-{protocol}", "--group-protocol", protocol, "--max-messages", there, "--verbose") as consumer:
            consumer.wait_for(lambda lines: any("shutdown_complete" in line for line in lines[-2:]), "no end", 90)
        read = {(event["partition"], event["offset"]): event["value"] for event in events(consumer, "record_data")}
        equal(len(read), there, f"records of the {protocol} protocol")
        lost = {place: value for place, value in acknowledged.items() if read.get(place) != value}
        equal(lost, {}, f"acknowledged and not read by the {protocol} protocol")


def check_the_transactional_copier_copies_exactly_once_over_aborts_and_kills(broker):
    create(broker, "copier-in", 1)
    create(broker, "copier-out", 2)
    kafka_tool("kafka-console-producer", "--bootstrap-server", broker.bootstrap, "--topic", "copier-in",
               stdin="".join(f"{number}\n" for number in range(RECORDS)))
    argv = ["--broker-list", broker.bootstrap, "--input-topic", "copier-in", "--input-partition", 0, "--output-topic",
            "copier-out", "--transactional-id", "copier", "--consumer-group", "copiers", "--transaction-size", 50,
            "--use-group-metadata", "--enable-random-aborts"]
    with start("transactional-message-copier", *argv) as copier:
        copier.wait_for(lambda lines: len(lines) > 20, "it copies nothing")
        broker.restart(signal.SIGKILL)
        copied = len(copier.lines)
        copier.wait_for(lambda lines: len(lines) > copied + 5, "it copies nothing after the kill", 60)
        copier.stop(signal.SIGKILL)
    with start("transactional-message-copier", *argv) as copier:
        copier.wait_for(lambda lines: any("ShutdownComplete" in line for line in lines[-2:]), "no end", 90)
    equal(committed(broker, "copier-out", RECORDS), list(range(RECORDS)), "each record once")
    expect(end_offsets(broker, "copier-out") > RECORDS, "no markers")
