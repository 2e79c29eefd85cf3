"""An Apache Flume agent: a folder of log files → memory → Flume's Kafka sink → the broker."""

from harness import HERE, SCRATCH, Program, equal, jars, kafka_tool

VERSION = "1.11.0"
LIBS = None


def prepare():
    global LIBS
    LIBS = jars(
        "flume",
        f"org.apache.flume:flume-ng-node:{VERSION}",
        f"org.apache.flume.flume-ng-sinks:flume-ng-kafka-sink:{VERSION}",
        "org.slf4j:slf4j-simple:1.7.32",
    )


def check_a_log_file_becomes_records(broker):
    kafka_tool("kafka-topics", "--bootstrap-server", broker.bootstrap, "--create", "--replication-factor", 1,
               "--partitions", 1, "--topic", "SmartCar-Topic")
    spool = SCRATCH / "flume-spool"
    spool.mkdir()
    settings = (HERE / "flume" / "agent.properties").read_text()
    settings = settings.replace("@SPOOL@", str(spool)).replace("@BOOTSTRAP@", broker.bootstrap)
    (SCRATCH / "flume-agent.properties").write_text(settings)
    lines = [f"20260101{i:06d},car-{i % 100:03d},speed {i % 180},운전자" for i in range(5000)]
    (SCRATCH / "driver.log").write_text("".join(line + "\n" for line in lines))
    agent = ["java", "-Xmx192m", "-cp", f"{LIBS}/*", "org.apache.flume.node.Application", "--name", "agent",
             "--conf-file", SCRATCH / "flume-agent.properties"]
    with Program(*agent) as flume:
        # The source takes whole files only: they are moved in, not written there.
        (SCRATCH / "driver.log").rename(spool / "driver.log")
        try:
            seen = kafka_tool("kafka-console-consumer", "--bootstrap-server", broker.bootstrap, "--topic",
                              "SmartCar-Topic", "--from-beginning", "--max-messages", 5000, "--timeout-ms", 60000,
                              limit=90, status=None).splitlines()
            equal(seen, lines, "what the consumer prints")
        except Exception:
            print(flume.stderr()[-3000:])
            raise
