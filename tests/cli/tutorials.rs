//! Do the steps of Kafka tutorials, old and new, work as printed when kafkit's links and mini broker stand in?
//!
//! The tutorials' clients in Python and Java, and Flume, are judges in `tests/interop`; what they teach about groups
//! is in `tests/broker/groups.rs`.

use crate::support::terminal::Terminal;

/// `config/server.properties` as Kafka 2.8 ships it, but for the address and the directory.
const OF_KAFKA_2_8: &str = "\
broker.id=0
listeners=PLAINTEXT://HOST:9092
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=kafka-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
zookeeper.connect=HOST:2181
zookeeper.connection.timeout.ms=18000
group.initial.rebalance.delay.ms=0
";

/// The same of Kafka 4, whose broker is its own controller.
const OF_KAFKA_4: &str = "\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=HOST:9093
listeners=PLAINTEXT://HOST:9092,CONTROLLER://HOST:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://HOST:9092,CONTROLLER://HOST:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";

const BROKER: &str = "kafkit broker --listen HOST:9092 --data-dir data";

/// A topic made through ZooKeeper's address, a producer by `--broker-list`, and two consumers of one partition.
#[test]
fn two_consumers_of_a_partition_both_print_what_a_car_logs() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker(BROKER);
    terminal
        .run("kafka-topics --create --zookeeper HOST:2181 --replication-factor 1 --partitions 1 --topic SmartCar-Topic")
        .succeeds()
        .prints("Created topic SmartCar-Topic.\n")
        .complains("HOST:9092".replace("HOST", &terminal.host()).as_str());
    let mut producer =
        terminal.start("kafka-console-producer --broker-list HOST:9092 --topic SmartCar-Topic");
    producer.types("engine on\n운전자 3\n");
    let consumer = "kafka-console-consumer --bootstrap-server HOST:9092 --topic SmartCar-Topic --partition 0 --from-beginning";
    let [first, second] = [(); 2].map(|()| terminal.start(consumer));
    for consumer in [&first, &second] {
        consumer.prints("engine on\n운전자 3\n");
    }
    producer.types("Hello! BigData!\n");
    for consumer in [first, second] {
        consumer.prints("engine on\n운전자 3\nHello! BigData!\n");
        assert_eq!(consumer.interrupt(), "engine on\n운전자 3\nHello! BigData!\n");
    }
    producer.leave();
}

/// A first taste on three terminals: create, a consumer that has nothing to print, a producer that asks for lines.
#[test]
fn the_producer_asks_for_lines_and_an_empty_topic_prints_nothing() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker(BROKER);
    terminal
        .run("bin/kafka-topics.sh --bootstrap-server HOST:9092 --create --topic peter-overview01 --partitions 1 --replication-factor 1")
        .succeeds()
        .prints("Created topic peter-overview01.\n");
    terminal
        .run("bin/kafka-console-consumer.sh --bootstrap-server HOST:9092 --topic peter-overview01 --timeout-ms 500")
        .prints("")
        .complains("Processed a total of 0 messages");
    let consumer =
        terminal.start("bin/kafka-console-consumer.sh --bootstrap-server HOST:9092 --topic peter-overview01 --from-beginning");
    let mut producer = terminal.start_on_a_screen(
        "bin/kafka-console-producer.sh --bootstrap-server HOST:9092 --topic peter-overview01",
    );
    producer.prints(">");
    producer.types("First message\n");
    // The terminal repeats what is typed, and the producer asks for more.
    producer.prints(">First message\r\n>");
    consumer.prints("First message\n");
    producer.types("\u{4}");
    producer.leave();
    assert_eq!(consumer.interrupt(), "First message\n");
}

/// A producer whose input is no terminal has nobody to ask.
#[test]
fn no_prompt_in_a_pipe() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker(BROKER);
    terminal
        .run_with_input(
            "kafka-console-producer.sh --bootstrap-server HOST:9092 --topic piped",
            "a line\n",
        )
        .succeeds()
        .prints("");
}

/// The environment that a compose file gives to an image of Kafka.
#[test]
fn the_environment_of_a_compose_file_makes_a_broker_with_its_topics() {
    let terminal = Terminal::new();
    let environment = "env KAFKA_ADVERTISED_HOST_NAME=HOST KAFKA_CREATE_TOPICS=test:1:1 \
                       KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181";
    let broker = terminal.start_broker(&format!(
        "{environment} kafkit broker --config-from-env --listen HOST:9092 --data-dir data"
    ));
    broker.says("ZooKeeper");
    terminal
        .run("bin/kafka-topics.sh --bootstrap-server HOST:9092 --list")
        .succeeds()
        .prints("test\n");
    terminal
        .run("bin/kafka-topics.sh --create --topic quickstart-events --bootstrap-server HOST:9092 --partitions 1")
        .succeeds()
        .prints("Created topic quickstart-events.\n");
    terminal
        .run("bin/kafka-topics.sh --bootstrap-server HOST:9092 --list")
        .succeeds()
        .prints("quickstart-events\ntest\n");
    round_trip(&terminal, "test", 1);
    round_trip(&terminal, "quickstart-events", 1);
}

