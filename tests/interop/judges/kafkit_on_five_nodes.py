"""kafkit reassign on five nodes of Apache Kafka: grow, drain, more and fewer replicas, stop half way, lose a broker.

After every check the records are those that were written, and no throttle is left.
"""

import hashlib
import json
import re
import signal

from harness import HERE, KAFKIT, SCRATCH, ApacheKafka, Program, equal, expect, kafka_tool, program, run, wait_until

BROKER = ApacheKafka
BROKER_OPTIONS = {"nodes": 5}
TOPIC = "orders"
PARTITIONS = 12
RECORDS = 60_000
KCAT = "kcat"
WRITTEN = None


def prepare():
    global KCAT
    KCAT = program("kcat", "kcat")


def kafkit(broker, *argv, **more):
    return run(KAFKIT, "reassign", *argv, "-b", broker.bootstrap, cwd=SCRATCH, **more)


def start(broker, *argv):
    """A `kafkit reassign` that goes on while the check does something else."""
    return Program(KAFKIT, "reassign", *argv, "-b", broker.bootstrap, cwd=SCRATCH)


def active(broker):
    return json.loads(kafkit(broker, "list", "--json"))


def replicas(broker, topic=TOPIC):
    """What Apache Kafka's own tool says: partition to brokers."""
    text = kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--describe", "--topic", topic)
    found = re.findall(r"Partition: (\d+)\tLeader: \S+\tReplicas: ([\d,]+)", text)
    return {int(partition): [int(node) for node in nodes.split(",")] for partition, nodes in found}


def digest(broker):
    """The records whatever their order among partitions."""
    lines = run(KCAT, "-b", broker.bootstrap, "-C", "-t", TOPIC, "-e", "-q", limit=120).splitlines()
    return len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def in_good_order(broker):
    """No record lost, none doubled, no throttle anywhere, nothing moving."""
    equal(active(broker), [], "moves under way")
    for kind in ["brokers", "topics"]:
        text = kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--describe", "--entity-type", kind)
        expect("throttled" not in text, f"a throttle was left on {kind}: {text}")
    equal(digest(broker), WRITTEN, "records")


