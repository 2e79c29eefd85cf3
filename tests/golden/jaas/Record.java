// What Kafka's JaasContext makes of difficult values of sasl.jaas.config:
// `java -cp kafka-clients.jar:slf4j-api.jar Record.java > cases.txt` writes them down, all in hexadecimal.

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

public class Record {
    static final String[] PIECES = {"a.b.PlainLoginModule", "required", "username", "password", "=", "=\"", "\"", "'", ";", " ",
        "=\"x\"", "=alice", "='it''s'", "=1x", "=-x", "=.5", "=a-1.b$_c", "\\\"", "\\\\", "\\n", "\\101", "\\4777", "/", "//c\n", "/*c*/",
        "\n", "\u00e4", "\u20ac", "=a/b", "#", "{", " password=\"p\"", " username=\"u\";"};

    static final String[] BLANKS = {" ", "\t", "\n  ", " /* c */ ", " // c\n", "  /c\r\n"};
    static final String[] KEYS = {"username", "a-b", "a.b", "a1", "$x_", "\"quoted key\"", "\u00e4", "ke\u20acy"};
    static final String[] VALUES = {"alice", "\"\"", "''", "\"a b;c=d\"", "'it\"s'", "\"\\\"\\\\\"", "\"\\n\\t\\101\\4777\\08\"", "a1.b-c$d_e",
        "\"p/q//r/*s*/\"", "'\u00e4\u20ac'", "\u00e4\u20ac", "\"a\\zb\"", "x//c\n", "\"1\"", "\"tail\n"};

    public static void main(String[] arguments) {
        for (String text : List.of("m required;", "m required a=b;", "m REQUIRED a=\"b\";", "m optional;", "m nonsense;", "m required",
                "m required a=b", ";", "", " ", "m required a=;", "m required a b;", "m required a=1;", "m required a=\"1\";",
                "m required a=b; n required;", "m required a=\"\\\"q\\\"\" b='\\'';", "\"m\" required a=b;", "m \"required\" \"a\"=b;",
                "m required /* c */ a=b // d\n c=d;", "m required a=b/c;\n;", "m required a=\"b\nc\";", "m required a=\"x;", "m required a = b ;",
                "m required a=b a=c;", "m required a-b.c=d;", "m required a=\"\\\\\\t\\060\";", "org.apache.kafka.X required\n\ta=\"b\"\n;\n")) {
            write(text);
        }
        Random random = new Random(2);
        for (int file = 0; file < 300; file++) {
            StringBuilder text = new StringBuilder("a.b.PlainLoginModule required");
            for (int piece = random.nextInt(4); piece >= 0; piece--) {
                text.append(pick(random, BLANKS)).append(pick(random, KEYS)).append(random.nextInt(4) == 0 ? " = " : "=")
                    .append(pick(random, VALUES));
            }
            write(text + ";");
        }
        for (int file = 0; file < 100; file++) {
            StringBuilder text = new StringBuilder(random.nextInt(8) == 0 ? "" : "a.b.PlainLoginModule required");
            for (int piece = random.nextInt(9); piece >= 0; piece--) {
                text.append(pick(random, PIECES));
            }
            write(text + " x=\"y\";");
        }
    }

    static String pick(Random random, String[] pieces) {
        return pieces[random.nextInt(pieces.length)];
    }

    static void write(String text) {
        StringBuilder line = new StringBuilder(hex(text)).append(' ');
        try {
            JaasContext context = JaasContext.loadClientContext(Map.of("sasl.jaas.config", new Password(text)));
            AppConfigurationEntry entry = context.configurationEntries().get(0);
            line.append(hex(entry.getLoginModuleName())).append(';');
            TreeMap<String, String> sorted = new TreeMap<>();
            entry.getOptions().forEach((key, value) -> sorted.put(hex(key), hex((String) value)));
            sorted.forEach((key, value) -> line.append(key).append('=').append(value).append(','));
        } catch (Exception refusal) {
            line.append("refused");
        }
        System.out.println(line);
    }

    static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }
}
