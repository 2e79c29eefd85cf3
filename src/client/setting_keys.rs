//! The names of each client setting in Java and in librdkafka, and its effect here.
//!
//! Java's names are those of Apache Kafka 4.3.1's producer, consumer and admin client; librdkafka's those of 2.12.

use std::fmt::Write as _;

use crate::spelling::closest;

/// The effect of a setting with one of Java's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// librdkafka's setting of this name; the value may need [`for_librdkafka`].
    As(&'static str),
    /// Used by our own code: connections, admin calls, the console tools.
    Ours,
    /// Part of TLS or SASL: read by `security`, or refused there.
    Security,
    /// Without effect in this program: serializers, metrics, Java's buffers.
    Moot,
    /// Would change the behaviour, and cannot be honoured; the text says why.
    NotHonoured(&'static str),
}

/// The clients that a setting of librdkafka is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Both,
    Producer,
    Consumer,
}

/// What a command does with the cluster, which decides the settings that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Reads and changes metadata, without records.
    Admin,
    /// Sends without a transaction.
    Produce,
    /// Sends in a transaction.
    ProduceInTransaction,
    /// Consumes as a member of a group.
    Consume,
    /// Consumes without a group.
    ConsumeAlone,
}

/// Settings that all our own connections apply.
const OF_CONNECTIONS: &[&str] = &[
    "bootstrap.servers",
    "client.id",
    "default.api.timeout.ms",
    "receive.buffer.bytes",
    "request.timeout.ms",
    "send.buffer.bytes",
    "socket.connection.setup.timeout.ms",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "socket.timeout.ms",
];

/// Settings that the direct lane reads, with Java's or librdkafka's names.
#[rustfmt::skip] // one setting a line
const DIRECT: &[(&str, Reach)] = &[
    ("acks", Reach::Producer),
    ("allow.auto.create.topics", Reach::Consumer),
    ("auto.offset.reset", Reach::Consumer),
    ("batch.size", Reach::Producer),
    ("buffer.memory", Reach::Producer),
    ("check.crcs", Reach::Consumer),
    ("client.dns.lookup", Reach::Both),
    ("client.id", Reach::Both),
    ("client.rack", Reach::Consumer),
    ("compression.codec", Reach::Producer),
    ("compression.gzip.level", Reach::Producer),
    ("compression.level", Reach::Producer),
    ("compression.lz4.level", Reach::Producer),
    ("compression.type", Reach::Producer),
    ("compression.zstd.level", Reach::Producer),
    ("connections.max.idle.ms", Reach::Both),
    ("delivery.timeout.ms", Reach::Producer),
    ("enable.idempotence", Reach::Producer),
    ("fetch.max.bytes", Reach::Consumer),
    ("fetch.max.wait.ms", Reach::Consumer),
    ("fetch.message.max.bytes", Reach::Consumer),
    ("fetch.min.bytes", Reach::Consumer),
    ("fetch.wait.max.ms", Reach::Consumer),
    ("isolation.level", Reach::Consumer),
    ("linger.ms", Reach::Producer),
    ("max.in.flight", Reach::Producer),
    ("max.in.flight.requests.per.connection", Reach::Producer),
    ("max.partition.fetch.bytes", Reach::Consumer),
    ("max.request.size", Reach::Producer),
    ("message.send.max.retries", Reach::Producer),
    ("message.timeout.ms", Reach::Producer),
    ("metadata.max.age.ms", Reach::Both),
    ("metadata.recovery.strategy", Reach::Both),
    ("partitioner", Reach::Producer),
    ("partitioner.adaptive.partitioning.enable", Reach::Producer),
    ("partitioner.availability.timeout.ms", Reach::Producer),
    ("partitioner.ignore.keys", Reach::Producer),
    ("queue.buffering.max.kbytes", Reach::Producer),
    ("queue.buffering.max.ms", Reach::Producer),
    ("reconnect.backoff.max.ms", Reach::Both),
    ("reconnect.backoff.ms", Reach::Both),
    ("request.required.acks", Reach::Producer),
    ("request.timeout.ms", Reach::Producer),
    ("retries", Reach::Producer),
    ("retry.backoff.max.ms", Reach::Both),
    ("retry.backoff.ms", Reach::Both),
    ("socket.connection.setup.timeout.max.ms", Reach::Both),
    ("topic.metadata.propagation.max.ms", Reach::Producer),
    ("topic.metadata.refresh.interval.ms", Reach::Both),
];

/// Settings that this program relies on in the engine: what is printed and counted depends on them.
const FIXED: &[&str] = &[
    "delivery.report.only.error",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "internal.termination.signal",
    "log.queue",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "produce.offset.report",
    "topic.blacklist",
];

