//! The target assignment of a group: each member's partitions once all have reached the group's epoch. Owns when the
//! assignor runs and its input; the assignors are in `assignor/`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::group::{ConsumerGroup, FIRST_EPOCH, Step};
use super::record::{GroupRecord, TargetEpoch};
use super::topics::TopicCatalog;
use crate::broker::coordinator::group::assignor::{SubscribedGroup, SubscribedMember};

impl ConsumerGroup {
    /// Runs the assignor if the group's epoch was raised since its last run, unless that was too recent.
    pub(super) fn update_target(&mut self, step: &mut Step<'_>) {
        let interval_ms = i64::from(step.around.settings.assignment_interval_ms);
        let ran_once = self.target_epoch.epoch > FIRST_EPOCH;
        let too_soon = ran_once && step.around.now_ms < self.target_epoch.at_ms.saturating_add(interval_ms);
        if self.epoch.epoch <= self.target_epoch.epoch || too_soon {
            return;
        }
        let assignor = self.preferred_assignor(&step.around.settings.assignors);
        let assignment = assignor.assign(&self.as_assignors_see_it(step.around.catalog));
        for (id, target) in assignment {
            if self.targets.get(&id).is_none_or(|known| **known != target) {
                self.write(step, GroupRecord::Target(id, Some(target)));
            }
        }
        let target = TargetEpoch {
            epoch: self.epoch.epoch,
            at_ms: step.around.now_ms,
        };
        self.write(step, GroupRecord::TargetEpoch(Some(target)));
    }

    fn as_assignors_see_it(&self, catalog: &dyn TopicCatalog) -> SubscribedGroup {
        let mut ids: BTreeMap<String, Uuid> = BTreeMap::new();
        let mut partition_counts = BTreeMap::new();
        for name in self.subscribed_topics() {
            if let Some(topic) = catalog.topic(&name) {
                partition_counts.insert(topic.id, topic.partition_count());
                ids.insert(name, topic.id);
            }
        }
        // Most members have the same subscription as another.
        let mut alike: BTreeMap<(&BTreeSet<String>, &str), Arc<BTreeSet<Uuid>>> = BTreeMap::new();
        let members = self.members.iter().map(|(id, member)| {
            let topics = alike
                .entry((&member.metadata.topics, &member.metadata.regex))
                .or_insert_with(|| {
                    let names = self.topics_of(member);
                    Arc::new(names.iter().filter_map(|name| ids.get(name).copied()).collect())
                });
            let member = SubscribedMember {
                instance_id: member.metadata.instance_id.clone(),
                topics: Arc::clone(topics),
                owned: (*self.target(id)).clone(),
            };
            (id.clone(), member)
        });
        SubscribedGroup {
            members: members.collect(),
            partition_counts,
        }
    }
}
