"""kafkajs, Node's client without native code; a tour."""

import os

from harness import HERE, equal, node_packages, run

PACKAGES = None


def prepare():
    global PACKAGES
    # The codecs beside gzip are packages of their own.
    PACKAGES = node_packages("node", "kafkajs@2.2.4", "snappyjs@0.6.1", "lz4js@0.2.0", "@bokuweb/zstd-wasm@0.0.27")


def tour(broker, step):
    environment = {**os.environ, "NODE_PATH": str(PACKAGES), "KAFKAJS_NO_PARTITIONER_WARNING": "1"}
    equal(run("node", HERE / "node" / "tour.js", broker.bootstrap, step, limit=90, env=environment), "done\n", step)


def check_every_codec_headers_nulls_and_sizes(broker):
    tour(broker, "records")


def check_groups(broker):
    tour(broker, "groups")


def check_transactions(broker):
    tour(broker, "transactions")


def check_offsets_by_time_and_deleted_records(broker):
    tour(broker, "offsets")


def check_topics_and_configs(broker):
    tour(broker, "admin")
