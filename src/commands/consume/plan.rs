//! Which partitions are read and from where: looked up at the start, and again for those created later.

use std::time::{Duration, Instant};

use super::{Action, Ends, Missing, Run, Start, Topics, Wanted};
use crate::client::record_source::{self, Position, TopicPartitions, TopicProblem};
use crate::client::silent_for;
use crate::error::{Error, Kind, Result};
use crate::output::voice::SOON;
use crate::plain_words;
use crate::spelling::closest;
use crate::topic_partition::{Offset, is_internal_topic};

/// How long one question to the cluster may delay an interrupt.
pub(super) const ASK: Duration = Duration::from_millis(500);

/// What is being read so far.
#[derive(Debug, Default)]
pub(super) struct Plan {
    known: Vec<(String, i32)>,
    subscribed: Vec<String>,
    /// Whether every topic named was found with its partitions.
    pub(super) is_complete: bool,
    /// When a question to the cluster failed first since its last answer.
    silent_since: Option<Instant>,
    /// Whether the silence has been reported.
    has_told_of_silence: bool,
    /// Topics reported as missing.
    missed: Vec<String>,
}

impl Plan {
    /// The topics that the member has subscribed to.
    pub(super) fn subscribed(&self) -> &[String] {
        &self.subscribed
    }

    /// Whether no broker has answered yet.
    pub(super) fn awaits_answer(&self) -> bool {
        self.silent_since.is_some() && !self.is_complete && self.known.is_empty()
    }
}

impl Run {
    /// Looks up what is to be read; returns whether all of it was found.
    pub(super) fn refresh(&mut self) -> Result<bool> {
        if self.action.is_member && matches!(self.action.topics, Topics::Named(_)) && !self.plan.is_complete {
            return self.join_named();
        }
        if self.plan.is_complete && self.action.has_end() {
            return Ok(true);
        }
        let found = match self.find_topics() {
            Ok(found) => found,
            Err(error) if error.kind() == Kind::Unreachable => return self.bear_silence(error),
            Err(error) => return Err(error),
        };
        self.plan.silent_since = None;
        if self.action.is_member {
            self.join(found.iter().map(|topic| topic.name.clone()).collect())?;
            return Ok(true);
        }
        let is_first = self.plan.known.is_empty() && !self.plan.is_complete;
        let new = self.new_partitions(&found)?;
        self.begin(&new, is_first)?;
        let wants = match &self.action.topics {
            Topics::Named(names) => names.len(),
            Topics::Matching(_) => 0,
        };
        self.plan.is_complete = found.iter().filter(|topic| topic.problem.is_none()).count() >= wants;
        Ok(self.plan.is_complete)
    }

    /// Waits for a cluster that does not answer; at the start of a run up to `patience`, unless missing topics are
    /// awaited.
    fn bear_silence(&mut self, error: Error) -> Result<bool> {
        let since = *self.plan.silent_since.get_or_insert_with(Instant::now);
        let may_wait = self.action.missing == Missing::Wait || self.plan.is_complete;
        let waited = since.elapsed();
        if !may_wait && waited >= self.action.patience {
            return Err(silent_for(error, self.action.patience));
        }
        // A Java face reports each failure by itself.
        if !may_wait && !self.plan.has_told_of_silence && waited >= SOON {
            self.plan.has_told_of_silence = true;
            let trouble = silent_for(error, SOON).message();
            crate::output::stderr_line(self.action.voice.waiting(&trouble, self.action.patience));
        }
        Ok(false)
    }

    fn join_named(&mut self) -> Result<bool> {
        if self.action.missing == Missing::Refuse {
            let found = match self.find_topics() {
                Ok(found) => found,
                Err(error) if error.kind() == Kind::Unreachable => return self.bear_silence(error),
                Err(error) => return Err(error),
            };
            if found.iter().any(|topic| topic.problem.is_some()) {
                return Ok(false);
            }
        }
        if let Topics::Named(names) = &self.action.topics {
            self.join(names.clone())?;
        }
        self.plan.is_complete = true;
        Ok(true)
    }

    fn join(&mut self, mut names: Vec<String>) -> Result<()> {
        names.sort();
        if names != self.plan.subscribed && !names.is_empty() {
            self.source.subscribe(&names)?;
            self.plan.subscribed = names;
        }
        Ok(())
    }

    fn find_topics(&mut self) -> Result<Vec<TopicPartitions>> {
        match &self.action.topics {
            Topics::Matching(pattern) => {
                let mut all = self.source.topics(None, ASK)?;
                all.retain(|topic| pattern.matches(&topic.name) && !is_internal_topic(&topic.name));
                if all.is_empty() && self.action.missing == Missing::Refuse && !self.plan.is_complete {
                    return Err(Error::not_found(format!("no topic matches {pattern}")));
                }
                Ok(all)
            }
            Topics::Named(names) => {
                let names = names.clone();
                let mut found = Vec::with_capacity(names.len());
                for name in &names {
                    found.extend(self.source.topics(Some(name), ASK)?);
                }
                for topic in &found {
                    self.check(topic)?;
                }
                Ok(found)
            }
        }
    }

