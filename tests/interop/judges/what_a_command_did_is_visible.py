"""kafkit on Apache Kafka, one busy node: what a command did is seen by the next one, whichever broker that asks."""

import subprocess
import sys

from harness import KAFKIT, ApacheKafka, bring_apache_kafka, expect, run
from judges.kafkit_on_apache_kafka import environment

BROKER = ApacheKafka
# How often a topic is created, described, altered, deleted and missed. A defect that shows in one of 75 commands is
# seen in 25 rounds of six with 87 % of certainty.
ROUNDS = 25
# Programs that keep the processors busy meanwhile: an idle broker hears of a change before anybody can ask.
BUSY = 2


def prepare():
    bring_apache_kafka()


def addresses(broker):
    return [f"127.0.0.1:{broker.port + node}" for node in range(broker.nodes)]


def ask(broker, address, *argv):
    """Runs a command of either spelling against one broker; nothing may be said of a broker that is late."""
    flag = "--bootstrap-server" if argv[0].startswith("kafka-") else "-b"
    done = subprocess.run([KAFKIT, *map(str, argv), flag, address], capture_output=True, text=True, timeout=60,
                          env=environment(broker))
    expect(done.returncode == 0 and " yet" not in done.stderr, f"{argv} on {address}: {done.stdout}{done.stderr}")
    return done.stdout


def a_round(broker, number, is_native_first):
    """Every second command in the other spelling, and each on another broker than the one before."""
    places = addresses(broker)
    topic, retention, steps = f"seen-{number}", 100_000 + number, iter(range(number, number + 6))
    place = lambda: places[next(steps) % len(places)]
    replicas = 1 + number % len(places)
    if is_native_first:
        ask(broker, place(), "topics", "create", topic, "--partitions", 2, "--replication-factor", replicas)
        seen = ask(broker, place(), "kafka-topics", "--describe", "--topic", topic)
        expect("PartitionCount: 2" in seen and "Leader: none" not in seen, seen)
        ask(broker, place(), "kafka-topics", "--alter", "--topic", topic, "--partitions", 3)
        seen = ask(broker, place(), "topics", "describe", topic)
        expect("3 partitions" in seen and "  -" not in seen and "NO LEADER" not in seen, seen)
        ask(broker, place(), "topics", "delete", topic, "--yes")
        seen = ask(broker, place(), "kafka-topics", "--list")
    else:
        ask(broker, place(), "kafka-topics", "--create", "--topic", topic, "--partitions", 2, "--replication-factor",
            replicas)
        seen = ask(broker, place(), "topics", "describe", topic)
        expect("2 partitions" in seen and "  -" not in seen and "NO LEADER" not in seen, seen)
        ask(broker, place(), "topics", "alter", topic, "--partitions", 3, "--config", f"retention.ms={retention}")
        seen = ask(broker, place(), "kafka-topics", "--describe", "--topic", topic)
        expect("PartitionCount: 3" in seen and f"retention.ms={retention}" in seen, seen)
        ask(broker, place(), "kafka-topics", "--delete", "--topic", topic)
        seen = ask(broker, place(), "topics", "list", "-o", "name")
    expect(topic not in seen.split(), f"{topic} was deleted: {seen}")


def check_every_change_is_seen_by_the_next_command(broker):
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        for number in range(ROUNDS):
            a_round(broker, number, number % 2 == 0)
    finally:
        for program in busy:
            program.kill()
            program.wait()
