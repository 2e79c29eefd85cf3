"""The recorded cases of three brokers (tests/golden/*/nodes.txt), replayed by kafkit's faces on Apache Kafka itself."""

import os

from harness import ROOT, ApacheKafka, expect, run

BROKER = ApacheKafka
PORT = 19492
BROKER_OPTIONS = {"nodes": 3}


def prepare():
    expect((ROOT / "tests/golden").is_dir(), "no recorded cases")


def check_every_recorded_line_on_three_nodes_of_apache_kafka(broker):
    servers = ",".join(f"127.0.0.1:{broker.port + node}" for node in range(3))
    done = run("cargo", "test", "--release", "--locked", "--test", "integration", "--", "recorded::", cwd=ROOT, limit=900,
               env={**os.environ, "KAFKIT_RECORDED_ON": servers, "KAFKIT_RECORDED_NODES": str(broker.dir)})
    expect("test result: ok. 1 passed" in done, done)
