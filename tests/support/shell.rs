//! A user at a shell: one home, one mini broker, records in and out under the native names and under Java's.

use super::cluster::Cluster;
use super::suite::{Outcome, Suite};

#[derive(Debug)]
pub struct Shell {
    pub cluster: Cluster,
    pub suite: Suite,
}

impl Shell {
    pub fn new() -> Self {
        Self {
            cluster: Cluster::start(),
            suite: Suite::new(),
        }
    }

    /// `kafkit` with these words on the broker.
    pub fn kafkit(&self, words: &[&str]) -> Outcome {
        let address = self.cluster.bootstrap();
        self.suite.run([words, &["-b", &address]].concat())
    }

    /// `kafkit produce` with these arguments.
    pub fn produce(&self, args: &[&str], input: impl AsRef<[u8]>) -> Outcome {
        self.run(&["produce", "-b"], args, input)
    }

    /// The output of `kafkit consume` for a topic from its first record to its last.
    pub fn shown(&self, topic: &str, template: &str) -> String {
        let args = [topic, "-e", "-f", template];
        self.run(&["consume", "-b"], &args, "").succeeds().stdout()
    }

    /// `kafka-console-producer.sh` with these arguments.
    pub fn java_produce(&self, args: &[&str], input: impl AsRef<[u8]>) -> Outcome {
        self.run(&["kafka-console-producer.sh", "--bootstrap-server"], args, input)
    }

    /// `kafka-console-consumer.sh` with these arguments.
    pub fn java_consume(&self, args: &[&str]) -> Outcome {
        self.run(&["kafka-console-consumer.sh", "--bootstrap-server"], args, "")
    }

    /// The words, then the broker's address, then the arguments.
    fn run(&self, words: &[&str], args: &[&str], input: impl AsRef<[u8]>) -> Outcome {
        let bootstrap = self.cluster.bootstrap();
        let args = [words, &[&bootstrap], args].concat();
        self.suite.run_with_input(args, input)
    }
}