def check_grow_by_two_brokers(broker):
    global WRITTEN
    placed = ",".join(["1:2:3", "2:3:1", "3:1:2"] * (PARTITIONS // 3))
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", TOPIC,
               "--replica-assignment", placed)
    lines = [f"record {number} " + "x" * 200 for number in range(RECORDS)]
    for partition in range(PARTITIONS):
        share = "".join(line + "\n" for line in lines[partition::PARTITIONS])
        run(KCAT, "-b", broker.bootstrap, "-P", "-t", TOPIC, "-p", partition, stdin=share, limit=120)
    WRITTEN = (RECORDS, hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest())
    equal(digest(broker), WRITTEN, "records before anything moves")
    kafkit(broker, "plan", "--add-broker", "4,5", TOPIC, "--out", "grow.json")
    kafkit(broker, "execute", "grow.json", "--throttle", "40MB/s", limit=120)
    counts = {node: sum(node in nodes for nodes in replicas(broker).values()) for node in range(1, 6)}
    expect(counts[4] >= 6 and counts[5] >= 6, f"the new brokers did not get their share: {counts}")
    equal(sum(counts.values()), PARTITIONS * 3, "replicas")
    told = kafka_tool("kafka-reassign-partitions", "--bootstrap-server", broker.bootstrap, "--verify",
                      "--reassignment-json-file", SCRATCH / "grow.json")
    expect("is completed" in told and "rather than" not in told, f"Apache Kafka's tool does not agree: {told}")
    in_good_order(broker)


def check_undo_takes_it_back(broker):
    kafkit(broker, "undo", "grow.json", "--concurrent", "3", limit=120)
    expect(all(set(nodes) == {1, 2, 3} for nodes in replicas(broker).values()), f"not back: {replicas(broker)}")
    in_good_order(broker)


def check_drain_a_broker(broker):
    kafkit(broker, "plan", "--drain", "2", "--out", "drain.json")
    kafkit(broker, "execute", "drain.json", "--concurrent", "4", "--throttle", "60MB/s", limit=180)
    for topic in [TOPIC]:
        expect(all(2 not in nodes for nodes in replicas(broker, topic).values()), f"broker 2 still has {topic}")
    expect(all(len(nodes) == 3 for nodes in replicas(broker).values()), "a partition lost a replica")
    in_good_order(broker)


def check_fewer_and_more_replicas(broker):
    for factor in ["2", "4"]:
        plan = f"factor-{factor}.json"
        kafkit(broker, "plan", "--replication-factor", factor, TOPIC, "--out", plan)
        kafkit(broker, "execute", plan, limit=120)
        equal({len(nodes) for nodes in replicas(broker).values()}, {int(factor)}, "replicas")
    kafkit(broker, "plan", "--replication-factor", "3", TOPIC, "--out", "factor-3.json")
    kafkit(broker, "execute", "factor-3.json", "--disallow-replication-factor-change", status=1)
    equal({len(nodes) for nodes in replicas(broker).values()}, {4}, "replicas after a refusal")
    kafkit(broker, "execute", "factor-3.json", limit=120)
    in_good_order(broker)


def rotation(broker, file):
    """A plan that moves every partition one broker further."""
    partitions = [
        {"topic": TOPIC, "partition": partition, "replicas": [node % 5 + 1 for node in nodes]}
        for partition, nodes in sorted(replicas(broker).items())
    ]
    (SCRATCH / file).write_text(json.dumps({"version": 1, "partitions": partitions}))
    return {entry["partition"]: entry["replicas"] for entry in partitions}


def check_cancel_half_way(broker):
    before = replicas(broker)
    wanted = rotation(broker, "stop.json")
    kafkit(broker, "execute", "stop.json", "--throttle", "20kB/s", "--no-wait")
    expect(active(broker), "nothing moves at 20 kB/s")
    kafkit(broker, "verify", "stop.json", status=1)
    kafkit(broker, "cancel", "stop.json")
    after = replicas(broker)
    # What a throttle lets through in its first second may have ended before.
    back = [part for part in before if set(after[part]) == set(before[part])]
    expect(len(back) >= PARTITIONS // 2, f"{before} became {after}")
    expect(all(part in back or after[part] == wanted[part] for part in before), f"{before} became {after}")
    in_good_order(broker)


def check_interrupted_and_resumed(broker):
    wanted = rotation(broker, "resume.json")
    with start(broker, "execute", "resume.json", "--throttle", "50kB/s", "--concurrent", "5") as running:
        wait_until(lambda: active(broker), "no move began")
        equal(running.stop(signal.SIGINT), 130, "exit status after Ctrl-C")
    expect(active(broker), "Ctrl-C stopped the moves")
    undo = (SCRATCH / "resume.undo.json").read_text()
    with start(broker, "execute", "resume.json", "--no-wait") as again:
        equal(again.process.wait(30), 0, f"exit status; {again.stderr()}")
        expect("throttled at 50.0 kB/s on 5 brokers since the run before" in again.stderr(), again.stderr())
    kafkit(broker, "execute", "resume.json", "--throttle", "60MB/s", limit=180)
    equal(replicas(broker), wanted, "replicas")
    equal((SCRATCH / "resume.undo.json").read_text(), undo, "the undo file of the first run")
    kafkit(broker, "verify", "resume.json")
    in_good_order(broker)


def check_verify_clears_what_a_crash_left(broker):
    rotation(broker, "crash.json")
    with start(broker, "execute", "crash.json", "--throttle", "200kB/s") as running:
        wait_until(lambda: active(broker), "no move began")
        running.stop(signal.SIGKILL)
    text = kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--describe", "--entity-type", "topics",
                      "--entity-name", TOPIC)
    expect("throttled" in text, "the throttle was gone with the program")
    kafkit(broker, "verify", "crash.json", "--watch", limit=180)
    in_good_order(broker)


def raise_throttle(broker, rate):
    """The rate of all brokers, changed by Apache Kafka's own tool while moves are under way."""
    rates = ",".join(f"{side}.replication.throttled.rate={rate}" for side in ["leader", "follower"])
    for node in range(1, 6):
        kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--alter", "--entity-type", "brokers",
                   "--entity-name", node, "--add-config", rates)


