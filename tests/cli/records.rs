//! `kafkit records delete` and `kafkit offsets`, on the mini broker.

use serde_json::{Value, json};

use crate::support::shell::Shell;
use crate::support::suite::Outcome;

struct Orders {
    shell: Shell,
}

impl Orders {
    /// Two partitions with ten records each, a record a second from noon on.
    fn new() -> Self {
        let orders = Self { shell: Shell::new() };
        orders
            .run(&["topics", "create", "orders", "-p", "2", "-q"])
            .succeeds();
        let lines: Vec<String> = (0..20)
            .map(|record| {
                let time = 1_577_880_000_000_i64 + record / 2 * 1000;
                format!(
                    r#"{{"partition":{},"value":"{record}","timestamp":{time}}}"#,
                    record % 2
                )
            })
            .collect();
        let args = ["orders", "--json", "-q"];
        orders.shell.produce(&args, lines.join("\n") + "\n").succeeds();
        orders
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.shell.kafkit(words)
    }

    /// The first offset of each partition.
    fn firsts(&self) -> Vec<Value> {
        let shown = self.run(&["offsets", "orders", "-o", "json"]).succeeds();
        let rows: Value = serde_json::from_slice(&shown.stdout).expect("JSON and nothing else");
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["first"].clone()).collect()
    }
}

#[test]
fn offsets_show_where_partitions_begin_and_end() {
    let orders = Orders::new();
    let all = "\
TOPIC   PARTITION  FIRST  NEXT  OFFSETS
orders          0      0    10       10
orders          1      0    10       10
";
    orders.run(&["offsets"]).succeeds().prints(all);
    let at = ["offsets", "orders:1", "--at", "2020-01-01T12:00:04Z", "-o", "tsv"];
    orders
        .run(&at)
        .succeeds()
        .prints("TOPIC\tPARTITION\tFIRST\tNEXT\tOFFSETS\tAT_TIME\norders\t1\t0\t10\t10\t4\n");
    let later = ["offsets", "orders:1", "--at", "2030-01-01", "-o", "jsonl"];
    let shown = orders.run(&later).succeeds().stdout();
    assert!(shown.contains(r#""at_time":null"#), "{shown}");
    orders
        .run(&["offsets", "order"])
        .exits(5)
        .complains("did you mean \"orders\"?");
    orders
        .run(&["offsets", "orders:x"])
        .exits(2)
        .complains("partitions are numbers");
}

#[test]
fn the_oldest_records_are_deleted_after_a_look() {
    let orders = Orders::new();
    let words = ["records", "delete", "orders", "--to", "2020-01-01T12:00:04Z"];
    let shown = "\
TOPIC   PARTITION  FIRST  DELETE UP TO  NEXT  GOES  STAYS
orders          0      0             4    10     4      6
orders          1      0             4    10     4      6
";
    orders
        .run(&[&words[..], &["--dry-run"]].concat())
        .succeeds()
        .prints(shown)
        .complains("would delete 8 offsets of 2 partitions");
    orders
        .run(&["records", "delete", "orders", "--to", "11", "--yes"])
        .exits(1)
        .complains("orders-0 ends at 10, before 11");
    orders
        .run(&words)
        .exits(2)
        .prints("")
        .complains("would delete 8 offsets of 2 partitions; without a terminal say --yes");
    assert_eq!(orders.firsts(), [json!(0), json!(0)]);
    orders
        .run(&[&words[..], &["--yes"]].concat())
        .succeeds()
        .prints(shown)
        .complains("deleted 8 offsets of 2 partitions");
    assert_eq!(orders.firsts(), [json!(4), json!(4)]);
    let read = ["consume", "orders", "-e", "-q", "--partition", "1"];
    orders.run(&read).succeeds().prints("9\n11\n13\n15\n17\n19\n");
}

#[test]
fn records_are_deleted_up_to_an_offset_or_the_end() {
    let orders = Orders::new();
    let delete = |topic: &str, to: &str| orders.run(&["records", "delete", topic, "--to", to, "--yes"]);
    delete("orders:1", "7").succeeds();
    assert_eq!(orders.firsts(), [json!(0), json!(7)]);
    delete("orders", "3")
        .succeeds()
        .complains("deleted 3 offsets of 1 partition");
    assert_eq!(orders.firsts(), [json!(3), json!(7)]);
    delete("orders", "end").succeeds();
    assert_eq!(orders.firsts(), [json!(10), json!(10)]);
    delete("orders", "2020-01-01")
        .succeeds()
        .complains("there is nothing to delete");
    delete("order", "end")
        .exits(5)
        .complains("topic \"order\" not found");
    delete("orders", "-5").exits(2).complains("--to");
}
