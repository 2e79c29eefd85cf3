//! Topics as a user would create them: name, partitions, replication factor, and the configs that were set for the
//! topic itself.

use std::collections::BTreeMap;

use super::AdminClient;
use super::configs::ConfigResource;
use super::topics::{NewTopic, TopicDescription};
use crate::error::{Error, Result};

/// Topics in one DescribeConfigs request.
const AT_ONCE: usize = 500;

/// A topic as it is, or as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSpec {
    pub name: String,
    /// `None` is the broker's `num.partitions`.
    pub partitions: Option<i32>,
    /// `None` is the broker's `default.replication.factor`.
    pub replication_factor: Option<i16>,
    pub configs: BTreeMap<String, String>,
}

impl TopicSpec {
    /// The topic as a request to create it.
    pub fn to_new_topic(&self) -> NewTopic {
        let configs = self.configs.iter();
        NewTopic {
            name: self.name.clone(),
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            assignment: None,
            configs: configs
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }
}

impl AdminClient {
    /// The specs of these topics, in their order. Configs of throttled replicas are a temporary state, and are left
    /// out.
    pub fn topic_specs(&mut self, topics: &[TopicDescription]) -> Result<Vec<TopicSpec>> {
        let mut specs = Vec::with_capacity(topics.len());
        for some in topics.chunks(AT_ONCE) {
            let resources = some.iter().map(|topic| ConfigResource::Topic(topic.name.clone()));
            let resources: Vec<ConfigResource> = resources.collect();
            let answers = self.describe_configs(&resources)?;
            for ((topic, resource), configs) in some.iter().zip(&resources).zip(answers) {
                let name = &topic.name;
                let configs = configs.map_err(|refusal| {
                    Error::from(refusal).context(format_args!("cannot read the configs of {name}"))
                })?;
                let own = configs.into_iter().filter(|config| {
                    config.source == resource.own_source()
                        && !config.name.ends_with("replication.throttled.replicas")
                });
                let replicas = topic.partitions.iter().map(|partition| partition.replicas.len());
                specs.push(TopicSpec {
                    name: name.clone(),
                    partitions: i32::try_from(topic.partitions.len()).ok(),
                    replication_factor: replicas.max().and_then(|count| i16::try_from(count).ok()),
                    configs: own
                        .filter_map(|config| Some((config.name, config.value?)))
                        .collect(),
                });
            }
        }
        Ok(specs)
    }
}
