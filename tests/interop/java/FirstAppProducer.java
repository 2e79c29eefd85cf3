// The producer of a tutorial, with a callback: java FirstAppProducer BOOTSTRAP TOPIC COUNT
import java.util.Properties;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

public class FirstAppProducer {
    public static void main(String[] args) {
        String topicName = args[1];
        Properties conf = new Properties();
        conf.setProperty("bootstrap.servers", args[0]);
        conf.setProperty("key.serializer", "org.apache.kafka.common.serialization.IntegerSerializer");
        conf.setProperty("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");

        Producer<Integer, String> producer = new KafkaProducer<>(conf);

        for (int i = 0; i < Integer.parseInt(args[2]); i++) {
            Integer key = i;
            String value = String.valueOf(i);
            ProducerRecord<Integer, String> record = new ProducerRecord<>(topicName, key, value);
            producer.send(record, new Callback() {
                @Override
                public void onCompletion(RecordMetadata metadata, Exception e) {
                    if( metadata != null) {
                        String infoString = String.format("Success partition:%d, offset:%d", metadata.partition(), metadata.offset());
                        System.out.println(infoString);
                    } else {
                        String infoString = String.format("Failed:%s", e.getMessage());
                        System.err.println(infoString);
                    }
                }
            });
        }

        producer.close();
    }
}
