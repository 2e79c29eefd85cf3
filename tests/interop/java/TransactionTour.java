// What transactions promise, seen by the Java client: java TransactionTour BOOTSTRAP
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class TransactionTour {
    static final int RECORDS = 1000;
    static String bootstrap;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        try (AdminClient admin = AdminClient.create(base())) {
            FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
            check(features.finalizedFeatures().get("transaction.version").maxVersionLevel() == 2, "" + features);
            exactlyOnceCopy(admin);
            aborts(admin);
            fencing(admin);
            timeOut(admin);
            administration(admin);
        }
        System.out.println("done");
    }

    /** Two partitions are copied in transactions that take the place in the input along; the copier dies on the way. */
    static void exactlyOnceCopy(AdminClient admin) throws Exception {
        create(admin, "copy-in", 2);
        create(admin, "copy-out", 3);
        try (KafkaProducer<String, String> producer = producer(null, 60_000)) {
            for (int i = 0; i < RECORDS; i++) {
                producer.send(new ProducerRecord<>("copy-in", i % 2, null, "" + i));
            }
        }
        for (int life = 0; life < 3; life++) {
            KafkaProducer<String, String> producer = producer("copier", 60_000);
            producer.initTransactions();
            KafkaConsumer<String, String> consumer = consumer("copiers", "read_committed");
            consumer.subscribe(Collections.singleton("copy-in"));
            int batches = 0;
            int idle = 0;
            while (idle < 5) {
                Map<TopicPartition, OffsetAndMetadata> places = new HashMap<>();
                List<ConsumerRecord<String, String>> records = new ArrayList<>();
                consumer.poll(Duration.ofMillis(300)).forEach(records::add);
                idle = records.isEmpty() && !consumer.assignment().isEmpty() ? idle + 1 : 0;
                if (records.isEmpty()) {
                    continue;
                }
                producer.beginTransaction();
                for (ConsumerRecord<String, String> record : records) {
                    producer.send(new ProducerRecord<>("copy-out", record.value()));
                    places.put(new TopicPartition(record.topic(), record.partition()),
                            new OffsetAndMetadata(record.offset() + 1));
                }
                producer.sendOffsetsToTransaction(places, consumer.groupMetadata());
                if (life < 2 && ++batches == 2) {
                    // Dies with a transaction open; the next life starts where the last commit was.
                    producer.flush();
                    break;
                }
                producer.commitTransaction();
            }
            consumer.close();
            producer.close(Duration.ZERO);
        }
        List<Integer> read = new ArrayList<>();
        for (String value : readAll("copy-out", 3, "read_committed")) {
            read.add(Integer.parseInt(value));
        }
        Collections.sort(read);
        check(read.size() == RECORDS, "each record once: " + read.size());
        for (int i = 0; i < RECORDS; i++) {
            check(read.get(i) == i, "record " + i + " is " + read.get(i));
        }
    }

    static void aborts(AdminClient admin) throws Exception {
        create(admin, "aborts", 1);
        try (KafkaProducer<String, String> producer = producer("aborter", 60_000)) {
            producer.initTransactions();
            for (int i = 0; i < 40; i++) {
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("aborts", "" + i));
                if (i % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                }
            }
        }
        check(readAll("aborts", 1, "read_committed").size() == 20, "half is committed");
        check(readAll("aborts", 1, "read_uncommitted").size() == 40, "everything was written");
        TopicPartition partition = new TopicPartition("aborts", 0);
        try (KafkaConsumer<String, String> consumer = consumer("nobody", "read_uncommitted")) {
            long end = consumer.endOffsets(Collections.singleton(partition)).get(partition);
            check(end == 80, "a marker for each transaction: " + end);
        }
    }

    static void fencing(AdminClient admin) throws Exception {
        create(admin, "fencing", 1);
        KafkaProducer<String, String> first = producer("fenced", 60_000);
        first.initTransactions();
        first.beginTransaction();
        first.send(new ProducerRecord<>("fencing", "lost")).get();
        KafkaProducer<String, String> second = producer("fenced", 60_000);
        second.initTransactions();
        second.beginTransaction();
        second.send(new ProducerRecord<>("fencing", "kept")).get();
        second.commitTransaction();
        try {
            first.commitTransaction();
            check(false, "the first producer commits");
        } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
            // As it should be.
        }
        first.close(Duration.ZERO);
        admin.fenceProducers(Collections.singleton("fenced")).all().get();
        try {
            second.beginTransaction();
            second.send(new ProducerRecord<>("fencing", "late"));
            second.commitTransaction();
            check(false, "a fenced producer commits");
        } catch (KafkaException fenced) {
            // As it should be.
        }
        second.close(Duration.ZERO);
        List<String> read = readAll("fencing", 1, "read_committed");
        check(read.equals(Collections.singletonList("kept")), "" + read);
    }

    static void timeOut(AdminClient admin) throws Exception {
        create(admin, "slow", 1);
        KafkaProducer<String, String> producer = producer("slow", 1_500);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("slow", "too late")).get();
        await(admin, "slow", TransactionState.COMPLETE_ABORT);
        producer.close(Duration.ZERO);
        check(readAll("slow", 1, "read_committed").isEmpty(), "a transaction that timed out");
    }

    static void administration(AdminClient admin) throws Exception {
        create(admin, "admin", 1);
        TopicPartition partition = new TopicPartition("admin", 0);
        KafkaProducer<String, String> producer = producer("administered", 60_000);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("admin", "open")).get();
        TransactionDescription open = describe(admin, "administered");
        check(open.state() == TransactionState.ONGOING, "" + open);
        check(open.topicPartitions().equals(Collections.singleton(partition)), "" + open);
        check(open.transactionTimeoutMs() == 60_000 && open.transactionStartTimeMs().isPresent(), "" + open);
        Collection<TransactionListing> listed = admin.listTransactions().all().get();
        check(listed.stream().anyMatch(one -> one.transactionalId().equals("administered")), "" + listed);
        List<ProducerState> states = admin.describeProducers(Collections.singleton(partition)).partitionResult(partition)
                .get().activeProducers();
        check(states.size() == 1 && states.get(0).currentTransactionStartOffset().getAsLong() == 0, "" + states);
        check(states.get(0).producerId() == open.producerId(), "" + states);
        ProducerState state = states.get(0);
        admin.abortTransaction(new AbortTransactionSpec(partition, state.producerId(), (short) state.producerEpoch(),
                state.coordinatorEpoch().orElse(0))).all().get();
        check(readAll("admin", 1, "read_committed").isEmpty(), "the transaction is aborted");
        producer.close(Duration.ZERO);
    }

    static TransactionDescription describe(AdminClient admin, String id) throws Exception {
        return admin.describeTransactions(Collections.singleton(id)).description(id).get();
    }

    static void await(AdminClient admin, String id, TransactionState state) throws Exception {
        long end = System.currentTimeMillis() + 30_000;
        while (describe(admin, id).state() != state) {
            check(System.currentTimeMillis() < end, id + " is never " + state);
            Thread.sleep(50);
        }
    }

    /** Everything up to the end that a reader of this isolation level has. */
    static List<String> readAll(String topic, int partitions, String isolation) {
        List<TopicPartition> all = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            all.add(new TopicPartition(topic, i));
        }
        try (KafkaConsumer<String, String> consumer = consumer("nobody", isolation)) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            List<String> values = new ArrayList<>();
            long limit = System.currentTimeMillis() + 30_000;
            while (all.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
                check(System.currentTimeMillis() < limit, "no end of " + topic);
                consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
            }
            return values;
        }
    }

    static void create(AdminClient admin, String topic, int partitions) throws Exception {
        admin.createTopics(Arrays.asList(new NewTopic(topic, partitions, (short) 1))).all().get();
    }

    static KafkaProducer<String, String> producer(String id, int timeOutMs) {
        Properties conf = base();
        conf.setProperty("key.serializer", StringSerializer.class.getName());
        conf.setProperty("value.serializer", StringSerializer.class.getName());
        if (id != null) {
            conf.setProperty("transactional.id", id);
            conf.setProperty("transaction.timeout.ms", "" + timeOutMs);
        }
        return new KafkaProducer<>(conf);
    }

    static KafkaConsumer<String, String> consumer(String group, String isolation) {
        Properties conf = base();
        conf.setProperty("group.id", group);
        conf.setProperty("isolation.level", isolation);
        conf.setProperty("auto.offset.reset", "earliest");
        conf.setProperty("enable.auto.commit", "false");
        conf.setProperty("max.poll.records", "100");
        conf.setProperty("key.deserializer", StringDeserializer.class.getName());
        conf.setProperty("value.deserializer", StringDeserializer.class.getName());
        return new KafkaConsumer<>(conf);
    }

    static Properties base() {
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        return conf;
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }
}
