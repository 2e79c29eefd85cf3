//! Nodes of one cluster in processes of their own, as tutorials with several brokers start them: `kafka-server-start` once for
//! each.

use crate::support::terminal::{Program, Terminal};
use crate::support::wait::wait_until;

/// How the settings of a node name its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    ZooKeeper,
    Kraft,
}

/// A terminal with `config/server-0.properties` and so on, for three nodes.
fn terminal(spelling: Spelling) -> Terminal {
    let terminal = Terminal::new();
    for id in 0..3 {
        let of_cluster = match spelling {
            Spelling::ZooKeeper => format!("broker.id={id}\nzookeeper.connect=HOST:2181\n"),
            Spelling::Kraft => format!(
                "node.id={id}\nprocess.roles=broker,controller\ncontroller.listener.names=CONTROLLER\n\
                 controller.quorum.voters=0@HOST:19092,1@HOST:19093,2@HOST:19094\n"
            ),
        };
        let controller = match spelling {
            Spelling::ZooKeeper => String::new(),
            Spelling::Kraft => format!(",CONTROLLER://HOST:{}", 19092 + id),
        };
        let properties = format!(
            "{of_cluster}listeners=PLAINTEXT://HOST:{}{controller}\nlog.dirs=kafka-logs-{id}\n\
             offsets.topic.num.partitions=3\noffsets.topic.replication.factor=3\ngroup.initial.rebalance.delay.ms=0\n",
            9092 + id
        );
        terminal.file(&format!("config/server-{id}.properties"), &properties);
    }
    terminal
}

fn start(terminal: &Terminal, id: i32) -> Program {
    let broker = terminal.start_broker(&format!(
        "bin/kafka-server-start.sh config/server-{id}.properties"
    ));
    broker.prints_until("tarted (kafka.server.");
    broker
}

/// What `kafka-topics --describe` says of the only partition of a topic, asked of any node that answers.
fn described(terminal: &Terminal, ports: &str) -> String {
    let servers: Vec<String> = ports.split(' ').map(|port| format!("HOST:{port}")).collect();
    let line = format!(
        "bin/kafka-topics.sh --describe --topic t --bootstrap-server {}",
        servers.join(",")
    );
    let text = terminal.run(&line).succeeds().stdout();
    text.lines().last().unwrap_or_default().to_owned()
}

fn field(described: &str, name: &str) -> String {
    let fields = described.split('\t');
    let mut values = fields.filter_map(|field| field.trim().strip_prefix(name));
    values.next().unwrap_or_default().trim().to_owned()
}

fn in_sync(terminal: &Terminal, ports: &str) -> String {
    let mut ids: Vec<String> = field(&described(terminal, ports), "Isr: ")
        .split(',')
        .map(str::to_owned)
        .collect();
    ids.sort();
    ids.join(",")
}

/// Makes the topic t, of one partition on these nodes, as in `1:2:0`.
fn create(terminal: &Terminal, nodes: &str) {
    terminal
        .run(&format!(
            "bin/kafka-topics.sh --create --topic t --replica-assignment {nodes} --bootstrap-server HOST:9092"
        ))
        .succeeds()
        .prints("Created topic t.\n");
}

fn send(terminal: &Terminal, port: u16, text: &str) {
    let line = format!(
        "bin/kafka-console-producer.sh --topic t --request-required-acks all --bootstrap-server HOST:{port}"
    );
    terminal.run_with_input(&line, text).succeeds();
}

#[track_caller]
fn expect_records(terminal: &Terminal, port: u16, text: &str) {
    let count = text.lines().count();
    terminal
        .run(&format!(
            "bin/kafka-console-consumer.sh --topic t --from-beginning --max-messages {count} --bootstrap-server HOST:{port}"
        ))
        .succeeds()
        .prints(text);
}

#[test]
fn three_processes_are_one_cluster_and_one_that_is_killed_is_missed_and_comes_back() {
    for spelling in [Spelling::ZooKeeper, Spelling::Kraft] {
        let terminal = terminal(spelling);
        let _first = start(&terminal, 0);
        let second = start(&terminal, 1);
        let _third = start(&terminal, 2);
        create(&terminal, "1:2:0");
        assert_eq!(in_sync(&terminal, "9092"), "0,1,2");
        send(&terminal, 9092, "one\ntwo\n");
        second.kill();
        wait_until("another leader", || {
            field(&described(&terminal, "9092"), "Leader: ") == "2"
        });
        assert_eq!(in_sync(&terminal, "9094"), "0,2");
        send(&terminal, 9094, "three\n");
        let _second = start(&terminal, 1);
        wait_until("all in sync", || in_sync(&terminal, "9093") == "0,1,2");
        expect_records(&terminal, 9093, "one\ntwo\nthree\n");
    }
}

