"""The mini broker is killed under load of three clients, and nothing that it promised is broken: a short `make torture`."""

import os
import time

import torture
from harness import MiniBroker, free_cluster_port

BROKER = MiniBroker
# Not from the range of outgoing connections: while the broker is away, a client's could take it.
PORT = free_cluster_port(1)
SEED = int(os.environ.get("KAFKIT_SEED") or time.time_ns() % 1_000_000)


def prepare():
    torture.prepare()
    print(f"        KAFKIT_SEED={SEED}", flush=True)


def check_nothing_is_lost_doubled_or_half_visible_over_five_kills(broker):
    print("        " + torture.torture(broker, kills=5, seconds=60, seed=SEED), flush=True)
