"""kafkit against three nodes of Apache Kafka that are killed, stopped and robbed of their partitions while records move.

Everything random comes from one seed, which is printed; KAFKIT_SEED replays it.
"""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time

from harness import HERE, KAFKIT, SCRATCH, Failure, equal, expect, run, wait_until
from judges.kafkit_on_apache_kafka import BROKER, environment, face, java, kafkit, prepare  # noqa: F401

BROKER_OPTIONS = {"nodes": 3}
SEED = int(os.environ.get("KAFKIT_SEED") or time.time_ns() % 1_000_000)
LINES = 100_000


def signal_node(broker, node, what):
    os.kill(int((broker.dir / f"node{node}.pid").read_text()), what)


def kill(broker, node):
    run(HERE / "apache-kafka", "stop", broker.dir, node)


def revive(broker, node):
    run(HERE / "apache-kafka", "revive", broker.dir, node, limit=200)


def in_sync(broker, topic):
    """How many replicas of the topic are in sync, over all partitions."""
    described = java(broker, "kafka-topics", "--describe", "--topic", topic)
    return sum(len(isr.split(",")) for isr in re.findall(r"Isr: ([\d,]+)", described))


class Timed:
    """A run of kafkit whose stderr lines are kept with their times. Its stdout is read when `drain` is called."""

    def __init__(self, broker, *argv, **more):
        self.process = subprocess.Popen(
            [str(KAFKIT), *argv], env=environment(broker), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
        )
        self.said = []
        self.out = b""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stderr:
            self.said.append((time.monotonic(), line.decode().rstrip()))

    def drain(self):
        def read():
            self.out = self.process.stdout.read()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader


def expect_named_and_ended(topic, said, status, lasted):
    equal(status, 3, f"the exit status; {said}")
    named = [at for at, line in said if f"{topic}-0" in line and "waiting up to 6 s" in line]
    expect(named, f"the partition is named: {said}")
    # Two seconds from when it is missed, and what was fetched before is printed first.
    expect(named[0] < 4, f"it is named soon: {said}")
    expect("broker 3" in said[-1][1] or "replica 3 is down" in said[-1][1], f"the replica is named: {said}")
    expect(5 < lasted < 15, f"it ends at its deadline: {lasted:.1f} s")


def check_a_reader_with_and_without_a_group_says_which_leader_is_lost_and_ends(broker):
    # Each topic has one replica, on the node that dies while the topic is read.
    readers = {"alone": [], "together": ["--group", "g"]}
    for topic in readers:
        face(broker, "kafka-topics", "--create", "--topic", topic, "--replica-assignment", "3")
        lines = "".join(f"{i} {'x' * 990}\n" for i in range(60_000))
        kafkit(broker, "produce", topic, "-q", stdin=lines, limit=120)
    runs = {}
    for topic, more in readers.items():
        runs[topic] = Timed(broker, "consume", topic, "-e", "--timeout", "6s", *more)
        runs[topic].process.stdout.read(1000)  # it has begun; more than this waits in the pipe
    time.sleep(1)
    kill(broker, 3)
    lost_at = time.monotonic()
    try:
        for reader in runs.values():
            reader.drain()
        for topic, reader in runs.items():
            try:
                status = reader.process.wait(60)
            except subprocess.TimeoutExpired:
                reader.process.kill()
                raise Failure(f"no end after 60 s: {reader.said}") from None
            lasted = time.monotonic() - lost_at
            expect_named_and_ended(topic, [(at - lost_at, line) for at, line in reader.said], status, lasted)
    finally:
        revive(broker, 3)