#[test]
fn the_first_process_stops_its_node_and_goes_on_for_the_others() {
    let terminal = terminal(Spelling::ZooKeeper);
    let first = start(&terminal, 0);
    let second = start(&terminal, 1);
    create(&terminal, "1:0");
    send(&terminal, 9092, "one\n");
    first.terminate();
    first.says("goes on for the other nodes");
    assert_eq!(in_sync(&terminal, "9093"), "1");
    send(&terminal, 9093, "two\n");
    let again = start(&terminal, 0);
    again.says(&format!("run by process {}", first.pid()));
    wait_until("both in sync", || in_sync(&terminal, "9092") == "0,1");
    second.stop();
    wait_until("the other leads", || {
        field(&described(&terminal, "9092"), "Leader: ") == "0"
    });
    expect_records(&terminal, 9092, "one\ntwo\n");
    again.stop();
    first.leave();
}

#[test]
fn any_node_can_be_the_first_to_start_again() {
    let terminal = terminal(Spelling::Kraft);
    let all = [0, 1, 2].map(|id| start(&terminal, id));
    create(&terminal, "1:2:0");
    send(&terminal, 9092, "one\ntwo\n");
    // The third is the last in sync.
    let [first, second, third] = all;
    first.terminate();
    first.says("goes on for the other nodes");
    second.stop();
    third.stop();
    first.leave();
    let _third = start(&terminal, 2);
    wait_until("a leader", || {
        field(&described(&terminal, "9094"), "Leader: ") == "2"
    });
    let _first = start(&terminal, 0);
    wait_until("both in sync", || in_sync(&terminal, "9092") == "0,2");
    expect_records(&terminal, 9092, "one\ntwo\n");
}

#[test]
fn the_handles_of_a_cluster_that_was_killed_say_so() {
    let terminal = terminal(Spelling::ZooKeeper);
    let first = start(&terminal, 0);
    let second = start(&terminal, 1);
    let pid = first.pid();
    first.kill();
    let said = second.ends();
    let words = format!("process {pid}, which ran node 1 and its cluster, has ended");
    assert!(said.contains(&words), "{said}");
}

#[test]
fn a_node_runs_once_and_a_log_dir_is_of_one_cluster() {
    let terminal = terminal(Spelling::ZooKeeper);
    let first = start(&terminal, 0);
    let once_more = "bin/kafka-server-start.sh config/server-0.properties";
    terminal
        .run(once_more)
        .exits(1)
        .complains("node 0 of this cluster runs already");
    first.stop();
    let _alone = start(&terminal, 1);
    // Node 0 began a cluster of its own.
    terminal.run(once_more).exits(1).complains("belongs to cluster");
}

/// A controller and a broker with one role each, the broker first.
#[test]
fn a_broker_waits_for_its_controller() {
    let terminal = Terminal::new();
    let of_both = "controller.listener.names=CONTROLLER\ncontroller.quorum.bootstrap.servers=HOST:9093\n";
    terminal.file(
        "config/controller.properties",
        &format!("process.roles=controller\nnode.id=1\nlisteners=CONTROLLER://HOST:9093\nlog.dirs=controller-logs\n{of_both}"),
    );
    terminal.file(
        "config/broker.properties",
        &format!("process.roles=broker\nnode.id=2\nlisteners=PLAINTEXT://HOST:9092\nlog.dirs=broker-logs\n{of_both}"),
    );
    let broker = terminal.start("bin/kafka-server-start.sh config/broker.properties");
    broker.says("waiting for a controller of controller.quorum.bootstrap.servers=");
    let controller = terminal.start("bin/kafka-server-start.sh config/controller.properties");
    controller.says("controller ready");
    broker.says("mini broker ready");
    terminal
        .run("bin/kafka-topics.sh --create --topic t --bootstrap-server HOST:9092")
        .succeeds();
    let quorum = terminal
        .run("bin/kafka-metadata-quorum.sh --bootstrap-server HOST:9092 describe --replication")
        .succeeds()
        .stdout();
    let roles: Vec<(&str, &str)> = quorum
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next_back()?))
        })
        .collect();
    assert_eq!(roles, [("1", "Leader"), ("2", "Observer")], "{quorum}");
    broker.stop();
    controller.stop();
}

#[test]
fn the_nodes_of_a_cluster_vote_and_one_that_died_lags() {
    let terminal = terminal(Spelling::Kraft);
    let _first = start(&terminal, 0);
    let second = start(&terminal, 1);
    let status = || {
        terminal
            .run("bin/kafka-metadata-quorum.sh --bootstrap-server HOST:9092 describe --status")
            .succeeds()
            .stdout()
    };
    let before = status();
    assert!(before.contains("LeaderId:               0\n"), "{before}");
    // The third has not come yet.
    assert!(before.contains("CurrentObservers:       []"), "{before}");
    for port in 19092..=19094 {
        let endpoint = format!("CONTROLLER://{}:{port}", terminal.host());
        assert!(before.contains(&endpoint), "{before}");
    }
    let _third = start(&terminal, 2);
    assert!(status().contains("MaxFollowerLag:         0\n"), "{}", status());
    second.kill();
    wait_until("the death is known", || {
        terminal
            .run("bin/kafka-topics.sh --create --if-not-exists --topic more --bootstrap-server HOST:9092")
            .succeeds();
        !status().contains("MaxFollowerLag:         0\n")
    });
}
