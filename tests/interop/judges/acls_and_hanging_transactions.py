"""kafkit's own `acls` and `transactions find-hanging` beside Apache Kafka's tools, on a broker with an authorizer."""

import json
import socket
import struct
import time

from harness import SCRATCH, ApacheKafka, equal, expect
from judges.kafkit_on_apache_kafka import java, kafkit, prepare  # noqa: F401 (prepare is the judge's)

BROKER = ApacheKafka
BROKER_OPTIONS = {"authorizer": True}
PRODUCER = 4242
MINUTES = 30


def ours(broker, *argv):
    return json.loads(kafkit(broker, *argv, "-o", "json", "-q"))


def entries(broker, *argv):
    """The entries that Apache Kafka lists, `READ User:alice`."""
    lines = java(broker, "kafka-acls", "--list", *argv).splitlines()
    words = [dict(field.split("=") for field in line.strip()[1:-1].split(", ")) for line in lines if line.startswith("\t")]
    return sorted(f"{entry['operation']} {entry['principal']}" for entry in words)


def undo(name):
    path = SCRATCH / f"{name}.json"
    path.unlink(missing_ok=True)
    return path


def check_presets_add_what_apaches_presets_add(broker):
    for preset, more in [("producer", ["--transactional-id", "copier"]), ("consumer", ["--group", "billing"])]:
        resources = ["--topic", f"orders-{preset}", *more]
        java(broker, "kafka-acls", "--add", f"--{preset}", "--allow-principal", "User:theirs", *resources)
        kafkit(broker, "acls", "add", "ours", f"--{preset}", *resources, "--yes", "-q", "--undo", undo(preset))
        seen = entries(broker, *resources)
        equal([entry for entry in seen if entry.endswith("ours")],
              [entry.replace("theirs", "ours") for entry in seen if entry.endswith("theirs")], preset)


def check_what_was_removed_comes_back(broker):
    before = ours(broker, "acls", "list", "ours")
    expect(len(before) == 8, before)
    way_back = undo("removed")
    kafkit(broker, "acls", "remove", "ours", "--yes", "-q", "--undo", way_back)
    equal(ours(broker, "acls", "list", "ours"), [], "removed")
    kafkit(broker, "acls", "add", "--from", way_back, "--yes", "-q", "--undo", undo("added"))
    equal(ours(broker, "acls", "list", "ours"), before, "brought back")
    equal(len(entries(broker, "--principal", "User:ours")), 8, "for Apache Kafka")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def produce_past_the_coordinator(broker, topic):
    """A record of a transaction that no coordinator knows (Produce 8)."""
    at = int(time.time() * 1000) - MINUTES * 60_000
    body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(5) + b"hello" + varint(0)
    rest = struct.pack(">hiqqqhii", 0x10, 0, at, at, PRODUCER, 0, 0, 1) + varint(len(body)) + body
    batch = struct.pack(">iBI", 0, 2, crc32c(rest)) + rest
    batch = struct.pack(">qi", 0, len(batch)) + batch
    text = lambda word: struct.pack(">h", len(word)) + word.encode()
    request = struct.pack(">hhi", 0, 8, 1) + text("ghost") + text("ghost") + struct.pack(">hii", -1, 10_000, 1)
    request += text(topic) + struct.pack(">iii", 1, 0, len(batch)) + batch
    host, port = broker.bootstrap.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = connection.makefile("rb")
        answer = answer.read(struct.unpack(">i", answer.read(4))[0])
    place = 4 + 4 + 2 + len(topic) + 4 + 4
    equal(struct.unpack(">h", answer[place:place + 2])[0], 0, "the produce's error code")


def check_a_hanging_transaction_is_found_and_ended(broker):
    java(broker, "kafka-configs", "--alter", "--entity-type", "brokers", "--entity-default", "--add-config",
         "transaction.partition.verification.enable=false")
    kafkit(broker, "topics", "create", "hang", "-q")
    produce_past_the_coordinator(broker, "hang")
    theirs = java(broker, "kafka-transactions", "find-hanging", "--topic", "hang").splitlines()[1].split()
    [found] = ours(broker, "transactions", "find-hanging", "hang")
    equal([found["topic"], str(found["partition"]), str(found["producer_id"]), str(found["producer_epoch"]),
           str(found["transaction_start"])], [*theirs[:4], theirs[5]], "what hangs")
    equal(ours(broker, "transactions", "find-hanging", "--longer-than", f"{2 * MINUTES}m"), [], "nothing is that old")
    kafkit(broker, "transactions", "abort", "--hanging", "hang:0", "--yes", "-q")
    equal(ours(broker, "transactions", "find-hanging"), [], "aborted")
    [producer] = ours(broker, "describe", "producers", "hang")
    equal(producer["transaction_start"], None, "ended")