/// Why a command does not use an existing setting; `None` if it applies it, or warns about it anyway.
pub(super) fn why_unused(key: &str, command: Use) -> Option<&'static str> {
    let meaning = java(key);
    if matches!(meaning, Some(Meaning::Security | Meaning::NotHonoured(_)))
        || OF_CONNECTIONS.contains(&key)
        || key.starts_with("ssl.")
        || key.starts_with("sasl.")
        || matches!(key, "security.protocol" | "enable.ssl.certificate.verification")
    {
        return None;
    }
    if FIXED.contains(&key) {
        return Some("kafkit needs its own value");
    }
    let reach = match meaning {
        Some(Meaning::As(name)) => librdkafka(name),
        Some(_) => None,
        None => librdkafka(key),
    };
    let direct = direct(key);
    match (command, direct.or(reach)) {
        (_, None) => Some("it has no effect here"),
        (Use::Admin, _) => Some("it is for sending or reading records"),
        (Use::Produce | Use::ProduceInTransaction, Some(Reach::Consumer)) => {
            Some("it is for reading records")
        }
        (Use::Consume | Use::ConsumeAlone, Some(Reach::Producer)) => Some("it is for sending records"),
        (Use::ConsumeAlone, _) if direct.is_none() => Some("it is for members of a group (--group)"),
        (Use::Produce, _) if direct.is_none() => Some("it is for transactions (transactional.id)"),
        (Use::Consume | Use::ProduceInTransaction, _) if reach.is_none() => {
            Some("it has no effect in a group or a transaction")
        }
        _ => None,
    }
}

/// The clients of the direct lane that read a setting.
fn direct(key: &str) -> Option<Reach> {
    let found = DIRECT.binary_search_by(|(name, _)| name.cmp(&key)).ok()?;
    DIRECT.get(found).map(|(_, reach)| *reach)
}

/// The effect of each setting of Java's clients, as a table for the documentation.
pub(super) fn markdown() -> String {
    let rows = JAVA
        .iter()
        .map(|(name, meaning)| format!("| `{name}` | {} |\n", fate(name, *meaning)));
    format!("| setting | here |\n|---|---|\n{}", rows.collect::<String>())
}

/// The effect of each setting of Java's clients, for the man page.
pub(super) fn man_section() -> String {
    let mut text = ".SH SETTINGS\nWhat becomes of each setting of Java's clients (\\-X NAME=VALUE, \\-\\-command\\-config FILE).\n"
        .to_owned();
    for (name, meaning) in JAVA {
        let _ = write!(text, ".TP\n\\fB{name}\\fR\n{}\n", fate(name, *meaning));
    }
    text
}

/// The effect of a setting, as a text.
pub(super) fn effect(key: &str) -> String {
    match (java(key), librdkafka(key)) {
        (Some(Meaning::Security), _) => "of the connection".to_owned(),
        (Some(meaning), _) => fate(key, meaning),
        (None, _) if key.starts_with("ssl.") || key.starts_with("sasl.") || OURS.contains(&key) => {
            "of the connection".to_owned()
        }
        (None, _) if FIXED.contains(&key) => "ignored: kafkit needs its own value".to_owned(),
        (None, Some(_)) if direct(key).is_some() || OF_CONNECTIONS.contains(&key) => "honoured".to_owned(),
        (None, Some(_)) => "honoured in groups and transactions".to_owned(),
        (None, None) => "no setting of a Kafka client".to_owned(),
    }
}

/// Keys whose values are paths.
pub(super) fn is_path(key: &str) -> bool {
    key.ends_with(".location") && key != "ssl.engine.location"
        || matches!(
            key,
            "sasl.oauthbearer.token.file"
                | "sasl.oauthbearer.assertion.file"
                | "sasl.oauthbearer.assertion.private.key.file"
                | "sasl.oauthbearer.assertion.template.file"
        )
}

/// The effect of a setting with Java's name, as a text.
fn fate(name: &str, meaning: Meaning) -> String {
    let theirs = match meaning {
        Meaning::Security => return "of the connection: honoured, or an error that says why not".to_owned(),
        Meaning::NotHonoured(why) => return format!("ignored with a warning: {why}"),
        Meaning::Moot => return "no effect here".to_owned(),
        Meaning::Ours => None,
        Meaning::As(theirs) => librdkafka(theirs),
    };
    let is_ours = direct(name).is_some() || OF_CONNECTIONS.contains(&name);
    match (is_ours, theirs) {
        (true, None) if direct(name).is_some() => "honoured; no effect in groups and transactions".to_owned(),
        (true, _) | (false, None) => "honoured".to_owned(),
        (false, Some(Reach::Consumer)) => "honoured by members of a group".to_owned(),
        (false, Some(Reach::Producer)) => "honoured in a transaction".to_owned(),
        (false, Some(Reach::Both)) => "honoured in groups and transactions".to_owned(),
    }
}

