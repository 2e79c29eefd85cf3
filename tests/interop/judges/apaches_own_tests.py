"""Apache Kafka's own integration tests of its clients, from its published jars, each with mini brokers in the place of
its brokers (java-apache-tests/). A test that wants to see the inside of a broker is left out.

`KAFKIT_APACHES_TESTS` names other classes of the jars, with spaces between; they may take long.
"""

import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from harness import HERE, KAFKA_VERSION, KAFKIT, SCRATCH, expect, jars, run

CLIENTS = "org.apache.kafka.clients"
KAFKA = "org.apache.kafka"
# Those that are soon done; more_of_apaches_own_tests has others.
CLASSES = [
    f"{CLIENTS}.TransactionsWithMaxInFlightOneTest",
    f"{CLIENTS}.admin.AdminFenceProducersTest",
    f"{CLIENTS}.admin.DescribeProducersWithBrokerIdTest",
    f"{CLIENTS}.admin.DynamicGroupConfigIntegrationTest",
    f"{CLIENTS}.admin.ListOffsetsIntegrationTest",
    f"{CLIENTS}.producer.ProducerIdExpirationTest",
]
AT_A_TIME = 4
LIMIT = "-Djunit.jupiter.execution.timeout.testtemplate.method.default=300s"


def prepare():
    run("javac", "-nowarn", "-cp", f"{libs()}/*", "-d", SCRATCH / "apaches-own-tests",
        *(HERE / "java-apache-tests").glob("*.java"), limit=120)


def libs():
    parts = ["clients:test", "server-common:test", "clients-integration-tests:test", "test-common-runtime",
             "test-common-internal-api", "test-common-util", "tools", "server"]
    named = [part.partition(":") for part in parts]
    coordinates = [f"{KAFKA}:kafka-{name}:{KAFKA_VERSION}{colon}{kind}" for name, colon, kind in named]
    core = f"{KAFKA}:kafka_2.13:{KAFKA_VERSION}"
    return jars(f"apaches-own-tests-{KAFKA_VERSION}-and-core", core, f"{core}:test", *coordinates,
                "org.junit.platform:junit-platform-console-standalone:1.13.1", "org.mockito:mockito-core:5.14.2",
                "org.hamcrest:hamcrest:2.2", "org.bouncycastle:bcpkix-jdk18on:1.80", "org.slf4j:slf4j-nop:1.7.36")


def outcome(name):
    """How many tests of a class passed, failed, or were given up for what they want of the inside of a broker."""
    said = run("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", LIMIT,
               "-cp", f"{SCRATCH / 'apaches-own-tests'}:{libs()}/*", "org.junit.platform.console.ConsoleLauncher",
               "execute", "--disable-banner", "--disable-ansi-colors", "--details=summary", "-c", name, limit=1500,
               status=None, env={**os.environ, "KAFKIT": str(KAFKIT)})
    counts = {word: int(count) for count, word in re.findall(r"(\d+) tests (successful|failed|aborted)", said)}
    return name, Counter(counts), said


def hold(classes):
    """No test fails, and in every class some run."""
    total = Counter()
    # Most of the time is spent waiting. Each class has a process of its own: it looks for threads that nobody ended.
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for name, counts, said in pool.map(outcome, classes):
            ran = counts["failed"] == 0 and counts["successful"] > 0
            expect(ran, f"{name}: {dict(counts)}\n{said[-6000:]}")
            total += counts
    print(f"    {len(classes)} classes: {total['successful']} tests passed, {total['aborted']} want the inside of a broker")


def check_apache_kafkas_own_tests_pass(_broker):
    hold(os.environ.get("KAFKIT_APACHES_TESTS", "").split() or CLASSES)
