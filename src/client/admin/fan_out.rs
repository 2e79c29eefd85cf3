//! Asks many brokers at the same time, so that one that is down or frozen costs only the answers that it alone has.
//!
//! A broker that refuses the connection, or that says nothing while the others have long answered, counts as absent: it
//! is not asked again in this command, and [`AdminClient::take_absent`] says which brokers those are and why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

use kafka_protocol::protocol::Request;

use super::AdminClient;
use super::patience::Patience;
use crate::error::{Error, Result};
use crate::topic_partition::BrokerId;
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// The controller's key among the absent; no broker has a negative id.
const CONTROLLER: BrokerId = -1;

/// The brokers that could not be asked, and why.
pub type Absent = BTreeMap<BrokerId, String>;

/// What each broker answered; absent brokers have none.
pub(super) type Answers<T> = BTreeMap<BrokerId, Result<T>>;

/// What a broker is asked: one request, or several in sequence. It must change nothing: after a closed connection it is
/// sent a second time.
pub(super) trait Question: Send + 'static {
    type Answer: Send + 'static;

    /// Brokers that are asked at the same time; in a larger cluster the next is asked when one has answered.
    const AT_ONCE: usize = 32;

    fn ask(&self, connection: &mut Connection) -> Result<Self::Answer, WireError>;
}

impl<R> Question for R
where
    R: Request + Send + 'static,
    R::Response: Send + 'static,
{
    type Answer = R::Response;

    fn ask(&self, connection: &mut Connection) -> Result<R::Response, WireError> {
        connection.send(self)
    }
}

/// A question for one broker, and the connection for it.
struct Turn<Q> {
    broker: BrokerId,
    address: HostPort,
    question: Q,
    connection: Option<Connection>,
}

/// The outcome of a turn: the connection, if it can be used again, and the answer.
struct Outcome<T> {
    broker: BrokerId,
    connection: Option<Connection>,
    answer: Result<T, WireError>,
}

impl AdminClient {
    /// Sends each broker its own question, all at the same time.
    pub(super) fn send_to_each<Q: Question>(
        &mut self,
        questions: Vec<(BrokerId, Q)>,
    ) -> Result<Answers<Q::Answer>> {
        let mut answers = Answers::new();
        self.ask_each(questions.into_iter(), |broker, answer| {
            answers.insert(broker, answer);
            Ok(())
        })?;
        Ok(answers)
    }

    /// [`AdminClient::send_to_each`] for large questions and answers: each question is built when its broker is asked,
    /// and an answer is freed after `take`.
    pub(super) fn send_in_turns<Q: Question>(
        &mut self,
        brokers: &[BrokerId],
        mut build: impl FnMut(BrokerId) -> Q,
        take: impl FnMut(BrokerId, Result<Q::Answer>) -> Result<()>,
    ) -> Result<()> {
        let questions = brokers.iter().map(|broker| (*broker, build(*broker)));
        self.ask_each(questions, take)
    }

    /// Asks on one thread for each broker, and stops waiting for a broker that is silent while the others answer
    /// ([`Patience`]). A thread that is no longer waited for ends with its own time limit.
    fn ask_each<Q: Question>(
        &mut self,
        mut questions: impl Iterator<Item = (BrokerId, Q)>,
        mut take: impl FnMut(BrokerId, Result<Q::Answer>) -> Result<()>,
    ) -> Result<()> {
        // A command without an end asks brokers again that were absent the last time.
        if self.forgets_absent() {
            self.absent.clear();
        }
        self.cluster()?;
        let began = Instant::now();
        let limit = self.time_left();
        let options = self.pool.options_within(limit);
        let mut patience = Patience::new(limit, began);
        let mut open = BTreeSet::new();
        let (sender, outcomes) = mpsc::channel();
        loop {
            while patience.count() < Q::AT_ONCE && patience.is_left(Instant::now()) {
                let Some((broker, question)) = questions.next() else {
                    break;
                };
                let Some(turn) = self.turn(broker, question) else {
                    continue;
                };
                patience.asked(broker, Instant::now());
                open.insert(broker);
                ask_on_a_thread(turn, &options, &sender);
            }
            let Some(until) = patience.until() else { break };
            match outcome_until(&outcomes, until) {
                Some(outcome) => {
                    patience.answered(outcome.broker, Instant::now());
                    open.remove(&outcome.broker);
                    self.take_outcome(outcome, &mut take)?;
                }
                None => drop(patience.give_up(Instant::now())),
            }
        }
        let never_asked = questions.map(|(broker, _)| broker);
        for broker in open.into_iter().chain(never_asked) {
            self.set_absent(broker, WireError::TimedOut(began.elapsed()));
        }
        Ok(())
    }

