"""A tour of confluent-kafka (librdkafka) against one broker: python confluent_tour.py BOOTSTRAP STEP."""

import sys
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec,
)

bootstrap = sys.argv[1]
client = AdminClient({"bootstrap.servers": bootstrap})
deadline = time.monotonic() + 60


def done(futures):
    """The results of an admin call, by name."""
    return {key: future.result(20) for key, future in futures.items()}


def create(topic, partitions, config=None):
    done(client.create_topics([NewTopic(topic, partitions, 1, config=config or {})]))


def refused(futures, code):
    try:
        done(futures)
    except KafkaException as problem:
        assert problem.args[0].code() == code, problem
    else:
        raise AssertionError(f"{code} was not refused")


def eventually(held, what):
    """Apache Kafka answers a change before each of its parts has heard of it."""
    while not held():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def produce(topic, records, **settings):
    """Sends keyword arguments of `produce`; returns the offsets."""
    offsets, problems = [], []
    # Offsets come in order even where one partition's batches are several.
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, **settings})

    def delivered(problem, message):
        (problems if problem else offsets).append(problem or message.offset())

    for record in records:
        producer.produce(topic, on_delivery=delivered, **record)
    assert producer.flush(30) == 0, "not all was delivered"
    assert not problems, problems
    return offsets


def consumer(group, **settings):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "session.timeout.ms": 10000, "heartbeat.interval.ms": 200, **settings})


def read(topic, count, offset=0):
    reader = consumer("confluent-nobody")
    reader.assign([TopicPartition(topic, 0, offset)])
    messages = []
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} of {count}"
        message = reader.poll(1)
        if message is not None:
            assert message.error() is None, message.error()
            messages.append(message)
    reader.close()
    return messages


def records():
    large = b"x" * 900_000
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = f"confluent-{codec}"
        create(topic, 1)
        sent = [{"key": b"%d" % i, "value": None if i % 7 == 0 else b"value %d" % i, "partition": 0,
                 "headers": [("n", b"%d" % i), ("null", None), ("n", b"again")]} for i in range(300)]
        offsets = produce(topic, [*sent, {"value": large, "partition": 0}], **{"compression.type": codec})
        assert offsets == list(range(301)), offsets
        seen = read(topic, 301)
        for record, message in zip(sent, seen):
            assert (message.key(), message.value()) == (record["key"], record["value"]), message.offset()
            assert message.headers() == record["headers"], message.headers()
        assert seen[300].value() == large
    try:
        produce("confluent-none", [{"value": b"y" * 2_000_000}], **{"message.max.bytes": 3_000_000})
    except AssertionError as problem:
        assert problem.args[0][0].code() == KafkaError.MSG_SIZE_TOO_LARGE, problem
    else:
        raise AssertionError("a record above max.message.bytes was taken")


def groups():
    create("confluent-group", 4)
    produce("confluent-group", [{"value": b"%d" % i, "partition": i % 4} for i in range(40)])
    for strategy in ["range", "cooperative-sticky"]:
        group = f"confluent-g-{strategy}"
        settings = {"partition.assignment.strategy": strategy}
        members = [consumer(group, **settings, **{"group.instance.id": name}) for name in ["one", "two"]]
        rebalances = []
        for member in members:
            member.subscribe(["confluent-group"], on_assign=lambda _, partitions: rebalances.append(partitions))
        seen = set()
        while len(seen) < 40 or [len(member.assignment()) for member in members] != [2, 2]:
            poll(members, seen)
        described = done(client.describe_consumer_groups([group]))[group]
        assert described.state.name == "STABLE" and described.partition_assignor == strategy, described
        assert sorted(member.group_instance_id for member in described.members) == ["one", "two"], described
        assert all(len(member.assignment.topic_partitions) == 2 for member in described.members), described
        # A static member comes back to what it had, and the other does not notice.
        before, count = sorted(members[1].assignment()), len(rebalances)
        members[1].close()
        members[1] = consumer(group, **settings, **{"group.instance.id": "two"})
        members[1].subscribe(["confluent-group"])
        while not members[1].assignment():
            poll(members, seen)
        assert sorted(members[1].assignment()) == before and len(rebalances) == count, rebalances
        for member in members:
            member.close()
        # What was committed is not read again.
        member = consumer(f"{group}-simple", **settings)
        committed = [TopicPartition("confluent-group", partition, 9, metadata="nine") for partition in range(4)]
        done(client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(f"{group}-simple", committed)]))
        listed = done(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(f"{group}-simple")]))
        assert [partition.offset for partition in listed[f"{group}-simple"].topic_partitions] == [9] * 4, listed
        member.subscribe(["confluent-group"])
        again = set()
        while len(again) < 4:
            poll([member], again)
        assert again == {b"36", b"37", b"38", b"39"}, again
        member.commit(asynchronous=False)
        refused(client.delete_consumer_groups([f"{group}-simple"]), KafkaError.NON_EMPTY_GROUP)
        member.close()
        names = {listing.group_id for listing in client.list_consumer_groups().result(20).valid}
        assert f"{group}-simple" in names, names
        done(client.delete_consumer_groups([f"{group}-simple"]))


