"""The model that the mini broker is tested against is right: Apache Kafka answers what it says, too."""

import os

from harness import KAFKIT, ROOT, ApacheKafka, Failure, run

BROKER = ApacheKafka


def prepare():
    pass


def check_apache_kafka_answers_as_the_model(broker):
    # The tests are built already where the binary is: `cargo test` comes first.
    profile = ["--release"] if KAFKIT.parent.name == "release" else []
    said = run("cargo", "test", *profile, "--locked", "--test", "integration", "--", "broker_against_model",
               limit=500, cwd=ROOT, env={**os.environ, "KAFKIT_MODEL_BROKER": broker.bootstrap})
    if "1 passed" not in said:
        raise Failure(f"no such test: {said}")
