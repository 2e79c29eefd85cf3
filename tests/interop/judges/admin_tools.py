"""Apache Kafka's own admin tools on the mini broker, beside the same tools on Apache Kafka: the same command lines one
after the other, and the same words, apart from ids, ports, times and sizes."""

import atexit
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from harness import HERE, SCRATCH, ApacheKafka, bring_apache_kafka, expect, run

# What the two may differ in, and what stands for it.
MASKS = [
    (r"127\.0\.0\.1(:| +)\d+", "HOST:PORT"),
    (r"\[\d{4}-\d\d-\d\d[^\]]*\] (WARN|INFO|ERROR).*\n", ""),
    (r"TopicId: \S+", "TopicId: ID"),
    (r"Cluster ID: \S+", "Cluster ID: ID"),
    (r"Epoch: \d+", "Epoch: N"),
    (r'/[^\s",]*(data|node1)\b', "DIR"),
    (r'"(size|totalBytes|usableBytes)":\d+', r'"\1":N'),
    (r"rack: \S+ ", "rack: R "),
    # What nobody but the broker can tell.
    (r"(LeaderEpoch|HighWatermark|MaxFollowerLag|MaxFollowerLagTimeMs):\s+-?\d+", r"\1: N"),
    (r"(ConsumerId|consumer-\S+-[0-9a-f-]{36})", "CONSUMER"),
    (r"[ \t]+", " "),
]

