//! The topic's `max.message.bytes`, requested once with DescribeConfigs on an open connection.

use std::time::{Duration, Instant};

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{DirectSink, NoListener, Note, STEP};
use crate::wire::WireError;

/// The resource type of a topic.
const TOPIC: i8 = 2;
const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// The state of the request, and its topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TopicLimit {
    Unwanted,
    Wanted(String),
    Asked(String),
    /// The answer; `None` if the cluster does not state it.
    Answered(String, Option<usize>),
}

impl DirectSink {
    /// Waits for the answer; `None` if there is none in time.
    pub(super) fn await_topic_limit(&mut self, topic: &str, wait: Duration) -> Option<usize> {
        let deadline = Instant::now() + wait;
        let is_under_way = match &self.topic_limit {
            TopicLimit::Wanted(of) | TopicLimit::Asked(of) | TopicLimit::Answered(of, Some(_)) => of == topic,
            // The topic may not have existed when it was asked in advance.
            TopicLimit::Unwanted | TopicLimit::Answered(_, None) => false,
        };
        if !is_under_way {
            self.topic_limit = TopicLimit::Wanted(topic.to_owned());
        }
        loop {
            self.ask_topic_limit();
            if let TopicLimit::Answered(_, limit) = self.topic_limit {
                return limit;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.check().is_err() {
                return None;
            }
            self.drive_io(left.min(STEP), &mut NoListener);
        }
    }

    /// Sends the request if it is wanted and there is a connection.
    pub(super) fn ask_topic_limit(&mut self) {
        let TopicLimit::Wanted(topic) = &self.topic_limit else {
            return;
        };
        let topic = topic.clone();
        let Some(node) = self.session.any_node() else {
            return;
        };
        let timeout = self.settings.request_timeout;
        let Some(mut link) = self.session.channel(node) else {
            return;
        };
        let resource = DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(StrBytes::from_string(topic.clone()))
            .with_configuration_keys(Some(vec![StrBytes::from_static_str(MAX_MESSAGE_BYTES)]));
        let build = |_| DescribeConfigsRequest::default().with_resources(vec![resource]);
        match link.send(build, i16::MAX, timeout, Note::TopicLimit) {
            Ok(()) => self.topic_limit = TopicLimit::Asked(topic),
            // A listener that has answered nothing yet may be about to refuse us, which is the better
            // error.
            Err(WireError::Unsupported(_)) if self.session.answers() == 0 => {}
            Err(WireError::Unsupported(_)) => self.topic_limit = TopicLimit::Answered(topic, None),
            Err(error) => self.session.close(node, error),
        }
    }

    /// The connection of the request was lost.
    pub(super) fn ask_topic_limit_again(&mut self) {
        if let TopicLimit::Asked(topic) = &self.topic_limit {
            self.topic_limit = TopicLimit::Wanted(topic.clone());
        }
    }

    pub(super) fn take_topic_limit(&mut self, answer: &DescribeConfigsResponse) {
        let configs = answer.results.iter().flat_map(|result| &result.configs);
        let limit = configs
            .filter(|config| config.name.as_str() == MAX_MESSAGE_BYTES)
            .find_map(|config| config.value.as_ref()?.parse().ok());
        self.end_topic_limit(limit);
    }

    /// Takes the outcome of the request.
    pub(super) fn end_topic_limit(&mut self, limit: Option<usize>) {
        if let TopicLimit::Asked(topic) = &self.topic_limit {
            self.topic_limit = TopicLimit::Answered(topic.clone(), limit);
        }
    }
}
