"""kafkit against Apache Kafka, one node: the Java spellings beside Apache's own tools, and the native commands."""

import json
import re

from harness import CACHE, KAFKA_VERSION, KAFKIT, ROOT, SCRATCH, ApacheKafka, bring_apache_kafka, equal, expect, kafka_tool, run

BROKER = ApacheKafka
NODES = 1


def prepare():
    bring_apache_kafka()


def kafkit(broker, *argv, **more):
    return run(KAFKIT, *argv, env=environment(broker), **more)


def environment(broker):
    home = SCRATCH / "kafkit-home"
    home.mkdir(exist_ok=True)
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "KAFKIT_BOOTSTRAP_SERVERS": broker.bootstrap}


def face(broker, tool, *argv, **more):
    """A Java spelling of kafkit."""
    return kafkit(broker, f"{tool}.sh", "--bootstrap-server", broker.bootstrap, *argv, **more)


def java(broker, tool, *argv, **more):
    return kafka_tool(tool, "--bootstrap-server", broker.bootstrap, *argv, **more)


def check_a_tutorials_topic_with_a_replica_on_every_node(broker):
    created = face(broker, "kafka-topics", "--create", "--topic", "peter-overview01", "--partitions", 1,
                   "--replication-factor", broker.nodes)
    equal(created, "Created topic peter-overview01.\n", "what kafka-topics says")
    for arguments in [["--list"], ["--describe", "--topic", "peter-overview01"]]:
        equal(face(broker, "kafka-topics", *arguments), java(broker, "kafka-topics", *arguments), " ".join(arguments))


def check_what_kafkit_produces_apaches_consumer_reads(broker):
    lines = [f"key{i % 5}\tvalue {i} 한글" for i in range(2000)]
    face(broker, "kafka-console-producer", "--topic", "by-kafkit", "--property", "parse.key=true",
         "--compression-codec", "zstd", stdin="".join(line + "\n" for line in lines))
    seen = java(broker, "kafka-console-consumer", "--topic", "by-kafkit", "--from-beginning", "--max-messages", 2000,
                "--property", "print.key=true", "--timeout-ms", 20000)
    equal([line for line in seen.splitlines() if "\t" in line], lines, "records")


def check_what_apaches_producer_sends_kafkit_reads(broker):
    lines = [f"value {i}" for i in range(2000)]
    java(broker, "kafka-console-producer", "--topic", "by-apache", stdin="".join(line + "\n" for line in lines))
    seen = face(broker, "kafka-console-consumer", "--topic", "by-apache", "--from-beginning", "--max-messages", 2000,
                "--timeout-ms", 20000)
    equal(seen.splitlines(), lines, "records through kafka-console-consumer")
    equal(kafkit(broker, "consume", "by-apache", "-e", "-q").splitlines(), lines, "records through consume")


def check_records_as_json_there_and_back(broker):
    records = kafkit(broker, "consume", "by-kafkit", "-e", "-q", "--json")
    expect(all(json.loads(line)["topic"] == "by-kafkit" for line in records.splitlines()), shorten_first(records))
    kafkit(broker, "produce", "copy", "-q", "--json", stdin=records)
    equal(sorted(kafkit(broker, "consume", "copy", "-e", "-q").splitlines()),
          sorted(kafkit(broker, "consume", "by-kafkit", "-e", "-q").splitlines()), "the copy")


def shorten_first(text):
    return text.splitlines()[:1]


def check_a_group_of_kafkit_is_one_of_apaches(broker):
    face(broker, "kafka-console-consumer", "--topic", "by-apache", "--group", "kafkit-g", "--from-beginning",
         "--max-messages", 2000, "--timeout-ms", 20000)
    rows = [line.split() for line in java(broker, "kafka-consumer-groups", "--describe", "--group", "kafkit-g").splitlines()
            if line.startswith("kafkit-g")]
    equal([(row[3], row[5]) for row in rows], [("2000", "0")], "committed offset and lag")


def check_dump_log_reads_apaches_files_as_apache_does(broker):
    log = sorted(broker.dir.glob("node*/by-kafkit-0/*.log"))[0]
    for arguments in [["--print-data-log"], []]:
        equal(run(KAFKIT, "kafka-dump-log", "--files", log, *arguments),
              kafka_tool("kafka-dump-log", "--files", log, *arguments), f"dump-log {arguments}")


def check_every_setting_of_javas_clients_has_its_row(_broker):
    source = SCRATCH / "Names.java"
    clients = ["producer.ProducerConfig", "consumer.ConsumerConfig", "admin.AdminClientConfig"]
    calls = " ".join(f"names.addAll(org.apache.kafka.clients.{client}.configNames());" for client in clients)
    source.write_text("public class Names { public static void main(String[] words) { "
                      f"var names = new java.util.TreeSet<String>(); {calls} names.forEach(System.out::println); }} }}")
    jars = CACHE / f"kafka-{KAFKA_VERSION}" / "libs" / "*"
    names = run("java", "-cp", jars, source).splitlines()
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    equal(sorted(rows), sorted(names), "the settings in docs/settings.md")