def poll(members, seen):
    assert time.monotonic() < deadline, [member.assignment() for member in members]
    for member in members:
        message = member.poll(0.05)
        if message is not None:
            assert message.error() is None, message.error()
            seen.add(message.value())


def offsets():
    create("confluent-offsets", 1)
    partition = TopicPartition("confluent-offsets", 0)
    produce("confluent-offsets", [{"value": b"%d" % i, "partition": 0, "timestamp": 1000 + i} for i in range(10)])
    reader = consumer("confluent-nobody")
    at = lambda time: reader.offsets_for_times([TopicPartition("confluent-offsets", 0, time)], timeout=10)[0].offset
    assert (at(1005), at(1), at(5000)) == (5, 0, -1), (at(1005), at(1), at(5000))
    assert reader.get_watermark_offsets(partition, timeout=10) == (0, 10)
    listed = lambda spec: done(client.list_offsets({partition: spec}))[partition].offset
    specs = [OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp(), OffsetSpec.for_timestamp(1007)]
    assert [listed(spec) for spec in specs] == [0, 10, 9, 7]
    deleted = done(client.delete_records([TopicPartition("confluent-offsets", 0, 4)]))
    assert deleted[partition].low_watermark == 4, deleted
    assert listed(OffsetSpec.earliest()) == 4
    assert read("confluent-offsets", 1, offset=4)[0].value() == b"4"
    reader.assign([TopicPartition("confluent-offsets", 0, 4)])
    assert reader.poll(10).value() == b"4"
    reader.seek(TopicPartition("confluent-offsets", 0, 8))
    assert reader.poll(10).value() == b"8"
    # What is gone is read from the earliest on.
    assert read("confluent-offsets", 1, offset=1)[0].offset() == 4
    assert reader.committed([partition], timeout=10)[0].offset < 0
    reader.close()


def admin():
    create("confluent-admin", 2)
    refused(client.create_topics([NewTopic("confluent-admin", 2, 1)]), KafkaError.TOPIC_ALREADY_EXISTS)
    refused(client.create_topics([NewTopic("confluent-wrong", 1, 1, config={"retention.ms": "soon"})]), KafkaError.INVALID_CONFIG)
    refused(client.create_topics([NewTopic("confluent/wrong", 1, 1)]), KafkaError.TOPIC_EXCEPTION)
    refused(client.create_topics([NewTopic("confluent-wrong", 1, 9)]), KafkaError.INVALID_REPLICATION_FACTOR)
    done(client.create_partitions([NewPartitions("confluent-admin", 5)]))
    metadata = lambda: client.list_topics(timeout=10).topics
    eventually(lambda: len(metadata()["confluent-admin"].partitions) == 5, "five partitions")
    resource = ConfigResource("topic", "confluent-admin")
    retention = lambda: next(iter(done(client.describe_configs([resource])).values()))["retention.ms"].value
    resource.add_incremental_config(ConfigEntry("retention.ms", "60000", incremental_operation=AlterConfigOpType.SET))
    done(client.incremental_alter_configs([resource]))
    eventually(lambda: retention() == "60000", "the config")
    wrong = ConfigResource("topic", "confluent-admin")
    wrong.add_incremental_config(ConfigEntry("retention.mz", "1", incremental_operation=AlterConfigOpType.SET))
    refused(client.incremental_alter_configs([wrong]), KafkaError.INVALID_CONFIG)
    cluster = client.describe_cluster().result(20)
    assert len(cluster.nodes) == 1 and cluster.cluster_id, cluster
    broker = ConfigResource("broker", str(cluster.nodes[0].id))
    assert "log.retention.ms" in next(iter(done(client.describe_configs([broker])).values()))
    done(client.delete_topics(["confluent-admin"]))
    eventually(lambda: "confluent-admin" not in metadata(), "the topic is gone")


{"admin": admin, "groups": groups, "offsets": offsets, "records": records}[sys.argv[2]]()
