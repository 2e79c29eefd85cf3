"""Python's other clients: confluent-kafka, which is librdkafka, and aiokafka; a tour of each."""

from harness import HERE, python_with, run

PYTHON = None


def prepare():
    global PYTHON
    # cramjam has the codecs beside gzip for aiokafka.
    PYTHON = python_with("confluent-kafka", "aiokafka", "cramjam")


def tour(client, broker, step):
    run(PYTHON, HERE / "python" / f"{client}_tour.py", broker.bootstrap, step, limit=90)


def check_confluent_every_codec_headers_nulls_and_sizes(broker):
    tour("confluent", broker, "records")


def check_confluent_groups_and_static_members(broker):
    tour("confluent", broker, "groups")


def transactions(client, broker):
    run(PYTHON, HERE / "python" / "transactions.py", broker.bootstrap, client, limit=90)


def check_confluent_transactions(broker):
    transactions("confluent", broker)


def check_confluent_offsets_by_time_and_deleted_records(broker):
    tour("confluent", broker, "offsets")


def check_confluent_topics_and_configs(broker):
    tour("confluent", broker, "admin")


def check_aiokafka_every_codec_headers_nulls_and_sizes(broker):
    tour("aiokafka", broker, "records")


def check_aiokafka_groups_and_static_members(broker):
    tour("aiokafka", broker, "groups")


def check_aiokafka_transactions(broker):
    transactions("aiokafka", broker)


def check_aiokafka_offsets_by_time_and_deleted_records(broker):
    tour("aiokafka", broker, "offsets")


def check_aiokafka_topics_and_configs(broker):
    tour("aiokafka", broker, "admin")
