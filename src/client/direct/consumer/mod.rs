//! [`RecordSource`] over our own wire: batches from the brokers that have them, shown in place in memory.
//!
//! One thread does it all: an answer's headers state where the next fetch begins, so the next fetch is in flight
//! while the answer is decoded and printed. [`position`] decides how far a partition is read, [`show`] decodes its
//! bytes.

mod aborted;
mod answers;
mod fetch;
mod fetch_answer;
mod fetch_session;
mod position;
mod questions;
mod show;
mod sifting;
mod stuck;

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::network::{Event, Node};
use super::session::Session;
use crate::client::admin::ApiError;
use crate::client::consume_settings::ConsumeSettings;
use crate::client::record_source::{
    self, RecordSource, RecordVisitor, SourceOptions, Start, TopicPartitions, TopicProblem,
};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::topic_partition::{BrokerId, Offset};
use crate::wire::{Frame, error_codes as codes};
use fetch_session::FetchSession;
use position::Position;
use questions::Inquiry;
use show::{Section, Viewer};

/// How long one wait inside a longer one is.
const STEP: Duration = Duration::from_millis(50);

/// The note of a request.
#[derive(Debug)]
enum Note {
    Fetch {
        broker: BrokerId,
        asked: Vec<Asked>,
    },
    /// Questions about offsets, by their index in an inquiry.
    Offsets {
        inquiry: u64,
        asked: Vec<usize>,
    },
    /// Whether a new leader's log holds these positions.
    Epochs {
        asked: Vec<Asked>,
    },
}

/// A partition in a request, and its position when it was requested.
#[derive(Clone, Copy, Debug)]
struct Asked {
    place: usize,
    offset: Offset,
    generation: u32,
}

/// An answer that waits to be shown.
#[derive(Debug)]
struct Fetched {
    node: Node,
    frame: Frame,
    sections: VecDeque<Section>,
}

/// Reads over our own wire.
#[derive(Debug)]
pub(crate) struct DirectSource {
    settings: ConsumeSettings,
    interrupt: Interrupt,
    /// A partition that cannot be read for this long ends the reading.
    give_up_after: Option<Duration>,
    session: Session<Note>,
    seen_answers: u64,
    positions: Vec<Position>,
    /// The partition that is requested first, so that all get a turn when answers are full.
    first_position: usize,
    fetched: VecDeque<Fetched>,
    /// Brokers with a fetch in flight: a second one on the same connection would wait for the first.
    fetching: Vec<BrokerId>,
    fetch_sessions: HashMap<BrokerId, FetchSession>,
    viewer: Viewer,
    inquiries: u64,
    inquiry: Option<Inquiry>,
    /// The partitions that the last inquiry had no answer for.
    last_unanswered: Vec<(String, i32)>,
    notices: Vec<String>,
    /// What ends the reading.
    failure: Option<Error>,
}

impl DirectSource {
    /// Connects in the background.
    pub(crate) fn open(settings: ConsumeSettings, options: &SourceOptions) -> Result<Self> {
        let mut cluster = settings.cluster.clone();
        cluster.connection.request_timeout = cluster.connection.request_timeout.max(settings.max_wait);
        let session = Session::new(cluster, settings.may_create_topics)?;
        let viewer = Viewer::new(&settings, options.on_corrupt);
        Ok(Self {
            settings,
            interrupt: options.interrupt.clone(),
            give_up_after: options.give_up_after,
            session,
            seen_answers: 0,
            positions: Vec::new(),
            first_position: 0,
            fetched: VecDeque::new(),
            fetching: Vec::new(),
            fetch_sessions: HashMap::new(),
            viewer,
            inquiries: 0,
            inquiry: None,
            last_unanswered: Vec::new(),
            notices: Vec::new(),
            failure: None,
        })
    }

