// What java.util.Properties makes of hostile little files: `java Record.java > cases.txt` writes them down.
// A line is the file's bytes, then its keys and values in the order of the keys, all in hexadecimal; or "refused".

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;

public class Record {
    static final String[] PIECES = {"k", "v", "=", ":", " ", "\t", "\f", "\\", "\\\\", "\n", "\r", "\r\n", "#", "!",
        "\\u0041", "\\u00e4", "\\ud83d\\ude00", "\\u12", "\\n", "\\t", "\\r", "\\f", "\\b", "\\=", "\\:", "\\ ", "\\#",
        "\u00e4", "key", "=value\n", "\nkey=", "\\\n", "\\\r\n", "\\\r", "\\\n  ", "\n#c\\\n", "\n \n"};

    public static void main(String[] arguments) {
        for (String text : List.of("", "key", "key=", "=value", "a=1\na=2", "a = b = c", "a:=b", "a b=c", "a\\ b=c",
                "a=\\", "a=b\\", "a=b\\\n", "\\\n#c\nx=1", "a=b \\\n   #c", "a=1\\\n\n b=2", "a=\\u0020x ", "!c\\\na=1",
                "  a  =  b  ", "a\\u003db=c", "a=\\ud83d", "a=\\u00", "a=\\uzzzz")) {
            write(text);
        }
        Random random = new Random(1);
        for (int file = 0; file < 600; file++) {
            StringBuilder text = new StringBuilder();
            for (int piece = random.nextInt(16); piece >= 0; piece--) {
                text.append(PIECES[random.nextInt(PIECES.length)]);
            }
            write(text.toString());
        }
    }

    static void write(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        StringBuilder line = new StringBuilder(hex(bytes)).append(' ');
        try {
            Properties properties = new Properties();
            properties.load(new ByteArrayInputStream(bytes));
            TreeMap<String, String> sorted = new TreeMap<>();
            for (String key : properties.stringPropertyNames()) {
                sorted.put(hex(key.getBytes(StandardCharsets.UTF_8)),
                    hex(properties.getProperty(key).getBytes(StandardCharsets.UTF_8)));
            }
            sorted.forEach((key, value) -> line.append(key).append('=').append(value).append(','));
        } catch (Exception refusal) {
            line.append("refused");
        }
        System.out.println(line);
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
