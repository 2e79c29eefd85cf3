"""Apache Kafka's own integration tests of its clients, from its published jars, each with mini brokers in the place of
its brokers (java-apache-tests/). A test that wants to see the inside of a broker is left out.

`KAFKIT_APACHES_TESTS` names other classes of the jars, with spaces between; they may take long.
"""

import os
import re

from harness import HERE, KAFKA_VERSION, KAFKIT, SCRATCH, expect, jars, run

CLIENTS = "org.apache.kafka.clients"
KAFKA = "org.apache.kafka"
# Those that are soon done.
CLASSES = [
    f"{CLIENTS}.admin.ListOffsetsIntegrationTest",
    f"{CLIENTS}.admin.DescribeProducersWithBrokerIdTest",
    f"{CLIENTS}.admin.DynamicGroupConfigIntegrationTest",
    f"{CLIENTS}.admin.AdminFenceProducersTest",
    f"{CLIENTS}.TransactionsWithMaxInFlightOneTest",
    f"{CLIENTS}.consumer.PlaintextConsumerPollTest",
    f"{CLIENTS}.consumer.PlaintextConsumerAssignTest",
]
LIMIT = "-Djunit.jupiter.execution.timeout.testtemplate.method.default=300s"


def prepare():
    run("javac", "-nowarn", "-cp", f"{libs()}/*", "-d", SCRATCH / "apaches-own-tests",
        *(HERE / "java-apache-tests").glob("*.java"), limit=120)


def libs():
    version = KAFKA_VERSION
    parts = ["clients:test", "server-common:test", "clients-integration-tests:test", "test-common-runtime",
             "test-common-internal-api", "test-common-util", "tools", "server"]
    named = [part.partition(":") for part in parts]
    coordinates = [f"{KAFKA}:kafka-{name}:{version}{colon}{kind}" for name, colon, kind in named]
    return jars(f"apaches-own-tests-{version}", f"{KAFKA}:kafka_2.13:{version}", *coordinates,
                "org.junit.platform:junit-platform-console-standalone:1.13.1", "org.mockito:mockito-core:5.14.2",
                "org.hamcrest:hamcrest:2.2", "org.bouncycastle:bcpkix-jdk18on:1.80", "org.slf4j:slf4j-nop:1.7.36")


def holds(name):
    """Runs the tests of a class: none fails, and there are some that do not want the inside of a broker."""
    said = run("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", LIMIT,
               "-cp", f"{SCRATCH / 'apaches-own-tests'}:{libs()}/*", "org.junit.platform.console.ConsoleLauncher",
               "execute", "--disable-banner", "--disable-ansi-colors", "--details=summary", "-c", name, limit=1500,
               status=None, env={**os.environ, "KAFKIT": str(KAFKIT)})
    counts = {word: int(count) for count, word in re.findall(r"(\d+) tests (successful|failed)", said)}
    expect(counts.get("failed") == 0 and counts.get("successful", 0) > 0, f"{name}: {counts}\n{said[-6000:]}")


def check_apache_kafkas_own_tests_pass(_broker):
    for name in os.environ.get("KAFKIT_APACHES_TESTS", "").split() or CLASSES:
        holds(name)