    /// Refuses a topic that cannot be read.
    fn check(&mut self, topic: &TopicPartitions) -> Result<()> {
        let name = &topic.name;
        match &topic.problem {
            Some(TopicProblem::Invalid) if self.action.missing == Missing::Refuse => Err(invalid_topic(name)),
            Some(TopicProblem::Invalid) => Err(Error::bad_data(format!("Invalid topics: [{name}]"))),
            Some(TopicProblem::Denied) => {
                Err(Error::denied(format!("not authorized to read topic \"{name}\"")))
            }
            Some(TopicProblem::Unknown) if self.action.missing == Missing::Refuse => {
                Err(self.unknown_topic(name))
            }
            Some(TopicProblem::Unknown) if !self.plan.missed.contains(name) => {
                self.plan.missed.push(name.clone());
                let line = format!("The topic {name} does not exist yet; waiting for it");
                crate::output::stderr_line(self.action.voice.notice(&line));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn unknown_topic(&mut self, name: &str) -> Error {
        let servers = self.servers.clone();
        let all = self.source.topics(None, ASK).unwrap_or_default();
        let nearest = closest(name, all.iter().map(|topic| topic.name.as_str()));
        let guess = nearest.map_or_else(String::new, |nearest| format!("; did you mean \"{nearest}\"?"));
        Error::not_found(format!("topic \"{name}\" not found on {servers}{guess}"))
    }

    /// The partitions that are wanted and not read yet.
    fn new_partitions(&mut self, found: &[TopicPartitions]) -> Result<Vec<(String, i32)>> {
        let mut new = Vec::new();
        for topic in found.iter().filter(|topic| topic.problem.is_none()) {
            if let Some(wanted) = &self.action.partitions
                && self.action.missing == Missing::Refuse
                && let Some(missing) = wanted.iter().find(|wanted| !topic.partitions.contains(wanted))
            {
                return Err(Error::not_found(format!(
                    "topic \"{}\" has no partition {missing}; it has {}",
                    topic.name,
                    topic.partitions.len()
                )));
            }
            for partition in &topic.partitions {
                let is_wanted = self
                    .action
                    .partitions
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(partition));
                let place = (topic.name.clone(), *partition);
                if is_wanted && !self.plan.known.contains(&place) {
                    new.push(place);
                }
            }
        }
        Ok(new)
    }

    /// Starts to read partitions. Those created after the start are read from their beginning.
    fn begin(&mut self, new: &[(String, i32)], is_first: bool) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let start = if is_first {
            self.action.start
        } else {
            later_start(&self.action)
        };
        let has_end = self.action.has_end();
        let (starts, ends) = self.bounds(new, start, has_end)?;
        let mut assigned = Vec::with_capacity(new.len());
        for (position, (topic, partition)) in new.iter().enumerate() {
            let offset = starts.get(position).copied().unwrap_or_default();
            let end = ends.get(position).copied();
            if let Some(end) = end
                && !self.goals.add(topic, *partition, offset, end)
            {
                continue;
            }
            assigned.push(record_source::Start {
                topic: topic.clone(),
                partition: *partition,
                offset,
                end,
            });
        }
        self.source.assign(&assigned)?;
        self.plan.known.extend_from_slice(new);
        Ok(())
    }

    /// Asks for offsets. Partitions without an answer are reported soon, and waited for.
    fn ask_offsets(&mut self, questions: &[(&str, i32, Position)], wait: Duration) -> Result<Vec<Offset>> {
        let first = wait.min(SOON);
        match self.source.offsets(questions, first) {
            Err(error) if error.kind() == Kind::Unreachable && first < wait => {
                crate::output::stderr_line(self.action.voice.waiting(&error.message(), wait));
                self.source.offsets(questions, wait.saturating_sub(first))
            }
            outcome => outcome,
        }
    }

    /// First offsets (or the engine's -2 for the beginning, -1 for the end), and ends where there are any.
    fn bounds(
        &mut self,
        new: &[(String, i32)],
        start: Start,
        has_end: bool,
    ) -> Result<(Vec<Offset>, Vec<Offset>)> {
        let wait = self.action.patience;
        let ask = |position: Position| -> Vec<(&str, i32, Position)> {
            new.iter()
                .map(|(topic, partition)| (topic.as_str(), *partition, position))
                .collect()
        };
        // With an offset out of range the engine would silently begin somewhere else.
        let is_checked =
            matches!(start, Start::At(Position::At(_))) && self.action.missing == Missing::Refuse;
        let is_counted = matches!(start, Start::FromEnd(_) | Start::FromBeginning(_));
        let needs_ends = has_end || is_checked || is_counted;
        let ends = if needs_ends {
            self.ask_offsets(&ask(Position::End), wait)?
        } else {
            Vec::new()
        };
        let starts = match start {
            Start::At(Position::Beginning) if !needs_ends => vec![-2; new.len()],
            Start::At(Position::End) if !needs_ends => vec![-1; new.len()],
            Start::At(Position::End) => ends.clone(),
            Start::At(Position::At(offset)) if !needs_ends => vec![offset; new.len()],
            Start::At(position @ (Position::Beginning | Position::Time(_))) => {
                self.ask_offsets(&ask(position), wait)?
            }
            Start::At(Position::At(offset)) => {
                let first = self.ask_offsets(&ask(Position::Beginning), wait)?;
                if is_checked {
                    self.tell_of_gaps(new, offset, &first, &ends);
                }
                let bounds = first.iter().zip(&ends);
                bounds.map(|(first, end)| offset.min(*end).max(*first)).collect()
            }
            Start::FromEnd(count) => {
                let firsts = self.ask_offsets(&ask(Position::Beginning), wait)?;
                self.starts_from_end(new, (&firsts, &ends), count, &Wanted::default())?
            }
            Start::FromBeginning(count) => {
                let firsts = self.ask_offsets(&ask(Position::Beginning), wait)?;
                let bounds = firsts.iter().zip(&ends);
                bounds
                    .map(|(first, end)| first.saturating_add(count).min(*end))
                    .collect()
            }
        };
        let ends = match self.action.until {
            Some(until) => {
                let limits = self.ask_offsets(&ask(Position::Time(until)), wait)?;
                limits
                    .iter()
                    .zip(&ends)
                    .map(|(limit, end)| *limit.min(end))
                    .collect()
            }
            None if has_end => ends,
            None => Vec::new(),
        };
        self.narrowed(new, starts, ends)
    }

    /// Bounds without what is behind an offset that is no longer wanted, and without what is before the last records.
    fn narrowed(
        &mut self,
        partitions: &[(String, i32)],
        starts: Vec<Offset>,
        mut ends: Vec<Offset>,
    ) -> Result<(Vec<Offset>, Vec<Offset>)> {
        if let Some(before) = self.action.wanted.before {
            for end in &mut ends {
                *end = before.min(*end);
            }
        }
        let Some(Ends::Last(count)) = self.action.wanted.ends else {
            return Ok((starts, ends));
        };
        let wanted = self.action.wanted.clone();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let last = self.starts_from_end(partitions, (&starts, &ends), count, &wanted)?;
        Ok((last, ends))
    }
}

impl Run {
    /// Reports the partitions in which the requested offset is out of range.
    fn tell_of_gaps(&self, partitions: &[(String, i32)], offset: Offset, first: &[Offset], ends: &[Offset]) {
        let places = || partitions.iter().zip(first.iter().zip(ends));
        let gone = places().filter(|(_, (first, _))| offset < **first);
        let gone: Vec<String> = gone
            .map(|((topic, partition), (first, _))| format!("{topic}-{partition} (begins at {first})"))
            .collect();
        let beyond = places().filter(|(_, (_, end))| offset > **end);
        let beyond: Vec<String> = beyond
            .map(|((topic, partition), (_, end))| format!("{topic}-{partition} (ends at {end})"))
            .collect();
        let after = if self.action.exits_at_end {
            "nothing to read there"
        } else {
            "what comes next is read"
        };
        for (what, places, then) in [
            ("no longer in", gone, "reading from there"),
            ("not yet in", beyond, after),
        ] {
            if !places.is_empty() {
                let line = format!("offset {offset} is {what} {}: {then}", plain_words::few(&places));
                crate::output::stderr_line(self.action.voice.notice(&line));
            }
        }
    }
}

/// Where a partition begins that was created after the start: all of its records are newer than the start.
fn later_start(action: &Action) -> Start {
    match action.start {
        Start::At(Position::Time(time)) => Start::At(Position::Time(time)),
        _ => Start::At(Position::Beginning),
    }
}

/// The error about a name that no topic can have. `TOPIC:PARTITION` is what other commands take.
fn invalid_topic(name: &str) -> Error {
    let error = Error::bad_data(format!(
        "no topic can be named \"{name}\": names are made of letters, digits, \".\", \"_\" and \"-\""
    ));
    match name.rsplit_once(':') {
        Some((topic, partition)) if partition.parse::<i32>().is_ok() => {
            error.hint(format!("one partition is read with `{topic} -p {partition}`"))
        }
        _ => error,
    }
}
