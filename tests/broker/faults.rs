//! Does the broker fail as it is told to, with answers that clients take for real ones?

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use kafka_protocol::messages as m;
use kafka_protocol::protocol::{Request, StrBytes};
use kafkit::broker::apis::APIS;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};

const NOT_LEADER: i16 = 6;

/// A broker with fault flags, and commands for it.
struct Faulty {
    cluster: Cluster,
    suite: Suite,
}

impl Faulty {
    fn with(flags: &[&str]) -> Self {
        Self {
            cluster: Cluster::start_with_flags(flags, &[]),
            suite: Suite::new(),
        }
    }

    fn run(&self, words: &str, input: &str) -> Outcome {
        let address = self.cluster.bootstrap();
        let words = words.split(' ').chain(["-b", &address]);
        self.suite.run_with_input(words, input)
    }

    fn fault(&self, words: &str) -> Outcome {
        let dir = self.cluster.data_dir();
        let dir = dir.to_str().unwrap();
        let words = ["broker", "fault"].into_iter().chain(words.split(' '));
        self.suite.run(words.chain(["--data-dir", dir]))
    }

    /// How many requests the rule of this id has hit.
    fn hits(&self, id: u64) -> u64 {
        let json = self.fault("list -o json").succeeds().stdout();
        let rules: Value = serde_json::from_str(&json).unwrap();
        let rule = rules.as_array().unwrap().iter().find(|rule| rule["id"] == id);
        rule.unwrap()["hit"].as_u64().unwrap()
    }

    fn connect(&self) -> Connection {
        let address = HostPort::parse_list(&self.cluster.bootstrap()).unwrap().remove(0);
        let options = ConnectionOptions {
            request_timeout: Duration::from_secs(60),
            ..ConnectionOptions::default()
        };
        Connection::open(&address, &options).unwrap()
    }
}

#[test]
fn a_producer_tries_again_after_errors_that_pass() {
    let faulty = Faulty::with(&["--fail", "Produce:topic=t:NOT_LEADER_OR_FOLLOWER:3"]);
    faulty.run("produce other -q", "x\n").succeeds();
    assert_eq!(faulty.hits(1), 0, "another topic");
    faulty.run("produce t -q", "a\nb\n").succeeds();
    assert_eq!(faulty.hits(1), 3);
    faulty.run("consume t -e -q", "").succeeds().prints("a\nb\n");
}

#[test]
fn an_error_that_stays_is_told() {
    let faulty = Faulty::with(&["--fail", "Produce:TOPIC_AUTHORIZATION_FAILED"]);
    faulty.run("topics create t -q", "").succeeds();
    let refused = faulty.run("produce t -q", "a\n");
    assert!(refused.stderr.contains("authori"), "{refused:?}");
    assert_ne!(refused.code, Some(0));
    assert_eq!(faulty.fault("clear").succeeds().stderr, "cleared 1 fault rule\n");
    faulty.run("produce t -q", "b\n").succeeds();
    faulty.run("consume t -e -q", "").succeeds().prints("b\n");
}

#[test]
fn an_acknowledgement_that_is_lost_makes_no_second_record() {
    for lost in ["--close", "--drop"] {
        let faulty = Faulty::with(&[]);
        faulty.run("topics create t -q", "").succeeds();
        let id = faulty.fault(&format!("add {lost} Produce:handled:1")).succeeds();
        assert_eq!(id.stdout(), "1\n");
        let produce = "produce t -q -X enable.idempotence=true -X request.timeout.ms=2000";
        faulty.run(produce, "a\nb\n").succeeds();
        assert_eq!(faulty.hits(1), 1, "{lost}");
        faulty.run("consume t -e -q", "").succeeds().prints("a\nb\n");
    }
}

