// The consumer of a tutorial, which commits each record by itself: java FirstAppConsumer BOOTSTRAP TOPIC COUNT
// Ends after COUNT records, or after 30 s with what has come.
import java.util.Collections;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

public class FirstAppConsumer {
    public static void main(String[] args) {
        String topicName = args[1];
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", args[0]);
        conf.setProperty("group.id", "FirstAppConsumerGroup");
        conf.setProperty("enable.auto.commit", "false");
        conf.setProperty("key.deserializer", "org.apache.kafka.common.serialization.IntegerDeserializer");
        conf.setProperty("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        conf.setProperty("auto.offset.reset", "earliest");

        Consumer<Integer, String> consumer = new KafkaConsumer<>(conf);
        consumer.subscribe(Collections.singletonList(topicName));

        long end = System.currentTimeMillis() + 30_000;
        for (int count = 0; count < Integer.parseInt(args[2]) && System.currentTimeMillis() < end;) {
            ConsumerRecords<Integer, String> records = consumer.poll(1);
            for (ConsumerRecord<Integer, String> record : records) {
                System.out.println(String.format("key:%d, value:%s", record.key(), record.value()));

                TopicPartition tp = new TopicPartition(record.topic(), record.partition());
                OffsetAndMetadata oam = new OffsetAndMetadata(record.offset() + 1);
                Map<TopicPartition, OffsetAndMetadata> commitInfo = Collections.singletonMap(tp, oam);
                consumer.commitSync(commitInfo);
                count++;
            }
        }

        consumer.close();
    }
}
