"""The recorded cases of Apache Kafka's tools (tests/golden), replayed by kafkit's faces on Apache Kafka itself.

The comparing is that of `cargo test recorded`, which holds the same cases on the mini broker.
"""

from harness import ROOT, ApacheKafka, expect, integration_test

BROKER = ApacheKafka
PORT = 19292
BROKER_OPTIONS = {"authorizer": True}


def prepare():
    expect((ROOT / "tests/golden").is_dir(), "no recorded cases")


def check_every_recorded_line_on_apache_kafka(broker):
    integration_test("recorded::", KAFKIT_RECORDED_ON=broker.bootstrap)
