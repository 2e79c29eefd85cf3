"""Sends numbers with acks=all as an idempotent producer, for about twenty seconds; prints those that were acknowledged.

    acknowledged_numbers.py confluent|kafka-python BOOTSTRAP TOPIC
"""

import json
import sys
import time

SECONDS = 20
PAUSE = 0.02
AT_ONCE = 20


def numbers():
    end = time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < end:
        for _ in range(AT_ONCE):
            yield number
            number += 1
        time.sleep(PAUSE)


def confluent(bootstrap, topic):
    from confluent_kafka import Producer

    acknowledged = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all"})
    for number in numbers():

        def told(error, _message, number=number):
            if error is None:
                acknowledged.append(number)

        producer.produce(topic, key=f"k{number % 50}", value=f"{number} x", on_delivery=told)
        producer.poll(0)
    assert producer.flush(200) == 0
    return acknowledged


def kafka_python(bootstrap, topic):
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), acks="all", enable_idempotence=True,
                             delivery_timeout_ms=200_000)
    sent = [(number, producer.send(topic, key=f"k{number % 50}".encode(), value=f"{number} x".encode()))
            for number in numbers()]
    producer.flush(200)
    return [number for number, future in sent if future.succeeded()]


client, bootstrap, topic = sys.argv[1:]
print(json.dumps({"confluent": confluent, "kafka-python": kafka_python}[client](bootstrap, topic)))
