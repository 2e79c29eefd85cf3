//! The kinds of values that words on a command line can be.

/// What the word being typed names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Topics,
    /// Topics of the cluster that `--to`, `--to-profile` or `--to-config` names, where one is on the line.
    TopicsThere,
    /// `TOPIC[:P,P…]`.
    TopicPartitions,
    /// Numbers, with commas between them, of partitions of the topic on the line.
    Partitions,
    Groups,
    /// Ids, with commas between them.
    Brokers,
    /// Users with SCRAM passwords.
    Users,
    /// `User:NAME`, of users and of ACLs.
    Principals,
    TransactionalIds,
    /// Whatever has configs of the kind that is on the line.
    ConfigOwners,
    /// Names of configs of the kind that is on the line.
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
    /// What an ACL can allow, with commas between them, in kafkit's spelling.
    Operations,
    ClientSettingNames,
    /// `NAME=VALUE` of a client setting.
    ClientSettings,
    /// Names of headers that records of the topic on the line have.
    Headers,
    /// The same with an equals sign.
    HeaderSettings,
    Profiles,
    /// Brokers to ask first.
    Servers,
    /// Several of these words, with commas between them.
    Lists(&'static [&'static str]),
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words, each with what it means.
    Explained(&'static [(&'static str, &'static str)]),
    Files,
    Directories,
    /// What nobody can know.
    Free,
}
