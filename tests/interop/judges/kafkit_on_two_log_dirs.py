"""kafkit against Apache Kafka whose nodes have two log directories each: replicas move between them."""

import json
import re
import signal

from harness import SCRATCH, ApacheKafka, KAFKIT, Program, equal, expect, run, wait_until
from judges.kafkit_on_apache_kafka import environment, face, java, kafkit, prepare

BROKER = ApacheKafka
BROKER_OPTIONS = {"nodes": 2, "log_dirs": 2}
TOPIC = "shelves"
THROTTLE = "replica.alter.log.dirs.io.max.bytes.per.second"


def log_dirs(broker, node):
    return [str(broker.dir / f"node{node}"), str(broker.dir / f"node{node}-2")]


def place(broker, node):
    """The directory of a node that has the replica for good, and another of that node.

    A move ends in two steps on disk: the new directory takes the partition's name, then the old one loses it.
    For that moment both have it, so the place is known once only one has.
    """
    dirs = log_dirs(broker, node)
    having = []

    def one_has_it():
        having[:] = [log_dir for log_dir in dirs if (SCRATCH / log_dir / f"{TOPIC}-0").is_dir()]
        return len(having) == 1

    wait_until(one_has_it, f"one directory of node {node} with the replica")
    return having[0], next(log_dir for log_dir in dirs if log_dir != having[0])


def plan_file(name, replicas, dirs):
    path = SCRATCH / name
    partition = {"topic": TOPIC, "partition": 0, "replicas": replicas, "log_dirs": dirs}
    path.write_text(json.dumps({"version": 1, "partitions": [partition]}))
    return path


def throttles(broker):
    text = java(broker, "kafka-configs", "--entity-type", "brokers", "--describe")
    return re.findall(rf"^  {THROTTLE}=(\d+) ", text, re.MULTILINE)


def reassign(broker, verb, *argv, **more):
    return kafkit(broker, "reassign", verb, *argv, **more)


def check_the_java_face_says_of_a_move_what_apaches_tool_says(broker):
    face(broker, "kafka-topics", "--create", "--topic", TOPIC, "--replica-assignment", "1")
    lines = "".join("x" * 1000 + "\n" for _ in range(60_000))
    run(KAFKIT, "produce", TOPIC, "-q", env=environment(broker), stdin=lines, limit=60)

    def told(tool):
        was, other = place(broker, 1)
        there, back = plan_file("there.json", [1], [other]), plan_file("back.json", [1], [was])

        def say(*argv):
            text = tool(broker, "kafka-reassign-partitions", *argv)
            return text.replace(other, "{OTHER}").replace(was, "{WAS}") if len(other) > len(was) else \
                text.replace(was, "{WAS}").replace(other, "{OTHER}")

        words = [say("--execute", "--reassignment-json-file", there, "--replica-alter-log-dirs-throttle", 100_000)]
        equal(throttles(broker), ["100000"], "throttles")
        words += [say("--verify", "--reassignment-json-file", plan) for plan in (there, back)]
        words += [say("--cancel", "--reassignment-json-file", there, *more) for more in (["--preserve-throttles"], [])]
        words += [say("--execute", "--reassignment-json-file", there)]
        wait_until(lambda: place(broker, 1)[0] == other, "the replica in its new directory")
        wait_until(lambda: "completed successfully" in say("--verify", "--reassignment-json-file", there), "the end")
        words += [say("--verify", "--reassignment-json-file", there)]
        equal(throttles(broker), [], "throttles")
        return words

    equal(told(face), told(java), "what is said of the same moves")


def check_a_move_is_started_watched_interrupted_resumed_and_undone(broker):
    was, other = place(broker, 1)
    plan = plan_file("move.json", [1], [other])
    (SCRATCH / "move.undo.json").unlink(missing_ok=True)
    reassign(broker, "execute", plan, "--log-dir-throttle", "100kB/s", "--no-wait")
    rows = json.loads(reassign(broker, "verify", plan, "--json", status=1))
    equal([(row["state"], row.get("log_dir")) for row in rows], [("done", None), ("moving", was)], "the rows")
    listed = json.loads(reassign(broker, "list", "--json"))
    equal([(row["broker"], row["log_dir"], row["target"]) for row in listed], [(1, was, other)], "what list shows")
    reassign(broker, "cancel", plan)
    equal(throttles(broker), [], "throttles after a cancel")
    with Program(KAFKIT, "reassign", "execute", plan, "--log-dir-throttle", "100kB/s",
                 env=environment(broker)) as execution:
        wait_until(lambda: throttles(broker) == ["100000"], "the throttle")
        wait_until(lambda: "moving" in reassign(broker, "verify", plan, "--json", status=1), "the move")
        execution.process.send_signal(signal.SIGINT)
        equal(execution.process.wait(30), 130, f"the exit status; {execution.stderr()}")
    expect("interrupted: 1 replica" in execution.stderr(), f"the last words; {execution.stderr()}")
    reassign(broker, "execute", plan, "--log-dir-throttle", "1GB/s", limit=60)
    equal((place(broker, 1)[0], throttles(broker)), (other, []), "the place and the throttles")
    reassign(broker, "undo", plan, limit=60)
    equal(place(broker, 1)[0], was, "the place after an undo")


def check_a_replica_that_is_new_to_a_broker_comes_to_the_directory_asked_for(broker):
    for wanted in log_dirs(broker, 2):
        reassign(broker, "execute", plan_file("new.json", [1, 2], ["any", wanted]), limit=60)
        equal(place(broker, 2)[0], wanted, "the place")
        reassign(broker, "execute", plan_file("away.json", [1], ["any"]), limit=60)
        wait_until(lambda: not any((SCRATCH / log_dir / f"{TOPIC}-0").exists() for log_dir in log_dirs(broker, 2)),
                   "the replica to be gone")


def check_a_directory_that_the_broker_has_not_is_refused_before_anything_is_sent(broker):
    plan = plan_file("nowhere.json", [1, 2], ["any", "/nowhere"])
    with Program(KAFKIT, "reassign", "execute", plan, env=environment(broker)) as execution:
        equal(execution.process.wait(30), 5, "the exit status")
    expect("broker 2 has no log directory /nowhere" in execution.stderr(), execution.stderr())
    equal(json.loads(reassign(broker, "list", "--json")), [], "moves under way")