CONFIGS = "kafka-configs"
TABLE = {
    "topics and brokers get configs": [
        ("kafka-topics", "--create --topic t --partitions 2"),
        (CONFIGS, "--alter --topic t --add-config retention.ms=1000,cleanup.policy=[compact,delete]"),
        (CONFIGS, "--describe --topic t"),
        (CONFIGS, "--describe --topic t --all"),
        (CONFIGS, "--alter --topic t --delete-config cleanup.policy"),
        (CONFIGS, "--alter --topic t --delete-config nosuch"),
        (CONFIGS, "--alter --topic t --add-config nosuch=1"),
        (CONFIGS, "--alter --topic t --add-config retention.ms=soon"),
        (CONFIGS, "--alter --topic nosuch --add-config retention.ms=1"),
        (CONFIGS, "--describe --topic nosuch"),
        (CONFIGS, "--describe --entity-type topics"),
        (CONFIGS, "--alter --broker 1 --add-config log.cleaner.backoff.ms=10000"),
        (CONFIGS, "--alter --broker-defaults --add-config log.retention.ms=100000,message.max.bytes=2000000"),
        (CONFIGS, "--describe --broker 1"),
        (CONFIGS, "--describe --broker-defaults"),
        (CONFIGS, "--describe --entity-type brokers"),
        (CONFIGS, "--describe --topic t --all"),
        (CONFIGS, "--alter --broker 1 --add-config log.dirs=/x"),
        (CONFIGS, "--alter --broker-defaults --add-config listeners=PLAINTEXT://:1"),
        (CONFIGS, "--alter --broker-defaults --add-config log.segment.bytes=1"),
        (CONFIGS, "--alter --broker 1 --add-config min.insync.replicas=1"),
        (CONFIGS, "--alter --broker-defaults --delete-config min.insync.replicas"),
        (CONFIGS, "--alter --broker-defaults --delete-config log.retention.ms,message.max.bytes"),
        (CONFIGS, "--alter --broker 1 --delete-config log.cleaner.backoff.ms"),
        (CONFIGS, "--describe --broker 1"),
        (CONFIGS, "--describe --broker 1 --all", "names"),
    ],
    "groups and client metrics get configs": [
        (CONFIGS, "--alter --group g --add-config consumer.session.timeout.ms=50000"),
        (CONFIGS, "--alter --group g --add-config consumer.session.timeout.ms=1"),
        (CONFIGS, "--alter --group g --add-config nosuch=1"),
        (CONFIGS, "--describe --group g"),
        (CONFIGS, "--describe --group g --all"),
        (CONFIGS, "--describe --entity-type groups"),
        (CONFIGS, "--alter --group g --delete-config consumer.session.timeout.ms"),
        (CONFIGS, "--alter --client-metrics m --add-config interval.ms=5000,metrics=[a,b],match=[client_id=c.*]"),
        (CONFIGS, "--alter --client-metrics m --add-config interval.ms=1"),
        (CONFIGS, "--alter --client-metrics m --add-config match=[nosuch=1]"),
        (CONFIGS, "--describe --client-metrics m"),
        (CONFIGS, "--describe --entity-type client-metrics"),
        ("kafka-client-metrics", "--list"),
        ("kafka-client-metrics", "--describe"),
        ("kafka-client-metrics", "--alter --name n --metrics org.apache --interval 1000"),
        ("kafka-client-metrics", "--describe --name n"),
        ("kafka-client-metrics", "--delete --name n"),
        ("kafka-client-metrics", "--delete --name m"),
        ("kafka-client-metrics", "--list"),
    ],
    "clients and users get quotas, users credentials": [
        (CONFIGS, "--alter --user u --add-config producer_byte_rate=1000,consumer_byte_rate=2000"),
        (CONFIGS, "--alter --client c --add-config request_percentage=50"),
        (CONFIGS, "--alter --user u --client-defaults --add-config controller_mutation_rate=10"),
        (CONFIGS, "--alter --user-defaults --add-config producer_byte_rate=3000"),
        (CONFIGS, "--alter --ip 127.0.0.1 --add-config connection_creation_rate=100"),
        (CONFIGS, "--alter --user u --add-config nosuch=1"),
        (CONFIGS, "--alter --user u --add-config producer_byte_rate=-1"),
        (CONFIGS, "--describe --user u"),
        (CONFIGS, "--describe --entity-type users", "lines"),
        (CONFIGS, "--describe --client c"),
        (CONFIGS, "--describe --entity-type clients --entity-type users", "lines"),
        (CONFIGS, "--describe --entity-type ips"),
        (CONFIGS, "--alter --user u --add-config SCRAM-SHA-256=[iterations=4096,password=secret]"),
        (CONFIGS, "--alter --user u --add-config SCRAM-SHA-256=[iterations=1,password=secret]"),
        (CONFIGS, "--describe --user u", "lines"),
        (CONFIGS, "--alter --user u --delete-config SCRAM-SHA-256"),
        (CONFIGS, "--alter --user u --delete-config SCRAM-SHA-512"),
        (CONFIGS, "--alter --user u --delete-config producer_byte_rate,consumer_byte_rate"),
        (CONFIGS, "--describe --user u"),
    ],
    "records, offsets and log dirs": [
        # Of several partitions the producer would choose one at random.
        ("kafka-topics", "--create --topic one --partitions 1"),
        ("kafka-producer-perf-test", "--topic one --num-records 100 --record-size 10 --throughput -1 --producer-props "
         "bootstrap.servers={bootstrap} batch.size=1", "status"),
        ("kafka-get-offsets", "--topic one"),
        ("kafka-get-offsets", "--topic one --time earliest"),
        ("kafka-get-offsets", "--topic one --time -3", "status"),
        ("kafka-get-offsets", "--topic nosuch"),
        ("kafka-get-offsets", "--topic-partitions one:0,one:7"),
        ("kafka-delete-records", "--offset-json-file {cut}", "status"),
        ("kafka-delete-records", "--offset-json-file {beyond}", "lines"),
        ("kafka-log-dirs", "--describe --topic-list t", "topics of log dirs"),
        ("kafka-log-dirs", "--describe --broker-list 7"),
        ("kafka-leader-election", "--election-type preferred --topic t --partition 0"),
        ("kafka-leader-election", "--election-type preferred --all-topic-partitions"),
        ("kafka-leader-election", "--election-type unclean --topic t --partition 0"),
        ("kafka-leader-election", "--election-type preferred --topic nosuch --partition 0"),
        ("kafka-reassign-partitions", "--list"),
        ("kafka-reassign-partitions", "--reassignment-json-file {moves} --execute"),
        ("kafka-reassign-partitions", "--reassignment-json-file {moves} --verify"),
        ("kafka-reassign-partitions", "--topics-to-move-json-file {topics} --broker-list 1 --generate"),
    ],
    "the cluster and its features": [
        ("kafka-cluster", "cluster-id"),
        ("kafka-cluster", "list-endpoints"),
        ("kafka-cluster", "unregister --id 7"),
        ("kafka-features", "upgrade --feature group.version=2"),
        ("kafka-features", "upgrade --feature nosuch=1"),
        ("kafka-features", "upgrade --feature transaction.version=2"),
        ("kafka-features", "downgrade --feature transaction.version=1 --dry-run"),
        ("kafka-features", "upgrade --feature transaction.version=1"),
        ("kafka-features", "downgrade --feature transaction.version=1"),
        ("kafka-features", "upgrade --feature transaction.version=2"),
        ("kafka-metadata-quorum", "describe --status", "names before colons"),
        ("kafka-acls", "--list"),
        ("kafka-acls", "--add --allow-principal User:a --operation Read --topic t"),
        ("kafka-transactions", "list"),
        ("kafka-transactions", "describe --transactional-id nosuch"),
        ("kafka-transactions", "find-hanging --broker-id 1"),
    ],
    "groups": [
        ("kafka-console-consumer", "--topic one --group cg --from-beginning --max-messages 5 --timeout-ms 20000", "status"),
        ("kafka-groups", "--list"),
        ("kafka-consumer-groups", "--list"),
        ("kafka-consumer-groups", "--list --state"),
        ("kafka-consumer-groups", "--list --type"),
        ("kafka-consumer-groups", "--describe --group cg --state"),
        ("kafka-consumer-groups", "--describe --group cg --members"),
        ("kafka-consumer-groups", "--describe --group nosuch"),
        ("kafka-consumer-groups", "--reset-offsets --group cg --topic one --to-earliest --execute", "lines"),
        ("kafka-consumer-groups", "--reset-offsets --group cg --topic one --to-offset 3 --dry-run", "lines"),
        ("kafka-consumer-groups", "--describe --group cg", "lines"),
        ("kafka-consumer-groups", "--delete-offsets --group cg --topic one", "lines"),
        ("kafka-consumer-groups", "--delete --group cg"),
        ("kafka-consumer-groups", "--delete --group nosuch"),
    ],
}

