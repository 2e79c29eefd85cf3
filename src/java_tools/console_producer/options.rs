//! The options of `kafka-console-producer`.

use super::super::option_table::{OptionSpec, flag, optional, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value("batch-size", "BYTES", "Bytes of records for one partition that leave together at most. Default 16384."),
    value("bootstrap-server", "HOST:PORT,…", "Brokers to ask first. Required."),
    value("command-config", "FILE", "A properties file for the client."),
    value("command-property", "NAME=VALUE", "A setting for the client; may be repeated.").repeats(),
    optional("compression-codec", "CODEC", "none, gzip, snappy, lz4 or zstd; gzip if it stands alone. Default none."),
    flag("help", "Prints this text."),
    value("line-reader", "CLASS", "What makes records of lines; LineMessageReader is the one there is."),
    value("max-block-ms", "MS", "How long to wait for the topic to be known. Default 60000."),
    value("max-memory-bytes", "BYTES", "Bytes of records under way at most. Default 33554432."),
    value("max-partition-memory-bytes", "BYTES", "The older name of --batch-size."),
    value("message-send-max-retries", "COUNT", "Tries after the first. Default 3.").differs(
        "without the flag a failed send is tried again until delivery.timeout.ms has passed, so that nothing is lost to a \
         short outage",
    ),
    value("metadata-expiry-ms", "MS", "How long what is known of the cluster counts as fresh. Default 300000."),
    value("producer-property", "NAME=VALUE", "The older name of --command-property.").repeats(),
    value("producer.config", "FILE", "The older name of --command-config."),
    value("property", "NAME=VALUE", "The older name of --reader-property.").repeats(),
    value("reader-config", "FILE", "A properties file for the line reader."),
    value(
        "reader-property",
        "NAME=VALUE",
        "How lines are read; may be repeated. parse.key=true with key.separator (a tab unless given) cuts a key off; \
         parse.headers=true with headers.delimiter (tab), headers.separator (comma) and headers.key.separator (colon) cuts \
         headers off before it; null.marker is the text that stands for null; ignore.error=true sends lines without a \
         separator whole.",
    )
    .repeats(),
    value("request-required-acks", "ACKS", "Who must have a record before it counts: all (-1), 1 or 0. Default -1."),
    value("request-timeout-ms", "MS", "How long a broker may take to answer. Default 1500.")
        .differs("without the flag a broker has 30 s"),
    value("retry-backoff-ms", "MS", "How long to wait before another try. Default 100."),
    value("socket-buffer-size", "BYTES", "The socket's send buffer. Default 102400."),
    flag("sync", "Waits for each record before the next line is read."),
    value("timeout", "MS", "How long a record waits for company. Default 1000.")
        .differs("without the flag a line leaves at once when none follows it"),
    value("topic", "NAME", "The topic to send to. Required."),
    flag("version", "Prints the version of Apache Kafka whose behaviour is kept."),
    value("broker-list", "HOST:PORT,…", "").old_spelling("the same as --bootstrap-server; one line on stderr says so"),
];
