"""Go's clients: franz-go with its admin client, sarama, segmentio's kafka-go; a tour of each."""

from harness import CACHE, HERE, equal, go_programs, run

PROGRAMS = CACHE / "go"


def prepare():
    go_programs(HERE / "go", PROGRAMS)


def tour(client, broker, step):
    equal(run(PROGRAMS / client, broker.bootstrap, step, limit=90), "done\n", f"{client} {step}")


def check_franz_go_every_codec_headers_nulls_and_sizes(broker):
    tour("franz", broker, "records")


def check_franz_go_groups(broker):
    tour("franz", broker, "groups")


def check_franz_go_static_members(broker):
    tour("franz", broker, "static")


def check_franz_go_copies_in_transactions(broker):
    tour("franz", broker, "transactions")


def check_franz_go_offsets_by_time_and_deleted_records(broker):
    tour("franz", broker, "offsets")


def check_franz_go_topics_and_configs(broker):
    tour("franz", broker, "admin")


def check_sarama_every_codec_headers_nulls_and_sizes(broker):
    tour("sarama", broker, "records")


def check_sarama_groups_and_static_members(broker):
    tour("sarama", broker, "groups")


def check_sarama_transactions(broker):
    tour("sarama", broker, "transactions")


def check_sarama_offsets_by_time_and_deleted_records(broker):
    tour("sarama", broker, "offsets")


def check_sarama_topics_and_configs(broker):
    tour("sarama", broker, "admin")


def check_segmentio_every_codec_headers_nulls_and_sizes(broker):
    tour("segmentio", broker, "records")


def check_segmentio_groups(broker):
    tour("segmentio", broker, "groups")


def check_segmentio_offsets_by_time(broker):
    tour("segmentio", broker, "offsets")


def check_segmentio_topics_and_configs(broker):
    tour("segmentio", broker, "admin")