/// The environment variable of a setting.
pub(super) fn variable(key: &str) -> String {
    format!("KAFKIT_{}", key.replace(['.', '-'], "_").to_uppercase())
}

/// The variable with a name similar to `name`; `None` if `name` is a variable itself.
pub(super) fn closest_variable(name: &str) -> Option<String> {
    let mut known: Vec<String> = all().map(variable).collect();
    known.extend(["KAFKIT_PROFILE", "KAFKIT_BROKER_DIR", "KAFKIT_COMMAND_CONFIG"].map(str::to_owned));
    if known.iter().any(|known| known == name) {
        return None;
    }
    closest(name, known.iter().map(String::as_str)).map(str::to_owned)
}

/// The usual name of a setting that has two.
pub(super) fn canonical(key: &str) -> &str {
    match key {
        "metadata.broker.list" => "bootstrap.servers",
        "sasl.mechanisms" => "sasl.mechanism",
        key => key,
    }
}

/// The effect of a setting with Java's name; `None` if Java has no such setting.
pub(super) fn java(key: &str) -> Option<Meaning> {
    let found = JAVA.binary_search_by(|(name, _)| name.cmp(&key));
    if let Ok(place) = found {
        return JAVA.get(place).map(|(_, meaning)| *meaning);
    }
    // Providers, interceptors and formatters have settings of their own.
    key.starts_with("config.providers.").then_some(Meaning::Ours)
}

/// The clients that a setting with librdkafka's name is for; `None` if librdkafka has no such setting.
pub(super) fn librdkafka(key: &str) -> Option<Reach> {
    let found = LIBRDKAFKA.binary_search_by(|(name, _)| name.cmp(&key)).ok()?;
    LIBRDKAFKA.get(found).map(|(_, reach)| *reach)
}

/// Whether any Kafka client has a setting of this name.
pub(super) fn is_known(key: &str) -> bool {
    java(key).is_some() || librdkafka(key).is_some() || OURS.contains(&key)
}

/// Every name that an environment variable may have, as `KAFKIT_` and the name in capitals.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    let java = JAVA.iter().map(|(name, _)| *name);
    java.chain(LIBRDKAFKA.iter().map(|(name, _)| *name))
        .chain(OURS.iter().copied())
}

/// Whether the value is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let parts = [
        "password",
        "secret",
        "jaas",
        "passphrase",
        "sasl.oauthbearer.config",
    ];
    let keys = [
        "ssl.key.pem",
        "ssl.keystore.key",
        "sasl.oauthbearer.token",
        "sasl.oauthbearer.assertion.private.key.pem",
    ];
    parts.iter().any(|part| key.contains(part)) || keys.contains(&key)
}

/// Whether the setting decides how a connection is secured, reads a file or runs something, which an untrusted file
/// must not do.
pub(super) fn is_of_security(key: &str) -> bool {
    let beginnings = [
        "sasl.",
        "ssl.",
        "https.",
        "security.",
        "enable.ssl.",
        "enable.sasl.",
        "config.providers",
        "debug",
    ];
    is_secret(key) || beginnings.iter().any(|beginning| key.starts_with(beginning))
}

/// Java's value as librdkafka's; the error says why there is none.
pub(super) fn for_librdkafka(key: &str, value: &str) -> Result<String, String> {
    let value = value.trim();
    match key {
        "auto.offset.reset" if value == "none" => Ok("error".to_owned()),
        "auto.offset.reset" if value.starts_with("by_duration") => {
            Err("resetting by duration is not supported".to_owned())
        }
        "buffer.memory" => {
            let bytes: u64 = value
                .parse()
                .map_err(|_| format!("it takes bytes, not \"{value}\""))?;
            Ok(bytes.div_ceil(1024).max(1).to_string())
        }
        "group.protocol" | "isolation.level" | "compression.type" | "acks" => Ok(value.to_lowercase()),
        "partition.assignment.strategy" => assignors(value),
        "max.request.size" => {
            let bytes: u64 = value
                .parse()
                .map_err(|_| format!("it takes bytes, not \"{value}\""))?;
            Ok(bytes.clamp(1000, 1_000_000_000).to_string())
        }
        _ => Ok(within_range(key, value)),
    }
}