#[test]
fn a_consumer_reads_on_after_errors_that_pass() {
    let faulty = Faulty::with(&[
        "--fail",
        "Fetch:topic=t:NOT_LEADER_OR_FOLLOWER:2",
        "--delay",
        "Fetch:1ms",
    ]);
    let lines: Vec<String> = (0..2000).map(|line| line.to_string()).collect();
    let lines = lines.join("\n") + "\n";
    faulty.run("produce t -q", &lines).succeeds();
    faulty.run("consume t -e -q", "").succeeds().prints(&lines);
    assert_eq!(faulty.hits(1), 2);
    // The engine of groups has another way to fetch.
    faulty.fault("clear 1").succeeds();
    faulty
        .fault("add --fail Fetch:topic=t:NOT_LEADER_OR_FOLLOWER:2")
        .succeeds()
        .prints("3\n");
    faulty.run("consume t -e -q -g g", "").succeeds().prints(&lines);
    assert_eq!(faulty.hits(3), 2);
}

#[test]
fn a_fetch_session_fails_and_goes_on() {
    let faulty = Faulty::with(&[]);
    faulty.run("topics create t -q", "").succeeds();
    let mut connection = faulty.connect();
    let mut fetch = |session_id: i32, epoch: i32| {
        let partition = m::fetch_request::FetchPartition::default().with_partition_max_bytes(1000);
        let topic = m::fetch_request::FetchTopic::default()
            .with_topic(m::TopicName(text("t")))
            .with_partitions(vec![partition]);
        let request = m::FetchRequest::default()
            .with_session_id(session_id)
            .with_session_epoch(epoch)
            // What has not changed is not named again.
            .with_topics(if epoch == 0 { vec![topic] } else { Vec::new() });
        let answer = connection.send_as(&request, 12).unwrap();
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let codes: Vec<i16> = partitions.map(|partition| partition.error_code).collect();
        (answer.session_id, answer.error_code, codes)
    };
    let (session, code, codes) = fetch(0, 0);
    assert_eq!((code, codes), (0, vec![0]));
    faulty
        .fault("add --fail Fetch:topic=t:NOT_LEADER_OR_FOLLOWER:1")
        .succeeds();
    assert_eq!(fetch(session, 1), (session, 0, vec![NOT_LEADER]));
    let (_, code, codes) = fetch(session, 2);
    assert_eq!((code, codes.contains(&NOT_LEADER)), (0, false));
}

#[test]
fn a_group_joins_although_its_coordinator_moves() {
    let faulty = Faulty::with(&[
        "--fail",
        "JoinGroup:NOT_COORDINATOR:2",
        "--fail",
        "FindCoordinator:COORDINATOR_NOT_AVAILABLE:1",
        "--fail",
        "OffsetFetch:COORDINATOR_LOAD_IN_PROGRESS:1",
        "--close",
        "Heartbeat:1",
    ]);
    faulty.run("produce t -q", "a\n").succeeds();
    faulty.run("consume t -e -q -g g", "").succeeds().prints("a\n");
    for (id, hits) in [(1, 2), (2, 1), (3, 1)] {
        assert_eq!(faulty.hits(id), hits, "rule {id}");
    }
}

#[test]
fn a_delay_is_waited_for() {
    let faulty = Faulty::with(&["--delay", "CreateTopics:400ms"]);
    let began = Instant::now();
    faulty.run("topics create t -q", "").succeeds();
    assert!(began.elapsed() >= Duration::from_millis(400));
}

