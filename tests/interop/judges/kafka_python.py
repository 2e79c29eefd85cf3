"""kafka-python: the producer and consumer of a tutorial, unchanged, and a tour of its clients."""

from harness import HERE, Program, equal, kafka_tool, python_with, run

# The tutorial's programs name it.
PORT = 9092
PYTHON = None


def prepare():
    global PYTHON
    # The codecs beside gzip are packages of their own.
    PYTHON = python_with("kafka-python", "python-snappy", "lz4", "zstandard")


def check_the_tutorials_ten_thousand_messages_arrive(broker):
    kafka_tool("kafka-topics", "--create", "--topic", "blog-post", "--bootstrap-server", "localhost:9092")
    seconds = float(run(PYTHON, HERE / "python" / "producer.py", limit=120))
    print(f"        (the producer took {seconds:.1f} s)")
    with Program(PYTHON, "-u", HERE / "python" / "consumer.py") as consumer:
        consumer.wait_for(lambda lines: len(lines) >= 10_000, "10 000 messages", limit=60)
        wanted = [f"blog-post 0 {i} None b'Kafka Blog Post Event Message'" for i in range(10_000)]
        equal(consumer.lines, wanted, "what the consumer prints")


def tour(broker, step):
    run(PYTHON, HERE / "python" / "tour.py", broker.bootstrap, step, limit=90)


def check_every_codec(broker):
    tour(broker, "codecs")


def check_offsets_by_time_and_seeking(broker):
    tour(broker, "offsets")


def check_a_group_commits_and_goes_on(broker):
    tour(broker, "groups")


def check_the_admin_client(broker):
    tour(broker, "admin")


def check_transactions(broker):
    run(PYTHON, HERE / "python" / "transactions.py", broker.bootstrap, "kafka_python", limit=90)
