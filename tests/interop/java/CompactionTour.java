import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Fills a compacted topic in three rounds, each of which ends with a new segment, and waits for a line on stdin after each:
 * plain, compressed, idempotent, committed and aborted batches, and tombstones.
 *
 * CompactionTour BOOTSTRAP TOPIC DELETE_RETENTION_MS
 */
public class CompactionTour {
    static String bootstrap;
    static String topic;

    static KafkaProducer<String, String> producer(String... settings) {
        Map<String, Object> configs = new HashMap<>();
        configs.put("bootstrap.servers", bootstrap);
        configs.put("linger.ms", "200");
        configs.put("acks", "all");
        configs.put("enable.idempotence", "false");
        for (int i = 0; i < settings.length; i += 2)
            configs.put(settings[i], settings[i + 1]);
        return new KafkaProducer<>(configs, new StringSerializer(), new StringSerializer());
    }

    /** One batch of records, each KEY=VALUE, or KEY alone for a tombstone. */
    static void send(KafkaProducer<String, String> producer, String... records) throws Exception {
        List<Future<?>> sent = new ArrayList<>();
        for (String record : records) {
            String[] parts = record.split("=");
            sent.add(producer.send(new ProducerRecord<>(topic, 0, parts[0], parts.length > 1 ? parts[1] : null)));
        }
        producer.flush();
        for (Future<?> one : sent)
            one.get();
    }

    static void configure(Admin admin, String name, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
    }

    static void wait(String what) throws Exception {
        System.out.println(what);
        System.in.read();
    }

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        topic = arguments[1];
        Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        Map<String, String> configs = Map.of("cleanup.policy", "compact", "min.cleanable.dirty.ratio", "1.0",
            "delete.retention.ms", arguments[2]);
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(configs))).all().get();
        KafkaProducer<String, String> plain = producer();
        KafkaProducer<String, String> idempotent = producer("enable.idempotence", "true");
        KafkaProducer<String, String> transactional =
            producer("enable.idempotence", "true", "transactional.id", topic);
        transactional.initTransactions();
        send(plain, "a=1", "b=1", "c=1");
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd")) {
            KafkaProducer<String, String> compressed = producer("compression.type", codec);
            send(compressed, "a=" + codec, "of-" + codec + "=1", "b=1");
            compressed.close();
        }
        send(plain, "b");
        send(idempotent, "e=1");
        send(idempotent, "e=2");
        transactional.beginTransaction();
        send(transactional, "f=1", "g=1");
        transactional.commitTransaction();
        transactional.beginTransaction();
        send(transactional, "h=1", "a=9");
        transactional.abortTransaction();
        send(plain, "e=3", "f=2", "k", "g=2", "c");
        configure(admin, "segment.ms", "10");
        Thread.sleep(1000);
        send(plain, "last=1");
        configure(admin, "min.cleanable.dirty.ratio", "0.0");
        wait("round 1");
        for (int round = 2; round <= 3; round++) {
            send(plain, "last=" + (2 * round));
            Thread.sleep(100);
            send(plain, "last=" + (2 * round + 1));
            wait("round " + round);
        }
        transactional.close();
        System.exit(0);
    }
}
