//! Asking many brokers at the same time, so that one that is down or frozen costs only what it alone knows.
//!
//! A broker that refuses the connection, or that says nothing while the others have long answered, counts as absent: it
//! is not asked again in this command, and [`AdminClient::take_absent`] says which brokers those are and why.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::protocol::Request;

use super::AdminClient;
use crate::error::{Error, Result};
use crate::topic_partition::BrokerId;
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// Brokers asked at the same moment; a larger cluster is asked in turns.
const AT_ONCE: usize = 32;

/// The part of the time that is left for which the last brokers are waited for when others have answered: a third.
const SHARE: u32 = 3;

/// The same once [`MANY`] have answered, who show how fast this cluster is: a twentieth, half a second of ten.
const SHARE_AFTER_MANY: u32 = 20;

/// Half of what is asked at once, so that every turn of a large cluster has as many.
const MANY: usize = AT_ONCE / 2;

/// The controller's place among the absent; no broker has a negative id.
const CONTROLLER: BrokerId = -1;

/// The brokers that could not be asked, and why.
pub type Absent = BTreeMap<BrokerId, String>;

/// What each broker answered; absent brokers have none.
pub(super) type Answers<T> = BTreeMap<BrokerId, Result<T>>;

/// One broker's turn: what it is asked, over which connection.
struct Turn<R> {
    broker: BrokerId,
    address: HostPort,
    request: R,
    connection: Option<Connection>,
}

/// What came of a turn: the connection, if it can be used again, and the answer.
struct Outcome<T> {
    broker: BrokerId,
    connection: Option<Connection>,
    answer: Result<T, WireError>,
}

impl AdminClient {
    /// Sends each broker its own question, all at the same time. The questions must change nothing: where a connection
    /// has just been closed they are asked a second time.
    pub(super) fn send_to_each<R>(&mut self, requests: Vec<(BrokerId, R)>) -> Result<Answers<R::Response>>
    where
        R: Request + Send + 'static,
        R::Response: Send + 'static,
    {
        self.begin_anew();
        self.ask_each(requests)
    }

    /// In a command that goes on, who was absent the last time is asked again.
    fn begin_anew(&mut self) {
        if self.forgets_absent() {
            self.absent.clear();
        }
    }

    fn ask_each<R>(&mut self, requests: Vec<(BrokerId, R)>) -> Result<Answers<R::Response>>
    where
        R: Request + Send + 'static,
        R::Response: Send + 'static,
    {
        let mut waiting: Vec<Turn<R>> = Vec::new();
        self.cluster()?;
        for (broker, request) in requests {
            if self.absent.contains_key(&broker) {
                continue;
            }
            let address = self.cluster.as_ref().and_then(|known| known.address_of(broker));
            match address.cloned() {
                Some(address) => waiting.push(Turn {
                    broker,
                    connection: self.pool.take(&address),
                    address,
                    request,
                }),
                None => self.set_absent(broker, "it is not up"),
            }
        }
        let asked: Vec<(BrokerId, HostPort)> = waiting
            .iter()
            .map(|turn| (turn.broker, turn.address.clone()))
            .collect();
        let limit = self.time_left();
        let began = Instant::now();
        let outcomes = ask_all(waiting, &self.pool.options_within(limit), limit);
        let mut answers = Answers::new();
        for outcome in outcomes {
            if let Some(connection) = outcome.connection {
                self.pool.put(connection);
            }
            match outcome.answer {
                Ok(answer) => drop(answers.insert(outcome.broker, Ok(answer))),
                Err(error) if error.is_passing() => self.set_absent(outcome.broker, error.bare()),
                Err(error) => drop(answers.insert(outcome.broker, Err(Error::from(error)))),
            }
        }
        for (broker, _) in asked {
            if !answers.contains_key(&broker) && !self.absent.contains_key(&broker) {
                self.set_absent(broker, WireError::TimedOut(began.elapsed()));
            }
        }
        Ok(answers)
    }

    /// The same for questions and answers that are large: a few brokers are asked at a time, each question is made when its
    /// turn has come, and an answer is gone once `take` has had it.
    pub(super) fn send_in_turns<R>(
        &mut self,
        brokers: &[BrokerId],
        mut build: impl FnMut(BrokerId) -> R,
        mut take: impl FnMut(BrokerId, Result<R::Response>) -> Result<()>,
    ) -> Result<()>
    where
        R: Request + Send + 'static,
        R::Response: Send + 'static,
    {
        self.begin_anew();
        let turns = brokers.len().div_ceil(AT_ONCE).max(1);
        // Turns of one size: a last turn of two or three brokers would be waited for as long as a small cluster.
        for some in brokers.chunks(brokers.len().div_ceil(turns).max(1)) {
            let requests = some.iter().map(|broker| (*broker, build(*broker)));
            for (broker, answer) in self.ask_each(requests.collect())? {
                take(broker, answer)?;
            }
        }
        Ok(())
    }

