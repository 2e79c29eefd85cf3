"""kafkit against Apache Kafka, three nodes: the same checks, a reassignment, and a node that dies."""

import json
import os

from harness import HERE, KAFKIT, SCRATCH, Program, equal, expect, run, wait_until
from judges.kafkit_on_apache_kafka import (  # the checks of one node hold on three as well
    BROKER, check_a_group_of_kafkit_is_one_of_apaches, check_a_tutorials_topic_with_a_replica_on_every_node,
    check_dump_log_reads_apaches_files_as_apache_does, check_records_as_json_there_and_back,
    check_what_apaches_producer_sends_kafkit_reads, check_what_kafkit_produces_apaches_consumer_reads, environment,
    face, java, kafkit, prepare,
)

BROKER_OPTIONS = {"nodes": 3}
PORT = 19092


def check_a_reassignment_moves_the_replicas(broker):
    face(broker, "kafka-topics", "--create", "--topic", "moved", "--replica-assignment", "1:2")
    plan = SCRATCH / "plan.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "moved", "partition": 0, "replicas": [3, 2]}]}))
    face(broker, "kafka-reassign-partitions", "--reassignment-json-file", plan, "--execute")
    wait_until(lambda: "Reassignment of partition moved-0 is completed." in
               face(broker, "kafka-reassign-partitions", "--reassignment-json-file", plan, "--verify"), "the move")
    expect("Replicas: 3,2" in java(broker, "kafka-topics", "--describe", "--topic", "moved"), "the replicas")


def check_the_quorum_is_described_whichever_controller_is_named(broker):
    for node in range(3):
        controller = f"127.0.0.1:{broker.port + 100 + node}"
        for what, word in [("--status", "LeaderId:"), ("--replication", "Follower")]:
            expect(word in run(KAFKIT, "kafka-metadata-quorum", "--bootstrap-controller", controller, "describe", what), what)


def check_a_handbooks_script_prints_the_same_with_either_path(broker):
    printed = {}
    for whose in ["kafkit", "apache"]:
        tools, folder = SCRATCH / f"{whose}-tools", SCRATCH / f"{whose}-handbook"
        folder.mkdir()
        if whose == "kafkit":
            run(KAFKIT, "install-links", tools)
        else:
            tools.mkdir()
            for tool in ["topics", "console-producer", "console-consumer", "reassign-partitions", "dump-log"]:
                path = tools / f"kafka-{tool}.sh"
                path.write_text(f'#!/bin/sh\nexec "{HERE}/apache-kafka" run kafka-{tool} "$@"\n')
                path.chmod(0o755)
        printed[whose] = run(HERE.parent / "handbook/handbook.sh", broker.bootstrap, broker.dir, broker.nodes, cwd=folder,
                             limit=400, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"})
    expect("== done" in printed["apache"], printed["apache"])
    equal(printed["kafkit"].splitlines(), printed["apache"].splitlines(), "what the script prints")


def check_a_node_that_dies_costs_no_record(broker):
    face(broker, "kafka-topics", "--create", "--topic", "survives", "--partitions", 3, "--replication-factor", 3)
    with Program(KAFKIT, "produce", "survives", "-q", env=environment(broker)) as producer:
        lines = [str(i) for i in range(30_000)]
        producer.write("".join(line + "\n" for line in lines[:10_000]))
        run(HERE / "apache-kafka", "stop", broker.dir, 3)
        producer.write("".join(line + "\n" for line in lines[10_000:]))
        producer.process.stdin.close()
        equal(producer.process.wait(90), 0, f"the producer's exit status; {producer.stderr()}")
    seen = kafkit(broker, "consume", "survives", "-e", "-q", limit=60).splitlines()
    equal(sorted(set(seen), key=int), lines, "the records")