#[test]
fn the_same_seed_hits_the_same_requests() {
    let hits = |seed: &str| {
        let faulty = Faulty::with(&["--close", "ListGroups:50%", "--fault-seed", seed]);
        let hit = |_| {
            let mut connection = faulty.connect();
            u8::from(connection.send(&m::ListGroupsRequest::default()).is_err())
        };
        (0..24).map(hit).collect::<Vec<u8>>()
    };
    let first = hits("7");
    assert_eq!(first, hits("7"));
    assert!(first.contains(&0) && first.contains(&1), "{first:?}");
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let suite = Suite::new();
    let refused = suite.run(["broker", "--fail", "Prodce:NOT_CONTROLLER"]).exits(2);
    refused.complains(
        "--fail does not take \"Prodce:NOT_CONTROLLER\": there is no API Prodce; did you mean Produce?",
    );
    suite
        .run(["broker", "--as-version", "0.8"])
        .exits(2)
        .complains("0.11 to 4.3");
    let dir = suite.home().join("nowhere");
    let list = ["broker", "fault", "list", "--data-dir", dir.to_str().unwrap()];
    suite.run(list).exits(5).complains("no mini broker runs on");
    let faulty = Faulty::with(&[]);
    faulty.fault("add").exits(2).complains("no rule to add");
    faulty
        .fault("clear 7")
        .exits(5)
        .complains("there is no fault rule 7");
}

/// A test suite as another program would run it: a broker of its own, whose faults it sets.
#[test]
fn a_command_with_a_broker_of_its_own_sets_faults() {
    let suite = Suite::new();
    let kafkit = env!("CARGO_BIN_EXE_kafkit");
    let script = format!(
        "set -e; {kafkit} broker fault add --fail Produce:NOT_LEADER_OR_FOLLOWER:2 > /dev/null
         echo hello | {kafkit} produce t -q; {kafkit} consume t -e -q; {kafkit} broker fault list -o tsv -q"
    );
    let words = ["broker", "--", "sh", "-c", &script];
    let printed = suite.run(words).succeeds().stdout();
    assert_eq!(
        printed,
        "hello\nID\tRULE\tMATCHED\tHIT\n1\tfail Produce:NOT_LEADER_OR_FOLLOWER:2\t3\t2\n"
    );
}

/// Every node fails as the rules say, and one alone where a rule names it.
#[test]
fn faults_hold_on_every_node_or_on_one() {
    let faulty = Faulty::with(&["--nodes", "3", "--fail", "ListGroups:COORDINATOR_NOT_AVAILABLE"]);
    let list_groups = |fails: &dyn Fn(usize) -> bool| {
        let addresses = HostPort::parse_list(&faulty.cluster.bootstrap()).unwrap();
        for (place, address) in addresses.iter().enumerate() {
            let mut connection = Connection::open(address, &ConnectionOptions::default()).unwrap();
            let answer = connection.send(&m::ListGroupsRequest::default()).unwrap();
            assert_eq!(answer.error_code != 0, fails(place + 1), "node {}", place + 1);
        }
    };
    list_groups(&|_| true);
    assert_eq!(faulty.hits(1), 3);
    faulty.fault("clear").succeeds();
    faulty
        .fault("add --fail ListGroups:COORDINATOR_NOT_AVAILABLE:node=2")
        .succeeds();
    list_groups(&|node| node == 2);
    faulty.cluster.node("kill", 2);
    faulty.cluster.node("start", 2);
    list_groups(&|node| node == 2);
}

/// Nodes and faults are told over the same socket, which a broker of one node has too.
#[test]
fn a_single_node_is_shown_and_not_stopped() {
    let faulty = Faulty::with(&[]);
    let dir = faulty.cluster.data_dir();
    let node = |verb: &[&str]| {
        let words = ["broker", "node"].iter().chain(verb).copied();
        faulty
            .suite
            .run(words.chain(["--data-dir", dir.to_str().unwrap(), "-o", "json"]))
    };
    let nodes: Value = serde_json::from_str(&node(&["list"]).succeeds().stdout()).unwrap();
    assert_eq!(nodes[0]["state"], "running");
    for verb in ["stop", "kill", "pause", "start", "resume"] {
        node(&[verb, "1"]).exits(1).complains("a single node");
    }
    faulty.run("topics create t -q", "").succeeds();
}

