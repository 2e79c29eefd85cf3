"""A tour of kafka-python's clients against one broker: python tour.py BOOTSTRAP STEP."""

import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError

bootstrap = sys.argv[1]


def admin():
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    client.create_topics([NewTopic("py-admin", num_partitions=2, replication_factor=1)])
    try:
        client.create_topics([NewTopic("py-admin", num_partitions=2, replication_factor=1)])
        raise AssertionError("a topic was created twice")
    except TopicAlreadyExistsError:
        pass
    assert "py-admin" in client.list_topics()
    client.create_partitions({"py-admin": NewPartitions(5)})
    described = client.describe_topics(["py-admin"])
    assert len(described[0]["partitions"]) == 5, described
    assert client.describe_cluster()["brokers"], "no brokers"
    client.delete_topics(["py-admin"])
    deadline = time.time() + 10
    while "py-admin" in client.list_topics():
        assert time.time() < deadline, "the topic is still there"


def codecs():
    for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
        topic = f"py-{codec}"
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type=codec)
        sent = [producer.send(topic, key=b"%d" % i, value=b"value %d" % i, headers=[("n", b"%d" % i)]) for i in range(200)]
        offsets = [future.get(timeout=20).offset for future in sent]
        producer.close()
        assert offsets == list(range(200)), offsets
        consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest",
                                 consumer_timeout_ms=3000, group_id=None)
        seen = []
        for message in consumer:
            seen.append((message.key, message.value, message.headers[0][1]))
            if len(seen) == 200:
                break
        consumer.close()
        assert seen == [(b"%d" % i, b"value %d" % i, b"%d" % i) for i in range(200)], (codec, len(seen))


def groups():
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    client.create_topics([NewTopic("py-group", num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for i in range(20):
        producer.send("py-group", b"%d" % i, partition=i % 2)
    producer.flush()

    def member():
        return KafkaConsumer("py-group", bootstrap_servers=bootstrap, group_id="py-g", auto_offset_reset="earliest",
                             enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=500)

    first = member()
    read = poll(first, 20)
    assert sorted(read) == sorted(b"%d" % i for i in range(20)), read
    first.commit({TopicPartition("py-group", 0): OffsetAndMetadata(4, "four", -1)})
    assert first.committed(TopicPartition("py-group", 0)) == 4
    assert first.committed(TopicPartition("py-group", 0), metadata=True).metadata == "four"
    assert first.committed(TopicPartition("py-group", 1)) is None
    described = client.describe_consumer_groups(["py-g"]) if hasattr(client, "describe_consumer_groups") else None
    first.close()
    second = member()
    read = poll(second, 16)
    assert len(read) == 16 and b"8" in read and b"6" not in read, read
    second.commit()
    second.close()
    return described


def poll(consumer, count):
    """At least `count` values, or what came within 20 s."""
    read, deadline = [], time.time() + 20
    while len(read) < count and time.time() < deadline:
        for records in consumer.poll(timeout_ms=500).values():
            read += [record.value for record in records]
    return read


def offsets():
    partition = TopicPartition("py-offsets", 0)
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for i in range(10):
        producer.send("py-offsets", b"%d" % i, timestamp_ms=1000 + i)
    producer.flush()
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    assert consumer.beginning_offsets([partition]) == {partition: 0}
    assert consumer.end_offsets([partition]) == {partition: 10}
    found = consumer.offsets_for_times({partition: 1005})[partition]
    assert (found.offset, found.timestamp) == (5, 1005), found
    consumer.assign([partition])
    consumer.seek(partition, 7)
    assert poll(consumer, 3) == [b"7", b"8", b"9"]


{"admin": admin, "codecs": codecs, "groups": groups, "offsets": offsets}[sys.argv[2]]()
