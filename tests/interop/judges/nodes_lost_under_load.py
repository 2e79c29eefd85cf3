"""Clients write with acks=all to three nodes of kafkit's broker, which are killed, stopped and paused meanwhile: what was
acknowledged is there once, and in order.

Everything random comes from one seed, which is printed; KAFKIT_SEED replays it.
"""

import json
import os
import random
import re
import subprocess
import threading
import time

from harness import HERE, KAFKIT, SCRATCH, Program, answers, equal, expect, free_cluster_port, python_with, run, wait_until

SEED = int(os.environ.get("KAFKIT_SEED") or time.time_ns() % 1_000_000)
LINES = 100_000
NODES = 3
PYTHON = None


class ThreeNodes:
    """Three nodes of kafkit's broker."""

    def __init__(self, name, port=None):
        self.data_dir = SCRATCH / f"{name}-data"
        port = port or free_cluster_port(NODES)
        self.bootstrap = ",".join(f"127.0.0.1:{port + node}" for node in range(NODES))
        self.first = f"127.0.0.1:{port}"
        self.program = None

    def start(self):
        self.program = Program(KAFKIT, "broker", "--nodes", NODES, "--listen", self.first, "--data-dir", self.data_dir)
        wait_until(lambda: answers(int(self.first.split(":")[1])), "the first node answers")

    def stop(self):
        if self.program:
            self.program.stop()

    def node(self, verb, node):
        run(KAFKIT, "broker", "node", verb, str(node), "--data-dir", self.data_dir, limit=120)


BROKER = ThreeNodes


def prepare():
    global PYTHON
    PYTHON = python_with("kafka-python", "confluent-kafka")


def kafkit(broker, *argv, **more):
    return run(KAFKIT, *argv, "-b", broker.bootstrap, **more)


def in_sync(broker, topic):
    """How many replicas of the topic are in sync, over all partitions."""
    described = run(KAFKIT, "kafka-topics.sh", "--bootstrap-server", broker.bootstrap, "--describe", "--topic", topic)
    return sum(len(isr.split(",")) for isr in re.findall(r"Isr: ([\d,]+)", described))


class Trouble:
    """Takes nodes away and gives them back until it is told to stop."""

    def __init__(self, broker, topic):
        self.broker, self.topic = broker, topic
        self.chance = random.Random(SEED)
        self.is_over = threading.Event()
        self.problems = []
        self.turns = 0
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        print(f"        KAFKIT_SEED={SEED}", flush=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(300)

    def _run(self):
        try:
            while not self.is_over.is_set():
                self._turn()
                self.turns += 1
        except Exception as problem:  # told of by the main thread
            self.problems.append(problem)

    def _turn(self):
        node = self.chance.randint(1, NODES)
        away, back = self.chance.choice([("kill", "start"), ("stop", "start"), ("pause", "resume")])
        self.broker.node(away, node)
        self.is_over.wait(self.chance.uniform(0.2, 3))
        self.broker.node(back, node)
        wait_until(lambda: in_sync(self.broker, self.topic) == 3 * NODES, "every replica is in sync", limit=120)

    def check(self):
        equal(self.problems, [], "trouble with the trouble")
        print(f"        ({self.turns} times a node was away)", flush=True)
        expect(self.turns > 0, "nodes were away")


def create(broker, topic):
    kafkit(broker, "topics", "create", topic, "--partitions", "3", "--replication-factor", "3",
           "--config", "min.insync.replicas=2")


def stored(broker, topic):
    """The numbers in each partition, in the order of the log."""
    seen = kafkit(broker, "consume", topic, "-e", "-q", "-f", "%p %s\\n", limit=120).splitlines()
    by_partition = {}
    for line in seen:
        partition, number = line.split(" ")[:2]
        by_partition.setdefault(partition, []).append(int(number))
    return by_partition


def expect_once_and_in_order(found, acknowledged):
    numbers = [number for numbers in found.values() for number in numbers]
    equal(len(numbers), len(set(numbers)), "no record twice")
    for partition, numbers_there in found.items():
        expect(numbers_there == sorted(numbers_there), f"the order in partition {partition}")
    missing = sorted(set(acknowledged) - set(numbers))
    equal(missing[:20], [], "acknowledged records that are not there")


def check_every_line_of_the_direct_lane_arrives_once_and_in_order(broker):
    create(broker, "lines")
    producer = subprocess.Popen([str(KAFKIT), "produce", "lines", "-K", " ", "-q", "-b", broker.bootstrap, "-X", "acks=all"],
                                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = []
    listener = threading.Thread(target=lambda: said.extend(producer.stderr), daemon=True)
    listener.start()
    with Trouble(broker, "lines") as trouble:
        for start in range(0, LINES, 1000):
            producer.stdin.write("".join(f"k{i % 50} {i} {'x' * 90}\n" for i in range(start, start + 1000)))
            producer.stdin.flush()
            time.sleep(0.2)
        producer.stdin.close()
        status = producer.wait(240)
    listener.join(10)
    trouble.check()
    equal(status, 0, f"the exit status; {''.join(said)}")
    found = stored(broker, "lines")
    expect_once_and_in_order(found, range(LINES))


def idempotent_client(broker, client):
    create(broker, client)
    with Trouble(broker, client) as trouble:
        shown = run(PYTHON, HERE / "python" / "acknowledged_numbers.py", client, broker.bootstrap, client, limit=300)
    trouble.check()
    acknowledged = json.loads(shown)
    expect(len(acknowledged) > 1000, f"most is acknowledged: {len(acknowledged)}")
    expect_once_and_in_order(stored(broker, client), acknowledged)


def check_what_librdkafka_was_told_is_there(broker):
    idempotent_client(broker, "confluent")


def check_what_kafka_python_was_told_is_there(broker):
    idempotent_client(broker, "kafka-python")