/// The engine's ranges of settings for which Java's are larger: the nearest value is used.
const RANGES: &[(&str, i64, i64)] = &[
    ("auto.commit.interval.ms", 0, 86_400_000),
    ("batch.size", 1, 2_147_483_647),
    ("connections.max.idle.ms", 0, 2_147_483_647),
    ("fetch.max.wait.ms", 0, 300_000),
    ("linger.ms", 0, 900_000),
    ("max.partition.fetch.bytes", 1, 1_000_000_000),
    ("max.poll.interval.ms", 1, 86_400_000),
    ("metadata.max.age.ms", 1, 86_400_000),
    ("receive.buffer.bytes", 0, 100_000_000),
    ("reconnect.backoff.max.ms", 0, 3_600_000),
    ("reconnect.backoff.ms", 0, 3_600_000),
    ("request.timeout.ms", 1, 300_000),
    ("retry.backoff.max.ms", 1, 300_000),
    ("retry.backoff.ms", 1, 300_000),
    ("send.buffer.bytes", 0, 100_000_000),
];

fn within_range(key: &str, value: &str) -> String {
    let range = RANGES.iter().find(|(name, ..)| *name == key);
    match (range, value.parse::<i64>()) {
        (Some((_, least, most)), Ok(number)) => number.clamp(*least, *most).to_string(),
        _ => value.to_owned(),
    }
}

/// Java's assignor classes by librdkafka's names.
fn assignors(classes: &str) -> Result<String, String> {
    let names =
        classes
            .split(',')
            .map(str::trim)
            .map(|class| match class.rsplit('.').next().unwrap_or(class) {
                "RangeAssignor" | "range" => Ok("range"),
                "RoundRobinAssignor" | "roundrobin" => Ok("roundrobin"),
                "CooperativeStickyAssignor" | "cooperative-sticky" => Ok("cooperative-sticky"),
                other => Err(format!("the assignor {other} is not known here")),
            });
    Ok(names.collect::<Result<Vec<_>, _>>()?.join(","))
}

/// Settings of our own.
const OURS: &[&str] = &[
    "sasl.oauthbearer.token",
    "sasl.oauthbearer.token.command",
    "sasl.oauthbearer.token.file",
];

