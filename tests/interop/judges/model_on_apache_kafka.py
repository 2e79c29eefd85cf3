"""The model that the mini broker is tested against is right: Apache Kafka answers what it says, too."""

from harness import ApacheKafka, integration_test

BROKER = ApacheKafka


def prepare():
    pass


def check_apache_kafka_answers_as_the_model(broker):
    integration_test("broker_against_model", limit=500, KAFKIT_MODEL_BROKER=broker.bootstrap)
