"""The recorded conversations about odd batches and odd requests (tests/golden), had again with Apache Kafka itself.

The comparing is that of `cargo test transcript`, which holds the same conversations on the mini broker.
"""

import os

from harness import ROOT, ApacheKafka, expect, run

BROKER = ApacheKafka


def prepare():
    expect((ROOT / "tests/golden/batch-transcript.txt").is_file(), "no transcripts")


def holds(broker, test):
    done = run("cargo", "test", "--release", "--locked", "--test", "integration", "--", test, cwd=ROOT, limit=900,
               env={**os.environ, "KAFKIT_TRANSCRIPTS_ON": broker.bootstrap})
    expect("test result: ok. 1 passed" in done, done)


def check_batches_are_taken_or_refused_as_recorded(broker):
    holds(broker, "transcript::batches_are_taken_or_refused_as_apache_kafka_does")


def check_odd_requests_are_answered_as_recorded(broker):
    holds(broker, "requests_that_repeat_themselves_answer_as_apache_kafka_does")
