// What the Java admin client asks of a broker: java AdminTour BOOTSTRAP
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringSerializer;

public class AdminTour {
    static AdminClient admin;
    static String bootstrap;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        admin = AdminClient.create(conf);
        topics();
        configs();
        for (String codec : Arrays.asList("none", "gzip", "snappy", "lz4", "zstd")) {
            offsets(codec);
        }
        groups();
        cluster();
        admin.close();
        System.out.println("done");
    }

    static void topics() throws Exception {
        NewTopic wanted = new NewTopic("admin-topic", 2, (short) 1);
        admin.createTopics(List.of(wanted)).all().get();
        refused(TopicExistsException.class, () -> admin.createTopics(List.of(wanted)).all().get());
        refused(InvalidTopicException.class, () -> admin.createTopics(List.of(new NewTopic("no/topic", 1, (short) 1))).all().get());
        refused(InvalidPartitionsException.class, () -> admin.createTopics(List.of(new NewTopic("none", 0, (short) 1))).all().get());
        refused(InvalidReplicationFactorException.class,
                () -> admin.createTopics(List.of(new NewTopic("many", 1, (short) 9))).all().get());
        admin.createPartitions(Map.of("admin-topic", NewPartitions.increaseTo(5))).all().get();
        refused(InvalidPartitionsException.class,
                () -> admin.createPartitions(Map.of("admin-topic", NewPartitions.increaseTo(3))).all().get());
        eventually(() -> describe("admin-topic").partitions().size() == 5);
        TopicDescription described = describe("admin-topic");
        check(described.partitions().get(4).leader() != null && !described.isInternal(), described.toString());
        admin.deleteTopics(List.of("admin-topic")).all().get();
        eventually(() -> !admin.listTopics().names().get().contains("admin-topic"));
        refused(UnknownTopicOrPartitionException.class, () -> describe("admin-topic"));
    }

    static TopicDescription describe(String topic) throws Exception {
        return admin.describeTopics(Set.of(topic)).allTopicNames().get().get(topic);
    }

    static void configs() throws Exception {
        admin.createTopics(List.of(new NewTopic("admin-configs", 1, (short) 1).configs(Map.of("retention.ms", "70000")))).all().get();
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "admin-configs");
        eventually(() -> config(topic, "retention.ms").value().equals("70000"));
        alter(topic, "retention.ms", "60000", OpType.SET);
        alter(topic, "cleanup.policy", "compact", OpType.APPEND);
        eventually(() -> config(topic, "cleanup.policy").value().equals("delete,compact"));
        check(config(topic, "retention.ms").source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "a source");
        alter(topic, "cleanup.policy", "delete", OpType.SUBTRACT);
        alter(topic, "retention.ms", null, OpType.DELETE);
        eventually(() -> config(topic, "retention.ms").isDefault() && config(topic, "cleanup.policy").value().equals("compact"));
        refused(InvalidConfigurationException.class, () -> alter(topic, TopicConfig.SEGMENT_BYTES_CONFIG, "few", OpType.SET));
    }

    static ConfigEntry config(ConfigResource resource, String name) throws Exception {
        return admin.describeConfigs(Set.of(resource)).all().get().get(resource).get(name);
    }

    static Void alter(ConfigResource resource, String name, String value, OpType operation) throws Exception {
        Collection<AlterConfigOp> changes = List.of(new AlterConfigOp(new ConfigEntry(name, value), operation));
        return admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get();
    }

    /** Where records begin and end, by time and after some were deleted. */
    static void offsets(String codec) throws Exception {
        TopicPartition partition = new TopicPartition("admin-offsets-" + codec, 0);
        admin.createTopics(List.of(new NewTopic(partition.topic(), 1, (short) 1))).all().get();
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        conf.setProperty("compression.type", codec);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(conf, new StringSerializer(), new StringSerializer())) {
            for (long i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(partition.topic(), 0, 1000 + (i * 7) % 10, "k", "v".repeat(1000)));
            }
        }
        ListOffsetsResultInfo newest = offset(partition, OffsetSpec.maxTimestamp());
        check(newest.offset() == 7 && newest.timestamp() == 1009, codec + ": the newest record: " + newest);
        check(offset(partition, OffsetSpec.forTimestamp(1005)).offset() == 1, codec + ": by time");
        check(offset(partition, OffsetSpec.forTimestamp(2000)).offset() == -1, codec + ": after the last");
        check(offset(partition, OffsetSpec.latest()).offset() == 10, codec + ": the end");
        long low = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4))).lowWatermarks().get(partition).get()
                .lowWatermark();
        check(low == 4 && offset(partition, OffsetSpec.earliest()).offset() == 4, codec + ": the beginning");
        refused(OffsetOutOfRangeException.class,
                () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all().get());
    }

    static ListOffsetsResultInfo offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
    }

    /** Offsets that an admin commits for a group without members. */
    static void groups() throws Exception {
        TopicPartition partition = new TopicPartition("admin-configs", 0);
        admin.alterConsumerGroupOffsets("admin-g", Map.of(partition, new OffsetAndMetadata(3, "three"))).all().get();
        OffsetAndMetadata committed = admin.listConsumerGroupOffsets("admin-g").partitionsToOffsetAndMetadata().get().get(partition);
        check(committed.offset() == 3 && committed.metadata().equals("three"), committed.toString());
        check(admin.listGroups().all().get().stream().anyMatch(group -> group.groupId().equals("admin-g")), "the group is listed");
        admin.deleteConsumerGroupOffsets("admin-g", Set.of(partition)).all().get();
        check(admin.listConsumerGroupOffsets("admin-nobody").partitionsToOffsetAndMetadata().get().isEmpty(), "no offsets");
        refused(GroupIdNotFoundException.class, () -> admin.describeConsumerGroups(Set.of("admin-nobody")).all().get());
        refused(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(Set.of("admin-nobody")).all().get());
    }

    static void cluster() throws Exception {
        Collection<Node> nodes = admin.describeCluster().nodes().get();
        int id = nodes.iterator().next().id();
        check(nodes.size() == 1 && admin.describeCluster().controller().get().id() == id, nodes.toString());
        check(!admin.describeCluster().clusterId().get().isEmpty(), "a cluster id");
        check(admin.describeLogDirs(List.of(id)).allDescriptions().get().get(id).values().stream()
                .anyMatch(dir -> dir.replicaInfos().containsKey(new TopicPartition("admin-configs", 0))), "a replica in a directory");
        check(admin.listPartitionReassignments().reassignments().get().isEmpty(), "nothing moves");
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(id));
        check(config(broker, "advertised.listeners").value().endsWith(bootstrap), "the address");
    }

    /** Apache Kafka answers a change before each of its parts has heard of it. */
    static void eventually(Callable<Boolean> held) throws Exception {
        long end = System.currentTimeMillis() + 20_000;
        boolean done = false;
        while (!done) {
            check(System.currentTimeMillis() < end, "it does not come");
            try {
                done = held.call();
            } catch (ExecutionException notYet) {
                check(notYet.getCause() instanceof UnknownTopicOrPartitionException, notYet.toString());
            }
        }
    }

    static void refused(Class<? extends Exception> why, Callable<?> act) throws Exception {
        try {
            act.call();
        } catch (ExecutionException problem) {
            check(why.isInstance(problem.getCause()), why.getSimpleName() + " wanted: " + problem.getCause());
            return;
        }
        check(false, why.getSimpleName() + " wanted, nothing was refused");
    }

    static void check(boolean held, String what) {
        if (!held) {
            throw new AssertionError(what);
        }
    }
}
