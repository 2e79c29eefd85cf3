"""Load of librdkafka on a broker that is killed: python torture_confluent.py BOOTSTRAP ROLE…, or … read TOPIC ISOLATION.

Roles, and the protocol of their lines, are described in torture.py. Ends when stdin does.
"""

import faulthandler
import signal
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

NAME = "librdkafka"
PARTITIONS = 3
BOOTSTRAP = sys.argv[1]
# When its only broker is away, librdkafka (2.16) begins with the bootstrap servers anew, and a producer that was about to
# send offsets then waits for ever for the broker that it knew before.
SETTINGS = {"bootstrap.servers": BOOTSTRAP, "metadata.recovery.strategy": "none", "log_level": 0,
            "reconnect.backoff.max.ms": 200}
stopping = threading.Event()
# Where a thread is that does not come to its end.
faulthandler.register(signal.SIGUSR1)


def tell(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def producer(**more):
    return Producer({**SETTINGS, "enable.idempotence": True, "linger.ms": 2, **more})


def consumer(group, **more):
    return Consumer({**SETTINGS, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                     "session.timeout.ms": 10000, **more})


def idempotent():
    """Numbers, one after the other, each told when it is acknowledged."""
    number = 0
    sender = producer()

    def delivered(problem, message):
        told = int(message.value().decode().split(":")[1])
        if problem:
            tell("idempotent", "lost", told, problem.code())
        else:
            tell("idempotent", "ack", message.partition(), message.offset(), told)

    while not stopping.is_set():
        sender.produce("numbers", f"{NAME}:{number}", partition=number % PARTITIONS, on_delivery=delivered)
        number += 1
        sender.poll(0.003)
        while len(sender) > 500 and not stopping.is_set():
            sender.poll(0.05)
    if sender.flush(60):
        tell("idempotent", "unfinished", len(sender))


def ended(sender, commits):
    """Ends a transaction; what became of it: commit, abort or unknown. Only the last wants another producer."""
    while True:
        try:
            (sender.commit_transaction if commits else sender.abort_transaction)(30)
            return "commit" if commits else "abort"
        except KafkaException as problem:
            error = problem.args[0]
            if error.retriable() or error.code() == KafkaError._TIMED_OUT:
                continue
            if error.txn_requires_abort() and commits:
                commits = False
                continue
            return "unknown"


def transactional(name):
    while True:
        sender = producer(**{"transactional.id": name, "transaction.timeout.ms": 60000})
        try:
            sender.init_transactions(60)
            return sender
        except KafkaException:
            continue


def transactions():
    """Transactions of three records over the partitions; each fourth is aborted."""
    number = 0
    sender = transactional(f"{NAME}-transactions")
    while not stopping.is_set():
        commits = number % 4 != 3
        try:
            sender.begin_transaction()
            for part in range(3):
                sender.produce("transactions", f"{NAME}:{number}:{part}", partition=(number + part) % PARTITIONS)
            outcome = ended(sender, commits)
        except KafkaException:
            outcome = "unknown"
        tell("transactions", outcome, number)
        if outcome == "unknown":
            sender = transactional(f"{NAME}-transactions")
        number += 1
        time.sleep(0.005)


def copy():
    """Copies the numbers, exactly once."""
    group = f"{NAME}-copy"
    while not stopping.is_set():
        sender = transactional(group)
        reader = consumer(group, **{"isolation.level": "read_committed"})
        reader.subscribe(["numbers"])
        try:
            while not stopping.is_set():
                records = [record for record in reader.consume(200, 0.3) if not record.error()]
                if not records:
                    continue
                sender.begin_transaction()
                for record in records:
                    sender.produce(f"copies-of-{NAME}", record.value(), partition=record.partition())
                places = {(record.topic(), record.partition()): record.offset() + 1 for record in records}
                sender.send_offsets_to_transaction(
                    [TopicPartition(*place, offset) for place, offset in places.items()],
                    reader.consumer_group_metadata(), 30)
                if ended(sender, True) != "commit":
                    break
        except KafkaException:
            pass
        # Begins anew where the last commit was; the next producer of this id ends what is open.
        reader.close()


def follow():
    """Reads the numbers and commits without a transaction; tells what is committed."""
    reader = consumer(f"{NAME}-follow")
    reader.subscribe(["numbers"])
    is_due = False
    while not stopping.is_set():
        is_due |= any(not record.error() for record in reader.consume(100, 0.3))
        if not is_due:
            continue
        try:
            for place in reader.commit(asynchronous=False):
                if not place.error:
                    tell("follow", f"{NAME}-follow", place.partition, place.offset)
            is_due = False
        except KafkaException:
            pass  # once more after the next look at the topic
    reader.close()


def watch():
    """The committed offsets of these groups, over and over."""
    groups = {name: consumer(name) for name in ["librdkafka-copy", "java-copy", "franz-copy", "librdkafka-follow"]}
    while not stopping.is_set():
        for client, asker in groups.items():
            try:
                for place in asker.committed([TopicPartition("numbers", part) for part in range(PARTITIONS)], 2):
                    if not place.error:
                        tell("watch", client, place.partition, max(place.offset, -1))
            except KafkaException:
                pass
        time.sleep(0.05)


def read(topic, isolation):
    """All records of a topic."""
    reader = consumer("reader", **{"isolation.level": isolation, "enable.partition.eof": True})
    reader.assign([TopicPartition(topic, part, 0) for part in range(PARTITIONS)])
    ended = set()  # the end of a partition may be told of twice
    while len(ended) < PARTITIONS:
        for record in reader.consume(1000, 1):
            if record.error():
                assert record.error().code() == KafkaError._PARTITION_EOF, record.error()
                ended.add(record.partition())
            else:
                tell(record.partition(), record.offset(), record.value().decode())


if sys.argv[2] == "read":
    read(*sys.argv[3:])
else:
    roles = [threading.Thread(target=globals()[role]) for role in sys.argv[2:]]
    for role in roles:
        role.start()
    sys.stdin.read()
    stopping.set()
    for role in roles:
        role.join()
