"""Recorded cases of three brokers (tests/golden/*/nodes.txt), replayed by kafkit's faces on Apache Kafka itself: those of the
tool that needs nodes most, of which some are killed. every_recorded_case_on_three_nodes has them all."""

from harness import CACHE, ROOT, ApacheKafka, expect, integration_test

BROKER = ApacheKafka
PORT = 19492
BROKER_OPTIONS = {"nodes": 3}


def prepare():
    expect((ROOT / "tests/golden").is_dir(), "no recorded cases")


def replay(broker, **environment):
    servers = ",".join(f"127.0.0.1:{broker.port + node}" for node in range(3))
    # Cases have a HOME of their own, and start a node again with what is in the cache.
    integration_test("recorded::", KAFKIT_RECORDED_ON=servers, KAFKIT_RECORDED_NODES=str(broker.dir),
                     KAFKIT_INTEROP_CACHE=str(CACHE), **environment)


def check_recorded_elections_on_three_nodes_of_apache_kafka(broker):
    replay(broker, KAFKIT_RECORDED_TOOLS="leader-election")
