// What groups promise, seen by the Java client: java GroupTour BOOTSTRAP
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class GroupTour {
    static String bootstrap;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        try (AdminClient admin = AdminClient.create(conf)) {
            for (String assignor : Arrays.asList("Range", "RoundRobin", "CooperativeSticky")) {
                shareAndTakeOver(admin, assignor);
            }
            staticMemberComesBack(admin);
            offsetsWithMetadata(admin);
        }
        System.out.println("done");
    }

    /** Two members share four partitions; when one leaves, the other has all four. */
    static void shareAndTakeOver(AdminClient admin, String assignor) throws Exception {
        String topic = "tour-" + assignor;
        create(admin, topic, 4);
        Member first = new Member("g-" + assignor, topic, assignor, null);
        first.pollUntil(4, first);
        Member second = new Member("g-" + assignor, topic, assignor, null);
        first.pollUntil(2, second);
        check(second.assigned().size() == 2, "two each: " + second.assigned());
        Set<TopicPartition> both = new HashSet<>(first.assigned());
        both.addAll(second.assigned());
        check(both.size() == 4, "all four in hand: " + both);
        ConsumerGroupDescription group = admin.describeConsumerGroups(Collections.singleton("g-" + assignor)).all().get()
                .get("g-" + assignor);
        check(group.members().size() == 2, "two members: " + group);
        for (MemberDescription member : group.members()) {
            check(member.assignment().topicPartitions().size() == 2, "two partitions each: " + member);
            check(member.host().equals("/127.0.0.1"), member.host());
        }
        second.close();
        first.pollUntil(4, first);
        first.close();
        admin.deleteConsumerGroups(Collections.singleton("g-" + assignor)).all().get();
    }

    /** A static member that restarts keeps its partitions without a rebalance of the others. */
    static void staticMemberComesBack(AdminClient admin) throws Exception {
        create(admin, "tour-static", 2);
        Member one = new Member("g-static", "tour-static", "Range", "one");
        one.pollUntil(2, one);
        Member two = new Member("g-static", "tour-static", "Range", "two");
        one.pollUntil(1, two);
        one.pollUntil(1, one);
        Set<TopicPartition> before = new HashSet<>(two.assigned());
        int rebalances = one.rebalances;
        two.close();
        two = new Member("g-static", "tour-static", "Range", "two");
        one.pollUntil(1, two);
        check(two.assigned().equals(before), "the same partitions: " + before + ", " + two.assigned());
        check(one.rebalances == rebalances, "no rebalance for the other member");
        one.close();
        two.close();
    }

    static void offsetsWithMetadata(AdminClient admin) throws Exception {
        create(admin, "tour-offsets", 1);
        TopicPartition partition = new TopicPartition("tour-offsets", 0);
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(conf, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>("tour-offsets", "k", "v" + i)).get();
            }
        }
        Member member = new Member("g-offsets", "tour-offsets", "Range", null);
        member.pollUntil(1, member);
        member.consumer.commitSync(Collections.singletonMap(partition, new OffsetAndMetadata(6, "six")));
        member.close();
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets("g-offsets")
                .partitionsToOffsetAndMetadata().get();
        check(committed.get(partition).offset() == 6 && committed.get(partition).metadata().equals("six"), committed.toString());
        Member next = new Member("g-offsets", "tour-offsets", "Range", null);
        next.pollUntilRecords(4);
        check(next.values.equals(Arrays.asList("v6", "v7", "v8", "v9")), next.values.toString());
        next.close();
    }

    static void create(AdminClient admin, String topic, int partitions) throws Exception {
        admin.createTopics(Collections.singleton(new NewTopic(topic, partitions, (short) 1))).all().get();
    }

    static void check(boolean held, String what) {
        if (!held) {
            throw new AssertionError(what);
        }
    }

    static class Member implements ConsumerRebalanceListener {
        final KafkaConsumer<String, String> consumer;
        final List<String> values = new ArrayList<>();
        int rebalances = 0;

        Member(String group, String topic, String assignor, String instance) {
            Properties conf = new Properties();
            conf.setProperty("bootstrap.servers", bootstrap);
            conf.setProperty("group.id", group);
            conf.setProperty("auto.offset.reset", "earliest");
            conf.setProperty("enable.auto.commit", "false");
            conf.setProperty("session.timeout.ms", "10000");
            conf.setProperty("heartbeat.interval.ms", "300");
            conf.setProperty("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor + "Assignor");
            if (instance != null) {
                conf.setProperty(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, instance);
            }
            consumer = new KafkaConsumer<>(conf, new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(Collections.singletonList(topic), this);
        }

        Set<TopicPartition> assigned() {
            return consumer.assignment();
        }

        void poll() {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                values.add(record.value());
            }
        }

        /** Polls this member and `other` until the other has `count` partitions. */
        void pollUntil(int count, Member other) {
            long end = System.currentTimeMillis() + 20_000;
            while (other.assigned().size() != count || (other != this && assigned().isEmpty())) {
                check(System.currentTimeMillis() < end, count + " partitions; has " + other.assigned());
                poll();
                if (other != this) {
                    other.poll();
                }
            }
        }

        void pollUntilRecords(int count) {
            long end = System.currentTimeMillis() + 20_000;
            while (values.size() < count) {
                check(System.currentTimeMillis() < end, count + " records; has " + values);
                poll();
            }
        }

        void close() {
            consumer.close();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            rebalances++;
        }
    }
}