#[test]
fn what_is_no_question_is_refused() {
    let faulty = Faulty::with(&[]);
    let dir = std::fs::File::open(faulty.cluster.data_dir()).unwrap();
    let socket = format!("/proc/self/fd/{}/.kafkit-control.sock", dir.as_raw_fd());
    for line in ["", "{}\n", "\u{0}\n", "list\n", "{\"add_faults\":[7]}\n"] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.contains("does not know this question"), "{line:?}: {reply}");
    }
}

#[test]
fn who_waits_for_the_broker_is_told_where_it_is() {
    let cluster = Cluster::start_with_flags(&["--ready-file", "ready.json", "--log"], &[]);
    let ready = cluster.data_dir().parent().unwrap().join("ready.json");
    let ready: Value = serde_json::from_slice(&std::fs::read(ready).unwrap()).unwrap();
    assert_eq!(ready["bootstrap_servers"], cluster.bootstrap());
    assert_eq!(ready["pid"], cluster.pid());
    let suite = Suite::new();
    let words = [
        "produce",
        "t",
        "-q",
        "-b",
        &cluster.bootstrap(),
        "-X",
        "client.id=app-1",
    ];
    suite.run_with_input(words, "a\n").succeeds();
    let pattern =
        r"^Produce v\d+ from app-1 \(127\.0\.0\.1\), t: \d+ bytes, answered with \d+ bytes in \d+\.\d ms$";
    let pattern = regex::Regex::new(pattern).unwrap();
    crate::support::wait::wait_until("a line about the request", || {
        cluster.said().iter().any(|line| pattern.is_match(line))
    });
}

#[test]
fn the_log_says_which_node_was_asked_and_which_rules_have_hit() {
    let rule = "ListGroups:COORDINATOR_NOT_AVAILABLE:node=2";
    let flags = [
        "--nodes",
        "3",
        "--log",
        "--fail",
        rule,
        "--delay",
        "ListGroups:1ms",
    ];
    let cluster = Cluster::start_with_flags(&flags, &[]);
    let suite = Suite::new();
    let outcome = suite.run(["groups", "list", "-b", &cluster.bootstrap(), "--timeout", "5s"]);
    assert!(
        outcome.stderr.contains("COORDINATOR_NOT_AVAILABLE"),
        "{outcome:?}"
    );
    let line = |node: i32, rules: &str| {
        let words =
            format!(r"^node {node}: ListGroups v\d+ from \S+ .* in \d+\.\d ms, by fault rule {rules}$");
        let pattern = regex::Regex::new(&words).unwrap();
        crate::support::wait::wait_until("a line about the request", || {
            cluster.said().iter().any(|line| pattern.is_match(line))
        });
    };
    let delay = r"2 \(delay ListGroups:1ms\)";
    line(
        2,
        &format!(r"1 \(fail ListGroups:COORDINATOR_NOT_AVAILABLE:\S+\), {delay}"),
    );
    line(1, delay);
    line(3, delay);
}

#[test]
fn old_releases_have_old_versions_and_clients_get_along() {
    for (release, fetch, newest_absent) in [
        ("0.11", "4 to 5", true),
        ("2.8", "4 to 12", true),
        ("4.0", "4 to 17", false),
    ] {
        let faulty = Faulty::with(&["--as-version", release]);
        let address = faulty.cluster.bootstrap();
        let served = ["kafka-broker-api-versions", "--bootstrap-server", &address];
        let served = faulty.suite.run(served).succeeds().stdout();
        assert!(
            served.contains(&format!("Fetch(1): {fetch} ")),
            "{release}: {served}"
        );
        let heartbeat = served
            .lines()
            .find(|line| line.contains("ConsumerGroupHeartbeat(68)"));
        assert_eq!(
            heartbeat.is_none_or(|line| line.contains("UNSUPPORTED")),
            newest_absent,
            "{release}"
        );
        faulty.run("topics create t --partitions 2 -q", "").succeeds();
        faulty.run("produce t -q", "a\n").succeeds();
        faulty.run("consume t -e -q", "").succeeds().prints("a\n");
        faulty.run("consume t -e -q -g g", "").succeeds().prints("a\n");
        let group = faulty.run("describe group g -o json", "").succeeds().stdout();
        assert!(group.contains("\"lag\": 0"), "{release}: {group}");
    }
}

