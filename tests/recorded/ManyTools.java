import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.common.utils.Exit;

/**
 * Runs the command-line tools of Apache Kafka one after the other in one JVM: a start takes longer than all that a tool does
 * with most lines. A line of stdin is a class and its arguments in base64, separated by blanks; the answer is the exit code,
 * stdout and stderr likewise. A tool that exits is never run again: its thread stops where it asked for the exit.
 */
@SuppressWarnings("removal")
public final class ManyTools {
    private static CompletableFuture<Integer> outcome;

    public static void main(String[] words) throws Exception {
        PrintStream answers = System.out;
        Exit.setExitProcedure((code, message) -> end(code));
        Exit.setHaltProcedure((code, message) -> end(code));
        // argparse4j exits by itself.
        System.setSecurityManager(new SecurityManager() {
            @Override
            public void checkExit(int code) {
                end(code);
            }

            @Override
            public void checkPermission(java.security.Permission permission) {
            }
        });
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.setIn(new ByteArrayInputStream(new byte[0]));
        for (String line; (line = questions.readLine()) != null; ) {
            String[] parts = line.split(" ", -1);
            String[] arguments = new String[parts.length - 1];
            for (int place = 0; place < arguments.length; place++) {
                arguments[place] = new String(Base64.getDecoder().decode(parts[place + 1].substring(1)), StandardCharsets.UTF_8);
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            outcome = new CompletableFuture<>();
            Thread tool = new Thread(() -> run(parts[0], arguments), "main");
            tool.setDaemon(true);
            tool.start();
            int code = outcome.get(120, TimeUnit.SECONDS);
            System.out.flush();
            System.err.flush();
            answers.println(code + " =" + encoded(out) + " =" + encoded(err));
            answers.flush();
        }
        System.setSecurityManager(null);
        Runtime.getRuntime().halt(0);
    }

    private static void run(String name, String[] arguments) {
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
            outcome.complete(0);
        } catch (InvocationTargetException thrown) {
            System.err.print("Exception in thread \"main\" ");
            thrown.getCause().printStackTrace();
            outcome.complete(1);
        } catch (ReflectiveOperationException absent) {
            absent.printStackTrace();
            outcome.complete(127);
        }
    }

    private static void end(int code) {
        outcome.complete(code);
        while (true) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException again) {
                // As a process that has exited, it does nothing any more.
            }
        }
    }

    private static String encoded(ByteArrayOutputStream bytes) {
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
