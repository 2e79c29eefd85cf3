"""All recorded cases of three brokers, replayed by kafkit's faces on Apache Kafka itself. By name alone: it takes long."""

from judges.recorded_cases_on_three_nodes import BROKER, BROKER_OPTIONS, prepare, replay

PORT = 19692


def check_every_recorded_line_on_three_nodes_of_apache_kafka(broker):
    replay(broker)
