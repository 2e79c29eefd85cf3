// Writes tests/golden/internal-records.txt: for every internal record of Apache Kafka, in every version, some random
// contents, the bytes Kafka makes of them, and the JSON (or text) its own tools print.
//
//     java -cp 'LIBS/*' tests/recorded/InternalRecords.java > tests/golden/internal-records.txt
//
// A line is: topic, type, version, key in hex (- for none), value in hex, then what Kafka prints for key and for value.

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.utils.ImplicitLinkedHashCollection;
import org.apache.kafka.server.common.ApiMessageAndVersion;

public class InternalRecords {
    static final Random RANDOM = new Random(20);
    static final String[] TEXTS = {"", "a", "topic-1", "quote \" backslash \\ tab \t", "값", "\u0001\u001f/", "consumer"};

    public static void main(String[] args) throws Exception {
        coordinator("__consumer_offsets", "org.apache.kafka.coordinator.group.generated.");
        coordinator("__transaction_state", "org.apache.kafka.coordinator.transaction.generated.");
        coordinator("__share_group_state", "org.apache.kafka.coordinator.share.generated.");
        metadata();
        remote();
    }

    static void coordinator(String topic, String pack) throws Exception {
        Object[] types = Class.forName(pack + "CoordinatorRecordType").getEnumConstants();
        Class<?> converters = Class.forName(pack + "CoordinatorRecordJsonConverters");
        for (Object type : types) {
            Class<?> c = type.getClass();
            short id = (short) c.getMethod("id").invoke(type);
            short highest = ((ApiMessage) c.getMethod("newRecordValue").invoke(type)).highestSupportedVersion();
            short lowest = ((ApiMessage) c.getMethod("newRecordValue").invoke(type)).lowestSupportedVersion();
            for (short version = lowest; version <= highest; version++) {
                for (int turn = 0; turn < 3; turn++) {
                    ApiMessage key = (ApiMessage) c.getMethod("newRecordKey").invoke(type);
                    ApiMessage value = (ApiMessage) c.getMethod("newRecordValue").invoke(type);
                    fill(key, turn);
                    fill(value, turn);
                    byte[] keyBytes;
                    byte[] valueBytes;
                    try {
                        keyBytes = MessageUtil.toCoordinatorTypePrefixedBytes(key);
                        valueBytes = MessageUtil.toVersionPrefixedBytes(version, value);
                    } catch (Exception cannot) {
                        // A field that this version has not was set to something else than its default.
                        strip(value, version);
                        keyBytes = MessageUtil.toCoordinatorTypePrefixedBytes(key);
                        valueBytes = MessageUtil.toVersionPrefixedBytes(version, value);
                    }
                    ApiMessage back = (ApiMessage) c.getMethod("newRecordValue").invoke(type);
                    ByteBuffer buffer = ByteBuffer.wrap(valueBytes);
                    buffer.getShort();
                    back.read(new org.apache.kafka.common.protocol.ByteBufferAccessor(buffer), version);
                    JsonNode keyJson = (JsonNode) converters.getMethod("writeRecordKeyAsJson", ApiMessage.class).invoke(null, key);
                    JsonNode valueJson = (JsonNode) converters
                        .getMethod("writeRecordValueAsJson", ApiMessage.class, short.class).invoke(null, back, version);
                    print(topic, id, version, keyBytes, valueBytes, keyJson + "\t" + valueJson);
                }
            }
        }
    }

    static void metadata() throws Exception {
        for (Object type : Class.forName("org.apache.kafka.common.metadata.MetadataRecordType").getEnumConstants()) {
            Class<?> c = type.getClass();
            short id = (short) c.getMethod("id").invoke(type);
            ApiMessage example = (ApiMessage) c.getMethod("newMetadataRecord").invoke(type);
            for (short version = example.lowestSupportedVersion(); version <= example.highestSupportedVersion(); version++) {
                for (int turn = 0; turn < 3; turn++) {
                    ApiMessage value = (ApiMessage) c.getMethod("newMetadataRecord").invoke(type);
                    fill(value, turn);
                    strip(value, version);
                    byte[] bytes = framed(new ApiMessageAndVersion(value, version));
                    ApiMessageAndVersion back = org.apache.kafka.metadata.MetadataRecordSerde.INSTANCE.read(
                        new org.apache.kafka.common.protocol.ByteBufferAccessor(ByteBuffer.wrap(bytes)), bytes.length);
                    JsonNode json = (JsonNode) Class.forName("org.apache.kafka.common.metadata.MetadataJsonConverters")
                        .getMethod("writeJson", ApiMessage.class, short.class).invoke(null, back.message(), version);
                    print("__cluster_metadata", id, version, null, bytes, "-\t" + type + "\t" + json);
                }
            }
        }
    }

    static byte[] framed(ApiMessageAndVersion record) {
        var cache = new org.apache.kafka.common.protocol.ObjectSerializationCache();
        var serde = org.apache.kafka.metadata.MetadataRecordSerde.INSTANCE;
        ByteBuffer buffer = ByteBuffer.allocate(serde.recordSize(record, cache));
        serde.write(record, cache, new org.apache.kafka.common.protocol.ByteBufferAccessor(buffer));
        return buffer.array();
    }

