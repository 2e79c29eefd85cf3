//! The wording of the console producer and the console consumer: lines of Java's logging.

use super::log_line;
use crate::client::record_sink::DeliveryFailure;
use crate::output::voice::Voice;

/// The logger of the console consumer itself.
pub const CONSUMER_LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const DELIVERY_LOGGER: &str = "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback";

/// The console tools' wording.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleVoice;

impl Voice for ConsoleVoice {
    fn notice(&self, line: &str) -> String {
        log_line::line("WARN", line, log_line::NETWORK_LOGGER)
    }

    fn bad_input(&self, _piece: &str, message: &str) -> String {
        message.to_owned()
    }

    fn before_typing(&self, _prompts: bool) -> Option<&'static str> {
        None
    }

    fn not_delivered(&self, topic: &str, _piece: &str, failure: &DeliveryFailure<'_>) -> String {
        let key = match failure.key_bytes {
            0 => "null".to_owned(),
            bytes => format!("{bytes} bytes"),
        };
        format!(
            "Error when sending message to topic {topic} with key: {key}, value: {} bytes with error: {}",
            failure.value_bytes, failure.reason
        )
    }

    fn failure(&self, text: &str) -> String {
        log_line::line("ERROR", text, DELIVERY_LOGGER)
    }

    fn more_failures(&self, topic: &str, count: u64) -> String {
        self.failure(&format!("{count} more messages to topic {topic} were not sent"))
    }

    fn passed_over(&self, problem: &str) -> String {
        let text = format!("Error processing message, skipping this message: {problem}");
        log_line::line("ERROR", &text, CONSUMER_LOGGER)
    }

    fn sums_up(&self) -> bool {
        false
    }

    fn notices_before_topic(&self) -> bool {
        true
    }
}