/// Sends a request in every served version, and returns the answers as text.
fn in_every_version<R: Request>(connection: &mut Connection, request: impl Fn(i16) -> R) -> Vec<String>
where
    R::Response: std::fmt::Debug,
{
    let api = APIS.iter().find(|api| api.key as i16 == R::KEY).unwrap();
    let mut answers = Vec::new();
    for version in api.decoded() {
        // Versions that the crate with the messages lacks are tested elsewhere.
        if version > R::VERSIONS.max {
            continue;
        }
        let answer = connection.send_as(&request(version), version);
        answers.push(format!("{:?} v{version}: {:?}", api.key, answer.unwrap()));
    }
    answers
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic() -> m::TopicName {
    m::TopicName(text("t"))
}

fn group() -> m::GroupId {
    m::GroupId(text("g"))
}

/// Of leaders and transaction coordinators.
fn answers_about_partitions(connection: &mut Connection) -> Vec<String> {
    let mut answers = Vec::new();
    answers.extend(in_every_version(connection, |_| {
        let partition = m::list_offsets_request::ListOffsetsPartition::default();
        let wanted = m::list_offsets_request::ListOffsetsTopic::default()
            .with_name(topic())
            .with_partitions(vec![partition]);
        m::ListOffsetsRequest::default().with_topics(vec![wanted])
    }));
    answers.extend(in_every_version(connection, |_| {
        let wanted = m::metadata_request::MetadataRequestTopic::default().with_name(Some(topic()));
        m::MetadataRequest::default().with_topics(Some(vec![wanted]))
    }));
    answers.extend(in_every_version(connection, |_| {
        m::InitProducerIdRequest::default()
    }));
    answers.extend(in_every_version(connection, |_| m::EndTxnRequest::default()));
    answers.extend(in_every_version(connection, |_| {
        m::AddOffsetsToTxnRequest::default()
    }));
    answers.extend(in_every_version(connection, |version| {
        let wanted = m::add_partitions_to_txn_request::AddPartitionsToTxnTopic::default()
            .with_name(topic())
            .with_partitions(vec![0]);
        let request = m::AddPartitionsToTxnRequest::default();
        if version < 4 {
            return request.with_v3_and_below_topics(vec![wanted]);
        }
        let transaction = m::add_partitions_to_txn_request::AddPartitionsToTxnTransaction::default()
            .with_topics(vec![wanted]);
        request.with_transactions(vec![transaction])
    }));
    answers.extend(in_every_version(connection, |_| {
        let partition = m::txn_offset_commit_request::TxnOffsetCommitRequestPartition::default();
        let wanted = m::txn_offset_commit_request::TxnOffsetCommitRequestTopic::default()
            .with_name(topic())
            .with_partitions(vec![partition]);
        m::TxnOffsetCommitRequest::default().with_topics(vec![wanted])
    }));
    answers
}

/// Of group coordinators.
fn answers_about_groups(connection: &mut Connection) -> Vec<String> {
    let mut answers = Vec::new();
    answers.extend(in_every_version(connection, |version| {
        let request = m::FindCoordinatorRequest::default();
        match version {
            ..4 => request.with_key(text("g")),
            _ => request.with_coordinator_keys(vec![text("g")]),
        }
    }));
    answers.extend(in_every_version(connection, |version| {
        let request = m::OffsetFetchRequest::default();
        if version >= 8 {
            let wanted = m::offset_fetch_request::OffsetFetchRequestGroup::default().with_group_id(group());
            return request.with_groups(vec![wanted]);
        }
        let wanted = m::offset_fetch_request::OffsetFetchRequestTopic::default()
            .with_name(topic())
            .with_partition_indexes(vec![0]);
        request.with_group_id(group()).with_topics(Some(vec![wanted]))
    }));
    answers.extend(in_every_version(connection, |version| {
        let partition = m::offset_commit_request::OffsetCommitRequestPartition::default();
        let wanted =
            m::offset_commit_request::OffsetCommitRequestTopic::default().with_partitions(vec![partition]);
        let wanted = if version < 10 {
            wanted.with_name(topic())
        } else {
            wanted
        };
        m::OffsetCommitRequest::default()
            .with_group_id(group())
            .with_topics(vec![wanted])
    }));
    answers.extend(in_every_version(connection, |_| {
        m::JoinGroupRequest::default().with_group_id(group())
    }));
    answers.extend(in_every_version(connection, |_| m::HeartbeatRequest::default()));
    answers.extend(in_every_version(connection, |_| m::SyncGroupRequest::default()));
    answers.extend(in_every_version(connection, |_| m::LeaveGroupRequest::default()));
    answers.extend(in_every_version(connection, |_| m::ListGroupsRequest::default()));
    answers.extend(in_every_version(connection, |_| {
        m::DescribeGroupsRequest::default().with_groups(vec![group()])
    }));
    answers.extend(in_every_version(connection, |_| {
        m::DeleteGroupsRequest::default().with_groups_names(vec![group()])
    }));
    answers.extend(in_every_version(connection, |_| {
        m::ConsumerGroupHeartbeatRequest::default()
    }));
    answers
}

/// Of whoever administers.
fn answers_about_the_cluster(connection: &mut Connection) -> Vec<String> {
    let mut answers = Vec::new();
    answers.extend(in_every_version(connection, |_| {
        let wanted = m::create_topics_request::CreatableTopic::default().with_name(topic());
        m::CreateTopicsRequest::default().with_topics(vec![wanted])
    }));
    answers.extend(in_every_version(connection, |version| {
        let request = m::DeleteTopicsRequest::default();
        if version < 6 {
            return request.with_topic_names(vec![topic()]);
        }
        let wanted = m::delete_topics_request::DeleteTopicState::default().with_name(Some(topic()));
        request.with_topics(vec![wanted])
    }));
    answers.extend(in_every_version(connection, |_| {
        let wanted = m::create_partitions_request::CreatePartitionsTopic::default().with_name(topic());
        m::CreatePartitionsRequest::default().with_topics(vec![wanted])
    }));
    answers.extend(in_every_version(connection, |_| {
        let partition = m::delete_records_request::DeleteRecordsPartition::default();
        let wanted = m::delete_records_request::DeleteRecordsTopic::default()
            .with_name(topic())
            .with_partitions(vec![partition]);
        m::DeleteRecordsRequest::default().with_topics(vec![wanted])
    }));
    answers.extend(in_every_version(connection, |_| {
        let resource = m::describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("t"));
        m::DescribeConfigsRequest::default().with_resources(vec![resource])
    }));
    answers.extend(in_every_version(connection, |_| {
        m::DescribeClusterRequest::default()
    }));
    answers.extend(in_every_version(connection, |_| m::ApiVersionsRequest::default()));
    answers
}

#[test]
fn every_answer_has_the_error_where_its_clients_look_for_it() {
    let faulty = Faulty::with(&[]);
    faulty.run("topics create t -q", "").succeeds();
    let mut connection = faulty.connect();
    faulty.fault("add --fail *:NOT_LEADER_OR_FOLLOWER").succeeds();
    let answers = [
        answers_about_partitions(&mut connection),
        answers_about_groups(&mut connection),
        answers_about_the_cluster(&mut connection),
    ]
    .concat();
    assert!(answers.len() > 100, "{} answers", answers.len());
    let code = format!("error_code: {NOT_LEADER}");
    for answer in &answers {
        assert!(answer.contains(&code), "{answer}");
    }
}
