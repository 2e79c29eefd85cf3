"""Transactions of Python's clients against one broker: python transactions.py BOOTSTRAP confluent|aiokafka|kafka_python.

Each commits "one", aborts "two" and commits "three", with a place in the input beside it where the client can; a reader
of committed records has the first and the last.
"""

import asyncio
import sys
import time

BOOTSTRAP = sys.argv[1]
STEPS = [("one", True), ("two", False), ("three", True)]
WANTED = ["one", "three"]


def confluent(topic):
    from confluent_kafka import Consumer, Producer, TopicPartition

    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": topic})
    producer.init_transactions(20)
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": topic, "isolation.level": "read_committed",
                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    for value, commits in STEPS:
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush()
        place = TopicPartition(topic, 0, 7 if commits else 9)
        producer.send_offsets_to_transaction([place], consumer.consumer_group_metadata())
        (producer.commit_transaction if commits else producer.abort_transaction)(20)
    committed = consumer.committed([TopicPartition(topic, 0)], 20)[0].offset
    assert committed == 7, committed
    consumer.assign([TopicPartition(topic, 0, 0)])
    seen = []
    end = time.monotonic() + 20
    while len(seen) < len(WANTED) and time.monotonic() < end:
        record = consumer.poll(0.5)
        if record and not record.error():
            seen.append(record.value().decode())
    consumer.close()
    return seen


async def aiokafka(topic):
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=topic)
    await producer.start()
    for value, commits in STEPS:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, value.encode())
        await producer.send_offsets_to_transaction({TopicPartition(topic, 0): 7 if commits else 9}, topic)
        await (producer.commit_transaction() if commits else producer.abort_transaction())
    await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP, isolation_level="read_committed")
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.seek_to_beginning()
    seen = [(await asyncio.wait_for(consumer.getone(), 20)).value.decode() for _ in WANTED]
    await consumer.stop()
    return seen


def kafka_python(topic):
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=topic)
    producer.init_transactions()
    for value, commits in STEPS:
        producer.begin_transaction()
        producer.send(topic, value.encode()).get(20)
        (producer.commit_transaction if commits else producer.abort_transaction)()
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP, isolation_level="read_committed", consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    seen = [next(consumer).value.decode() for _ in WANTED]
    consumer.close()
    return seen


name = sys.argv[2]
seen = {"confluent": confluent, "kafka_python": kafka_python, "aiokafka": lambda topic: asyncio.run(aiokafka(topic))}[name](
    f"transactions-of-{name}")
assert seen == WANTED, seen
