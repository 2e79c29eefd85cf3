// The word count of Kafka Streams with exactly_once_v2, each count told once: java WordCount BOOTSTRAP STATE_DIR
import java.util.Arrays;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.KStream;

public class WordCount {
    public static void main(String[] args) throws Exception {
        Properties conf = new Properties();
        conf.put(StreamsConfig.APPLICATION_ID_CONFIG, "word-count");
        conf.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        conf.put(StreamsConfig.STATE_DIR_CONFIG, args[1]);
        conf.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        conf.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        // Every count leaves the program, not the last before each commit alone.
        conf.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        conf.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        conf.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        conf.put("session.timeout.ms", "6000");
        conf.put("auto.offset.reset", "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream("lines");
        lines.flatMapValues(line -> Arrays.asList(line.split(" ")))
                .groupBy((key, word) -> word)
                .count()
                .toStream()
                .mapValues(count -> "" + count)
                .to("counts");
        KafkaStreams streams = new KafkaStreams(builder.build(), conf);
        streams.setStateListener((now, before) -> System.out.println(now));
        streams.start();
        while (System.in.read() >= 0) {
            // Goes on until stdin ends.
        }
        streams.close();
    }
}
