"""kafkit on three nodes of Apache Kafka that nobody has used yet: what the README shows."""

import os

from harness import ROOT, ApacheKafka, bring_apache_kafka, expect, run

BROKER = ApacheKafka
BROKER_OPTIONS = {"nodes": 3}


def prepare():
    bring_apache_kafka()


def check_the_readme_shows_what_a_cluster_does(broker):
    told = run("cargo", "test", "--release", "--locked", "--test", "integration", "--",
               "console_blocks_on_a_cluster", cwd=ROOT, limit=600,
               env={**os.environ, "KAFKIT_README_CLUSTER": broker.bootstrap})
    expect("1 passed" in told, told)