#[rustfmt::skip] // one setting a line
const JAVA: &[(&str, Meaning)] = &[
    ("acks", Meaning::As("acks")),
    ("allow.auto.create.topics", Meaning::As("allow.auto.create.topics")),
    ("auto.commit.interval.ms", Meaning::As("auto.commit.interval.ms")),
    ("auto.offset.reset", Meaning::As("auto.offset.reset")),
    ("batch.size", Meaning::As("batch.size")),
    ("bootstrap.controllers", Meaning::Moot),
    ("bootstrap.servers", Meaning::As("bootstrap.servers")),
    ("buffer.memory", Meaning::As("queue.buffering.max.kbytes")),
    ("check.crcs", Meaning::As("check.crcs")),
    ("client.dns.lookup", Meaning::As("client.dns.lookup")),
    ("client.id", Meaning::As("client.id")),
    ("client.rack", Meaning::As("client.rack")),
    ("compression.gzip.level", Meaning::As("compression.level")),
    ("compression.lz4.level", Meaning::As("compression.level")),
    ("compression.type", Meaning::As("compression.type")),
    ("compression.zstd.level", Meaning::As("compression.level")),
    ("config.providers", Meaning::Ours),
    ("connections.max.idle.ms", Meaning::As("connections.max.idle.ms")),
    ("default.api.timeout.ms", Meaning::Ours),
    ("delivery.timeout.ms", Meaning::As("delivery.timeout.ms")),
    ("enable.auto.commit", Meaning::As("enable.auto.commit")),
    ("enable.idempotence", Meaning::As("enable.idempotence")),
    ("enable.metrics.push", Meaning::As("enable.metrics.push")),
    ("exclude.internal.topics", Meaning::Moot),
    ("fetch.max.bytes", Meaning::As("fetch.max.bytes")),
    ("fetch.max.wait.ms", Meaning::As("fetch.wait.max.ms")),
    ("fetch.min.bytes", Meaning::As("fetch.min.bytes")),
    ("group.id", Meaning::As("group.id")),
    ("group.instance.id", Meaning::As("group.instance.id")),
    ("group.protocol", Meaning::As("group.protocol")),
    ("group.remote.assignor", Meaning::As("group.remote.assignor")),
    ("heartbeat.interval.ms", Meaning::As("heartbeat.interval.ms")),
    ("interceptor.classes", Meaning::NotHonoured("Java classes cannot be run here")),
    ("internal.throw.on.fetch.stable.offset.unsupported", Meaning::Moot),
    ("isolation.level", Meaning::As("isolation.level")),
    ("key.deserializer", Meaning::Moot),
    ("key.serializer", Meaning::Moot),
    ("linger.ms", Meaning::As("linger.ms")),
    ("max.block.ms", Meaning::Moot),
    ("max.in.flight.requests.per.connection", Meaning::As("max.in.flight.requests.per.connection")),
    ("max.partition.fetch.bytes", Meaning::As("max.partition.fetch.bytes")),
    ("max.poll.interval.ms", Meaning::As("max.poll.interval.ms")),
    ("max.poll.records", Meaning::Moot),
    ("max.request.size", Meaning::As("message.max.bytes")),
    ("metadata.max.age.ms", Meaning::As("metadata.max.age.ms")),
    ("metadata.max.idle.ms", Meaning::Moot),
    ("metadata.recovery.rebootstrap.trigger.ms", Meaning::As("metadata.recovery.rebootstrap.trigger.ms")),
    ("metadata.recovery.strategy", Meaning::As("metadata.recovery.strategy")),
    ("metric.reporters", Meaning::Moot),
    ("metrics.num.samples", Meaning::Moot),
    ("metrics.recording.level", Meaning::Moot),
    ("metrics.sample.window.ms", Meaning::Moot),
    ("partition.assignment.strategy", Meaning::As("partition.assignment.strategy")),
    ("partitioner.adaptive.partitioning.enable", Meaning::Ours),
    ("partitioner.availability.timeout.ms", Meaning::Ours),
    ("partitioner.class", Meaning::NotHonoured("keys are spread as Java does by default (murmur2)")),
    ("partitioner.ignore.keys", Meaning::Ours),
    ("receive.buffer.bytes", Meaning::As("socket.receive.buffer.bytes")),
    ("reconnect.backoff.max.ms", Meaning::As("reconnect.backoff.max.ms")),
    ("reconnect.backoff.ms", Meaning::As("reconnect.backoff.ms")),
    ("request.timeout.ms", Meaning::As("request.timeout.ms")),
    ("retries", Meaning::As("retries")),
    ("retry.backoff.max.ms", Meaning::As("retry.backoff.max.ms")),
    ("retry.backoff.ms", Meaning::As("retry.backoff.ms")),
    ("sasl.client.callback.handler.class", Meaning::Security),
    ("sasl.jaas.config", Meaning::Security),
    ("sasl.kerberos.kinit.cmd", Meaning::Security),
    ("sasl.kerberos.min.time.before.relogin", Meaning::Security),
    ("sasl.kerberos.service.name", Meaning::Security),
    ("sasl.kerberos.ticket.renew.jitter", Meaning::Security),
    ("sasl.kerberos.ticket.renew.window.factor", Meaning::Security),
    ("sasl.login.callback.handler.class", Meaning::Security),
    ("sasl.login.class", Meaning::Security),
    ("sasl.login.connect.timeout.ms", Meaning::Ours),
    ("sasl.login.read.timeout.ms", Meaning::Ours),
    ("sasl.login.refresh.buffer.seconds", Meaning::Security),
    ("sasl.login.refresh.min.period.seconds", Meaning::Security),
    ("sasl.login.refresh.window.factor", Meaning::Security),
    ("sasl.login.refresh.window.jitter", Meaning::Security),
    ("sasl.login.retry.backoff.max.ms", Meaning::Security),
    ("sasl.login.retry.backoff.ms", Meaning::Security),
    ("sasl.mechanism", Meaning::Security),
    ("sasl.oauthbearer.assertion.algorithm", Meaning::Security),
    ("sasl.oauthbearer.assertion.claim.aud", Meaning::Security),
    ("sasl.oauthbearer.assertion.claim.exp.seconds", Meaning::Security),
    ("sasl.oauthbearer.assertion.claim.iss", Meaning::Security),
    ("sasl.oauthbearer.assertion.claim.jti.include", Meaning::Security),
    ("sasl.oauthbearer.assertion.claim.nbf.seconds", Meaning::Security),
    ("sasl.oauthbearer.assertion.claim.sub", Meaning::Security),
    ("sasl.oauthbearer.assertion.file", Meaning::Security),
    ("sasl.oauthbearer.assertion.private.key.file", Meaning::Security),
    ("sasl.oauthbearer.assertion.private.key.passphrase", Meaning::Security),
    ("sasl.oauthbearer.assertion.template.file", Meaning::Security),
    ("sasl.oauthbearer.client.credentials.client.id", Meaning::Security),
    ("sasl.oauthbearer.client.credentials.client.secret", Meaning::Security),
    ("sasl.oauthbearer.clock.skew.seconds", Meaning::Security),
    ("sasl.oauthbearer.expected.audience", Meaning::Security),
    ("sasl.oauthbearer.expected.issuer", Meaning::Security),
    ("sasl.oauthbearer.header.urlencode", Meaning::Security),
    ("sasl.oauthbearer.jwks.endpoint.refresh.ms", Meaning::Security),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Meaning::Security),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Meaning::Security),
    ("sasl.oauthbearer.jwks.endpoint.url", Meaning::Security),
    ("sasl.oauthbearer.jwt.retriever.class", Meaning::Security),
    ("sasl.oauthbearer.jwt.validator.class", Meaning::Security),
    ("sasl.oauthbearer.scope", Meaning::Security),
    ("sasl.oauthbearer.scope.claim.name", Meaning::Security),
    ("sasl.oauthbearer.sub.claim.name", Meaning::Security),
    ("sasl.oauthbearer.token.endpoint.url", Meaning::Security),
    ("security.protocol", Meaning::Security),
    ("security.providers", Meaning::Security),
    ("send.buffer.bytes", Meaning::As("socket.send.buffer.bytes")),
    ("session.timeout.ms", Meaning::As("session.timeout.ms")),
    ("share.acknowledgement.mode", Meaning::Moot),
    ("share.acquire.mode", Meaning::Moot),
    ("socket.connection.setup.timeout.max.ms", Meaning::Ours),
    ("socket.connection.setup.timeout.ms", Meaning::As("socket.connection.setup.timeout.ms")),
    ("ssl.cipher.suites", Meaning::Security),
    ("ssl.enabled.protocols", Meaning::Security),
    ("ssl.endpoint.identification.algorithm", Meaning::Security),
    ("ssl.engine.factory.class", Meaning::Security),
    ("ssl.key.password", Meaning::Security),
    ("ssl.keymanager.algorithm", Meaning::Security),
    ("ssl.keystore.certificate.chain", Meaning::Security),
    ("ssl.keystore.key", Meaning::Security),
    ("ssl.keystore.location", Meaning::Security),
    ("ssl.keystore.password", Meaning::Security),
    ("ssl.keystore.type", Meaning::Security),
    ("ssl.protocol", Meaning::Security),
    ("ssl.provider", Meaning::Security),
    ("ssl.secure.random.implementation", Meaning::Security),
    ("ssl.trustmanager.algorithm", Meaning::Security),
    ("ssl.truststore.certificates", Meaning::Security),
    ("ssl.truststore.location", Meaning::Security),
    ("ssl.truststore.password", Meaning::Security),
    ("ssl.truststore.type", Meaning::Security),
    ("transaction.timeout.ms", Meaning::As("transaction.timeout.ms")),
    ("transaction.two.phase.commit.enable", Meaning::NotHonoured("two-phase commit is not supported")),
    ("transactional.id", Meaning::As("transactional.id")),
    ("value.deserializer", Meaning::Moot),
    ("value.serializer", Meaning::Moot),
];