    static void remote() throws Exception {
        String pack = "org.apache.kafka.server.log.remote.metadata.storage.";
        var serde = new org.apache.kafka.server.log.remote.metadata.storage.serialization.RemoteLogMetadataSerde();
        for (Object type : Class.forName(pack + "generated.MetadataRecordType").getEnumConstants()) {
            Class<?> c = type.getClass();
            short id = (short) c.getMethod("id").invoke(type);
            for (int turn = 0; turn < 12; turn++) {
                ApiMessage value = (ApiMessage) c.getMethod("newMetadataRecord").invoke(type);
                fill(value, turn);
                byte[] bytes = framed(new ApiMessageAndVersion(value, (short) 0));
                String text;
                try {
                    text = serde.deserialize(bytes).toString();
                } catch (Exception e) {
                    text = "error: " + e.getMessage();
                }
                print("__remote_log_metadata", id, (short) 0, null, bytes, "-\t" + text);
            }
        }
    }

    static void print(String topic, short id, short version, byte[] key, byte[] value, String texts) {
        HexFormat hex = HexFormat.of();
        System.out.println(topic + "\t" + id + "\t" + version + "\t" + (key == null ? "-" : hex.formatHex(key)) + "\t"
            + hex.formatHex(value) + "\t" + texts);
    }

    /** Sets the fields of newer versions back to their defaults. */
    static void strip(Message value, short version) throws Exception {
        org.apache.kafka.common.protocol.types.Schema[] schemas =
            (org.apache.kafka.common.protocol.types.Schema[]) value.getClass().getField("SCHEMAS").get(null);
        List<String> known = new ArrayList<>();
        for (var bound : schemas[version].fields()) {
            known.add(bound.def.name);
            if (bound.def instanceof org.apache.kafka.common.protocol.types.Field.TaggedFieldsSection) {
                var section = (org.apache.kafka.common.protocol.types.TaggedFields) bound.def.type;
                section.fields().values().forEach(f -> known.add(f.name));
            }
        }
        Object fresh = value.getClass().getConstructor().newInstance();
        for (Field field : value.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && !field.getName().startsWith("_")) {
                String snake = field.getName().replaceAll("([A-Z])", "_$1").toLowerCase();
                field.setAccessible(true);
                if (!known.contains(snake)) {
                    field.set(value, field.get(fresh));
                } else if (field.get(value) instanceof List<?> elements) {
                    for (Object element : elements) {
                        if (element instanceof Message nested) strip(nested, version);
                    }
                } else if (field.get(value) instanceof Message nested) {
                    strip(nested, version);
                }
            }
        }
    }

    static void fill(Object target, int turn) throws Exception {
        for (Field field : target.getClass().getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) || field.getName().startsWith("_")) continue;
            if (field.getName().equals("next") || field.getName().equals("prev")) continue;
            field.setAccessible(true);
            // Now and then a default stays, null among them.
            if (turn > 0 && RANDOM.nextInt(3) == 0) continue;
            if (turn == 2 && field.getName().equals("classicMemberMetadata")) {
                field.set(target, null);
                continue;
            }
            field.set(target, random(field.getGenericType(), field.get(target), field.getName(), turn));
        }
    }

    static Object random(Type type, Object current, String name, int turn) throws Exception {
        boolean small = name.endsWith("State") || name.endsWith("tatus");
        if (type == boolean.class) return RANDOM.nextBoolean();
        if (type == byte.class) return (byte) (small ? RANDOM.nextInt(5) : RANDOM.nextInt());
        if (type == short.class) return (short) RANDOM.nextInt();
        if (type == int.class) return name.equals("port") ? RANDOM.nextInt(65536) : RANDOM.nextInt();
        if (type == long.class) return turn == 1 ? RANDOM.nextLong() : RANDOM.nextInt(1000);
        if (type == double.class) return RANDOM.nextInt(100000) / 8.0;
        if (type == String.class) return TEXTS[RANDOM.nextInt(TEXTS.length)];
        if (type == Uuid.class) return new Uuid(RANDOM.nextLong(), RANDOM.nextLong());
        if (type == byte[].class) { byte[] b = new byte[RANDOM.nextInt(9)]; RANDOM.nextBytes(b); return b; }
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            List<Object> out = new ArrayList<>();
            for (int i = RANDOM.nextInt(4); i > 0; i--) {
                Type element = list.getActualTypeArguments()[0];
                if (element == Integer.class) element = int.class;
                if (element == Short.class) element = short.class;
                out.add(random(element, null, name, turn));
            }
            return out;
        }
        Class<?> c = (Class<?>) type;
        if (ImplicitLinkedHashCollection.class.isAssignableFrom(c)) return current;
        Object nested = c.getConstructor().newInstance();
        fill(nested, turn);
        return nested;
    }
}
