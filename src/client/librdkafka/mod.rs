//! The only room that names rdkafka: groups, transactions, everything general.
