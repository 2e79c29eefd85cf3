//! [`RecordSink`] over librdkafka: a transactional producer (KIP-98).
//!
//! Owns the transaction: it begins with the first record and ends with `flush`, so that a run's records are all visible to
//! readers of committed records, or none is. Records count as delivered when the transaction is committed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};

use super::config;
use super::notices::{Notices, broker_code, kind_of, plain, words};
use super::reports::Reports;
use super::tags::Tags;
use super::tokens::Tokens;
use crate::client::preflight::Preflight;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener, RecordSink, RecordView, SinkOptions};
use crate::client::request_limit::RequestLimit;
use crate::client::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::interrupt::Interrupt;
use crate::wire::error_codes;

/// How long one wait inside a longer one is, so that an interrupt is noticed.
const STEP: Duration = Duration::from_millis(50);
/// How often to check whether every record is delivered: the crate's `flush` sleeps for the whole time, even if the
/// last delivery comes before.
const LOOK: Duration = Duration::from_millis(1);
/// How often a full queue is tried again.
const RETRY: Duration = Duration::from_millis(5);
/// How long the beginning and the end of a transaction may take.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How long aborting may take after an interrupt. The coordinator aborts by itself after `transaction.timeout.ms`.
const ABORT_TIMEOUT: Duration = Duration::from_secs(3);
/// librdkafka takes the timestamp 0 for the current time.
const TIME_ZERO: &str = "the time 0 (1970-01-01T00:00:00Z) cannot be sent in a transaction, it would become the present \
                         time; 1 is the earliest that can";

/// The state of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The coordinator has not been asked for a producer id yet.
    New,
    /// No transaction is open.
    Ready,
    Open,
}

/// Why the transaction cannot be committed.
#[derive(Clone, Debug)]
struct Cause {
    kind: Kind,
    reason: String,
}

/// Sends records in one transaction.
pub struct Producer {
    client: ThreadedProducer<SinkContext>,
    id: String,
    state: State,
    /// The records of the open transaction.
    tags: Tags,
    /// The first failure in the open transaction.
    cause: Option<Cause>,
    interrupt: Interrupt,
    notices: Notices,
    preflight: Preflight,
    servers: String,
    limit: RequestLimit,
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The state that librdkafka's callbacks write to.
#[derive(Debug)]
struct SinkContext {
    reports: Reports,
    tokens: Tokens,
    /// The first record that failed.
    failure: Mutex<Option<Code>>,
}

impl ClientContext for SinkContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.reports.push_log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.push_error(&error, reason);
    }
}

impl ProducerContext for SinkContext {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(code);
        }
    }
}

/// Gives the client an OAUTHBEARER token if one is due.
fn renew_token(client: &ThreadedProducer<SinkContext>) {
    let context = client.context();
    context.tokens.renew(client.client(), &context.reports);
}

impl Producer {
    /// Connects in the background.
    ///
    /// # Errors
    /// A setting that librdkafka does not accept.
    pub fn open(settings: &Settings, options: SinkOptions) -> Result<Self> {
        let entries = config::producer(settings, &options.overrides, &options.defaults)?;
        let value = |name: &str| config::value_of(&entries, name).unwrap_or_default().to_owned();
        let context = SinkContext {
            reports: Reports::default(),
            tokens: Tokens::of(settings)?,
            failure: Mutex::default(),
        };
        let client = config::client_config(&entries)
            .create_with_context(context)
            .map_err(|error| config::refusal(&error))?;
        renew_token(&client);
        Ok(Self {
            client,
            id: value("transactional.id"),
            state: State::New,
            tags: Tags::default(),
            cause: None,
            interrupt: options.interrupt,
            notices: Notices::default(),
            preflight: Preflight::of(settings),
            servers: value("bootstrap.servers"),
            limit: RequestLimit::of(settings),
        })
    }

    fn context(&self) -> Arc<SinkContext> {
        Arc::clone(self.client.context())
    }