#[rustfmt::skip] // one setting a line
const LIBRDKAFKA: &[(&str, Reach)] = &[
    ("acks", Reach::Producer),
    ("allow.auto.create.topics", Reach::Both),
    ("api.version.fallback.ms", Reach::Both),
    ("api.version.request", Reach::Both),
    ("api.version.request.timeout.ms", Reach::Both),
    ("auto.commit.enable", Reach::Consumer),
    ("auto.commit.interval.ms", Reach::Consumer),
    ("auto.offset.reset", Reach::Consumer),
    ("batch.num.messages", Reach::Producer),
    ("batch.size", Reach::Producer),
    ("bootstrap.servers", Reach::Both),
    ("broker.address.family", Reach::Both),
    ("broker.address.ttl", Reach::Both),
    ("broker.version.fallback", Reach::Both),
    ("check.crcs", Reach::Consumer),
    ("client.dns.lookup", Reach::Both),
    ("client.id", Reach::Both),
    ("client.rack", Reach::Both),
    ("compression.codec", Reach::Producer),
    ("compression.level", Reach::Producer),
    ("compression.type", Reach::Producer),
    ("connections.max.idle.ms", Reach::Both),
    ("consume.callback.max.messages", Reach::Consumer),
    ("coordinator.query.interval.ms", Reach::Consumer),
    ("debug", Reach::Both),
    ("delivery.report.only.error", Reach::Producer),
    ("delivery.timeout.ms", Reach::Producer),
    ("enable.auto.commit", Reach::Consumer),
    ("enable.auto.offset.store", Reach::Consumer),
    ("enable.gapless.guarantee", Reach::Producer),
    ("enable.idempotence", Reach::Producer),
    ("enable.metrics.push", Reach::Both),
    ("enable.partition.eof", Reach::Consumer),
    ("enable.random.seed", Reach::Both),
    ("enable.sasl.oauthbearer.unsecure.jwt", Reach::Both),
    ("enable.ssl.certificate.verification", Reach::Both),
    ("fetch.error.backoff.ms", Reach::Consumer),
    ("fetch.max.bytes", Reach::Consumer),
    ("fetch.message.max.bytes", Reach::Consumer),
    ("fetch.min.bytes", Reach::Consumer),
    ("fetch.queue.backoff.ms", Reach::Consumer),
    ("fetch.wait.max.ms", Reach::Consumer),
    ("group.id", Reach::Consumer),
    ("group.instance.id", Reach::Consumer),
    ("group.protocol", Reach::Consumer),
    ("group.protocol.type", Reach::Consumer),
    ("group.remote.assignor", Reach::Consumer),
    ("heartbeat.interval.ms", Reach::Consumer),
    ("https.ca.location", Reach::Both),
    ("https.ca.pem", Reach::Both),
    ("internal.termination.signal", Reach::Both),
    ("isolation.level", Reach::Consumer),
    ("linger.ms", Reach::Producer),
    ("log.connection.close", Reach::Both),
    ("log.queue", Reach::Both),
    ("log.thread.name", Reach::Both),
    ("log_level", Reach::Both),
    ("max.in.flight", Reach::Both),
    ("max.in.flight.requests.per.connection", Reach::Both),
    ("max.partition.fetch.bytes", Reach::Consumer),
    ("max.poll.interval.ms", Reach::Consumer),
    ("message.copy.max.bytes", Reach::Both),
    ("message.max.bytes", Reach::Both),
    ("message.send.max.retries", Reach::Producer),
    ("message.timeout.ms", Reach::Producer),
    ("metadata.broker.list", Reach::Both),
    ("metadata.max.age.ms", Reach::Both),
    ("metadata.recovery.rebootstrap.trigger.ms", Reach::Both),
    ("metadata.recovery.strategy", Reach::Both),
    ("offset.store.method", Reach::Consumer),
    ("offset.store.path", Reach::Consumer),
    ("offset.store.sync.interval.ms", Reach::Consumer),
    ("partition.assignment.strategy", Reach::Consumer),
    ("partitioner", Reach::Producer),
    ("produce.offset.report", Reach::Producer),
    ("queue.buffering.backpressure.threshold", Reach::Producer),
    ("queue.buffering.max.kbytes", Reach::Producer),
    ("queue.buffering.max.messages", Reach::Producer),
    ("queue.buffering.max.ms", Reach::Producer),
    ("queued.max.messages.kbytes", Reach::Consumer),
    ("queued.min.messages", Reach::Consumer),
    ("receive.message.max.bytes", Reach::Both),
    ("reconnect.backoff.jitter.ms", Reach::Both),
    ("reconnect.backoff.max.ms", Reach::Both),
    ("reconnect.backoff.ms", Reach::Both),
    ("request.required.acks", Reach::Producer),
    ("request.timeout.ms", Reach::Producer),
    ("retries", Reach::Producer),
    ("retry.backoff.max.ms", Reach::Both),
    ("retry.backoff.ms", Reach::Both),
    ("sasl.kerberos.keytab", Reach::Both),
    ("sasl.kerberos.kinit.cmd", Reach::Both),
    ("sasl.kerberos.min.time.before.relogin", Reach::Both),
    ("sasl.kerberos.principal", Reach::Both),
    ("sasl.kerberos.service.name", Reach::Both),
    ("sasl.mechanism", Reach::Both),
    ("sasl.mechanisms", Reach::Both),
    ("sasl.oauthbearer.assertion.algorithm", Reach::Both),
    ("sasl.oauthbearer.assertion.claim.aud", Reach::Both),
    ("sasl.oauthbearer.assertion.claim.exp.seconds", Reach::Both),
    ("sasl.oauthbearer.assertion.claim.iss", Reach::Both),
    ("sasl.oauthbearer.assertion.claim.jti.include", Reach::Both),
    ("sasl.oauthbearer.assertion.claim.nbf.seconds", Reach::Both),
    ("sasl.oauthbearer.assertion.claim.sub", Reach::Both),
    ("sasl.oauthbearer.assertion.file", Reach::Both),
    ("sasl.oauthbearer.assertion.jwt.template.file", Reach::Both),
    ("sasl.oauthbearer.assertion.private.key.file", Reach::Both),
    ("sasl.oauthbearer.assertion.private.key.passphrase", Reach::Both),
    ("sasl.oauthbearer.assertion.private.key.pem", Reach::Both),
    ("sasl.oauthbearer.client.credentials.client.id", Reach::Both),
    ("sasl.oauthbearer.client.credentials.client.secret", Reach::Both),
    ("sasl.oauthbearer.client.id", Reach::Both),
    ("sasl.oauthbearer.client.secret", Reach::Both),
    ("sasl.oauthbearer.config", Reach::Both),
    ("sasl.oauthbearer.extensions", Reach::Both),
    ("sasl.oauthbearer.grant.type", Reach::Both),
    ("sasl.oauthbearer.metadata.authentication.type", Reach::Both),
    ("sasl.oauthbearer.method", Reach::Both),
    ("sasl.oauthbearer.scope", Reach::Both),
    ("sasl.oauthbearer.token.endpoint.url", Reach::Both),
    ("sasl.password", Reach::Both),
    ("sasl.username", Reach::Both),
    ("security.protocol", Reach::Both),
    ("session.timeout.ms", Reach::Consumer),
    ("socket.blocking.max.ms", Reach::Both),
    ("socket.connection.setup.timeout.ms", Reach::Both),
    ("socket.keepalive.enable", Reach::Both),
    ("socket.max.fails", Reach::Both),
    ("socket.nagle.disable", Reach::Both),
    ("socket.receive.buffer.bytes", Reach::Both),
    ("socket.send.buffer.bytes", Reach::Both),
    ("socket.timeout.ms", Reach::Both),
    ("ssl.ca.certificate.stores", Reach::Both),
    ("ssl.ca.location", Reach::Both),
    ("ssl.ca.pem", Reach::Both),
    ("ssl.certificate.location", Reach::Both),
    ("ssl.certificate.pem", Reach::Both),
    ("ssl.cipher.suites", Reach::Both),
    ("ssl.crl.location", Reach::Both),
    ("ssl.curves.list", Reach::Both),
    ("ssl.endpoint.identification.algorithm", Reach::Both),
    ("ssl.engine.id", Reach::Both),
    ("ssl.engine.location", Reach::Both),
    ("ssl.key.location", Reach::Both),
    ("ssl.key.password", Reach::Both),
    ("ssl.key.pem", Reach::Both),
    ("ssl.keystore.location", Reach::Both),
    ("ssl.keystore.password", Reach::Both),
    ("ssl.providers", Reach::Both),
    ("ssl.sigalgs.list", Reach::Both),
    ("statistics.interval.ms", Reach::Both),
    ("sticky.partitioning.linger.ms", Reach::Producer),
    ("topic.blacklist", Reach::Both),
    ("topic.metadata.propagation.max.ms", Reach::Both),
    ("topic.metadata.refresh.fast.cnt", Reach::Both),
    ("topic.metadata.refresh.fast.interval.ms", Reach::Both),
    ("topic.metadata.refresh.interval.ms", Reach::Both),
    ("topic.metadata.refresh.sparse", Reach::Both),
    ("transaction.timeout.ms", Reach::Producer),
    ("transactional.id", Reach::Producer),
];

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::client::consume_settings::ConsumeSettings;
    use crate::client::produce_settings::ProduceSettings;
    use crate::client::settings::{Origin, Settings};
    use crate::client::typed_settings::Reader;

    #[test]
    fn tables_are_sorted_so_that_they_can_be_searched() {
        assert!(JAVA.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(DIRECT.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(LIBRDKAFKA.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    /// The names that the typed settings of the direct lane read, found by reading them.
    #[test]
    fn the_direct_lanes_settings_are_those_that_it_reads() {
        let mut settings = Settings::default();
        settings.set("bootstrap.servers", "a:1", Origin::Flag);
        let (sending, reading) = (RefCell::default(), RefCell::default());
        for codec in ["none", "gzip", "lz4", "zstd"] {
            settings.set("compression.type", codec, Origin::Flag);
            ProduceSettings::read(&Reader::noting(&settings, &sending)).unwrap();
        }
        ConsumeSettings::read(&Reader::noting(&settings, &reading)).unwrap();
        let (sending, reading) = (sending.into_inner(), reading.into_inner());
        let mut found: Vec<(&str, Reach)> = sending
            .union(&reading)
            .map(|name| {
                let reach = match (sending.contains(name), reading.contains(name)) {
                    (true, true) => Reach::Both,
                    (true, false) => Reach::Producer,
                    _ => Reach::Consumer,
                };
                (name.as_str(), reach)
            })
            .collect();
        found.sort_by_key(|(name, _)| *name);
        assert_eq!(found, DIRECT);
    }

    #[test]
    fn what_java_s_settings_become_exists_in_librdkafka() {
        for (name, meaning) in JAVA {
            if let Meaning::As(theirs) = meaning {
                assert!(librdkafka(theirs).is_some(), "{name} becomes {theirs}");
            }
        }
    }

    #[test]
    fn values_in_librdkafka_s_words() {
        for (key, value, expected) in [
            ("buffer.memory", "33554433", "32769"),
            ("auto.offset.reset", "none", "error"),
            ("send.buffer.bytes", "-1", "0"),
            ("metadata.max.age.ms", "604800000", "86400000"),
            ("retry.backoff.ms", "0", "1"),
            ("isolation.level", "READ_COMMITTED", "read_committed"),
            (
                "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer.RangeAssignor, org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
                "range,cooperative-sticky",
            ),
        ] {
            assert_eq!(for_librdkafka(key, value).as_deref(), Ok(expected));
        }
        assert!(for_librdkafka("buffer.memory", "32m").is_err());
        assert!(for_librdkafka("partition.assignment.strategy", "com.example.Mine").is_err());
    }
}
