//! Looks up the source's topics repeatedly, on a thread of its own, so that a slow answer delays no record.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::client::admin::topics::{PARTITIONS_PER_ANSWER, TopicDescription};
use crate::client::settings::Settings;
use crate::commands::topic_selection::Selection;
use crate::error::Result;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Looks up topics until it is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    seen: Receiver<Vec<TopicDescription>>,
    _end: Sender<()>,
}

impl Watcher {
    /// Starts to look up the topics of this selection.
    pub(super) fn begin(settings: Settings, topics: Selection) -> Self {
        let (end, ended) = channel::<()>();
        let (tell, seen) = sync_channel(1);
        thread::spawn(move || {
            let mut client = None;
            while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let asked = client.get_or_insert_with(|| {
                    let mut client = Client::new(settings.clone());
                    client.wait_for_each_answer();
                    client
                });
                match look(asked, &topics) {
                    // If the last result was not taken yet, this one can be dropped.
                    Ok(found) => drop(tell.try_send(found)),
                    // An unreachable cluster is reported by the reading.
                    Err(_) => client = None,
                }
            }
        });
        Self { seen, _end: end }
    }

    /// The result since the last call.
    pub(super) fn take(&self) -> Option<Vec<TopicDescription>> {
        self.seen.try_recv().ok()
    }
}

fn look(client: &mut Client, topics: &Selection) -> Result<Vec<TopicDescription>> {
    let admin = client.admin()?;
    if topics.is_regex || topics.words.is_empty() {
        return Ok(topics.choose(admin.all_topics()?)?.0);
    }
    let described = admin.describe_topics(&topics.words, PARTITIONS_PER_ANSWER)?;
    Ok(described
        .into_iter()
        .filter_map(|(_, topic)| topic.ok())
        .collect())
}