    /// The same as [`AdminClient::send_to_each`] where every broker must answer.
    pub(super) fn send_to_all<R>(
        &mut self,
        requests: Vec<(BrokerId, R)>,
    ) -> Result<BTreeMap<BrokerId, R::Response>>
    where
        R: Request + Send + 'static,
        R::Response: Send + 'static,
    {
        let asked: Vec<BrokerId> = requests.iter().map(|(broker, _)| *broker).collect();
        let answers = self.send_to_each(requests)?;
        if let Some(phrase) = asked.iter().find_map(|broker| self.absent.remove(broker)) {
            return Err(Error::unreachable(phrase).hint("is the broker up?"));
        }
        answers
            .into_iter()
            .map(|(broker, answer)| Ok((broker, answer?)))
            .collect()
    }

    /// Whether an absent broker is asked again the next time: in a command that goes on it may come back.
    pub fn forgets_absent(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline.is_for_each_answer())
    }

    /// Remembers that a broker could not be asked.
    pub(super) fn set_absent(&mut self, broker: BrokerId, why: impl std::fmt::Display) {
        let address = self
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.address_of(broker));
        let place = address.map_or_else(String::new, |address| format!(" at {address}"));
        self.absent
            .entry(broker)
            .or_insert_with(|| format!("broker {broker}{place}: {why}"));
    }

    /// Remembers that the controller could not be asked, which is behind any broker and has no name here.
    pub(super) fn set_controller_absent(&mut self, why: impl std::fmt::Display) {
        self.absent.insert(CONTROLLER, format!("the controller: {why}"));
    }

    /// The brokers that could not be asked since this was called last, each with a phrase that names it and says why.
    pub fn take_absent(&mut self) -> Absent {
        std::mem::take(&mut self.absent)
    }

    /// Whether a broker could not be asked.
    pub fn is_absent(&self, broker: BrokerId) -> bool {
        self.absent.contains_key(&broker)
    }

    /// Says nothing of a broker that nothing was wanted of.
    pub fn forget_absent(&mut self, broker: BrokerId) {
        self.absent.remove(&broker);
    }

    /// Notes a broker that replicas are on and that the cluster does not name: it is down.
    pub fn note_down(&mut self, broker: BrokerId) {
        self.set_absent(broker, "it is not up");
    }
}

/// Asks on threads of their own, and stops waiting for the last ones a while after the others have answered. A thread
/// that is not waited for any more ends with its own time limit.
fn ask_all<R>(turns: Vec<Turn<R>>, options: &ConnectionOptions, limit: Duration) -> Vec<Outcome<R::Response>>
where
    R: Request + Send + 'static,
    R::Response: Send + 'static,
{
    let count = turns.len();
    let queue = Arc::new(Mutex::new(VecDeque::from(turns)));
    let (sender, answers) = mpsc::channel();
    for _ in 0..count.min(AT_ONCE) {
        let (queue, sender, options) = (Arc::clone(&queue), sender.clone(), options.clone());
        thread::spawn(move || {
            loop {
                let turn = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(turn) = turn else { return };
                if sender.send(ask(turn, &options)).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let end = Instant::now() + limit;
    // While no broker has answered, the network may be slow: then the wait is longer.
    let mut until = Instant::now() + limit / 2;
    let mut outcomes = Vec::with_capacity(count);
    while outcomes.len() < count {
        let wait = until.min(end).saturating_duration_since(Instant::now());
        match answers.recv_timeout(wait) {
            Ok(outcome) => {
                outcomes.push(outcome);
                until = Instant::now() + limit / share(outcomes.len());
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    outcomes
}

/// The part of the time for which the next answer is waited for after so many.
fn share(answers: usize) -> u32 {
    if answers < MANY { SHARE } else { SHARE_AFTER_MANY }
}

fn ask<R: Request>(turn: Turn<R>, options: &ConnectionOptions) -> Outcome<R::Response> {
    let Turn {
        broker,
        address,
        request,
        connection,
    } = turn;
    if let Some(mut connection) = connection {
        connection.set_request_timeout(options.request_timeout);
        match connection.send(&request) {
            // The broker may have closed a connection that was not used for a while.
            Err(error) if matches!(error.bare(), WireError::Closed) => {}
            answer => return outcome(broker, connection, answer),
        }
    }
    match Connection::open(&address, options) {
        Ok(mut connection) => {
            let answer = connection.send(&request);
            outcome(broker, connection, answer)
        }
        Err(error) => Outcome {
            broker,
            connection: None,
            answer: Err(error),
        },
    }
}

fn outcome<T>(broker: BrokerId, connection: Connection, answer: Result<T, WireError>) -> Outcome<T> {
    let is_usable = match &answer {
        Ok(_) => true,
        Err(error) => matches!(error.bare(), WireError::Unsupported(_)),
    };
    Outcome {
        broker,
        connection: is_usable.then_some(connection),
        answer,
    }
}