def check_a_broker_dies_in_the_middle(broker):
    wanted = rotation(broker, "death.json")
    # Slow enough that nothing is done when the broker goes: ten seconds' worth passes at once, and each gets 3 MB.
    with start(broker, "execute", "death.json", "--throttle", "50kB/s") as running:
        wait_until(lambda: active(broker), "no move began")
        run(HERE / "apache-kafka", "stop", broker.dir, 4)
        try:
            wait_until(lambda: "broker 4 is down" in running.stderr(),
                       lambda: f"nothing said of broker 4: {running.stderr()}", 90)
        finally:
            run(HERE / "apache-kafka", "revive", broker.dir, 4, limit=120)
        raise_throttle(broker, "60000000")
        wait_until(lambda: running.process.poll() is not None, lambda: f"no end: {running.stderr()}", 180)
        equal(running.process.returncode, 0, f"exit status; {running.stderr()}")
    equal(replicas(broker), wanted, "replicas")
    # A broker that was down when the throttle was cleared gets rid of it now.
    kafkit(broker, "verify", "death.json")
    in_good_order(broker)


def throttles(broker):
    """What Apache Kafka's own tool shows: the throttled rates of brokers, and the throttled replicas of topics."""
    return "".join(kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--describe", "--entity-type", kind)
                   for kind in ["brokers", "topics"])


def check_preferred_leaders_lead_at_the_end(broker):
    partitions = [{"topic": TOPIC, "partition": partition, "replicas": nodes[::-1]}
                  for partition, nodes in replicas(broker).items()]
    (SCRATCH / "leaders.json").write_text(json.dumps({"version": 1, "partitions": partitions}))
    kafkit(broker, "execute", "leaders.json")
    text = kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--describe", "--topic", TOPIC)
    for leader, first in re.findall(r"Leader: (\d+)\tReplicas: (\d+)", text):
        equal(leader, first, f"the leader in {text}")
    in_good_order(broker)


def check_a_plan_made_while_others_run_begins_where_those_end(broker):
    wanted = rotation(broker, "first.json")
    kafkit(broker, "execute", "first.json", "--throttle", "20kB/s", "--no-wait")
    under_way = {move["partition"] for move in active(broker)}
    expect(under_way, "nothing moves at 20 kB/s")
    document = json.loads(kafkit(broker, "plan", "--balance", "--drain", "1", TOPIC, "--json"))
    for entry in document["partitions"]:
        equal(len(entry["replicas"]), len(wanted[entry["partition"]]), f"the replicas of {entry}")
        if entry["partition"] in under_way:
            equal(entry["was"], wanted[entry["partition"]], f"where {entry} begins")
    kafkit(broker, "cancel", "first.json")
    in_good_order(broker)


def check_who_ends_first_leaves_the_throttle_to_the_others(broker):
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", "quick",
               "--replica-assignment", "1:2,2:3")
    rotation(broker, "slow.json")
    kafkit(broker, "execute", "slow.json", "--throttle", "20kB/s", "--no-wait")
    kafkit(broker, "plan", "--replication-factor", "1", "quick", "--out", "quick.json")
    with start(broker, "execute", "quick.json", "--throttle", "30kB/s") as refused:
        equal(refused.process.wait(30), 1, "exit status beside other moves")
        expect("moving already" in refused.stderr(), refused.stderr())
    kafkit(broker, "execute", "quick.json", "--throttle", "30kB/s", "--additional")
    expect(active(broker), "nothing moves any more at 20 kB/s")
    set_now = throttles(broker)
    expect("leader.replication.throttled.rate=30000" in set_now and "leader.replication.throttled.replicas=" in set_now,
           f"the throttle of what still moves is gone: {set_now}")
    kafkit(broker, "cancel", "slow.json")
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--delete", "--topic", "quick")
    in_good_order(broker)


