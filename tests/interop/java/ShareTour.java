// What share groups (KIP-932) promise, seen by the Java client:
// java ShareTour BOOTSTRAP, or java ShareTour BOOTSTRAP GROUP TOPIC to accept and print every value read
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class ShareTour {
    static String bootstrap;
    static Admin admin;
    static final Duration SHORT = Duration.ofMillis(200);

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        admin = Admin.create(conf);
        if (args.length > 1) {
            acceptForEver(args[1], args[2]);
        }
        membersShareOnePartition();
        releasedComesAgainAndRejectedNever();
        aLockIsRenewed();
        exactlySoManyRecords();
        committedOnly();
        moveAndDelete();
        admin.close();
        System.out.println("done");
    }

    static void acceptForEver(String group, String topic) {
        KafkaShareConsumer<String, String> member = member(group, "explicit", "batch_optimized", topic);
        while (true) {
            List<String> values = new ArrayList<>();
            for (ConsumerRecord<String, String> record : member.poll(SHORT)) {
                member.acknowledge(record, AcknowledgeType.ACCEPT);
                values.add(record.value());
            }
            boolean isStored = member.commitSync().values().stream().noneMatch(error -> error.isPresent());
            if (isStored) {
                values.forEach(System.out::println);
            }
        }
    }

    static KafkaShareConsumer<String, String> member(String group, String mode, String acquire, String topic) {
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        conf.setProperty("group.id", group);
        conf.setProperty("share.acknowledgement.mode", mode);
        conf.setProperty("share.acquire.mode", acquire);
        conf.setProperty("max.poll.records", "5");
        KafkaShareConsumer<String, String> member =
                new KafkaShareConsumer<>(conf, new StringDeserializer(), new StringDeserializer());
        member.subscribe(Collections.singleton(topic));
        return member;
    }

    static void topic(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
    }

    static void config(String group, String name, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
    }

    static KafkaProducer<String, String> producer(String transactionalId) {
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        if (transactionalId != null) {
            conf.setProperty("transactional.id", transactionalId);
        }
        return new KafkaProducer<>(conf, new StringSerializer(), new StringSerializer());
    }

    static void send(String topic, int from, int to) throws Exception {
        try (KafkaProducer<String, String> producer = producer(null)) {
            for (int value = from; value < to; value++) {
                producer.send(new ProducerRecord<>(topic, 0, null, "v" + value)).get();
            }
        }
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(String what, Condition condition) throws Exception {
        long end = System.currentTimeMillis() + 60_000;
        while (!condition.holds()) {
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("never: " + what);
            }
        }
    }

    static void equal(Object seen, Object wanted, String what) {
        if (!seen.equals(wanted)) {
            throw new AssertionError(what + ": wanted " + wanted + ", saw " + seen);
        }
    }

    /** Three members read one partition together; each record is accepted once. */
    static void membersShareOnePartition() throws Exception {
        topic("share-jobs", 1);
        config("share-workers", "share.auto.offset.reset", "earliest");
        send("share-jobs", 0, 100);
        List<KafkaShareConsumer<String, String>> members = new ArrayList<>();
        List<String> read = new ArrayList<>();
        int[] each = new int[3];
        for (int index = 0; index < 3; index++) {
            members.add(member("share-workers", "implicit", "record_limit", "share-jobs"));
        }
        until("every record", () -> {
            for (int index = 0; index < 3; index++) {
                for (ConsumerRecord<String, String> record : members.get(index).poll(SHORT)) {
                    read.add(record.value());
                    each[index]++;
                }
            }
            return read.size() >= 100;
        });
        equal(read.size(), 100, "each record once");
        equal(new HashSet<>(read).size(), 100, "each record");
        ShareGroupDescription group = admin.describeShareGroups(List.of("share-workers")).all().get().get("share-workers");
        equal(group.groupState(), GroupState.STABLE, "the state");
        equal(group.members().size(), 3, "the members");
        for (KafkaShareConsumer<String, String> member : members) {
            member.close();
        }
        until("an empty group", () -> admin.describeShareGroups(List.of("share-workers")).all().get()
                .get("share-workers").groupState() == GroupState.EMPTY);
    }

    static void releasedComesAgainAndRejectedNever() throws Exception {
        topic("share-fates", 1);
        config("share-fates", "share.auto.offset.reset", "earliest");
        config("share-fates", "share.delivery.count.limit", "3");
        send("share-fates", 0, 5);
        List<String> deliveries = new ArrayList<>();
        try (KafkaShareConsumer<String, String> member = member("share-fates", "explicit", "batch_optimized", "share-fates")) {
            until("all deliveries", () -> {
                for (ConsumerRecord<String, String> record : member.poll(SHORT)) {
                    deliveries.add(record.value() + " " + record.deliveryCount().get());
                    AcknowledgeType fate = switch (record.value()) {
                        case "v1" -> AcknowledgeType.REJECT;
                        case "v2" -> AcknowledgeType.RELEASE;
                        case "v3" -> record.deliveryCount().get() < 2 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT;
                        default -> AcknowledgeType.ACCEPT;
                    };
                    member.acknowledge(record, fate);
                }
                member.commitSync();
                return deliveries.size() >= 8;
            });
            for (int round = 0; round < 5; round++) {
                equal(member.poll(SHORT).count(), 0, "nothing is left");
            }
        }
        equal(new TreeSet<>(deliveries), new TreeSet<>(List.of("v0 1", "v1 1", "v2 1", "v2 2", "v2 3", "v3 1", "v3 2", "v4 1")),
                "deliveries");
    }

    static void aLockIsRenewed() throws Exception {
        topic("share-locks", 1);
        config("share-locks", "share.auto.offset.reset", "earliest");
        config("share-locks", "share.record.lock.duration.ms", "15000");
        send("share-locks", 0, 2);
        List<ConsumerRecord<String, String>> held = new ArrayList<>();
        try (KafkaShareConsumer<String, String> member = member("share-locks", "explicit", "batch_optimized", "share-locks")) {
            until("both records", () -> {
                member.poll(SHORT).forEach(held::add);
                return held.size() == 2;
            });
            equal(member.acquisitionLockTimeoutMs().get(), 15_000, "the duration of locks");
            for (ConsumerRecord<String, String> record : held) {
                member.acknowledge(record, AcknowledgeType.RENEW);
            }
            member.commitSync();
            List<ConsumerRecord<String, String>> again = new ArrayList<>();
            until("the renewed records", () -> {
                member.poll(SHORT).forEach(again::add);
                return again.size() == 2;
            });
            for (ConsumerRecord<String, String> record : again) {
                equal(record.deliveryCount().get(), (short) 1, "it is the same delivery");
                member.acknowledge(record, AcknowledgeType.ACCEPT);
            }
            member.commitSync().values().forEach(error -> equal(error.isPresent(), false, "accepted: " + error));
        }
    }

    static void exactlySoManyRecords() throws Exception {
        topic("share-limit", 1);
        config("share-limit", "share.auto.offset.reset", "earliest");
        try (KafkaProducer<String, String> producer = producer(null)) {
            for (int value = 0; value < 20; value++) {
                producer.send(new ProducerRecord<>("share-limit", "v" + value));
            }
        }
        Set<Integer> counts = new TreeSet<>();
        List<String> read = new ArrayList<>();
        try (KafkaShareConsumer<String, String> member = member("share-limit", "implicit", "record_limit", "share-limit")) {
            until("every record", () -> {
                int count = 0;
                for (ConsumerRecord<String, String> record : member.poll(SHORT)) {
                    read.add(record.value());
                    count++;
                }
                counts.add(count);
                return read.size() >= 20;
            });
        }
        equal(counts.stream().allMatch(count -> count <= 5), true, "never more than max.poll.records, but " + counts);
        equal(new HashSet<>(read).size(), 20, "each record");
    }

    static void committedOnly() throws Exception {
        topic("share-committed", 1);
        config("share-committed", "share.auto.offset.reset", "earliest");
        config("share-committed", "share.isolation.level", "read_committed");
        try (KafkaProducer<String, String> producer = producer("share-writer")) {
            producer.initTransactions();
            for (String outcome : new String[] {"aborted", "committed", "aborted", "committed"}) {
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("share-committed", outcome)).get();
                if (outcome.equals("aborted")) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        List<String> read = new ArrayList<>();
        try (KafkaShareConsumer<String, String> member = member("share-committed", "implicit", "batch_optimized", "share-committed")) {
            until("what was committed", () -> {
                member.poll(SHORT).forEach(record -> read.add(record.value()));
                return read.size() >= 2;
            });
            member.poll(SHORT).forEach(record -> read.add(record.value()));
        }
        equal(read, List.of("committed", "committed"), "what was read");
    }

    static void moveAndDelete() throws Exception {
        TopicPartition partition = new TopicPartition("share-moved", 0);
        topic("share-moved", 1);
        send("share-moved", 0, 10);
        Map<String, ListShareGroupOffsetsSpec> asked = Map.of("share-moved", new ListShareGroupOffsetsSpec());
        admin.alterShareGroupOffsets("share-moved", Map.of(partition, 7L)).all().get();
        var place = admin.listShareGroupOffsets(asked).partitionsToOffsetInfo("share-moved").get().get(partition);
        equal(place.startOffset(), 7L, "the start");
        equal(place.lag().get(), 3L, "the lag");
        List<String> read = new ArrayList<>();
        try (KafkaShareConsumer<String, String> member = member("share-moved", "implicit", "batch_optimized", "share-moved")) {
            until("the last three", () -> {
                member.poll(SHORT).forEach(record -> read.add(record.value()));
                return read.size() >= 3;
            });
            equal(read, List.of("v7", "v8", "v9"), "what was read");
            member.commitSync();
            try {
                admin.deleteShareGroups(List.of("share-moved")).all().get();
                throw new AssertionError("a group with a member was deleted");
            } catch (ExecutionException refused) {
                equal(refused.getCause() instanceof GroupNotEmptyException, true, "refused: " + refused.getCause());
            }
        }
        until("nothing is left", () -> {
            var now = admin.listShareGroupOffsets(asked).partitionsToOffsetInfo("share-moved").get().get(partition);
            return now != null && now.lag().isPresent() && now.lag().get() == 0;
        });
        admin.deleteShareGroupOffsets("share-moved", Set.of("share-moved")).all().get();
        equal(admin.listShareGroupOffsets(asked).partitionsToOffsetInfo("share-moved").get().isEmpty(), true, "no place is left");
        admin.deleteShareGroups(List.of("share-moved")).all().get();
        boolean isListed = admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.SHARE))).all().get().stream()
                .anyMatch(group -> group.groupId().equals("share-moved"));
        equal(isListed, false, "the group is gone");
    }
}
