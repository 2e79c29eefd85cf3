// What groups of the consumer protocol (KIP-848) promise, seen by the Java client:
// java ConsumerProtocolTour BOOTSTRAP, or java ConsumerProtocolTour BOOTSTRAP GROUP TOPIC to print every value read
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class ConsumerProtocolTour {
    static String bootstrap;
    static Admin admin;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        admin = Admin.create(conf);
        if (args.length > 1) {
            readForEver(args[1], args[2]);
        }
        for (String assignor : new String[] {"uniform", "range"}) {
            shareAndTakeOver(assignor);
        }
        topicGrows();
        staticMemberComesBack();
        byExpression();
        fromOneProtocolToTheOther();
        admin.close();
        System.out.println("done");
    }

    static void readForEver(String group, String topic) {
        Member member = new Member(group, "consumer", null, null);
        member.consumer.subscribe(Collections.singleton(topic));
        while (true) {
            for (ConsumerRecord<String, String> record : member.consumer.poll(Duration.ofMillis(100))) {
                System.out.println(record.value());
            }
            member.consumer.commitSync();
        }
    }

    /** Two members share four partitions and read every record once; when one leaves, the other has all four. */
    static void shareAndTakeOver(String assignor) throws Exception {
        String topic = "protocol-" + assignor;
        create(topic, 4);
        Member first = new Member("p-" + assignor, "consumer", assignor, null).to(topic);
        pollUntil(() -> first.assigned().size() == 4, first);
        Member second = new Member("p-" + assignor, "consumer", assignor, null).to(topic);
        pollUntil(() -> first.assigned().size() == 2 && second.assigned().size() == 2, first, second);
        Set<TopicPartition> both = new HashSet<>(first.assigned());
        both.addAll(second.assigned());
        check(both.size() == 4, "all four in hand: " + both);
        ConsumerGroupDescription group = describe("p-" + assignor);
        check(group.type() == GroupType.CONSUMER && group.members().size() == 2, group.toString());
        check(group.partitionAssignor().equals(assignor), group.toString());
        send(topic, 100);
        pollUntil(() -> first.values.size() + second.values.size() >= 100, first, second);
        Set<String> values = new HashSet<>(first.values);
        values.addAll(second.values);
        check(values.size() == 100 && first.values.size() + second.values.size() == 100, "each record once");
        second.consumer.close();
        pollUntil(() -> first.assigned().size() == 4, first);
        first.consumer.close();
        check(describe("p-" + assignor).groupState() == GroupState.EMPTY, "the group is empty");
        admin.deleteConsumerGroups(Collections.singleton("p-" + assignor)).all().get();
    }

    static void topicGrows() throws Exception {
        create("protocol-grows", 1);
        Member member = new Member("p-grows", "consumer", null, null).to("protocol-grows");
        pollUntil(() -> member.assigned().size() == 1, member);
        admin.createPartitions(Collections.singletonMap("protocol-grows", NewPartitions.increaseTo(3))).all().get();
        pollUntil(() -> member.assigned().size() == 3, member);
        member.consumer.close();
    }

    /** A static member that restarts gets its partitions back, and the group's epoch stays. */
    static void staticMemberComesBack() throws Exception {
        create("protocol-static", 2);
        Member one = new Member("p-static", "consumer", null, "one").to("protocol-static");
        Member two = new Member("p-static", "consumer", null, "two").to("protocol-static");
        pollUntil(() -> one.assigned().size() == 1 && two.assigned().size() == 1, one, two);
        Set<TopicPartition> before = new HashSet<>(two.assigned());
        int epoch = describe("p-static").groupEpoch().get();
        two.consumer.close();
        Member again = new Member("p-static", "consumer", null, "two").to("protocol-static");
        pollUntil(() -> again.assigned().size() == 1, one, again);
        check(again.assigned().equals(before), "the same partitions: " + before + ", " + again.assigned());
        check(describe("p-static").groupEpoch().get() == epoch, "no rebalance");
        one.consumer.close();
        again.consumer.close();
    }

    static void byExpression() throws Exception {
        create("protocol-re-a", 1);
        create("protocol-re-b", 1);
        Member member = new Member("p-re", "consumer", null, null);
        member.consumer.subscribe(new SubscriptionPattern("protocol-re-[a-c]"));
        pollUntil(() -> member.assigned().size() == 2, member);
        create("protocol-re-c", 1);
        pollUntil(() -> member.assigned().size() == 3, member);
        member.consumer.close();
        Member wrong = new Member("p-wrong", "consumer", null, null);
        wrong.consumer.subscribe(new SubscriptionPattern("(unclosed"));
        try {
            pollUntil(() -> false, wrong);
        } catch (InvalidRegularExpression expected) {
            check(expected.getMessage().contains("missing closing )"), expected.getMessage());
        }
        wrong.consumer.close();
    }

    /** The group changes its protocol while members of both are in it, there and back again. */
    static void fromOneProtocolToTheOther() throws Exception {
        create("protocol-both", 4);
        Member old = new Member("p-both", "classic", null, null).to("protocol-both");
        pollUntil(() -> old.assigned().size() == 4, old);
        Member newer = new Member("p-both", "consumer", null, null).to("protocol-both");
        pollUntil(() -> old.assigned().size() == 2 && newer.assigned().size() == 2, old, newer);
        ConsumerGroupDescription group = describe("p-both");
        check(group.type() == GroupType.CONSUMER && group.members().size() == 2, group.toString());
        send("protocol-both", 50);
        pollUntil(() -> old.values.size() + newer.values.size() >= 50, old, newer);
        newer.consumer.close();
        pollUntil(() -> old.assigned().size() == 4, old);
        check(describe("p-both").type() == GroupType.CLASSIC, "classic again");
        old.consumer.close();
    }

    static ConsumerGroupDescription describe(String group) throws Exception {
        return admin.describeConsumerGroups(Collections.singleton(group)).all().get().get(group);
    }

    static void create(String topic, int partitions) throws Exception {
        admin.createTopics(Collections.singleton(new NewTopic(topic, partitions, (short) 1))).all().get();
    }

    static void send(String topic, int count) throws Exception {
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(conf, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>(topic, "k" + i, "v" + i)).get();
            }
        }
    }

    static void check(boolean held, String what) {
        if (!held) {
            throw new AssertionError(what);
        }
    }

    interface Condition {
        boolean holds();
    }

    static void pollUntil(Condition condition, Member... members) {
        long end = System.currentTimeMillis() + 60_000;
        while (!condition.holds()) {
            StringBuilder seen = new StringBuilder();
            for (Member member : members) {
                member.poll();
                seen.append(member.assigned()).append(' ').append(member.values.size()).append(" records; ");
            }
            check(System.currentTimeMillis() < end, "it does not come to that: " + seen);
        }
    }

    static class Member {
        final KafkaConsumer<String, String> consumer;
        final List<String> values = new ArrayList<>();

        Member(String group, String protocol, String assignor, String instance) {
            Properties conf = new Properties();
            conf.setProperty("bootstrap.servers", bootstrap);
            conf.setProperty("group.id", group);
            conf.setProperty("group.protocol", protocol);
            conf.setProperty("auto.offset.reset", "earliest");
            conf.setProperty("enable.auto.commit", "false");
            conf.setProperty("metadata.max.age.ms", "1000");
            if (assignor != null) {
                conf.setProperty("group.remote.assignor", assignor);
            }
            if (instance != null) {
                conf.setProperty("group.instance.id", instance);
            }
            if (protocol.equals("classic")) {
                conf.setProperty("heartbeat.interval.ms", "300");
            }
            consumer = new KafkaConsumer<>(conf, new StringDeserializer(), new StringDeserializer());
        }

        Member to(String topic) {
            consumer.subscribe(Collections.singleton(topic));
            return this;
        }

        Set<TopicPartition> assigned() {
            return consumer.assignment();
        }

        void poll() {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                values.add(record.value());
            }
        }
    }
}