def check_a_run_that_somebody_else_cancels_starts_nothing_more(broker):
    wanted = rotation(broker, "halt.json")
    with start(broker, "execute", "halt.json", "--throttle", "20kB/s", "--concurrent", "2") as running:
        wait_until(lambda: active(broker), "no move began")
        kafkit(broker, "cancel", "halt.json")
        equal(running.process.wait(60), 1, f"exit status; {running.stderr()}")
        expect("not started" in running.stderr(), running.stderr())
    in_good_order(broker)
    # The stopped partitions are where they were, in another order: the same plan still holds.
    kafkit(broker, "execute", "halt.json", limit=120)
    equal(replicas(broker), wanted, "replicas")
    in_good_order(broker)


def check_a_throttle_that_somebody_clears_is_set_again(broker):
    rotation(broker, "held.json")
    with start(broker, "execute", "held.json", "--throttle", "20kB/s", "--concurrent", "2") as running:
        wait_until(lambda: active(broker), "no move began")
        # The moves under way are free, and end; those that follow are held back again.
        kafka_tool("kafka-configs", "--bootstrap-server", broker.bootstrap, "--alter", "--entity-type", "topics",
                   "--entity-name", TOPIC, "--delete-config",
                   "leader.replication.throttled.replicas,follower.replication.throttled.replicas")
        wait_until(lambda: f"is set again on topic {TOPIC}" in running.stderr(),
                   lambda: f"nothing said of the throttle: {running.stderr()}")
        expect("leader.replication.throttled.replicas=" in throttles(broker), "no throttle was set again")
        kafkit(broker, "cancel", "held.json")
        equal(running.process.wait(60), 1, f"exit status; {running.stderr()}")
    in_good_order(broker)


def check_a_topic_that_is_deleted_on_the_way_costs_the_others_nothing(broker):
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", "gone",
               "--replica-assignment", "1,1")
    run(KCAT, "-b", broker.bootstrap, "-P", "-t", "gone", stdin="".join("y" * 900 + "\n" for _ in range(9_000)), limit=60)
    partitions = [{"topic": "gone", "partition": number, "replicas": [2]} for number in range(2)]
    here = replicas(broker)[0]
    partitions.append({"topic": TOPIC, "partition": 0, "replicas": here[::-1]})
    (SCRATCH / "gone.json").write_text(json.dumps({"version": 1, "partitions": partitions}))
    with start(broker, "execute", "gone.json", "--throttle", "20kB/s") as running:
        wait_until(lambda: active(broker), "no move began")
        kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--delete", "--topic", "gone")
        equal(running.process.wait(60), 1, f"exit status; {running.stderr()}")
        expect("does not exist any more" in running.stderr() and "throttle left" not in running.stderr(), running.stderr())
    equal(replicas(broker)[0], here[::-1], "the replicas of the other topic")
    in_good_order(broker)


def check_what_is_wrong_is_named_and_nothing_is_sent(broker):
    def refused(partitions, status, word):
        (SCRATCH / "bad.json").write_text(json.dumps({"version": 1, "partitions": partitions}))
        with start(broker, "execute", "bad.json") as running:
            running.process.wait(30)
            equal(running.process.returncode, status, f"exit status; {running.stderr()}")
            expect(word in running.stderr(), f"{word} is not in: {running.stderr()}")
    here = replicas(broker)[0]
    one = {"topic": TOPIC, "partition": 0, "replicas": here}
    refused([], 6, "no partitions")
    refused([one, one], 6, f"{TOPIC}-0 more than once")
    refused([{**one, "replicas": [1, 1, 2]}], 6, "broker 1 more than once")
    refused([{**one, "replicas": []}], 6, "no replicas")
    refused([{**one, "replicas": [1, 2, 9]}], 5, "broker 9 is not up")
    refused([{**one, "topic": "nowhere"}], 5, "topic nowhere not found")
    refused([{**one, "partition": 99}], 5, f"partition {TOPIC}-99 not found")
    refused([{**one, "replicas": [5, 4, 1], "was": [9, 8, 7]}], 1, "was on 9,8,7")
    equal(active(broker), [], "moves under way")
    equal(replicas(broker)[0], here, "replicas")
