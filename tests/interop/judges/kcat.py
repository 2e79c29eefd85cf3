"""kcat (librdkafka): metadata, producing in every codec, consuming from anywhere, groups."""

import json
import signal

from harness import Program, equal, expect, kafka_tool, program, run

KCAT = "kcat"


def prepare():
    global KCAT
    KCAT = program("kcat", "kcat")


def kcat(broker, *argv, **more):
    return run(KCAT, "-b", broker.bootstrap, *argv, **more)


def check_metadata_names_the_broker_and_a_topic_made_on_the_way(broker):
    kcat(broker, "-P", "-t", "kcat-auto", stdin="first\n")
    metadata = json.loads(kcat(broker, "-L", "-J", "-t", "kcat-auto"))
    port = broker.bootstrap.split(":")[1]
    expect(any(node["name"].endswith(f":{port}") for node in metadata["brokers"]), f"no broker at {port}: {metadata}")
    equal([topic["topic"] for topic in metadata["topics"]], ["kcat-auto"], "topics")
    equal(len(metadata["topics"][0]["partitions"]), 1, "partitions")


def check_every_codec_comes_back_as_it_went(broker):
    lines = [f"key{i % 7}:value {i} {'x' * (i % 90)}" for i in range(2000)]
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = f"kcat-{codec}"
        kcat(broker, "-P", "-t", topic, "-K:", "-z", codec, stdin="".join(line + "\n" for line in lines))
        seen = kcat(broker, "-C", "-t", topic, "-K:", "-e", "-q").splitlines()
        equal(seen, lines, f"records in {codec}")


def check_keys_headers_and_nulls_survive(broker):
    kcat(broker, "-P", "-t", "kcat-shape", "-K:", "-H", "trace=abc", "-H", "trace=def", "-H", "empty=", stdin="k:v\n")
    kcat(broker, "-P", "-t", "kcat-shape", "-K:", "-Z", stdin="tombstone:\n")
    seen = kcat(broker, "-C", "-t", "kcat-shape", "-e", "-q", "-f", "%k|%s|%S|%h\n").splitlines()
    equal(seen, ["k|v|1|trace=abc,trace=def,empty=", "tombstone||-1|"], "key, value, size, headers")


def check_acks_none_one_and_all_and_idempotence(broker):
    for setting in ["acks=0", "acks=1", "acks=all", "enable.idempotence=true"]:
        kcat(broker, "-P", "-t", "kcat-acks", "-X", setting, stdin=f"{setting}\n" * 100)
    seen = kcat(broker, "-C", "-t", "kcat-acks", "-e", "-q").splitlines()
    equal(len(seen), 400, "records")


def check_offsets_by_number_word_and_time(broker):
    kcat(broker, "-P", "-t", "kcat-offsets", stdin="".join(f"{i}\n" for i in range(10)))
    read = lambda offset: kcat(broker, "-C", "-t", "kcat-offsets", "-o", offset, "-e", "-q").split()
    equal(read("beginning"), [str(i) for i in range(10)], "from the beginning")
    equal(read("7"), ["7", "8", "9"], "from 7")
    equal(read("-2"), ["8", "9"], "the last two")
    equal(read("s@1"), [str(i) for i in range(10)], "since 1970")
    query = lambda time: kcat(broker, "-Q", "-t", f"kcat-offsets:0:{time}").strip()
    equal(query(-1), "kcat-offsets [0] offset 10", "the end")
    equal(query(-2), "kcat-offsets [0] offset 0", "the beginning")
    equal(query(1), "kcat-offsets [0] offset 0", "the first record after 1970")


def check_a_large_record_passes_and_a_larger_one_is_refused(broker):
    large = "x" * 900_000
    kcat(broker, "-P", "-t", "kcat-large", stdin=large + "\n")
    equal(kcat(broker, "-C", "-t", "kcat-large", "-e", "-q").strip(), large, "900 kB")
    kcat(broker, "-P", "-t", "kcat-large", "-X", "message.max.bytes=3000000", stdin="y" * 2_000_000 + "\n", status=1)


def check_a_waiting_consumer_sees_records_as_they_come(broker):
    kcat(broker, "-P", "-t", "kcat-tail", stdin="old\n")
    with Program(KCAT, "-b", broker.bootstrap, "-C", "-t", "kcat-tail", "-u", "-q") as consumer:
        consumer.wait_for(lambda lines: lines == ["old"], "the old record does not come")
        kcat(broker, "-P", "-t", "kcat-tail", stdin="new\n")
        consumer.wait_for(lambda lines: lines == ["old", "new"], "the new record does not come", limit=5)


def group_member(broker, group, topic):
    return Program(KCAT, "-b", broker.bootstrap, "-G", group, "-X", "auto.offset.reset=earliest", "-X",
                   "session.timeout.ms=6000", "-u", "-f", "%p %s\n", topic)


def check_a_group_shares_the_partitions_and_goes_on_where_it_stopped(broker):
    topic = "kcat-group"
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--topic", topic, "--partitions", 4)
    spread(broker, topic, 0, 40)
    both = lambda first, second: sorted(int(line.split()[1]) for line in first.lines + second.lines)
    with group_member(broker, "kcat-g", topic) as first:
        first.wait_for(lambda lines: len(lines) == 40, "40 records")
        with group_member(broker, "kcat-g", topic) as second:
            assigned = lambda member: "assigned" in member.stderr()
            second.wait_for(lambda _: assigned(second), "the second member gets no partitions")
            # The first must have handed two over before the next records come.
            first.wait_for(lambda _: first.stderr().count("assigned") >= 2, "the first is not assigned anew")
            spread(broker, topic, 40, 80)
            first.wait_for(lambda _: len(both(first, second)) >= 80, "80 records between the two")
            equal(both(first, second), list(range(80)), "each record once")
            expect(second.lines, "the second member has read nothing")
            partitions = [{line.split()[0] for line in member.lines[start:]} for member, start in [(first, 40), (second, 0)]]
            expect(not partitions[0] & partitions[1], f"a partition in two hands: {partitions}")
            second.stop(signal.SIGINT)
        first.stop(signal.SIGINT)
    spread(broker, topic, 80, 84)
    with group_member(broker, "kcat-g", topic) as third:
        third.wait_for(lambda lines: len(lines) == 4, "the four records that came meanwhile")
        equal(sorted(int(line.split()[1]) for line in third.lines), [80, 81, 82, 83], "what the group had not read")
        third.stop(signal.SIGINT)


def spread(broker, topic, start, end):
    """Numbers over the four partitions."""
    for partition in range(4):
        lines = "".join(f"{i}\n" for i in range(start, end) if i % 4 == partition)
        kcat(broker, "-P", "-t", topic, "-p", partition, stdin=lines)

