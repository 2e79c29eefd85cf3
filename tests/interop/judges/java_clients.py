"""Java's kafka-clients: a tutorial's producer and consumer on the version it names and on the newest, groups,
and the admin client."""

from harness import HERE, KAFKA_VERSION, SCRATCH, equal, expect, jars, kafka_tool, run

TUTORIAL_VERSION = "2.0.0"
VERSIONS = [TUTORIAL_VERSION, KAFKA_VERSION]
JVM = ["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


def prepare():
    for version in VERSIONS:
        libs = client_jars(version)
        classes = SCRATCH / f"java-{version}"
        sources = SCRATCH / f"java-{version}-sources"
        if sources.exists():
            continue  # another judge has compiled them
        sources.mkdir()
        for source in (HERE / "java").glob("*.java"):
            text = source.read_text()
            if version != TUTORIAL_VERSION:
                # `poll(long)` is gone since 4.0.
                text = text.replace("consumer.poll(1)", "consumer.poll(java.time.Duration.ofMillis(1))")
            elif source.stem.endswith("Tour"):
                continue
            (sources / source.name).write_text(text)
        run("javac", "-nowarn", "-cp", f"{libs}/*", "-d", classes, *sources.glob("*.java"), limit=120)


def client_jars(version):
    return jars(f"kafka-clients-{version}", f"org.apache.kafka:kafka-clients:{version}", "org.slf4j:slf4j-nop:1.7.36")


def java(version, *argv, **more):
    classpath = f"{SCRATCH / f'java-{version}'}:{client_jars(version)}/*"
    return run("java", *JVM, "-cp", classpath, *argv, **more)


def tutorial(broker, version):
    """Producer with callback; consumer with a group and a commit for each record; a second run reads on."""
    topic = f"first-app-{version}"
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic, "--partitions", 3)
    sent = java(version, "FirstAppProducer", broker.bootstrap, topic, 100).splitlines()
    equal(len([line for line in sent if line.startswith("Success partition:")]), 100, "callbacks")
    read = java(version, "FirstAppConsumer", broker.bootstrap, topic, 60).splitlines()
    expect(60 <= len(read) <= 100, f"the first run reads {len(read)}")
    if len(read) < 100:
        read += java(version, "FirstAppConsumer", broker.bootstrap, topic, 100 - len(read)).splitlines()
    equal(sorted(read), sorted(f"key:{i}, value:{i}" for i in range(100)), "each record once")
    java(version, "FirstAppProducer", broker.bootstrap, topic, 1)
    equal(java(version, "FirstAppConsumer", broker.bootstrap, topic, 1).splitlines(), ["key:0, value:0"], "only the new one")


def check_the_tutorial_on_the_version_it_names(broker):
    tutorial(broker, TUTORIAL_VERSION)


def check_the_tutorial_on_the_newest_version(broker):
    tutorial(broker, KAFKA_VERSION)


def check_groups_share_take_over_and_know_static_members(broker):
    equal(java(KAFKA_VERSION, "GroupTour", broker.bootstrap, limit=180).split(), ["done"], "the tour")


def check_transactions_copy_abort_fence_time_out_and_are_described(broker):
    equal(java(KAFKA_VERSION, "TransactionTour", broker.bootstrap, limit=180).split(), ["done"], "the tour")


def check_kafka_transactions_shows_what_the_tour_left(broker):
    transactions = lambda *argv, **more: kafka_tool("kafka-transactions", "--bootstrap-server", broker.bootstrap, *argv, **more)
    rows = {row[0]: row[1:] for row in map(str.split, transactions("list").splitlines())}
    equal(rows.pop("TransactionalId"), ["Coordinator", "ProducerId", "TransactionState"], "the heading")
    equal({name: row[2] for name, row in rows.items() if name in ["aborter", "copier", "slow"]},
          {"aborter": "CompleteAbort", "copier": "CompleteCommit", "slow": "CompleteAbort"}, "states")
    heading, row = transactions("describe", "--transactional-id", "slow").splitlines()
    equal(heading.split(), ["CoordinatorId", "TransactionalId", "ProducerId", "ProducerEpoch", "TransactionState",
                            "TransactionTimeoutMs", "CurrentTransactionStartTimeMs", "TransactionDurationMs",
                            "TopicPartitions"], "the heading")
    equal((row.split()[1], *row.split()[3:6]), ("slow", "1", "CompleteAbort", "1500"), "a transaction that timed out")
    heading, row = transactions("describe-producers", "--topic", "aborts", "--partition", 0).splitlines()
    equal(heading.split(), ["ProducerId", "ProducerEpoch", "LatestCoordinatorEpoch", "LastSequence", "LastTimestamp",
                            "CurrentTransactionStartOffset"], "the heading")
    equal((row.split()[1:4], row.split()[5]), (["40", "0", "-1"], "None"), "a producer after its transactions")
    nobody = transactions("describe", "--transactional-id", "nobody", status=1)
    equal(nobody, "", "an id that nobody has")


def check_the_admin_client(broker):
    equal(java(KAFKA_VERSION, "AdminTour", broker.bootstrap, limit=90).split(), ["done"], "the tour")