/// Both quick starts, with the files that Kafka ships: through ZooKeeper, and without.
#[test]
fn quick_starts_with_kafkas_own_files() {
    for (properties, node, data) in [
        (OF_KAFKA_2_8, 0, "kafka-logs"),
        (OF_KAFKA_4, 1, "kraft-combined-logs"),
    ] {
        let terminal = Terminal::new();
        terminal.file("config/server.properties", properties);
        terminal.file(
            "config/zookeeper.properties",
            "dataDir=zookeeper\nclientPort=2181\nmaxClientCnxns=0\nadmin.enableServer=false\n",
        );
        terminal
            .run("bin/zookeeper-server-start.sh config/zookeeper.properties")
            .succeeds()
            .complains("no ZooKeeper is needed");
        let start = "bin/kafka-server-start.sh config/server.properties";
        let broker = terminal.start_broker(start);
        for topic in ["quickstart-events", "myevent", "blog-post"] {
            terminal
                .run(&format!(
                    "bin/kafka-topics.sh --create --topic {topic} --bootstrap-server HOST:9092"
                ))
                .succeeds()
                .prints(&format!("Created topic {topic}.\n"));
            round_trip(&terminal, topic, node);
        }
        terminal
            .run(&format!(
                "ls {data}/myevent-0/00000000000000000000.log {data}/meta.properties"
            ))
            .succeeds();
        // What was written is there after a restart.
        broker.stop();
        let _broker = terminal.start_broker(start);
        terminal
            .run("bin/kafka-console-consumer.sh --bootstrap-server HOST:9092 --topic myevent --from-beginning --max-messages 2")
            .succeeds()
            .prints("one event\nanother event\n");
    }
}

/// Describe, produce by the old flag, consume from the beginning.
fn round_trip(terminal: &Terminal, topic: &str, node: i32) {
    let text = terminal
        .run(&format!(
            "bin/kafka-topics.sh --describe --topic {topic} --bootstrap-server HOST:9092"
        ))
        .succeeds()
        .stdout();
    assert!(text.starts_with(&format!("Topic: {topic}\tTopicId: ")), "{text}");
    assert!(
        text.contains("\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: "),
        "{text}"
    );
    let place = format!("\n\tTopic: {topic}\tPartition: 0\tLeader: {node}\tReplicas: {node}\tIsr: {node}\t");
    assert!(text.contains(&place), "{text}");
    terminal
        .run_with_input(
            &format!("bin/kafka-console-producer.sh --broker-list HOST:9092 --topic {topic}"),
            "one event\nanother event\n",
        )
        .succeeds();
    let consumer = terminal.start(&format!(
        "bin/kafka-console-consumer.sh --bootstrap-server HOST:9092 --topic {topic} --from-beginning"
    ));
    consumer.prints("one event\nanother event\n");
}

/// A topic of three partitions: where each is, and a producer and a consumer that know no partitions.
#[test]
fn three_partitions_have_a_leader_replicas_and_replicas_in_sync() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker(BROKER);
    let topics = "kafka-topics --zookeeper HOST:2181 --topic first-test";
    terminal
        .run(&format!(
            "{topics} --create --partitions 3 --replication-factor 1"
        ))
        .succeeds()
        .prints("Created topic first-test.\n");
    let text = terminal.run(&format!("{topics} --describe")).succeeds().stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].contains("\tPartitionCount: 3\tReplicationFactor: 1\t"),
        "{text}"
    );
    for (partition, line) in lines[1..].iter().enumerate() {
        let place = format!("\tTopic: first-test\tPartition: {partition}\tLeader: 1\tReplicas: 1\tIsr: 1\t");
        assert!(line.starts_with(&place), "{text}");
    }
    assert_eq!(lines.len(), 4, "{text}");
    let consumer = terminal
        .start("kafka-console-consumer --bootstrap-server HOST:9092 --topic first-test --from-beginning");
    for line in ["first\n", "second\n", "third\n"] {
        terminal
            .run_with_input(
                "kafka-console-producer --broker-list HOST:9092 --topic first-test",
                line,
            )
            .succeeds();
        consumer.prints_at_last(line);
    }
    terminal
        .run("kafka-topics --zookeeper HOST:2181 --create --topic too-many --partitions 1 --replication-factor 2")
        .exits(1)
        .prints("Error while executing topic command : Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.\n");
}
