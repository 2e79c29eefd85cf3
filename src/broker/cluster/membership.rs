//! Applies the decisions of `elections` to the cluster: brokers come and go, leaders report their ISR, users want
//! other leaders and replicas.

use kafka_protocol::ResponseError;

use super::controller::Refused;
use super::elections::{AlterPartition, Departure, Elections};
use super::image::{BrokerImage, ClusterImage, EndpointImage, Voter};
use super::partition_change::Election;
use super::records::Records;
use super::{Change, Cluster};
use crate::error::Result;

impl Cluster {
    /// A broker is out of reach, or stops: it leaves every ISR and leads nothing.
    ///
    /// # Errors
    ///
    /// The disk fails; then nothing has changed.
    pub(in crate::broker) fn fence(&self, id: i32, departure: Departure) -> Result<()> {
        self.change().fence(id, departure)
    }

    /// A broker is back. It may lead partitions without a leader.
    ///
    /// # Errors
    ///
    /// As [`Cluster::fence`].
    pub(in crate::broker) fn unfence(&self, id: i32) -> Result<()> {
        let mut change = self.change();
        change.set_fenced(id, false);
        let records = Elections::new(&self.image()).broker_back(id);
        change.commit(&records)
    }

    /// Forgets a broker, which stops leading anything. Returns whether it was registered.
    ///
    /// # Errors
    ///
    /// As [`Cluster::fence`].
    pub(in crate::broker) fn unregister(&self, id: i32) -> Result<bool> {
        let mut change = self.change();
        let records = Elections::new(&self.image()).broker_gone(id, Departure::Silent);
        change.commit(&records)?;
        Ok(change.edit(|image| image.unregister(id)))
    }

    /// Applies the ISR that a leader requests.
    ///
    /// # Errors
    ///
    /// Those with which Apache Kafka answers the leader; nothing has changed then.
    pub(in crate::broker) fn alter_partition(&self, wanted: &AlterPartition) -> Result<(), ResponseError> {
        let mut change = self.change();
        let records = Elections::new(&self.image()).alter_partition(wanted)?;
        commit(&mut change, &records)
    }

    /// Elects another leader for a partition, as a user has requested.
    ///
    /// # Errors
    ///
    /// Those of Kafka, with its messages; nothing has changed then.
    pub(in crate::broker) fn elect(
        &self,
        topic: &str,
        index: i32,
        election: Election,
    ) -> Result<(), Refused> {
        let mut change = self.change();
        let image = self.image();
        let found = image.topic(topic).ok_or_else(|| no_such_topic(topic))?;
        let records = Elections::new(&image).elect(found, index, election)?;
        drop(image);
        commit(&mut change, &records).map_err(|error| (error, String::new()))
    }

    /// Elects the preferred replica of every partition that it does not lead and can lead.
    pub(in crate::broker) fn elect_preferred(&self) {
        for (topic, index) in Elections::new(&self.image()).not_led_by_preferred() {
            // If the replica is not in sync, the leader stays.
            let _ = self.elect(&topic, index, Election::Preferred);
        }
    }

    /// Elects leaders for partitions without one, after a config has changed that may allow it.
    ///
    /// # Errors
    ///
    /// As [`Cluster::fence`].
    pub(in crate::broker) fn elect_for_leaderless(&self) -> Result<()> {
        if self.image().brokers().len() == 1 {
            return Ok(());
        }
        self.elect_at_start()
    }

    /// The same at the start of a cluster, where the first node may be alone for a while.
    ///
    /// # Errors
    ///
    /// As [`Cluster::fence`].
    pub(in crate::broker) fn elect_at_start(&self) -> Result<()> {
        let mut change = self.change();
        let records = Elections::new(&self.image()).leaderless();
        change.commit(&records)
    }

    /// Begins to move a partition to other brokers; `None` cancels the reassignment in progress.
    ///
    /// # Errors
    ///
    /// Those of Kafka, some of which have no message; nothing has changed then.
    pub(in crate::broker) fn reassign(
        &self,
        topic: &str,
        index: i32,
        target: Option<&[i32]>,
        may_resize: bool,
    ) -> Result<(), Refused> {
        let mut change = self.change();
        let image = self.image();
        let unknown = || {
            let words = format!("Unable to find a topic named {topic}.");
            (ResponseError::UnknownTopicOrPartition, words)
        };
        let found = image.topic(topic).ok_or_else(unknown)?;
        let records = Elections::new(&image).reassign(found, index, target, may_resize)?;
        drop(image);
        commit(&mut change, &records).map_err(|error| (error, String::new()))
    }
}

impl Change<'_> {
    /// Registers a broker. Registrations are in no record: every broker registers when it starts.
    pub(in crate::broker) fn register(&mut self, broker: BrokerImage) {
        self.edit(|image| image.register(broker));
    }

    /// Replaces the addresses of a broker. Like registrations, they are in no record.
    pub(in crate::broker) fn set_endpoints(&mut self, id: i32, endpoints: Vec<EndpointImage>) {
        self.edit(|image| image.set_endpoints(id, endpoints));
    }

    /// Adds a controller, or (`None`) removes it.
    pub(in crate::broker) fn enlist(&mut self, id: i32, voter: Option<Voter>) {
        self.edit(|image| image.enlist(id, voter));
    }

    /// As [`Cluster::fence`], within a larger change.
    ///
    /// # Errors
    ///
    /// The disk fails; then nothing has changed.
    pub(in crate::broker) fn fence(&mut self, id: i32, departure: Departure) -> Result<()> {
        let records = Elections::new(&self.cluster.image()).broker_gone(id, departure);
        self.commit(&records)?;
        self.set_fenced(id, true);
        Ok(())
    }

    fn set_fenced(&mut self, id: i32, is_fenced: bool) {
        let has_changed = self.edit(|image| image.set_fenced(id, is_fenced));
        if has_changed && is_fenced {
            self.tell(|observer| observer.broker_lost(id));
        }
    }

    fn edit<R>(&mut self, edit: impl FnOnce(&mut ClusterImage) -> R) -> R {
        self.cluster.edit(edit)
    }
}

fn commit(change: &mut Change<'_>, records: &Records) -> Result<(), ResponseError> {
    let committed = change.commit(records);
    committed.map_err(|_| ResponseError::KafkaStorageError)
}

fn no_such_topic(topic: &str) -> Refused {
    let words = format!("No such topic as {topic}");
    (ResponseError::UnknownTopicOrPartition, words)
}
