//! Lines on stderr in the form of the Java tools' logging: `[time] LEVEL text (logger)`.

use jiff::Zoned;

/// The logger of connections in Java's clients.
pub const NETWORK_LOGGER: &str = "org.apache.kafka.clients.NetworkClient";

/// A log line with the current time, in the local time zone.
pub fn line(level: &str, text: &str, logger: &str) -> String {
    let now = Zoned::now();
    let millisecond = now.millisecond();
    format!(
        "[{},{millisecond:03}] {level} {text} ({logger})",
        now.strftime("%Y-%m-%d %H:%M:%S")
    )
}
