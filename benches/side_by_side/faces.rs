//! The Java faces beside the Java tools: how long until `--version`, `--help` and a first refusal.

use crate::KAFKIT;
use crate::measure::median_wall;
use crate::table::Row;

/// Start-up of every tool and of the native face.
pub fn start_up() {
    let help = median_wall(KAFKIT, &["--help"], 41) * 1e3;
    Row::new("start-up: kafkit --help", "ms", vec![("kafkit", help)]).print();
    for tool in [
        "kafka-topics",
        "kafka-console-producer",
        "kafka-console-consumer",
        "kafka-reassign-partitions",
        "kafka-dump-log",
    ] {
        let mut wall = vec![("kafkit", median_wall(KAFKIT, &[tool, "--version"], 41) * 1e3)];
        if let Ok(apache) = std::env::var("APACHE_KAFKA") {
            wall.push(("Java", median_wall(&apache, &["run", tool, "--version"], 3) * 1e3));
        }
        Row::new(format!("start-up: {tool} --version"), "ms", wall).print();
    }
}
