// Load of the Java client on a broker that is killed: java TortureTour BOOTSTRAP ROLE…; torture.py describes the roles.
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class TortureTour {
    static final String NAME = "java";
    static final int PARTITIONS = 3;
    static String bootstrap;
    static volatile boolean stopping;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        List<Thread> roles = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            Runnable role = switch (args[i]) {
                case "idempotent" -> TortureTour::idempotent;
                case "transactions" -> TortureTour::transactions;
                default -> TortureTour::copy;
            };
            roles.add(new Thread(role));
        }
        roles.forEach(Thread::start);
        while (System.in.read() >= 0) {
            // Goes on until stdin ends.
        }
        stopping = true;
        for (Thread role : roles) {
            role.join();
        }
    }

    static synchronized void tell(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) {
            line.append(word).append(' ');
        }
        System.out.println(line.toString().trim());
    }

    static void idempotent() {
        Semaphore inFlight = new Semaphore(500);
        try (KafkaProducer<String, String> producer = producer(null)) {
            for (int number = 0; !stopping; number++) {
                int told = number;
                inFlight.acquireUninterruptibly();
                producer.send(new ProducerRecord<>("numbers", number % PARTITIONS, null, NAME + ":" + number), (place, problem) -> {
                    inFlight.release();
                    if (problem == null) {
                        tell("idempotent", "ack", place.partition(), place.offset(), told);
                    } else {
                        tell("idempotent", "lost", told, problem.getClass().getSimpleName());
                    }
                });
                pause(3);
            }
            producer.flush();
        }
    }

    /** What became of a transaction: commit, abort, or unknown, after which another producer is needed. */
    static String ended(KafkaProducer<String, String> producer, boolean commits) {
        while (true) {
            try {
                if (commits) {
                    producer.commitTransaction();
                    return "commit";
                }
                producer.abortTransaction();
                return "abort";
            } catch (TimeoutException late) {
                // The same end may be asked for again.
            } catch (KafkaException problem) {
                if (!commits) {
                    return "unknown";
                }
                commits = false;
            }
        }
    }

    static KafkaProducer<String, String> transactional(String id) {
        while (true) {
            KafkaProducer<String, String> producer = producer(id);
            try {
                producer.initTransactions();
                return producer;
            } catch (KafkaException problem) {
                producer.close(Duration.ZERO);
            }
        }
    }

    static void transactions() {
        KafkaProducer<String, String> producer = transactional(NAME + "-transactions");
        for (int number = 0; !stopping; number++) {
            String outcome;
            try {
                producer.beginTransaction();
                for (int part = 0; part < 3; part++) {
                    String value = NAME + ":" + number + ":" + part;
                    producer.send(new ProducerRecord<>("transactions", (number + part) % PARTITIONS, null, value));
                }
                outcome = ended(producer, number % 4 != 3);
            } catch (KafkaException problem) {
                outcome = "unknown";
            }
            tell("transactions", outcome, number);
            if (outcome.equals("unknown")) {
                producer.close(Duration.ZERO);
                producer = transactional(NAME + "-transactions");
            }
            pause(5);
        }
        producer.close(Duration.ofSeconds(5));
    }

    static void copy() {
        while (!stopping) {
            KafkaProducer<String, String> producer = transactional(NAME + "-copy");
            try (KafkaConsumer<String, String> consumer = consumer(NAME + "-copy")) {
                consumer.subscribe(Collections.singleton("numbers"));
                while (!stopping) {
                    Map<TopicPartition, OffsetAndMetadata> places = new HashMap<>();
                    List<ConsumerRecord<String, String>> records = new ArrayList<>();
                    consumer.poll(Duration.ofMillis(300)).forEach(records::add);
                    if (records.isEmpty()) {
                        continue;
                    }
                    producer.beginTransaction();
                    for (ConsumerRecord<String, String> record : records) {
                        producer.send(new ProducerRecord<>("copies-of-" + NAME, record.partition(), null, record.value()));
                        places.put(new TopicPartition(record.topic(), record.partition()),
                                new OffsetAndMetadata(record.offset() + 1));
                    }
                    producer.sendOffsetsToTransaction(places, consumer.groupMetadata());
                    if (!ended(producer, true).equals("commit")) {
                        break;
                    }
                }
            } catch (KafkaException problem) {
                // Begins anew where the last commit was; the next producer of this id ends what is open.
            }
            producer.close(Duration.ZERO);
        }
    }

    static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    static KafkaProducer<String, String> producer(String id) {
        Properties conf = base();
        conf.setProperty("key.serializer", StringSerializer.class.getName());
        conf.setProperty("value.serializer", StringSerializer.class.getName());
        if (id != null) {
            conf.setProperty("transactional.id", id);
        }
        return new KafkaProducer<>(conf);
    }

    static KafkaConsumer<String, String> consumer(String group) {
        Properties conf = base();
        conf.setProperty("group.id", group);
        conf.setProperty("isolation.level", "read_committed");
        conf.setProperty("auto.offset.reset", "earliest");
        conf.setProperty("enable.auto.commit", "false");
        conf.setProperty("session.timeout.ms", "10000");
        conf.setProperty("key.deserializer", StringDeserializer.class.getName());
        conf.setProperty("value.deserializer", StringDeserializer.class.getName());
        return new KafkaConsumer<>(conf);
    }

    static Properties base() {
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", bootstrap);
        conf.setProperty("reconnect.backoff.max.ms", "200");
        return conf;
    }
}