def check_a_stopped_leader_costs_a_reader_no_record(broker):
    face(broker, "kafka-topics", "--create", "--topic", "stopped", "--partitions", 3, "--replication-factor", 3)
    lines = [f"{i} {'x' * 500}" for i in range(100_000)]
    kafkit(broker, "produce", "stopped", "-q", stdin="".join(line + "\n" for line in lines), limit=120)
    for more in [[], ["--group", "stopped"]]:
        reader = Timed(broker, "consume", "stopped", "-e", "-q", "--timeout", "90s", *more)
        first = reader.process.stdout.read(1000)
        signal_node(broker, 2, signal.SIGSTOP)
        try:
            thread = reader.drain()
            equal(reader.process.wait(100), 0, f"the exit status; {reader.said}")
            thread.join(10)
        finally:
            signal_node(broker, 2, signal.SIGCONT)
        seen = (first + reader.out).decode().splitlines()
        equal(len(seen), len(lines), f"records, {more}")
        equal(sorted(seen), sorted(lines), f"the records, {more}")
        wait_until(lambda: in_sync(broker, "stopped") == 9, "every replica is in sync", limit=120)


def move_leaders(broker, chance, topic):
    """Other replicas become the preferred ones, and so the leaders."""
    orders = [chance.sample([1, 2, 3], 3) for _ in range(3)]
    plan = SCRATCH / "leaders.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": topic, "partition": partition, "replicas": order} for partition, order in enumerate(orders)
    ]}))
    kafkit(broker, "reassign", "execute", plan, status=None, limit=120, cwd=SCRATCH)


def disturb(broker, chance, topic, is_over):
    """Kills, stops and moves, until the lines are written."""
    while not is_over.is_set():
        node = chance.randint(1, 3)
        what = chance.choice(["kill", "stop", "move"])
        print(f"        {what} {node}", flush=True)
        if what == "kill":
            kill(broker, node)
            is_over.wait(chance.uniform(1, 4))
            revive(broker, node)
        elif what == "stop":
            signal_node(broker, node, signal.SIGSTOP)
            is_over.wait(chance.uniform(1, 12))
            signal_node(broker, node, signal.SIGCONT)
        else:
            move_leaders(broker, chance, topic)
        wait_until(lambda: in_sync(broker, topic) == 9, "every replica is in sync", limit=120)


def check_every_line_arrives_once_and_in_order_whatever_happens_to_the_nodes(broker):
    print(f"        KAFKIT_SEED={SEED}", flush=True)
    chance = random.Random(SEED)
    face(broker, "kafka-topics", "--create", "--topic", "pipe", "--partitions", 3, "--replication-factor", 3,
         "--config", "min.insync.replicas=2")
    producer = subprocess.Popen([str(KAFKIT), "produce", "pipe", "-K", " "], env=environment(broker),
                                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    words = []
    listener = threading.Thread(target=lambda: words.extend(producer.stderr), daemon=True)
    listener.start()
    is_over = threading.Event()
    trouble = []

    def make_trouble():
        try:
            disturb(broker, chance, "pipe", is_over)
        except Exception as problem:  # told of by the main thread
            trouble.append(problem)

    disturber = threading.Thread(target=make_trouble)
    disturber.start()
    # About a minute, in bursts.
    for start in range(0, LINES, 500):
        producer.stdin.write("".join(f"k{i % 50} {i} {'x' * 90}\n" for i in range(start, start + 500)))
        producer.stdin.flush()
        time.sleep(0.3)
    producer.stdin.close()
    is_over.set()
    disturber.join(300)
    equal(trouble, [], "trouble with the trouble")
    status = producer.wait(180)
    listener.join(10)
    said = "".join(words)
    seen = kafkit(broker, "consume", "pipe", "-e", "-q", "-f", "%p %s\\n", limit=120).splitlines()
    by_partition = {}
    for line in seen:
        partition, number, _ = line.split(" ", 2)
        by_partition.setdefault(partition, []).append(int(number))
    numbers = sorted(number for numbers in by_partition.values() for number in numbers)
    equal(len(numbers), len(set(numbers)), "no line twice")
    for partition, found in by_partition.items():
        expect(found == sorted(found), f"the order in partition {partition}")
    missing = sorted(set(range(LINES)) - set(numbers))
    if status == 0:
        equal(missing, [], f"lines that are not there; {said}")
    else:
        equal(status, 1, f"the exit status; {said}")
        named = {int(number) - 1 for number in re.findall(r"line (\d+): not delivered", said)}
        expect(set(missing[:20]) <= named, f"the lines that are not there are named; {missing[:20]}, {said}")
