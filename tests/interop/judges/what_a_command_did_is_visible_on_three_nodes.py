"""The same on three nodes, which hear of a change one after the other; and a node that is frozen or dead, and a move."""

import json
import os
import signal
import subprocess
import time

from harness import HERE, KAFKIT, SCRATCH, expect, run, wait_until
from judges.kafkit_on_apache_kafka import environment, face, java, kafkit
from judges.what_a_command_did_is_visible import (  # the same check on more brokers
    BROKER, addresses, check_every_change_is_seen_by_the_next_command, prepare,
)

BROKER_OPTIONS = {"nodes": 3}
# Its share of the ten seconds, and a moment.
SOON = 6


def look(broker, *argv, servers=None):
    """A command with one broker missing: what it shows and says, its exit status; it must come back soon."""
    began = time.monotonic()
    done = subprocess.run([KAFKIT, *map(str, argv), "--bootstrap-server", servers or broker.bootstrap],
                          capture_output=True, text=True, timeout=60, env=environment(broker))
    expect(time.monotonic() - began < SOON, f"{argv}: {time.monotonic() - began:.1f} s")
    return done


def check_a_move_is_a_move_and_no_missing_replica(broker):
    face(broker, "kafka-topics", "--create", "--topic", "moving", "--replica-assignment", "1:2")
    kafkit(broker, "produce", "moving", "-q", stdin="".join(f"{i:01000}\n" for i in range(20_000)))
    plan = SCRATCH / "moving.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "moving", "partition": 0, "replicas": [1, 3]}]}))
    kafkit(broker, "reassign", "execute", plan, "--throttle", "1000", "--no-wait")
    seen = kafkit(broker, "describe", "topic", "moving")
    expect("MOVING 1,2→1,3" in seen and "UNDER-REPLICATED" not in seen and "2 replicas" in seen, seen)
    ill = java(broker, "kafka-topics", "--describe", "--under-replicated-partitions")
    expect("moving" not in ill, f"what Apache's tool calls under-replicated: {ill}")
    for words in [["topics", "list"], ["describe", "cluster"]]:
        seen = kafkit(broker, *words)
        expect("MOVING" in seen and "UNDER-REPLICATED" not in seen, seen)
    kafkit(broker, "reassign", "cancel", plan)
    seen = kafkit(broker, "describe", "topic", "moving")
    expect("MOVING" not in seen and "1,2" in seen, seen)


def check_a_frozen_node_costs_only_what_it_alone_knows(broker):
    for node in [1, 2, 3]:
        face(broker, "kafka-topics", "--create", "--topic", f"on-{node}", "--replica-assignment", node)
    process = int((broker.dir / "node3.pid").read_text())
    os.kill(process, signal.SIGSTOP)
    try:
        for words in [["topics", "list"], ["describe", "topic", "on-3"], ["describe", "log-dirs"], ["describe", "broker"]]:
            done = look(broker, *words)
            expect(done.returncode == 1 and "kafkit: broker 3" in done.stderr, f"{words}: {done}")
            expect(len(done.stderr.splitlines()) == 1, done.stderr)
        last = addresses(broker)[2]
        done = look(broker, "kafka-topics", "--list", servers=f"{last},{broker.bootstrap}")
        expect(done.returncode == 0 and "on-3" in done.stdout, f"the first of two bootstrap brokers is frozen: {done}")
    finally:
        os.kill(process, signal.SIGCONT)


def check_a_dead_node_costs_only_what_it_alone_knows(broker):
    run(HERE / "apache-kafka", "stop", broker.dir, 3)
    for words in [["topics", "list"], ["describe", "log-dirs"], ["describe", "cluster"]]:
        # Until the cluster has noticed, a node that is dead is one that cannot be reached.
        wait_until(lambda words=words: look(broker, *words).returncode == 1, f"{words} of a cluster without node 3")
        done = look(broker, *words)
        expect("kafkit: broker 3" in done.stderr and "3" in done.stdout, f"{words}: {done}")