    /// The turn of a broker; `None` if it is known to be absent.
    fn turn<Q>(&mut self, broker: BrokerId, question: Q) -> Option<Turn<Q>> {
        if self.absent.contains_key(&broker) {
            return None;
        }
        let address = self.cluster.as_ref().and_then(|known| known.address_of(broker));
        let Some(address) = address.cloned() else {
            self.set_absent(broker, "it is not up");
            return None;
        };
        Some(Turn {
            broker,
            connection: self.pool.take(&address),
            address,
            question,
        })
    }

    fn take_outcome<T>(
        &mut self,
        outcome: Outcome<T>,
        take: &mut impl FnMut(BrokerId, Result<T>) -> Result<()>,
    ) -> Result<()> {
        if let Some(connection) = outcome.connection {
            self.pool.put(connection);
        }
        match outcome.answer {
            Ok(answer) => take(outcome.broker, Ok(answer)),
            Err(error) if error.is_passing() => {
                self.set_absent(outcome.broker, error.bare());
                Ok(())
            }
            Err(error) => take(outcome.broker, Err(Error::from(error))),
        }
    }

    /// [`AdminClient::send_to_each`] where every broker must answer.
    pub(super) fn send_to_all<Q: Question>(
        &mut self,
        questions: Vec<(BrokerId, Q)>,
    ) -> Result<BTreeMap<BrokerId, Q::Answer>> {
        let asked: Vec<BrokerId> = questions.iter().map(|(broker, _)| *broker).collect();
        let answers = self.send_to_each(questions)?;
        if let Some(phrase) = asked.iter().find_map(|broker| self.absent.remove(broker)) {
            return Err(Error::unreachable(phrase).hint("is the broker up?"));
        }
        answers
            .into_iter()
            .map(|(broker, answer)| Ok((broker, answer?)))
            .collect()
    }

    /// Whether an absent broker is asked again the next time: during a command without an end it may come back.
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

    /// Remembers that the controller could not be asked, which is reached through any broker and has no id here.
    pub(super) fn set_controller_absent(&mut self, why: impl std::fmt::Display) {
        self.absent.insert(CONTROLLER, format!("the controller: {why}"));
    }

    /// The brokers that could not be asked since the last call, each with a phrase that names it and the reason.
    pub fn take_absent(&mut self) -> Absent {
        std::mem::take(&mut self.absent)
    }

    /// Whether a broker could not be asked.
    pub fn is_absent(&self, broker: BrokerId) -> bool {
        self.absent.contains_key(&broker)
    }

    /// Removes a broker from the absent ones, whose answer is not needed.
    pub fn forget_absent(&mut self, broker: BrokerId) {
        self.absent.remove(&broker);
    }

    /// Notes a broker as down that has replicas and is not in the cluster's list.
    pub fn note_down(&mut self, broker: BrokerId) {
        self.set_absent(broker, "it is not up");
    }
}

/// The outcome is sent to `outcomes`, whose receiver may be gone.
fn ask_on_a_thread<Q: Question>(
    turn: Turn<Q>,
    options: &ConnectionOptions,
    outcomes: &Sender<Outcome<Q::Answer>>,
) {
    let (options, outcomes) = (options.clone(), outcomes.clone());
    thread::spawn(move || {
        let _ = outcomes.send(ask(turn, &options));
    });
}

/// The next outcome until this time.
fn outcome_until<T>(outcomes: &Receiver<Outcome<T>>, until: Instant) -> Option<Outcome<T>> {
    let wait = until.saturating_duration_since(Instant::now());
    outcomes.recv_timeout(wait).ok()
}

fn ask<Q: Question>(turn: Turn<Q>, options: &ConnectionOptions) -> Outcome<Q::Answer> {
    let Turn {
        broker,
        address,
        question,
        connection,
    } = turn;
    if let Some(mut connection) = connection {
        connection.set_request_timeout(options.request_timeout);
        match question.ask(&mut connection) {
            // The broker may have closed an idle connection.
            Err(error) if matches!(error.bare(), WireError::Closed) => {}
            answer => return outcome(broker, connection, answer),
        }
    }
    match Connection::open(&address, options) {
        Ok(mut connection) => {
            let answer = question.ask(&mut connection);
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
