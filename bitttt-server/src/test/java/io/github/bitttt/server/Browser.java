package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A headless Chromium, driven by chromedriver over W3C's WebDriver protocol. */
final class Browser implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern STARTED = Pattern.compile("started successfully on port (\\d+)");
    private static final List<String> FLAGS = List.of("--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--force-device-scale-factor=1");

    private final HttpClient http = HttpClient.newHttpClient();
    private final Process driver;
    private final String session;

    private Browser(Process driver, int port, Path profile, int width, int height) throws IOException {
        this.driver = driver;
        String root = "http://127.0.0.1:" + port + "/session";
        ObjectNode body = JSON.createObjectNode();
        ObjectNode always = body.putObject("capabilities").putObject("alwaysMatch");
        always.putObject("goog:loggingPrefs").put("browser", "ALL");
        var flags = always.putObject("goog:chromeOptions").putArray("args");
        FLAGS.forEach(flags::add);
        flags.add("--user-data-dir=" + profile).add("--window-size=" + width + "," + height);
        session = root + "/" + send("POST", root, body).get("sessionId").asText();
    }

    /** The driver on PATH, if there is one. */
    static Optional<Path> driver() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, "chromedriver")).filter(Files::isExecutable).findFirst();
    }

    /** Starts a browser.
     *
     * @param profile an empty folder */
    static Browser open(Path driver, Path profile, int width, int height) throws IOException {
        Process process = new ProcessBuilder(driver.toString(), "--port=0").redirectErrorStream(true).start();
        try {
            // Not closed: the driver must not find its output gone.
            BufferedReader lines = process.inputReader();
            for (String line; (line = lines.readLine()) != null;) {
                Matcher started = STARTED.matcher(line);
                if (started.find()) {
                    return new Browser(process, Integer.parseInt(started.group(1)), profile, width, height);
                }
            }
            throw new IOException(driver + " ended before it listened");
        } catch (IOException | RuntimeException e) {
            process.destroy();
            throw e;
        }
    }

    private JsonNode send(String method, String address, JsonNode body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address)).timeout(Duration.ofSeconds(60))
                .method(method, HttpRequest.BodyPublishers.ofString(body.toString())).build();
        try {
            JsonNode value = JSON.readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body())
                    .get("value");
            if (value.has("error")) {
                throw new IOException(value.get("message").asText());
            }
            return value;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the browser worked", e);
        }
    }

    void go(URI page) throws IOException {
        send("POST", session + "/url", JSON.createObjectNode().put("url", page.toString()));
    }

    /** Runs JavaScript in the page; what it returns. */
    JsonNode script(String code) throws IOException {
        ObjectNode body = JSON.createObjectNode().put("script", code);
        body.putArray("args");
        return send("POST", session + "/execute/sync", body);
    }

    /** Clicks as a person does: it must be visible and not covered. */
    void click(String selector) throws IOException {
        JsonNode element = send("POST", session + "/element",
                JSON.createObjectNode().put("using", "css selector").put("value", selector));
        send("POST", session + "/element/" + element.properties().iterator().next().getValue().asText() + "/click",
                JSON.createObjectNode());
    }

    /** Waits until a condition in JavaScript holds. */
    void await(String condition) throws IOException, InterruptedException {
        for (int attempt = 0; attempt < 600; attempt++) {
            if (script("return " + condition).asBoolean()) {
                return;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("after 30 s still not " + condition + "; the page says "
                + script("return document.body.dataset.state + ': ' + document.getElementById('status').textContent"));
    }

    void resize(int width, int height) throws IOException {
        send("POST", session + "/window/rect", JSON.createObjectNode().put("width", width).put("height", height));
    }

    byte[] screenshot() throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(session + "/screenshot")).build();
        try {
            return Base64.getDecoder().decode(JSON.readTree(
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body()).get("value").asText());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the browser worked", e);
        }
    }

    /** What the page wrote to its console. */
    JsonNode console() throws IOException {
        return send("POST", session + "/se/log", JSON.createObjectNode().put("type", "browser"));
    }

    @Override
    public void close() throws IOException {
        try {
            send("DELETE", session, JSON.createObjectNode());
        } finally {
            driver.destroy();
        }
    }
}