# Tools that know no --bootstrap-server.
WITHOUT_BOOTSTRAP = {"kafka-producer-perf-test"}
REFERENCE = []


def prepare():
    bring_apache_kafka()
    for name, value in {
        "cut": {"version": 1, "partitions": [{"topic": "one", "partition": 0, "offset": 1}]},
        "beyond": {"version": 1, "partitions": [{"topic": "one", "partition": 0, "offset": 999_999}]},
        "moves": {"version": 1, "partitions": [{"topic": "t", "partition": 0, "replicas": [1]}]},
        "topics": {"version": 1, "topics": [{"topic": "t"}]},
    }.items():
        (SCRATCH / f"admin-{name}.json").write_text(json.dumps(value))


def reference():
    """Apache Kafka beside the mini broker, for as long as the judges run."""
    if not REFERENCE:
        apache = ApacheKafka("admin_tools_reference")
        apache.start()
        atexit.register(apache.stop)
        REFERENCE.append(apache)
    return REFERENCE[0]


def said(broker, tool, arguments):
    """The exit status and the words of a tool."""
    files = {name: SCRATCH / f"admin-{name}.json" for name in ["cut", "beyond", "moves", "topics"]}
    words = [word.format(bootstrap=broker.bootstrap, **files) for word in re.split(" +", arguments)]
    place = [] if tool in WITHOUT_BOOTSTRAP else ["--bootstrap-server", broker.bootstrap]
    # Two tools have a command first.
    at = 1 if tool in ("kafka-cluster", "kafka-features", "kafka-metadata-quorum", "kafka-transactions") else 0
    if tool in ("kafka-features", "kafka-metadata-quorum", "kafka-transactions"):
        words = [*place, *words]
    else:
        words = [*words[:at], *place, *words[at:]]
    done = subprocess.run([HERE / "apache-kafka", "run", tool, *words], capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout + "".join(re.findall(r"^(?!\s+at |\[|SLF4J|WARNING).*\n", done.stderr, re.M))


def seen(outcome, how):
    """What of an outcome is compared."""
    status, text = outcome
    if how == "topics of log dirs":
        found = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
        return status, [sorted(partition["partition"] for partition in log_dir["partitions"])
                        for broker in found["brokers"] for log_dir in broker["logDirs"]]
    for pattern, stands_for in MASKS:
        text = re.sub(pattern, stands_for, text)
    if how == "status":
        return status
    if how == "names":
        return status, sorted(re.findall(r"^ ([a-z.]+)=", text, re.M))
    if how == "names before colons":
        return status, re.findall(r"^(\w+):", text, re.M)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return status, sorted(lines) if how == "lines" else lines


def compared(broker, rows):
    with ThreadPoolExecutor(2) as both:
        different = []
        for tool, arguments, *how in rows:
            outcomes = both.map(lambda side: said(side, tool, arguments), [broker, reference()])
            ours, theirs = (seen(outcome, how[0] if how else "words") for outcome in outcomes)
            if ours != theirs:
                different.append(f"{tool} {arguments}\n  mini broker:  {ours}\n  Apache Kafka: {theirs}")
        expect(not different, "\n".join(different))


def check_topics_and_brokers_get_configs(broker):
    compared(broker, TABLE["topics and brokers get configs"])


def check_groups_and_client_metrics_get_configs(broker):
    compared(broker, TABLE["groups and client metrics get configs"])


def check_clients_and_users_get_quotas(broker):
    compared(broker, TABLE["clients and users get quotas, users credentials"])


def check_records_offsets_and_log_dirs(broker):
    compared(broker, TABLE["records, offsets and log dirs"])


def check_the_cluster_and_its_features(broker):
    compared(broker, TABLE["the cluster and its features"])


def check_groups(broker):
    compared(broker, TABLE["groups"])
