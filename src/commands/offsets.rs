//! The first and next offsets of partitions, and the offset at a time.

use super::command::{Command, Needs};
use super::context::Context;
use super::partition_selection::{self, PartitionsOfTopic};
use crate::client::admin::offsets::{EARLIEST, LATEST, Offsets};
use crate::client::admin::topics::TopicDescription;
use crate::client::admin::volumes::leaders;
use crate::error::{Error, Result};
use crate::output::offsets as output;
use crate::topic_partition::{Offset, TopicPartition};

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    /// Which partitions; those of all topics but internal ones if empty.
    pub topics: Vec<PartitionsOfTopic>,
    /// A time whose offset is wanted too, in milliseconds since 1970.
    pub at: Option<i64>,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let (topics, selection) = if self.topics.is_empty() {
            let mut topics = context.client.admin()?.all_topics()?;
            topics.retain(|topic| !topic.is_internal);
            let selection = all_of(&topics);
            (topics, selection)
        } else {
            let names = self.topics.iter().map(|wanted| wanted.topic.as_str());
            (context.client.admin()?.topics_named(names)?, self.topics)
        };
        let wanted = partition_selection::find(&selection, &topics, context)?;
        let mut led = leaders(&topics);
        led.retain(|(partition, _)| wanted.contains(partition));
        let admin = context.client.admin()?;
        admin.note_lost(&topics)?;
        let mut firsts = admin.list_offsets(&led, EARLIEST)?;
        let mut ends = admin.list_offsets(&led, LATEST)?;
        let mut times = match self.at {
            Some(time) => admin.list_offsets(&led, time)?,
            None => Offsets::new(),
        };
        let mut rows = Vec::with_capacity(wanted.len());
        for partition in wanted {
            rows.push(output::Row {
                first: offset(&mut firsts, &partition)?,
                next: offset(&mut ends, &partition)?,
                at: offset(&mut times, &partition)?.filter(|at| *at >= 0),
                partition,
            });
        }
        output::list(&mut context.printer, &rows, self.at.is_some())
    }
}

fn all_of(topics: &[TopicDescription]) -> Vec<PartitionsOfTopic> {
    let whole = |topic: &TopicDescription| PartitionsOfTopic {
        topic: topic.name.clone(),
        partitions: None,
    };
    topics.iter().map(whole).collect()
}

/// The leader's answer; `None` where it could not be asked.
fn offset(answers: &mut Offsets, partition: &TopicPartition) -> Result<Option<Offset>> {
    let answer = answers.remove(partition).transpose();
    answer.map_err(|refusal| {
        Error::from(refusal).context(format_args!("cannot ask for offsets of {partition}"))
    })
}
