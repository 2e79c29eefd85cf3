"""One data directory, served by Apache Kafka and by the mini broker in turn: both find what the other has left."""

import json
import os
import shutil
import signal

from harness import HERE, KAFKIT, ApacheKafka, MiniBroker, Program, bring_apache_kafka, equal, expect, kafka_tool, run, wait_until

BROKER = ApacheKafka


def prepare():
    bring_apache_kafka()


def kafkit(broker, *words, stdin=None):
    return run(KAFKIT, *words, "-q", "-b", broker.bootstrap, stdin=stdin)


def end(apache):
    """Its locks go with the process, not with the signal."""
    process = (apache.dir / "node1.pid").read_text().strip()
    apache.stop()
    wait_until(lambda: not os.path.exists(f"/proc/{process}"), "Apache Kafka ends")


def numbers(count):
    return "".join(f"{number}\n" for number in range(count))


def hand_over(mini, name):
    """Apache Kafka on a copy of a stopped mini broker's directory."""
    apache = ApacheKafka(name)
    run(HERE / "apache-kafka", "format", apache.dir, 1, apache.port, limit=120)
    shutil.rmtree(apache.data_dir)
    shutil.copytree(mini.data_dir, apache.data_dir, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
    run(HERE / "apache-kafka", "revive", apache.dir, 1, limit=120)
    return apache


def check_the_mini_broker_serves_what_apache_kafka_wrote(broker):
    kafkit(broker, "topics", "create", "shared", "-p", "2", "--config", "retention.ms=123456789")
    kafkit(broker, "produce", "shared", stdin=numbers(100))
    equal(len(kafkit(broker, "consume", "shared", "-e", "-g", "readers").splitlines()), 100, "records of Apache Kafka")
    end(broker)
    mini = MiniBroker("one_directory")
    mini.data_dir = broker.data_dir
    mini.start()
    try:
        expect("set on it: retention.ms=123456789" in kafkit(mini, "describe", "topic", "shared"), "the topic's config")
        equal(len(kafkit(mini, "consume", "shared", "-e").splitlines()), 100, "records on the mini broker")
        kafkit(mini, "produce", "shared", stdin=numbers(7))
        equal(len(kafkit(mini, "consume", "shared", "-e", "-g", "readers").splitlines()), 7, "what the group has left")
    finally:
        mini.stop()


def check_apache_kafka_goes_on_with_what_the_mini_broker_added(broker):
    broker.restart()
    equal(len(kafkit(broker, "consume", "shared", "-e").splitlines()), 107, "records on Apache Kafka")
    kafkit(broker, "produce", "shared", stdin=numbers(3))
    equal(len(kafkit(broker, "consume", "shared", "-e", "-g", "readers").splitlines()), 3, "what the group has left")


def check_the_mini_broker_sees_what_apache_kafka_has_changed_since(broker):
    kafkit(broker, "topics", "delete", "shared", "--yes")
    kafkit(broker, "topics", "create", "fresh", "-p", "3")
    kafkit(broker, "produce", "fresh", stdin=numbers(5))
    end(broker)
    mini = MiniBroker("seen_since")
    mini.data_dir = broker.data_dir
    mini.start()
    try:
        equal(kafkit(mini, "topics", "list", "-o", "name").split(), ["fresh"], "topics on the mini broker")
        equal(len(kafkit(mini, "consume", "fresh", "-e").splitlines()), 5, "records on the mini broker")
    finally:
        mini.stop()


def check_apache_kafka_starts_on_a_directory_of_the_mini_broker(_broker):
    mini = MiniBroker("handed_over")
    mini.start()
    kafkit(mini, "topics", "create", "orders", "-p", "3", "--config", "retention.ms=123456789")
    kafkit(mini, "produce", "orders", stdin=numbers(50))
    equal(len(kafkit(mini, "consume", "orders", "-e", "-g", "readers").splitlines()), 50, "records on the mini broker")
    mini.stop()
    apache = hand_over(mini, "handed_over")
    try:
        expect("set on it: retention.ms=123456789" in kafkit(apache, "describe", "topic", "orders"), "the topic's config")
        equal(len(kafkit(apache, "consume", "orders", "-e").splitlines()), 50, "records on Apache Kafka")
        kafkit(apache, "produce", "orders", stdin=numbers(4))
        equal(len(kafkit(apache, "consume", "orders", "-e", "-g", "readers").splitlines()), 4, "what the group has left")
    finally:
        apache.stop()


def committed(broker, topic):
    return kafkit(broker, "consume", topic, "-e", "--isolation", "read_committed").split()


def check_apache_kafka_goes_on_with_transactions_of_the_mini_broker_and_back(_broker):
    """One committed, and one that is open when the broker is killed; its successor ends it on the other broker."""
    send = lambda broker, stdin: kafkit(broker, "produce", "ledger", "--transactional-id", "id", stdin=stdin)
    mini = MiniBroker("transactions")
    mini.start()
    try:
        send(mini, "one\ntwo\n")
        with Program(KAFKIT, "produce", "ledger", "--transactional-id", "id", "-b", mini.bootstrap) as producer:
            producer.write("open\n")
            wait_until(lambda: "Ongoing" in kafkit(mini, "describe", "transaction", "id"), "the transaction is open")
            mini.stop(signal.SIGKILL)
            producer.stop(signal.SIGKILL)
    finally:
        mini.stop(signal.SIGKILL)
    apache = hand_over(mini, "transactions")
    try:
        wait_until(lambda: run(KAFKIT, "consume", "ledger", "-e", "-q", "--isolation", "read_committed", "-b",
                               apache.bootstrap, status=None).split() == ["one", "two"], "what was committed")
        expect("Ongoing" in kafkit(apache, "describe", "transaction", "id"), "the transaction is still open")
        send(apache, "three\n")
        equal(committed(apache, "ledger"), ["one", "two", "three"], "after a transaction of Apache Kafka")
        end(apache)
        mini = MiniBroker("transactions_again")
        mini.data_dir = apache.data_dir
        mini.start()
        send(mini, "four\n")
        equal(committed(mini, "ledger"), ["one", "two", "three", "four"], "after another on the mini broker")
    finally:
        mini.stop()
        apache.stop()


def partitions(broker, topic):
    return len(json.loads(kafkit(broker, "describe", "topic", topic, "-o", "json"))[0]["partitions"])


def check_apache_kafka_finds_its_data_whatever_the_mini_broker_went_through(_broker):
    """Topics made, grown, altered, deleted and made again, between clean stops and kills, beside other people's files."""
    mini = MiniBroker("through_everything")
    try:
        mini.start()
        kafkit(mini, "produce", "grown", stdin=numbers(10))
        kafkit(mini, "topics", "create", "again", "-p", "2")
        kafkit(mini, "produce", "again", stdin=numbers(10))
        mini.restart(signal.SIGKILL)
        kafkit(mini, "topics", "alter", "grown", "-p", "4", "--config", "retention.ms=123456789")
        kafkit(mini, "topics", "delete", "again", "--yes")
        kafkit(mini, "produce", "grown", stdin=numbers(10))
        mini.restart()
        kafkit(mini, "topics", "create", "again", "--config", "segment.bytes=1048576")
        kafkit(mini, "topics", "alter", "grown", "--config", "max.message.bytes=2000000")
        kafkit(mini, "topics", "alter", "grown", "--delete-config", "max.message.bytes")
        kafkit(mini, "produce", "again", stdin=numbers(5))
        for number in range(30):
            kafkit(mini, "topics", "create", f"many{number}", "-p", "10")
        (mini.data_dir / "photos-24").mkdir()
        (mini.data_dir / "photos-24" / "a.jpg").write_text("a")
        mini.restart(signal.SIGKILL)
        wait_until(lambda: "mini broker ready" in mini.program.stderr(), "the mini broker has looked at every log")
        kafkit(mini, "produce", "grown", stdin=numbers(10))
    finally:
        mini.stop(signal.SIGKILL)
    apache = hand_over(mini, "through_everything")
    try:
        names = set(kafkit(apache, "topics", "list", "-o", "name").split())
        equal(names, {"grown", "again", *(f"many{number}" for number in range(30))}, "topics on Apache Kafka")
        equal((partitions(apache, "grown"), partitions(apache, "again"), partitions(apache, "many7")), (4, 1, 10),
              "partitions on Apache Kafka")
        described = kafkit(apache, "describe", "topic", "grown")
        expect("set on it: retention.ms=123456789\n" in described, f"the topic's configs: {described}")
        # Its leaders are elected a moment after it has begun to answer.
        wait_until(lambda: len(run(KAFKIT, "consume", "grown", "-e", "-q", "-b", apache.bootstrap, status=None).splitlines())
                   == 30, "records on Apache Kafka")
        equal(len(kafkit(apache, "consume", "again", "-e").splitlines()), 5, "records of the topic made again")
        strays = [path.name for path in apache.data_dir.iterdir() if path.name.endswith("-stray")]
        equal([name for name in strays if not name.startswith("photos-24.")], [], "partitions set aside")
        kafkit(apache, "produce", "grown", stdin=numbers(4))
        equal(len(kafkit(apache, "consume", "grown", "-e").splitlines()), 34, "records of both")
    finally:
        apache.stop()


def check_a_java_group_reads_on_after_elections_on_apache_kafka(_broker):
    """Each start of Apache Kafka is an election; a client that has seen its epoch does not believe an earlier one."""
    apache = ApacheKafka("elections")
    apache.start()
    kafkit(apache, "topics", "create", "elected")
    apache.restart()
    kafkit(apache, "produce", "elected", stdin=numbers(3))
    read = ["kafka-console-consumer", "--topic", "elected", "--group", "java", "--timeout-ms", 20000]
    seen = kafka_tool(*read, "--from-beginning", "--max-messages", 3, "--bootstrap-server", apache.bootstrap)
    equal(seen.split(), ["0", "1", "2"], "records of Apache Kafka")
    end(apache)
    mini = MiniBroker("elections")
    mini.data_dir = apache.data_dir
    mini.start()
    try:
        kafkit(mini, "produce", "elected", stdin="new\n")
        seen = kafka_tool(*read, "--max-messages", 1, "--bootstrap-server", mini.bootstrap)
        equal(seen.split(), ["new"], "what the group has left")
    finally:
        mini.stop()


# What a directory is formatted with: flags, whether voters are static, and what a broker shows of it afterwards.
ALICE = "SCRAM-SHA-256=[name=alice,password=alice-secret]"
FORMATS = {
    "static_voters": (["--add-scram", ALICE, "--release-version", "4.1"], True, {"metadata.version": "4.1-IV1"}),
    "standalone": (["--standalone", "--feature", "transaction.version=1", "--add-scram", ALICE], False,
                   {"transaction.version": "1"}),
    "initial_controllers": (["--initial-controllers", "1@127.0.0.1:{controller}:Rc2wOVZuTwSbGSgw1VzMAQ"], False,
                            {"metadata.version": "4.3-IV0"}),
}


def formatted(name, tool):
    """Apache Kafka's folder for one node, not started, whose log dir `tool` has formatted."""
    flags, is_static, _ = FORMATS[name]
    apache = ApacheKafka(f"formatted_{name}_{tool.__name__}")
    run(HERE / "apache-kafka", "format", apache.dir, 1, apache.port, limit=120)
    shutil.rmtree(apache.data_dir)
    properties = apache.dir / "node1.properties"
    controller = apache.port + 100
    if not is_static:
        lines = [line for line in properties.read_text().splitlines() if not line.startswith("controller.quorum.voters")]
        lines.append(f"controller.quorum.bootstrap.servers=127.0.0.1:{controller}")
        properties.write_text("\n".join(lines) + "\n")
    said = tool("kafka-storage", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", properties,
                *(flag.format(controller=controller) for flag in flags))
    expect(str(apache.data_dir) in said, f"what is said of the directory: {said}")
    return apache


def kafkits_tool(tool, *argv):
    return run(KAFKIT, tool, *argv)


def apaches_tool(tool, *argv):
    return kafka_tool(tool, *argv)


def shows_what_it_was_formatted_with(broker, name):
    flags, _, features = FORMATS[name]
    described = kafkits_tool("kafka-features", "--bootstrap-server", broker.bootstrap, "describe")
    for feature, level in features.items():
        lines = [line.split() for line in described.splitlines()]
        shown = [words[words.index("FinalizedVersionLevel:") + 1] for words in lines if words[1] == feature]
        equal(shown, [level], f"the level of {feature} on {broker.bootstrap}")
    users = kafkit(broker, "users", "list", "-o", "name").split()
    equal(users, ["alice"] if "--add-scram" in flags else [], "users")


def check_apache_kafka_starts_on_what_kafkits_storage_tool_formatted(_broker):
    for name in FORMATS:
        apache = formatted(name, kafkits_tool)
        try:
            run(HERE / "apache-kafka", "revive", apache.dir, 1, limit=120)
            shows_what_it_was_formatted_with(apache, name)
            kafkit(apache, "produce", "first", stdin=numbers(10))
            equal(len(kafkit(apache, "consume", "first", "-e").splitlines()), 10, f"records, {name}")
        finally:
            apache.stop()


def check_the_mini_broker_starts_on_what_apaches_storage_tool_formatted(_broker):
    for name in FORMATS:
        apache = formatted(name, apaches_tool)
        mini = MiniBroker(f"formatted_{name}")
        mini.data_dir = apache.data_dir
        try:
            mini.start()
            shows_what_it_was_formatted_with(mini, name)
            kafkit(mini, "produce", "first", stdin=numbers(10))
            mini.restart()
            equal(len(kafkit(mini, "consume", "first", "-e").splitlines()), 10, f"records, {name}")
            mini.stop()
            run(HERE / "apache-kafka", "revive", apache.dir, 1, limit=120)
            shows_what_it_was_formatted_with(apache, name)
            # Beside a quorum's own log the mini broker keeps its metadata apart, and Apache Kafka knows none of its topics.
            if FORMATS[name][1]:
                seen = kafkit(apache, "consume", "first", "-e").splitlines()
                equal(len(seen), 10, f"records back on Apache Kafka, {name}")
        finally:
            mini.stop()
            if (apache.dir / "node1.pid").exists():
                apache.stop()
