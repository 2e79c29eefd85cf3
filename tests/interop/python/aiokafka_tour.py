"""A tour of aiokafka's clients against one broker: python aiokafka_tour.py BOOTSTRAP STEP."""

import asyncio
import sys
import time
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import OffsetAndMetadata

bootstrap = sys.argv[1]


@asynccontextmanager
async def administrator():
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def create(topic, partitions):
    async with administrator() as client:
        answer = await client.create_topics([NewTopic(topic, partitions, 1)])
        assert answer.topic_errors[0][1] == 0, answer


async def eventually(held, what):
    """Apache Kafka answers a change before each of its parts has heard of it."""
    deadline = time.monotonic() + 20
    while not await held():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


async def records():
    large = b"x" * 900_000
    for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
        topic = f"aio-{codec}"
        await create(topic, 1)
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, compression_type=codec) as producer:
            sent = [(b"%d" % i, None if i % 7 == 0 else b"value %d" % i, (("n", b"%d" % i),)) for i in range(200)]
            pending = [await producer.send(topic, key=key, value=value, headers=list(headers)) for key, value, headers in sent]
            offsets = [(await future).offset for future in pending]
            assert offsets == list(range(200)), offsets
            assert (await producer.send_and_wait(topic, large)).offset == 200
        async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            seen = [await asyncio.wait_for(consumer.getone(), 20) for _ in range(201)]
        assert [(record.key, record.value, record.headers) for record in seen[:200]] == sent, codec
        assert seen[200].value == large
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=3_000_000) as producer:
        try:
            await producer.send_and_wait("aio-None", b"y" * 2_000_000)
            raise AssertionError("a record above max.message.bytes was taken")
        except MessageSizeTooLargeError:
            pass


def member(instance=None):
    return AIOKafkaConsumer("aio-group", bootstrap_servers=bootstrap, group_id="aio-g", auto_offset_reset="earliest",
                            enable_auto_commit=False, heartbeat_interval_ms=200, group_instance_id=instance)


async def groups():
    await create("aio-group", 4)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for i in range(40):
            await producer.send_and_wait("aio-group", b"%d" % i, partition=i % 4)
    first, second = member("one"), member("two")
    await asyncio.gather(first.start(), second.start())
    seen = set()

    async def two_each():
        for consumer in [first, second]:
            for batch in (await consumer.getmany(timeout_ms=50)).values():
                seen.update(record.value for record in batch)
        return len(seen) == 40 and [len(consumer.assignment()) for consumer in [first, second]] == [2, 2]

    await eventually(two_each, "two partitions each")
    for consumer in [first, second]:
        await consumer.commit({partition: OffsetAndMetadata(9, "nine") for partition in consumer.assignment()})
    async with administrator() as client:
        assert ("aio-g", "consumer") in [group[:2] for group in await client.list_consumer_groups()]
        described = (await client.describe_consumer_groups(["aio-g"]))[0].groups[0]
        assert described[2] == "Stable" and len(described[5]) == 2, described
        await asyncio.gather(first.stop(), second.stop())
        offsets = await client.list_consumer_group_offsets("aio-g")
        assert set(offsets.values()) == {OffsetAndMetadata(9, "nine")}, offsets
    # With the static name of one that left, and all four partitions once the other is given up.
    async with member("one") as third:
        again = [await asyncio.wait_for(third.getone(), 40) for _ in range(2)]
        assert {record.value for record in again} <= {b"36", b"37", b"38", b"39"}, again


async def offsets():
    await create("aio-offsets", 1)
    partition = TopicPartition("aio-offsets", 0)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for i in range(10):
            await producer.send_and_wait("aio-offsets", b"%d" % i, timestamp_ms=1000 + i)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([partition])
        found = (await consumer.offsets_for_times({partition: 1005}))[partition]
        assert (found.offset, found.timestamp) == (5, 1005), found
        assert (await consumer.offsets_for_times({partition: 5000}))[partition] is None
        async with administrator() as client:
            assert (await client.delete_records({partition: RecordsToDelete(before_offset=4)}))[partition] == 4
        assert await consumer.beginning_offsets([partition]) == {partition: 4}
        assert await consumer.end_offsets([partition]) == {partition: 10}
        consumer.seek(partition, 7)
        assert (await asyncio.wait_for(consumer.getone(), 20)).value == b"7"
        await consumer.seek_to_beginning(partition)
        assert (await asyncio.wait_for(consumer.getone(), 20)).value == b"4"


async def admin():
    await create("aio-admin", 2)
    async with administrator() as client:
        again = await client.create_topics([NewTopic("aio-admin", 2, 1)])
        assert again.topic_errors[0][1] == 36, again
        await client.create_partitions({"aio-admin": NewPartitions(5)})

        async def five():
            return len((await client.describe_topics(["aio-admin"]))[0]["partitions"]) == 5

        await eventually(five, "five partitions")
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "aio-admin", {"retention.ms": "60000"})])

        async def minute():
            described = (await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "aio-admin")]))[0]
            return ("retention.ms", "60000") in [entry[:2] for entry in described.resources[0][4]]

        await eventually(minute, "the config")
        assert len((await client.describe_cluster())["brokers"]) == 1
        await client.delete_topics(["aio-admin"])

        async def gone():
            return "aio-admin" not in await client.list_topics()

        await eventually(gone, "the topic is gone")


asyncio.run({"admin": admin, "groups": groups, "offsets": offsets, "records": records}[sys.argv[2]]())
