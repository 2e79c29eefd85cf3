"""Kafka Connect: a standalone worker carries lines from a file to a topic and into another file, over a kill."""

import signal

from harness import KAFKA_VERSION, SCRATCH, Program, equal, expect, free_port, jars, kafka_tool, wait_until
from judges.java_clients import JVM

FOLDER = SCRATCH / "connect"
# A worker looks through all its jars before it begins, which takes long on a busy machine.
START = 180
SOURCE, SINK = FOLDER / "source.txt", FOLDER / "sink.txt"


def prepare():
    FOLDER.mkdir(exist_ok=True)
    libs()


def libs():
    return jars(f"kafka-connect-{KAFKA_VERSION}", *(f"org.apache.kafka:connect-{part}:{KAFKA_VERSION}"
                                                    for part in ["runtime", "file", "json"]), "org.slf4j:slf4j-nop:1.7.36")


def properties(file_name, **values):
    path = FOLDER / f"{file_name}.properties"
    path.write_text("".join(f"{key.replace('_', '.')}={value}\n" for key, value in values.items()))
    return path


def worker(broker):
    string = "org.apache.kafka.connect.storage.StringConverter"
    config = properties("worker", bootstrap_servers=broker.bootstrap, key_converter=string, value_converter=string,
                        offset_storage_file_filename=FOLDER / "offsets", offset_flush_interval_ms=200,
                        listeners=f"http://127.0.0.1:{free_port()}", plugin_discovery="only_scan",
                        consumer_session_timeout_ms=6000)
    source = properties("source", name="source", connector_class="FileStreamSource", tasks_max=1, file=SOURCE, topic="lines")
    sink = properties("sink", name="sink", connector_class="FileStreamSink", tasks_max=1, file=SINK, topics="lines")
    return Program("java", *JVM, "-cp", f"{libs()}/*", "org.apache.kafka.connect.cli.ConnectStandalone", config, source, sink)


def append(start, end):
    with SOURCE.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(start, end))


def sunk():
    return SINK.read_text().splitlines() if SINK.exists() else []


def check_lines_arrive_in_order_and_none_is_lost_over_a_kill(broker):
    lines = lambda end: [f"line {number}" for number in range(end)]
    append(0, 500)
    with worker(broker) as first:
        wait_until(lambda: sunk() == lines(500), lambda: f"{len(sunk())} of 500 lines: {first.stderr()[-800:]}", START)
        first.stop(signal.SIGKILL)
    append(500, 1000)
    with worker(broker) as second:
        # What was not committed before the kill comes again.
        wait_until(lambda: "line 999" in sunk()[-1:], lambda: f"{sunk()[-3:]}: {second.stderr()[-800:]}", START)
        equal(second.stop(), 143, "the end of the worker")
    # Each line is there, and the first time that it comes it comes in order.
    first_times = list(dict.fromkeys(sunk()))
    equal(first_times, lines(1000), "the lines of the sink")
    groups = kafka_tool("kafka-consumer-groups", "--bootstrap-server", broker.bootstrap, "--describe", "--group", "connect-sink")
    rows = [row.split() for row in groups.splitlines() if " lines " in row]
    expect(rows and all(row[3] == row[4] for row in rows), f"the sink's group is not at the end: {groups}")
