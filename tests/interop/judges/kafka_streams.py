"""Kafka Streams: the word count with exactly_once_v2 counts exactly, although the program and the broker are killed."""

import signal

from harness import HERE, KAFKA_VERSION, KAFKIT, SCRATCH, Program, equal, jars, kafka_tool, run
from judges.java_clients import JVM

LINES = 600
WORDS = ["one", "two", "three", "four", "five", "six", "seven"]


def prepare():
    classes = SCRATCH / "streams-classes"
    run("javac", "-nowarn", "-cp", f"{libs()}/*", "-d", classes, HERE / "java-streams" / "WordCount.java", limit=120)


def libs():
    return jars(f"kafka-streams-{KAFKA_VERSION}", f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}",
                "org.slf4j:slf4j-nop:1.7.36")


def word_count(broker):
    classpath = f"{SCRATCH / 'streams-classes'}:{libs()}/*"
    return Program("java", *JVM, "-cp", classpath, "WordCount", broker.bootstrap, SCRATCH / "streams-state")


def line(number):
    return f"{WORDS[number % 7]} {WORDS[number % 5]} {WORDS[number % 3]}"


def write(broker, start, end):
    kafka_tool("kafka-console-producer", "--bootstrap-server", broker.bootstrap, "--topic", "lines",
               stdin="".join(line(number) + "\n" for number in range(start, end)))


def read(broker, count):
    """So many counts, as one who reads what is committed gets them."""
    said = kafka_tool("kafka-console-consumer", "--bootstrap-server", broker.bootstrap, "--topic", "counts", "--group",
                      f"reader-of-{count}", "--from-beginning", "--max-messages", count, "--timeout-ms", 60000,
                      "--isolation-level", "read_committed", "--property", "print.key=true", limit=90)
    return [text.split("\t") for text in said.splitlines() if "\t" in text]


def check_words_are_counted_exactly_once(broker):
    for topic in ["lines", "counts"]:
        kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic, "--partitions", 2)
    running = lambda lines: "RUNNING" in lines
    with word_count(broker) as first:
        write(broker, 0, LINES // 3)
        first.wait_for(running, "the first program does not run", 60)
        read(broker, 100)
        first.stop(signal.SIGKILL)
    write(broker, LINES // 3, 2 * LINES // 3)
    with word_count(broker) as second:
        second.wait_for(running, "the second program does not run", 60)
        read(broker, LINES)
        broker.restart(signal.SIGKILL)
        write(broker, 2 * LINES // 3, LINES)
        seen = read(broker, 3 * LINES)
    counts = {}
    for word, count in seen:
        counts.setdefault(word, []).append(int(count))
    told = [word for number in range(LINES) for word in line(number).split()]
    wanted = {word: list(range(1, told.count(word) + 1)) for word in WORDS}
    equal(counts, wanted, "the counts, each once and in order")
    ends = kafka_tool("kafka-console-consumer", "--bootstrap-server", broker.bootstrap, "--topic", "counts", "--group", "all",
                      "--from-beginning", "--timeout-ms", 3000, "--isolation-level", "read_committed", status=None)
    equal(len(ends.split()), 3 * LINES, "counts in all")
