"""The recorded conversations about odd batches and odd requests (tests/golden), had again with Apache Kafka itself.

The comparing is that of `cargo test transcript`, which holds the same conversations on the mini broker.
"""

from harness import ROOT, ApacheKafka, expect, integration_test

BROKER = ApacheKafka


def prepare():
    expect((ROOT / "tests/golden/batch-transcript.txt").is_file(), "no transcripts")


def holds(broker, test):
    integration_test(test, KAFKIT_TRANSCRIPTS_ON=broker.bootstrap)


def check_batches_are_taken_or_refused_as_recorded(broker):
    holds(broker, "transcript::batches_are_taken_or_refused_as_apache_kafka_does")


def check_odd_requests_are_answered_as_recorded(broker):
    holds(broker, "requests_that_repeat_themselves_answer_as_apache_kafka_does")
