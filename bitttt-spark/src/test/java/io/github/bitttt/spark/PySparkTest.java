package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.api.python.Py4JServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What PySpark users write: Python speaks to this JVM, as it does to the one that spark-submit starts. */
class PySparkTest {
    private static final Path PROGRAM = Path.of("src", "test", "python", "functions.py").toAbsolutePath();
    private static Py4JServer server;

    @BeforeAll
    static void start() {
        server = new Py4JServer(new SparkConf());
        server.start();
    }

    @AfterAll
    static void stop() {
        server.shutdown();
    }

    private static Process python(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("python3"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("PYSPARK_GATEWAY_PORT", String.valueOf(server.getListeningPort()));
        builder.environment().put("PYSPARK_GATEWAY_SECRET", server.secret());
        return builder.start();
    }

    @Test
    void pySparkHasTheFunctions() throws IOException, InterruptedException {
        boolean there;
        try {
            there = python("-c", "import pyspark; assert pyspark.__version__.startswith('4.')").waitFor() == 0;
        } catch (IOException e) {
            there = false;
        }
        assumeTrue(there, "python3 has no pyspark 4: pip install pyspark");
        Process process = python(PROGRAM.toString());
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
        assertThat(said).endsWith("ok\n");
    }

    @Test
    void theGuideHasTheSameLines() throws IOException {
        List<String> lines = Files.readAllLines(PROGRAM).stream()
                .filter(line -> line.startsWith("bitttt = ") || line.startsWith("model")).toList();
        assertThat(lines).hasSize(3);
        assertThat(Files.readString(Path.of("README.md"))).contains(String.join("\n", lines));
    }

    /** The same calls in the words of Py4J, which PySpark sends: names are found and overloads chosen, also where no PySpark is. */
    @Test
    void theCallsOfTheseLinesAreFound() throws IOException {
        try (TestCluster cluster = TestCluster.local();
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getListeningPort());
                BufferedReader in = new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                BufferedWriter out = new BufferedWriter(
                        new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8))) {
            assertThat(said(in, out, "A", server.secret())).startsWith("!y");
            String session = object(
                    said(in, out, "c", "z:org.apache.spark.sql.classic.SparkSession", "active", "e"));
            String entry = object(
                    said(in, out, "c", "z:io.github.bitttt.llama.zoo.Zoo", "load", "sstories-256x4", "e"));
            String model = object(said(in, out, "c", "z:io.github.bitttt.spark.SparkModel", "broadcast",
                    "r" + session, "r" + entry, "e"));
            assertThat(said(in, out, "c", model, "register", "e")).isEqualTo("!yv");
            assertThat(cluster.spark().sql("select bitttt_generate('Once', 5, 0.8, 1)").first().getString(0))
                    .isNotEmpty();
        }
    }

    private static String said(BufferedReader in, BufferedWriter out, String... lines) throws IOException {
        out.write(String.join("\n", lines) + "\n");
        out.flush();
        return in.readLine();
    }

    /** The name of an object that a call gave back. */
    private static String object(String answer) {
        assertThat(answer).startsWith("!yr");
        return answer.substring("!yr".length());
    }
}