    /// One turn: sends what can be sent, waits up to `wait`, and handles the events.
    fn drive_io(&mut self, wait: Duration) {
        // Requests are sent before the wait.
        self.ask_questions();
        self.fetch_what_is_wanted();
        for event in self.session.wait(wait.min(self.time_to_next_try())) {
            match event {
                Event::Opened(_) => {}
                Event::Answered(node, answer) => self.take_answer(node, answer),
                Event::Lost { unanswered, .. } => {
                    for lost in unanswered {
                        self.lost(lost.note);
                    }
                }
            }
        }
        if self.session.answers() != self.seen_answers {
            self.seen_answers = self.session.answers();
            self.learn_leaders();
        }
        self.ask_questions();
        self.fetch_what_is_wanted();
        self.watch_for_stuck_partitions();
    }

    fn time_to_next_try(&self) -> Duration {
        let now = Instant::now();
        let next = self
            .positions
            .iter()
            .filter_map(Position::retry_at)
            .filter(|at| *at > now)
            .min();
        next.map_or(Duration::MAX, |at| at - now)
    }

    fn lost(&mut self, note: Note) {
        match note {
            Note::Fetch { broker, asked } => {
                self.fetching.retain(|known| *known != broker);
                self.fetch_sessions.remove(&broker);
                self.failed_all(&asked);
            }
            Note::Epochs { asked } => self.failed_all(&asked),
            Note::Offsets { inquiry, asked } => self.lost_questions(inquiry, &asked),
        }
    }

    fn failed_all(&mut self, asked: &[Asked]) {
        for asked in asked {
            self.failed(asked.place);
        }
    }

    /// A partition's request failed.
    fn failed(&mut self, place: usize) {
        let retry = self.settings.cluster.retry;
        if let Some(position) = self.positions.get_mut(place) {
            position.is_asked = false;
            position.failed(Instant::now(), |failures| retry.after(failures));
        }
    }

    fn name(&self, place: usize) -> String {
        self.positions.get(place).map_or_else(String::new, |position| {
            format!("{}-{}", position.topic, position.partition)
        })
    }

    fn learn_leaders(&mut self) {
        for place in 0..self.positions.len() {
            let Some(position) = self
                .positions
                .get_mut(place)
                .filter(|position| !position.is_closed)
            else {
                continue;
            };
            let Some(topic) = self.session.cluster.topic(&position.topic) else {
                continue;
            };
            let found = usize::try_from(position.partition).ok();
            let Some(found) = found.and_then(|index| topic.partitions.get(index)) else {
                continue;
            };
            if position.learn(topic.id, found.leader, found.leader_epoch) {
                position.seek(-2);
                let name = format!("{}-{}", position.topic, position.partition);
                self.notices.push(format!(
                    "{name} was deleted and created again: reading it from its beginning"
                ));
            }
        }
        let is_leaderless = |position: &Position| !position.is_closed && position.leader.is_none();
        if self.positions.iter().any(is_leaderless) {
            self.session.refresh();
        }
    }

    fn asked(&self, place: usize) -> Option<Asked> {
        let position = self.positions.get(place)?;
        Some(Asked {
            place,
            offset: position.offset,
            generation: position.generation,
        })
    }

