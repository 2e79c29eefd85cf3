//! The kinds of values that words on a command line can be.

/// The kind of the word being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Topics,
    /// Topics of the cluster of `--to`, `--to-profile` or `--to-config`, if one of them is on the line.
    TopicsThere,
    /// `TOPIC[:P,P…]`.
    TopicPartitions,
    /// Numbers of partitions of the topic on the line, separated by commas.
    Partitions,
    Groups,
    /// Ids, separated by commas.
    Brokers,
    /// Users with SCRAM passwords.
    Users,
    /// `User:NAME`, of users and of ACLs.
    Principals,
    TransactionalIds,
    /// Names of resources of the kind on the line.
    ConfigOwners,
    /// Names of configs of the kind on the line.
    ConfigNames,
    /// `NAME=VALUE` of such a config.
    ConfigSettings,
    /// `NAME=VALUE` of a setting that a broker is started with.
    BrokerSettings,
    ClientMetrics,
    /// Names of quotas.
    Quotas,
    /// `QUOTA=VALUE`.
    QuotaSettings,
    /// Operations of ACLs, separated by commas, in kafkit's spelling.
    Operations,
    ClientSettingNames,
    /// `NAME=VALUE` of a client setting.
    ClientSettings,
    /// Names of headers in records of the topic on the line.
    Headers,
    /// The same with an equals sign.
    HeaderSettings,
    Profiles,
    /// Bootstrap servers.
    Servers,
    /// Several of these words, separated by commas.
    Lists(&'static [&'static str]),
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words, each with its description.
    Explained(&'static [(&'static str, &'static str)]),
    Files,
    Directories,
    /// A value without candidates.
    Free,
}
