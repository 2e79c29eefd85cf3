"""More of Apache Kafka's own integration tests of its clients, as apaches_own_tests has them. By name alone: they take
long."""

from judges.apaches_own_tests import CLIENTS, hold, prepare

CLASSES = [
    f"{CLIENTS}.TransactionsExpirationTest",
    f"{CLIENTS}.admin.AutoTopicCreationTest",
    f"{CLIENTS}.admin.ConcurrentListOffsetsRequestTest",
    f"{CLIENTS}.admin.DescribeAuthorizedOperationsTest",
    f"{CLIENTS}.admin.RackAwareAutoTopicCreationTest",
    f"{CLIENTS}.admin.StaticBrokerConfigTest",
    f"{CLIENTS}.consumer.ConsumerTopicCreationTest",
    f"{CLIENTS}.consumer.PlaintextConsumerAssignTest",
    f"{CLIENTS}.consumer.PlaintextConsumerCommitTest",
    f"{CLIENTS}.consumer.PlaintextConsumerFetchTest",
    f"{CLIENTS}.consumer.PlaintextConsumerPollTest",
    f"{CLIENTS}.producer.ProducerCompressionTest",
    f"{CLIENTS}.producer.ProducerIntegrationTest",
]


def check_more_of_apache_kafkas_own_tests_pass(_broker):
    hold(CLASSES)