    /// Shows the fetched records; after a break or an error the rest is shown by the next call.
    fn show_fetched(&mut self, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        while let Some(fetched) = self.fetched.front_mut() {
            while let Some(section) = fetched.sections.front_mut() {
                let position = self.positions.get_mut(section.place);
                let Some(position) = position
                    .filter(|position| !position.is_closed && position.generation == section.generation)
                else {
                    fetched.sections.pop_front();
                    continue;
                };
                let flow = self.viewer.show(section, &fetched.frame, position, visitor)?;
                if flow.is_break() {
                    return Ok(flow);
                }
                let end = section.end;
                fetched.sections.pop_front();
                if position.shown >= end || position.is_shown_to_end() {
                    let flow = visitor.partition_end(&position.topic, position.partition, position.shown)?;
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
            }
            if let Some(fetched) = self.fetched.pop_front() {
                self.session.recycle(fetched.node, fetched.frame);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Waits until `is_done`, an error or the deadline; returns whether it was done.
    fn wait_until(&mut self, wait: Duration, is_done: impl Fn(&Self) -> bool) -> Result<bool> {
        let deadline = Instant::now() + wait;
        loop {
            if is_done(self) {
                return Ok(true);
            }
            if let Some(error) = self.session.hopeless() {
                return Err(error);
            }
            if self.interrupt.is_raised() {
                return Err(Error::interrupted());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.drive_io(left.min(STEP));
        }
    }
}

impl RecordSource for DirectSource {
    fn topics(&mut self, topic: Option<&str>, wait: Duration) -> Result<Vec<TopicPartitions>> {
        let is_answered = if let Some(name) = topic {
            self.session.watch(name);
            self.session.ask_now();
            let before = self.session.answers();
            let name = name.to_owned();
            self.wait_until(wait, move |source| {
                source.session.answers() > before && source.session.cluster.topic(&name).is_some()
            })?
        } else {
            let before = self.session.answers_of_all();
            self.session.ask_for_all();
            self.wait_until(wait, move |source| source.session.answers_of_all() > before)?
        };
        if !is_answered {
            return Err(self.session.unreachable(wait));
        }
        let names: Vec<String> = match topic {
            Some(name) => vec![name.to_owned()],
            None => self.session.all_topics().to_vec(),
        };
        Ok(names.into_iter().map(|name| self.describe(name)).collect())
    }

    fn offsets(
        &mut self,
        questions: &[(&str, i32, record_source::Position)],
        wait: Duration,
    ) -> Result<Vec<Offset>> {
        self.inquire(questions, wait)
    }

    fn assign(&mut self, starts: &[Start]) -> Result<()> {
        for start in starts {
            self.session.watch(&start.topic);
            self.positions.push(Position::new(
                &start.topic,
                start.partition,
                start.offset,
                start.end,
            ));
        }
        self.learn_leaders();
        Ok(())
    }

    fn unassign(&mut self, partitions: &[(String, i32)]) -> Result<()> {
        for (topic, partition) in partitions {
            for position in &mut self.positions {
                position.is_closed |= position.topic == *topic && position.partition == *partition;
            }
        }
        Ok(())
    }

    fn subscribe(&mut self, _topics: &[String]) -> Result<()> {
        Err(Error::failed("a group's member is not read over the direct lane"))
    }

    fn poll(&mut self, wait: Duration, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        if let Some(error) = self.session.hopeless() {
            return Err(error);
        }
        let wait = if self.fetched.is_empty() {
            wait
        } else {
            Duration::ZERO
        };
        self.drive_io(wait);
        let flow = self.show_fetched(visitor)?;
        match self.failure.take() {
            Some(error) => Err(error),
            None => Ok(flow),
        }
    }

    fn assignment(&mut self) -> Vec<(String, i32)> {
        let open = self.positions.iter().filter(|position| !position.is_closed);
        open.map(|position| (position.topic.clone(), position.partition))
            .collect()
    }

    fn acknowledge(&mut self) {}

    fn close(&mut self) {
        self.positions.clear();
        self.fetched.clear();
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.notices.append(&mut self.viewer.take_notices());
        std::mem::take(&mut self.notices)
    }
}

impl DirectSource {
    fn describe(&self, name: String) -> TopicPartitions {
        let known = self.session.cluster.topic(&name);
        let problem = match known.map_or(codes::UNKNOWN_TOPIC_OR_PARTITION, |topic| topic.code) {
            0 => None,
            codes::UNKNOWN_TOPIC_OR_PARTITION => Some(TopicProblem::Unknown),
            codes::INVALID_TOPIC_EXCEPTION => Some(TopicProblem::Invalid),
            codes::TOPIC_AUTHORIZATION_FAILED => Some(TopicProblem::Denied),
            code => Some(TopicProblem::NotYet(ApiError { code, message: None }.to_string())),
        };
        let count = known.map_or(0, |topic| topic.partitions.len()) as i32;
        TopicPartitions {
            name,
            partitions: if problem.is_none() {
                (0..count).collect()
            } else {
                Vec::new()
            },
            problem,
        }
    }
}
