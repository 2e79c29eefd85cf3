//! The topic's `max.message.bytes`, asked for once with DescribeConfigs on a connection that is there anyway.

use std::time::{Duration, Instant};

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{DirectSink, NoListener, Note, STEP};
use crate::wire::WireError;

/// The resource type of a topic.
const TOPIC: i8 = 2;
const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// How far the question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopicLimit {
    Unasked,
    Asked,
    /// The answer; `None` where the cluster will not say.
    Answered(Option<usize>),
}

impl DirectSink {
    /// Asks and waits for the answer; `None` where there is none in time.
    pub(super) fn ask_topic_limit(&mut self, topic: &str, wait: Duration) -> Option<usize> {
        let deadline = Instant::now() + wait;
        self.topic_limit = TopicLimit::Unasked;
        loop {
            if self.topic_limit == TopicLimit::Unasked {
                self.send_limit_question(topic);
            }
            if let TopicLimit::Answered(limit) = self.topic_limit {
                return limit;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.check().is_err() {
                return None;
            }
            self.turn_the_wheel(left.min(STEP), &mut NoListener);
        }
    }

    fn send_limit_question(&mut self, topic: &str) {
        let timeout = self.settings.request_timeout;
        let Some(node) = self.session.any_node() else {
            return;
        };
        let Some(mut link) = self.session.channel(node) else {
            return;
        };
        let resource = DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(StrBytes::from_string(topic.to_owned()))
            .with_configuration_keys(Some(vec![StrBytes::from_static_str(MAX_MESSAGE_BYTES)]));
        let build = |_| DescribeConfigsRequest::default().with_resources(vec![resource]);
        match link.send(build, i16::MAX, timeout, Note::TopicLimit) {
            Ok(()) => self.topic_limit = TopicLimit::Asked,
            Err(WireError::Unsupported(_)) => self.topic_limit = TopicLimit::Answered(None),
            Err(error) => self.session.close(node, error),
        }
    }

    pub(super) fn take_topic_limit(&mut self, answer: &DescribeConfigsResponse) {
        let configs = answer.results.iter().flat_map(|result| &result.configs);
        let limit = configs
            .filter(|config| config.name.as_str() == MAX_MESSAGE_BYTES)
            .find_map(|config| config.value.as_ref()?.parse().ok());
        self.topic_limit = TopicLimit::Answered(limit);
    }
}
