//! Does `consume --json | produce --json` give back the same records?

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

#[test]
fn a_copy_through_json_loses_nothing() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let bootstrap = cluster.bootstrap();
    for topic in ["from", "to"] {
        suite
            .run(["topics", "create", "-b", &bootstrap, topic, "--partitions", "2"])
            .succeeds();
    }
    // Each of these differs from its neighbour in a way that a careless copy would lose.
    let records = concat!(
        r#"{"partition":0,"timestamp":1700000000001,"key":null,"value":""}"#,
        "\n",
        r#"{"partition":0,"timestamp":1700000000002,"key":"","value":null}"#,
        "\n",
        r#"{"partition":1,"timestamp":1700000000003,"key_base64":"/w==","value":"line\nend"}"#,
        "\n",
        r#"{"partition":1,"timestamp":1700000000004,"headers":[{"name":"a","value":"1"},{"name":"a","value":null},{"name":"b","value_base64":"gA=="}],"key":"k","value":"열쇠"}"#,
        "\n",
    );
    suite
        .run_with_input(["produce", "-b", &bootstrap, "from", "--json"], records)
        .succeeds();
    let original = suite
        .run(["consume", "-b", &bootstrap, "from", "-e", "--json"])
        .succeeds()
        .stdout();
    suite
        .run_with_input(["produce", "-b", &bootstrap, "to", "--json"], &original)
        .succeeds();
    let copy = suite
        .run(["consume", "-b", &bootstrap, "to", "-e", "--json"])
        .succeeds()
        .stdout();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let renamed = original.replace("\"topic\":\"from\"", "\"topic\":\"to\"");
    assert_eq!(sorted(&copy), sorted(&renamed));
    assert_eq!(original.lines().count(), 4);
    assert!(original.contains(r#""key":null,"value":"""#) && original.contains(r#""key":"","value":null"#));
    assert!(original.contains(
        r#"{"name":"a","value":"1"},{"name":"a","value":null},{"name":"b","value_base64":"gA=="}"#
    ));
}