    /// Takes the reports of the callbacks.
    fn take_reports(&mut self) {
        renew_token(&self.client);
        let context = self.context();
        for report in context.reports.drain() {
            self.notices.take(&report);
        }
        self.notices.look_into(&mut self.preflight);
        let failure = *context.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(code), None) = (failure, &self.cause) {
            // After a fatal error the client fails all records; only `fatal` has the reason.
            self.cause = self.fatal().or_else(|| {
                Some(Cause {
                    kind: kind_of(code),
                    reason: words(code),
                })
            });
        }
    }

    /// An error if waiting is useless.
    fn check(&mut self) -> Result<()> {
        self.take_reports();
        if self.interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        self.check_hope()
    }

    /// An error if this client has failed permanently.
    fn check_hope(&self) -> Result<()> {
        if let Some(cause) = self.fatal() {
            let text = format!("transaction \"{}\": {}", self.id, cause.reason);
            return Err(Error::new(cause.kind, text));
        }
        match self.notices.hopeless() {
            Some(error) => Err(error.context(format!("cannot use {}", self.servers))),
            None => Ok(()),
        }
    }

    fn fatal(&self) -> Option<Cause> {
        let (code, _) = self.client.client().fatal_error()?;
        Some(Cause {
            kind: kind_of(code),
            reason: words(code),
        })
    }

    /// Requests a producer id from the coordinator, which also ends an open transaction of an earlier run with this
    /// transactional id.
    fn initialise(&mut self, deadline: Instant) -> Result<()> {
        while self.state == State::New {
            match self.client.init_transactions(STEP) {
                Ok(()) => self.state = State::Ready,
                Err(error) if may_pass(&error) && Instant::now() < deadline => self.check()?,
                Err(error) => {
                    self.take_reports();
                    return Err(self.transaction_error("begin", &error));
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<()> {
        self.initialise(Instant::now() + TRANSACTION_TIMEOUT)?;
        if self.state == State::Ready {
            let outcome = self.client.begin_transaction();
            outcome.map_err(|error| self.transaction_error("begin", &error))?;
            self.state = State::Open;
        }
        Ok(())
    }

    fn transaction_error(&self, step: &str, error: &KafkaError) -> Error {
        let cause = self.cause_of(error);
        let text = format!("cannot {step} transaction \"{}\": {}", self.id, cause.reason);
        Error::new(cause.kind, text)
    }

    fn cause_of(&self, error: &KafkaError) -> Cause {
        if let Some(cause) = self.fatal() {
            return cause;
        }
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        let kind = kind_of(code);
        let reason = match (error, self.notices.last()) {
            // The reason why the coordinator cannot be reached is better than that it did not answer.
            (_, Some(trouble)) if kind == Kind::Unreachable => trouble.to_owned(),
            (KafkaError::Transaction(error), _) if broker_code(code).is_none() => plain(&error.string()),
            _ => words(code),
        };
        Cause { kind, reason }
    }

    /// Ends the transaction without its records, and reports all of them as failed.
    fn abort(&mut self, cause: &Cause, timeout: Duration, listener: &mut dyn DeliveryListener) {
        if self.state == State::Open {
            let deadline = Instant::now() + timeout;
            loop {
                match self.client.abort_transaction(STEP) {
                    Err(error) if may_pass(&error) && Instant::now() < deadline => {}
                    _ => break,
                }
            }
            self.state = State::Ready;
        }
        let failure = &mut *self
            .client
            .context()
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *failure = None;
        self.cause = None;
        let reason = format!("the transaction was aborted: {}", cause.reason);
        report_all(&mut self.tags, cause.kind, &reason, listener);
    }

    /// Waits until the cluster has every record; fails if one of them failed or waiting is useless.
    fn wait_for_records(&mut self) -> std::result::Result<(), Cause> {
        loop {
            let outcome = self.client.flush(LOOK);
            let checked = self.check();
            if let Some(cause) = self.cause.clone() {
                return Err(cause);
            }
            if let Err(error) = checked {
                return Err(Cause {
                    kind: error.kind(),
                    reason: error.message().clone(),
                });
            }
            match outcome {
                Ok(()) => return Ok(()),
                Err(error) if may_pass(&error) => {}
                Err(error) => return Err(self.cause_of(&error)),
            }
        }
    }

    /// Commits. A commit in progress is not cancelled: an interrupt only shortens the wait for its answer.
    fn commit(&mut self, listener: &mut dyn DeliveryListener) -> Result<()> {
        let mut deadline = Instant::now() + TRANSACTION_TIMEOUT;
        loop {
            let error = match self.client.commit_transaction(STEP) {
                Ok(()) => {
                    self.state = State::Ready;
                    let count = self.tags.drain().count() as u64;
                    listener.delivered(count);
                    return Ok(());
                }
                Err(error) => error,
            };
            self.take_reports();
            if self.interrupt.is_raised() {
                deadline = deadline.min(Instant::now() + ABORT_TIMEOUT);
            }
            if may_pass(&error) && Instant::now() < deadline {
                continue;
            }
            let cause = self.cause_of(&error);
            if matches!(&error, KafkaError::Transaction(error) if error.txn_requires_abort()) {
                self.abort(&cause, TRANSACTION_TIMEOUT, listener);
            } else {
                self.state = State::Ready;
                let reason = format!(
                    "it is not known whether the transaction was committed: {}",
                    cause.reason
                );
                report_all(&mut self.tags, cause.kind, &reason, listener);
            }
            return Err(self.transaction_error("commit", &error));
        }
    }

    fn enqueue(&mut self, record: &RecordView<'_>) -> Result<Option<Code>> {
        loop {
            let mut outgoing = BaseRecord::<[u8], [u8]>::to(record.topic);
            outgoing.key = record.key;
            outgoing.payload = record.value;
            outgoing.partition = record.partition;
            outgoing.timestamp = record.timestamp;
            outgoing.headers = headers(record);
            match self.client.send(outgoing) {
                Ok(()) => return Ok(None),
                Err((error, _)) => match error.rdkafka_error_code() {
                    Some(Code::QueueFull) => std::thread::sleep(RETRY),
                    code => return Ok(Some(code.unwrap_or(Code::Fail))),
                },
            }
            self.check()?;
            if let Some(cause) = &self.cause {
                return Err(Error::new(cause.kind, cause.reason.clone()));
            }
        }
    }
}

/// Whether the same call may succeed when it is repeated.
fn may_pass(error: &KafkaError) -> bool {
    let is_late = error.rdkafka_error_code() == Some(Code::OperationTimedOut);
    is_late || matches!(error, KafkaError::Transaction(error) if error.is_retriable())
}

fn headers(record: &RecordView<'_>) -> Option<OwnedHeaders> {
    if record.headers.is_empty() {
        return None;
    }
    let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
    for header in record.headers {
        headers = headers.insert(Header {
            key: header.name,
            value: header.value,
        });
    }
    Some(headers)
}

fn report_all(tags: &mut Tags, kind: Kind, reason: &str, listener: &mut dyn DeliveryListener) {
    for tag in tags.drain() {
        listener.failed(&DeliveryFailure {
            tag,
            partition: None,
            reason,
            kind,
            key_bytes: 0,
            value_bytes: 0,
        });
    }
}

impl RecordSink for Producer {
    fn send_all(
        &mut self,
        records: &[RecordView<'_>],
        first_tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<(), (usize, Error)> {
        for (place, record) in records.iter().enumerate() {
            self.send(record, first_tag + place as u64, listener)
                .map_err(|error| (place, error))?;
        }
        Ok(())
    }

    fn send(&mut self, record: &RecordView<'_>, tag: u64, listener: &mut dyn DeliveryListener) -> Result<()> {
        let is_lost = record.timestamp == Some(0);
        let unfit = is_lost.then(|| TIME_ZERO.to_owned());
        let (kind, reason) = if let Some(reason) = unfit.or_else(|| self.limit.refusal(record)) {
            (Kind::BadData, reason)
        } else {
            self.begin()?;
            let Some(code) = self.enqueue(record)? else {
                self.tags.push(tag);
                return Ok(());
            };
            (kind_of(code), words(code))
        };
        listener.failed(&DeliveryFailure {
            tag,
            partition: record.partition,
            reason: &reason,
            kind,
            key_bytes: record.key.map_or(0, <[u8]>::len),
            value_bytes: record.value.map_or(0, <[u8]>::len),
        });
        // A transaction without one of its records must not be committed.
        self.cause.get_or_insert(Cause { kind, reason });
        Ok(())
    }

    fn dispatch(&mut self, _listener: &mut dyn DeliveryListener) -> Result<()> {
        Ok(())
    }

    fn poll(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) -> Result<()> {
        // Records are reported when the transaction ends; until then this only waits.
        std::thread::sleep(wait.min(RETRY));
        let had_cause = self.cause.is_some();
        self.take_reports();
        if let Some(cause) = self.cause.as_ref().filter(|_| !had_cause) {
            listener.notice(&format!("the transaction will be aborted: {}", cause.reason));
        }
        self.check_hope()
    }

    fn flush_early(&mut self, wait: Duration, _listener: &mut dyn DeliveryListener) {
        if !wait.is_zero() {
            // The end of the transaction waits for the rest.
            let _ = self.client.flush(wait);
        }
    }

    fn flush(&mut self, was_interrupted: bool, listener: &mut dyn DeliveryListener) -> Result<()> {
        if self.state != State::Open {
            return Ok(());
        }
        let outcome = if was_interrupted {
            Err(Cause {
                kind: Kind::Interrupted,
                reason: "interrupted".to_owned(),
            })
        } else {
            self.wait_for_records()
        };
        match outcome {
            Ok(()) => self.commit(listener),
            Err(cause) => {
                let is_over = cause.kind == Kind::Interrupted;
                let timeout = if is_over {
                    ABORT_TIMEOUT
                } else {
                    TRANSACTION_TIMEOUT
                };
                self.abort(&cause, timeout, listener);
                if is_over {
                    return Err(Error::interrupted());
                }
                Ok(())
            }
        }
    }

    fn abandon(&mut self, listener: &mut dyn DeliveryListener) {
        let cause = self
            .cause
            .clone()
            .or_else(|| self.fatal())
            .unwrap_or_else(|| Cause {
                kind: Kind::Failed,
                reason: self.notices.last().unwrap_or("given up").to_owned(),
            });
        self.abort(&cause, ABORT_TIMEOUT, listener);
    }

    /// Records that the brokers have not acknowledged. Acknowledged ones are not counted, although they are reported
    /// only when the transaction ends: a caller may wait until this number is 0.
    fn in_flight(&self) -> usize {
        usize::try_from(self.client.in_flight_count()).unwrap_or(0)
    }

    fn prepare_topic(&mut self, topic: &str, wait: Duration) -> Result<usize> {
        let deadline = Instant::now() + wait;
        let count = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = self
                .client
                .client()
                .fetch_metadata(Some(topic), left.min(STEP * 4).max(STEP));
            self.check()?;
            let code = match &answer {
                Ok(metadata) => match metadata.topics().first() {
                    Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
                        break found.partitions().len();
                    }
                    Some(found) => found.error().map_or(Code::UnknownTopicOrPartition, Code::from),
                    None => Code::UnknownTopicOrPartition,
                },
                Err(error) => error.rdkafka_error_code().unwrap_or(Code::Fail),
            };
            let is_final = matches!(
                broker_code(code),
                Some(error_codes::INVALID_TOPIC_EXCEPTION | error_codes::TOPIC_AUTHORIZATION_FAILED)
            );
            if is_final || left.is_zero() {
                return Err(self.topic_error(topic, code));
            }
            std::thread::sleep(RETRY * 4);
        };
        self.initialise(deadline.max(Instant::now() + TRANSACTION_TIMEOUT / 4))?;
        Ok(count)
    }

    fn want_max_message_bytes(&mut self, _topic: &str) {}

    /// Not requested: the broker refuses a record that is too large, and the transaction fails.
    fn max_message_bytes(&mut self, _topic: &str, _wait: Duration) -> Option<usize> {
        None
    }

    fn limit_batches(&mut self, _bytes: usize) {}

    fn take_notices(&mut self) -> Vec<String> {
        self.notices.drain()
    }
}

impl Producer {
    fn topic_error(&self, topic: &str, code: Code) -> Error {
        let servers = &self.servers;
        match kind_of(code) {
            Kind::Unreachable => {
                let why = self.notices.last().map_or_else(|| words(code), str::to_owned);
                let why = why
                    .strip_prefix(&format!("{servers}: "))
                    .unwrap_or(&why)
                    .to_owned();
                Error::unreachable(format!("cannot reach {servers}: {why}")).hint("is the broker up?")
            }
            Kind::NotFound => Error::not_found(format!("topic \"{topic}\" not found on {servers}"))
                .hint(format!("kafkit topics create {topic}")),
            kind => Error::new(kind, format!("topic \"{topic}\" on {servers}: {}", words(code))),
        }
    }
}
